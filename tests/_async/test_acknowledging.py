"""
A member of a group acknowledges: one by one, in blocks, in numbers, and with deleting.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.types import DeadLetter
from tests._async.streams import (
    HOUR,
    MINUTE,
    calls,
    deliver,
    fill,
    grow_old,
    identifiers,
    idle,
    numbered,
    pending,
    take,
)
from tests.support.aio import Interrupted, Redis, connect, gather, interrupted_after, sleep, spawn, text
from tests.support.proxy import FaultProxy


class Failure(Exception):
    """
    What goes wrong in these tests.
    """


async def test_ack_says_how_many_were_pending(redis: Redis[Any]) -> None:
    """
    Entries and identifiers, however they are written; what was acknowledged already does not count.
    """
    await fill(redis, "a", 1, 6)
    consumer = redis.xconsumer(["a"], group="g", consumer="c", buffer_size=9)
    entries = [entry async for _, entry in consumer]

    assert 5 == await consumer.ack("a", entries[0], "2-0", b"3-0", 4, "5")
    assert 1 == await consumer.ack(b"a", *entries)
    assert 0 == await consumer.ack("a", *entries)
    assert 0 == await consumer.ack("a")
    for call in (consumer.ack, consumer.nack):
        with pytest.raises(ValueError, match="stream: got '5-0', an identifier"):
            await call("5-0")

    assert 6 == consumer.statistics.acknowledged
    assert 0 == (await redis.xpending("a", "g")).pending


async def test_what_is_not_pending(client: Redis[Any]) -> None:
    """
    An entry of another member is pending in the group; one that nobody got, or of a stream without the group, is not.
    """
    await deliver(client, "other", 1, 1)
    await fill(client, "a", 2, 2)
    consumer = client.xconsumer(["a"], group="g", consumer="c")

    assert 1 == await consumer.ack("a", "1-0", "2-0")
    assert 0 == await consumer.ack("b", "1-0")
    assert [b"2-0"] == await take(consumer)


async def test_what_waits_to_be_served(client: Redis[Any]) -> None:
    """
    Acknowledged by an identifier from an earlier session it is pending no more, and served all the same.
    """
    await deliver(client, "c", 1, 3)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9, start_from_backlog=True)
    assert [b"1-0"] == await take(consumer)

    assert 1 == await consumer.ack("a", "2-0")

    assert {b"1-0", b"3-0"} == set(await pending(client))
    assert numbered(2, 3) == await identifiers(consumer)
    await consumer.close()


async def test_a_bad_identifier(client: Redis[Any]) -> None:
    """
    Nothing is acknowledged, and nothing collected.
    """
    await deliver(client, "c", 1, 1)
    for consumer in (
        client.xconsumer(["a"], group="g", consumer="c"),
        client.xconsumer(["a"], group="g", consumer="c", ack_buffer=9),
    ):
        with pytest.raises(ValueError, match=r"entries: .*'1-'"):
            await consumer.ack("a", "1-0", "1-")
        assert 0 == await consumer.flush()

    assert {b"1-0": (b"c", 1)} == await pending(client)


async def test_ack_after_the_group_has_vanished(client: Redis[Any]) -> None:
    """
    Nothing is pending any more, which is what was wanted; reading goes on.
    """
    await fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], group="g", consumer="c", claim_idle=MINUTE)
    assert [b"1-0"] == await take(consumer)
    await client.delete(["a"])

    assert 0 == await consumer.ack("a", "1-0")
    await fill(client, "a", 2, 2)

    assert [b"2-0"] == await take(consumer)


# -------------------------------------------------------------------------------------------------------- processing


async def test_what_was_processed_is_acknowledged(redis: Redis[Any]) -> None:
    """
    At the end of the block, and not before.
    """
    await fill(redis, "a", 1, 2)
    consumer = redis.xconsumer(["a"], group="g", consumer="c")
    async for stream, entry in consumer:
        async with consumer.processing(stream, entry) as same:
            assert entry is same
            assert 1 == (await redis.xpending("a", "g")).pending

    assert 0 == (await redis.xpending("a", "g")).pending
    assert 2 == consumer.statistics.acknowledged


async def test_what_fails_stays_pending(client: Redis[Any], quick_looks: None) -> None:
    """
    The exception is the application's, and the entry is held no more: once it is old enough it comes again, even here.
    """
    await fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=5000, claim_idle=MINUTE)
    stream, entry = await consumer.get_entry()
    assert stream is not None and entry is not None
    with pytest.raises(Failure):
        async with consumer.processing(stream, entry):
            raise Failure
    assert {b"1-0": (b"c", 1)} == await pending(client)
    assert (await idle(client))[b"1-0"] < MINUTE

    await grow_old(client, "c", 1, 1)

    assert [b"1-0"] == await take(consumer)
    await consumer.close()


async def test_what_fails_is_handed_back(client: Redis[Any]) -> None:
    """
    If asked for: another member takes it over at once, or after a delay.
    """
    await fill(client, "a", 1, 2)
    consumer = client.xconsumer(["a"], group="g", consumer="c", claim_idle=MINUTE, buffer_size=9)
    for delay in (None, 50_000):
        stream, entry = await consumer.get_entry()
        assert stream is not None and entry is not None
        with pytest.raises(Failure):
            async with consumer.processing(stream, entry, hand_back=True, delay=delay):
                raise Failure

    ages = await idle(client)
    assert ages[b"1-0"] >= HOUR
    assert 10_000 <= ages[b"2-0"] < MINUTE
    assert [b"1-0"] == await identifiers(client.xconsumer(["a"], group="g", consumer="d", claim_idle=MINUTE))
    assert {b"1-0": (b"d", 2), b"2-0": (b"c", 1)} == await pending(client)


async def test_a_bad_delay_is_refused_before_the_block(client: Redis[Any]) -> None:
    """
    Not when the block has failed, where the reason would be hidden.
    """
    await fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], group="g", consumer="c")
    stream, entry = await consumer.get_entry()
    assert stream is not None and entry is not None

    with pytest.raises(ValueError, match="delay: 5 "):
        consumer.processing(stream, entry, hand_back=True, delay=5)


async def test_what_could_not_be_handed_back(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    What the application raised matters more than that the server cannot be reached.
    """
    await fill(client, "a", 1, 1)
    async with connect(proxy, stream_timeout=0.1) as distant:
        consumer = distant.xconsumer(["a"], group="g", consumer="c")
        stream, entry = await consumer.get_entry()
        assert stream is not None and entry is not None
        with pytest.raises(Failure):
            async with consumer.processing(stream, entry, hand_back=True):
                proxy.blackhole()
                raise Failure
        proxy.heal()

    assert {b"1-0": (b"c", 1)} == await pending(client)


