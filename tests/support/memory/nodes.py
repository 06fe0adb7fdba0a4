"""
One node of the cluster in memory: what it believes about the cluster, and which commands it therefore refuses.

Specification: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tests.support.memory.connection import Connection
from tests.support.memory.keyed import keys_of, only_reads
from tests.support.memory.personality import Personality
from tests.support.memory.replies import Refused
from tests.support.memory.server import Event, MemoryServer
from tests.support.memory.stream import Stream

if TYPE_CHECKING:
    from tests.support.memory.cluster import MemoryCluster

SLOTS: Final = 16384
HOST: Final = b"127.0.0.1"
DEMOTED: Final = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"


@dataclass(frozen=True, eq=False)
class View:
    """
    Who serves what, as a node believes it. It never changes; news make another one.

    Attributes:
        primaries: one for each shard
        replicas: of each shard
        moved: slots that are not in the shard in which they were at first, and in which they are
        down: a shard is gone and nobody takes its place, so nothing is served at all
    """

    primaries: tuple[MemoryNode, ...]
    replicas: tuple[tuple[MemoryNode, ...], ...]
    moved: Mapping[int, int] = field(default_factory=dict)
    down: bool = False

    def shard(self, slot: int) -> int:
        """
        Find the shard of a slot.
        """
        known = self.moved.get(slot)
        if known is not None:
            return known
        size = len(self.primaries)
        return next(number for number in range(size) if slot < SLOTS * (number + 1) // size)

    def owner(self, slot: int) -> MemoryNode:
        """
        Find the primary that serves a slot.
        """
        return self.primaries[self.shard(slot)]

    def ranges(self) -> Iterator[tuple[int, int, tuple[MemoryNode, ...]]]:
        """
        Give the slots as ranges: the first one, the last one, the primary and its replicas.
        """
        size = len(self.primaries)
        bounds = {SLOTS * number // size for number in range(size + 1)}
        for slot in self.moved:
            bounds |= {slot, slot + 1}
        places = sorted(bounds)
        first = 0
        for end in places[1:]:
            shard = self.shard(first)
            if end == SLOTS or self.shard(end) != shard:
                yield first, end - 1, (self.primaries[shard], *self.replicas[shard])
                first = end

    def after_failover(self, shard: int, primary: MemoryNode) -> View:
        """
        Give the view in which a replica has taken over a shard.
        """
        others = [self.primaries[shard], *self.replicas[shard]]
        followers = tuple(node for node in others if node is not primary)
        return replace(
            self,
            primaries=(*self.primaries[:shard], primary, *self.primaries[shard + 1 :]),
            replicas=(*self.replicas[:shard], followers, *self.replicas[shard + 1 :]),
        )


class MemoryNode(MemoryServer):
    """
    A node.

    Args:
        cluster: which it is part of
        number: its place among the nodes of the cluster

    Attributes:
        name: as CLUSTER MYID tells it
        port: where it listens
        running: it is there at all
        view: what it believes
        migrating: slots that are leaving it, and where to
        importing: slots that are coming, and where from
    """

    mode = b"cluster"
    host = HOST
    view: View

    def __init__(
        self, cluster: MemoryCluster, number: int, personality: Personality, now: int, journal: list[Event] | None
    ) -> None:
        super().__init__(personality, now=now, journal=journal)
        self.cluster = cluster
        self.number = number
        self.name = b"%040x" % (number + 1)
        self.port = 7000 + number
        self.running = True
        self.migrating: dict[int, MemoryNode] = {}
        self.importing: dict[int, MemoryNode] = {}

    def __repr__(self) -> str:
        return f"<node {self.port}>"

    @property
    def node(self) -> MemoryNode:
        return self

    @property
    def leads(self) -> bool:
        """
        Whether it believes to be a primary.
        """
        return self in self.view.primaries

    def connect(self, port: int = 0) -> Connection:
        # Numbers are the connection's own in the whole cluster, so that a test can tell whose it was.
        self.latest = self.cluster.latest
        connection = super().connect()
        self.cluster.latest = self.latest
        return connection

    def admit(self, connection: Connection, commands: list[list[bytes]]) -> None:
        keys = [key for words in commands for key in keys_of(words)]
        if not keys:
            return
        slots = {self.cluster.slot(key) for key in keys}
        if len(slots) > 1:
            raise Refused("CROSSSLOT Keys in request don't hash to the same slot")
        if self.view.down:
            raise Refused("CLUSTERDOWN The cluster is down")
        slot = slots.pop()
        owner = self.view.owner(slot)
        missing = [key for key in keys if self.get(0, key) is None]
        if owner is self:
            target = self.migrating.get(slot)
            if target is None or not missing:
                return
            if len(missing) < len(keys):
                raise Refused("TRYAGAIN Multiple keys request during rehashing of slot")
            raise Refused(f"ASK {slot} {HOST.decode()}:{target.port}")
        if slot in self.importing and connection.asking:
            if len(keys) > 1 and missing:
                raise Refused("TRYAGAIN Multiple keys request during rehashing of slot")
            return
        follows = self in self.view.replicas[self.view.shard(slot)]
        if not (connection.readonly and follows and all(map(only_reads, commands))):
            raise self.elsewhere(slot)

    def elsewhere(self, slot: int) -> Refused:
        """
        Make the answer to a command for a slot that others serve.
        """
        return Refused(f"MOVED {slot} {HOST.decode()}:{self.view.owner(slot).port}")

    def believe(self, view: View) -> None:
        """
        Learn what the cluster looks like. Whoever waits here for what is elsewhere is told.
        """
        led = hasattr(self, "view") and self.leads
        self.view = view
        demoted = led and not self.leads
        for connection in list(self.connections.values()):
            blocked = connection.blocked
            if blocked is None:
                continue
            slot = self.cluster.slot(next(iter(blocked.keys)))
            if demoted and self.personality.force_unblocks:
                self.unblock(connection, Refused(DEMOTED))
                connection.close()
            elif view.down:
                self.unblock(connection, Refused("CLUSTERDOWN The cluster is down"))
            elif view.owner(slot) is not self and slot not in self.importing:
                self.unblock(connection, self.elsewhere(slot))
        self.settle()

    def remove(self, database: int, key: bytes) -> bool:
        if self.leads and self.get(database, key) is not None:
            self.cluster.catch_up(self)  # whoever judges need not know of streams that were gone and are there again
        return super().remove(database, key)

    # ------------------------------------------------------------------------------------------------- keys that move

    def give(self, key: bytes, target: MemoryNode) -> None:
        """
        Have a key moved to another node, with its groups and all that is pending in them.
        """
        value = self._databases[0].pop(key)
        target._databases[0][key] = value
        for node in (target, self):
            node.touch(0, key)
            node.settle()

    def keys_in(self, slots: set[int]) -> list[bytes]:
        """
        List the keys in these slots.
        """
        return [key for key in self._databases[0] if self.cluster.slot(key) in slots]

    @property
    def streams(self) -> dict[bytes, Stream]:
        """
        All streams, by key.
        """
        return {key: value for key, value in self._databases[0].items() if isinstance(value, Stream)}

    def copy_of(self, other: MemoryNode) -> None:
        """
        Have a copy of another node's data from this moment: what happens there later is not here yet.
        """
        self._databases = other.snapshot()

    def follow(self, other: MemoryNode) -> None:
        """
        Have whatever another node has.
        """
        self._databases = other._databases
