# Generated from coredis/_async/pipeline.py by scripts/generate.py: edit that file, not this one.
"""
Send many commands at once and collect their results.

Plain: the commands leave in a few large writes and their replies are read as they come; each succeeds or fails on its own.
Transaction: MULTI and EXEC around them, all or nothing, optionally only if watched keys have not changed.
The methods that queue are generated from those of the clients (``_queued``), so they take the same arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import AnyStr, Generic, Self, TypeVar

from coredis._sync.client import Client
from coredis._sync.connection import Connection
from coredis._core.command import Command, Reply
from coredis._core.commands import words as word_by_word
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.queue import Queued, first_error, outcome
from coredis._core.transaction import abort_errors, chunks
from coredis._core.wire import encode
from coredis._queued.commands import CommandFamilies as QueuedCommands
from coredis._runtime import blocking as rt
from coredis.exceptions import ConnectionError, InvalidResponse, RedisError, RequestTimeoutError, WatchError
from coredis.typing import KeyT, ResponseType, ValueT

R = TypeVar("R")


class Pipeline(QueuedCommands[AnyStr]):
    """
    Queues commands; ``execute``, or the end of the block, sends them.

    Every command method returns a ``Queued`` handle; its ``result()`` is there afterwards. Bad arguments fail when they
    are queued. An exception inside the block discards what is queued.
    """

    def __init__(self, client: Client[AnyStr], transaction: bool, raise_on_error: bool) -> None:
        self.replies = client.replies
        self._client: Client[AnyStr] = client
        self._transaction = transaction
        self._raise_on_error = raise_on_error
        self._handles: list[Queued[object]] = []
        self._payloads: list[bytes] = []
        self._results: tuple[object, ...] | None = None
        self._watching: Connection | None = None

    def issue(self, command: Command[R]) -> Queued[R]:
        """
        Queue one command, built by a command method.
        """
        payload = encode(command.arguments, self._client.encoding)
        handle = Queued(command)
        self._payloads.append(payload)
        self._handles.append(handle)
        return handle

    def execute_command(self, *words: ValueT) -> Queued[ResponseType]:
        """
        Queue a command given word by word. As the client's ``execute_command``.
        """
        return self.issue(word_by_word.command(words, self.replies))

    def __len__(self) -> int:
        return len(self._handles)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.reset()
        elif self._handles or self._results is None:
            self.execute()

    def reset(self) -> None:
        """
        Discard what is queued; watched keys are watched no more.
        """
        self._handles = []
        self._payloads = []
        if self._watching is not None:
            self._client.discard(self._watching)
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
        if self._handles:
            raise RuntimeError("watch: commands are queued already; watch first, then read, then queue")
        return Watch(self, keys)

    def start_watching(self, keys: tuple[KeyT, ...]) -> None:
        """
        Send WATCH on a connection that is kept until the transaction is executed. The beginning of a ``watch`` block.
        """
        if self._watching is not None:
            raise RuntimeError("watch: keys are being watched already; name them all in one watch")
        request = self._client.times.request
        deadline = math.inf if request is None else rt.now() + request
        payload = encode(("WATCH", *keys), self._client.encoding)
        self._watching = connection = self._client.lease(True, deadline)
        try:
            (reply,) = connection.channel.start(payload, 1, deadline).result(deadline)
            if isinstance(reply, ErrorLine):
                raise from_line(str(reply))
        except BaseException:  # cancelled or interrupted as well; if that happens here, the pipeline's end resets again
            self.reset()
            raise

    def execute(self) -> tuple[object, ...]:
        """
        Send what is queued and collect the results. Afterwards the pipeline is empty and can be used again.

        Returns:
            the results in the order of queueing

        Raises:
            RedisError: the first error, after all results are known, unless the pipeline was made with
                ``raise_on_error=False``; the handles have what succeeded
            WatchError: a watched key was changed and nothing was executed
        """
        handles, payloads = self._handles, self._payloads
        self._handles, self._payloads = [], []
        connection = self._watching
        try:
            if handles or connection is not None:
                self._run(handles, payloads, connection)
        except RedisError as error:
            for handle in handles:
                handle.fail(error)
            if self._raise_on_error or isinstance(error, WatchError):
                raise
        except BaseException:  # cancelled or interrupted: whether the keys are still watched is unknown
            if connection is not None:
                self._client.discard(connection)
            raise
        finally:
            if connection is not None:
                self._client.release(connection)
                self._watching = None  # not before: interrupted until here, it is the pipeline's end that gives it back
            self._results = tuple(outcome(handle) for handle in handles if handle.done())
        failure = first_error(handles) if self._raise_on_error else None
        if failure is not None:
            raise failure
        return self._results

    # ------------------------------------------------------------------------------------------------------- inside

    def _run(self, handles: list[Queued[object]], payloads: list[bytes], watching: Connection | None) -> None:
        transaction = self._transaction or watching is not None
        blocks = [handle.command.block or 0.0 for handle in handles]
        times = self._client.times
        # Inside a transaction nothing blocks; a plain pipeline may take as long as its blocking commands together.
        seconds = 0.0 if transaction else math.fsum(blocks)
        deadline = math.inf if times.request is None else rt.now() + times.request + seconds
        exclusive = transaction or any(handle.command.block is not None for handle in handles)
        connection = watching or self._client.lease(exclusive, deadline)
        held = watching is None
        try:
            try:
                if transaction:
                    words = [encode(("MULTI",)), *payloads, encode(("EXEC",))]
                    self._read_transaction(handles, self._exchange(connection, words, deadline))
                else:
                    self._stream(connection, handles, payloads, deadline)
            except RequestTimeoutError:
                self._client.suspect(connection)
                raise
            finally:
                if held:
                    self._client.release(connection)
                    held = False
        except BaseException:
            if held:  # interrupted on the way into release, which knew nothing of it
                self._client.discard(connection)
            raise
        for handle in handles:
            if handle.error is not None:
                self._client.notice(connection, handle.error)
            if handle.error is not None and handle.command.requires:
                handle.replace_error(self._client.explain(handle.command, handle.error))

    def _exchange(self, connection: Connection, payloads: Sequence[bytes], deadline: float) -> list[Reply]:
        replies: list[Reply] = []
        channel = connection.channel
        started = [channel.start(payload, count, deadline) for payload, count in chunks(payloads)]
        for request in started:
            replies += request.result(deadline)
        return replies

    def _stream(
        self, connection: Connection, handles: list[Queued[object]], payloads: list[bytes], deadline: float
    ) -> None:
        """
        Send in chunks, two of them in flight, and hand out the replies as they come.
        """
        channel = connection.channel
        ahead: list[rt.Started] = []
        first = 0
        try:
            for payload, count in [*chunks(payloads), (b"", 0), (b"", 0)]:
                if count:
                    channel.writable(deadline)
                    ahead.append(channel.start(payload, count, deadline))
                if ahead and (len(ahead) == 2 or not count):
                    replies = ahead[0].result(deadline)
                    del ahead[0]
                    self._resolve(handles[first : first + len(replies)], replies)
                    first += len(replies)
        except (ConnectionError, RequestTimeoutError) as error:
            # Sending may be what failed: what was sent before may have run, and some of its replies may be here.
            error.may_have_run = error.may_have_run or any(request.sent for request in ahead)
            for request in ahead:
                self._resolve(handles[first : first + len(request.replies)], request.replies)
                first += request.expected
            raise

    def _read_transaction(self, handles: list[Queued[object]], replies: list[Reply]) -> None:
        refused, answer = replies[:-1], replies[-1]
        if answer is None:
            raise WatchError("a watched key was changed; nothing of the transaction was executed")
        if isinstance(answer, ErrorLine):
            # Discarded: which command was refused, and why, was said when it was queued.
            for handle, error in zip(handles, abort_errors(refused[1:], answer), strict=True):
                handle.fail(error)
            return
        if len(answer) != len(handles):
            raise InvalidResponse(f"EXEC: {len(answer)} results for {len(handles)} commands")
        self._resolve(handles, answer)

    def _resolve(self, handles: Sequence[Queued[object]], replies: Sequence[Reply]) -> None:
        for handle, reply in zip(handles, replies, strict=False):
            if isinstance(reply, ErrorLine):
                handle.fail(from_line(str(reply)))
                continue
            try:
                handle.resolve(self._client.convert(handle.command, reply))
            except InvalidResponse as error:
                handle.fail(error)


class Watch(Generic[AnyStr]):
    """
    A block in which keys are watched; see ``Pipeline.watch``.
    """

    def __init__(self, pipeline: Pipeline[AnyStr], keys: tuple[KeyT, ...]) -> None:
        self._pipeline: Pipeline[AnyStr] = pipeline
        self._keys = keys

    def __enter__(self) -> Pipeline[AnyStr]:
        self._pipeline.start_watching(self._keys)
        return self._pipeline

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._pipeline.reset()
        else:
            self._pipeline.execute()
