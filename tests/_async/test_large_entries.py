"""
Consumers of large entries: how much is fetched at a time, and what becomes of a reply that is too large.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests._async.streams import pending
from tests.support.aio import Redis, connect
from tests.support.servers import Server

KINDS: Any = pytest.mark.parametrize("kind", ["alone", "group", "noack"])
#: The entries of these tests (bytes).
SIZE = 10_000


async def fill(client: Redis[Any], sizes: list[int]) -> None:
    """
    Add entries of these sizes, ``1-0`` and so on.
    """
    for number, size in enumerate(sizes, 1):
        await client.xadd("a", {"filling": b"x" * size}, identifier=f"{number}-0")


def consumer_of(client: Redis[Any], kind: str, **options: Any) -> Any:
    """
    Make a consumer.
    """
    if kind == "alone":
        return client.xconsumer(["a"], a={"identifier": 0}, **options)
    return client.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=kind == "noack", **options)


async def fetched(consumer: Any) -> list[int]:
    """
    Read everything, and say how many came at a time.
    """
    counts: list[int] = []
    while batch := await consumer.get_entries():
        counts.append(len(batch))
    return counts


@KINDS
async def test_large_entries_come_in_small_portions(client: Redis[Any], kind: str) -> None:
    """
    As many as the bytes are for, once the size is known; one at least.
    """
    await fill(client, [SIZE] * 20)

    counts = await fetched(consumer_of(client, kind, buffer_size=9, max_buffered_bytes=3 * SIZE + SIZE // 2))

    assert [10, 3, 3, 3, 1] == counts


@KINDS
async def test_entries_larger_than_what_is_fetched(client: Redis[Any], kind: str) -> None:
    """
    They come one at a time.
    """
    await fill(client, [SIZE] * 13)

    assert [10, 1, 1, 1] == await fetched(consumer_of(client, kind, buffer_size=9, max_buffered_bytes=5))


@pytest.mark.parametrize("kind", ["alone", "group"])
async def test_a_reply_that_is_too_large_is_cut(client: Redis[Any], kind: str) -> None:
    """
    Its entries come again in smaller portions, each once and in order.
    """
    size = 20 * SIZE  # several of which do not arrive in one piece
    await fill(client, [size] * 20)
    consumer = consumer_of(client, kind, buffer_size=15, max_reply_bytes=3 * size)
    taken = [batch async for batch in consumer.batches()]

    entries = [entry for batch in taken for _, entry in batch]
    assert [b"%d-0" % number for number in range(1, 21)] == [entry.identifier for entry in entries]
    assert {size} == {len(entry.field_values[b"filling"]) for entry in entries}
    assert 4 >= len(taken[0])  # which may be there before it is noticed that they are too many
    assert consumer.statistics.reconnects > 1
    await consumer.close()


@pytest.mark.parametrize("kind", ["alone", "group"])
async def test_replies_are_not_cut_for_ever(client: Redis[Any], kind: str) -> None:
    """
    Once the size of the entries is known, so many are asked for as stay below it.
    """
    size = 20 * SIZE
    await fill(client, [size] * 40)
    consumer = consumer_of(client, kind, buffer_size=3, max_reply_bytes=3 * size)

    assert 40 == sum(await fetched(consumer))
    assert 3 >= consumer.statistics.reconnects
    await consumer.close()


@pytest.mark.parametrize("kind", ["alone", "group"])
async def test_an_entry_alone_may_have_any_size(client: Redis[Any], kind: str) -> None:
    """
    It is given; the small ones before and after it come in larger portions.
    """
    await fill(client, [10] * 20 + [50 * SIZE] + [10] * 20)
    consumer = consumer_of(client, kind, buffer_size=99, max_reply_bytes=SIZE)
    entries = [entry async for _, entry in consumer]

    assert [b"%d-0" % number for number in range(1, 42)] == [entry.identifier for entry in entries]
    assert 50 * SIZE == len(entries[20].field_values[b"filling"])
    await consumer.close()


async def test_without_acknowledgement_nothing_is_cut(client: Redis[Any]) -> None:
    """
    For it would be lost.
    """
    await fill(client, [SIZE] * 20)
    consumer = consumer_of(client, "noack", buffer_size=19)

    assert [20] == await fetched(consumer)
    assert 0 == consumer.statistics.reconnects


async def test_a_cut_while_waiting(client: Redis[Any]) -> None:
    """
    The wait goes on, and the entries are delivered to this consumer, once each.
    """
    size = 40 * SIZE  # several of which do not arrive in one piece, nor in two
    await fill(client, [size] * 4)
    consumer = consumer_of(client, "group", buffer_size=3, max_reply_bytes=50 * SIZE, timeout=5000)

    entries = [(await consumer.get_entry())[1] for _ in range(4)]

    assert [b"%d-0" % number for number in range(1, 5)] == [entry.identifier for entry in entries]
    assert 4 == len(await pending(client))
    assert 0 < consumer.statistics.reconnects
    assert 0 == consumer.statistics.duplicates_suppressed
    await consumer.close()


async def test_decoded(server: Server) -> None:
    """
    Bytes are counted as they come.
    """
    async with connect(server, decode_responses=True) as client:
        await fill(client, [SIZE] * 14)

        consumer = consumer_of(client, "group", buffer_size=9, max_buffered_bytes=2 * SIZE + SIZE // 2)

        assert [10, 2, 2] == await fetched(consumer)


@pytest.mark.parametrize("name", ["max_buffered_bytes", "max_reply_bytes"])
@pytest.mark.parametrize("value", [0, -1, True, 1.5, None])
async def test_a_bad_limit(client: Redis[Any], name: str, value: Any) -> None:
    """
    The refusal names it and its value.
    """
    with pytest.raises((TypeError, ValueError), match=f"{name}: .*{value!r}"):
        consumer_of(client, "alone", **{name: value})


async def test_a_reply_limit_without_acknowledgement(client: Redis[Any]) -> None:
    """
    It would lose what is cut.
    """
    with pytest.raises(ValueError, match=r"max_reply_bytes: .*auto_acknowledge.*5"):
        consumer_of(client, "noack", max_reply_bytes=5)
