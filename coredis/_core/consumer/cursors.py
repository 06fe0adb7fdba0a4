"""
Where a consumer stands in each of its streams, and what it asks for next.

A stream is read in one of these phases:

    UNKNOWN   not asked yet where to begin
    AFTER     without a group: what comes after ``position``
    HISTORY   in a group: this consumer's own pending entries after ``position``, until there are none; then NEW
    PENDING   as HISTORY, for ever: the application asked for pending entries only
    NEW       in a group: what nobody in the group has seen (``>``)

History never blocks and its streams are always in the reply, so one of them would keep a read of new entries from
waiting: the two are asked for in turns, and new entries are waited for only when no history is left. Looking for
entries to take over (``claims``) is a third kind of read, and never waits either.

When a reply to ``>`` may have been lost, its entries are already this consumer's pending ones, and all of them come after
``floor``, the last identifier received. So the stream goes back to HISTORY from there: nothing is lost and nothing comes twice.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import attrgetter
from typing import Final, NamedTuple

from ...typing import KeyT
from ..identifiers import parse

BEGINNING: Final = b"0-0"


class Phase(enum.Enum):
    """
    How a stream is read; see above.
    """

    UNKNOWN = "unknown"
    AFTER = "after"
    HISTORY = "history"
    PENDING = "pending"
    NEW = "new"


# Names of a module are found faster than those of a class.
_NEW: Final = Phase.NEW
_AFTER: Final = Phase.AFTER
_name: Final = attrgetter("name")
_phase: Final = attrgetter("phase")
_position: Final = attrgetter("position")
_busy: Final = attrgetter("busy")


@dataclass(slots=True)
class Cursor:
    """
    Where the consumer stands in one stream.

    Attributes:
        name: of the stream, encoded
        given: its name as the application said it
        start: the identifier the application asked for, None where it asked for none
        position: read after this identifier (AFTER, HISTORY, PENDING)
        began: in a group: what is pending up to here is not this session's
        floor: in a group: nothing after this identifier has been received in this session; at first where the group stood
        before: in a group: ``floor`` before the last read of new entries; None where nothing had been received
        heard: in a group: something has been received in this session
        known: the group has been found, or made, in this session; if it is gone later it has vanished
        asked: PENDING only: nothing was left when asked since the application's call began
        slot: where it is in a cluster; one command can only read streams of the same slot
        ready: where several slots are read: there may be new entries. False after a read found no more, until the
            server says that the stream has changed
        busy: an outstanding read asks for it; no other one may
        asked_new: new entries have been asked for in this session
        lost_reads: how many replies were lost that may have had what is to be read again; the server counts each as a delivery
        encoded_name: its name as a word of a command
    """

    name: bytes
    given: KeyT
    start: bytes | None
    phase: Phase = Phase.UNKNOWN
    position: bytes = BEGINNING
    floor: bytes = BEGINNING
    before: bytes | None = None
    began: bytes = BEGINNING
    known: bool = False
    asked: bool = False
    heard: bool = False
    slot: int = 0
    ready: bool = True
    busy: bool = False
    asked_new: bool = False
    lost_reads: int = 0
    encoded_name: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.encoded_name = b"$%d\r\n%b\r\n" % (len(self.name), self.name)

    def reset(self) -> None:
        """
        Forget where it stands.
        """
        self.phase, self.position, self.floor, self.began = Phase.UNKNOWN, BEGINNING, BEGINNING, BEGINNING
        self.known = self.asked = self.heard = self.busy = self.asked_new = False
        self.ready = True
        self.before = None
        self.lost_reads = 0

    @property
    def received_last(self) -> bytes | None:
        """
        The last identifier received; where reading began, when there is none yet; None when that is not known, and in a
        group, where it is the group that began.
        """
        if self.phase is Phase.AFTER:
            return self.position
        if not self.heard:
            return None
        return self.position if self.phase in (Phase.HISTORY, Phase.PENDING) else self.floor

    @property
    def fetched(self) -> tuple[bytes, bytes]:
        """
        In a group: after which identifier, and up to which one, what is pending has been fetched in this session.
        """
        return self.began, self.position if self.phase in (Phase.HISTORY, Phase.PENDING) else b"+"

    def received(self, last: bytes | None) -> None:
        """
        Record what a reply had for this stream: the identifier of its last entry, or None when there was none.

        Recording the same reply twice changes nothing.
        """
        phase = self.phase
        if phase is _AFTER:
            if last is not None:
                self.position = last
            return
        if phase is _NEW:
            if last != self.floor:
                self.before = self.floor if self.heard else None
            if last is not None:
                self.heard, self.floor = True, last
            return
        self.heard |= last is not None
        if last is not None:
            self.position = last
            if parse(last) > parse(self.floor):
                self.floor = last
        elif phase is Phase.HISTORY:
            self.phase, self.asked_new, self.lost_reads = Phase.NEW, True, 0
        else:
            self.asked, self.lost_reads = True, 0

    def lost(self) -> None:
        """
        Record that a reply with new entries may have been lost.
        """
        if self.phase is Phase.NEW:
            self.phase, self.position, self.asked_new = Phase.HISTORY, self.floor, True

    def missed(self, after: bytes) -> None:
        """
        Record that something may be pending that was not received, after this identifier and before others that were.
        """
        self.lost()
        if self.phase is Phase.HISTORY and parse(after) < parse(self.position):
            self.position = after


def by_name(cursors: Sequence[Cursor]) -> dict[bytes, Cursor]:
    """
    Find streams by their names.
    """
    return dict(zip(map(_name, cursors), cursors, strict=True))


def received(cursors: Mapping[bytes, Cursor], last: Mapping[bytes, bytes | None]) -> list[Cursor]:
    """
    Record what a reply had, as ``Cursor.received``: for each stream the identifier of its last entry, or None.

    Returns:
        the streams of which nothing is left in this call
    """
    read = list(map(cursors.__getitem__, last))
    if _phase_of_all(read) is _AFTER:
        for cursor, identifier in zip(read, last.values(), strict=True):
            if identifier is not None:
                cursor.position = identifier
        return []
    for cursor, identifier in zip(read, last.values(), strict=True):
        cursor.received(identifier)
    return [cursor for cursor in read if cursor.asked]


def moving(cursors: Mapping[bytes, Cursor], last: Mapping[bytes, bytes | None]) -> Iterator[None]:
    """
    Give what moves streams that are read without a group to where a reply ends when it is gone through, in one step in C.

    Args:
        cursors: they, by name
        last: as of ``received``
    """
    names = [name for name, identifier in last.items() if identifier is not None]
    return map(setattr, map(cursors.__getitem__, names), repeat("position"), map(last.__getitem__, names))


def for_new_entries(cursors: Sequence[Cursor]) -> bool:
    """
    Tell whether nothing but new entries of these streams is to be asked for; False as well: there are none.
    """
    phase = _phase_of_all(cursors)
    return phase is _AFTER or phase is _NEW


def _phase_of_all(cursors: Sequence[Cursor]) -> Phase | None:
    """
    Give the phase that all streams are in; None: not all of them are in the same, or there are none.
    """
    # There may be thousands, and this is half as long as looking at one after the other.
    phases: list[Phase] = list(map(_phase, cursors))
    return phases[0] if phases and phases.count(phases[0]) == len(phases) else None


class Kind(enum.Enum):
    """
    What a read asks for: new entries, a consumer's own pending ones, or those of others that have been left lying.
    """

    NEW = "new"
    HISTORY = "history"
    CLAIM = "claim"


class Part(NamedTuple):
    """
    What one command of a read asks for.

    Attributes:
        cursors: its streams
        identifiers: what to send for each of them
    """

    cursors: tuple[Cursor, ...]
    identifiers: tuple[bytes, ...]


class Plan(NamedTuple):
    """
    The next read.

    Attributes:
        kind: what it asks for
        parts: one for each command
        waits: whether it may wait for entries
        complete: whether nothing in the reply means that there is nothing in any stream
    """

    kind: Kind
    parts: tuple[Part, ...]
    waits: bool
    complete: bool

    def cursors(self) -> Iterable[Cursor]:
        """
        Give all streams in it.
        """
        return chain.from_iterable(part.cursors for part in self.parts)

    def given_up_with(self, other: Plan) -> Plan:
        """
        Give a read that stands for two whose replies are lost: of new entries if one of them is, since these may be lost.
        """
        kind = Kind.NEW if other.kind is Kind.NEW else self.kind
        return self._replace(kind=kind, parts=(*other.parts, *self.parts))

    def standing(self) -> dict[bytes, bytes]:
        """
        Say by name where its streams stand before its reply: what is sent for each.
        """
        standing: dict[bytes, bytes] = {}
        for part in self.parts:
            standing |= zip(map(_name, part.cursors), part.identifiers, strict=True)
        return standing

    def settled(self) -> Plan:
        """
        Give what says the same, without holding a reply.
        """
        return self


def plan(
    cursors: Sequence[Cursor],
    last: Kind | None = None,
    claim: Container[bytes] = (),
    scattered: bool = False,
) -> Plan | None:
    """
    Decide what to ask for next.

    Args:
        cursors: all streams of one connection; none of them UNKNOWN
        last: what the last read asked for, so that the kinds take turns
        claim: the names of streams where it is time to look for entries to take over
        scattered: the streams are in several slots of a cluster: each takes a command of its own, so no command can wait

    Returns:
        the next read; None when there is nothing left to ask for in this call, or until a stream has changed
    """
    if not (claim or scattered):
        # Nearly always: new entries of all streams.
        phase = _phase_of_all(cursors)
        if (phase is _AFTER or phase is _NEW) and True not in map(_busy, cursors):
            identifiers = tuple(map(_position, cursors)) if phase is _AFTER else (b">",) * len(cursors)
            return Plan(Kind.NEW, (Part(tuple(cursors), identifiers),), waits=True, complete=True)
    new: list[Cursor] = []
    history: list[Cursor] = []
    claimable: list[Cursor] = []
    resting = False
    for cursor in cursors:
        if cursor.busy:
            resting = True
        elif cursor.phase in (Phase.NEW, Phase.AFTER):
            claimable.append(cursor)
            if cursor.ready or not scattered:
                new.append(cursor)
            else:
                resting = True
        elif cursor.phase is Phase.HISTORY or not cursor.asked:
            history.append(cursor)
    due = [cursor for cursor in claimable if cursor.name in claim] if claim else []
    if due and last is not Kind.CLAIM:
        parts = tuple([_part([cursor]) for cursor in due])  # XAUTOCLAIM knows one stream
        return Plan(Kind.CLAIM, parts, waits=False, complete=False)
    if history and not (last is Kind.HISTORY and new):
        return Plan(Kind.HISTORY, _parts(history, scattered), waits=False, complete=False)
    if new:
        complete = not (history or due or resting)
        return Plan(Kind.NEW, _parts(new, scattered), waits=complete and not scattered, complete=complete)
    return None


def share(cursors: Sequence[Cursor], start: int, new: int, pending: int) -> tuple[tuple[Cursor, ...], int]:
    """
    Choose some of the streams to be asked next, all of them for the same kind of entries.

    One after the other they are where the choice begins. Those that are asked for another kind come next then, so the kinds
    take turns, and a stream that has much keeps none of the others from being asked.

    Args:
        cursors: all streams of one connection
        start: where to begin
        new: at most so many for new entries
        pending: at most so many for pending ones

    Returns:
        them, none when there is nothing left to ask for, and where the next share begins
    """
    size = len(cursors)
    start %= size
    for first in chain(range(start, size), range(start)):
        kind = _wanted(cursors[first])
        if kind is not None:
            break
    else:
        return (), start
    most = pending
    if kind is Kind.NEW:
        most = new
        following = tuple(cursors[first : first + most])
        if for_new_entries(following) and True not in map(_busy, following):
            return following, first + len(following)  # nearly always
    chosen: list[Cursor] = []
    passed: int | None = None
    position = first
    while position < size and len(chosen) < most:
        if _wanted(cursors[position]) is kind:
            chosen.append(cursors[position])
        elif passed is None:
            passed = position
        position += 1
    return tuple(chosen), position if passed is None else passed


def _wanted(cursor: Cursor) -> Kind | None:
    """
    What a stream is to be asked for; None: nothing now.
    """
    if cursor.busy:
        return None
    if cursor.phase is Phase.NEW or cursor.phase is Phase.AFTER:
        return Kind.NEW
    return None if cursor.asked else Kind.HISTORY


def _parts(cursors: list[Cursor], scattered: bool) -> tuple[Part, ...]:
    if not scattered:
        return (_part(cursors),)
    by_slot: dict[int, list[Cursor]] = {}
    for cursor in cursors:
        by_slot.setdefault(cursor.slot, []).append(cursor)
    return tuple(map(_part, by_slot.values()))


def _part(cursors: list[Cursor]) -> Part:
    return Part(tuple(cursors), tuple([b">" if cursor.phase is Phase.NEW else cursor.position for cursor in cursors]))
