# Generated from tests/_async/test_cluster_migrations.py by scripts/generate.py: edit that file, not this one.
"""
Slots that move there and back under everything at once: consumers that wait, members with pending entries, producers, pipelines
and transactions. With the keys one after the other (SETSLOT and MIGRATE), and as a whole where the servers can do that.

Nothing breaks a connection here, so nothing has an unknown outcome: every command runs once, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.blocking import RedisCluster, connect_cluster, sleep, spawn
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

    def produce(self) -> None:
        """
        Add an entry to every stream, one by one and in pipelines by turns. An identifier is added once or refused.
        """
        while not self.over:
            number = self.added + 1
            if number % 2:
                for stream in STREAMS:
                    self.client.xadd(stream, {"number": number}, identifier=f"{number}-0")
            else:
                with self.client.pipeline() as pipeline:
                    for stream in STREAMS:
                        pipeline.xadd(stream, {"number": number}, identifier=f"{number}-0")
                assert pipeline.results == tuple(f"{number}-0" for _ in STREAMS)
            self.added = number
            sleep(0.002)
        self.whole = True

    def transact(self) -> None:
        """
        Count and write down in one transaction.
        """
        number = 0
        while not self.over:
            number += 1
            with self.client.pipeline(transaction=True) as pipeline:
                pipeline.incr(f"{{{MOVING[0]}}}count")
                pipeline.xadd(f"{{{MOVING[0]}}}log", {"n": 1}, identifier=f"{number}-0")
            assert (number, f"{number}-0") == pipeline.results
            sleep(0.002)

    def read(self, streams: list[str]) -> dict[str, list[str]]:
        """
        Read streams from their beginning, without a group.
        """
        seen: dict[str, list[str]] = {stream: [] for stream in streams}
        places: Any = {stream: {"identifier": "0"} for stream in streams}
        with self.client.xconsumer(streams, buffer_size=4, block_slice=SLICE, parameters=places) as consumer:
            while self.outstanding(sum(map(len, seen.values())), len(streams)):
                whole = self.whole
                entries = consumer.get_entries(timeout=PATIENCE if whole else 200)
                assert entries or not whole, f"{[len(each) for each in seen.values()]} of {self.added} have come"
                for stream, entry in entries:
                    seen[stream].append(entry.identifier)
        return seen

    def work(self, member: str, **options: Any) -> None:
        """
        Read as a member of a group and acknowledge.
        """
        options = {"group": "g", "consumer": member, "buffer_size": 4, "block_slice": SLICE, **options}
        with self.client.xconsumer(STREAMS, **options) as consumer:
            while self.outstanding(len(self.shared), len(STREAMS)):
                for stream, entry in consumer.get_entries(timeout=200):  # the other one may get the last
                    self.shared.append((member, stream, entry.identifier))
                    if "ack_buffer" in options:
                        consumer.ack(stream, entry)
                    else:
                        assert 1 == consumer.ack(stream, entry)


def numbered(count: int) -> list[str]:
    return [f"{number}-0" for number in range(1, count + 1)]


@pytest.mark.parametrize("atomically", [False, True], ids=["key-by-key", "atomically"])
def test_under_load(cluster: Cluster, atomically: bool) -> None:
    """
    Every entry comes to each reader once and in order, to one of the members, and is acknowledged; what was pending before
    keeps its owner; every transaction runs once; and nobody sees an error.
    """
    if atomically and not cluster.atomic:
        pytest.skip(f"{cluster.identifier} does not move slots as a whole")
    moves: Callable[[int, Server], Server] = cluster.move_atomically if atomically else cluster.move
    with connect_cluster(cluster, decode_responses=True, stream_timeout=20.0) as client:
        for stream in STREAMS:
            client.xgroup_create(stream, "g", "0", mkstream=True)
            client.xgroup_create(stream, "kept", "0")
        load = Load(client)
        runners: list[Any] = [spawn(load.produce), spawn(load.transact)]
        readers = [spawn(lambda: load.read(STREAMS)), spawn(lambda: load.read(MOVING[:1]))]
        runners.append(spawn(lambda: load.work("one")))
        runners.append(spawn(lambda: load.work("two", ack_buffer=5, ack_interval=50)))
        while load.added < 5:
            sleep(0.01)
        for stream in MOVING:
            assert 3 == len((client.xreadgroup("kept", "owner", {stream: ">"}, count=3))[stream])  # type: ignore[index]

        before = cluster.calls("cluster|slots")
        for turn in range(4):
            for stream in MOVING:
                slot = slot_of(stream)
                home = cluster.owner(slot)
                moves(slot, next(node for node in cluster.primaries if node is not home))
            added = load.added
            while load.added < added + 5 * (turn + 1) and not any(runner.done for runner in runners):
                sleep(0.01)
        load.over = True
        for runner in runners:
            runner.join()
        seen = [reader.join() for reader in readers]
        assert cluster.calls("cluster|slots") - before <= 12  # eight moves, and a node may not have heard of one yet

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
            assert 0 == (client.xpending(stream, "g")).pending
        for stream in MOVING:
            kept = client.xpending(stream, "kept", "-", "+", 10)
            assert [(identifier, "owner", 1) for identifier in numbered(3)] == [
                (entry.identifier, entry.consumer, entry.delivered) for entry in kept
            ]


@pytest.mark.parametrize("atomically", [False, True], ids=["key-by-key", "atomically"])
def test_what_fails_again_and_again(cluster: Cluster, atomically: bool) -> None:
    """
    Entries are handed back, taken over and given up while their slots move: each of them becomes one dead letter, in the slot
    of its stream or in another one, after as many deliveries as it was to have.
    """
    if atomically and not cluster.atomic:
        pytest.skip(f"{cluster.identifier} does not move slots as a whole")
    move: Callable[[int, Server], Server] = cluster.move_atomically if atomically else cluster.move
    letters = {stream: f"{{{stream}}}dead" if stream == MOVING[0] else "dead" for stream in MOVING}
    delivered: dict[tuple[str, str], int] = {}
    with connect_cluster(cluster, decode_responses=True, stream_timeout=20.0) as client:
        over = False

        def fail(stream: str) -> None:
            options: Any = {"claim_idle": 1000, "max_deliveries": 3, "dead_letter": letters[stream], "buffer_size": 4}
            with client.xconsumer([stream], group="g", consumer="c", **options) as consumer:
                while not over:
                    for _, entry in consumer.get_entries(timeout=50):
                        key = stream, entry.identifier
                        delivered[key] = delivered.get(key, 0) + 1
                        assert consumer.nack(stream, entry)

        failing = [spawn(lambda: fail(MOVING[0])), spawn(lambda: fail(MOVING[1]))]
        for turn in range(4):
            for stream in MOVING:
                for number in range(10 * turn + 1, 10 * turn + 11):
                    client.xadd(stream, {"number": number}, identifier=f"{number}-0")
                home = cluster.owner(slot_of(stream))
                move(slot_of(stream), next(node for node in cluster.primaries if node is not home))
        for _ in range(1500):
            counts = [client.xlen(letter) for letter in letters.values()]
            if counts == [40, 40] or any(handle.done for handle in failing):
                break
            sleep(0.02)
        over = True
        for handle in failing:
            handle.join()
        for stream in MOVING:
            dead = client.xrange(letters[stream])
            assert numbered(40) == sorted(
                (str(letter.field_values["dead-letter-identifier"]) for letter in dead),
                key=lambda i: int(i.split("-")[0]),
            )
            assert 0 == (client.xpending(stream, "g")).pending

    assert {(stream, identifier): 3 for stream in MOVING for identifier in numbered(40)} == delivered
