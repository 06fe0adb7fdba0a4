# Generated from coredis/_async/cluster_pipeline.py by scripts/generate.py: edit that file, not this one.
"""
A pipeline over the nodes of a cluster.

Plain: the commands of each node leave together, all nodes work at the same time, and each command is redirected and tried
again on its own. Transaction: all keys in one slot, on one node; it is redirected and tried again as a whole.
"""

from __future__ import annotations

from typing import AnyStr, TypeVar

from coredis._sync.client import ASKING
from coredis._sync.clusters import ClusterClient
from coredis._sync.connection import Connection
from coredis._sync.fanout import Errand, carry_out
from coredis._sync.pipeline import MULTI, BasePipeline
from coredis._sync.pool import Pool
from coredis._core.command import Command
from coredis._core.commands.words import GivenByWord
from coredis._core.queue import Batch, Queued, failed
from coredis._core.redirects import Route
from coredis._core.routing import Merge, Plan, Scope, common_slot, cross_slot, decisive, spread
from coredis._core.transaction import passing_error
from coredis._runtime import blocking as rt
from coredis.exceptions import ClusterCrossSlotError, InvalidResponse, RedisError, RequestTimeoutError, WatchError
from coredis.typing import KeyT

R = TypeVar("R")


class ClusterPipeline(BasePipeline[AnyStr]):
    """
    Queues commands; ``execute``, or the end of the block, sends them to their nodes.

    Every command method returns a ``Queued`` handle; its ``result()`` is there afterwards. Bad arguments fail when they
    are queued, and so do keys in several slots where they must share one. An exception inside the block discards what is
    queued.
    """

    def __init__(self, client: ClusterClient[AnyStr], transaction: bool, raise_on_error: bool) -> None:
        super().__init__(client, transaction, raise_on_error)  # type: ignore[arg-type]
        self._cluster: ClusterClient[AnyStr] = client
        self._slot: int | None = None  # of the transaction
        self._first: Command[object] | None = None  # that decided it
        self._watched: Route | None = None

    def issue(self, command: Command[R]) -> Queued[R]:
        """
        Queue one command, built by a command method.

        Raises:
            ClusterCrossSlotError: its keys are in several slots, or in another one than those of the transaction
        """
        if not isinstance(command, GivenByWord):
            if self._transaction or self._watching is not None:
                self._join(command)
            else:
                self._cluster.plan(command)
        return super().issue(command)

    def reset(self) -> None:
        """
        Discard what is queued; watched keys are watched no more.
        """
        super().reset()
        self._slot = self._first = None

    def start_watching(self, keys: tuple[KeyT, ...]) -> None:
        """
        Send WATCH on a connection that is kept until the transaction is executed. The beginning of a ``watch`` block.

        Raises:
            ClusterCrossSlotError: the keys are in several slots
        """
        self._check_watching()
        command: Command[object] = Command(("WATCH", *keys), bool, keys=range(1, 1 + len(keys)), idempotent=True)
        payload = command.encoded(self._client.encoding)
        self._slot = self._first = None
        self._join(command)
        deadline = self._deadline((), True)
        route = Route(self._slot)
        attempt = 0
        while True:
            try:
                pool = self._pool(route, deadline)
                # For each of the two; after MULTI it holds until EXEC.
                words = [ASKING, payload, ASKING, MULTI] if route.asking else [payload, MULTI]
                self._watch_on(pool, words, deadline)
                self._watched = route
                return
            except RedisError as error:
                pause = self._cluster.consider(route, error, command, attempt, deadline - rt.now())
                if pause is None:
                    raise
            attempt += 1
            rt.sleep(pause)

    # ------------------------------------------------------------------------------------------------------- inside

    def _join(self, command: Command[object]) -> None:
        """
        Take a command into the transaction.
        """
        slot = common_slot(command, self._client.encoding)
        if slot is None:
            return
        if self._slot is None:
            self._slot, self._first = slot, command
        elif slot != self._slot:
            assert self._first is not None
            first = self._first.arguments[self._first.keys[0]]
            both: Command[object] = Command(
                (command.name, first, command.arguments[command.keys[0]]), command.convert, keys=(1, 2)
            )
            raise cross_slot(both, self._client.encoding, "; a transaction is on one node and in one slot")

    def _pool(self, route: Route, deadline: float) -> Pool:
        return self._cluster.nodes.chosen(route, self._cluster.nodes.current(deadline, route.outdated))

    def _run(self, batch: Batch, watching: tuple[Pool, Connection] | None) -> list[Queued[object]]:
        handles, payloads = batch.handles, batch.payloads
        transaction = self._transaction or watching is not None
        deadline = self._deadline(batch.blocks, transaction)
        if transaction:
            try:
                for handle in handles:
                    if isinstance(handle.command, GivenByWord):
                        self._join(self._cluster.located(handle.command))
                if watching is None:
                    self._run_transaction(handles, payloads, deadline)
                else:
                    self._run_watched(handles, payloads, watching, deadline)
            finally:
                self._slot = self._first = None
        else:
            self._run_plain(handles, payloads, deadline)
        failures = failed(handles)
        self._explain(failures)
        return failures

    # ------------------------------------------------------------------------------------------------ a transaction

    def _run_transaction(self, handles: list[Queued[object]], payloads: list[bytes], deadline: float) -> None:
        whole: Command[object] = Command(("EXEC",), bool)
        route = Route(self._slot)
        attempt, closings = 0, self._client.closings
        while True:
            try:
                pool = self._pool(route, deadline)
                self._attempt(pool, route, handles, payloads, deadline)
                return
            except RedisError as error:
                pause = self._cluster.consider(route, error, whole, attempt, deadline - rt.now())
                if pause is None or closings != self._client.closings:
                    raise
            attempt += 1
            rt.sleep(pause)

    def _attempt(
        self, pool: Pool, route: Route, handles: list[Queued[object]], payloads: list[bytes], deadline: float
    ) -> None:
        connection = pool.acquire(True, deadline)
        held = True
        try:
            try:
                self._rehearse(connection, deadline)
                self._exchange(connection, route, handles, payloads, deadline)
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

    def _exchange(
        self,
        connection: Connection,
        route: Route,
        handles: list[Queued[object]],
        payloads: list[bytes],
        deadline: float,
        begun: bool = False,
    ) -> None:
        if route.asking and not begun:
            connection.channel.start(ASKING, 1, deadline)  # holds until EXEC; its own reply is of no interest
        replies = self._transact(connection, payloads, deadline, begun)
        error = passing_error(replies)
        if error is not None:
            raise error
        self._read_transaction(handles, replies)

    def _run_watched(
        self,
        handles: list[Queued[object]],
        payloads: list[bytes],
        watching: tuple[Pool, Connection],
        deadline: float,
    ) -> None:
        route = self._watched
        assert route is not None
        try:
            self._exchange(watching[1], route, handles, payloads, deadline, begun=True)
        except RedisError as error:
            if isinstance(error, WatchError):
                raise
            whole: Command[object] = Command(("EXEC",), bool)
            if self._cluster.consider(route, error, whole, 0, deadline - rt.now()) is None:
                raise
            # It could be sent to another node, but nobody has watched the keys there.
            raise WatchError(
                "the watched keys are served by another node now; nothing of the transaction was executed"
            ) from error

    # ------------------------------------------------------------------------------------------------------- plain

    def _run_plain(self, handles: list[Queued[object]], payloads: list[bytes], deadline: float) -> None:
        client = self._cluster
        errands: list[Errand] = []
        shares: list[tuple[Queued[object], Plan, Merge | None, list[Errand]]] = []
        for handle, payload in zip(handles, payloads, strict=True):
            command = handle.command
            try:
                if isinstance(command, GivenByWord):
                    command = client.located(command)
                plan = client.plan(command)
            except ClusterCrossSlotError as error:  # of a command given word by word
                handle.fail(error)
                continue
            merge: Merge | None = None
            if plan.scope is Scope.SLOT or plan.scope is Scope.ANY:
                own = [Errand(command, payload, client.route(command, plan.slot))]
            else:
                parts, merge = spread(plan, command, client.nodes.current(deadline))
                own = client.errands(parts)
            errands += own
            shares.append((handle, plan, merge, own))
        carry_out(client, errands, deadline)
        for handle, plan, merge, own in shares:
            failure = decisive([errand.error for errand in own], one_suffices=plan.one_suffices)
            try:
                if failure is not None:
                    handle.fail(failure)
                elif merge is None:
                    handle.resolve(client.convert(handle.command, own[0].reply))
                else:
                    handle.resolve(client.merged(handle.command, merge, own))
            except InvalidResponse as error:
                handle.fail(error)
