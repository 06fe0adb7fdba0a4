"""
Send many commands at once and collect their results.

Plain: the commands leave in a few large writes and their replies are read as they come; each succeeds or fails on its own.
Transaction: MULTI and EXEC around them, all or nothing, optionally only if watched keys have not changed.
The methods that queue are generated from those of the clients (``_queued``), so they take the same arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, AnyStr, Final, Generic, Self

from coredis._async.client import Client
from coredis._async.connection import Connection
from coredis._async.pool import Pool
from coredis._async.single import SingleClient
from coredis._async.transfer import Transfer
from coredis._core.command import Reply
from coredis._core.commands import words as word_by_word
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.queue import Batch, Queue, Queued, answer_all, outcomes, short_xack, short_xadd, values
from coredis._core.transaction import CHUNK_BYTES, CHUNK_COMMANDS, abort_errors, chunks
from coredis._core.wire import encode
from coredis._queued.commands import CommandFamilies as QueuedCommands
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError, InvalidResponse, RedisError, RequestTimeoutError, WatchError
from coredis.typing import KeyT, ResponseType, ValueT

MULTI: Final = encode(("MULTI",))
EXEC: Final = encode(("EXEC",))


class BasePipeline(Queue[AnyStr], QueuedCommands[AnyStr]):
    """
    What pipelines have in common, wherever the commands go.
    """

    _results: tuple[object, ...] | None = None
    _watching: tuple[Pool, Connection] | None = None
    _guarded = False  # inside of a watch block, though its keys may be watched no more

    def __init__(self, client: Client[AnyStr], transaction: bool, raise_on_error: bool) -> None:
        Queue.__init__(self, client.encoding)  # Python makes a long way of it to what is above
        self.replies = client.replies
        self._client: Client[AnyStr] = client
        self._transaction = transaction
        self._raise_on_error = raise_on_error

    def execute_command(self, *words: ValueT) -> Queued[ResponseType]:
        """
        Queue a command given word by word. As the client's ``execute_command``.
        """
        return self.issue(word_by_word.command(words, self.replies))

    def __bool__(self) -> bool:
        return True  # an empty pipeline is a pipeline

    @property
    def results(self) -> tuple[object, ...]:
        """
        The results of the last execution in the order of queueing; an error stands in the place of the result it prevented.

        Raises:
            RuntimeError: nothing has been executed yet
        """
        if self._results is None:
            raise RuntimeError("the pipeline has not been executed yet")
        return self._results

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.reset()
        elif len(self) or self._results is None:
            await self.execute()

    def __reduce__(self) -> str:
        raise TypeError("a pipeline belongs to its client and is not pickled")

    def reset(self) -> None:
        """
        Discard what is queued; watched keys are watched no more.
        """
        self._clear()
        self._guarded = False
        self._forget_watching()

    def forget_parent(self) -> None:
        """
        In a forked child: the connection on which keys are watched stays the parent's, and so does the transaction.
        """
        self._watching = None

    def watch(self, *keys: KeyT) -> Watch[AnyStr]:
        """
        Make the commands queued in a block one transaction that happens only if nobody else changes these keys meanwhile.

        Read the keys through the client inside the block. The transaction is executed at its end.

        Raises:
            ValueError: no key
            WatchError: at the end of the block: a key was changed and nothing was executed
        """
        if not keys:
            raise ValueError("keys: expected at least one key to watch")
        if len(self):
            raise RuntimeError("watch: commands are queued already; watch first, then read, then queue")
        return Watch(self, keys)

    async def start_watching(self, keys: tuple[KeyT, ...]) -> None:
        """
        Send WATCH on a connection that is kept until the transaction is executed. The beginning of a ``watch`` block.

        MULTI goes with it: should the server refuse it, that is known before there is anything to execute.
        """
        raise NotImplementedError

    def _check_watching(self) -> None:
        if self._watching is not None:
            raise RuntimeError("watch: keys are being watched already; name them all in one watch")

    async def _watch_on(self, pool: Pool, words: Sequence[bytes], deadline: float) -> None:
        """
        Lease a connection and send WATCH and MULTI on it.
        """
        rt.after_fork(self)
        connection = await pool.acquire(True, deadline)
        self._watching = pool, connection
        try:
            for reply in await connection.channel.start(b"".join(words), len(words), deadline).result(deadline):
                if isinstance(reply, ErrorLine):
                    raise from_line(str(reply))
            self._guarded = True
        except BaseException:  # cancelled or interrupted as well; if that happens here, the pipeline's end resets again
            self._forget_watching()
            raise

    def _forget_watching(self) -> None:
        if self._watching is not None:
            pool, connection = self._watching
            pool.discard(connection)
            self._watching = None

    async def finish_watching(self) -> None:
        """
        Execute the transaction, unless that has been done. The end of a ``watch`` block.
        """
        try:
            if self._watching is not None or len(self):
                await self.execute()
        finally:
            self._guarded = False

    async def execute(self) -> tuple[object, ...]:
        """
        Send what is queued and collect the results. Afterwards the pipeline is empty and can be used again.

        Returns:
            the results in the order of queueing

        Raises:
            RedisError: the first error, after all results are known, unless the pipeline was made with
                ``raise_on_error=False``; the handles have what succeeded
            WatchError: a watched key was changed and nothing was executed
            RuntimeError: in a ``watch`` block whose keys are watched no more; nothing was executed
        """
        if self._guarded and self._watching is None and len(self):
            self.reset()
            raise RuntimeError(
                "watch: the keys are watched no more, so what was queued is not executed: "
                "execute() ends the transaction, and a forked process does not have it"
            )
        batch = self._take()
        watching = self._watching
        for addition in batch.additions:
            self._client.begin(addition)
        failures: list[Queued[object]] | None = None  # not known yet
        try:
            failures = await self._run(batch, watching) if batch.handles or watching is not None else []
        except RedisError as error:
            for handle in batch.handles:
                handle.fail(error)
            if self._raise_on_error or isinstance(error, WatchError):
                raise
        except BaseException:  # cancelled or interrupted: whether the keys are still watched is unknown
            if watching is not None:
                watching[0].discard(watching[1])
            raise
        finally:
            if watching is not None:
                watching[0].release(watching[1])
                self._watching = None  # not before: interrupted until here, it is the pipeline's end that gives it back
            self._results = outcomes(batch.handles) if failures is None or failures else values(batch.handles)
        if failures and self._raise_on_error and failures[0].error is not None:
            raise failures[0].error
        return self._results

    # ------------------------------------------------------------------------------------------------------- inside

    async def _run(self, batch: Batch, watching: tuple[Pool, Connection] | None) -> list[Queued[object]]:
        """
        Send, and give every handle its result or error. A connection on which keys are watched stays the caller's.

        Returns:
            the handles that have an error, in their order
        """
        raise NotImplementedError

    def _deadline(self, blocks: Sequence[float], transaction: bool) -> float:
        request = self._client.times.request
        if request is None:
            return math.inf
        deadline = rt.now() + request
        # Inside a transaction nothing blocks; a plain pipeline may take as long as its blocking commands together.
        return deadline if transaction or not blocks else deadline + math.fsum(blocks)

    async def _transact(
        self, connection: Connection, payloads: Sequence[bytes], deadline: float, begun: bool = False
    ) -> list[Reply]:
        """
        Send MULTI, the commands and EXEC.

        Args:
            connection: where
            payloads: the commands, encoded
            deadline: for all of it
            begun: MULTI has been answered

        Returns:
            the replies to all of these
        """
        if begun:
            return [b"OK", *await self._exchanged(connection, [*payloads, EXEC], deadline)]
        return await self._exchanged(connection, [MULTI, *payloads, EXEC], deadline)

    async def _rehearse(self, connection: Connection, deadline: float) -> None:
        """
        Try an empty transaction, once on each connection. Where MULTI is refused (by an access control list, or by a proxy that
        does not know it), what is sent after it would be executed at once, and not as a transaction.
        """
        if connection.transactions:
            return
        try:
            for reply in await self._exchanged(connection, [MULTI, EXEC], deadline):
                if isinstance(reply, ErrorLine):
                    raise from_line(str(reply))
        except (ConnectionError, RequestTimeoutError) as error:
            error.may_have_run = False  # nothing of the user's was sent
            raise
        connection.transactions = True

    async def _exchanged(self, connection: Connection, payloads: Sequence[bytes], deadline: float) -> list[Reply]:
        replies: list[Reply] = []
        channel = connection.channel
        started = [channel.start(payload, count, deadline) for payload, count in chunks(payloads)]
        for request in started:
            replies += await request.result(deadline)
        return replies

    async def _explain(self, failures: Sequence[Queued[object]]) -> None:
        for handle in failures:
            if handle.error is not None and handle.command.requires:
                handle.replace_error(await self._client.explain(handle.command, handle.error))

    def _read_transaction(self, handles: list[Queued[object]], replies: list[Reply]) -> list[Queued[object]]:
        """
        Give every handle its result or error, and give those that have an error.
        """
        begun, *queued, answer = replies
        if isinstance(begun, ErrorLine) and isinstance(answer, ErrorLine):
            # It was allowed when it was rehearsed, and is not any more.
            answer_all(handles, queued)
            error = from_line(str(begun))
            error.add_note("MULTI was refused, so there was no transaction: each command was executed by itself")
            raise error
        if answer is None:
            raise WatchError("a watched key was changed; nothing of the transaction was executed")
        if isinstance(answer, ErrorLine):
            # Discarded: which command was refused, and why, was said when it was queued.
            for handle, failure in zip(handles, abort_errors(queued, answer), strict=True):
                handle.fail(failure)
            return handles
        if type(answer) is not list:
            raise InvalidResponse(f"EXEC: unexpected reply ({type(answer).__name__})")
        if len(answer) != len(handles):
            raise InvalidResponse(f"EXEC: {len(answer)} results for {len(handles)} commands")
        return answer_all(handles, answer)


class Pipeline(BasePipeline[AnyStr]):
    """
    Queues commands; ``execute``, or the end of the block, sends them.

    Every command method returns a ``Queued`` handle; its ``result()`` is there afterwards. Bad arguments fail when they
    are queued. An exception inside the block discards what is queued.
    """

    _client: SingleClient[AnyStr]

    if not TYPE_CHECKING:  # which sees the methods as they were
        xadd = short_xadd(QueuedCommands.xadd)
        xack = short_xack(QueuedCommands.xack)

    async def start_watching(self, keys: tuple[KeyT, ...]) -> None:
        """
        Send WATCH on a connection that is kept until the transaction is executed. The beginning of a ``watch`` block.
        """
        self._check_watching()
        words = encode(("WATCH", *keys), self._client.encoding)
        await self._watch_on(self._client.pool, (words, MULTI), self._deadline((), True))

    async def _run(self, batch: Batch, watching: tuple[Pool, Connection] | None) -> list[Queued[object]]:
        handles, payloads, pool = batch.handles, batch.payloads, self._client.pool
        transaction = self._transaction or watching is not None
        deadline = self._deadline(batch.blocks, transaction)
        exclusive = transaction or bool(batch.blocks)
        connection = await pool.acquire(exclusive, deadline) if watching is None else watching[1]
        held = watching is None
        try:
            try:
                if watching is not None:
                    replies = await self._transact(connection, payloads, deadline, begun=True)
                    failures = self._read_transaction(handles, replies)
                elif transaction:
                    await self._rehearse(connection, deadline)
                    failures = self._read_transaction(handles, await self._transact(connection, payloads, deadline))
                elif len(handles) <= CHUNK_COMMANDS and sum(map(len, payloads)) <= CHUNK_BYTES:
                    failures = await self._at_once(connection.channel, handles, payloads, deadline)
                else:
                    failures = await self._stream(connection, handles, payloads, deadline)
            except RequestTimeoutError:
                pool.retire(connection)
                raise
            finally:
                if held:
                    pool.release(connection)
                    held = False
        except BaseException:
            if held:  # interrupted on the way into release, which knew nothing of it
                pool.discard(connection)
            raise
        if failures:
            for handle in failures:
                if handle.error is not None:
                    pool.notice(connection, handle.error)
            await self._explain(failures)
        return failures

    async def _stream(
        self, connection: Connection, handles: list[Queued[object]], payloads: list[bytes], deadline: float
    ) -> list[Queued[object]]:
        """
        Send in chunks and hand out the replies as they come. The errors of commands that were not sent say so.
        """
        remaining = iter(handles)
        failures: list[Queued[object]] = []

        def take(replies: Sequence[Reply]) -> None:
            failures.extend(answer_all(islice(remaining, len(replies)), replies))

        transfer = Transfer(connection.channel, payloads, take, deadline)
        try:
            await transfer.finish()
        except (ConnectionError, RequestTimeoutError) as error:
            not_sent = type(error)(str(error))
            for handle in handles[transfer.begun :]:
                handle.fail(not_sent)
            raise
        return failures

    async def _at_once(
        self, channel: rt.Channel, handles: list[Queued[object]], payloads: list[bytes], deadline: float
    ) -> list[Queued[object]]:
        """
        Send all of it together: it is a single chunk.
        """
        started: rt.Started | None = None
        try:
            if not channel.takes():
                await channel.writable(deadline)
            started = channel.start(b"".join(payloads), len(handles), deadline)
            return answer_all(handles, await started.result(deadline))
        except (ConnectionError, RequestTimeoutError) as error:
            if started is not None:
                error.may_have_run = error.may_have_run or started.sent
                answer_all(handles, started.replies)
            raise


class Watch(Generic[AnyStr]):
    """
    A block in which keys are watched; see ``Pipeline.watch``.
    """

    def __init__(self, pipeline: BasePipeline[AnyStr], keys: tuple[KeyT, ...]) -> None:
        self._pipeline: BasePipeline[AnyStr] = pipeline
        self._keys = keys

    async def __aenter__(self) -> BasePipeline[AnyStr]:
        await self._pipeline.start_watching(self._keys)
        return self._pipeline

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._pipeline.reset()
        else:
            await self._pipeline.finish_watching()
