"""
A member of a group that has enough unacknowledged entries fetches no more until some are acknowledged.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests._async.streams import HOUR, calls, deliver, fill, grow_old, identifiers, idle, numbered, pending, take
from tests._async.waiting import until
from tests.support.aio import Redis, connect, sleep, spawn
from tests.support.servers import Server

#: How members keep account of what they have: by counting, or entry by entry.
ACCOUNTS: Any = pytest.mark.parametrize("account", [{}, {"claim_idle": 60_000}], ids=["counted", "held"])


def member(client: Redis[Any], **options: Any) -> Any:
    """
    Make a member that takes no more than three at a time.
    """
    return client.xconsumer(["a"], **{"group": "g", "consumer": "c", "buffer_size": 9, "max_unacked": 3, **options})


@ACCOUNTS
async def test_no_more_than_the_limit(client: Redis[Any], account: Any) -> None:
    """
    Not even for the buffer. Nothing is lost: the rest comes when there is room again.
    """
    await fill(client, "a", 1, 8)
    consumer = member(client, **account)

    assert numbered(1, 3) == await identifiers(consumer)
    assert 3 == len(await pending(client))
    assert 2 == await consumer.ack("a", "1-0", "3-0")
    assert numbered(4, 5) == await identifiers(consumer)
    assert 3 == len(await pending(client))
    await consumer.close()


@ACCOUNTS
async def test_a_pause_is_not_an_end(client: Redis[Any], account: Any) -> None:
    """
    It lasts as long as the consumer waits for an entry, which is then a time-out like any other; nothing is asked meanwhile.
    """
    await fill(client, "a", 1, 4)
    consumer = member(client, timeout=1000, **account)
    await take(consumer, 3)
    before = await calls(client, "xreadgroup", "xautoclaim")

    reading = spawn(consumer.get_entry)
    await until(lambda: consumer._allowance.paused)
    await sleep(0.01)
    assert consumer._owner is not None

    assert (None, None) == await reading.join()
    assert before == await calls(client, "xreadgroup", "xautoclaim")
    await consumer.close()


@ACCOUNTS
@pytest.mark.parametrize("how", ["ack", "nack", "collected"])
async def test_room_wakes_who_waits(client: Redis[Any], account: Any, how: str) -> None:
    """
    At once, from another task or thread.
    """
    await fill(client, "a", 1, 4)
    collecting = {"ack_buffer": 9} if how == "collected" else {}
    consumer = member(client, timeout=60_000, **account, **collecting)
    consumer._longest_pause = lambda: 3600.0  # it does not find out by itself
    await take(consumer, 3)
    reading = spawn(lambda: take(consumer))
    await until(lambda: consumer._allowance.paused)
    await sleep(0.02)

    await (consumer.nack if how == "nack" else consumer.ack)("a", "2-0")

    # What was handed back may come again, where the server gives it with new ones.
    assert await reading.join() in ([b"4-0"], [b"2-0"] if how == "nack" else None)
    await consumer.close()


async def test_stopping(client: Redis[Any]) -> None:
    """
    It ends a pause at once.
    """
    await fill(client, "a", 1, 4)
    consumer = member(client, timeout=60_000)
    await take(consumer, 3)
    reading = spawn(consumer.get_entry)
    await until(lambda: consumer._allowance.paused)

    consumer.stop()

    assert (None, None) == await reading.join()
    await consumer.close()


async def test_closing(client: Redis[Any]) -> None:
    """
    It ends a pause as well, and so does entering again afterwards.
    """
    await fill(client, "a", 1, 4)
    consumer = member(client, timeout=60_000)
    await take(consumer, 3)
    reading = spawn(consumer.get_entry)
    await until(lambda: consumer._allowance.paused)

    await consumer.close()

    assert (None, None) == await reading.join()
    async with consumer:
        assert [b"4-0"] == await take(consumer)


async def test_acknowledged_by_other_means(client: Redis[Any]) -> None:
    """
    By the client, say in a transaction with the result: the server is asked before a pause, so that there is none.
    """
    await fill(client, "a", 1, 8)
    consumer = member(client)
    given: list[bytes] = []
    async for stream, entry in consumer:
        given.append(entry.identifier)
        await client.xack(stream, "g", [entry.identifier])

    assert numbered(1, 8) == given


async def test_acknowledged_by_other_means_meanwhile(client: Redis[Any]) -> None:
    """
    It is noticed while the pause lasts.
    """
    await fill(client, "a", 1, 4)
    consumer = member(client, timeout=60_000)
    await take(consumer, 3)
    reading = spawn(lambda: take(consumer))
    await until(lambda: consumer._allowance.paused)

    await client.xack("a", "g", ["1-0"])

    assert [b"4-0"] == await reading.join()
    await consumer.close()


async def test_what_an_earlier_life_left_takes_no_room(client: Redis[Any]) -> None:
    """
    Only what came to this one counts.
    """
    await deliver(client, "c", 1, 5)
    await fill(client, "a", 6, 9)

    assert numbered(6, 8) == await identifiers(member(client))


async def test_an_earlier_life_and_other_means(client: Redis[Any]) -> None:
    """
    What this life has fetched and somebody acknowledged for it is told from what an earlier one has left.
    """
    await fill(client, "a", 1, 8)
    await take(member(client), 3)
    consumer = member(client, timeout=5000)
    assert numbered(4, 6) == await take(consumer, 3)

    await client.xack("a", "g", ["4-0", "5-0", "6-0"])

    assert numbered(7, 8) == await take(consumer, 2)
    await consumer.close()


async def test_the_backlog_takes_room(client: Redis[Any]) -> None:
    """
    It comes as acknowledgements make room.
    """
    await deliver(client, "c", 1, 5)
    consumer = member(client, start_from_backlog=True)

    assert numbered(1, 3) == await identifiers(consumer)
    await consumer.ack("a", *numbered(1, 3))
    assert numbered(4, 5) == await identifiers(consumer)


@pytest.mark.parametrize("start", [{"start_from_backlog": True}, {"a": {"identifier": "0-0"}}])
@pytest.mark.parametrize("limit", [3, 1100])
async def test_the_backlog_and_other_means(client: Redis[Any], start: Any, limit: int) -> None:
    """
    What is left in the backlog is not taken for what was fetched from it, however much it is.
    """
    await client.xgroup_create("a", "g", "$", mkstream=True)
    await client.xadd_many("a", [{"number": number} for number in range(3 * limit)])
    await client.xreadgroup("g", "c", {"a": ">"})
    consumer = member(client, max_unacked=limit, buffer_size=limit - 1, **start)
    given: list[bytes] = []
    async for stream, entry in consumer:
        given.append(entry.identifier)
        if not len(given) % limit:
            await client.xack(stream, "g", given[-limit:])

    assert 3 * limit == len(given)
    await consumer.close()


async def test_what_is_taken_over_takes_room(client: Redis[Any]) -> None:
    """
    No more is taken from others than there is room for.
    """
    await deliver(client, "d", 1, 5)
    await grow_old(client, "d", 1, 5)
    consumer = member(client, claim_idle=HOUR // 2)

    assert 3 == len(await identifiers(consumer))
    owners = [owner for owner, _ in (await pending(client)).values()]
    assert 2 == owners.count(b"d")
    await consumer.close()


async def test_leases_are_renewed_meanwhile(client: Redis[Any]) -> None:
    """
    A pause does not let others take what is held.
    """
    await fill(client, "a", 1, 4)
    consumer = member(client, claim_idle=200, timeout=900)
    await take(consumer, 3)

    assert (None, None) == await consumer.get_entry()

    assert 200 > max((await idle(client)).values())
    assert 0 == consumer.statistics.taken_over
    await consumer.close()


async def test_several_streams(client: Redis[Any]) -> None:
    """
    COUNT is for each stream, so there may be one more of each further one.
    """
    await fill(client, "a", 1, 9)
    await fill(client, "b", 1, 9)
    consumer = client.xconsumer(["a", "b"], group="g", consumer="c", buffer_size=9, max_unacked=5)

    taken = await identifiers(consumer)

    assert 5 <= len(taken) <= 6
    assert len(taken) == len(await pending(client)) + len(await pending(client, "b"))


async def test_it_is_said_why(client: Redis[Any], caplog: pytest.LogCaptureFixture) -> None:
    """
    Once, so that a program which never acknowledges finds out why it stands.
    """
    await fill(client, "a", 1, 4)
    consumer = member(client)

    with caplog.at_level(logging.WARNING, "coredis.streams"):
        for _ in range(3):
            await identifiers(consumer)

    said = [record.getMessage() for record in caplog.records]
    assert 1 == len(said)
    assert "max_unacked" in said[0]


async def test_no_limit(client: Redis[Any]) -> None:
    """
    None is none.
    """
    await fill(client, "a", 1, 8)

    assert numbered(1, 8) == await identifiers(member(client, max_unacked=None))


async def test_reading_ahead_takes_room(server: Server) -> None:
    """
    What is on its way counts.
    """
    async with connect(server) as client:
        await fill(client, "a", 1, 9)
        consumer = member(client, prefetch=True, buffer_size=3, timeout=50)

        assert numbered(1, 3) == await identifiers(consumer)
        assert 3 == len(await pending(client))
        await consumer.close()
