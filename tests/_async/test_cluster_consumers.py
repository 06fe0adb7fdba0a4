"""
Consumers of streams that are spread over a cluster: read at the same time, through moving slots and failovers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._core.consumer.pieces import PIECE, Pieces
from coredis.exceptions import ConnectionError, ProtocolError, RedisError, RequestTimeoutError
from tests.support.aio import RedisCluster, connect_cluster, sleep, spawn
from tests.support.clusters import Cluster, slot_of

STREAMS = [f"stream-{number}" for number in range(20)]


async def fill(client: RedisCluster[Any], first: int, last: int, streams: list[str] = STREAMS) -> None:
    """
    Add one entry with each number to each stream.
    """
    for number in range(first, last + 1):
        pipeline = client.pipeline()
        for stream in streams:
            pipeline.xadd(stream, {"number": number}, identifier=f"{number}-0")
        await pipeline.execute()


async def numbers(consumer: Any, total: int) -> dict[str, list[int]]:
    """
    Take so many entries, acknowledge each, and give the numbers that came from each stream.
    """
    seen: dict[str, list[int]] = {}
    for _ in range(total):
        stream, entry = await consumer.get_entry()
        assert entry is not None, f"nothing came after {seen}"
        seen.setdefault(stream, []).append(int(entry.identifier.split("-")[0]))
        await consumer.ack(stream, entry)
    return seen


def connections(cluster: Cluster) -> int:
    """
    Count the connections that wait for a stream to change, or for entries.
    """
    total = 0
    for node in cluster.primaries:
        listed = node.command("CLIENT", "LIST")
        assert isinstance(listed, bytes)
        total += sum(b"xread" in line.lower() for line in listed.splitlines())
    return total


@pytest.mark.parametrize("protocol", [2, 3])
async def test_all_streams_are_read_at_the_same_time(cluster: Cluster, protocol: int) -> None:
    """
    On one connection for each primary; a wait takes its time once, and an entry anywhere ends it.
    """
    async with (
        connect_cluster(cluster, protocol=protocol, decode_responses=True) as client,
        client.xconsumer(STREAMS, group="g", consumer="c", timeout=300, buffer_size=4) as consumer,
    ):
        waiting = spawn(consumer.get_entry)
        await sleep(3.0)
        assert waiting.done, "streams are waited for one after the other"
        assert (None, None) == await waiting.join()
        await fill(client, 1, 5)
        first = await numbers(consumer, 5 * len(STREAMS))
        assert connections(cluster) <= 3

    assert {stream: [1, 2, 3, 4, 5] for stream in STREAMS} == first


@pytest.mark.parametrize("prefetch", [False, True])
async def test_large_replies_of_several_nodes(cluster: Cluster, prefetch: bool) -> None:
    """
    Of which entries are made some at a time: those of each stream come in order, and the application stands where it stands.
    """
    streams = ["a", "b", "c"]  # each on a node of its own
    total = 5 * PIECE + 20
    async with connect_cluster(cluster, decode_responses=True) as client:
        assert 3 == len(await client.places([stream.encode() for stream in streams]))
        await fill(client, 1, total, streams)
        starts: Any = {stream: {"identifier": "0-0"} for stream in streams}
        given = dict.fromkeys(streams, 0)
        async with client.xconsumer(streams, buffer_size=total, prefetch=prefetch, timeout=1000, **starts) as consumer:
            for _ in range(3 * total):
                stream, entry = await consumer.get_entry()
                assert stream is not None and entry is not None
                given[stream] += 1
                assert f"{given[stream]}-0" == entry.identifier
                assert {name: f"{number}-0" for name, number in given.items()} == consumer.positions
                if sum(given.values()) == 1:
                    assert PIECE == consumer.statistics.delivered

    assert dict.fromkeys(streams, total) == given


@pytest.mark.parametrize("first", [1, 50, 110, 190, 300])
async def test_several_streams_of_each_node(cluster: Cluster, first: int) -> None:
    """
    In the middle of their replies some entries are asked for at a time: the application stands where it stands.
    """
    streams = [f"{number}{{{tag}}}" for tag in "abc" for number in range(60)]
    async with connect_cluster(cluster, decode_responses=True) as client:
        await fill(client, 1, 3, streams)
        starts: Any = {stream: {"identifier": "0-0"} for stream in streams}
        given = dict.fromkeys(streams, 0)
        async with client.xconsumer(streams, parameters=starts, buffer_size=2, timeout=1000) as consumer:
            batch: list[Any] = [await consumer.get_entry() for _ in range(first)]
            while batch:
                for stream, entry in batch:
                    given[stream] += 1
                    assert f"{given[stream]}-0" == entry.identifier
                assert {name: f"{number}-0" for name, number in given.items()} == consumer.positions
                batch = await consumer.get_entries(21, timeout=100)

    assert dict.fromkeys(streams, 3) == given


@pytest.mark.parametrize("prefetch", [False, True])
async def test_a_large_reply_of_one_node_that_cannot_be_read(
    cluster: Cluster, prefetch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In the middle of it: that is an error, and what the others have sent is served all the same.
    """
    streams = ["a", "b", "c"]
    total = 5 * PIECE + 20
    make = Pieces.make

    def fail_once(pieces: Pieces[Any], *given: Any) -> Any:
        if pieces.made and b"b" in pieces.seen.raw:
            monkeypatch.undo()
            raise LookupError
        return make(pieces, *given)

    monkeypatch.setattr(Pieces, "make", fail_once)
    async with connect_cluster(cluster, decode_responses=True) as client:
        await fill(client, 1, total, streams)
        starts: Any = {stream: {"identifier": "0-0"} for stream in streams}
        given = dict.fromkeys(streams, 0)
        failures = 0
        async with client.xconsumer(streams, buffer_size=total, prefetch=prefetch, timeout=1000, **starts) as consumer:
            while sum(given.values()) < 3 * total:
                try:
                    stream, entry = await consumer.get_entry()
                except ProtocolError:
                    failures += 1
                    assert not given["b"] % PIECE
                else:
                    assert stream is not None and entry is not None
                    given[stream] += 1
                    assert f"{given[stream]}-0" == entry.identifier
                assert {name: f"{number}-0" for name, number in given.items()} == consumer.positions
            assert (None, None) == await consumer.get_entry()

    assert (1, dict.fromkeys(streams, total)) == (failures, given)