@pytest.mark.parametrize("fails", [False, True], ids=["interrupted", "failed"])
async def test_interrupted_is_not_failed(client: Redis[Any], fails: bool) -> None:
    """
    An entry whose processing was broken off stays pending; only a failure is told of it when it is given up.
    """
    letters: list[DeadLetter[bytes]] = []
    await client.xgroup_create("a", "g", "0", mkstream=True)
    await fill(client, "a", 1, 1)
    options: dict[str, Any] = {"start_from_backlog": True, "max_deliveries": 1, "dead_letter": letters.append}
    consumer = client.xconsumer(["a"], group="g", consumer="c", **options)

    async with consumer:
        stream, entry = await consumer.get_entry()
        assert stream is not None and entry is not None

        async def process() -> None:
            async with consumer.processing(stream, entry):
                if fails:
                    raise Failure
                await sleep(20)

        with pytest.raises(Failure if fails else Interrupted):
            await interrupted_after(0.05, process)
        assert {b"1-0": (b"c", 1)} == await pending(client)
    async with consumer:
        assert [] == await identifiers(consumer)

    assert [(1, "Failure" if fails else "")] == [(letter.deliveries, letter.error) for letter in letters]


# ------------------------------------------------------------------------------------------------------- in numbers


async def test_collected_acknowledgements_leave_by_number(client: Redis[Any]) -> None:
    """
    With the one that makes the number full, in one command for each stream.
    """
    await fill(client, "a", 1, 3)
    await fill(client, "b", 1, 1)
    consumer = client.xconsumer(["a", "b"], group="g", consumer="c", ack_buffer=4, buffer_size=9)
    await identifiers(consumer)
    await client.config_resetstat()

    assert [0, 0, 0] == [await consumer.ack("a", identifier) for identifier in ("1-0", "2", "2-0")]
    assert 3 == len(await pending(client))
    assert 0 == await consumer.ack("b", "1-0")
    assert 4 == await consumer.ack("a", 3)

    assert (0, 2) == (len(await pending(client)), await calls(client, "xack"))
    assert 4 == consumer.statistics.acknowledged


