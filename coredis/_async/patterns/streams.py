"""
Consumers of streams: on their own (``Consumer``), or as a member of a consumer group (``GroupConsumer``).

This module does what is decided elsewhere: where each stream stands and what to ask for next is in ``_core/consumer``,
the connection with its outstanding read in ``reader``. What has been received goes from the reply into the buffer in one
step, with no wait in between, so neither a cancelled task nor an interrupted thread can lose an entry.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, AnyStr, ClassVar, Final, Generic, Self

from coredis._async.patterns.reader import Reader
from coredis._core import identifiers
from coredis._core.commands.checks import natural_integer, whole_number
from coredis._core.consumer import arrivals, reads
from coredis._core.consumer.cursors import BEGINNING, Cursor, Phase, plan
from coredis._core.consumer.parameters import LONGEST_SLICE, StreamParameters, encode_name, read_streams
from coredis._core.consumer.statistics import ConsumerStatistics
from coredis._core.errors import REFUSALS
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis.exceptions import (
    ConcurrentUseError,
    ConnectionError,
    InvalidResponse,
    OutOfMemoryError,
    PersistenceError,
    ProtocolError,
    ReadOnlyError,
    RedisError,
    ReplyError,
    RequestTimeoutError,
    ResponseError,
    StreamConsumerGroupError,
    StreamConsumerInitializationError,
    StreamDuplicateConsumerGroupError,
    UnblockedError,
)
from coredis.types import PositionT, StreamEntry
from coredis.typing import KeyT, Parameters, StringT

if TYPE_CHECKING:
    from coredis._async.redis import Redis

logger: Final = logging.getLogger("coredis.streams")

# What ends one read but not the consumer: the server did nothing, and will do it later.
_PASSING: Final = (*REFUSALS, UnblockedError, OutOfMemoryError, PersistenceError)


class Consumer(Generic[AnyStr]):
    """
    Reads one or several streams on its own, from a place of its choice.

    Iterate over it, or call ``get_entry``. It works with and without a ``with`` block: the first read begins where the stream
    ends at that moment; leaving the block forgets everything, and entering again begins afresh. It reads on a connection
    of its own.

    A cancelled or interrupted read loses nothing: its reply is waited for by the next one.
    """

    DEFAULT_START_ID: ClassVar[bytes] = b"0-0"

    def __init__(
        self,
        client: Redis[AnyStr],
        streams: Parameters[KeyT],
        buffer_size: int = 0,
        timeout: int | None = 0,
        *,
        parameters: Mapping[KeyT, StreamParameters] | None = None,
        block_slice: int = 5000,
        **stream_parameters: StreamParameters,
    ) -> None:
        """
        Args:
            client: whose server to read from
            streams: their keys
            buffer_size: how many entries of each stream to fetch beyond the next one
            timeout: milliseconds to wait for an entry when there is none; None, 0 or less: do not wait
            parameters: where single streams begin, by name: ``{"orders:eu": {"identifier": "0-0"}}``. Default: after the
                last entry there is, or at the beginning of a stream that does not exist yet
            block_slice: the longest wait that is asked of the server at a time, in milliseconds; a dead connection is noticed
                within this and the grace of a late reply. The application's own wait is not affected
            stream_parameters: as ``parameters``, for streams whose names are Python names: ``orders={"identifier": "0-0"}``

        Raises:
            TypeError, ValueError: no stream, or a bad argument
        """
        self.client: Redis[AnyStr] = client
        self.statistics = ConsumerStatistics()
        self._count = natural_integer("buffer_size", buffer_size) + 1
        self._timeout = 0.0 if timeout is None else max(0, whole_number("timeout", timeout)) / 1000
        self._slice = whole_number("block_slice", block_slice, 1, LONGEST_SLICE) / 1000
        self._cursors = {
            name: Cursor(name, given, start)
            for name, (given, start) in read_streams(
                streams, parameters, stream_parameters, client.encoding, self._check_start
            ).items()
        }
        self._items: deque[tuple[AnyStr, StreamEntry[AnyStr]]] = deque()
        self._reader: Reader[AnyStr] = Reader(client)
        self._membership: reads.Membership | None = None
        self._owner: object = None
        rt.after_fork(self)

    @property
    def streams(self) -> set[KeyT]:
        """
        The keys of the streams, as they were given.
        """
        return {cursor.given for cursor in self._cursors.values()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._cursors)} streams on {self.client!r}>"

    # -------------------------------------------------------------------------------------------- opening and closing

    async def __aenter__(self) -> Self:
        await self._locate(self._cursors.values())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """
        Stop reading, and forget where the streams stand and what is buffered. The next read begins afresh.
        """
        self._reader.drop()
        self._items.clear()
        for cursor in self._cursors.values():
            cursor.reset()

    def forget_parent(self) -> None:
        """
        Begin afresh in a forked child: the connection, and what was received on it, stay the parent's.
        """
        self._reader.forget_parent()
        self._items.clear()
        self._owner = None
        for cursor in self._cursors.values():
            cursor.reset()

    def __del__(self) -> None:
        reader = getattr(self, "_reader", None)  # absent when the constructor refused its arguments
        if reader is not None:
            reader.drop_from_finalizer()

    async def add_stream(self, stream: KeyT, identifier: PositionT | None = None) -> bool:
        """
        Read one more stream from now on.

        Args:
            stream: its key
            identifier: as in the parameters of the constructor

        Returns:
            False when it is one of the streams already; then nothing changes

        Raises:
            ValueError: a bad identifier
            StreamConsumerInitializationError: its consumer group does not exist and may not be created; the stream is not added
        """
        name = encode_name("stream", stream, self.client.encoding)
        start = None if identifier is None else self._check_start("identifier", identifier)
        if name in self._cursors:
            return False
        cursor = Cursor(name, stream, start)
        await self._locate((cursor,))
        self._cursors.setdefault(name, cursor)
        return True

    # ------------------------------------------------------------------------------------------------------ reading

    def __aiter__(self) -> AsyncIterator[tuple[AnyStr, StreamEntry[AnyStr]]]:
        return self

    async def __anext__(self) -> tuple[AnyStr, StreamEntry[AnyStr]]:
        """
        Give the next entry and its stream; the iteration ends when there is none (within ``timeout``).
        """
        if (not self._items or self._owner is not None) and not await self._fill():
            raise StopAsyncIteration
        # No call from here on: nothing can interrupt between taking the entry and giving it.
        items = self._items
        item = items[0]
        del items[0]
        return item

    async def get_entry(self) -> tuple[AnyStr, StreamEntry[AnyStr]] | tuple[None, None]:
        """
        Give the next entry.

        Returns:
            its stream and the entry; (None, None) when there is none, after waiting for ``timeout``

        Raises:
            StreamConsumerInitializationError: a consumer group does not exist and may not be created
            ConcurrentUseError: another task or thread is reading from this consumer
            RedisError: the server cannot be reached, or refuses. Nothing is lost, the next call goes on
        """
        if (not self._items or self._owner is not None) and not await self._fill():
            return None, None
        items = self._items
        item = items[0]
        del items[0]
        return item

    async def _fill(self) -> bool:
        """
        Have something in the buffer; False when nothing came.
        """
        caller = rt.caller()
        owner = self._owner
        if owner is not None and owner != caller:
            raise ConcurrentUseError(
                "another task or thread is reading from this consumer; make one consumer for each, in a group if they are to "
                "share the entries"
            )
        self._owner = caller
        try:
            return bool(self._items) or await self._fetch()
        finally:
            self._owner = None

    async def _fetch(self) -> bool:
        """
        Read until something is in the buffer, or until there is nothing and the time is up.

        Time runs from when the first read is sent: finding out where the streams stand does not count. When it is up,
        a read may still be outstanding; it stays so for the next call.
        """
        reader = self._reader
        self.client.bind()
        closings = self.client.closings
        deadline = math.inf
        patience = rt.now() + self._timeout  # with a server that cannot be reached or refuses
        attempt = 0
        for cursor in self._cursors.values():
            cursor.asked = False
        while True:
            sent_now = False
            try:
                reader.resume()
                if reader.plan is None:
                    await self._prepare()
                    await reader.connect(math.inf)
                if deadline == math.inf:
                    deadline = rt.now() + self._timeout
                if reader.plan is None:
                    if not self._send(deadline - rt.now()):
                        return False
                    sent_now = True
                complete = await self._receive(deadline if self._timeout else math.inf)
            except (RedisError, RequestTimeoutError) as error:
                if closings != self.client.closings:
                    self._lose()
                    raise  # closed under way: that is the application's wish
                await self._recover(error, attempt, patience if deadline == math.inf else deadline)
                attempt += 1
                continue
            if self._items:
                return True
            if self._timeout:
                if rt.now() >= deadline:
                    return False
            elif complete and sent_now:
                return False  # the server was asked in this call, and has nothing

    def _send(self, seconds: float) -> bool:
        """
        Send the next read; False when there is nothing to ask for.
        """
        following = plan(self._cursors.values(), self._reader.history_last)
        if following is None:
            return False
        block: int | None = None
        if self._timeout and following.waits:
            block = max(1, math.ceil(min(seconds, self._slice) * 1000))
        payload = encode(reads.words(following, self._membership, self._count, block))
        self._reader.send(following, payload, (block or 0) / 1000)
        return True

    async def _receive(self, deadline: float) -> bool:
        """
        Wait for the outstanding read and put what it brought into the buffer.

        Returns:
            whether there was a reply, and its being empty means that there is nothing in any stream
        """
        reader = self._reader
        started = reader.started
        assert started is not None
        if not started.done():
            try:
                await started.result(min(deadline, reader.deadline))
            except RequestTimeoutError:
                if reader.overdue():
                    raise  # no server is that late: the connection is dead
                return False
        following = reader.plan
        assert following is not None
        try:
            reply = reader.reply()
        except ReplyError:
            reader.finish()
            raise
        try:
            arrived = arrivals.read(reply, {cursor.name: cursor for cursor in following.cursors}, self.client.replies)
        except (AttributeError, IndexError, InvalidResponse, TypeError, ValueError) as error:
            raise ProtocolError(
                f"unexpected reply to a stream read ({type(error).__name__})", may_have_run=True
            ) from None
        for cursor in following.cursors:
            cursor.received(arrived.last[cursor.name])
        self._note_deleted(arrived.deleted)
        fresh = arrived.items
        self.statistics.delivered += len(fresh)
        # Until here everything could be done again with the same reply. No call in between: nothing can interrupt here.
        self._items += fresh
        reader.plan = reader.started = None
        return following.complete

    async def _recover(self, error: RedisError, attempt: int, deadline: float) -> None:
        """
        Get over a failed read, or raise what cannot be got over.
        """
        policy = self.client.retry_policy
        if isinstance(error, ConnectionError | RequestTimeoutError) and not isinstance(error, ReplyError):
            self._lose()
        elif isinstance(error, ReadOnlyError):
            self._lose()  # demoted: whoever is behind the address now is found by connecting again
        elif isinstance(error, StreamConsumerGroupError):
            self._vanished(error)
        elif not isinstance(error, _PASSING):
            raise error
        pause = policy.pause(attempt - 1, rt.random()) if attempt else 0.0
        if self._timeout:
            if rt.now() + pause >= deadline:
                raise error
        elif attempt >= policy.retries:
            raise error
        await rt.sleep(pause)

    def _lose(self) -> None:
        """
        Give up the connection, and see to what its last reply may have had.
        """
        if self._reader.connected:
            self.statistics.reconnects += 1
        self._reader.drop()  # last: an interruption before it leaves the loss to be found again

    # ------------------------------------------------------------------------------ what a group does differently

    def _check_start(self, name: str, identifier: PositionT) -> bytes:
        checked = identifiers.position(name, identifier)
        if checked == b"+":
            raise ValueError(f"{name}: '+' is for a single read; a consumer starts at an identifier or at '$'")
        return checked

    async def _locate(self, cursors: Iterable[Cursor]) -> None:
        """
        Find out where streams begin that have not begun yet.
        """
        latest: list[Cursor] = []
        for cursor in cursors:
            if cursor.phase is Phase.UNKNOWN:
                if cursor.start in (None, b"$"):
                    latest.append(cursor)
                else:
                    assert cursor.start is not None
                    cursor.position, cursor.phase = cursor.start, Phase.AFTER
        if not latest:
            return
        pipeline = self.client.pipeline(transaction=False, raise_on_error=False)
        handles = [pipeline.xinfo_stream(cursor.name) for cursor in latest]
        await pipeline.execute()
        for cursor, handle in zip(latest, handles, strict=True):
            if _is_absent(handle.error):
                last = BEGINNING
            else:
                # "$" once, as an identifier: asked for anew with every read, what comes in between would be skipped.
                last = encode_name("identifier", handle.result()["last-generated-id"], "ascii")
            cursor.position, cursor.phase = last, Phase.AFTER

    async def _prepare(self) -> None:
        """
        Do what has to be done before the next read.
        """
        await self._locate(self._cursors.values())

    def _note_deleted(self, deleted: Mapping[bytes, list[bytes]]) -> None:
        """
        Remember pending entries that no longer exist; without a group there are none.
        """

    def _vanished(self, error: StreamConsumerGroupError) -> None:
        """
        The server says that there is no such group.
        """
        raise error


class GroupConsumer(Consumer[AnyStr]):
    """
    Reads streams as one member of a consumer group: every entry goes to one member, and is pending there until it is
    acknowledged.

    Acknowledge with ``client.xack``, or have the server take delivery for processing (``auto_acknowledge``). What was
    delivered to a member of this name and not acknowledged comes again with ``start_from_backlog``.
    When a reply may have been lost with a connection, the entries in it are read again before new ones.
    """

    DEFAULT_START_ID: ClassVar[bytes] = b">"

    def __init__(
        self,
        client: Redis[AnyStr],
        streams: Parameters[KeyT],
        group: StringT,
        consumer: StringT,
        buffer_size: int = 0,
        auto_create: bool = True,
        auto_acknowledge: bool = False,
        start_from_backlog: bool = False,
        timeout: int | None = None,
        *,
        group_start: PositionT = "0",
        parameters: Mapping[KeyT, StreamParameters] | None = None,
        block_slice: int = 5000,
        **stream_parameters: StreamParameters,
    ) -> None:
        """
        Args:
            client: whose server to read from
            streams: their keys
            group: the name of the consumer group
            consumer: the name of this member, not used by another one at the same time
            buffer_size: how many entries of each stream to fetch beyond the next one; they are pending from then on
            auto_create: make the group, and the stream, where they do not exist
            auto_acknowledge: entries count as processed once they are delivered (NOACK): what a crash prevents from being
                processed is lost
            start_from_backlog: first what is pending for this member, then new entries, in each stream
            timeout: milliseconds to wait for an entry when there is none; None, 0 or less: do not wait
            group_start: where a group begins that is made here: ``"0"`` for all entries there are, ``"$"`` for those to
                come, or after an identifier
            parameters: by name of the stream: ``{"orders:eu": {"identifier": "0"}}`` reads only what is pending for this
                member, after that identifier. Default: ``">"``
            block_slice: as ``Consumer``
            stream_parameters: as ``parameters``, for streams whose names are Python names

        Raises:
            TypeError, ValueError: no stream, or a bad argument
        """
        super().__init__(
            client,  # type: ignore[arg-type]  # mypy checks this once for str and once for bytes, but not what super() takes
            streams,
            buffer_size,
            timeout,
            parameters=parameters,
            block_slice=block_slice,
            **stream_parameters,
        )
        self.group = group
        self.consumer = consumer
        self.auto_create = auto_create
        self.auto_acknowledge = auto_acknowledge
        self.start_from_backlog = start_from_backlog
        self._group_start = identifiers.group_start("group_start", group_start)
        self._deleted: dict[bytes, list[bytes]] = {}
        self._doubtful = False  # the server missed a group, and did not say in which stream
        self._membership = reads.Membership(
            encode_name("group", group, client.encoding),
            encode_name("consumer", consumer, client.encoding),
            auto_acknowledge,
        )

    async def add_stream(self, stream: KeyT, identifier: PositionT | None = ">") -> bool:
        """
        Read one more stream from now on. As ``Consumer.add_stream``.
        """
        return await super().add_stream(stream, identifier)

    async def close(self) -> None:
        """
        Stop reading, and forget what is buffered: it stays pending for this member (with ``auto_acknowledge`` it is lost).
        """
        await super().close()
        self._deleted.clear()

    def _check_start(self, name: str, identifier: PositionT) -> bytes:
        return identifiers.group_position(name, identifier)

    async def _locate(self, cursors: Iterable[Cursor]) -> None:
        unknown = [cursor for cursor in cursors if cursor.phase is Phase.UNKNOWN]
        if not unknown:
            return
        standing = await self._standing(unknown)
        missing = [cursor for cursor in unknown if standing[cursor.name] is None]
        absent = {cursor.name for cursor in missing}
        if missing:
            if not self.auto_create:
                names = ", ".join(repr(cursor.given) for cursor in missing)
                raise StreamConsumerInitializationError(
                    f"no consumer group {self.group!r} in {names}: create it, or say auto_create=True"
                )
            await self._create(missing)
            standing.update(await self._standing(missing))
        for cursor in unknown:
            if cursor.start not in (None, b">"):
                assert cursor.start is not None
                cursor.position, cursor.phase = cursor.start, Phase.PENDING
                continue
            if not cursor.known:
                cursor.floor = standing[cursor.name] or BEGINNING
            # A group that has just been made has no backlog.
            backlog = self.start_from_backlog and cursor.name not in absent and not cursor.known
            cursor.known = True
            cursor.position, cursor.phase = BEGINNING, Phase.HISTORY if backlog else Phase.NEW

    async def _standing(self, cursors: Iterable[Cursor]) -> dict[bytes, bytes | None]:
        """
        Ask where the group stands in each stream; None: there is no such group.
        """
        assert self._membership is not None
        pipeline = self.client.pipeline(transaction=False, raise_on_error=False)
        handles = {cursor.name: pipeline.xinfo_groups(cursor.name) for cursor in cursors}
        await pipeline.execute()
        standing: dict[bytes, bytes | None] = {}
        for name, handle in handles.items():
            standing[name] = None
            if _is_absent(handle.error):
                continue
            for group in handle.result():
                fields = {self._encoded(field): value for field, value in group.items()}
                if self._encoded(fields[b"name"]) == self._membership.group:
                    standing[name] = self._encoded(fields[b"last-delivered-id"])
        return standing

    def _encoded(self, value: object) -> bytes:
        """
        Give back the bytes of a text as the server sent it.
        """
        return encode_name("reply", value, self.client.encoding)  # type: ignore[arg-type]

    async def _create(self, cursors: Iterable[Cursor]) -> None:
        """
        Make the group where it is missing; somebody else may be doing the same.

        A group that has vanished begins again after the last entry received here, if the stream still reaches that far.
        """
        assert self._membership is not None
        for cursor in cursors:
            start = self._group_start
            if cursor.known:
                start = await self._resumption(cursor)
                self.statistics.groups_recreated += 1
                logger.warning("consumer group %r of %r had vanished; made again", self.group, cursor.given)
            try:
                await self.client.xgroup_create(cursor.name, self._membership.group, start, mkstream=True)
            except StreamDuplicateConsumerGroupError:
                pass

    async def _resumption(self, cursor: Cursor) -> bytes:
        try:
            information = await self.client.xinfo_stream(cursor.name)
        except ResponseError as error:
            if not _is_absent(error):
                raise
            return BEGINNING
        last = self._encoded(information["last-generated-id"])
        if identifiers.parse(last) >= identifiers.parse(cursor.floor):
            return cursor.floor
        # Made anew with smaller identifiers: to go on after the old ones would skip what is there.
        cursor.floor = BEGINNING
        return BEGINNING

    async def _prepare(self) -> None:
        if self._doubtful:
            standing = await self._standing(self._cursors.values())
            for cursor in self._cursors.values():
                if standing[cursor.name] is None:
                    cursor.phase = Phase.UNKNOWN
            self._doubtful = False
        await super()._prepare()
        while self._deleted:
            assert self._membership is not None
            name, gone = next(iter(self._deleted.items()))
            await self.client.xack(name, self._membership.group, gone)
            self.statistics.deleted_seen += len(gone)
            del self._deleted[name]

    def _note_deleted(self, deleted: Mapping[bytes, list[bytes]]) -> None:
        self._deleted.update(deleted)

    def _lose(self) -> None:
        lost = self._reader.plan
        if lost is not None and lost.new:
            if self.auto_acknowledge:
                self.statistics.possibly_lost += 1
                logger.warning(
                    "a connection broke with a read outstanding: entries in its reply, if any, are lost (auto_acknowledge)"
                )
            else:
                self.statistics.recovered += 1
                for cursor in lost.cursors:
                    cursor.lost()
        super()._lose()

    def _vanished(self, error: StreamConsumerGroupError) -> None:
        if not self.auto_create:
            raise error
        self._doubtful = True


def _is_absent(error: Exception | None) -> bool:
    """
    Tell whether an answer means that there is no such stream.
    """
    return isinstance(error, ResponseError) and str(error).startswith("ERR no such key")