async def test_a_hundred_streams(cluster: Cluster) -> None:
    """
    Are read on one connection to each of the three primaries, and nobody asks for the topology again.
    """
    streams = [f"many-{number}" for number in range(100)]
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(streams, group="g", consumer="c", timeout=20_000, buffer_size=4) as consumer,
    ):
        await fill(client, 1, 2, streams)
        before = cluster.calls("cluster|slots")
        reading = spawn(lambda: numbers(consumer, 3 * len(streams)))
        await sleep(0.1)
        await fill(client, 3, 3, streams)
        seen = await reading.join()
        assert 3 == connections(cluster)

    assert {stream: [1, 2, 3] for stream in streams} == seen
    assert 0 == cluster.calls("cluster|slots") - before


async def test_an_entry_ends_the_wait(cluster: Cluster) -> None:
    """
    Whichever of the streams on a node it comes to, and though the others were asked long ago.
    """
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(STREAMS, timeout=30_000, block_slice=30_000) as consumer,
    ):
        for stream in (STREAMS[3], STREAMS[11], STREAMS[3]):
            reading = spawn(consumer.get_entry)
            await sleep(0.05)
            await client.xadd(stream, {"n": 1})

            assert stream == (await reading.join())[0]


async def test_whoever_may_not_be_told_of_changes_asks_for_them(cluster: Cluster) -> None:
    """
    Without the right that makes the server tell of what a group is given, the streams are asked again and again.
    """
    for node in cluster.nodes:
        node.command("ACL", "SETUSER", "default", "-xlen")
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(STREAMS, group="g", consumer="c", timeout=20_000, block_slice=30_000) as consumer,
    ):
        for stream in (STREAMS[3], STREAMS[11]):
            reading = spawn(consumer.get_entry)
            await sleep(0.3)
            await client.xadd(stream, {"n": 1})

            assert stream == (await reading.join())[0]


