"""
What becomes of the replies to a consumer's reads.

What has been received goes from the reply into the buffer in one step, with no wait in between, so neither a cancelled task
nor an interrupted thread can lose an entry. A consumer without a group takes two steps: it sees where the streams stand now,
and sends the next read if it reads ahead; and it makes the entries, while the server works on that. What it has received stays
in its place until then, and comes first in whatever is done next. Of a large reply some entries are made at a time, those that
are served next: so there are never so many new objects that Python's collector comes to look at them again and again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, AnyStr, Final, NamedTuple

from coredis._async.patterns.reader import Reader
from coredis._async.patterns.sending import Sending
from coredis._core.command import Reply
from coredis._core.consumer import arrivals
from coredis._core.consumer.buffer import Buffer
from coredis._core.consumer.cursors import Cursor, Kind, Plan, by_name, moving, received
from coredis._core.consumer.deadletters import Suspect
from coredis._core.consumer.held import Key
from coredis._core.consumer.pieces import Pieces
from coredis._core.consumer.portions import Portions
from coredis._core.consumer.statistics import ConsumerStatistics
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._runtime import aio as rt
from coredis.exceptions import AskError, InvalidResponse, ProtocolError, RedisError, RequestTimeoutError
from coredis.types import StreamEntry

#: What a consumer gives at once while there is something to look at first.
NOTHING: Final[Iterator[Any]] = iter(())
#: What reading a reply of a strange shape may raise.
UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    InvalidResponse,
    LookupError,
    ProtocolError,
    TypeError,
    ValueError,
)


class Unmade(NamedTuple):
    """
    What has been received, and by whom, and of which not all entries were made yet.

    Attributes:
        pieces: all that has been received, and how much of it has been made
        reader: whose reply it is
        attempt: how often the reads of that reader had gone wrong in a row before: if entries cannot be made, it is once more
    """

    pieces: Pieces[Any]
    reader: Reader[Any]
    attempt: int


class Taking(Sending[AnyStr]):
    """
    Puts into a buffer what was read. What a group makes different is in the methods at the end.
    """

    # Here, since an object is slower that has more than 29 attributes of its own.
    _noting: bool = False  # leases are noted: by members that take over, and by others while something is in doubt
    _attended: bool = False  # serving an entry takes more than taking it from the buffer

    def __init__(self, cursors: dict[bytes, Cursor], portions: Portions, longest_wait: float) -> None:
        """
        Args:
            cursors, portions, longest_wait: as of ``Sending``
        """
        super().__init__(cursors, portions, longest_wait)
        self.statistics = ConsumerStatistics()
        self._buffer: Buffer[AnyStr] = Buffer((), [])
        # Gives entries at once, without a look at anything else: the rest of the buffer, or nothing when there is something to
        # look at first. Whoever replaces the buffer takes this away before, and ``_fill`` gives it back.
        self._ready: Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] = NOTHING
        self._withdrawing: object = None  # who takes the buffer away: another task or thread must not be served from it
        self._unmade: tuple[Unmade, ...] = ()  # the one that came first is served first
        self._exhausted: list[Cursor] = []  # those that were ``asked``, in this call of the application
        self._leases: dict[Key, float] = {}  # see ``_core/consumer/held``
        self._suspects: list[Suspect[AnyStr]] = []  # fetched, and perhaps to be given up
        self._stopped = False

    def _take(self, reader: Reader[AnyStr]) -> None:
        """
        Put what an outstanding read brought, if it is there, into the buffer.

        Raises:
            RedisError: the read failed; or a part of it, and what the others brought is in the buffer
        """
        if reader.listening is not None:
            reader.heard()
            return
        started, following = reader.started, reader.plan
        if started is None or following is None:
            return
        if not started.done():
            if reader.overdue():
                raise RequestTimeoutError("no reply in time", may_have_run=True)  # no server is that late
            # A read that an earlier call left waiting has nothing, and this call does not wait for it.
            reader.answered = not self._seconds and reader.waits
            return
        parts, answers = following.parts, reader.replies()
        if reader.started is not started:
            return  # a signal handler has taken it, within this call
        if len(answers) != len(parts):
            raise ProtocolError("more or fewer replies than commands", may_have_run=True)
        refused: list[RedisError] = []
        if ErrorLine in set(map(type, answers)):
            refused = [from_line(str(reply)) for reply in answers if type(reply) is ErrorLine]
            parts = tuple([part for part, reply in zip(parts, answers, strict=True) if type(reply) is not ErrorLine])
            answers = [reply for reply in answers if type(reply) is not ErrorLine]
        cursors = reader.by_name
        if len(parts) != 1:
            cursors = by_name([cursor for part in parts for cursor in part.cursors])
        elif parts[0].cursors is not reader.cursors:
            cursors = by_name(parts[0].cursors)
        if self._membership is None and not refused:
            self._take_later(reader, started, following, cursors, answers)
            return
        while self._unmade:
            self._make(everything=True)  # of other readers: it has come before
        try:
            arrived = self._read(following, cursors, answers)
            self._note_acknowledged(reader)
        except UNREADABLE as error:
            unreadable = _unreadable(error)
            if self._membership is not None and self._membership.acknowledge_on_delivery:
                unreadable.replies = answers
            raise unreadable from unreadable.__cause__
        if reader.started is not started:
            return  # a signal handler has taken it, within this call
        self._exhausted += received(cursors, arrived.last)
        _note_rest(reader, following, cursors, arrived.counts)
        streams, entries, suspects = self._sift(following, arrived)
        nothing = not (entries or suspects or arrived.suppressed or arrived.deleted)
        noted = dict.fromkeys(self._to_note(arrived.keys), reader.sent_at) if self._noting else {}
        if noted and self._takeover is not None:
            self._note_leases(reader.sent_at)
        buffer = self._buffer.followed_by(streams, entries, following)
        if parts:
            reader.attempt = self._detours = 0
        reader.answered = not (self._seconds or refused) and following.complete and reader.sent_now and nothing
        reader.unfinished = reader.partial and not (arrived.counts or refused)
        reader.settle()
        asked = 0 if following.kind is Kind.CLAIM else len(cursors)
        self._portions.received(sum(arrived.counts.values()), reader.size, asked, following.kind is Kind.HISTORY)
        delivered = len(entries)
        number = delivered + len(suspects)
        if reader.started is not started:
            return  # as above
        # Until here everything could be done again with the same reply. No call in between: nothing can interrupt here.
        self._leases |= noted
        self._suspects += suspects
        self._ready = NOTHING
        self._buffer = buffer
        self.statistics.delivered += delivered
        self._allowance.fetched += number
        reader.taken = following
        reader.plan = reader.started = None
        self._taken(following, arrived)
        if self._redirects:
            for cursor in cursors.values():
                self._redirects.pop(cursor.slot, None)
        for refusal in refused:
            if isinstance(refusal, AskError):
                self._redirected(refusal)
                self._misplaced.append((refusal, reader.place))
                self._arranged = False
        if refused:
            raise refused[0]

    def _take_later(
        self,
        reader: Reader[AnyStr],
        started: rt.Started,
        following: Plan,
        cursors: Mapping[bytes, Cursor],
        answers: list[Reply],
    ) -> None:
        """
        As ``_take``, for a reply without refusals: send the next read, if that is to be ahead, before entries are made of this
        one, and then the first of these, if nothing else comes before them.
        """
        try:
            seen = arrivals.look(answers, cursors)
        except UNREADABLE as error:
            unreadable = _unreadable(error)
            raise unreadable from unreadable.__cause__
        number = sum(seen.counts.values())
        if reader.started is not started:
            return  # a signal handler has taken it, within this call
        forward = moving(cursors, seen.last)
        _note_rest(reader, following, cursors, seen.counts)
        reader.answered = not self._seconds and following.complete and reader.sent_now and not number
        reader.unfinished = reader.partial and not number
        reader.settle()
        self._portions.received(number, reader.size, len(cursors))
        some = (Unmade(Pieces(following, seen, number, cursors), reader, reader.attempt),) if number else ()
        if reader.started is not started:
            return  # as above
        # Until here everything could be done again with the same reply. No call in between but the last, which is one in C:
        # nothing can interrupt here.
        reader.attempt = self._detours = 0
        self._unmade += some
        reader.taken = following
        reader.plan = reader.started = None
        deque(forward, 0)
        if self._redirects:
            for cursor in cursors.values():
                self._redirects.pop(cursor.slot, None)
        if number and self._prefetch and self._arranged and not self._stopped:
            self._read_ahead((reader,))
        if len(self._unmade) == 1 and not self._buffer:
            self._make()

    def _make(self, everything: bool = False) -> None:
        """
        Make entries of what was received first, some or all, if there is anything. Interrupted, it can be done again.

        Raises:
            ProtocolError: that cannot be done; the streams stand after what has been made before
        """
        waiting: tuple[Unmade, ...] = self._unmade
        if not waiting:
            return
        unmade = waiting[0]
        reader, pieces = unmade.reader, unmade.pieces
        try:
            streams, entries, following = pieces.make(self.client.replies, everything)
            if following.finished and (self._buffer or not entries):
                self._buffer.settle()
            since = pieces.settled() if following.finished else pieces
        except UNREADABLE as error:
            self._buffer.settle()
            for part in pieces.undone().parts:
                for cursor, position in zip(part.cursors, part.identifiers, strict=True):
                    cursor.position = position
            self._lose(reader)  # whatever was asked for since comes after it
            reader.attempt = unmade.attempt  # else it would be tried again without a pause, and without end
            others = waiting[1:]
            # No call in between, so nobody else can have changed it.
            if self._unmade is waiting:
                self._unmade = others
            unreadable = _unreadable(error)
            raise unreadable from unreadable.__cause__
        left = waiting[1:] if following.finished else (unmade._replace(pieces=following), *waiting[1:])
        number = len(entries)
        buffer = self._buffer.followed_by(streams, entries, since)
        if self._unmade is not waiting:
            return  # somebody was faster: a signal handler that reads, within this call, or another thread that drains
        # Until here everything could be done again with the same reply. No call in between: nothing can interrupt here.
        self._ready = NOTHING
        self._buffer = buffer
        self._unmade = left
        self.statistics.delivered += number

    def _halt(self) -> None:
        """
        Serve nothing from the buffer by the short way; whoever reads has to look first, and waits while somebody withdraws it.
        """
        self._ready = NOTHING

    def _discard(self) -> None:
        """
        Serve nothing of what is in the buffer any more.
        """
        buffer = Buffer[AnyStr]((), [])
        emptying = map(list.clear, self._buffer.lists())  # a loop of the application may have the iterator
        # No call between these statements but one in C, so nothing can interrupt here.
        self._ready = NOTHING
        self._buffer = buffer
        deque(emptying, 0)

    # ----------------------------------------------------------------------------- what kinds of consumers do differently

    def _to_note(self, keys: Iterable[Key]) -> Iterable[Key]:
        """
        Choose the entries of which account is kept, where any is.
        """
        return keys

    def _note_leases(self, since: float) -> None:
        """
        Note that entries have come whose leases run since then (monotonic seconds).
        """

    def _note_acknowledged(self, reader: Reader[AnyStr]) -> None:
        """
        See to the answers to what was sent ahead of the read. May be done again with the same ones.
        """

    def _read(
        self, following: Plan, cursors: Mapping[bytes, Cursor], answers: list[Reply]
    ) -> arrivals.Arrivals[AnyStr]:
        """
        Make sense of the replies to a read of these streams. May be done again with the same ones.
        """
        return arrivals.read(answers, cursors, self.client.replies)

    def _sift(
        self, following: Plan, arrived: arrivals.Arrivals[AnyStr]
    ) -> tuple[Iterable[AnyStr], list[StreamEntry[AnyStr]], list[Suspect[AnyStr]]]:
        """
        Tell the entries to serve, after their streams, from those that may have to be given up.
        """
        return arrived.streams, arrived.entries, []

    def _taken(self, following: Plan, arrived: arrivals.Arrivals[AnyStr]) -> None:
        """
        A reply has been dealt with.
        """


def _note_rest(
    reader: Reader[Any], following: Plan, cursors: Mapping[bytes, Cursor], counts: Mapping[bytes, int]
) -> None:
    """
    Where the server tells when streams change, note which of them may have more than what has come now.
    """
    if reader.told and following.kind is Kind.NEW:
        for name, cursor in cursors.items():
            cursor.ready = counts.get(name, 0) >= reader.count


def _unreadable(error: Exception) -> ProtocolError:
    """
    Say that a reply cannot be made sense of; the cause is left away where its text may quote the payload.
    """
    unreadable = ProtocolError(f"unexpected reply to a stream read ({type(error).__name__})", may_have_run=True)
    unreadable.__cause__ = error if isinstance(error, ProtocolError) else None
    return unreadable
