"""
Looping over a consumer: what one loop has left, another one or a single call gets, and nothing comes twice.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import ResponseError
from tests.support.aio import Redis


async def produce(client: Redis[Any], stream: str, first: int, last: int) -> None:
    """
    Add entries that count.
    """
    for number in range(first, last + 1):
        await client.xadd(stream, {"number": number}, identifier=f"{number}-0")


def number_of(item: tuple[Any, Any]) -> int:
    """
    Give what an entry counts.
    """
    return int(item[1].identifier.split(b"-")[0])


KINDS: dict[str, Any] = {"alone": {"a": {"identifier": "0-0"}}, "group": {"group": "g", "consumer": "c"}}
both = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@both
async def test_a_loop_goes_on_where_another_has_ended(client: Redis[Any], kind: Any) -> None:
    """
    So do single calls, and a loop that was begun before.
    """
    await produce(client, "a", 1, 9)
    async with client.xconsumer(["a"], buffer_size=4, **kind) as consumer:
        earlier = consumer.__aiter__()
        seen = [number_of(await earlier.__anext__())]
        async for item in consumer:
            seen.append(number_of(item))
            if len(seen) == 3:
                break
        seen.append(number_of(await consumer.__aiter__().__anext__()))
        seen += map(number_of, await consumer.get_entries(2))
        seen += [number_of(await earlier.__anext__()), number_of(await consumer.__anext__())]
        stream, entry = await consumer.get_entry()
        seen.append(number_of((stream, entry)))
        assert [1, 2, 3, 4, 5, 6, 7, 8] == seen
        assert [9] == [number_of(item) async for item in earlier]
        assert [] == [number_of(item) async for item in consumer]


@both
async def test_what_was_drained_comes_in_no_loop(client: Redis[Any], kind: Any) -> None:
    """
    Not in one that is under way either: it goes on after it.
    """
    await produce(client, "a", 1, 8)
    async with client.xconsumer(["a"], buffer_size=4, **kind) as consumer:
        loop = consumer.__aiter__()
        assert 1 == number_of(await loop.__anext__())
        assert [2, 3, 4, 5] == list(map(number_of, consumer.drain()))
        assert [6, 7, 8] == [number_of(item) async for item in loop]


async def test_a_loop_from_before_begins_afresh_with_the_consumer(client: Redis[Any]) -> None:
    """
    What had been fetched is fetched again, and comes once.
    """
    await produce(client, "a", 1, 6)
    consumer = client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=4)
    async with consumer:
        loop = consumer.__aiter__()
        assert 1 == number_of(await loop.__anext__())
    async with consumer:
        assert [1, 2, 3, 4, 5, 6] == [number_of(item) async for item in loop]


@both
async def test_a_loop_goes_on_after_an_error(client: Redis[Any], kind: Any) -> None:
    """
    Its end is the end of what there is, never an error that was told before.
    """
    await produce(client, "a", 1, 2)
    async with client.xconsumer(["a"], buffer_size=4, **kind) as consumer:
        loop = consumer.__aiter__()
        assert [1, 2] == [number_of(await loop.__anext__()) for _ in range(2)]
        await client.delete(["a"])
        await client.set("a", "not a stream")
        for _ in range(2):
            with pytest.raises(ResponseError, match=r"WRONGTYPE|no longer exists|NOGROUP"):
                await loop.__anext__()
        await client.delete(["a"])
        await produce(client, "a", 3, 4)
        if kind is KINDS["group"]:
            await client.xgroup_create("a", "g", "0")
        assert [3, 4] == [number_of(item) async for item in loop]


async def test_what_is_handed_back_comes_in_no_loop(client: Redis[Any]) -> None:
    """
    Not in the one that was under way when the consumer was closed, though more had come meanwhile.
    """
    await produce(client, "a", 1, 20)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=8, prefetch=True)
    await client.xgroup_create("a", "g", "0")
    seen = []
    async with consumer:
        async for item in consumer:
            seen.append(number_of(item))
            if len(seen) == 2:
                await consumer.close(release=True)
    assert [1, 2] == seen
    assert [] == consumer.drain()


async def test_a_loop_goes_on_when_its_consumer_is_closed(client: Redis[Any]) -> None:
    """
    With what was fetched already: each entry once.
    """
    await produce(client, "a", 1, 20)
    consumer = client.xconsumer(["a"], a={"identifier": "0-0"}, buffer_size=8, prefetch=True)
    seen = []
    async with consumer:
        async for item in consumer:
            seen.append(number_of(item))
            if len(seen) == 2:
                await consumer.close()
    assert list(range(1, len(seen) + 1)) == seen
    assert [] == consumer.drain()


async def test_a_loop_goes_on_with_what_came_while_its_consumer_was_closed(client: Redis[Any]) -> None:
    """
    Where it is nowhere else it is kept, also on a cluster, where it comes from another node than what is in the buffer.
    """
    await produce(client, "a", 1, 3)
    for stream in ("a", "b"):
        await client.xgroup_create(stream, "g", "0", mkstream=True)
    consumer = client.xconsumer(["a", "b"], group="g", consumer="c", buffer_size=4, auto_acknowledge=True, timeout=200)
    seen = []
    async with consumer:
        async for item in consumer:
            seen.append((item[0], number_of(item)))
            if len(seen) == 1:
                await produce(client, "b", 7, 7)
                await consumer.close()
    seen += [(stream, number_of((stream, entry))) for stream, entry in consumer.drain()]
    read = (await client.xinfo_groups("b"))[0][b"last-delivered-id"] == b"7-0"
    assert [(b"a", 1), (b"a", 2), (b"a", 3), *([(b"b", 7)] if read else [])] == seen
