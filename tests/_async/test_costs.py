"""
What an entry costs does not depend on how many streams there are, how long they are, or how much is held. Counted, not timed.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests._async.streams import HOUR
from tests.support.aio import Redis
from tests.support.counting import counted_work

#: How much more an entry may cost where there is much more of something. What is done once for each piece of a reply that
#: arrives counts as well, and how many there are differs.
TOLERANCE = 1.1
FIELDS = {"sensor": b"12345678", "kind": b"reading", "value": b"0123456789"}


async def cost(consumer: Any, entries: int) -> float:
    """
    Count what the library does for each of so many entries. The first reads, and what goes with them, are left out.
    """
    for _ in range(entries // 4):
        await consumer.get_entry()
    with counted_work() as work:
        left = entries // 2
        async for _ in consumer:
            left -= 1
            if not left:
                break
    return work.lines / (entries // 2)


async def cost_of_streams(client: Redis[Any], count: int, **options: Any) -> float:
    """
    Read 20 entries of each of so many streams: a reply has about 1,000 of them, whatever their number.
    """
    names = [f"cost:{count}:{number}" for number in range(count)]
    starts = {} if options.get("group") else {name: {"identifier": "0"} for name in names}
    for name in names:
        await client.xadd_many(name, [FIELDS] * 20)
    async with client.xconsumer(names, buffer_size=4, **options, **starts) as consumer:
        return await cost(consumer, 20 * count)


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("group", [{}, {"group": "g", "consumer": "c"}], ids=["alone", "group"])
async def test_many_streams(client: Redis[Any], group: dict[str, Any], prefetch: bool) -> None:
    """
    Each has a place in every read, but nothing is done for it with each entry of the others.
    """
    few = await cost_of_streams(client, 200, prefetch=prefetch, **group)
    many = await cost_of_streams(client, 1_000, prefetch=prefetch, **group)

    assert many < TOLERANCE * few


async def test_long_streams(client: Redis[Any]) -> None:
    """
    The end costs what the beginning does.
    """
    costs = []
    for length in (1_000, 16_000):
        await client.xadd_many("long", [FIELDS] * length)
        async with client.xconsumer(["long"], buffer_size=49, long={"identifier": "0"}) as consumer:
            costs.append(await cost(consumer, length))
        await client.delete(["long"])

    assert costs[1] < TOLERANCE * costs[0]


async def test_much_that_is_held(client: Redis[Any]) -> None:
    """
    Leases are kept of what a member holds, which are looked at now and then.
    """
    await client.xadd_many("s", [FIELDS] * 8_000)
    costs = []
    for count in (200, 4_000):
        async with client.xconsumer(
            ["s"],
            group=f"g:{count}",
            consumer="c",
            auto_acknowledge=False,
            start_from_backlog=True,
            claim_idle=HOUR,
            buffer_size=49,
        ) as consumer:
            for _ in range(count):
                await consumer.get_entry()
            costs.append(await cost(consumer, 400))

    assert costs[1] < TOLERANCE * costs[0]