async def test_a_busy_node_keeps_nobody_waiting(cluster: Cluster) -> None:
    """
    Streams that always have more, in several slots of one node: what the server tells meanwhile does not pile up, and entries
    of a quiet stream on another node come between theirs.
    """
    here = cluster.primaries[0]
    busy = [stream for stream in STREAMS if cluster.owner(slot_of(stream)) is here][:2]
    quiet = next(stream for stream in STREAMS if cluster.owner(slot_of(stream)) is not here)
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer([*busy, quiet], group="g", consumer="c", timeout=20_000) as consumer,
    ):
        await fill(client, 1, 2, busy)
        taken = []
        for number in range(3, 703):
            await fill(client, number, number, busy if number % 100 else [*busy, quiet])
            taken += [(await consumer.get_entry())[0] for _ in busy]

        assert 0 == consumer.statistics.reconnects
        assert 6 <= taken.count(quiet) <= 7


async def test_one_slot_waits_on_the_server(cluster: Cluster) -> None:
    """
    Streams that share a slot are read as on one server.
    """
    together = ["{tag}one", "{tag}two"]
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(together, group="g", consumer="c", timeout=20_000) as consumer,
    ):
        reading = spawn(consumer.get_entry)
        await sleep(0.05)
        await fill(client, 1, 1, together[1:])

        assert "{tag}two" == (await reading.join())[0]


async def test_streams_come_and_go(cluster: Cluster) -> None:
    """
    A read that waits takes in a stream that is added, wherever it is, and one that is removed is read no more.
    """
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(STREAMS[:2], timeout=20_000, block_slice=20_000) as consumer,
    ):
        reading = spawn(consumer.get_entry)
        await sleep(0.05)
        for stream in STREAMS[2:6]:
            assert await consumer.add_stream(stream, "0")
        assert await consumer.remove_stream(STREAMS[0])
        await client.xadd(STREAMS[0], {"n": 1})
        await client.xadd(STREAMS[5], {"n": 1})

        assert STREAMS[5] == (await reading.join())[0]


async def test_the_backlog_of_each_stream(cluster: Cluster) -> None:
    """
    First what is pending, then what is new.
    """
    async with connect_cluster(cluster, decode_responses=True) as client:
        await fill(client, 1, 2)
        async with client.xconsumer(STREAMS, group="g", consumer="c", buffer_size=4) as before:
            assert 2 * len(STREAMS) == len([entry async for entry in before])
        await fill(client, 3, 3)
        async with client.xconsumer(STREAMS, group="g", consumer="c", start_from_backlog=True) as consumer:
            seen = await numbers(consumer, 3 * len(STREAMS))

    assert {stream: [1, 2, 3] for stream in STREAMS} == seen


async def test_taking_over(cluster: Cluster) -> None:
    """
    Entries of a member that is gone, in every slot; and a dead letter in another slot than its entry.
    """
    async with connect_cluster(cluster, decode_responses=True) as client:
        await fill(client, 1, 1)
        async with client.xconsumer(STREAMS, group="g", consumer="gone", buffer_size=4) as gone:
            assert len(STREAMS) == len([entry async for entry in gone])
            await gone.close(release="all")
        options: dict[str, Any] = {"claim_idle": 1000, "max_deliveries": 1, "dead_letter": "dead", "timeout": 5000}
        async with client.xconsumer(STREAMS, group="g", consumer="c", **options) as consumer:
            for _ in STREAMS:
                stream, entry = await consumer.get_entry()
                assert entry is not None
                await consumer.nack(stream, entry)
            for _ in range(200):
                await consumer.get_entries(timeout=50)
                if len(STREAMS) <= await client.xlen("dead"):
                    break
        letters = await client.xrange("dead")

    assert sorted(STREAMS) == sorted({letter.field_values["dead-letter-stream"] for letter in letters})


