"""
More streams with a backlog than one reply should have: they are asked in turns, some at a time.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from coredis._core.consumer import portions
from tests._async.streams import HOUR, calls, grow_old, numbered
from tests._async.streams import fill as fill_one
from tests.support.aio import Redis, connect, spawn
from tests.support.proxy import FaultProxy

KEYS = [f"s:{number}" for number in range(10)]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Six entries are many: with two of each stream, three streams are asked at a time.
    """
    monkeypatch.setattr(portions, "MOST_ENTRIES", 6)


async def fill(client: Redis[Any], each: int) -> None:
    """
    Add so many entries to each stream.
    """
    for key in KEYS:
        for number in range(1, each + 1):
            await client.xadd(key, {"number": number}, identifier=f"{number}-0")


async def blocked(client: Redis[Any]) -> bool:
    """
    Tell whether a read waits on the server.
    """
    return int((await client.info("clients"))["blocked_clients"]) > 0


@pytest.mark.parametrize("group", [{}, {"group": "g", "consumer": "c"}], ids=["alone", "group"])
async def test_everything_comes_once_and_in_order(client: Redis[Any], group: dict[str, Any]) -> None:
    """
    And the streams take turns: none has to wait until another one is at its end.
    """
    await fill(client, 6)
    starts = {} if group else {key: {"identifier": "0"} for key in KEYS}
    seen: dict[Any, list[bytes]] = {}
    ahead = 0
    async with client.xconsumer(KEYS, buffer_size=1, **group, **starts) as consumer:
        async for batch in consumer.batches():
            assert len(batch) <= 6
            for stream, entry in batch:
                seen.setdefault(stream, []).append(entry.identifier)
            counts = Counter({stream: len(identifiers) for stream, identifiers in seen.items()})
            ahead = max(ahead, max(counts.values()) - (min(counts.values()) if len(seen) == len(KEYS) else 0))

    assert {key.encode(): [b"%d-0" % number for number in range(1, 7)] for key in KEYS} == seen
    assert ahead <= 4


async def test_waiting_for_any_of_them(client: Redis[Any]) -> None:
    """
    When they are all at their ends one read waits for all: an entry of any comes at once, and nothing is asked meanwhile.
    """
    await fill(client, 2)
    async with client.xconsumer(KEYS, buffer_size=1, timeout=20_000, **{KEYS[0]: {"identifier": "0"}}) as consumer:
        assert 2 == len(await consumer.get_entries())
        waiting = spawn(consumer.get_entry)
        while not await blocked(client):
            pass
        before = await calls(client, "xread")
        await client.xadd(KEYS[9], {"number": 3}, identifier="3-0")
        stream, entry = await waiting.join()
        after = await calls(client, "xread")

    assert (KEYS[9].encode(), b"3-0") == (stream, entry.identifier)
    assert after <= before + 1  # a server counts a read that waits when it has got something


async def test_not_waiting_asks_all_of_them(client: Redis[Any]) -> None:
    """
    Before it is said that there is nothing.
    """
    async with client.xconsumer(KEYS, buffer_size=1, **{key: {"identifier": "0"} for key in KEYS}) as consumer:
        assert [] == await consumer.get_entries(timeout=0)
        for key in reversed(KEYS):
            await client.xadd(key, {"number": 1})

            ((stream, _),) = await consumer.get_entries(timeout=0)

            assert key.encode() == stream
        assert [] == await consumer.get_entries(timeout=0)


async def test_added_and_removed_meanwhile(client: Redis[Any]) -> None:
    """
    Whoever's turn it is.
    """
    await fill(client, 4)
    starts = {key: {"identifier": "0"} for key in KEYS}
    async with client.xconsumer(KEYS[:8], buffer_size=1, **{key: starts[key] for key in KEYS[:8]}) as consumer:
        seen = await consumer.get_entries()
        for key in KEYS[3:8]:
            await consumer.remove_stream(key)
        for key in KEYS[8:]:
            await consumer.add_stream(key, "0")
        async for batch in consumer.batches():
            seen += batch

    assert {key.encode(): 4 for key in (*KEYS[:3], *KEYS[8:])} == Counter(stream for stream, _ in seen)


async def test_pending_entries(client: Redis[Any]) -> None:
    """
    Those that were asked for by the application, of all streams, and then it ends; another call asks again.
    """
    await fill(client, 3)
    async with client.xconsumer(KEYS, group="g", consumer="c", buffer_size=1) as consumer:
        async for _ in consumer:
            pass
    starts = {key: {"identifier": "0"} for key in KEYS}
    async with client.xconsumer(KEYS, group="g", consumer="c", buffer_size=1, **starts) as consumer:
        seen: list[Any] = []
        async for batch in consumer.batches():
            seen += batch
        for key in KEYS:
            await client.xadd(key, {"number": 4})
        nothing = await consumer.get_entries()

    assert {key.encode(): 3 for key in KEYS} == Counter(stream for stream, _ in seen)
    assert [] == nothing


async def test_time_does_not_run_out_before_all_were_asked(client: Redis[Any], proxy: FaultProxy) -> None:
    """
    Though it takes several reads, each nearly as long as the application waits.
    """
    proxy.latency(0.04)
    await client.xadd(KEYS[9], {"number": 1})
    async with connect(proxy) as slow:
        starts = {key: {"identifier": "0"} for key in KEYS}
        async with slow.xconsumer(KEYS, buffer_size=64, timeout=200, **starts) as consumer:
            seen = [stream async for stream, _ in consumer]

    assert [KEYS[9].encode()] == seen


@pytest.mark.parametrize("only_pending", [False, True])
async def test_having_nothing_pending_is_found_in_few_reads(client: Redis[Any], only_pending: bool) -> None:
    """
    Whatever is expected of new entries.
    """
    keys = [f"s:{number}" for number in range(200)]
    for key in keys:
        await client.xgroup_create(key, "g", "0", mkstream=True)
    await client.xadd(keys[-1], {"number": 1})
    options: dict[str, Any] = {"parameters": {key: {"identifier": "0"} for key in keys}} if only_pending else {}
    async with client.xconsumer(
        keys, group="g", consumer="c", buffer_size=64, start_from_backlog=True, **options
    ) as consumer:
        before = await calls(client, "xreadgroup")
        seen = await consumer.get_entries()
        seen += await consumer.get_entries()
        after = await calls(client, "xreadgroup")

    assert (not only_pending) == len(seen)
    assert after - before <= 12


async def test_taking_over_and_new_entries_take_turns(client: Redis[Any]) -> None:
    """
    In each share: with two shares one of them would have nothing but the one, the other nothing but the other.
    """
    if await client.supports("XREADGROUP", "CLAIM"):
        pytest.skip("this server takes over with each read of new entries")
    keys, old = KEYS[:4], numbered(1, 12)
    for key in keys:
        await client.xgroup_create(key, "g", "0", mkstream=True)
        await fill_one(client, key, 1, 12)
        await client.xreadgroup("g", "dead", {key: ">"})
        await grow_old(client, "dead", 1, 12, key)
        await fill_one(client, key, 13, 24)
    kinds: set[tuple[Any, bool]] = set()
    async with client.xconsumer(keys, group="g", consumer="c", buffer_size=2, claim_idle=HOUR // 2) as consumer:
        for _ in range(4):
            kinds |= {(stream, entry.identifier in old) for stream, entry in await consumer.get_entries()}

    assert {(key.encode(), is_old) for key in keys for is_old in (False, True)} == kinds
