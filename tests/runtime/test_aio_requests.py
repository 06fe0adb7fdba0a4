"""
What many tasks ask for on one channel leaves in few writes, and each gets its own reply.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import cast

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import aio
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.runtime.halves import soon, words
from tests.runtime.wire import Wire, ask, task, turns
from tests.support.scripted import Command, Late, ScriptedServer, Step

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

    async def test_one_whose_time_is_up_holds_nothing(self, wire: Wire, channel: aio.Channel) -> None:
        """
        It waits for its reply, perhaps for ever, and its error has the frames of whoever waited.
        """
        asked = channel.ask(b"a", 1, aio.now())
        channel._expire()

        with pytest.raises(RequestTimeoutError):
            await asked

        assert [None] == [cast(aio.Started, request).waiter for request in channel.session.pending]


@pytest.mark.parametrize("started", [False, True])
async def test_requests_of_many_tasks_are_used_anew(started: bool, channel: aio.Channel, wire: Wire) -> None:
    """
    Those that were answered, when nobody knows them any more. Nothing of what they were is left in them, and each task gets its
    own reply, whatever becomes of the others: one is cancelled, and one is too late.
    """
    loop = asyncio.get_running_loop()
    deadlines = {17: aio.now()}
    known: set[int] = set()
    for turn in range(4):
        asking = [task(ask(channel, b"x", deadlines.get(number, math.inf))) for number in range(300)]
        if started:
            asking.append(task(channel.start(b"y", 1).result(math.inf)))
        await turns(2)
        assert len(asking) == channel.pending == len(set(map(id, channel.session.pending)))
        asking[5].cancel()
        channel._expire()
        await turns(1)
        for begin, end in ((0, 140), (140, 180), (180, len(asking))):
            order = [300, *range(300)] if started else range(300)
            loop.call_soon(channel.data_received, b"".join([b":%d\r\n" % order[place] for place in range(begin, end)]))
            await turns(2)

        results = await asyncio.gather(*asking, return_exceptions=True)

        assert {5, 17} == {number for number, result in enumerate(results) if isinstance(result, BaseException)}
        assert all(result == number for number, result in enumerate(results[:300]) if number not in (5, 17))
        assert [[300]] == results[300:] or not started
        spare = channel.spare
        assert len(spare) == len(set(map(id, spare))) <= 600
        assert {aio.requests.Asked} == set(map(type, spare))
        assert {(None, None)} == {(request.waiter, request.reply) for request in spare}
        assert turn == 0 or known & set(map(id, spare))
        known |= set(map(id, spare))


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
