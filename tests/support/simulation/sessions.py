"""
What one consumer was given, as the application saw it, and the checks that can be made at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from coredis._core.consumer import deadletters
from tests.support.memory.identifiers import Identifier, exact
from tests.support.memory.server import Event
from tests.support.simulation.plan import LETTERS

#: One entry of one life of a stream: which life, and its identifier.
Place: TypeAlias = tuple[int, Identifier]


class Violation(AssertionError):
    """
    The library broke a promise.
    """


class Journal:
    """
    What the server knows, entry by entry.

    Attributes:
        events: everything, in order; the server appends to it
        by_nonce: where each added entry is, by the number in it
        owners: who opened each connection
        several: there has been more than one session
        letters: how many dead letters there are of each entry
        acknowledged: entries that an application has begun to acknowledge
        gives: how often each entry was given to anybody
        undone: what happened to these entries was lost by a failover, so it may happen once more, and in another order
        revived: some of these had been acknowledged or deleted, so that readers may be past them
        repeats: a group was made again where another consumer than the first to read began, so entries come again
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.by_nonce: dict[int, tuple[bytes, Place]] = {}
        self.letters: dict[tuple[bytes, Place], int] = {}
        self.acknowledged: set[tuple[bytes, Place]] = set()
        self.gives: dict[tuple[bytes, Place], int] = {}
        self.undone: set[tuple[bytes, Place]] = set()
        self.revived: set[tuple[bytes, Place]] = set()
        self.repeats = self.several = False
        self.owners: dict[int, str] = {}
        self._lives: dict[bytes, int] = {}
        self._last: dict[bytes, Identifier] = {}  # delivered in this life of a stream
        self._read = 0

    def catch_up(self) -> None:
        """
        Read what is new.

        Raises:
            Violation: an entry was added twice
        """
        for event in self.events[self._read :]:
            if event.kind == "restored":
                self._undo(event)
            elif event.kind == "gone":
                self._lives[event.key] = self._lives.get(event.key, 0) + 1
                self._last.pop(event.key, None)
            elif event.kind == "delivered":
                self._last[event.key] = max(event.identifier, self._last.get(event.key, event.identifier))
            elif event.kind == "created":
                self.repeats |= self.several and event.identifier < self._last.get(event.key, (0, 0))
            elif event.kind == "added" and event.key == LETTERS.encode():
                self._letter(dict(zip(event.fields[::2], event.fields[1::2], strict=True)))
            elif event.kind == "added":
                nonce = int(event.fields[1])
                if nonce in self.by_nonce:
                    raise Violation(f"entry {nonce} was added twice, in {event.key!r}: XADD was sent again")
                self.by_nonce[nonce] = event.key, (self._lives.get(event.key, 0), event.identifier)
        self._read = len(self.events)

    def _undo(self, restored: Event) -> None:
        for event in self.events[restored.command :]:
            if event is restored:
                break
            if event.key == restored.key:
                where = (event.key, (self.life(event.key), event.identifier))
                self.undone.add(where)
                if event.kind in ("removed", "acknowledged"):
                    self.revived.add(where)

    def _letter(self, fields: dict[bytes, bytes]) -> None:
        key = fields[deadletters.STREAM]
        where = (key, (self._lives.get(key, 0), exact(fields[deadletters.IDENTIFIER])))
        self.letters[where] = self.letters.get(where, 0) + 1

    def places(self, entries: list[tuple[bytes, bytes]]) -> list[tuple[bytes, Place]]:
        """
        Find entries that were given to somebody, whichever life of their stream they are of.
        """
        places = [(key, (life, exact(identifier))) for key, identifier in entries for life in range(self.life(key) + 1)]
        return [where for where in places if where in self.gives]

    def taken(self, key: bytes, place: Place, owner: str, since: int) -> bool:
        """
        Tell whether an entry was delivered to somebody else since then.
        """
        return any(
            event.kind == "delivered"
            and (event.key, event.identifier) == (key, place[1])
            and self.owners[event.connection] != owner
            for event in self.events[since:]
        )

    def delivery(self, key: bytes, place: Place, owner: str) -> int:
        """
        Tell how much had happened when an entry had been delivered to somebody for the last time.
        """
        for number in range(len(self.events), 0, -1):
            event = self.events[number - 1]
            mine = event.kind == "delivered" and self.owners[event.connection] == owner
            if mine and (event.key, event.identifier) == (key, place[1]):
                return number
        return len(self.events)

    def life(self, key: bytes) -> int:
        """
        Tell how often a stream has gone.
        """
        return self._lives.get(key, 0)


