"""
A member of a consumer group: cooperation, acknowledgement, backlogs, making groups.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import CommandSyntaxError, StreamConsumerInitializationError
from tests._async.streams import calls
from tests.support.aio import GroupConsumer, Redis, text


async def fill(redis: Redis[Any], stream: str, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await redis.xadd(stream, {"number": number}, identifier=f"{number}-0")


async def drain(consumer: GroupConsumer[Any]) -> list[tuple[str, str]]:
    return [(as_text(stream), as_text(entry.identifier)) async for stream, entry in consumer]


def as_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def numbers(first: int, last: int, stream: str = "a") -> list[tuple[str, str]]:
    return [(stream, f"{number}-0") for number in range(first, last + 1)]


async def test_two_members_drain_three_streams(redis: Redis[Any]) -> None:
    """
    The handbook's example as it is written: two consumers are made and not entered, 30 entries are added, both together give
    each of them once, acknowledged one by one.
    """
    streams = ["one", "two", "three"]
    consumers = [redis.xconsumer(streams, group="workers", consumer=name) for name in ("first", "second")]
    for number in range(10):
        for stream in streams:
            await redis.xadd(stream, {"id": number})

    seen: list[tuple[str, str]] = []
    while True:
        given = [await consumer.get_entry() for consumer in consumers]
        for stream, entry in given:
            if stream is not None and entry is not None:
                seen.append((as_text(stream), as_text(entry.identifier)))
                assert 1 == await redis.xack(stream, "workers", [entry.identifier])
        if all(stream is None for stream, _ in given):
            break

    assert 30 == len(seen) == len(set(seen))
    for stream in streams:
        assert 0 == (await redis.xpending(stream, "workers")).pending


async def test_entries_are_pending_until_acknowledged(redis: Redis[Any]) -> None:
    """
    What is given stays pending for this member.
    """
    await fill(redis, "a", 1, 3)
    consumer = redis.xconsumer(["a"], group="g", consumer="c", buffer_size=10)

    assert numbers(1, 3) == await drain(consumer)

    assert {text(redis, "c"): 3} == (await redis.xpending("a", "g")).consumers


async def test_auto_acknowledge(redis: Redis[Any]) -> None:
    """
    With ``auto_acknowledge`` nothing becomes pending.
    """
    await fill(redis, "a", 1, 3)
    consumer = redis.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=True, buffer_size=1)

    assert numbers(1, 3) == await drain(consumer)

    assert 0 == (await redis.xpending("a", "g")).pending


@pytest.mark.parametrize("count", [0, 3, 100])
async def test_backlog_then_new(redis: Redis[Any], count: int) -> None:
    """
    A member that comes back gives what is pending for it, to the end, and then new entries.
    """
    await fill(redis, "a", 1, 10)
    assert numbers(1, 10) == await drain(redis.xconsumer(["a"], group="g", consumer="c"))
    await redis.xack("a", "g", ["2-0", "5-0"])
    await fill(redis, "a", 11, 12)

    consumer = redis.xconsumer(["a"], group="g", consumer="c", start_from_backlog=True, buffer_size=count)
    given = await drain(consumer)

    left = [item for item in numbers(1, 10) if item[1] not in ("2-0", "5-0")]
    assert left + numbers(11, 12) == given


async def test_backlog_of_one_stream_does_not_lose_the_other(redis: Redis[Any]) -> None:
    """
    An empty backlog beside a group that was just made: the new group's entries are all given.
    """
    await redis.xgroup_create("a", "g", "0", mkstream=True)
    await fill(redis, "b", 1, 5)

    consumer = redis.xconsumer(["a", "b"], group="g", consumer="c", start_from_backlog=True, buffer_size=10)

    assert numbers(1, 5, "b") == await drain(consumer)


async def test_backlogs_of_different_lengths(redis: Redis[Any]) -> None:
    """
    Each stream goes on to new entries by itself, in order.
    """
    for stream, last in (("a", 7), ("b", 2), ("c", 0)):
        await redis.xgroup_create(stream, "g", "0", mkstream=True)
        await fill(redis, stream, 1, last)
    await drain(redis.xconsumer(["a", "b", "c"], group="g", consumer="c"))
    for stream in ("a", "b", "c"):
        await fill(redis, stream, 11, 14)

    consumer = redis.xconsumer(["a", "b", "c"], group="g", consumer="c", start_from_backlog=True, buffer_size=1)
    given = await drain(consumer)

    for stream, last in (("a", 7), ("b", 2), ("c", 0)):
        mine = [item for item in given if item[0] == stream]
        assert numbers(1, last, stream) + numbers(11, 14, stream) == mine


async def test_deleted_pending_entries(redis: Redis[Any]) -> None:
    """
    Pending entries that were deleted or trimmed are skipped and acknowledged away, and counted.
    """
    await fill(redis, "a", 1, 6)
    await drain(redis.xconsumer(["a"], group="g", consumer="c"))
    await redis.xdel("a", ["2-0", "3-0", "6-0"])

    consumer = redis.xconsumer(["a"], group="g", consumer="c", start_from_backlog=True, buffer_size=1)

    assert [("a", "1-0"), ("a", "4-0"), ("a", "5-0")] == await drain(consumer)
    assert 3 == consumer.statistics.deleted_seen
    assert 3 == (await redis.xpending("a", "g")).pending


async def test_identifier_reads_history_only(redis: Redis[Any]) -> None:
    """
    An identifier other than ``>`` gives this member's pending entries after it and nothing new.
    """
    await fill(redis, "a", 1, 5)
    await drain(redis.xconsumer(["a"], group="g", consumer="c"))
    await fill(redis, "a", 6, 7)

    consumer = redis.xconsumer(["a"], group="g", consumer="c", timeout=100, a={"identifier": "2-0"})

    assert numbers(3, 5) == await drain(consumer)
    assert [] == await drain(consumer)


async def test_group_start(redis: Redis[Any]) -> None:
    """
    A group that is made here begins at 0 unless told otherwise.
    """
    await fill(redis, "a", 1, 4)

    async def first(group: str, **options: Any) -> list[tuple[str, str]]:
        consumer = redis.xconsumer(["a"], group=group, consumer="c", **options)
        async with consumer:
            return await drain(consumer)

    assert numbers(1, 4) == await first("default")
    assert [] == await first("new", group_start="$")
    assert numbers(3, 4) == await first("after", group_start="2-0")


async def test_without_auto_create(redis: Redis[Any]) -> None:
    """
    A group that does not exist is an error when entering, at the first fetch and when adding, and no longer once it exists.
    """
    await redis.xgroup_create("a", "g", "0", mkstream=True)
    consumer = redis.xconsumer(["a", "b"], group="g", consumer="c", auto_create=False)

    with pytest.raises(StreamConsumerInitializationError, match="'b'"):
        async with consumer:
            pass
    with pytest.raises(StreamConsumerInitializationError, match="'b'"):
        await consumer.get_entry()
    assert not await redis.exists(["b"])

    alone = redis.xconsumer(["a"], group="g", consumer="c", auto_create=False)
    with pytest.raises(StreamConsumerInitializationError):
        await alone.add_stream("b")
    assert {"a"} == alone.streams
    await redis.xgroup_create("b", "g", "0", mkstream=True)
    assert await alone.add_stream("b")
    await fill(redis, "b", 1, 1)
    assert numbers(1, 1, "b") == await drain(alone)


async def test_names_as_bytes(redis: Redis[Any]) -> None:
    """
    A group and a consumer named with bytes are those named with text.
    """
    await fill(redis, "a", 1, 2)
    await drain(redis.xconsumer(["a"], group="g", consumer="c"))

    consumer = redis.xconsumer([b"a"], group=b"g", consumer=b"c", start_from_backlog=True)

    assert numbers(1, 2) == await drain(consumer)


async def test_leaving_does_not_give_buffered_entries_again(redis: Redis[Any]) -> None:
    """
    After leaving and entering again the next entries are new ones; the buffered ones stay pending.
    """
    await fill(redis, "a", 1, 3)
    consumer = redis.xconsumer(["a"], group="g", consumer="c", buffer_size=10)
    async with consumer:
        assert (await consumer.get_entry())[1] is not None
    await fill(redis, "a", 4, 4)

    async with consumer:
        assert numbers(4, 4) == await drain(consumer)
    assert 4 == (await redis.xpending("a", "g")).pending


async def test_many_streams(client: Redis[Any]) -> None:
    """
    A hundred streams are read with one command.
    """
    streams = [f"s{number}" for number in range(100)]
    consumer = client.xconsumer(streams, group="g", consumer="c", buffer_size=4, timeout=100)
    await consumer.get_entry()
    for stream in streams:
        await fill(client, stream, 1, 5)
    await client.config_resetstat()

    given = await drain(consumer)

    assert 500 == len(set(given))
    assert await calls(client, "xreadgroup") <= 8


@pytest.mark.parametrize("client", [None, "redis://localhost"])
async def test_without_a_client(client: Any) -> None:
    """
    The refusal says what is missing.
    """
    with pytest.raises(TypeError, match="client: .*" + type(client).__name__):
        GroupConsumer(client, ["a"], "g", "c")


@pytest.mark.parametrize("names", [{"group": "", "consumer": "c"}, {"group": "g", "consumer": b""}])
async def test_empty_names(redis: Redis[Any], names: Any) -> None:
    """
    The servers take them; who gives one has forgotten to set it.
    """
    with pytest.raises(ValueError, match="expected a name"):
        redis.xconsumer(["a"], **names)


async def test_options_without_a_group(redis: Redis[Any]) -> None:
    """
    They would be ignored.
    """
    with pytest.raises(CommandSyntaxError, match=r"claim_idle: .*5000"):
        redis.xconsumer(["a"], claim_idle=5000)
    redis.xconsumer(["a"], auto_create=True, claim_idle=None)


async def test_switches_are_true_or_false(redis: Redis[Any]) -> None:
    """
    Text as "no" would count as yes.
    """
    for name in ("prefetch", "heartbeat", "auto_create", "auto_acknowledge", "start_from_backlog"):
        with pytest.raises(TypeError, match=f"{name}: .*'no'"):
            redis.xconsumer(["a"], **{"group": "g", "consumer": "c", "claim_idle": 5000, name: "no"})


async def test_pending_entries_of_one_stream_beside_new_ones_of_another(redis: Redis[Any]) -> None:
    """
    A stream of which only pending entries are wanted gets no new ones once there are none left, and keeps those of the other
    from nothing.
    """
    await fill(redis, "b", 1, 2)
    await drain(redis.xconsumer(["b"], group="g", consumer="c", buffer_size=10))
    await fill(redis, "b", 3, 4)
    await fill(redis, "a", 1, 2)
    consumer = redis.xconsumer(["a", "b"], group="g", consumer="c", buffer_size=10, b={"identifier": "0"}, timeout=50)

    assert sorted(numbers(1, 2) + numbers(1, 2, "b")) == sorted(await drain(consumer))
    await fill(redis, "a", 3, 3)
    assert numbers(3, 3) == await drain(consumer)

    assert 2 == (await redis.xpending("b", "g")).pending