async def test_collected_acknowledgements_leave_by_time(client: Redis[Any]) -> None:
    """
    With the first one after it.
    """
    await fill(client, "a", 1, 2)
    consumer = client.xconsumer(["a"], group="g", consumer="c", ack_buffer=100, ack_interval=200, buffer_size=9)
    await identifiers(consumer)
    assert 0 == await consumer.ack("a", "1-0")
    await sleep(0.21)

    assert 2 == await consumer.ack("a", "2-0")


async def test_collected_acknowledgements_leave_when_told(client: Redis[Any]) -> None:
    """
    By ``flush`` and by closing.
    """
    await fill(client, "a", 1, 2)
    async with client.xconsumer(["a"], group="g", consumer="c", ack_buffer=100, buffer_size=9) as consumer:
        await identifiers(consumer)
        await consumer.ack("a", "1-0")
        assert [1, 0] == [await consumer.flush() for _ in range(2)]
        await consumer.ack("a", "2-0")
        assert 1 == len(await pending(client))

    assert {} == await pending(client)
    assert 2 == consumer.statistics.acknowledged


async def test_collected_acknowledgements_ride_with_the_next_read(proxy: FaultProxy) -> None:
    """
    In the same write, on the connection of the read, and are confirmed with its reply.
    """
    async with connect(proxy) as client:
        await fill(client, "a", 1, 3)
        consumer = client.xconsumer(["a"], group="g", consumer="c", ack_buffer=100)
        for number in range(1, 4):
            (taken,) = await take(consumer)
            assert b"%d-0" % number == taken
            await consumer.ack("a", taken)
        assert [] == await take(consumer)

        assert 3 == consumer.statistics.acknowledged
        assert 0 == await consumer.flush()
        assert {} == await pending(client)
    (reading,) = [
        connection for connection in proxy.connections if [b"XACK", b"a", b"g", b"1-0"] in connection.commands
    ]
    words = [command for command in reading.commands if command[0] in (b"XACK", b"XREADGROUP")]
    assert [b"XREADGROUP", *[b"XACK", b"XREADGROUP"] * 3] == [command[0] for command in words]
    assert numbered(1, 3) == [identifier for command in words[1::2] for identifier in command[3:]]  # each once


@pytest.mark.parametrize("command", ["XACK", "XREADGROUP"])
async def test_collected_acknowledgements_survive_a_lost_reply(proxy: FaultProxy, command: str) -> None:
    """
    They are sent again, and the entries come once and in order.
    """
    async with connect(proxy) as client:
        await fill(client, "a", 1, 6)
        consumer = client.xconsumer(["a"], group="g", consumer="c", ack_buffer=100, claim_idle=MINUTE)
        seen = []
        for number in range(6):
            if number in (2, 4):
                proxy.swallow(command=command)
            (taken,) = await take(consumer)
            seen.append(taken)
            await consumer.ack("a", taken)
        await consumer.close()

        assert numbered(1, 6) == seen
        assert {} == await pending(client)
        assert 2 == consumer.statistics.reconnects


