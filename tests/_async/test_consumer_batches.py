"""
Several entries at a time, and the next read on its way meanwhile.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis import RetryPolicy
from coredis._core.consumer.pieces import Pieces
from coredis.exceptions import ProtocolError
from tests.support.aio import Interrupted, Redis, connect, interrupted_after, spawn
from tests.support.scripted import ScriptedServer


async def produce(client: Redis[Any], stream: str, first: int, last: int) -> None:
    """
    Add entries that count.
    """
    for number in range(first, last + 1):
        await client.xadd(stream, {"number": number}, identifier=f"{number}-0")


def numbers(batch: list[tuple[Any, Any]]) -> list[int]:
    """
    Give what entries count.
    """
    return [int(entry.identifier.split(b"-")[0]) for _, entry in batch]


async def test_what_is_there_comes_at_once(client: Redis[Any]) -> None:
    """
    As much as was fetched, or less if less is asked for; nothing is an empty list.
    """
    await produce(client, "a", 1, 10)
    async with client.xconsumer(["a"], a={"identifier": "0"}, buffer_size=5) as consumer:
        batches = [await consumer.get_entries(max_entries) for max_entries in (None, 2, 3, 9, None)]

    assert [[1, 2, 3, 4, 5, 6], [7, 8], [9, 10], [], []] == [numbers(batch) for batch in batches]


async def test_the_wait_of_one_call(client: Redis[Any]) -> None:
    """
    It replaces the consumer's: a read that is left waiting does not make a call wait that asks for no wait.
    """
    async with client.xconsumer(["a"], timeout=20_000) as consumer:
        assert [] == await consumer.get_entries(timeout=30)
        assert [] == await consumer.get_entries(timeout=0)
        await produce(client, "a", 1, 1)

        assert [1] == numbers(await consumer.get_entries())


async def test_iterating_over_batches(client: Redis[Any]) -> None:
    """
    It ends when there is nothing, and can be begun again.
    """
    await produce(client, "a", 1, 7)
    async with client.xconsumer(["a"], a={"identifier": "0"}, buffer_size=9) as consumer:
        seen = [numbers(batch) async for batch in consumer.batches(3)]
        await produce(client, "a", 8, 8)
        seen += [numbers(batch) async for batch in consumer.batches()]

    assert [[1, 2, 3], [4, 5, 6], [7], [8]] == seen


async def test_a_batch_in_a_group_is_acknowledged(client: Redis[Any]) -> None:
    """
    Acknowledgements that are collected go along with the next reads.
    """
    await produce(client, "a", 1, 20)
    async with client.xconsumer(["a"], group="g", consumer="c", buffer_size=4, ack_buffer=100) as consumer:
        async for batch in consumer.batches():
            await consumer.ack("a", *(entry for _, entry in batch))

        assert 0 == (await client.xpending("a", "g")).pending
        assert 20 == consumer.statistics.acknowledged


@pytest.mark.parametrize("argument", [{"max_entries": 0}, {"max_entries": True}, {"timeout": "1"}])
async def test_mistakes_are_named(client: Redis[Any], argument: dict[str, Any]) -> None:
    """
    Before anything is read.
    """
    (name,) = argument
    with pytest.raises((TypeError, ValueError), match=name):
        await client.xconsumer(["a"]).get_entries(**argument)


async def test_reading_ahead_loses_nothing(client: Redis[Any]) -> None:
    """
    In order and once, with and without waiting, while entries are added and calls are interrupted; and no more is fetched than
    the buffer may hold.
    """
    most = 0

    async def add() -> None:
        for number in range(1, 101):
            await client.xadd("a", {"number": number}, identifier=f"{number}-0")

    async with client.xconsumer(["a"], group="g", consumer="c", buffer_size=9, timeout=2000, prefetch=True) as consumer:
        adding = spawn(add)
        seen: list[int] = []
        while len(seen) < 100:
            try:
                batch = await interrupted_after(0.05, lambda: consumer.get_entries(3))
            except Interrupted:
                continue
            seen += numbers(batch)
            for _, entry in batch:
                await consumer.ack("a", entry)
            most = max(most, (await client.xpending("a", "g")).pending)
        await adding.join()

    assert list(range(1, 101)) == seen
    assert most <= 10


async def test_reading_ahead_of_many_streams(client: Redis[Any]) -> None:
    """
    Of none of them is more fetched than the buffer may hold, whether all or half of them are asked, while it changes which.
    """
    streams = [f"{{a}}{number}" for number in range(40)]

    async def add(first: int, last: int, some: list[str]) -> None:
        async with client.pipeline(transaction=False) as pipeline:
            for stream in some:
                for number in range(first, last + 1):
                    pipeline.xadd(stream, {"number": number}, identifier=f"{number}-0")

    later = [(61, 61, streams[:1]), (29, 60, streams), (25, 28, [*streams[1::2], *streams[::2]])]
    await add(1, 24, streams)
    seen: dict[str, list[int]] = {stream: [] for stream in streams}
    most = 0
    async with client.xconsumer(
        streams, group="g", consumer="c", buffer_size=19, timeout=100, prefetch=True
    ) as consumer:
        while later:
            batch = await consumer.get_entries(70)
            if not batch:
                await add(*later.pop())
            for stream, entry in batch:
                seen[stream.decode()] += numbers([(stream, entry)])
                await consumer.ack(stream, entry)
            async with client.pipeline(transaction=False) as pipeline:
                pending = [pipeline.xpending(stream, "g") for stream in streams]
            most = max(most, *(handle.result().pending for handle in pending))

    assert {stream: list(range(1, 61)) for stream in streams} == seen
    assert 10 < most <= 20


async def test_half_of_many_streams_at_a_time(client: Redis[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The next read is of others than those whose entries are made while it is under way.
    """
    streams = [f"{{a}}{number}" for number in range(40)]
    async with client.pipeline(transaction=False) as pipeline:
        for stream in streams:
            for number in range(1, 51):
                pipeline.xadd(stream, {"number": number}, identifier=f"{number}-0")
    beginning: Any = {stream: {"identifier": "0-0"} for stream in streams}
    consumer = client.xconsumer(streams, parameters=beginning, buffer_size=19, prefetch=True)
    made, both = Pieces.make, []

    def make(pieces: Pieces[Any], *others: Any) -> Any:
        (reader,) = consumer._readers.values()
        if not pieces.made:
            asked = set() if reader.plan is None else {cursor.name for cursor in reader.plan.cursors()}
            both.append((len(pieces.seen.raw), len(asked), len(asked & pieces.seen.raw.keys()), reader.count))
        return made(pieces, *others)

    monkeypatch.setattr(Pieces, "make", make)
    async with consumer:
        entries = [entry async for entry in consumer]

    assert {stream.encode(): list(range(1, 51)) for stream in streams} == {
        stream.encode(): numbers([item for item in entries if item[0] == stream.encode()]) for stream in streams
    }
    assert [(20, 20, 0, 20)] * 5 == both[:5]


