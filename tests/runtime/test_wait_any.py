"""
Waiting for one of several requests, run with each half.
"""

from __future__ import annotations

import math
import threading
import time

import pytest

from coredis.exceptions import ConnectionLostError
from tests.runtime.halves import Half, do, soon, words
from tests.support.scripted import Close, Late, ScriptedServer, Silence

PING = words("PING")


async def test_one_that_is_done_needs_no_wait(half: Half) -> None:
    """
    Even when it is too late.
    """
    with ScriptedServer([b":1\r\n", Silence()]) as server:
        channel = await half.connect(server)
        first, second = channel.start(PING, 1), channel.start(PING, 1)
        await do(first.result(soon()))

        assert await do(half.runtime.wait_any([second, first], soon(-1.0)))


async def test_the_first_of_several_channels_ends_the_wait(half: Half) -> None:
    """
    The others stay outstanding and are answered later.
    """
    with ScriptedServer([Late(0.1, b"+slow\r\n"), Late(0.02, b"+fast\r\n")]) as server:
        slow = (await half.connect(server)).start(PING, 1)
        time.sleep(0.01)  # so that this one is the first to arrive
        fast = (await half.connect(server)).start(PING, 1)

        assert await do(half.runtime.wait_any([slow, fast], soon()))

        assert (False, True) == (slow.done(), fast.done())
        assert [b"fast"] == await do(fast.result(soon()))
        assert await do(half.runtime.wait_any([slow], math.inf))
        assert [b"slow"] == await do(slow.result(soon()))


async def test_a_wait_ends_at_its_deadline(half: Half) -> None:
    """
    Nothing is cancelled by that.
    """
    with ScriptedServer([Late(0.1, b"+late\r\n"), Silence()]) as server:
        channels = [await half.connect(server) for _ in range(2)]
        started = [channel.start(PING, 1) for channel in channels]

        assert not await do(half.runtime.wait_any(started, soon(0.01)))
        assert not await do(half.runtime.wait_any(started, soon(-1.0)))
        assert await do(half.runtime.wait_any(started, soon()))

        assert [b"late"] in [request.replies for request in started]


async def test_a_channel_that_dies_ends_the_wait(half: Half) -> None:
    """
    Its request is done: it has failed. The other one lives on.
    """
    with ScriptedServer([Late(0.05, b"+mine\r\n"), Close()]) as server:
        living = (await half.connect(server)).start(PING, 1)
        time.sleep(0.01)
        dying = (await half.connect(server)).start(PING, 1)

        assert await do(half.runtime.wait_any([living, dying], soon()))

        assert (False, True) == (living.done(), dying.done())
        with pytest.raises(ConnectionLostError):
            await do(dying.result(soon()))
        assert [b"mine"] == await do(living.result(soon()))


async def test_a_channel_that_is_dead_already_ends_the_wait(half: Half) -> None:
    """
    It is not even looked at.
    """
    with ScriptedServer([Silence(), Silence()]) as server:
        channels = [await half.connect(server) for _ in range(2)]
        started = [channel.start(PING, 1) for channel in channels]
        channels[1].close()

        assert await do(half.runtime.wait_any(started, soon()))

        assert [False, True] == [request.done() for request in started]


async def test_several_requests_of_one_channel(half: Half) -> None:
    """
    The first of them is the first to be done.
    """
    with ScriptedServer([b":1\r\n", Silence()]) as server:
        channel = await half.connect(server)
        started = [channel.start(PING, 1) for _ in range(2)]

        assert await do(half.runtime.wait_any(started, soon()))

        assert [True, False] == [request.done() for request in started]


async def test_part_of_a_reply_does_not_end_the_wait(half: Half) -> None:
    """
    Not before the rest has come.
    """
    with ScriptedServer([b"$3\r\na", Late(0.03, b"bc\r\n:2\r\n")]) as server:
        channel = await half.connect(server)
        started = channel.start(PING, 1)
        channel.start(PING, 1)

        assert await do(half.runtime.wait_any([started], soon()))

        assert [b"abc"] == await do(started.result(soon()))


async def test_a_request_can_be_waited_for_again(half: Half) -> None:
    """
    Alone, after it was waited for among others.
    """
    with ScriptedServer([Late(0.05, b":1\r\n")]) as server:
        started = (await half.connect(server)).start(PING, 1)

        for _ in range(3):
            assert not await do(half.runtime.wait_any([started], soon(0.005)))

        assert [1] == await do(started.result(soon()))


