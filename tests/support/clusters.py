"""
Start clusters of servers on loopback, break them, and move their slots.

A ``Cluster`` is a few primaries with replicas and nothing on disk. A ``ClusterPool`` keeps one per program, because it takes a
cluster about three seconds to agree that it is one; a test that breaks it so that it does not heal costs the next one that.
"""

from __future__ import annotations

import time
from binascii import crc_hqx
from collections.abc import Callable
from typing import Final, Self

from tests.support.certificates import Certificates
from tests.support.programs import Program
from tests.support.resp import ErrorReply, RawClient, Reply
from tests.support.servers import Server

SLOTS: Final = 16384
#: Milliseconds until a node that does not answer counts as failed.
NODE_TIMEOUT: Final = 1500
#: Far longer than a cluster takes to agree on anything; only failures wait so long.
_PATIENCE_SECONDS: Final = 30.0
_STEP_SECONDS: Final = 0.01
#: An ordered failover is ordered again after this time: the request is lost when the two nodes' link is just being renewed.
_AGAIN_SECONDS: Final = 1.0

#: What a node is asked to see whether all is well.
_QUESTIONS: Final = (("CLUSTER", "INFO"), ("CLUSTER", "NODES"), ("CLUSTER", "SHARDS"), ("INFO", "replication"))
#: What makes a node as good as new. The statistics last: nothing of this counts.
_CLEANING: Final = (
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("FLUSHALL",),
    ("SCRIPT", "FLUSH"),
    ("FUNCTION", "FLUSH"),
    ("ACL", "SETUSER", "default", "+@all"),
    ("CONFIG", "RESETSTAT"),
)


class ClusterFailed(RuntimeError):
    """
    A cluster did not come to what was expected of it in time.
    """


def slot_of(key: str) -> int:
    """
    Compute the slot of a key without hash tag, in the tests' own way.
    """
    return crc_hqx(key.encode(), 0) % SLOTS


