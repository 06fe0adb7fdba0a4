"""
Do the same to a real cluster and to the one in memory, and compare every byte of the answers but ports, names and times.
"""

from __future__ import annotations

import re
import time
from typing import Final

from tests.support.clusters import Cluster
from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.differences import RealConnection, Twins, now
from tests.support.memory.nodes import SLOTS, MemoryNode
from tests.support.memory.personality import PERSONALITIES
from tests.support.resp import Framer, encode_command
from tests.support.servers import Server

_PATIENCE_SECONDS: Final = 10.0


class ClusterTwins(Twins):
    """
    A real cluster and one in memory, and the same connections to both.

    Args:
        cluster: the real one, of three primaries with one replica each; it is whole and empty
        protocol: 2 or 3
        connections: the number of the node that each leads to: 0 to 2 are the primaries, 3 to 5 their replicas
    """

    memory: MemoryCluster  # type: ignore[assignment]

    def __init__(self, cluster: Cluster, protocol: int, connections: tuple[int, ...]) -> None:
        self.cluster = cluster
        self.memory = MemoryCluster(PERSONALITIES[cluster.identifier], now=now())
        primaries = [cluster.owner(SLOTS * number // 3) for number in range(3)]
        self._put_back(primaries)
        self.nodes: list[Server] = [*primaries, *map(cluster.replica_of, primaries)]
        self._real = [RealConnection(self.nodes[number]) for number in connections]
        self._copies = [self.memory.nodes[number].connect() for number in connections]
        self._framers = [Framer() for _ in connections]
        self._controls = [RealConnection(node) for node in self.nodes]
        self._names = {self._ask(number, b"CLUSTER", b"MYID")[-42:-2]: number for number in range(6)}
        self.log: list[tuple[bytes, ...]] = []
        for number in range(len(connections)):
            self._real[number].send((b"HELLO", b"%d" % protocol))
            self._real[number].receive()
            self._copies[number].receive(encode_command("HELLO", protocol))
            self._copies[number].take()

    def _put_back(self, primaries: list[Server]) -> None:
        """
        Move slots back that earlier tests have moved.
        """
        owners = self.cluster.owners()
        ends = [*sorted(owners)[1:], SLOTS]
        for first, end in zip(sorted(owners), ends, strict=True):
            for slot in range(first, end) if end - first < SLOTS // 6 else ():
                expected = primaries[next(number for number in range(3) if slot < SLOTS * (number + 1) // 3)]
                if owners[first] is not expected:
                    self.cluster.move(slot, expected)

    def close(self) -> None:
        for source in self.memory.nodes:
            for slot, target in source.migrating.items():
                here, there = self.nodes[source.number], self.nodes[target.number]
                self.cluster.move_keys(slot, here, there)
                self.cluster.finish_migration(slot, here, there)
        for connection in (*self._real, *self._controls):
            connection.close()

    def compare(self, words: tuple[bytes, ...], real: bytes, copied: bytes) -> None:
        for number, node in enumerate(self.nodes):
            real = re.sub(rb":%d\r\n" % node.port, b":%d\r\n" % self.memory.nodes[number].port, real)
        for name, number in self._names.items():
            real = real.replace(name, self.memory.nodes[number].name)
        super().compare(words, real, copied)

    def expect_message(self, connection: int) -> None:
        """
        Compare what both have sent on a connection without being asked.
        """
        (copied,) = self._taken(connection)
        self.compare((b"(push)",), self._real[connection].receive(), copied)

    def expect_silence(self, connection: int) -> None:
        """
        Check that nothing more has come from either, up to the answer to a further command.
        """
        assert [] == self._taken(connection)
        self.run(b"PING", connection=connection)

    def expect_end(self, connection: int) -> bool:
        """
        Check that both have closed a connection, or that neither has; True: they have.
        """
        try:
            self.run(b"PING", connection=connection)
        except ConnectionResetError:
            assert self._copies[connection].closed
            return True
        assert not self._copies[connection].closed
        return False

    # ------------------------------------------------------------------------------------------------------------- changes

    def begin_migration(self, slot: int, target: int) -> None:
        """
        Open a slot for its move to another primary.
        """
        self.cluster.begin_migration(slot, self.nodes[target])
        self.memory.begin_migration(slot, self.memory.nodes[target])

    def move_key(self, slot: int, key: bytes) -> None:
        """
        Move a key of an open slot.
        """
        source = self.memory.view.owner(slot)
        target = source.migrating[slot]
        there = self.nodes[target.number]
        answer = self._ask(source.number, b"MIGRATE", there.host.encode(), b"%d" % there.port, key, b"0", b"5000")
        assert (answer == b"+OK\r\n") == (source.get(0, key) is not None)
        if source.get(0, key) is not None:
            source.give(key, target)

    def finish_migration(self, slot: int) -> None:
        """
        Move what is left of an open slot, and give it to its new primary.
        """
        source = self.memory.view.owner(slot)
        here, there = self.nodes[source.number], self.nodes[source.migrating[slot].number]
        self.cluster.move_keys(slot, here, there)
        self.cluster.finish_migration(slot, here, there)
        self.memory.finish_migration(slot)

    def move_at_once(self, slot: int, target: int) -> None:
        """
        Move a slot atomically, as the server does it.
        """
        source = self.memory.view.owner(slot)
        number = b"%d" % slot
        if self.memory.personality.product == "redis":
            self._ask(target, b"CLUSTER", b"MIGRATION", b"IMPORT", number, number)
        else:
            name = next(name for name, other in self._names.items() if other == target)
            self._ask(source.number, b"CLUSTER", b"MIGRATESLOTS", b"SLOTSRANGE", number, number, b"NODE", name)
        there = self.nodes[target]
        self.cluster.wait(lambda: all(self.cluster.owner(slot, node) is there for node in self.cluster.nodes))
        self.memory.move_at_once(slot, self.memory.nodes[target])

    def fail_over(self, shard: int) -> None:
        """
        Have a replica take over in good order.
        """
        replica: MemoryNode = self.memory.view.replicas[shard][0]
        self.cluster.fail_over(self.nodes[replica.number])
        self.memory.fail_over(shard)

    def replicated(self) -> None:
        """
        Wait until the real replicas have what their primaries have.
        """
        self.cluster.replicated()

    # --------------------------------------------------------------------------------------------------------------- inside

    def _await_blocked(self, number: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            waiting = 0
            for node in range(len(self.nodes)):
                found = re.search(rb"blocked_clients:(\d+)", self._ask(node, b"INFO", b"clients"))
                waiting += int(found[1]) if found else 0
            if waiting == number:
                return
        raise AssertionError(f"the real cluster has not {number} blocked clients: {self.log[-5:]}")

    def _ask(self, node: int, *words: bytes) -> bytes:
        self._controls[node].send(words)
        return self._controls[node].receive()
