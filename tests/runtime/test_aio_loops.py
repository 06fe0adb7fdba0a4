"""
A client is bound to an event loop, and so are its channels.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import aio
from tests.runtime.halves import soon, words
from tests.runtime.wire import task
from tests.support.scripted import ScriptedServer, Silence

PING = words("PING")


def test_each_loop_is_another_home() -> None:
    """
    So a pool notices that it is used from another one.
    """

    async def home() -> aio.Home:
        made = aio.Home()
        assert made.here()
        return made

    async def here(home: aio.Home) -> bool:
        return home.here()

    assert not asyncio.run(here(asyncio.run(home())))
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.run(home()).here()


def test_a_loop_may_go_on_in_another_thread() -> None:
    """
    It is the same home there, and another loop in the thread where it was before is not.
    """

    async def home() -> aio.Home:
        return aio.Home()

    async def here(home: aio.Home) -> bool:
        return home.here()

    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as other:
        made = runner.run(home())

        assert not asyncio.run(here(made))
        assert not other.submit(asyncio.run, here(made)).result()
        assert other.submit(runner.get_loop().run_until_complete, here(made)).result()
        assert not asyncio.run(here(made))
        assert runner.run(here(made))


async def test_each_task_is_another_caller() -> None:
    """
    So one at a time can be told from two.
    """

    async def caller() -> object:
        assert aio.caller() is aio.caller()
        return aio.caller()

    assert await task(caller()) is not await task(caller())


def test_a_channel_whose_loop_is_gone_can_be_finalised() -> None:
    """
    The loop took its socket with it; there is nothing left to close.
    """
    with ScriptedServer([Silence()]) as server:
        address = TCPAddress(server.host, server.port)
        loop = asyncio.new_event_loop()
        opened = loop.run_until_complete(aio.connect(address, None, True, soon()))
        opened.close()
        loop.run_until_complete(opened.wait_closed())
        loop.close()

        opened.close_from_finalizer()


async def test_a_channel_can_be_finalised_from_another_thread() -> None:
    """
    It is closed in its own loop.
    """
    with ScriptedServer([Silence()]) as server:
        opened = await aio.connect(TCPAddress(server.host, server.port), None, True, soon())
        thread = threading.Thread(target=opened.close_from_finalizer)
        thread.start()
        thread.join()

        await asyncio.wait_for(opened.wait_closed(), 5)

        assert opened.closed


async def test_a_channel_outlives_the_context_it_was_opened_in() -> None:
    """
    What the request held that happened to open it is let go.
    """
    variable: contextvars.ContextVar[object] = contextvars.ContextVar("variable")
    seen: list[object] = []

    class Watching(aio.Channel):
        def buffer_updated(self, nbytes: int) -> None:
            seen.append(variable.get(None))
            super().buffer_updated(nbytes)

    with ScriptedServer([b"+PONG\r\n"]) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("coredis._runtime.aio.connecting.Channel", Watching)
        variable.set("request")
        opened = await aio.connect(TCPAddress(server.host, server.port), None, True, soon())

        await opened.start(PING, 1).result(soon())

        assert [None] == seen
        await aio.close_all([opened])
