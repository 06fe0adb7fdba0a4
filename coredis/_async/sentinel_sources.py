"""
Ask sentinels where a service is, and connect there: what stands behind the clients that a ``Sentinel`` makes.

Each client asks for itself and on connections of its own, so closing a client closes everything it opened. There is no
background task: the sentinels are asked at every connect, and again about once a second while the client is in use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from coredis._async.connection import Connection, open_connection
from coredis._async.pool import Pool
from coredis._async.source import Source
from coredis._core import sentinel
from coredis._core.command import Reply
from coredis._core.config import ConnectionOptions, TCPAddress
from coredis._core.retry import LAST_MOMENT_SECONDS, RetryPolicy
from coredis._core.sentinel import Ledger, View
from coredis._runtime import aio as rt
from coredis.exceptions import (
    ConnectionError,
    ConnectionLostError,
    PrimaryNotFoundError,
    RedisError,
    ReplicaNotFoundError,
    RequestTimeoutError,
    SentinelError,
    StalePrimaryError,
)
from coredis.typing import StringT

MAX_SENTINEL_CONNECTIONS: Final = 16  # to one sentinel; in the asynchronous flavour one carries all questions
_PAUSES: Final = RetryPolicy(max_delay=0.5)  # between attempts to find a server


class Sentinels:
    """
    Some sentinels and the order to ask them in: random at first, then whoever gave a useful answer comes first and whoever
    did not comes last.

    Args:
        options: how to reach each
        min_others: do not believe one that knows fewer others
        mapped: makes an address of what they announce

    Attributes:
        closings: how often it has been closed: a search that is under way then ends
    """

    def __init__(
        self,
        options: Sequence[ConnectionOptions],
        min_others: int,
        mapped: Callable[[tuple[str, int]], TCPAddress],
    ) -> None:
        self._pools = [Pool(each, MAX_SENTINEL_CONNECTIONS) for each in options]
        self._pools.sort(key=lambda _: rt.random())
        self._min_others = min_others
        self._mapped = mapped
        self.closings = 0

    async def ask(
        self,
        service: StringT,
        ledger: Ledger,
        closings: int,
        deadline: float,
        *,
        patience: float = math.inf,
        reachable: bool = False,
    ) -> tuple[View, Pool]:
        """
        Ask one sentinel after the other until one gives an answer to go by.

        Args:
            service: its name
            ledger: what has been heard of it before
            closings: how often this had been closed when the search began
            deadline: when to give up
            patience: seconds to wait for each sentinel
            reachable: ask on when a sentinel says that the primary is down

        Returns:
            the answer, and who gave it, for ``put_last``

        Raises:
            PrimaryNotFoundError: none did; ``temporary`` tells whether that may change
            ConnectionLostError: closed meanwhile
            SentinelError: the address map fails
        """
        payload, count = sentinel.question(service)
        await self._check_open(closings)
        reasons: list[str] = []
        outdated: list[View] = []
        helpless = 0  # how many will say the same next time
        for pool in list(self._pools):
            try:
                replies = await self._exchange(pool, payload, count, min(deadline, rt.now() + patience))
                view = sentinel.read(replies)
            except RedisError as error:
                helpless += sentinel.hopeless(error)
                reason = str(error)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                reason = f"unexpected reply ({type(error).__name__})"
            else:
                if view is None:
                    helpless += 1
                    reason = "does not know it"
                elif view.others < self._min_others:
                    reason = f"knows only {view.others} other sentinels"
                elif not ledger.believes(view):
                    outdated.append(view)
                    reason = f"is behind the others and still names {view.primary}"
                elif view.down and reachable:
                    reason = f"says that {view.primary} is down"
                else:
                    self._put_first(pool)
                    await self._check_open(closings)
                    return sentinel.located(view, self._mapped), pool
            await self._check_open(closings)
            reasons.append(f"{pool.place} {reason}")
            self.put_last(pool)
        reset = ledger.reset(outdated, len(self._pools))
        if reset is not None:
            return sentinel.located(reset, self._mapped), self._pools[0]
        raise PrimaryNotFoundError(
            f"no sentinel names a primary of {service!r}: {'; '.join(reasons)}", temporary=helpless < len(self._pools)
        )

    def _put_first(self, pool: Pool) -> None:
        if self._pools[0] is not pool:
            self._pools = [pool, *(other for other in self._pools if other is not pool)]

    def put_last(self, pool: Pool) -> None:
        """
        Ask this sentinel after all others from now on: its answer led nowhere.
        """
        self._pools = [*(other for other in self._pools if other is not pool), pool]

    async def _exchange(self, pool: Pool, payload: bytes, count: int, deadline: float) -> list[Reply]:
        limit = pool.options.times.request
        if limit is not None:
            deadline = min(deadline, rt.now() + limit)
        connection = await pool.acquire(False, deadline)
        held = True
        try:
            try:
                return await connection.channel.start(payload, count, deadline).result(deadline)
            except RequestTimeoutError:
                pool.retire(connection)
                raise
            finally:
                pool.release(connection)
                held = False
        except BaseException:
            if held:  # interrupted on the way into release, which knew nothing of it
                pool.discard(connection)
            raise

    async def _check_open(self, closings: int) -> None:
        """
        Let a search end that was overtaken by ``close``, and close what it opened since.
        """
        if closings != self.closings:
            for pool in self._pools:
                await pool.close()
            raise ConnectionLostError("the client was closed")

    async def close(self) -> None:
        """
        Close the connections to all sentinels.
        """
        self.closings += 1
        for pool in self._pools:
            await pool.close()

    def channels(self) -> Iterator[rt.Channel]:
        """
        Every open channel.
        """
        for pool in self._pools:
            yield from pool.channels()


class ServiceSource(Source):
    """
    A server of one service. What is done for the primary and for replicas alike.
    """

    #: Seconds for which an answer is good while the client is in use.
    period = sentinel.PERIOD_SECONDS

    def __init__(self, service: StringT, sentinels: Sentinels) -> None:
        self.service = service
        self._sentinels = sentinels
        self._ledger = Ledger()
        self._lock = rt.StateLock()
        self._next = math.inf  # when to ask again; there is nothing to confirm before the first answer
        self._checking: rt.Event | None = None
        self._checking_until = -math.inf
        rt.after_fork(self)

    # -------------------------------------------------------------------------------------------------- connecting

    async def open(self, options: ConnectionOptions, deadline: float) -> Connection:
        """
        Ask the sentinels, connect, look at the server's role; again with growing pauses until all is as it should be.

        Raises:
            PrimaryNotFoundError, ReplicaNotFoundError: nothing is found or reached by then
            StalePrimaryError: what the sentinels name is no primary
            ReplyError: the server refuses us
        """
        whole = options.times.connect
        if deadline == math.inf and whole is not None:
            deadline = rt.now() + whole
        share = (whole or sentinel.DEFAULT_CONNECT_SECONDS) / sentinel.ATTEMPT_SHARE
        options = replace(options, identity=replace(options.identity, ask_role=True))
        closings = self._sentinels.closings
        failed: set[TCPAddress] = set()
        attempt = 0
        problem: SentinelError | None = None
        while True:
            try:
                return await self._attempt(options, closings, deadline, share, failed)
            except SentinelError as error:
                remaining = deadline - LAST_MOMENT_SECONDS - rt.now()
                if problem is None or remaining > 0:
                    problem = error  # else it says no more than that time is up
                if not error.temporary or remaining <= 0:
                    raise problem from problem.__cause__
                pause = min(remaining, _PAUSES.pause(attempt, rt.random()))
            attempt += 1
            await rt.sleep(pause)

    async def _attempt(
        self, options: ConnectionOptions, closings: int, deadline: float, share: float, failed: set[TCPAddress]
    ) -> Connection:
        view, told_by = await self._ask(closings, deadline, math.inf, reachable=True)
        address, role = self._choose(view, failed)
        try:
            connection = await open_connection(replace(options, address=address), min(deadline, rt.now() + share))
        except ConnectionError as error:  # a server that is loading as well
            failed.add(address)
            raise self._missing(f"{address}, which a sentinel names, cannot be used: {error}") from error
        try:
            if connection.server.role == role:
                return connection
            failed.add(address)
            self._sentinels.put_last(told_by)
            found = connection.server.role or "of a role that it does not tell"
            raise self._stale(f"{address} is {found}, and a sentinel says that it is a {role} of {self.service!r}")
        except BaseException:  # interrupted as well: the connection is ours to close
            connection.channel.close()
            raise

    async def _ask(
        self, closings: int, deadline: float, patience: float, *, reachable: bool = False
    ) -> tuple[View, Pool]:
        answer = await self._sentinels.ask(
            self.service, self._ledger, closings, deadline, patience=patience, reachable=reachable
        )
        self._learn(answer[0])
        return answer

    def _learn(self, view: View) -> None:
        accepted = self._acceptable(view)
        with self._lock:
            if accepted != self.accepted:
                self.accepted = accepted
            self._next = rt.now() + self.period

    # -------------------------------------------------------------------------------------------------- confirming

    def due(self) -> bool:
        """
        Tell whether it is time to ask again.
        """
        return rt.now() >= self._next

    def due_at(self) -> float:
        """
        Tell when that will be.
        """
        return self._next

    async def confirm(self, deadline: float) -> None:
        """
        Ask the sentinels again; of several callers one does, and the others wait for it.

        When none answers soon, nothing changes: a service works on without its sentinels.
        """
        closings = self._sentinels.closings
        while True:
            with self._lock:
                now = rt.now()
                if now < self._next or now >= deadline:
                    return
                others = self._checking if now < self._checking_until else None
                if others is None:
                    self._checking = mine = rt.Event()
                    # Until then only: whoever is interrupted before it can say that it has finished keeps nobody waiting.
                    self._checking_until = now + sentinel.CONFIRM_SECONDS
                    break
            # It may have been interrupted, so look again.
            await others.wait(min(deadline, self._checking_until))
        try:
            # Half of it for each sentinel, so that one that hangs does not spoil it.
            limit = min(deadline, now + sentinel.CONFIRM_SECONDS)
            await self._ask(closings, limit, sentinel.CONFIRM_SECONDS / 2)
        except SentinelError:
            self._next = rt.now() + sentinel.UNCONFIRMED_SECONDS
        finally:
            self._checking_until = -math.inf
            mine.set()

    def misled(self, error: Exception) -> bool:
        """
        Tell whether no server was found yet, or was the wrong one.
        """
        return isinstance(error, SentinelError) and error.temporary

    def reject(self, connection: Connection, error: Exception) -> None:
        """
        Nothing: what a replica refuses, it refuses rightly.
        """

    # ------------------------------------------------------------------------------------------------------ the end

    async def close(self) -> None:
        """
        Close the connections to the sentinels.
        """
        self._next, self._checking_until = math.inf, -math.inf
        await self._sentinels.close()

    def channels(self) -> Iterator[rt.Channel]:
        """
        Every open channel to a sentinel.
        """
        return self._sentinels.channels()

    def forget_parent(self) -> None:
        """
        Begin afresh in a forked child.
        """
        self._lock = rt.StateLock()
        self._next, self._checking_until = math.inf, -math.inf

    # ----------------------------------------------------------------- what is different for the primary and replicas

    def _choose(self, view: View, failed: set[TCPAddress]) -> tuple[TCPAddress, str]:
        """
        Choose where to connect; returns the role to be found there as well.
        """
        raise NotImplementedError

    def _acceptable(self, view: View) -> frozenset[TCPAddress]:
        raise NotImplementedError

    def _missing(self, message: str) -> SentinelError:
        raise NotImplementedError

    def _stale(self, message: str) -> SentinelError:
        raise NotImplementedError


class PrimarySource(ServiceSource):
    """
    The primary of a service.
    """

    def __str__(self) -> str:
        return f"primary of {self.service!r}"

    def misled(self, error: Exception) -> bool:
        """
        Tell whether there is no primary yet, or the one that there was has been demoted.
        """
        return super().misled(error) or sentinel.demoted(error)

    def reject(self, connection: Connection, error: Exception) -> None:
        """
        Give up a primary that was demoted, unless another one is known already.
        """
        if sentinel.demoted(error):
            with self._lock:
                if connection.address in self.accepted:
                    self.accepted = frozenset()

    def _choose(self, view: View, failed: set[TCPAddress]) -> tuple[TCPAddress, str]:
        return view.primary, "master"

    def _acceptable(self, view: View) -> frozenset[TCPAddress]:
        return frozenset((view.primary,))

    def _missing(self, message: str) -> SentinelError:
        return PrimaryNotFoundError(message)

    def _stale(self, message: str) -> SentinelError:
        return StalePrimaryError(message)


class ReplicaSource(ServiceSource):
    """
    Any replica of a service; its primary when there is none.
    """

    period = sentinel.REPLICA_PERIOD_SECONDS

    def __str__(self) -> str:
        return f"replica of {self.service!r}"

    async def _ask(
        self, closings: int, deadline: float, patience: float, *, reachable: bool = False
    ) -> tuple[View, Pool]:
        try:
            # Replicas serve even while their primary is down.
            return await super()._ask(closings, deadline, patience)
        except PrimaryNotFoundError as error:
            raise ReplicaNotFoundError(str(error), temporary=error.temporary) from error

    def _choose(self, view: View, failed: set[TCPAddress]) -> tuple[TCPAddress, str]:
        if not view.replicas:
            return view.primary, "master"
        candidates = [address for address in view.best_replicas if address not in failed] or view.replicas
        return candidates[int(rt.random() * len(candidates))], "replica"

    def _acceptable(self, view: View) -> frozenset[TCPAddress]:
        return frozenset(view.replicas or (view.primary,))

    def _missing(self, message: str) -> SentinelError:
        return ReplicaNotFoundError(message)

    def _stale(self, message: str) -> SentinelError:
        return ReplicaNotFoundError(message)