async def test_reading_ahead_without_waiting(client: Redis[Any]) -> None:
    """
    What the read on its way found missing is asked for again.
    """
    async with client.xconsumer(["a"], a={"identifier": "0"}, buffer_size=9, prefetch=True) as consumer:
        await produce(client, "a", 1, 1)
        first = await consumer.get_entries()
        await produce(client, "a", 2, 2)

        assert ([1], [2], []) == tuple(
            map(numbers, (first, await consumer.get_entries(), await consumer.get_entries()))
        )


async def test_the_next_read_is_sent_before_entries_are_made(
    client: Redis[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    So the server works on it meanwhile. What is fetched and what is on its way are together no more than the buffer may hold.
    """
    await produce(client, "a", 1, 12)
    consumer = client.xconsumer(["a"], a={"identifier": "0"}, buffer_size=5, prefetch=True)
    made, asked = Pieces.make, []

    def make(pieces: Pieces[Any], *others: Any) -> Any:
        (reader,) = consumer._readers.values()
        assert reader.plan is not None
        asked.append((pieces.number, reader.count, reader.plan.parts[0].identifiers))
        return made(pieces, *others)

    monkeypatch.setattr(Pieces, "make", make)
    async with consumer:
        seen = [numbers(await consumer.get_entries()) for _ in range(4)]

    assert [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]] == seen
    assert [(3, 3, (b"%d-0" % last,)) for last in (3, 6, 9, 12)] == asked


async def test_what_cannot_be_read_is_asked_for_again_by_who_reads_ahead() -> None:
    """
    A read that was sent since then comes after it, so it is given up.
    """
    entries = b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n%b\r\n%b"
    whole, half = b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n", b"*1\r\n$1\r\nf\r\n"
    answers = {b"0": [entries % (b"1-0", whole)], b"1-0": [entries % (b"2-0", half), entries % (b"2-0", whole)]}
    asked: list[bytes] = []

    def answer(command: list[bytes]) -> bytes:
        if command[0] != b"XREAD":
            return b"+OK\r\n"
        asked.append(command[-1])
        there = answers.get(command[-1])
        return there.pop(0) if there else b"*-1\r\n"

    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=RetryPolicy(retries=0)) as client:
            consumer = client.xconsumer(["a"], a={"identifier": "0"}, prefetch=True)
            assert [1] == numbers(await consumer.get_entries())
            with pytest.raises(ProtocolError):
                await consumer.get_entry()
            assert {"a": b"1-0"} == consumer.positions
            assert [2] == numbers(await consumer.get_entries())
            assert {"a": b"2-0"} == consumer.positions

    assert [b"0", b"1-0", b"1-0"] == [position for position in asked if position != b"2-0"]
    assert 2 == consumer.statistics.delivered


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("timeout", [0, 300])
async def test_what_can_never_be_read_is_an_error_at_last(prefetch: bool, timeout: int) -> None:
    """
    After as many attempts, with a pause between them, whether the next read was sent before entries were made or not.
    """
    asked: list[bytes] = []
    half, whole = b"*1\r\n$1\r\nf\r\n", b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n"

    def answer(command: list[bytes]) -> bytes:
        if command[0] != b"XREAD":
            return b"+OK\r\n"
        asked.append(command[-1])
        if command[-1] != b"0":
            return b"*-1\r\n"
        return b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-0\r\n%b" % (half if asked.count(b"0") < 100 else whole)

    with ScriptedServer(answer) as server:
        async with connect(server, retry_policy=RetryPolicy(retries=2, base_delay=0.1)) as client:
            consumer = client.xconsumer(["a"], a={"identifier": "0"}, prefetch=prefetch, timeout=timeout)
            with pytest.raises(ProtocolError, match="InvalidResponse"):
                await consumer.get_entry()

    attempts = asked.count(b"0")
    assert attempts == 3 if not timeout else 3 <= attempts < 50


async def test_positions_of_a_stream_that_was_added_again(client: Redis[Any]) -> None:
    """
    They are where it begins anew, and not where the outstanding read goes on.
    """
    for stream in ("a", "b"):
        await produce(client, stream, 1, 2)
    beginning: Any = {stream: {"identifier": "0-0"} for stream in ("a", "b")}
    consumer = client.xconsumer(["a", "b"], parameters=beginning, buffer_size=9, prefetch=True)
    async with consumer:
        seen: list[int] = []
        while len(seen) < 4:  # on a cluster they come from two nodes
            seen += numbers(await consumer.get_entries(timeout=1000))
        assert {"a": b"2-0", "b": b"2-0"} == consumer.positions
        await consumer.remove_stream("a")
        await consumer.add_stream("a", "0-0")
        assert {"a": b"0-0", "b": b"2-0"} == consumer.positions
        again: list[int] = []
        while len(again) < 2:
            again += numbers(await consumer.get_entries(timeout=1000))
        assert [1, 2] == again


def test_reading_ahead_and_acknowledging_on_delivery(client: Redis[Any]) -> None:
    """
    Entries on their way would be lost in a crash.
    """
    with pytest.raises(ValueError, match="prefetch"):
        client.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=True, prefetch=True)
