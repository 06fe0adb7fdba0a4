"""
A channel takes so many requests and no more: who waits for room, and who is next.
"""

from __future__ import annotations

import asyncio
import math

import pytest

from coredis._runtime import aio
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.runtime.halves import soon
from tests.runtime.wire import Wire, ask, task, turns


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Limits that are reached quickly.
    """
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 2)
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_QUEUED_BYTES", 100)


async def ask_in_turn(channel: aio.Channel, name: str, order: list[str], deadline: float = math.inf) -> object:
    """
    Do what a pool does: wait for room, then start.
    """
    if channel.congested:
        await channel.writable(deadline)
    order.append(name)
    return (await channel.start(name.encode(), 1).result(math.inf))[0]


async def test_too_many_requests_make_others_wait(channel: aio.Channel, wire: Wire) -> None:
    """
    One reply makes room for one.
    """
    order: list[str] = []
    tasks = [task(ask_in_turn(channel, name, order)) for name in "abcde"]
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


async def test_waiters_are_admitted_in_order(channel: aio.Channel, wire: Wire) -> None:
    """
    Whatever number of replies comes at a time, none overtakes another.
    """
    names = [chr(ord("a") + number) for number in range(20)]
    order: list[str] = []
    tasks = [task(ask_in_turn(channel, name, order)) for name in names]
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
async def test_a_cancelled_waiter_loses_no_turn(channel: aio.Channel, wire: Wire, who: int, turn: int) -> None:
    """
    Whenever it is cancelled, also when its turn had just come, the others go on in order.
    """
    order: list[str] = []
    tasks = [task(ask_in_turn(channel, name, order)) for name in "abcdef"]
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


async def test_a_waiter_that_makes_no_use_of_its_turn(channel: aio.Channel, wire: Wire) -> None:
    """
    The next one gets it.
    """

    async def leave() -> None:
        await channel.writable(math.inf)

    order: list[str] = []
    first = [task(ask_in_turn(channel, name, order)) for name in "ab"]
    await turns()
    left = task(leave())
    await turns()
    last = task(ask_in_turn(channel, "c", order))
    await turns()

    channel.data_received(b":1\r\n")
    await turns()

    assert left.done()
    assert list("abc") == order
    channel.data_received(b":2\r\n:3\r\n")
    await asyncio.gather(*first, left, last)


async def test_thousands_of_waiters_are_admitted_in_order(
    channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Each once, and no more of them at a time than there is room for.
    """
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_QUEUED_BYTES", 10_000)
    order: list[str] = []
    names = [str(number) for number in range(5000)]
    tasks = [task(ask_in_turn(channel, name, order, soon(1000))) for name in names]
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
    channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Neither those whose turn has not come nor those whose turn has just been given; none of them is kept.
    """
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_QUEUED_BYTES", 10_000)
    order: list[str] = []
    names = [str(number) for number in range(5000)]
    tasks = [task(ask_in_turn(channel, name, order)) for name in names]
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
        isinstance(outcome, asyncio.CancelledError) for outcome in await asyncio.gather(*tasks, return_exceptions=True)
    )
    assert not channel._writers


async def test_waiters_whose_turns_do_not_fit_wait_again(
    channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    There was room for more requests than for their bytes; none is forgotten.
    """
    monkeypatch.setattr("coredis._runtime.aio.channel.MAX_PENDING", 100)
    order: list[str] = []
    tasks = [task(ask_in_turn(channel, f"{number:010}", order)) for number in range(1000)]
    await turns()
    while channel.pending:
        channel.data_received(b":0\r\n" * channel.pending)
        await turns()

    assert [0] * 1000 == await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert 1000 == len(set(order))
    assert (0, 0) == (len(channel._writers), channel._admitted)


async def test_expired_waiters_are_not_kept(channel: aio.Channel, wire: Wire) -> None:
    """
    Also while the network takes nothing, and so nobody has a turn.
    """
    order: list[str] = []
    channel.pause_writing()

    late = await asyncio.gather(
        *[ask_in_turn(channel, str(number), order, soon(0.01)) for number in range(50)], return_exceptions=True
    )

    assert 50 == sum(isinstance(outcome, RequestTimeoutError) for outcome in late)
    assert ([], 0) == (order, len(channel._writers))


async def test_a_waiters_time_ends(channel: aio.Channel, wire: Wire) -> None:
    """
    Nothing of it was sent, and the others keep their turns.
    """
    order: list[str] = []
    tasks = [task(ask_in_turn(channel, name, order)) for name in "ab"]
    await turns()
    late = task(ask_in_turn(channel, "c", order, soon(0.01)))
    patient = task(ask_in_turn(channel, "d", order, soon()))

    with pytest.raises(RequestTimeoutError) as caught:
        await late
    assert not caught.value.may_have_run

    channel.data_received(b":1\r\n")
    await turns()
    assert list("abd") == order
    channel.data_received(b":2\r\n:3\r\n")
    await asyncio.gather(*tasks, patient)
    assert b"abd" == b"".join(wire.writes)


async def test_a_full_network_makes_others_wait(channel: aio.Channel, wire: Wire) -> None:
    """
    Until the transport says that it takes more.
    """
    assert 100 == wire.high
    order: list[str] = []
    channel.pause_writing()
    assert channel.congested
    asked = task(ask_in_turn(channel, "a", order))
    await turns()
    assert [] == order

    channel.resume_writing()
    await turns()

    assert ["a"] == order
    channel.data_received(b":1\r\n")
    await asked


async def test_many_queued_bytes_make_others_wait(
    channel: aio.Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
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


async def test_the_end_of_the_channel_wakes_all_who_wait(channel: aio.Channel, wire: Wire) -> None:
    """
    None of their requests was sent.
    """
    order: list[str] = []
    tasks = [task(ask_in_turn(channel, name, order)) for name in "abcd"]
    await turns()

    channel.connection_lost(OSError("reset"))
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [True, True, False, False] == [
        isinstance(error, ConnectionLostError) and error.may_have_run for error in results
    ]


async def test_those_who_ask_again_do_not_overtake(channel: aio.Channel, wire: Wire) -> None:
    """
    The room that a reply makes belongs to those who wait for it.
    """
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