class Cluster:
    """
    Primaries with the slots shared out evenly, and replicas of theirs.

    Args:
        program: what to run
        primaries: how many
        replicas: how many of each primary
        certificates: let every node listen for TLS as well
        options: configuration of every node, as ``Server`` takes it
    """

    def __init__(
        self,
        program: Program,
        *,
        primaries: int = 3,
        replicas: int = 1,
        certificates: Certificates | None = None,
        **options: str | int,
    ) -> None:
        self.program = program
        self.size = primaries
        self._tls = certificates is not None
        self._credentials = (str(options["requirepass"]),) if "requirepass" in options else ()
        self.nodes: list[Server] = []
        settings: dict[str, str | int] = {
            "cluster_enabled": "yes",
            "cluster_node_timeout": NODE_TIMEOUT,
            "cluster_replica_validity_factor": 0,
            "cluster_allow_replica_migration": "no",
            "repl_diskless_sync": "yes",
            "repl_diskless_sync_delay": 0,
            "repl_ping_replica_period": 1,
            # Without it, older servers tell everybody the ports for plain text.
            **({"tls_cluster": "yes"} if self._tls else {}),
            **options,
        }
        try:
            for _ in range(primaries * (1 + replicas)):
                self.nodes.append(Server(program, certificates=certificates, **settings))  # type: ignore[arg-type]
            self._form(primaries)
        except BaseException:  # not swallowed: no server may stay behind a failed start
            self.close()
            raise

    # ------------------------------------------------------------------------------------------------------ looking

    @property
    def host(self) -> str:
        return self.nodes[0].host

    @property
    def port(self) -> int:
        return self.nodes[0].port

    @property
    def identifier(self) -> str:
        return self.program.identifier

    @property
    def version(self) -> tuple[int, int, int]:
        return self.program.version

    @property
    def primaries(self) -> list[Server]:
        """
        The nodes that serve slots, ordered by their lowest slot.
        """
        owners = self.owners()
        return list(dict.fromkeys(owners[slot] for slot in sorted(owners)))

    @property
    def replicas(self) -> list[Server]:
        """
        The other nodes that run.
        """
        primaries = self.primaries
        return [node for node in self.nodes if node.running and node not in primaries]

    def owners(self, asked: Server | None = None) -> dict[int, Server]:
        """
        Ask one node which nodes serve which slots; the lowest slot of each range stands for all of it.

        It is CLUSTER NODES that is asked, so the calls of CLUSTER SLOTS are those of the client under test.
        """
        return self._owners(self._view(self._ask(asked)))

    def _owners(self, view: dict[str, list[str]]) -> dict[int, Server]:
        found = {}
        for fields in view.values():
            for slots in fields[8:]:
                if not slots.startswith("["):  # on its way to or from another node
                    found[int(slots.partition("-")[0])] = self._at(_port(fields))
        return found

    def owner(self, slot: int, asked: Server | None = None) -> Server:
        """
        Ask one node which node serves a slot.
        """
        return self._serving(slot, self._view(self._ask(asked)))

    def replica_of(self, primary: Server) -> Server:
        """
        Give a replica of a primary.
        """
        name = self._name(primary)
        for node in self.nodes:
            if node.running and node is not primary and name == self._view(node)[self._name(node)][3]:
                return node
        raise ClusterFailed(f"{primary} has no replica")

    def replicated(self) -> None:
        """
        Wait until every replica has as many keys as its primary.
        """
        self.wait(
            lambda: all(
                primary.command("DBSIZE") == self.replica_of(primary).command("DBSIZE") for primary in self.primaries
            )
        )

    def calls(self, command: str) -> int:
        """
        Count how often clients have called a command, as ``cluster|slots``, on all nodes that run. Replicas do what their
        primaries do, and that counts as well.
        """
        total = 0
        for node in self.nodes:
            if node.running and not node.paused:
                for line in _text(node.command("INFO", "commandstats")).splitlines():
                    if line.startswith(f"cmdstat_{command}:"):
                        total += int(line.partition("calls=")[2].partition(",")[0])
        return total

    # ----------------------------------------------------------------------------------------------------- changing

    def begin_migration(self, slot: int, target: Server) -> Server:
        """
        Open a slot for its move to another primary. Returns where it comes from.
        """
        source = self.owner(slot, target)
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", self._name(source))
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", self._name(target))
        return source

    def move_keys(self, slot: int, source: Server, target: Server) -> None:
        """
        Move all keys of an open slot.
        """
        while keys := source.command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            assert isinstance(keys, list)
            login = ("AUTH", *self._credentials) if self._credentials else ()
            source.command("MIGRATE", target.host, self._port(target), "", 0, 5000, *login, "KEYS", *keys)  # type: ignore[arg-type]

    def finish_migration(self, slot: int, source: Server, target: Server) -> None:
        """
        Give an open slot to its new primary, and wait until everybody knows.
        """
        for node in (target, source):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", self._name(target))
        self.wait(lambda: self._settled(slot, target))

    def abort_migration(self, slot: int, source: Server, target: Server) -> None:
        """
        Close an open slot; it stays where it was.
        """
        for node in (source, target):
            node.command("CLUSTER", "SETSLOT", slot, "STABLE")

    def move(self, slot: int, target: Server) -> Server:
        """
        Move a slot with its keys. Returns where it was.
        """
        source = self.begin_migration(slot, target)
        self.move_keys(slot, source, target)
        self.finish_migration(slot, source, target)
        return source

    @property
    def atomic(self) -> bool:
        """
        Whether the servers can move a slot as a whole by themselves.
        """
        return self.program.satisfies("redis-8.4") or self.program.satisfies("valkey-9.0")

    def move_atomically(self, slot: int, target: Server) -> Server:
        """
        Have the servers move a slot with its keys by themselves. Returns where it was.

        The command is given again where it is refused, as right after another move.
        """
        source = self.owner(slot, target)
        target_name = self._name(target)

        def asked() -> bool:
            if self.program.product == "redis":
                target.command("CLUSTER", "MIGRATION", "IMPORT", slot, slot)
            else:
                source.command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target_name)
            return True

        self.wait(asked)
        self.wait(lambda: self._settled(slot, target))
        return source

    def fail_over(self, replica: Server, *, how: str | None = None) -> None:
        """
        Let a replica take the place of its primary, and wait until everybody knows and the old one follows.

        Args:
            replica: the primary to be
            how: None with the help of the old primary; ``"FORCE"`` or ``"TAKEOVER"`` without
        """
        primary = self._named(self._view(replica)[self._name(replica)][3])
        # A primary that has not heard yet that this is its replica ignores the request.
        self.wait(lambda: self._name(primary) == self._view(primary)[self._name(replica)][3])
        words = ("CLUSTER", "FAILOVER", *(() if how is None else (how,)))
        replica.command(*words)
        asked = time.monotonic()

        def promoted() -> bool:
            nonlocal asked
            if replica in self.primaries:
                return True
            if time.monotonic() - asked > _AGAIN_SECONDS:
                asked = time.monotonic()
                replica.command(*words)
            return False

        self.wait(promoted)
        if all(node.running and not node.paused for node in self.nodes):
            self.wait(self.healthy)

    def wait(self, condition: Callable[[], object]) -> None:
        """
        Wait until a function says yes; a node that does not answer says no.

        Raises:
            ClusterFailed: it did not
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except (OSError, ErrorReply, KeyError):
                pass
            time.sleep(_STEP_SECONDS)
        raise ClusterFailed("what was waited for did not happen")

    def healthy(self) -> bool:
        """
        Tell whether all nodes run and agree on who serves what, and every replica has all data.
        """
        if not all(node.running and not node.paused for node in self.nodes):
            return False
        agreed: tuple[dict[int, Server], dict[str, str]] | None = None
        for node in self.nodes:
            with node.connect() as client:
                state, lines, shards, replication = client.pipeline(_QUESTIONS)
            view = _parse(_text(lines))
            owners = self._owners(view)
            agreed = agreed or (owners, _following(view))
            if "cluster_state:ok" not in _text(state) or agreed != (owners, _following(view)):
                return False
            if any("fail" in fields[2] or "handshake" in fields[2] for fields in view.values()):
                return False
            # A replica that has not been heard of is left out by CLUSTER SLOTS.
            if len(view) != len(self.nodes) or len(self.nodes) != _count(b"online", shards):
                return False
            replica = any("myself,slave" in fields[2] for fields in view.values())
            if replica != (node not in owners.values()):
                return False
            if replica and "master_link_status:up" not in _text(replication):
                return False
        return agreed is not None and self.size == len(set(map(id, agreed[0].values())))

    def heal(self) -> None:
        """
        Start and resume what was stopped, and wait until the cluster is whole and empty again.

        Raises:
            ClusterFailed: it does not heal
        """
        for node in self.nodes:
            if not node.running:
                node.start()
            if node.paused:
                node.resume()
        self.wait(self.healthy)
        for node in self.nodes:
            with node.connect() as client:
                client.pipeline(_CLEANING)  # replicas refuse what their primaries do for them

    def close(self) -> None:
        """
        End all nodes.
        """
        for node in self.nodes:
            node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Cluster {self.identifier} on ports {[node.port for node in self.nodes]}>"

    # ------------------------------------------------------------------------------------------------------- inside

    def _form(self, primaries: int) -> None:
        for number, node in enumerate(self.nodes):
            with node.connect() as client:
                client.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                if number < primaries:
                    first, last = (SLOTS * share // primaries for share in (number, number + 1))
                    client.command("CLUSTER", "ADDSLOTSRANGE", first, last - 1)
                for other in self.nodes[:number]:  # everybody meets everybody: faster than gossip
                    client.command("CLUSTER", "MEET", other.host, self._port(other))
        self.wait(lambda: all(len(self._view(node)) == len(self.nodes) for node in self.nodes))
        self.wait(
            lambda: not any("handshake" in fields[2] for node in self.nodes for fields in self._view(node).values())
        )
        for number, node in enumerate(self.nodes[primaries:]):
            node.command("CLUSTER", "REPLICATE", self._name(self.nodes[number % primaries]))
        self.wait(self.healthy)

    def _settled(self, slot: int, target: Server) -> bool:
        """
        Tell whether all nodes know that a slot is served by a node, and since which epoch.

        The nodes of a move are told of it by command, and may hear of the epoch later. A source that takes the slot back
        before that thinks its own epoch is the newest and keeps it; everybody else then goes on believing the target.
        """
        name = self._name(target)
        views = [self._view(node) for node in self.nodes if node.running]
        epochs = {view[name][6] for view in views}
        return len(epochs) == 1 and all(self._serving(slot, view) is target for view in views)

    def _serving(self, slot: int, view: dict[str, list[str]]) -> Server:
        owners = self._owners(view)
        return owners[max(first for first in owners if first <= slot)]

    def _port(self, node: Server) -> int:
        """
        Give the port that nodes know each other by.
        """
        return node.tls_port if self._tls else node.port

    def _view(self, node: Server) -> dict[str, list[str]]:
        return _parse(_text(node.command("CLUSTER", "NODES")))

    def _name(self, node: Server) -> str:
        return _text(node.command("CLUSTER", "MYID"))

    def _named(self, name: str) -> Server:
        return self._at(_port(self._view(self._any())[name]))

    def _at(self, port: int) -> Server:
        return next(node for node in self.nodes if port in (node.port, node.tls_port))

    def _any(self) -> Server:
        return next(node for node in self.nodes if node.running and not node.paused)

    def _ask(self, node: Server | None) -> Server:
        return self._any() if node is None else node


def _parse(lines: str) -> dict[str, list[str]]:
    """
    Read CLUSTER NODES: the fields of each node, by its name.
    """
    return {line.split()[0]: line.split() for line in lines.splitlines()}


def _count(word: bytes, reply: Reply) -> int:
    return sum(_count(word, item) for item in reply) if isinstance(reply, list) else int(reply == word)


def _following(view: dict[str, list[str]]) -> dict[str, str]:
    """
    Tell whom each node follows, by their names.
    """
    return {name: fields[3] for name, fields in view.items()}


def _port(fields: list[str]) -> int:
    """
    Read the port in a line of CLUSTER NODES: ``host:port@busport``, perhaps with host names behind.
    """
    return int(fields[1].partition("@")[0].rpartition(":")[2])


def _text(reply: Reply) -> str:
    if isinstance(reply, ErrorReply):
        raise reply
    assert isinstance(reply, bytes)
    return reply.decode()


class ClusterPool:
    """
    One running cluster per program, started when first asked for and healed each time after.
    """

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}

    def get(self, program: Program) -> Cluster:
        """
        Return the cluster of this program, whole and empty.
        """
        cluster = self._clusters.get(program.identifier)
        if cluster is not None:
            try:
                cluster.heal()
                return cluster
            except ClusterFailed:
                cluster.close()
        cluster = self._clusters[program.identifier] = Cluster(program)
        return cluster

    def close(self) -> None:
        """
        End all clusters.
        """
        while self._clusters:
            self._clusters.popitem()[1].close()


__all__ = ["NODE_TIMEOUT", "Cluster", "ClusterFailed", "ClusterPool", "RawClient", "slot_of"]
