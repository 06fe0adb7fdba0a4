"""
Tasks go on in the very call that brings their replies: what they may do there, and what keeps the others going on as well.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import math
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from coredis._runtime import aio
from coredis._runtime.aio import resuming
from coredis.exceptions import ConnectionLostError
from tests.runtime.wire import Wire, ask, task, turns
from tests.support.strikes import strike


async def called(function: Callable[[], object]) -> None:
    """
    Have the loop call a function, as it calls transports, and nothing else that comes of it.
    """
    done = asyncio.get_running_loop().create_future()

    def call() -> None:
        done.set_result(None)
        function()

    asyncio.get_running_loop().call_soon(call)
    await done


async def test_tasks_go_on_when_the_reply_comes(channel: aio.Channel, wire: Wire) -> None:
    """
    In the order of the replies, each to its next wait, and what they send then shares a write.
    """
    seen: list[object] = []

    async def ask_twice(name: bytes) -> None:
        seen.append(await ask(channel, name))
        await ask(channel, name.upper())

    tasks = [task(ask_twice(name)) for name in (b"a", b"b", b"c")]
    await turns()
    during: list[object] = []

    def receive() -> None:
        channel.data_received(b":1\r\n:2\r\n:3\r\n")
        during.append((list(seen), list(wire.writes)))

    await called(receive)

    assert [([1, 2, 3], [b"a", b"bc", b"ABC"])] == during
    channel.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_in_their_own_context(channel: aio.Channel, wire: Wire) -> None:
    """
    Not in that of the transport, whichever task has opened it.
    """
    name = contextvars.ContextVar("name", default="of nobody")

    async def ask_named(own: str) -> str:
        name.set(own)
        await ask(channel, b"a")
        return name.get()

    tasks = [task(ask_named(own)) for own in ("one", "two")]
    await turns()
    await called(lambda: channel.data_received(b":1\r\n:2\r\n"))

    assert ["one", "two"] == await asyncio.gather(*tasks)
    assert "of nobody" == name.get()


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
async def test_the_end_of_one_keeps_no_reply_from_the_others(
    ending: type[BaseException], channel: aio.Channel, wire: Wire
) -> None:
    """
    It ends the loop, which may be run again, and then they go on.
    """

    async def end() -> None:
        await ask(channel, b"a")
        raise ending

    first, *others = [task(ask(channel, b"b")), task(end()), task(ask(channel, b"c")), task(ask(channel, b"d"))]
    await turns()
    raised: list[type[BaseException]] = []

    def receive() -> None:
        try:
            channel.data_received(b":1\r\n:2\r\n:3\r\n:4\r\n")
        except BaseException as error:
            raised.append(type(error))

    await called(receive)
    ended, *after = others

    assert [ending] == raised
    assert [1, 3, 4] == await asyncio.gather(first, *after)
    assert isinstance(ended.exception(), ending)


async def test_interrupted_anywhere_nobody_waits_for_ever() -> None:
    """
    Ctrl-C anywhere while replies are received: each task gets its own, once, or is told that the connection is lost. What tasks
    send then is sent.
    """

    async def ask_twice(channel: aio.Channel, number: int) -> None:
        try:
            assert number == await ask(channel, b"%d" % number)
            await ask(channel, b"again")
        except (ConnectionLostError, KeyboardInterrupt):
            pass

    point, struck = 1, [True]
    while struck[-1]:
        point += 1  # before the first ones the data is lost, as it may be in asyncio itself
        channel = aio.Channel(asyncio.get_running_loop())
        wire = Wire(channel)
        tasks = [task(ask_twice(channel, number)) for number in range(3)]
        await turns()

        def receive(channel: aio.Channel = channel, point: int = point) -> None:
            struck.append(strike(point, lambda: channel.data_received(b":0\r\n:1\r\n:2\r\n")))

        await called(receive)
        await turns()
        channel.data_received(b":3\r\n" * channel.pending)
        await turns()
        assert all(one.done() and one.exception() is None for one in tasks), point
        if not channel.closed:
            asking = task(ask(channel, b"more"))
            await turns()
            assert b"more" == wire.writes[-1], point
            channel.data_received(b":4\r\n")
            assert 4 == await asking
        channel.close()
        await turns()

    assert point > 50


@pytest.mark.parametrize("plain", [True, False])
async def test_cancelled_by_a_signal_handler_anywhere(plain: bool) -> None:
    """
    As ``asyncio.run`` does it at Ctrl-C, in the middle of whatever runs: cancelled once, and nothing happens to the others.
    """

    async def ask_patiently(channel: aio.Channel) -> int:
        count = 0
        for wait in (ask(channel, b"1"), asyncio.sleep(0), asyncio.sleep(0)):
            try:
                await wait
            except asyncio.CancelledError:
                count += 1
        return count

    failures: list[tuple[int, Exception]] = []
    point, struck = -1, True
    while struck:
        point += 1
        channel = aio.Channel(asyncio.get_running_loop())
        channel._plain = plain
        Wire(channel)
        first, last = task(ask(channel, b"0")), task(ask(channel, b"2"))
        await turns(1)
        patient = task(ask_patiently(channel))
        await turns()
        struck = False

        def receive(
            channel: aio.Channel = channel, patient: asyncio.Task[object] = patient, point: int = point
        ) -> None:
            nonlocal struck
            try:
                struck = strike(point, lambda: channel.data_received(b":0\r\n:2\r\n:1\r\n"), action=patient.cancel)
            except Exception as error:
                failures.append((point, error))

        await called(receive)
        await turns()

        assert [] == failures
        assert (0, 2) == (first.result(), last.result()), point
        assert patient.done(), point
        assert patient.result() in (0, 1), point
        channel.close()
        await turns()

    assert point > 20


async def test_the_end_of_one_keeps_no_message_from_the_others(channel: aio.Channel, wire: Wire) -> None:
    """
    Whoever waits for out-of-band messages goes on when the loop is run again.
    """

    async def end() -> None:
        await ask(channel, b"a")
        raise SystemExit

    waiting = task(aio.wait_any([channel.listen(1)], math.inf))
    ending = task(end())
    await turns()

    def receive() -> None:
        with pytest.raises(SystemExit):
            channel.data_received(b">1\r\n+told\r\n:1\r\n")

    await called(receive)
    await turns()

    assert waiting.done()
    assert isinstance(ending.exception(), SystemExit)
    channel.close()
    await turns()


@pytest.mark.parametrize("count", [1, 2])
async def test_the_failure_of_a_task_does_not_keep_it(count: int, channel: aio.Channel, wire: Wire) -> None:
    """
    Its traceback leads to the function in which it went on, which must not hold the task in turn.
    """

    async def fail() -> None:
        await ask(channel, b"a")
        raise ValueError

    tasks = [task(fail()) for _ in range(count)]
    await turns()
    gc.disable()
    try:
        await called(lambda: channel.data_received(b":1\r\n" * count))
        await turns()
        assert [ValueError] * count == [type(one.exception()) for one in tasks]
        kept = [*map(weakref.ref, tasks)]
        tasks.clear()

        assert [None] * count == [reference() for reference in kept]
    finally:
        gc.enable()
    channel.close()
    await turns()


async def test_one_that_is_cancelled_by_another(channel: aio.Channel, wire: Wire) -> None:
    """
    Its reply has come in the same piece, but it has not gone on yet.
    """
    tasks: list[asyncio.Task[object]] = []

    async def cancel() -> object:
        reply = await ask(channel, b"a")
        tasks[1].cancel()
        return reply

    tasks += [task(cancel()), task(ask(channel, b"b")), task(ask(channel, b"c"))]
    await turns()
    await called(lambda: channel.data_received(b":1\r\n:2\r\n:3\r\n"))
    first, cancelled, last = await asyncio.gather(*tasks, return_exceptions=True)

    assert (1, 3) == (first, last)
    assert isinstance(cancelled, asyncio.CancelledError)


async def test_one_that_closes_the_channel(channel: aio.Channel, wire: Wire) -> None:
    """
    Those whose replies have come have them; those who ask then, and those who are waiting still, are told.
    """

    async def close() -> object:
        reply = await ask(channel, b"a")
        channel.close()
        return reply

    async def ask_again() -> object:
        await ask(channel, b"b")
        return await ask(channel, b"c")

    tasks = [task(close()), task(ask_again()), task(ask(channel, b"d")), task(ask(channel, b"e"))]
    await turns()
    await called(lambda: channel.data_received(b":1\r\n:2\r\n:4\r\n"))
    closing, again, answered, waiting = await asyncio.gather(*tasks, return_exceptions=True)

    assert (1, 4) == (closing, answered)
    assert isinstance(again, ConnectionLostError)
    assert isinstance(waiting, ConnectionLostError)
    assert not again.may_have_run
    assert waiting.may_have_run


async def test_within_a_task_nobody_goes_on_at_once(channel: aio.Channel, wire: Wire) -> None:
    """
    There is one task at a time.
    """
    asking = task(ask(channel, b"a"))
    await turns()
    channel.data_received(b":1\r\n")

    assert not asking.done()
    assert 1 == await asking


@pytest.mark.parametrize("name", ["IPython", "nest_asyncio"])
async def test_where_loops_may_nest_nobody_goes_on_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A cell of a notebook that goes on in the middle of receiving, and makes its loop one that nests, could receive nothing.
    """
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    channel = aio.Channel(asyncio.get_running_loop())
    Wire(channel)
    asking = task(ask(channel, b"a", math.inf))
    await turns()
    done: list[bool] = []

    def receive() -> None:
        channel.data_received(b":1\r\n")
        done.append(asking.done())

    await called(receive)

    assert [False] == done
    assert 1 == await asking
    channel.close()
    await turns()


@pytest.mark.parametrize("installed", [True, False])
async def test_where_nest_asyncio_is_installed(
    installed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A task may import it later, when it is needed, and run the loop in the middle of receiving.
    """
    if installed:
        (tmp_path / "nest_asyncio.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    resuming._may_nest.cache_clear()
    try:
        assert installed is not aio.Channel(asyncio.get_running_loop())._plain
    finally:
        resuming._may_nest.cache_clear()