async def test_slots_that_move_while_they_are_read(cluster: Cluster) -> None:
    """
    There and back again: every entry comes, once and in order, and no error reaches the reader.
    """
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(STREAMS, group="g", consumer="c", timeout=20_000, buffer_size=4) as consumer,
    ):
        await fill(client, 1, 1)
        seen = await numbers(consumer, len(STREAMS))
        reading = spawn(lambda: numbers(consumer, 4 * len(STREAMS)))
        for number, stream in enumerate(STREAMS[:4], 2):
            slot = slot_of(stream)
            source = cluster.owner(slot)
            target = next(node for node in cluster.primaries if node is not source)
            cluster.begin_migration(slot, target)
            await fill(client, number, number, STREAMS[:10])
            cluster.move_keys(slot, source, target)
            await fill(client, number, number, STREAMS[10:])
            cluster.finish_migration(slot, source, target)
        for stream, later in (await reading.join()).items():
            seen[stream] += later
        for stream in STREAMS[:4]:
            slot = slot_of(stream)
            cluster.move(slot, next(node for node in cluster.primaries if node is not cluster.owner(slot)))

    assert {stream: [1, 2, 3, 4, 5] for stream in STREAMS} == seen


@pytest.mark.parametrize("how", [None, "TAKEOVER"])
async def test_failover(cluster: Cluster, how: str | None) -> None:
    """
    Ordered or by force: pending entries keep their owner, and reading goes on where it was.
    """
    async with (
        connect_cluster(cluster, decode_responses=True) as client,
        client.xconsumer(STREAMS, group="g", consumer="c", timeout=20_000, buffer_size=4) as consumer,
    ):
        await fill(client, 1, 1)
        seen = await numbers(consumer, len(STREAMS))
        cluster.replicated()
        before = cluster.calls("cluster|slots")
        reading = spawn(lambda: numbers(consumer, len(STREAMS)))
        cluster.fail_over(cluster.replica_of(cluster.primaries[0]), how=how)
        await fill(client, 2, 2)
        for stream, later in (await reading.join()).items():
            seen[stream] += later
        # Once, and perhaps again of a node that has not heard of it yet.
        assert cluster.calls("cluster|slots") - before <= 3

    assert {stream: [1, 2] for stream in STREAMS} == seen


async def test_a_killed_primary_keeps_nobody_waiting(cluster: Cluster) -> None:
    """
    While one is gone, the streams of the others go on; its own go on when its replica has taken its place.
    """
    async with (
        connect_cluster(cluster, decode_responses=True, stream_timeout=2.0) as client,
        client.xconsumer(STREAMS, group="g", consumer="c", timeout=40_000, buffer_size=4) as consumer,
    ):
        await fill(client, 1, 1)
        seen = await numbers(consumer, len(STREAMS))
        cluster.replicated()
        victim = cluster.primaries[1]
        mine = [stream for stream in STREAMS if cluster.owner(slot_of(stream)) is victim]
        others = [stream for stream in STREAMS if stream not in mine]
        reading = spawn(lambda: numbers(consumer, len(others)))
        victim.kill()
        await fill(client, 2, 2, others)
        for stream, later in (await reading.join()).items():
            seen[stream] += later
        assert {stream: [1] if stream in mine else [1, 2] for stream in STREAMS} == seen
        asking = spawn(lambda: consumer.get_entries(timeout=0))
        try:
            assert [] == await asking.join()
        except RedisError:
            pass  # all nodes refuse by now, until there is a new primary

        for stream in mine:
            while True:
                try:
                    await client.xadd(stream, {"number": 2}, identifier="2-0")
                    break
                except (ConnectionError, RedisError, RequestTimeoutError):
                    await sleep(0.1)
        for stream, later in (await numbers(consumer, len(mine))).items():
            seen[stream] += later

    assert {stream: [1, 2] for stream in STREAMS} == seen
