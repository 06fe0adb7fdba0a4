"""
What the asynchronous half does alone: one channel for many tasks, joined writes, back-pressure, cancellation.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import aio
from coredis.exceptions import ConnectionLostError, ProtocolError, RequestTimeoutError
from tests.runtime.halves import deaf_listener, soon, words
from tests.runtime.wire import Wire, ask, task, turns
from tests.support.scripted import Command, Late, ScriptedServer, Silence, Step

PING = words("PING")


class TestWrites:
    """
    What many tasks send leaves in few writes.
    """

    async def test_a_lone_request_is_written_at_once(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Nobody is in sight to share a write with.
        """
        started = channel.start(b"one", 1)

        assert [b"one"] == wire.writes
        assert started.sent

    async def test_requests_of_one_turn_are_written_together(self, channel: aio.Channel, wire: Wire) -> None:
        """
        In their order, behind the one that was written at once.
        """
        started = [channel.start(b"%d" % number, 1) for number in range(5)]

        assert [b"0"] == wire.writes
        assert [True, False, False, False, False] == [request.sent for request in started]
        await turns(1)
        assert [b"0", b"1234"] == wire.writes
        assert all(request.sent for request in started)

    async def test_each_turn_has_its_write(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Nothing is held back for a later one.
        """
        for number in range(3):
            channel.start(b"a%d" % number, 1)
            channel.start(b"b%d" % number, 1)
            await turns(1)

        assert [b"a0", b"b0", b"a1b1", b"a2b2"] == wire.writes

    async def test_many_tasks_make_few_segments(self) -> None:
        """
        On a real socket: all requests arrive, and each task has its own reply.
        """

        def echo(command: Command) -> Step:
            return b"+%s\r\n" % command[1]

        with ScriptedServer(echo) as server:
            opened = await aio.connect(TCPAddress(server.host, server.port), None, True, soon())
            written = 0
            assert opened._transport is not None
            write = opened._transport.write

            def count(data: bytes) -> None:
                nonlocal written
                written += 1
                write(data)

            opened._transport.write = count  # type: ignore[assignment,method-assign]

            async def ask(number: int) -> list[object]:
                return await opened.start(words("ECHO", number), 1).result(soon())

            replies = await asyncio.gather(*[ask(number) for number in range(100)])

            assert [[b"%d" % number] for number in range(100)] == replies
            assert 2 == written
            await aio.close_all([opened])

    async def test_what_was_not_written_certainly_did_not_run(self, channel: aio.Channel, wire: Wire) -> None:
        """
        A loss in between tells the two apart.
        """
        written, queued = channel.start(b"a", 1), channel.start(b"b", 1)

        channel.close()
        await turns()

        assert [b"a"] == wire.writes
        for request, may_have_run in ((written, True), (queued, False)):
            with pytest.raises(ConnectionLostError) as caught:
                await request.result(math.inf)
            assert may_have_run is caught.value.may_have_run


class TestQuestions:
    """
    Single commands of many tasks.
    """

    async def test_each_task_gets_its_reply(self, channel: aio.Channel, wire: Wire) -> None:
        """
        In whatever pieces they come, and whatever else is outstanding.
        """
        asking = [task(ask(channel, b"a")), task(ask(channel, b"b"))]
        await turns(1)
        started = channel.start(b"cc", 2)
        asking += [task(ask(channel, b"d")), task(ask(channel, b"e"))]
        await turns()
        assert b"abccde" == b"".join(wire.writes)

        channel.data_received(b":1\r\n:2\r\n:3\r\n")
        channel.data_received(b":4\r\n:5\r\n:6\r\n")

        assert [1, 2, 5, 6] == await asyncio.gather(*asking)
        assert [3, 4] == await started.result(math.inf)

    async def test_a_cancelled_one_keeps_its_place(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Its reply reaches nobody.
        """
        asking = [task(ask(channel, b"%d" % number)) for number in range(3)]
        await turns()
        asking[1].cancel()
        await turns()
        assert 3 == channel.pending

        channel.data_received(b":0\r\n:1\r\n:2\r\n")

        assert [0, 2] == [await asking[0], await asking[2]]
        assert asking[1].cancelled()

    async def test_the_end_tells_which_may_have_run(self, channel: aio.Channel, wire: Wire) -> None:
        """
        What was only queued has not. The same when it is a request of several commands.
        """
        first, second = channel.ask(b"a", 1, math.inf), channel.ask(b"b", 1, math.inf)
        started, last = channel.start(b"c", 1), channel.ask(b"d", 1, math.inf)
        waiting = task(started.result(math.inf))
        await asyncio.sleep(0)
        channel._flush()
        late = channel.ask(b"e", 1, math.inf)

        channel.close()

        results = await asyncio.gather(first, second, waiting, last, late, return_exceptions=True)
        assert {ConnectionLostError} == set(map(type, results))
        assert [True, True, True, True, False] == [cast(ConnectionLostError, error).may_have_run for error in results]

    @pytest.mark.parametrize("single", [True, False])
    async def test_what_is_queued_when_its_time_is_up_may_run(
        self, single: bool, channel: aio.Channel, wire: Wire
    ) -> None:
        """
        It is sent all the same. Its error must not say that it can be sent again without harm.
        """

        async def wait(number: int) -> object:
            payload = b"%d" % number
            if single:
                return await channel.ask(payload, 1, aio.now())
            return await channel.start(payload, 1).result(aio.now())

        asking = [task(wait(number)) for number in range(2)]
        await asyncio.sleep(0)
        assert [b"0"] == wire.writes

        channel._expire()

        results = await asyncio.gather(*asking, return_exceptions=True)
        assert [True, True] == [cast(RequestTimeoutError, error).may_have_run for error in results]
        assert [b"0", b"1"] == wire.writes

    @pytest.mark.parametrize("first", ["cancelled", "late"])
    async def test_it_ends_as_it_ended_first(self, first: str, channel: aio.Channel, wire: Wire) -> None:
        """
        Whatever becomes of the connection in the same turn: a cancellation that is forgotten is a limit that is not kept.
        """
        asking = task(ask(channel, b"a", aio.now()))
        await asyncio.sleep(0)

        if first == "cancelled":
            asking.cancel("enough")
        else:
            channel._expire()
        channel.close()

        with pytest.raises(asyncio.CancelledError if first == "cancelled" else RequestTimeoutError):
            await asking

    async def test_those_who_ask_again_do_not_overtake(
        self, channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        The room that a reply makes belongs to those who wait for it.
        """
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 2)
        asked = dict.fromkeys("abcd", 0)

        async def ask_on(name: str) -> None:
            while asked[name] < 10:
                if not channel.ready and channel.congested:
                    await channel.writable(math.inf)
                asked[name] += 1
                await ask(channel, name.encode())

        tasks = [task(ask_on(name)) for name in asked]
        await turns()
        for _ in range(8):
            asyncio.get_running_loop().call_soon(channel.data_received, b":1\r\n" * channel.pending)
            await turns()

        assert {4, 5} >= set(asked.values())
        channel.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_one_whose_time_is_up_holds_nothing(self, wire: Wire, channel: aio.Channel) -> None:
        """
        It waits for its reply, perhaps for ever, and its error has the frames of whoever waited.
        """
        asked = channel.ask(b"a", 1, aio.now())
        channel._expire()

        with pytest.raises(RequestTimeoutError):
            await asked

        assert [None] == [cast(aio.Started, request).waiter for request in channel._session.pending]


class TestBackPressure:
    """
    What is queued is bounded, and those who wait have their turn.
    """

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Limits that are reached quickly.
        """
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 2)
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_QUEUED_BYTES", 100)

    async def ask(self, channel: aio.Channel, name: str, order: list[str], deadline: float = math.inf) -> object:
        """
        Do what a pool does: wait for room, then start.
        """
        if channel.congested:
            await channel.writable(deadline)
        order.append(name)
        return (await channel.start(name.encode(), 1).result(math.inf))[0]

    async def test_too_many_requests_make_others_wait(self, channel: aio.Channel, wire: Wire) -> None:
        """
        One reply makes room for one.
        """
        order: list[str] = []
        tasks = [task(self.ask(channel, name, order)) for name in "abcde"]
        await turns()
        assert list("ab") == order
        assert channel.congested

        channel.data_received(b":1\r\n")
        await turns()
        assert list("abc") == order
        channel.data_received(b":2\r\n:3\r\n")
        await turns()
        assert list("abcde") == order
        channel.data_received(b":4\r\n:5\r\n")

        assert [1, 2, 3, 4, 5] == await asyncio.gather(*tasks)
        assert b"abcde" == b"".join(wire.writes)
        assert not channel.congested

    async def test_waiters_are_admitted_in_order(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Whatever number of replies comes at a time, none overtakes another.
        """
        names = [chr(ord("a") + number) for number in range(20)]
        order: list[str] = []
        tasks = [task(self.ask(channel, name, order)) for name in names]
        await turns()
        number = 0
        for size in (1, 2, 1, 1, 2, 2, 1, 2, 2, 2, 2, 1, 1):
            size = min(size, channel.pending)
            channel.data_received(b"".join(b":%d\r\n" % (number + offset) for offset in range(size)))
            number += size
            await turns()

        assert list(range(20)) == await asyncio.gather(*tasks)
        assert names == order

    @pytest.mark.parametrize("turn", range(4))
    @pytest.mark.parametrize("who", range(4))
    async def test_a_cancelled_waiter_loses_no_turn(
        self, channel: aio.Channel, wire: Wire, who: int, turn: int
    ) -> None:
        """
        Whenever it is cancelled, also when its turn had just come, the others go on in order.
        """
        order: list[str] = []
        tasks = [task(self.ask(channel, name, order)) for name in "abcdef"]
        await turns()

        channel.data_received(b":1\r\n")
        await turns(turn)
        tasks[2 + who].cancel()
        await turns()
        while channel.pending:
            channel.data_received(b":2\r\n")
            await turns()

        assert [*"ab"] == order[:2]
        assert sorted(order) == order
        survivors = {*"abcdef"} - {"cdef"[who]}
        assert survivors <= set(order)
        assert not channel.congested
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_a_waiter_that_makes_no_use_of_its_turn(self, channel: aio.Channel, wire: Wire) -> None:
        """
        The next one gets it.
        """

        async def leave() -> None:
            await channel.writable(math.inf)

        order: list[str] = []
        first = [task(self.ask(channel, name, order)) for name in "ab"]
        await turns()
        left = task(leave())
        await turns()
        last = task(self.ask(channel, "c", order))
        await turns()

        channel.data_received(b":1\r\n")
        await turns()

        assert left.done()
        assert list("abc") == order
        channel.data_received(b":2\r\n:3\r\n")
        await asyncio.gather(*first, left, last)

    async def test_thousands_of_waiters_are_admitted_in_order(
        self, channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Each once, and no more of them at a time than there is room for.
        """
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_QUEUED_BYTES", 10_000)
        order: list[str] = []
        names = [str(number) for number in range(5000)]
        tasks = [task(self.ask(channel, name, order, soon(1000))) for name in names]
        await turns()
        assert 4900 == len(channel._writers)

        answered = 0
        while channel.pending:
            assert channel.pending <= 100
            size = min(channel.pending, 1 + answered % 100)
            channel.data_received(b"".join(b":%d\r\n" % (answered + offset) for offset in range(size)))
            answered += size
            await turns()

        assert list(range(5000)) == await asyncio.gather(*tasks)
        assert names == order
        assert not channel._writers

    async def test_thousands_of_cancelled_waiters_lose_no_turns(
        self, channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Neither those whose turn has not come nor those whose turn has just been given; none of them is kept.
        """
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_QUEUED_BYTES", 10_000)
        order: list[str] = []
        names = [str(number) for number in range(5000)]
        tasks = [task(self.ask(channel, name, order)) for name in names]
        await turns()
        for waiting in tasks[1000::2]:
            waiting.cancel()
        await turns()
        assert 4900 - 2000 == len(channel._writers)

        channel.data_received(b":0\r\n" * 100)
        for waiting in tasks[100:200]:
            waiting.cancel()
        await turns()
        assert 100 == channel.pending  # those behind them have their turns
        while channel.pending:
            channel.data_received(b":0\r\n" * channel.pending)
            await turns()

        assert [*names[:100], *names[200:1000], *names[1001::2]] == order
        assert 2100 == sum(
            isinstance(outcome, asyncio.CancelledError)
            for outcome in await asyncio.gather(*tasks, return_exceptions=True)
        )
        assert not channel._writers

    async def test_waiters_whose_turns_do_not_fit_wait_again(
        self, channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        There was room for more requests than for their bytes; none is forgotten.
        """
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
        order: list[str] = []
        tasks = [task(self.ask(channel, f"{number:010}", order)) for number in range(1000)]
        await turns()
        while channel.pending:
            channel.data_received(b":0\r\n" * channel.pending)
            await turns()

        assert [0] * 1000 == await asyncio.wait_for(asyncio.gather(*tasks), 5)
        assert 1000 == len(set(order))
        assert (0, 0) == (len(channel._writers), channel._admitted)

    async def test_expired_waiters_are_not_kept(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Also while the network takes nothing, and so nobody has a turn.
        """
        order: list[str] = []
        channel.pause_writing()

        late = await asyncio.gather(
            *[self.ask(channel, str(number), order, soon(0.01)) for number in range(50)], return_exceptions=True
        )

        assert 50 == sum(isinstance(outcome, RequestTimeoutError) for outcome in late)
        assert ([], 0) == (order, len(channel._writers))

    async def test_a_waiters_time_ends(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Nothing of it was sent, and the others keep their turns.
        """
        order: list[str] = []
        tasks = [task(self.ask(channel, name, order)) for name in "ab"]
        await turns()
        late = task(self.ask(channel, "c", order, soon(0.01)))
        patient = task(self.ask(channel, "d", order, soon()))

        with pytest.raises(RequestTimeoutError) as caught:
            await late
        assert not caught.value.may_have_run

        channel.data_received(b":1\r\n")
        await turns()
        assert list("abd") == order
        channel.data_received(b":2\r\n:3\r\n")
        await asyncio.gather(*tasks, patient)
        assert b"abd" == b"".join(wire.writes)

    async def test_a_full_network_makes_others_wait(self, channel: aio.Channel, wire: Wire) -> None:
        """
        Until the transport says that it takes more.
        """
        assert 100 == wire.high
        order: list[str] = []
        channel.pause_writing()
        assert channel.congested
        asked = task(self.ask(channel, "a", order))
        await turns()
        assert [] == order

        channel.resume_writing()
        await turns()

        assert ["a"] == order
        channel.data_received(b":1\r\n")
        await asked

    async def test_many_queued_bytes_make_others_wait(
        self, channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Within one turn as well.
        """
        monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
        channel.start(b"x", 1)
        assert not channel.congested

        channel.start(b"x" * 100, 1)
        assert channel.congested
        await asyncio.wait_for(channel.writable(math.inf), 5)

        assert not channel.congested
        channel.close()
        await channel.wait_closed()

    async def test_the_end_of_the_channel_wakes_all_who_wait(self, channel: aio.Channel, wire: Wire) -> None:
        """
        None of their requests was sent.
        """
        order: list[str] = []
        tasks = [task(self.ask(channel, name, order)) for name in "abcd"]
        await turns()

        channel.connection_lost(OSError("reset"))
        results = await asyncio.gather(*tasks, return_exceptions=True)

        assert [True, True, False, False] == [
            isinstance(error, ConnectionLostError) and error.may_have_run for error in results
        ]


class TestCancellation:
    """
    A task may be cancelled at any moment.
    """

    @pytest.mark.parametrize("steps", range(6))
    async def test_a_cancelled_wait_leaves_its_place(self, steps: int, channel: aio.Channel, wire: Wire) -> None:
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

    async def test_a_cancelled_wait_can_be_resumed(self, channel: aio.Channel, wire: Wire) -> None:
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

    async def test_a_reply_and_a_cancellation_at_the_same_time(self, channel: aio.Channel, wire: Wire) -> None:
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

    async def test_wait_any_cancelled_cancels_no_request(self, channel: aio.Channel, wire: Wire) -> None:
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

    async def test_a_connect_that_is_cancelled_leaves_nothing(self) -> None:
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
    async def test_a_connect_cancelled_at_any_step_leaves_nothing(self, steps: int) -> None:
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


class TestTime:
    """
    One timer serves all waits of a channel.
    """

    async def test_waits_end_each_at_its_own_time(self, channel: aio.Channel, wire: Wire) -> None:
        """
        In the order of their deadlines.
        """
        ended: list[int] = []

        async def wait(number: int, seconds: float) -> None:
            with pytest.raises(RequestTimeoutError):
                await channel.start(b"x", 1).result(soon(seconds))
            ended.append(number)

        await asyncio.gather(wait(1, 0.06), wait(2, 0.02), wait(3, 0.04))

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


class TestLoops:
    """
    A channel belongs to the event loop it was opened in.
    """

    def test_each_loop_is_another_home(self) -> None:
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

    def test_a_loop_may_go_on_in_another_thread(self) -> None:
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

    async def test_each_task_is_another_caller(self) -> None:
        """
        So one at a time can be told from two.
        """

        async def caller() -> object:
            assert aio.caller() is aio.caller()
            return aio.caller()

        assert await task(caller()) is not await task(caller())

    def test_a_channel_whose_loop_is_gone_can_be_finalised(self) -> None:
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

    async def test_a_channel_can_be_finalised_from_another_thread(self) -> None:
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

    async def test_a_channel_outlives_the_context_it_was_opened_in(self) -> None:
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


class TestEvents:
    """
    Something to wait for, set once.
    """

    async def test_all_who_wait_are_woken(self) -> None:
        """
        And whoever comes later does not wait.
        """
        event = aio.Event()
        waiting = [task(event.wait(soon())) for _ in range(3)]
        await turns()
        assert not event.is_set()

        event.set()
        event.set()

        assert [True, True, True] == await asyncio.gather(*waiting)
        assert await event.wait(soon(-1.0))

    async def test_a_wait_ends_at_its_deadline(self) -> None:
        """
        The event can be set all the same.
        """
        event = aio.Event()

        assert not await event.wait(soon(0.005))
        event.set()
        assert await event.wait(math.inf)

    async def test_a_cancelled_wait_does_not_set_it(self) -> None:
        """
        Nor does it keep the others from being woken.
        """
        event = aio.Event()
        waiting = task(event.wait(math.inf))
        await turns()
        waiting.cancel()
        await turns()

        assert not event.is_set()
        event.set()
        assert event.is_set()


async def test_a_paused_reader_does_not_stop_the_others() -> None:
    """
    Two channels of one loop are independent.
    """
    with ScriptedServer([Late(0.1, b"+slow\r\n"), b"+fast\r\n"]) as server:
        address = TCPAddress(server.host, server.port)
        slow, fast = [await aio.connect(address, None, True, soon()) for _ in range(2)]
        order: list[bytes] = []

        async def ask(asked: aio.Channel, before: Callable[[], bool]) -> None:
            while not before():
                await asyncio.sleep(0.001)
            order.extend(await asked.start(PING, 1).result(soon()))

        await asyncio.gather(ask(slow, lambda: True), ask(fast, lambda: len(server.commands) == 1))

        assert [b"fast", b"slow"] == order
        await aio.close_all([slow, fast])


def arrive(channel: aio.Channel, data: bytes) -> None:
    """
    Have bytes arrive as transports do, and then something else in the same memory.
    """
    buffer = channel.get_buffer(-1)
    buffer[: len(data)] = data
    channel.buffer_updated(len(data))
    buffer[: len(data)] = b"@" * len(data)


async def test_large_values(channel: aio.Channel, wire: Wire) -> None:
    """
    They arrive in memory that is used again, whatever comes with them.
    """
    value = bytes(range(250)) * 600
    large = b"$150000\r\n" + value + b"\r\n"
    reply = b"*43\r\n" + large + large + 40 * b":1\r\n" + large
    for sizes in ((200_000,), (100_000,), (40_000,), (9, 100_000), (150_010, 1), (150_017, 3, 150_000)):
        first, second = task(ask(channel, PING)), task(ask(channel, PING))
        await asyncio.sleep(0)
        data, number = reply + b":7\r\n", 0
        while data:
            size = sizes[number % len(sizes)]
            arrive(channel, data[:size])
            data, number = data[size:], number + 1

        assert ([value, value, *[1] * 40, value], 7) == (await first, await second)
    assert wire.writes


async def test_a_large_value_and_garbage(channel: aio.Channel, wire: Wire) -> None:
    """
    What is in order before it is handed out, and nothing after it is listened to.
    """
    first, second = task(ask(channel, PING)), task(ask(channel, PING))
    await asyncio.sleep(0)
    arrive(channel, b"$150000\r\n" + b"x" * 150_000 + b"\r\n*1\r\n*01\r\n$100000\r\n" + b"x" * 90_000)
    arrive(channel, b"x" * 100_000)

    assert b"x" * 150_000 == await first
    with pytest.raises(ProtocolError):
        await second
    assert channel.closed and wire.writes
