"""
Two sessions under one name: they take each other's entries for their own, and it is said where that can be seen.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests._async.streams import fill, identifiers, numbered, take, until_it_waits
from tests._async.waiting import until
from tests.support.aio import Redis, connect, sleep, spawn
from tests.support.proxy import FaultProxy


def member(client: Redis[Any], **options: Any) -> Any:
    """
    Make a session of always the same name.
    """
    return client.xconsumer(["a"], **{"group": "g", "consumer": "c", **options})


async def test_the_backlog_grows(client: Redis[Any], caplog: pytest.LogCaptureFixture) -> None:
    """
    Before this one has asked for anything: it is said once.
    """
    await client.xgroup_create("a", "g", "0", mkstream=True)
    async with member(client, start_from_backlog=True) as consumer:
        other = member(client)
        await fill(client, "a", 1, 2)
        await take(other, 2)

        with caplog.at_level(logging.WARNING, "coredis.streams"):
            assert numbered(1, 2) == await identifiers(consumer)

        assert 1 == consumer.statistics.name_conflicts
        (record,) = caplog.records
        assert "under this name" in record.getMessage()


async def test_the_backlog_of_an_earlier_life(client: Redis[Any]) -> None:
    """
    It was there before.
    """
    await fill(client, "a", 1, 3)
    await take(member(client), 2)
    consumer = member(client, start_from_backlog=True)

    assert numbered(1, 3) == await identifiers(consumer)
    assert 0 == consumer.statistics.name_conflicts


async def test_a_lost_reply_brings_too_much(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    What another session was given at different moments cannot all have been in it.
    """
    async with connect(proxy) as distant:
        consumer = member(distant, timeout=10_000)
        await consumer.__aenter__()
        reading = spawn(lambda: take(consumer, 2))
        await until_it_waits(client)
        proxy.pause("to_client")
        await fill(client, "a", 1, 1)  # this one's, and lost
        other = member(client)
        for number in (2, 3):
            await sleep(0.12)
            await fill(client, "a", number, number)
            await take(other)
        proxy.reset_all()
        proxy.heal()

        assert numbered(1, 2) == await reading.join()
        assert 1 == consumer.statistics.name_conflicts
        await consumer.close()
        await other.close()


async def test_a_lost_reply(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    An ordinary one, however many entries there were and however long it takes to find out, is no sign of anybody else.
    """
    async with connect(proxy) as distant:
        consumer = member(distant, timeout=10_000, buffer_size=9)
        await consumer.__aenter__()
        await fill(client, "a", 1, 5)
        proxy.swallow(command="XREADGROUP", then="stay")
        reading = spawn(lambda: take(consumer, 5))
        await until(lambda: proxy.struck)
        await sleep(0.15)
        proxy.reset_all()

        assert numbered(1, 5) == await reading.join()
        assert (1, 0) == (consumer.statistics.recovered, consumer.statistics.name_conflicts)
        await consumer.close()


async def test_a_second_lost_reply(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    Reading again is cut as well, and has renewed some of the entries: that they are of different ages is no sign of anybody
    else.
    """
    size = 200_000  # several of which do not arrive in one piece
    for number in range(1, 17):
        await client.xadd("a", {"filling": b"x" * size}, identifier=f"{number}-0")
    proxy.latency(0.1)
    async with connect(proxy) as distant, member(distant, buffer_size=15, max_reply_bytes=3 * size) as consumer:
        assert numbered(1, 16) == [found for _ in range(16) for found in await take(consumer)]
        assert 2 <= consumer.statistics.reconnects
        assert 0 == consumer.statistics.name_conflicts