async def test_a_flush_that_fails_loses_nothing(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    What is not known to be acknowledged is still collected.
    """
    async with connect(proxy, stream_timeout=0.1) as distant:
        await fill(client, "a", 1, 1)
        consumer = distant.xconsumer(["a"], group="g", consumer="c", ack_buffer=9)
        await take(consumer)
        await consumer.ack("a", "1-0")
        proxy.pause("to_server")
        with pytest.raises(TimeoutError):
            await consumer.flush()
        proxy.reset_all()
        proxy.heal()

        assert 1 == await consumer.flush()


async def test_what_could_not_be_flushed_when_closing(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    It is sent when the consumer is entered again, before its backlog is read.
    """
    async with connect(proxy, stream_timeout=0.1) as distant:
        await deliver(client, "c", 1, 2)
        consumer = distant.xconsumer(["a"], group="g", consumer="c", ack_buffer=9, start_from_backlog=True)
        await take(consumer)
        await consumer.ack("a", "1-0")
        proxy.pause("to_server")
        with pytest.raises(TimeoutError):
            await consumer.close()
        proxy.reset_all()
        proxy.heal()

        async with consumer:
            assert [b"2-0"] == await identifiers(consumer)
        assert {b"2-0": (b"c", 2)} == await pending(client)


async def test_acknowledging_while_another_reads(client: Redis[Any]) -> None:
    """
    Several tasks or threads acknowledge what one reads, which waits for more at the same time.
    """
    consumer = client.xconsumer(["a"], group="g", consumer="c", ack_buffer=5, buffer_size=9, timeout=10_000)
    given: list[bytes] = []

    async def read() -> None:
        while len(given) < 60:
            given.extend(await take(consumer))

    async def acknowledge(part: int) -> None:
        done = 0
        while done < 60:
            for number in range(done, len(given)):
                if number % 3 == part:
                    await consumer.ack("a", given[number])
                done = number + 1
            await sleep(0.001)

    reading = spawn(read)
    acknowledging = spawn(lambda: gather(*[lambda part=part: acknowledge(part) for part in range(3)]))  # type: ignore[misc]
    await fill(client, "a", 1, 60)
    await reading.join()
    await acknowledging.join()
    await consumer.close()

    assert numbered(1, 60) == given
    assert {} == await pending(client)
    assert 60 == consumer.statistics.acknowledged


# ---------------------------------------------------------------------------------------------------- with deleting


@pytest.mark.parametrize("collected", [0, 100])
async def test_acknowledging_deletes(redis: Redis[Any], collected: int) -> None:
    """
    If asked for: the stream keeps what was not processed.
    """
    await fill(redis, "a", 1, 3)
    consumer = redis.xconsumer(["a"], group="g", consumer="c", ack="delete", ack_buffer=collected, buffer_size=9)
    entries = [entry async for _, entry in consumer]

    counts = [await consumer.ack("a", *entries[:2]), await consumer.flush()]

    assert ([0, 2] if collected else [2, 0]) == counts
    assert 0 == await consumer.ack("a", entries[0])
    assert [text(redis, "3-0")] == [entry.identifier for entry in await redis.xrange("a")]
    assert 1 == (await redis.xpending("a", "g")).pending
    await consumer.close()


async def test_collected_deletions_leave_before_the_next_read(client: Redis[Any]) -> None:
    """
    As acknowledgements do.
    """
    await fill(client, "a", 1, 2)
    consumer = client.xconsumer(["a"], group="g", consumer="c", ack="delete", ack_buffer=100)
    await consumer.ack("a", *await take(consumer))
    assert 2 == await client.xlen("a")

    assert [b"2-0"] == await take(consumer)

    assert 1 == await client.xlen("a")


async def test_another_group_needs_it_too(client: Redis[Any]) -> None:
    """
    Servers that know of it keep the entry for the other group; the last one that acknowledges deletes it.
    """
    await fill(client, "a", 1, 1)
    consumers = [client.xconsumer(["a"], group=group, consumer="c", ack="delete") for group in ("g", "h")]
    for consumer in consumers:
        await consumer.get_entry()
    knows = await client.supports("XACKDEL")

    assert 1 == await consumers[0].ack("a", "1-0")
    assert int(knows) == await client.xlen("a")
    assert 1 == await consumers[1].ack("a", "1-0")
    assert 0 == await client.xlen("a")
