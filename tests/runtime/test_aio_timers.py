"""
One timer serves all waits of an asynchronous channel.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import cast

import pytest

from coredis._runtime import aio
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.runtime.halves import soon
from tests.runtime.wire import Wire, task, turns


class TestTime:
    """
    One timer serves all waits of a channel.
    """

    async def test_waits_end_each_at_its_own_time(self, channel: aio.Channel, wire: Wire) -> None:
        """
        In the order of their deadlines, which are so far apart that a busy machine does not put them together.
        """
        ended: list[int] = []

        async def wait(number: int, seconds: float) -> None:
            with pytest.raises(RequestTimeoutError):
                await channel.start(b"x", 1).result(soon(seconds))
            ended.append(number)

        await asyncio.gather(wait(1, 0.8), wait(2, 0.02), wait(3, 0.4))

        assert [2, 3, 1] == ended

    async def test_a_reply_in_time_leaves_others_waiting(self, channel: aio.Channel, wire: Wire) -> None:
        """
        The timer goes on for them.
        """
        answered, late = channel.start(b"a", 1), channel.start(b"b", 1)
        waits = [task(answered.result(soon(0.02))), task(late.result(soon(0.04)))]
        await turns()

        channel.data_received(b":1\r\n")

        assert [1] == await waits[0]
        with pytest.raises(RequestTimeoutError):
            await waits[1]

    async def test_a_closed_channel_leaves_no_timer(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Nothing keeps it alive.
        """
        waiting = task(channel.start(b"a", 1).result(soon(1000)))
        await turns()
        assert channel._timer is not None

        channel.close()
        with pytest.raises(ConnectionLostError):
            await waiting

        assert channel._timer is None


class Handle:
    """
    What an event loop may return for a timer: nothing but a way to cancel it.
    """

    def __init__(self, delay: float, callback: Callable[[], None]) -> None:
        self.delay = delay
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class BareLoop:
    """
    An event loop whose timers do not tell their time, as uvloop's do not when they are due at once.
    """

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.create_future = asyncio.get_running_loop().create_future

    def run_forever(self) -> None:
        raise NotImplementedError

    def call_later(self, delay: float, callback: Callable[[], None]) -> Handle:
        handle = Handle(delay, callback)
        self.handles.append(handle)
        return handle


class TestTimer:
    """
    The channel itself remembers what its timer is set to.
    """

    @pytest.fixture
    async def loop(self, monkeypatch: pytest.MonkeyPatch) -> BareLoop:
        """
        A loop that only notes its timers, at a time that stands still.
        """
        monkeypatch.setattr("coredis._runtime.aio.clock.now", lambda: 100.0)
        return BareLoop()

    @pytest.fixture
    async def bare(self, loop: BareLoop) -> aio.Channel:
        """
        A channel in that loop.
        """
        return aio.Channel(cast(asyncio.AbstractEventLoop, loop))

    async def test_only_an_earlier_deadline_sets_it_anew(self, loop: BareLoop, bare: aio.Channel) -> None:
        """
        One that is due at once stays, whatever comes.
        """
        for deadline in (math.inf, 105.0, 105.0, 107.0, 102.0, 103.0, 100.0, 101.0, 100.0):
            bare.watch(deadline)

        assert [5.0, 2.0, 0.0] == [handle.delay for handle in loop.handles]
        assert [True, True, False] == [handle.cancelled for handle in loop.handles]

    async def test_it_is_set_again_after_it_has_gone_off(
        self, loop: BareLoop, bare: aio.Channel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        For the next wait, also when it went off a little early; not when nobody waits.
        """
        Wire(bare)
        waits = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "call_soon", lambda callback: None, raising=False)
            for deadline in (105.0, 102.0):
                waits.append(task(bare.start(b"x", 1).result(deadline)))
            await turns()
        assert [5.0, 2.0] == [handle.delay for handle in loop.handles]

        for time_now in (101.5, 102.0, 105.0):
            monkeypatch.setattr("coredis._runtime.aio.clock.now", lambda time_now=time_now: time_now)
            loop.handles[-1].callback()
            await turns()

        assert [5.0, 2.0, 0.5, 3.0] == [handle.delay for handle in loop.handles]
        assert bare._timer is None
        for waiting in waits:
            with pytest.raises(RequestTimeoutError):
                await waiting
