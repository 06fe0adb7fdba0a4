"""
A task that uses an asynchronous channel may be cancelled at any moment.
"""

from __future__ import annotations

import asyncio
import gc
import math

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import aio
from tests.runtime.halves import deaf_listener, soon
from tests.runtime.wire import Wire, task, turns
from tests.support.scripted import ScriptedServer


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_wait_leaves_its_place(steps: int, channel: aio.Channel, wire: Wire) -> None:
    """
    The late reply goes to nobody, and everybody else has the right one.
    """

    async def ask(name: bytes) -> object:
        return (await channel.start(name, 1).result(math.inf))[0]

    tasks = [task(ask(b"%d" % number)) for number in range(3)]
    await turns(steps)
    tasks[1].cancel()
    await turns()
    started = b"".join(wire.writes)
    last = task(ask(b"9"))
    await turns()

    replies = started + b"9"
    channel.data_received(b"".join(b":%c\r\n" % number for number in replies))

    assert ([0, 2], 9) == ([await tasks[0], await tasks[2]], await last)
    assert tasks[1].cancelled()
    assert 0 == channel.pending


async def test_a_cancelled_wait_can_be_resumed(channel: aio.Channel, wire: Wire) -> None:
    """
    The reply may come in between.
    """
    started = channel.start(b"a", 1)
    for _ in range(2):
        waiting = task(started.result(math.inf))
        await turns()
        waiting.cancel()
        await turns()
    assert started.waiter is None

    channel.data_received(b":7\r\n")

    assert [7] == await started.result(math.inf)


async def test_a_reply_and_a_cancellation_at_the_same_time(channel: aio.Channel, wire: Wire) -> None:
    """
    The reply is there for the next to ask.
    """
    started = channel.start(b"a", 1)
    waiting = task(started.result(math.inf))
    await turns()

    channel.data_received(b":7\r\n")
    waiting.cancel()
    await turns()

    assert waiting.cancelled()
    assert [7] == await started.result(math.inf)


async def test_wait_any_cancelled_cancels_no_request(channel: aio.Channel, wire: Wire) -> None:
    """
    They can be waited for again, alone or together.
    """
    started = [channel.start(b"a", 1), channel.start(b"b", 1)]
    waiting = task(aio.wait_any(started, soon()))
    await turns()
    waiting.cancel()
    await turns()

    channel.data_received(b":1\r\n")

    assert await aio.wait_any(started, soon())
    assert [1] == await started[0].result(soon())


async def test_a_connect_that_is_cancelled_leaves_nothing() -> None:
    """
    Neither a socket nor a task: the leak check looks.
    """
    with deaf_listener() as address:
        connecting = task(aio.connect(address, None, True, math.inf))
        await asyncio.sleep(0.02)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


@pytest.mark.parametrize("steps", range(12))
async def test_a_connect_cancelled_at_any_step_leaves_nothing(steps: int) -> None:
    """
    Not even when the connection stands already.
    """
    with ScriptedServer() as server:
        connecting = task(aio.connect(TCPAddress(server.host, server.port), None, True, math.inf))
        await turns(steps)
        connecting.cancel()
        try:
            opened = await connecting
        except asyncio.CancelledError:
            pass
        else:
            assert isinstance(opened, aio.Channel)
            await aio.close_all([opened])
        while server.live:
            gc.collect()
            await asyncio.sleep(0.002)
