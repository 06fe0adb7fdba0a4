"""
Decide where a command of a cluster client goes next: at first, and after each failure.

A ``Route`` is one command's way through the cluster. MOVED and ASK are followed at once, five times at most. What a node
refused, and what certainly did not reach one, is tried again as long as the command's time lasts, because a failover takes
seconds and the command need not know. What may have run is sent again only if that does no harm, as everywhere.

No clock, no randomness: both are handed in.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, NamedTuple

from ..exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    PrimaryDownError,
    ProtocolError,
    ReadOnlyError,
    RequestTimeoutError,
    UnblockedError,
)
from .command import Command
from .config import TCPAddress
from .errors import REFUSALS
from .retry import RetryPolicy
from .topology import Topology, announced_host

MAX_REDIRECTS: Final = 5
# Seconds. While a failover lasts it is the pauses that decide how long after it the command gets through.
LONGEST_PAUSE: Final = 0.5
# Seconds. An attempt that has less would only replace what a node has answered by a time-out.
LEAST_SECONDS: Final = 0.01


class News(enum.Enum):
    """
    What a failure says about the topology that led there.
    """

    NONE = "nothing"
    DOUBTFUL = "ask for it again soon"
    WRONG = "ask for it again before the next attempt"


class Decision(NamedTuple):
    """
    What to do after a failure.

    Attributes:
        pause: seconds to wait before the next attempt, or None: give the error to the caller
        news: what to think of the topology
        moved: a slot and the address of the node that serves it now, if the failure said so
    """

    pause: float | None
    news: News = News.NONE
    moved: tuple[int, TCPAddress] | None = None


class Route:
    """
    The way of one command.

    Args:
        slot: of its keys; None: any primary serves it
        address: the one node that may serve it; no redirect is followed then
        replicas: a replica may serve it; with an address: the node is one

    Attributes:
        node: where it went last
        asking: it has to be introduced by ASKING
        on_replica: ``node`` is a replica, which has to be told to answer
        generation: of the topology it was chosen from
        outdated: the generation that turned out to be wrong; 0: none
    """

    __slots__ = (
        "_address",
        "_avoided",
        "_redirects",
        "_replicas",
        "_target",
        "asking",
        "generation",
        "node",
        "on_replica",
        "outdated",
        "slot",
    )

    def __init__(self, slot: int | None, *, address: TCPAddress | None = None, replicas: bool = False) -> None:
        self.slot = slot
        self.node: TCPAddress | None = None
        self.asking = False
        self.on_replica = False
        self.generation = self.outdated = 0
        self._address = address
        self._replicas = replicas
        self._target: TCPAddress | None = None
        self._redirects = 0
        self._avoided: set[TCPAddress] = set()  # replicas that failed

    def choose(self, topology: Topology, chance: float) -> TCPAddress:
        """
        Choose the node for the next attempt.

        Args:
            topology: as far as it is known
            chance: a random number, 0 up to 1

        Raises:
            ClusterDownError: nobody is known to serve the slot
        """
        self.on_replica = False
        if self._address is not None:
            self.node = self._address
            self.on_replica = self._replicas
        elif self._target is not None:
            self.node = self._target
        elif self.slot is None:
            others = [node for node in topology.primaries if node.address not in self._avoided]
            candidates = others or list(topology.primaries)
            if not candidates:
                raise ClusterDownError("CLUSTERDOWN no node is known that serves any slot")
            self.node = candidates[int(chance * len(candidates))].address
        else:
            shard = topology.shard(self.slot)
            if shard is None:
                raise ClusterDownError(f"CLUSTERDOWN no node is known that serves slot {self.slot}")
            self.node = shard.primary.address
            if self._replicas:
                fit = [node for node in shard.replicas if node.address not in self._avoided]
                if fit:
                    self.node = fit[int(chance * len(fit))].address
                    self.on_replica = True
        return self.node

    def after(
        self,
        error: Exception,
        command: Command[object],
        policy: RetryPolicy,
        attempt: int,
        remaining: float,
        chance: float,
        mapped: Callable[[tuple[str, int]], TCPAddress],
        risk: bool = False,
    ) -> Decision:
        """
        Decide after a failure.

        Args:
            error: what happened
            command: what was asked
            policy: of the client
            attempt: how many failures came before this one
            remaining: seconds left for the command
            chance: a random number, 0 up to 1
            mapped: makes an address of what a node announces
            risk: it is a single command, to which ``retry_unsafe`` applies
        """
        if self._address is not None:
            return Decision(policy.decide(error, command, attempt, remaining, chance, risk=risk), _doubt(error))
        if isinstance(error, AskError):
            return self._redirected(error, policy, remaining, chance, mapped)
        pause = min(LONGEST_PAUSE, policy.pause(attempt, chance))
        if isinstance(error, ReadOnlyError) or (isinstance(error, UnblockedError) and _demoted(error)):
            self._redirects += 1
            if self._redirects > MAX_REDIRECTS:
                return Decision(None, News.WRONG)
            self._forget_target()
            return Decision(_within(remaining, pause), News.WRONG)
        if self.on_replica and isinstance(error, ConnectionError | PrimaryDownError) and policy.retries:
            # It was a read, and whoever else has the data may answer it at once.
            assert self.node is not None
            self._avoided.add(self.node)
            return Decision(_within(remaining, 0.0), News.DOUBTFUL)
        if isinstance(error, REFUSALS):
            if isinstance(error, ClusterDownError | BusyLoadingError | PrimaryDownError):
                self._forget_target()
            return Decision(_within(remaining, pause) if policy.retries else None, _doubt(error))
        if isinstance(error, ConnectionError):
            self._forget_target()
            if self.slot is None and self.node is not None:
                self._avoided.add(self.node)
            certainly_not = not error.may_have_run
            repeatable = command.idempotent or (risk and policy.risks(command))
            again = certainly_not or (repeatable and attempt < policy.retries)
            if policy.retries == 0 or isinstance(error, ProtocolError) or not again:
                return Decision(None, _doubt(error))
            return Decision(_within(remaining, pause), _doubt(error))
        return Decision(None, _doubt(error))

    def arrived(self) -> None:
        """
        Note that the node executes what is sent to it. Should it be sent elsewhere later, that is counted anew.
        """
        self._redirects = 0

    def _redirected(
        self,
        error: AskError,
        policy: RetryPolicy,
        remaining: float,
        chance: float,
        mapped: Callable[[tuple[str, int]], TCPAddress],
    ) -> Decision:
        assert self.node is not None
        self._redirects += 1
        moved = isinstance(error, MovedError)
        target = mapped((announced_host(error.host, self.node.host), error.port))
        news = News.DOUBTFUL if moved else News.NONE
        place = (error.slot, target) if moved else None
        if self._redirects > MAX_REDIRECTS:
            return Decision(None, news, place)
        self._target, self.asking = target, not moved
        # The first at once; nodes that point at each other need time to agree.
        pause = 0.0 if self._redirects == 1 else min(LONGEST_PAUSE, policy.pause(self._redirects - 2, chance))
        return Decision(_within(remaining, pause), news, place)

    def _forget_target(self) -> None:
        self._target, self.asking = None, False


def _within(remaining: float, pause: float) -> float | None:
    return pause if pause + LEAST_SECONDS < remaining else None


def _doubt(error: Exception) -> News:
    """
    Tell what a failure without redirect says about the topology.
    """
    if isinstance(error, ClusterDownError | PrimaryDownError | ReadOnlyError):
        return News.WRONG
    if isinstance(error, ConnectionError):
        return News.NONE if isinstance(error, ProtocolError) else News.WRONG
    return News.DOUBTFUL if isinstance(error, RequestTimeoutError) else News.NONE


def _demoted(error: UnblockedError) -> bool:
    """
    Tell whether a blocked command was ended because its server is a primary no more. CLIENT UNBLOCK, which an application
    asked for, has the same code, so the text has to tell.
    """
    return "instance state changed" in str(error)