async def test_an_alarm_ends_the_wait(half: Half) -> None:
    """
    From another thread, and until it is cleared; the request stays outstanding.
    """
    with ScriptedServer([Late(0.3, b"+late\r\n")]) as server:
        channel = await half.connect(server)
        started, alarm = channel.start(PING, 1), half.runtime.Alarm()
        ringing = threading.Timer(0.02, alarm.ring)
        ringing.start()

        assert not await do(half.runtime.wait_any([started], soon(), alarm))
        assert alarm.rung
        assert not await do(half.runtime.wait_any([started], math.inf, alarm))
        alarm.clear()
        assert await do(half.runtime.wait_any([started], soon(), alarm))

        ringing.join()
        assert [b"late"] == started.replies


@pytest.mark.parametrize("seconds", [0.0, 0.002, 0.05])
async def test_an_alarm_ends_the_wait_for_one(half: Half, seconds: float) -> None:
    """
    Rung before, while the reply may come soon, or later; and a reply ends it, however soon.
    """
    with ScriptedServer([Late(0.3, b"+late\r\n"), b"+soon\r\n"]) as server:
        channel = await half.connect(server)
        started, alarm = channel.start(PING, 1), half.runtime.Alarm()
        ringing = threading.Timer(seconds, alarm.ring)
        ringing.start()
        if not seconds:
            ringing.join()

        assert not await do(half.runtime.wait_one(started, math.inf, alarm))

        assert alarm.rung
        assert not started.done()
        ringing.join()
        alarm.clear()
        assert not await do(half.runtime.wait_one(started, soon(0.03), alarm))
        assert not started.done()
        assert await do(half.runtime.wait_one(started, soon(), alarm))
        assert [b"late"] == started.replies
        assert await do(half.runtime.wait_one(started, soon(-1.0), alarm))  # it is there already
        started = channel.start(PING, 1)
        assert await do(half.runtime.wait_one(started, soon(), alarm))
        assert [b"soon"] == started.replies


async def test_waiting_for_one_without_an_alarm(half: Half) -> None:
    """
    Until the deadline, or the reply, or the end of the connection.
    """
    with ScriptedServer([Late(0.1, b"+late\r\n")]) as server:
        channel = await half.connect(server)
        started = channel.start(PING, 1)

        assert not await do(half.runtime.wait_one(started, soon(0.01)))
        assert await do(half.runtime.wait_one(started, soon()))
        assert [b"late"] == started.replies
        last = channel.start(PING, 1)
        channel.close()
        assert await do(half.runtime.wait_one(last, soon()))
        assert last.failure is not None


async def test_an_alarm_alone(half: Half) -> None:
    """
    Without a request the wait is for the alarm or the deadline.
    """
    alarm = half.runtime.Alarm()

    assert not await do(half.runtime.wait_any([], soon(0.01), alarm))
    alarm.ring()
    assert not await do(half.runtime.wait_any([], math.inf, alarm))


async def test_a_request_that_is_done_comes_before_the_alarm(half: Half) -> None:
    """
    What has arrived is told, however often the alarm was rung.
    """
    alarm = half.runtime.Alarm()
    for _ in range(100_000 if half.runtime.MULTIPLEXED else 1000):
        alarm.ring()
    with ScriptedServer([b":1\r\n"]) as server:
        started = (await half.connect(server)).start(PING, 1)
        await do(started.result(soon()))

        assert await do(half.runtime.wait_any([started], math.inf, alarm))


async def test_what_is_spawned_runs_beside_the_caller(half: Half) -> None:
    """
    And can be joined.
    """
    event = half.runtime.Event()
    seen = []

    async def beside_tasks() -> None:
        seen.append(await event.wait(soon()))

    def beside_threads() -> None:
        seen.append(event.wait(soon()))

    running = half.runtime.spawn(beside_tasks if half.runtime.MULTIPLEXED else beside_threads)
    event.set()
    await do(half.runtime.join(running))

    assert [True] == seen


async def test_a_function_of_the_application_is_called(half: Half) -> None:
    """
    What it raises is raised; in one half it may be a coroutine function.
    """
    seen: list[int] = []

    await do(half.runtime.call(seen.append, 1))

    assert [1] == seen
    with pytest.raises(ZeroDivisionError):
        await do(half.runtime.call(lambda number: 1 // number, 0))
