"""
The nodes of a cluster as one client knows them: who serves what, and a pool of connections to each.

The topology is asked for when it is first needed, when something said that it is wrong, and now and then in use. Whoever needs
it does that, one at a time (the others go on with what is known, or wait for the answer if they must): there is no background
task. Names of hosts are resolved at every connect, and the startup nodes are asked again when no other node answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from coredis._async.pool import Pool
from coredis._core.config import ConnectionOptions, TCPAddress
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.redirects import Decision, News, Route
from coredis._core.topology import Topology, read_shards, read_slots
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis.exceptions import (
    ClusterDownError,
    ClusterError,
    ConnectionError,
    PoolTimeoutError,
    RedisError,
    ReplyError,
    RequestTimeoutError,
)

REFRESH_SECONDS: Final = 60.0  # in use, the topology is asked for this often, give or take a tenth
SHORTEST_SECONDS: Final = 0.1  # between two questions; doubled as long as the answer brings nothing new,
LONGEST_SECONDS: Final = 0.5  # up to this
JITTER_SECONDS: Final = 0.05  # so that many clients that see the same failure do not ask at the same moment
ATTEMPT_SECONDS: Final = 1.0  # the least that one node is given to answer before another one is asked
PATIENCE_SECONDS: Final = 5.0  # and the most that all nodes together are given

_SLOTS: Final = encode(("CLUSTER", "SLOTS"))
_SHARDS: Final = encode(("CLUSTER", "SHARDS"))


class Nodes:
    """
    Topology and pools.

    Args:
        seeds: the startup nodes, one at least
        options: how connections are opened, whatever the address
        max_connections: the most connections at a time
        per_node: that is for each node; else it is shared out among those in use
        replicas: replicas are used as well
        mapped: makes an address of what a node announces

    Attributes:
        topology: as far as it is known; None at first
        generation: how often it has been asked for with success
        closings: how often all has been closed
    """

    def __init__(
        self,
        seeds: Sequence[TCPAddress],
        options: ConnectionOptions,
        *,
        max_connections: int,
        per_node: bool,
        replicas: bool,
        mapped: Callable[[tuple[str, int]], TCPAddress],
    ) -> None:
        self.seeds = tuple(seeds)
        self.mapped = mapped
        self.topology: Topology | None = None
        self.generation = 0
        self.closings = 0
        self._options = options
        self._max_connections = max_connections
        self._per_node = per_node
        self._replicas = replicas
        self._lock = rt.StateLock()
        self._pools: dict[tuple[TCPAddress, bool], Pool] = {}
        self._leaving: set[tuple[TCPAddress, bool]] = set()  # were unused and not part of the cluster once already
        self._suspects: set[TCPAddress] = set()  # failed since the last answer: asked last
        self._informed: TCPAddress | None = None  # what a redirect pointed to since the last answer: asked first
        self._due = -math.inf  # when to ask again (monotonic seconds)
        self._asked = -math.inf
        self._spacing = SHORTEST_SECONDS
        self._asking: rt.Event | None = None  # somebody asks at the moment
        self._first = self.pool(self.seeds[0])  # belongs to the event loop for all of them
        rt.after_fork(self)

    def forget_parent(self) -> None:
        """
        Start afresh in a forked child; the pools see to their connections.
        """
        self._lock = rt.StateLock()
        self._asking = None

    # -------------------------------------------------------------------------------------------------------- pools

    def bind(self) -> None:
        """
        Belong to the running event loop from now on.

        Raises:
            RuntimeError: it belongs to another one
        """
        self._first.bind()

    def pool(self, address: TCPAddress, readonly: bool = False) -> Pool:
        """
        Give the pool of connections to a node.

        Args:
            address: of the node
            readonly: connections on which a replica answers reads
        """
        pool = self._pools.get((address, readonly))
        if pool is None:
            identity = replace(self._options.identity, readonly=readonly)
            with self._lock:
                pool = self._pools.get((address, readonly))
                if pool is None:
                    pool = Pool(replace(self._options, address=address, identity=identity), self._limit())
                    self._pools[address, readonly] = pool
        return pool

    def pools(self) -> list[Pool]:
        """
        Every pool there is.
        """
        return list(self._pools.values())

    async def close(self) -> None:
        """
        Close all connections, and forget the topology.
        """
        self.closings += 1
        with self._lock:
            self.topology = None
            self._due = self._asked = -math.inf
            self._spacing = SHORTEST_SECONDS
        for pool in self.pools():
            await pool.close()

    def _limit(self) -> int:
        if self._per_node or self.topology is None:
            return self._max_connections
        shards = self.topology.shards
        nodes = sum(1 + len(shard.replicas) for shard in shards) if self._replicas else len(shards)
        return max(1, self._max_connections // nodes)

    def _tidy(self) -> None:
        """
        After news: share out the connections anew, and close those that nobody will want: to nodes that are no longer part of
        the cluster, or no longer what they were.
        """
        assert self.topology is not None
        limit = self._limit()
        wanted = {(node.address, False) for node in self.topology.primaries}
        wanted |= {(node.address, True) for node in self.topology.replicas}
        with self._lock:
            for key, pool in list(self._pools.items()):
                pool.resize(limit)
                if key in wanted or not pool.close_unused() or pool is self._first:
                    self._leaving.discard(key)
                elif key in self._leaving:
                    # Nobody has used it since the last time either, so nobody holds it who is about to.
                    self._leaving.discard(key)
                    del self._pools[key]
                else:
                    self._leaving.add(key)

    # ------------------------------------------------------------------------------------------------------ routing

    def chosen(self, route: Route, topology: Topology) -> Pool:
        """
        Find the connections to the node that a command goes to next.

        Raises:
            ClusterDownError: nobody serves its slot
        """
        route.generation = self.generation
        address = route.choose(topology, rt.random())
        return self.pool(address, route.on_replica)

    def learn(self, route: Route, error: Exception, decision: Decision) -> None:
        """
        Take note of what a failure said.
        """
        if decision.news is News.NONE:
            return
        if route.node is not None and isinstance(error, ConnectionError | RequestTimeoutError):
            self.suspect(route.node)
        if decision.news is News.WRONG:
            route.outdated = route.generation
        self.doubt(route.generation, decision.moved)

    def suspect(self, address: TCPAddress) -> None:
        """
        Ask this node last when the topology is asked for, until another one has answered.
        """
        with self._lock:
            self._suspects.add(address)

    def doubt(self, generation: int, moved: tuple[int, TCPAddress] | None = None) -> None:
        """
        See to it that the topology is asked for again soon.

        Args:
            generation: of the topology that was wrong; if there is a newer one, nothing happens
            moved: a slot that is elsewhere, and where
        """
        with self._lock:
            if generation != self.generation or self.topology is None:
                return
            if moved is not None:
                self.topology = self.topology.moved(*moved)
                self._informed = moved[1]
            if self._asking is None:
                earliest = self._asked + self._spacing + JITTER_SECONDS * rt.random()
                self._due = min(self._due, max(earliest, rt.now()))

    # ----------------------------------------------------------------------------------------------------- topology

    def wait(self) -> float:
        """
        Say how many seconds it takes until the topology may be asked for; 0: now, or somebody does already.
        """
        return 0.0 if self._asking is not None else max(0.0, self._due - rt.now())

    def known(self, outdated: int = 0) -> Topology | None:
        """
        Give the topology unless somebody has to ask for it first, which ``current`` does.

        Args:
            outdated: a generation that will not do

        Raises:
            RuntimeError: the client belongs to another event loop
        """
        self._first.bind()
        if self.generation > outdated and (self._asking is not None or rt.now() < self._due):
            return self.topology
        return None

    async def current(self, deadline: float, outdated: int = 0) -> Topology:
        """
        Give the topology, asking for it if it is time.

        Args:
            deadline: when to give up
            outdated: a generation that will not do

        Raises:
            ConnectionError: no node answers
            ClusterError: those that do are no nodes of a cluster
            ReplyError: they refuse
        """
        while True:
            topology = self.known(outdated)
            if topology is not None:
                return topology
            topology = self.topology if self.generation > outdated else None
            time_now = rt.now()
            with self._lock:
                asking = self._asking
                mine = asking is None and time_now >= self._due
            if mine:
                try:
                    await self._ask(deadline)
                except (ConnectionError, RequestTimeoutError, ClusterError, ReplyError):
                    if topology is None:
                        raise
                    return topology  # what is known may still do
            elif time_now >= deadline:
                if self.topology is None:
                    raise RequestTimeoutError("the topology of the cluster did not become known in time")
                return self.topology  # the attempt that follows will say what is wrong
            elif asking is not None:
                await asking.wait(min(deadline, time_now + ATTEMPT_SECONDS))
            else:
                await rt.sleep(max(0.0, min(deadline, self._due) - time_now))

    async def _ask(self, deadline: float) -> None:
        event = rt.Event()
        try:
            with self._lock:
                if self._asking is not None:
                    return
                self._asking = event
            await self._refresh(deadline)
        finally:
            if self._asking is event:  # in a forked child, or after an interruption just before, it may not be
                self._asking = None
            event.set()

    async def _refresh(self, deadline: float) -> None:
        """
        Ask one node after the other until one answers.
        """
        deadline = min(deadline, rt.now() + PATIENCE_SECONDS)
        candidates = self._candidates()
        failures: list[RedisError] = []
        closings = self.closings
        for number, address in enumerate(candidates):
            remaining = deadline - rt.now()
            share = max(ATTEMPT_SECONDS, remaining / (len(candidates) - number))
            try:
                topology = await self._question(address, rt.now() + min(remaining, share))
            except (ConnectionError, RequestTimeoutError, PoolTimeoutError, ClusterError, ReplyError) as error:
                failures.append(error)
                if closings != self.closings:
                    break
                continue
            self._accept(topology)
            return
        self._postpone()
        # What a node answered says more than that others cannot be reached.
        raise next((error for error in failures if not isinstance(error, ConnectionError)), failures[0])

    def _candidates(self) -> list[TCPAddress]:
        """
        List the nodes to ask: the one that a redirect pointed to first, since others may not have heard of the change yet; then
        those we are connected to, those that failed last, the startup nodes after all known ones.
        """
        nodes = () if self.topology is None else (*self.topology.primaries, *self.topology.replicas)
        known = dict.fromkeys(node.address for node in nodes)
        connected = {address for (address, _), pool in list(self._pools.items()) if any(pool.channels())}
        suspects, informed = set(self._suspects), self._informed

        def order(address: TCPAddress) -> tuple[bool, bool, bool, bool, float]:
            return (
                address in suspects,
                address != informed,
                address not in known,
                address not in connected,
                rt.random(),
            )

        # Not a set: in which order its members draw their numbers would be another one in each process.
        return sorted({**known, **dict.fromkeys(self.seeds)}, key=order)

    async def _question(self, address: TCPAddress, deadline: float) -> Topology:
        pool = self.pool(address)
        reply = await pool.exchange(_SLOTS, 1, None, deadline)
        if type(reply) is not ErrorLine:
            topology = read_slots(reply, address, self.mapped)
        else:
            refusal = from_line(str(reply))
            if "cluster support disabled" in str(refusal):
                raise ClusterError(f"{address} is not a node of a cluster") from refusal
            reply = await pool.exchange(_SHARDS, 1, None, deadline)
            if type(reply) is ErrorLine:
                raise refusal
            topology = read_shards(reply, address, self.mapped, tls=self._options.tls is not None)
        if not topology.shards:
            raise ClusterDownError(f"CLUSTERDOWN {address} knows no node that serves any slot")
        return topology

    def _accept(self, topology: Topology) -> None:
        with self._lock:
            known = self.topology
            self.topology = topology
            self.generation += 1
            self._suspects = set()
            self._informed = None
            self._asked = rt.now()
            self._spacing = min(LONGEST_SECONDS, self._spacing * 2) if topology == known else SHORTEST_SECONDS
            self._due = self._asked + REFRESH_SECONDS * (0.9 + 0.2 * rt.random())
        self._tidy()

    def _postpone(self) -> None:
        with self._lock:
            self._asked = rt.now()
            self._spacing = min(LONGEST_SECONDS, self._spacing * 2)
            self._due = self._asked + self._spacing + JITTER_SECONDS * rt.random()