@dataclass(slots=True)
class Session:
    """
    One consumer from its beginning to its close or crash.

    Attributes:
        owner: the host its client connects to
        consumer: its name in the group
        since_link: connections with larger numbers than this are its own
        since_event: how much had happened before
        backlog: it began with what was pending for its name
        takes_over: it may be given entries out of order, and again those that others have had meanwhile
        disordered: it may be given them out of order, since nobody can close a dead connection
        returned: what the application was given, by stream, in order
        handed_back: how often it may come again because it was handed back
        given_at: how much had happened when an entry that it was given had been delivered to it. It may have been taken over
            after that: who holds it serves it all the same when the server does not say so in time
        alive: it has not been closed and has not crashed
        lost_before: ``possibly_lost`` at its beginning
        lost: how many it counted in all, when it was closed; None: it lives or has crashed
    """

    owner: str
    consumer: bytes
    since_link: int
    since_event: int
    backlog: bool
    takes_over: bool = False
    disordered: bool = False
    returned: dict[bytes, list[Place]] = field(default_factory=dict)
    handed_back: dict[tuple[bytes, Place], int] = field(default_factory=dict)
    given_at: dict[tuple[bytes, Place], int] = field(default_factory=dict)
    alive: bool = True
    lost_before: int = 0
    lost: int | None = None

    def give(self, journal: Journal, stream: bytes, entry: Any) -> None:
        """
        Record that the application was given an entry.

        Raises:
            Violation: it is not what the server has, or came before, or out of order
        """
        nonce = int(entry.field_values[b"n"])
        journal.catch_up()
        key, place = journal.by_nonce[nonce]
        if (key, place[1]) != (stream, exact(entry.identifier)):
            raise Violation(f"entry {nonce} of {key!r} {place} came as one of {stream!r}, {entry.identifier!r}")
        returned = self.returned.setdefault(key, [])
        before = self.given_at.get((key, place))
        back = self.handed_back.get((key, place), 0)
        if before is not None and back:
            self.handed_back[key, place] = back - 1
        elif (
            before is not None
            and not journal.repeats
            and (key, place) not in journal.undone
            and not (self.takes_over and journal.taken(key, place, self.owner, before))
        ):
            raise Violation(f"{self.owner}: entry {nonce}, {key!r} {place}, came twice")
        free = journal.repeats or self.takes_over or self.disordered or (key, place) in journal.undone
        if returned and place < returned[-1] and not free:
            raise Violation(f"{self.owner}: entry {nonce}, {key!r} {place}, came out of order, after {returned[-3:]}")
        journal.gives[key, place] = journal.gives.get((key, place), 0) + 1
        self.given_at[key, place] = journal.delivery(key, place, self.owner)
        returned.append(place)

    def hand_back(self, journal: Journal, entries: list[tuple[bytes, bytes]]) -> None:
        """
        Expect entries again that are being handed back to the group.
        """
        # What an earlier session was given, it may be given in any case.
        for where in filter(self.given_at.__contains__, journal.places(entries)):
            self.handed_back[where] = self.handed_back.get(where, 0) + 1

    def has(self, key: bytes, place: Place) -> bool:
        """
        Tell whether the application was given an entry.
        """
        return (key, place) in self.given_at
