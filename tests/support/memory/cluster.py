"""
A cluster in memory: primaries that share the slots, replicas of theirs, slots that move and nodes that fail.

It can be used in most ways as one ``MemoryServer``. What one node knows the others learn when ``gossip`` says so. A replica
has what its primary has, until it is told to lag behind; what it has not got by then is lost when it takes over by force.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.support.memory.connection import Connection
from tests.support.memory.nodes import SLOTS, MemoryNode, View
from tests.support.memory.personality import REDIS_8_6, Personality
from tests.support.memory.replies import Reply
from tests.support.memory.server import Event
from tests.support.memory.stream import Stream

#: What goes to all primaries.
_EVERYWHERE: Final = frozenset({b"FLUSHALL", b"FLUSHDB"})


class MemoryCluster:
    """
    Primaries with one replica each.

    Args:
        personality: which product and version to be
        primaries: how many
        now: unix time in milliseconds at the start
        journal: where to note what happens to streams; None: nowhere

    Attributes:
        nodes: the first ones are the primaries at the start, the others their replicas, in the same order
        view: the truth
        gossip: called with every node that has news to learn; as a rule it learns them at once
        latest: the number of the latest connection
    """

    def __init__(
        self,
        personality: Personality = REDIS_8_6,
        *,
        primaries: int = 3,
        now: int = 1_000_000,
        journal: list[Event] | None = None,
    ) -> None:
        self.personality = personality
        self.journal = journal
        self.latest = 0
        self.gossip: Callable[[MemoryNode], None] = self.tell
        self.nodes = [MemoryNode(self, number, personality, now, journal) for number in range(2 * primaries)]
        self.view = View(
            tuple(self.nodes[:primaries]), tuple((replica,) for replica in self.nodes[primaries:]), moved={}
        )
        self._slots: dict[bytes, int] = {}
        self._lags: dict[MemoryNode, int] = {}  # how much had happened when a replica began to lag
        for node in self.nodes:
            node.believe(self.view)
        for primary, replica in zip(self.nodes[:primaries], self.nodes[primaries:], strict=True):
            replica.follow(primary)

    # ------------------------------------------------------------------------------------------------ as one server has it

    @property
    def now(self) -> int:
        """
        Unix time in milliseconds.
        """
        return self.nodes[0].now

    @property
    def connections(self) -> dict[int, Connection]:
        """
        All connections to all nodes.
        """
        return {number: connection for node in self.nodes for number, connection in node.connections.items()}

    @property
    def refusing(self) -> str:
        """
        What every node answers to everything; empty: nothing.
        """
        return self.nodes[0].refusing

    @refusing.setter
    def refusing(self, answer: str) -> None:
        for node in self.nodes:
            node.refusing = answer

    def connect(self, port: int) -> Connection:
        """
        Accept a client at one of the nodes.

        Raises:
            ConnectionRefusedError: it does not run
        """
        node = self.at(port)
        if not node.running:
            raise ConnectionRefusedError("the node is down")
        return node.connect()

    def get(self, database: int, key: bytes) -> bytes | Stream | None:
        """
        Give what is stored there, wherever that is at the moment.
        """
        return self.holder(key).get(database, key)

    def command(self, *words: bytes) -> None:
        """
        Do something, past all clients, at the node that has the key.
        """
        name = words[0].upper()
        key = words[2 if name == b"XGROUP" else 1] if name not in _EVERYWHERE else b""
        for node in self.view.primaries if name in _EVERYWHERE else (self.holder(key),):
            connection = node.connect()
            connection.asking = True
            node.execute(connection, list(words))
            connection.close()

    def unblock(self, connection: Connection, reply: Reply) -> None:
        """
        Answer a connection that waits.
        """
        connection.server.unblock(connection, reply)

    def next_event(self) -> int | None:
        """
        When something happens by itself, in milliseconds; None: never.
        """
        times = [time for node in self.nodes if (time := node.next_event()) is not None]
        return min(times, default=None)

    def advance(self, now: int) -> None:
        """
        Let time pass until then.
        """
        for node in self.nodes:
            node.advance(now)

    # ------------------------------------------------------------------------------------------------------- who has what

    def at(self, port: int) -> MemoryNode:
        """
        Find the node that listens at a port.
        """
        return self.nodes[port - self.nodes[0].port]

    def slot(self, key: bytes) -> int:
        """
        Compute the slot of a key, in the tests' own way.
        """
        slot = self._slots.get(key)
        if slot is None:
            _, brace, rest = key.partition(b"{")
            tag, end, _ = rest.partition(b"}")
            slot = self._slots[key] = crc_hqx(tag if brace and end and tag else key, 0) % SLOTS
        return slot

    def holder(self, key: bytes) -> MemoryNode:
        """
        Find the node that has a key now, or would get it if there is none.
        """
        owner = self.view.owner(self.slot(key))
        target = owner.migrating.get(self.slot(key))
        return owner if target is None or owner.get(0, key) is not None else target

    # ---------------------------------------------------------------------------------------------------------------- news

    def tell(self, node: MemoryNode) -> None:
        """
        Have a node know the truth.
        """
        if node.running and node.view is not self.view:
            node.believe(self.view)

    def _agree(self, view: View, *first: MemoryNode) -> None:
        """
        Make something the truth; those who take part know it first.
        """
        self.view = view
        for node in first:
            self.tell(node)
        for node in self.nodes:
            if node not in first:
                self.gossip(node)

    # --------------------------------------------------------------------------------------------------------------- slots

    def busy(self, shard: int) -> bool:
        """
        Tell whether a slot is on its way to or from a shard.
        """
        primary = self.view.primaries[shard]
        return bool(primary.migrating or primary.importing)

    def begin_migration(self, slot: int, target: MemoryNode) -> MemoryNode:
        """
        Open a slot for its move to another primary. Returns where it comes from.
        """
        source = self.view.owner(slot)
        self.catch_up(source)
        self.catch_up(target)
        target.importing[slot] = source
        source.migrating[slot] = target
        return source

    def move_key(self, slot: int) -> bool:
        """
        Move one key of an open slot; False: there is none left.
        """
        source = self.view.owner(slot)
        keys = source.keys_in({slot})
        if keys:
            source.give(keys[0], source.migrating[slot])
        return bool(keys)

    def finish_migration(self, slot: int) -> None:
        """
        Give an open slot to its new primary.
        """
        source = self.view.owner(slot)
        target = source.migrating[slot]
        while self.move_key(slot):
            pass
        del target.importing[slot]
        self._agree(self._moved(slot, target), target, source)
        del source.migrating[slot]

    def move_at_once(self, slot: int, target: MemoryNode) -> None:
        """
        Move a slot with all its keys in one step: atomic slot migration.
        """
        source = self.view.owner(slot)
        self.catch_up(source)
        self.catch_up(target)
        keys = source.keys_in({slot})
        for key in keys:
            target._databases[0][key] = source._databases[0].pop(key)
        self._agree(self._moved(slot, target), target, source)
        for key in keys:
            source.tracking.changed(key)
        source.settle()

    def _moved(self, slot: int, target: MemoryNode) -> View:
        return replace(self.view, moved={**self.view.moved, slot: self.view.primaries.index(target)})

    # ------------------------------------------------------------------------------------------------------------ failures

    def lag(self, replica: MemoryNode) -> None:
        """
        Let a replica get no news of its primary's data any more.
        """
        if replica not in self._lags:
            replica.copy_of(self.view.primaries[self._shard(replica)])
            self._lags[replica] = 0 if self.journal is None else len(self.journal)

    def catch_up(self, node: MemoryNode) -> None:
        """
        Let the replicas of a node's shard have everything that the primary has.
        """
        shard = self._shard(node)
        for replica in self.view.replicas[shard]:
            replica.follow(self.view.primaries[shard])
            self._lags.pop(replica, None)

    def fail_over(self, shard: int, *, forced: bool = False) -> MemoryNode:
        """
        Let the replica of a shard take the place of its primary. Returns the new primary.

        Args:
            shard: which one
            forced: without the help of the old one: what has not reached the replica is lost
        """
        old = self.view.primaries[shard]
        new = self.view.replicas[shard][0]
        if not forced:
            self.catch_up(new)
        since = self._lags.pop(new, None)
        self._agree(self.view.after_failover(shard, new), new, old)
        if since is not None and self.journal is not None:
            keys = {event.key for event in self.journal if self.view.shard(self.slot(event.key)) == shard}
            for key in sorted(keys):
                self.journal.append(Event("restored", key, command=since))
        old.follow(new)
        return new

    def kill(self, node: MemoryNode) -> None:
        """
        End a node.
        """
        node.running = False
        for connection in list(node.connections.values()):
            connection.close()

    def restart(self, node: MemoryNode) -> None:
        """
        End a node and start it again at once.
        """
        self.kill(node)
        self.start(node)

    def start(self, node: MemoryNode) -> None:
        """
        Start a node again: with its data, or as a replica if another one has taken its place. It knows what it knew when it
        ended, and refuses everything, until it hears what is true.
        """
        node.running = True
        shard = self._shard(node)
        if self.view.primaries[shard] is not node:
            node.follow(self.view.primaries[shard])
        node.view = replace(node.view, down=True)
        self.gossip(node)

    def set_down(self, down: bool) -> None:
        """
        Let everybody know that a shard is gone so that nothing is served, or that all is well.
        """
        self._agree(replace(self.view, down=down))

    def _shard(self, node: MemoryNode) -> int:
        return next(
            number
            for number, primary in enumerate(self.view.primaries)
            if node is primary or node in self.view.replicas[number]
        )
