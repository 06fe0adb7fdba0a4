"""
Slots that move there and back under everything at once: consumers that wait, members with pending entries, producers, pipelines
and transactions. With the keys one after the other (SETSLOT and MIGRATE), and as a whole where the servers can do that.

Nothing breaks a connection here, so nothing has an unknown outcome: every command runs once, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.aio import RedisCluster, connect_cluster, sleep, spawn
from tests.support.clusters import Cluster, slot_of
from tests.support.servers import Server

STREAMS = [f"stream-{number}" for number in range(6)]
#: What moves: one of them is read on its own as well, by a read that waits at the server.
MOVING = STREAMS[:2]
MEMBERS = ("one", "two")
#: Milliseconds; far more than a move takes.
PATIENCE = 20_000
#: So long does a reader wait for a node to tell that a stream has changed: what is missed comes too late.
SLICE = 60_000


class Load:
    """
    Everything that goes on while slots move.
    """

    def __init__(self, client: RedisCluster[str]) -> None:
        self.client = client
        self.added = 0
        self.over = False  # for those who write
        self.whole = False  # all that was to be written is
        self.shared: list[tuple[str, str, str]] = []  # member, stream, identifier

    def outstanding(self, taken: int, streams: int) -> bool:
        """
        Whether there is more to come than so many entries of so many streams.
        """
        return not self.whole or taken < self.added * streams

    async def produce(self) -> None:
        """
        Add an entry to every stream, one by one and in pipelines by turns. An identifier is added once or refused.
        """
        while not self.over:
            number = self.added + 1
            if number % 2:
                for stream in STREAMS:
                    await self.client.xadd(stream, {"number": number}, identifier=f"{number}-0")
            else:
                async with self.client.pipeline() as pipeline:
                    for stream in STREAMS:
                        pipeline.xadd(stream, {"number": number}, identifier=f"{number}-0")
                assert pipeline.results == tuple(f"{number}-0" for _ in STREAMS)
            self.added = number
            await sleep(0.002)
        self.whole = True

    async def transact(self) -> None:
        """
        Count and write down in one transaction.
        """
        number = 0
        while not self.over:
            number += 1
            async with self.client.pipeline(transaction=True) as pipeline:
                pipeline.incr(f"{{{MOVING[0]}}}count")
                pipeline.xadd(f"{{{MOVING[0]}}}log", {"n": 1}, identifier=f"{number}-0")
            assert (number, f"{number}-0") == pipeline.results
            await sleep(0.002)

    async def read(self, streams: list[str]) -> dict[str, list[str]]:
        """
        Read streams from their beginning, without a group.
        """
        seen: dict[str, list[str]] = {stream: [] for stream in streams}
        places: Any = {stream: {"identifier": "0"} for stream in streams}
        async with self.client.xconsumer(streams, buffer_size=4, block_slice=SLICE, parameters=places) as consumer:
            while self.outstanding(sum(map(len, seen.values())), len(streams)):
                whole = self.whole
                entries = await consumer.get_entries(timeout=PATIENCE if whole else 200)
                assert entries or not whole, f"{[len(each) for each in seen.values()]} of {self.added} have come"
                for stream, entry in entries:
                    seen[stream].append(entry.identifier)
        return seen

    async def work(self, member: str, **options: Any) -> None:
        """
        Read as a member of a group and acknowledge.
        """
        options = {"group": "g", "consumer": member, "buffer_size": 4, "block_slice": SLICE, **options}
        async with self.client.xconsumer(STREAMS, **options) as consumer:
            while self.outstanding(len(self.shared), len(STREAMS)):
                for stream, entry in await consumer.get_entries(timeout=200):  # the other one may get the last
                    self.shared.append((member, stream, entry.identifier))
                    if "ack_buffer" in options:
                        await consumer.ack(stream, entry)
                    else:
                        assert 1 == await consumer.ack(stream, entry)


def numbered(count: int) -> list[str]:
    return [f"{number}-0" for number in range(1, count + 1)]


@pytest.mark.parametrize("atomically", [False, True], ids=["key-by-key", "atomically"])
async def test_under_load(cluster: Cluster, atomically: bool) -> None:
    """
    Every entry comes to each reader once and in order, to one of the members, and is acknowledged; what was pending before
    keeps its owner; every transaction runs once; and nobody sees an error.
    """
    if atomically and not cluster.atomic:
        pytest.skip(f"{cluster.identifier} does not move slots as a whole")
    moves: Callable[[int, Server], Server] = cluster.move_atomically if atomically else cluster.move
    async with connect_cluster(cluster, decode_responses=True, stream_timeout=20.0) as client:
        for stream in STREAMS:
            await client.xgroup_create(stream, "g", "0", mkstream=True)
            await client.xgroup_create(stream, "kept", "0")
        load = Load(client)
        runners: list[Any] = [spawn(load.produce), spawn(load.transact)]
        readers = [spawn(lambda: load.read(STREAMS)), spawn(lambda: load.read(MOVING[:1]))]
        runners.append(spawn(lambda: load.work("one")))
        runners.append(spawn(lambda: load.work("two", ack_buffer=5, ack_interval=50)))
        while load.added < 5:
            await sleep(0.01)
        for stream in MOVING:
            assert 3 == len((await client.xreadgroup("kept", "owner", {stream: ">"}, count=3))[stream])  # type: ignore[index]

        for turn in range(4):
            for stream in MOVING:
                slot = slot_of(stream)
                home = cluster.owner(slot)
                moves(slot, next(node for node in cluster.primaries if node is not home))
            added = load.added
            while load.added < added + 5 * (turn + 1) and not any(runner.done for runner in runners):
                await sleep(0.01)
        load.over = True
        for runner in runners:
            await runner.join()
        seen = [await reader.join() for reader in readers]

        expected = {stream: numbered(load.added) for stream in STREAMS}
        assert expected == seen[0]
        assert {MOVING[0]: numbered(load.added)} == seen[1]
        assert sorted((stream, identifier) for stream in STREAMS for identifier in expected[stream]) == sorted(
            (stream, identifier) for _, stream, identifier in load.shared
        )
        for member in MEMBERS:
            for stream in STREAMS:
                mine = [int(i.split("-")[0]) for who, where, i in load.shared if (member, stream) == (who, where)]
                assert sorted(mine) == mine
        for stream in STREAMS:
            assert 0 == (await client.xpending(stream, "g")).pending
        for stream in MOVING:
            kept = await client.xpending(stream, "kept", "-", "+", 10)
            assert [(identifier, "owner", 1) for identifier in numbered(3)] == [
                (entry.identifier, entry.consumer, entry.delivered) for entry in kept
            ]
