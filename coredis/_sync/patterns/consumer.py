# Generated from coredis/_async/patterns/consumer.py by scripts/generate.py: edit that file, not this one.
"""
The consumer of streams on its own. How it reads is in ``engine``.
"""

from __future__ import annotations

from collections.abc import Iterator, Iterable, Mapping
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, AnyStr, ClassVar, Generic, Self

# Loaded now, and not in the midst of the first read, which may be a short one.
from coredis._sync import pipeline as _pipeline  # noqa: F401
from coredis._sync.client import Client
from coredis._sync.patterns.engine import Engine, is_absent
from coredis._core import identifiers
from coredis._core.commands.checks import natural_integer, positive_integer, whole_number
from coredis._core.config import check_boolean
from coredis._core.consumer.cursors import BEGINNING, Cursor, Phase
from coredis._core.consumer.limits import BUFFERED_BYTES, REPLY_BYTES
from coredis._core.consumer.parameters import LONGEST_SLICE, StreamParameters, encode_name, read_streams
from coredis._core.consumer.portions import Portions
from coredis._runtime import blocking as rt
from coredis.types import PositionT, StreamEntry
from coredis.typing import KeyT, Parameters

if TYPE_CHECKING:
    from coredis._sync.patterns.host import ConsumerHost


class Consumer(Engine[AnyStr]):
    """
    Reads one or several streams on its own, from a place of its choice.

    Iterate over it, or call ``get_entry``. It works with and without a ``with`` block: the first read begins where the stream
    ends at that moment; leaving the block ends the reading, and entering again begins afresh. It reads on a connection
    of its own.

    A cancelled or interrupted read loses nothing: its reply is waited for by the next one.
    """

    DEFAULT_START_ID: ClassVar[bytes] = b"0-0"

    def __init__(
        self,
        client: ConsumerHost[AnyStr],
        streams: Parameters[KeyT],
        buffer_size: int = 0,
        timeout: int | None = 0,
        *,
        parameters: Mapping[KeyT, StreamParameters] | None = None,
        block_slice: int = 5000,
        prefetch: bool = False,
        max_buffered_bytes: int = BUFFERED_BYTES,
        max_reply_bytes: int = REPLY_BYTES,
        **stream_parameters: StreamParameters,
    ) -> None:
        """
        Args:
            client: whose server to read from
            streams: their keys
            buffer_size: how many entries of each stream to fetch beyond the next one
            timeout: milliseconds to wait for an entry when there is none, counted from when the first read is sent; None, 0 or
                less: do not wait. A server that is away is tried again for so long, too; connecting may take
                ``connect_timeout``
            parameters: where single streams begin, by name: ``{"orders:eu": {"identifier": "0-0"}}``. Default: after the
                last entry there is, or at the beginning of a stream that does not exist yet
            block_slice: the longest wait that is asked of the server at a time, in milliseconds; a dead connection is noticed
                within this and the grace of a late reply. The application's own wait is not affected
            prefetch: send the next read before the entries of the last one are served, so that they are here when the
                application asks for them. Half of the buffer is for those on their way, so there are twice as many reads; of
                32 streams or more with a backlog, half are asked at a time
            max_buffered_bytes: what to fetch at a time, as far as can be foreseen: from the average size of entries follows how
                many are asked for, if that is less than ``buffer_size`` says
            max_reply_bytes: what a reply may have. A larger one is cut by closing the connection, and its entries are read
                again, half as many at a time; an entry alone may have any size. No more is asked for than is expected to
                fill half of it
            stream_parameters: as ``parameters``, for streams whose names are Python names: ``orders={"identifier": "0-0"}``

        Raises:
            TypeError, ValueError: no stream, or a bad argument
        """
        if not isinstance(client, Client):
            raise TypeError(f"client: expected Redis, RedisCluster or what Sentinel gives, got {type(client).__name__}")
        super().__init__(
            client,  # type: ignore[arg-type]  # mypy checks this once for str and once for bytes, but not what super() takes
            {
                name: Cursor(name, given, start)
                for name, (given, start) in read_streams(
                    streams, parameters, stream_parameters, client.encoding, self._check_start
                ).items()
            },
            Portions(
                natural_integer("buffer_size", buffer_size) + 1,
                positive_integer("max_buffered_bytes", max_buffered_bytes),
                positive_integer("max_reply_bytes", max_reply_bytes),
                check_boolean("prefetch", prefetch),
            ),
            whole_number("block_slice", block_slice, 1, LONGEST_SLICE) / 1000,
            0.0 if timeout is None else max(0, whole_number("timeout", timeout)) / 1000,
        )

    @property
    def streams(self) -> set[KeyT]:
        """
        The keys of the streams, as they were given.
        """
        return {cursor.given for cursor in list(self._cursors.values())}

    @property
    def positions(self) -> dict[KeyT, AnyStr]:
        """
        Where the application stands in each stream: the identifier of the last entry it got, or where reading began.

        Kept with the results of processing, it says where to go on after a crash:
        ``parameters={stream: {"identifier": identifier}}``. A stream that was not read yet is not in it, nor is one of a
        group of which nothing was got.
        """
        # Another thread may be reading meanwhile, and where a stream stands moves before what was received is in the buffer. So
        # that is looked at first, then what is outstanding, then what is on its way to the buffer, and the buffer last: what
        # has got further in between is found there, and nothing is taken for served that is not.
        cursors = [(cursor, cursor.received_last) for cursor in list(self._cursors.values())]
        before: dict[bytes, bytes] = {}
        asked: dict[int, bytes] = {}  # by cursor: one that was removed and added again is another one
        for reader in list(self._readers.values()):
            taken, outstanding = reader.taken, reader.plan
            if taken is not None:
                before |= taken.standing()
            if outstanding is not None:
                # A cursor may be further already if its reply was interrupted in our hands.
                for part in outstanding.parts:
                    asked |= zip(map(id, part.cursors), part.identifiers, strict=True)
        unmade, buffer = self._unmade, self._buffer
        waiting = buffer.standing(self._encoded)
        for reply in unmade:
            left = reply.pieces.left() - waiting.keys()
            waiting |= zip(left, map(reply.pieces.standing().get, left), strict=True)
        text = self.client.replies.text
        positions: dict[KeyT, AnyStr] = {}
        for cursor, last in cursors:
            position = last
            if cursor.name in waiting:
                position = waiting[cursor.name] or before.get(cursor.name)
            elif cursor.phase is Phase.AFTER:
                position = asked.get(id(cursor), last)
            if position == b">":
                position = cursor.before
            if position is not None:
                positions[cursor.given] = text(position)
        return positions

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._cursors)} streams on {self.client!r}>"

    # ------------------------------------------------------------------------------------------------ opening and closing

    def __enter__(self) -> Self:
        if self._readers:
            self.close()  # a read that is outstanding says nothing of where the streams stand afresh
        self._restart()
        self._locate(list(self._cursors.values()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """
        Stop reading and close the connection. What was fetched already is still served, or given by ``drain``; then there is
        nothing more until the consumer is entered again, which begins afresh.
        """
        self.stop()
        self._finish()

    def stop(self) -> None:
        """
        End the reading, from any task, thread or signal handler.

        A call that waits for an entry comes back at once; one that is connecting, when that has ended. What was fetched already
        is still served; then iteration ends, and ``get_entry`` gives (None, None), until the consumer is entered again.
        ``close`` it all the same.
        """
        self._stopped = True
        self._alarm.ring()

    @property
    def stopped(self) -> bool:
        """
        Whether the reading was ended, by ``stop`` or ``close``: what is in the buffer is still served, and nothing comes
        after it until the consumer is entered again.
        """
        return self._stopped

    def drain(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give everything that was fetched and not served yet, as (stream, entry), and serve it no more. What another thread has
        just received, and is about to be served, is left to it.

        Raises:
            ProtocolError: what was received last cannot be read; called again, it gives the rest
        """
        self._withdrawing = rt.caller()
        try:
            self._halt()
            while self._unmade and self._owner in (None, rt.caller()):
                self._make(everything=True)
            items: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []
            # One step takes them, from whatever buffer is there then, and no call follows: nothing can interrupt before they
            # are given, and no other thread can have served one of them or put more there.
            items += self._buffer.rest
            return items
        finally:
            self._withdrawing = None

    def add_stream(self, stream: KeyT, identifier: PositionT | None = None) -> bool:
        """
        Read one more stream from now on; a read that waits already takes it in.

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
        self._locate((cursor,))
        self._cursors.setdefault(name, cursor)
        self._arranged = False
        self._nudge()
        return True

    def remove_stream(self, stream: KeyT) -> bool:
        """
        Read a stream no more. What was fetched from it already, or is on its way, is still served.

        Returns:
            False when it is none of the streams

        Raises:
            ValueError: it is the only one
        """
        name = encode_name("stream", stream, self.client.encoding)
        if name not in self._cursors:
            return False
        if len(self._cursors) == 1:
            raise ValueError(f"stream: {stream!r} is the only stream of this consumer; close the consumer instead")
        del self._cursors[name]
        if self._takeover is not None:
            self._takeover.forget((name,))
        self._arranged = False
        self._nudge()
        return True

    # ------------------------------------------------------------------------------------------------------------ reading

    def __iter__(self) -> Iterator[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give the entries and their streams, as ``get_entry``, until there are none (within ``timeout``). A later loop goes on
        where this one has ended.
        """
        return self if self._attended else rt.loop(self, self._filled)

    def __next__(self) -> tuple[AnyStr, StreamEntry[AnyStr]]:
        """
        Give the next entry and its stream; the iteration ends when there is none (within ``timeout``).
        """
        # One step takes the entry, and no call follows: nothing can interrupt before it is given.
        for item in self._ready:
            return item
        while self._fill():
            for item in self._buffer.rest:
                return item
        raise StopIteration

    def get_entry(self) -> tuple[AnyStr, StreamEntry[AnyStr]] | tuple[None, None]:
        """
        Give the next entry.

        Returns:
            its stream and the entry; (None, None) when there is none, after waiting for ``timeout``

        Raises:
            StreamConsumerInitializationError: a consumer group does not exist and may not be created
            ConcurrentUseError: another task or thread is reading from this consumer
            RedisError: the server cannot be reached within ``timeout``, or refuses. Nothing is lost, the next call goes on
        """
        for item in self._ready:
            return item
        while self._fill():
            for item in self._buffer.rest:
                return item
        return None, None

    def get_entries(
        self, max_entries: int | None = None, *, timeout: int | None = None
    ) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give several entries at a time: those that are in the buffer, or, when there are none, what the next read brings.

        Args:
            max_entries: the most to give; None: all there are. It does not change how many are fetched (``buffer_size``)
            timeout: milliseconds to wait when there are none, instead of the consumer's; 0 or less: do not wait

        Returns:
            (stream, entry), in the order in which ``get_entry`` gives them; an empty list when there are none

        Raises:
            RedisError: as ``get_entry``
        """
        if max_entries is not None:
            positive_integer("max_entries", max_entries)
        seconds = None if timeout is None else max(0, whole_number("timeout", timeout)) / 1000
        batch: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []
        while self._fill(seconds, everything=True):
            some = islice(self._buffer.rest, max_entries)
            # One step takes them, and no call follows; see ``drain``.
            batch += some
            if batch:
                return batch
        return []

    def batches(self, max_entries: int | None = None, *, timeout: int | None = None) -> Batches[AnyStr]:
        """
        Iterate over lists of entries instead of single ones, as ``get_entries`` gives them; it ends when there are none.
        """
        return Batches(self, max_entries, timeout)

    # ------------------------------------------------------------------------------------------------ where streams begin

    def _check_start(self, name: str, identifier: PositionT) -> bytes:
        checked = identifiers.position(name, identifier)
        if checked == b"+":
            raise ValueError(f"{name}: '+' is for a single read; a consumer starts at an identifier or at '$'")
        return checked

    def _locate(self, cursors: Iterable[Cursor]) -> None:
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
        pipeline.execute()
        for cursor, handle in zip(latest, handles, strict=True):
            if is_absent(handle.error):
                last = BEGINNING
            else:
                # "$" once, as an identifier: asked for anew with every read, what comes in between would be skipped.
                last = encode_name("identifier", handle.result()["last-generated-id"], "ascii")
            cursor.position, cursor.phase = last, Phase.AFTER


class Batches(Generic[AnyStr]):
    """
    Iterates over lists of entries.
    """

    def __init__(self, consumer: Consumer[AnyStr], max_entries: int | None, timeout: int | None) -> None:
        self._consumer: Consumer[AnyStr] = consumer
        self._max_entries = max_entries
        self._timeout = timeout

    def __iter__(self) -> Iterator[list[tuple[AnyStr, StreamEntry[AnyStr]]]]:
        return self

    def __next__(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give the next entries; the iteration ends when there are none.
        """
        batch = self._consumer.get_entries(self._max_entries, timeout=self._timeout)
        if not batch:
            raise StopIteration
        return batch
