# Generated from coredis/_async/clusters.py by scripts/generate.py: edit that file, not this one.
"""
The engine of a client of a cluster: each command gets a route, and what is for several nodes is carried out on all of them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import AnyStr, TypeVar

from coredis._sync.client import ASKING, Client
from coredis._sync.connection import Connection
from coredis._sync.fanout import Errand, carry_out
from coredis._sync.nodes import Nodes
from coredis._sync.pool import Pool
from coredis._core.command import Command
from coredis._core.commands import words as word_by_word
from coredis._core.config import TCPAddress, Times
from coredis._core.keyspecs import Keyspec, find_positions, read_keyspec
from coredis._core.redirects import LEAST_SECONDS, Route
from coredis._core.retry import RetryPolicy
from coredis._core.routing import Merge, Part, Plan, Scope, decisive, make_plan, spread
from coredis._core.slots import key_slot
from coredis._core.topology import Place, Topology, announced_host
from coredis._runtime import blocking as rt
from coredis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    RedisError,
    RequestTimeoutError,
    ResponseError,
    StreamConsumerGroupError,
)
from coredis.typing import ResponseType, ValueT

R = TypeVar("R")


class ClusterClient(Client[AnyStr]):
    """
    Executes commands on the nodes of a cluster.

    Attributes:
        nodes: topology and connections
    """

    def __init__(
        self,
        nodes: Nodes,
        times: Times,
        *,
        encoding: str,
        decode_responses: bool,
        retry_policy: RetryPolicy,
        replicas: bool,
        split: bool,
    ) -> None:
        super().__init__(times, encoding=encoding, decode_responses=decode_responses, retry_policy=retry_policy)
        self._replicas = replicas
        self._split = split
        self._keyspecs: dict[bytes, Keyspec] = {}
        self._asked: dict[int, TCPAddress] = {}  # slots that consumers were sent elsewhere for, and where
        self._outdated = 0  # the generation of the topology that consumers found to be wrong
        self.nodes = nodes

    def __repr__(self) -> str:
        if not hasattr(self, "nodes"):  # seen in the traceback of a constructor that refused its arguments
            return f"<{type(self).__name__} that was not made>"
        return f"<{type(self).__name__} {', '.join(map(str, self.nodes.seeds))}>"

    def close(self) -> None:
        """
        Close every connection to every node, those of consumers included. Commands in flight fail.

        A later command opens connections again.
        """
        self.nodes.close()

    # ---------------------------------------------------------------------------------------------------- executing

    def issue(self, command: Command[R], route: Route | None = None) -> R:
        """
        Execute one command, built by a command method. See ``Client.issue``.

        Raises:
            ClusterCrossSlotError: its keys are in several slots; nothing was sent
        """
        if route is not None:
            return super().issue(command, route)
        plan = self.plan(command)
        if plan.scope is Scope.SLOT or plan.scope is Scope.ANY:
            return super().issue(command, self.route(command, plan.slot))
        command.encoded(self._encoding)  # a bad argument is an error before anything else
        parts, merge = spread(plan, command, self.topology())
        errands = self.errands(parts)
        deadline = math.inf if self._times.request is None else rt.now() + self._times.request
        if command.block is not None:
            deadline = rt.now() + command.block + self._times.grace
        carry_out(self, errands, deadline)
        error = decisive([errand.error for errand in errands], one_suffices=plan.one_suffices)
        if error is not None:
            raise self.explain(command, error)
        return self.merged(command, merge, errands)

    def execute_command(self, *words: ValueT) -> ResponseType:
        """
        Execute a command given word by word, for those that have no method here.

        Where its keys are is asked of a node, once for each command whose keys always stand in the same places.

        Args:
            words: the command's name, its subcommand as a word of its own, and its arguments

        Returns:
            the reply, decoded where text is decoded; a map is a dict (RESP3) or a flat list (RESP2), as the server sent it

        Raises:
            ValueError: no word at all, or a command that would change the connection other callers share
        """
        return self.issue(self.located(word_by_word.command(words, self.replies)))

    def topology(self) -> Topology:
        """
        Give the topology, asking for it if it is time.

        Raises:
            RedisError: no node tells
        """
        request = self._times.request
        return self.nodes.current(math.inf if request is None else rt.now() + request)

    def on_primaries(self, command: Command[R]) -> dict[str, R]:
        """
        Execute a command without keys on every primary.

        Returns:
            the results by address, as ``"host:port"``
        """
        parts = [Part(command, shard.first_slot) for shard in (self.topology()).shards]
        errands = self.errands(parts)
        carry_out(self, errands, math.inf if self._times.request is None else rt.now() + self._times.request)
        error = decisive([errand.error for errand in errands], one_suffices=False)
        if error is not None:
            raise self.explain(command, error)
        return {str(errand.route.node): self.convert(command, errand.reply) for errand in errands}

    def located(self, command: Command[R]) -> Command[R]:
        """
        Find the keys in a command that was given word by word.
        """
        command.encoded(self._encoding)
        name = command.name.upper().encode()
        spec = self._keyspecs.get(name)
        if spec is None:
            spec = self.issue(Command(("COMMAND", "INFO", name), read_keyspec, readonly=True))
            self._keyspecs[name] = spec
        if spec.varies:
            keys = self._keys_told(command)
        else:
            keys = spec.positions(len(command.arguments))
        return Command(
            command.arguments, command.convert, keys=keys, readonly=spec.readonly, idempotent=False, block=command.block
        )

    def _keys_told(self, command: Command[object]) -> tuple[int, ...]:
        question: Command[list[bytes]] = Command(("COMMAND", "GETKEYS", *command.arguments), list, readonly=True)
        try:
            told = self.issue(question)
        except ResponseError:
            return ()  # it has none, or the server will say what is wrong with it
        return find_positions(command, told, self._encoding)

    # ------------------------------------------------------------------------------------------------------- inside

    def plan(self, command: Command[object]) -> Plan:
        """
        Decide where a command goes.

        Raises:
            ClusterCrossSlotError: nowhere, since its keys are in several slots
        """
        return make_plan(command, self._encoding, split=self._split)

    def route(self, command: Command[object], slot: int | None) -> Route:
        """
        Begin the way of a command for one node.
        """
        return Route(slot, replicas=self._replicas and command.readonly)

    def way(self, command: Command[object]) -> Route:
        """
        Begin the way of a command whose keys are in one slot.

        Raises:
            ClusterCrossSlotError: they are not
        """
        return self.route(command, self.plan(command).slot)

    def errands(self, parts: Iterable[Part]) -> list[Errand]:
        """
        Make what ``carry_out`` carries out.
        """
        return [
            Errand(
                part.command,
                part.command.encoded(self._encoding),
                self.route(part.command, part.slot)
                if part.address is None
                else Route(None, address=part.address, replicas=self._replicas),
            )
            for part in parts
        ]

    def merged(self, command: Command[R], merge: Merge, errands: Iterable[Errand]) -> R:
        """
        Make the result of a command of the replies to its parts; parts that failed are left out.

        Raises:
            InvalidResponse: a reply has an unexpected shape
        """
        whole = Command(command.arguments, lambda replies: command.convert(merge(replies)))
        return self.convert(whole, [errand.reply for errand in errands if errand.error is None])

    def _pools(self) -> Iterable[Pool]:
        return self.nodes.pools() if hasattr(self, "nodes") else ()

    def _reach(self, route: Route, deadline: float) -> Pool:
        topology = self.nodes.known(route.outdated)
        if topology is None:
            topology = self.nodes.current(deadline, route.outdated)
        return self.nodes.chosen(route, topology)

    def consider(
        self,
        route: Route,
        error: RedisError,
        command: Command[object],
        attempt: int,
        remaining: float,
        risk: bool = False,
    ) -> float | None:
        """
        Learn from a failure, and decide how long to wait before the next attempt; None: there is none.
        """
        policy = self._retry_policy
        if self.nodes.topology is None:  # it is not the command that failed, but asking where it should go
            return policy.decide(error, command, attempt, remaining, rt.random(), risk=risk)
        decision = route.after(error, command, policy, attempt, remaining, rt.random(), self.nodes.mapped, risk)
        self.nodes.learn(route, error, decision)
        if route.outdated >= self.nodes.generation and self.nodes.wait() + LEAST_SECONDS > remaining:
            return None  # where to send it will not be known in time, and what has happened says more than that
        return decision.pause

    @property
    def closings(self) -> int:
        """
        How often the client has been closed.
        """
        return self.nodes.closings

    def bind(self) -> None:
        """
        Check that the client may be used here.

        Raises:
            RuntimeError: it belongs to another event loop
        """
        self.nodes.bind()

    # --------------------------------------------------------------------------------------------------- for consumers

    def slot(self, name: bytes) -> int:
        """
        Tell the slot of a key.
        """
        return key_slot(name)

    def atomic(self, names: Iterable[bytes]) -> bool:
        """
        Tell whether these keys may be used together in one command or transaction: whether they share a slot.
        """
        return len(set(map(key_slot, names))) <= 1

    def places(self, names: Iterable[bytes], *, patient: bool = True) -> dict[Hashable, list[bytes]]:
        """
        Tell how keys divide into places to read from: the primaries that serve their slots.

        Keys that nobody serves at the moment are in the place None, which ``detach`` refuses.

        Args:
            names: of the keys
            patient: wait until the topology may be asked for; else what is known will do until then

        Raises:
            RedisError: the topology is not known, and no node tells
        """
        request = self._times.request
        try:
            outdated = self._outdated if patient or self.nodes.wait() <= 0 else 0
            topology = self.nodes.current(math.inf if request is None else rt.now() + request, outdated)
        except RedisError:
            if self.nodes.topology is None:
                raise
            topology = self.nodes.topology  # where keys are that did not move is known all the same
        found: dict[Hashable, list[bytes]] = {}
        for name in names:
            found.setdefault(self._place(topology, key_slot(name)), []).append(name)
        return found

    def _place(self, topology: Topology, slot: int) -> Place | None:
        shard = topology.shard(slot)
        owner = None if shard is None else shard.primary.address
        asked = self._asked.get(slot)
        if asked is not None and asked != owner:
            return Place(asked, asking=True)
        self._asked.pop(slot, None)
        return None if owner is None else Place(owner)

    def issue_at(self, place: Hashable, command: Command[R]) -> R:
        """
        Execute one command at a place, whatever its keys, once.

        Raises:
            RedisError: as ``issue``
        """
        if not isinstance(place, Place):
            raise ClusterDownError("CLUSTERDOWN no node is known that serves these keys")
        errands = self.errands([Part(command, None, place.address)])
        carry_out(self, errands, math.inf if self._times.request is None else rt.now() + self._times.request)
        (errand,) = errands
        if errand.error is not None:
            raise errand.error
        return self.convert(command, errand.reply)

    def detach(self, deadline: float, place: Hashable = None) -> Connection:
        """
        Open a connection beside the pools, for one consumer's reads; give it back with ``discard``.

        Args:
            deadline: when to give up
            place: one of those that ``places`` told

        Raises:
            ConnectionError: it cannot be opened
            ClusterDownError: nobody serves the keys of this place
        """
        if not isinstance(place, Place):
            raise ClusterDownError("CLUSTERDOWN no node is known that serves these keys")
        connection = self.nodes.pool(place.address).detach(deadline)
        connection.introduction = ASKING if place.asking else b""
        return connection

    def moved(self, error: RedisError, place: Hashable) -> None:
        """
        Tell what happened to a read at one place, so that ``places`` may know better next time. It does not wait itself.

        Args:
            error: of the connection or the server
            place: where
        """
        nodes, topology = self.nodes, self.nodes.topology
        if topology is None:
            return
        if isinstance(error, AskError) and isinstance(place, Place):
            target = nodes.mapped((announced_host(error.host, place.address.host), error.port))
            if not isinstance(error, MovedError):
                self._asked[error.slot] = target
                return
            self._asked.pop(error.slot, None)
            shard = topology.shard(error.slot)
            if shard is None or shard.primary.address != target:
                nodes.doubt(nodes.generation, (error.slot, target))
            return
        if isinstance(place, Place):
            for slot in [slot for slot, address in list(self._asked.items()) if address == place.address]:
                self._asked.pop(slot, None)
            if isinstance(error, StreamConsumerGroupError):
                return  # gone, or a node takes over the slot once more and does not have it yet: its owner knows
            if isinstance(error, ConnectionError | RequestTimeoutError):
                nodes.suspect(place.address)
            if place.address not in (node.address for node in topology.primaries):
                return  # it is known already that it serves nothing any more
        self._outdated = nodes.generation
        nodes.doubt(nodes.generation)

    def due(self) -> bool:
        """
        Tell whether it is time for ``confirm``: never, since nodes themselves tell when they serve a key no more.
        """
        return False

    def due_at(self) -> float:
        """
        Tell when that will be: never.
        """
        return math.inf

    def confirm(self, deadline: float) -> None:
        """
        Find out whether connections still lead to the right server: here nothing is to be asked for.
        """
