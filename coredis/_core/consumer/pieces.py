"""
A large reply to a consumer without a group: its entries are made some at a time, those that are served next.

Of each entry Python's collector has to look at two objects. When all of a large reply are made at once they pile up, and it
comes twice as often as where those that were made before are gone by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, repeat
from operator import itemgetter
from typing import AnyStr, Final, Generic, NamedTuple, cast

from ...types import StreamEntry
from .. import identifiers
from ..command import Reply
from ..replies import Replies
from . import arrivals
from .arrivals import Found
from .cursors import Cursor, Part, Plan

#: So many are made at a time. Each is two objects for the collector, which comes after 700 more. For a reply with no more than
#: twice as many it does not come, and each time costs something: all of these are made at once.
PIECE: Final = 100
_first: Final = itemgetter(0)


class Pieces(NamedTuple, Generic[AnyStr]):
    """
    A reply, and how far it has come. It does not change: what comes after some of its entries is another one.

    Attributes:
        plan: the read that it answers
        seen: what it has
        number: how many entries that is
        cursors: the streams that were asked for, by name
        made: how many of its entries have been made, in the order in which they are served
        raw: all of them in that order, as they were parsed; none before the first are made
        streams: of each its stream; one stream repeated without end where there is only one
        names: the same as bytes
    """

    plan: Plan
    seen: Found
    number: int
    cursors: Mapping[bytes, Cursor]
    made: int = 0
    raw: Sequence[Reply] = ()
    streams: list[AnyStr] | repeat[AnyStr] | tuple[()] = ()
    names: Iterable[bytes] = ()

    def make(
        self, replies: Replies[AnyStr], everything: bool = False
    ) -> tuple[Iterable[AnyStr], list[StreamEntry[AnyStr]], Pieces[AnyStr]]:
        """
        Make entries.

        Args:
            replies: how this client wants its text
            everything: all that are left, and not only those that are served next

        Returns:
            of each its stream, or one stream repeated without end; the entries; and how far the reply has come then

        Raises:
            Exception: what reading a reply of a strange shape may raise
        """
        number = self.number
        begin, end = self.made, number if everything else min(number, self.made + PIECE)
        if not begin and (end == number or number <= 2 * PIECE):
            whole = arrivals.make(self.seen, replies)
            return whole.streams, whole.entries, self._replace(made=number)
        ordered = self if begin else self._in_order(replies)
        if end < number:
            arrivals.checked(ordered.raw[end - 1][0])
        streams: Iterable[AnyStr] = ordered.streams
        raw = ordered.raw[begin:end]
        entries = replies.alike(raw)
        if entries is None:
            if len(self.seen.raw) > 1:
                end = number  # most likely each stream has names of its own: one after the other takes half the time
            apart = arrivals.make_apart(ordered._rest(begin, end), replies)
            streams, entries = apart.streams, apart.entries
        elif isinstance(ordered.streams, list):
            streams = ordered.streams[begin:end]
        return streams, entries, ordered._replace(made=end)

    @property
    def finished(self) -> bool:
        """
        Whether all entries have been made.
        """
        return self.made == self.number

    def _in_order(self, replies: Replies[AnyStr]) -> Pieces[AnyStr]:
        raw, streams = arrivals.in_order(self.seen, replies)
        # What is bytes already is not put in order twice.
        names = cast(Iterable[bytes], streams) if replies.text is bytes else arrivals.names_in_order(self.seen)
        return self._replace(raw=raw, streams=streams, names=names)

    def _rest(self, begin: int, end: int) -> Found:
        """
        Give what it has from one of its entries up to another one.
        """
        if begin == 0 and end == len(self.raw):
            return self.seen
        rest: dict[bytes, list[Reply]] = {}
        for name, item in zip(islice(self.names, begin, end), self.raw[begin:end], strict=True):
            rest.setdefault(name, []).append(item)
        return self.seen._replace(raw=rest)

    def standing(self) -> dict[bytes, bytes]:
        """
        Say by name where streams stand after the entries that have been made, if they have more of them.
        """
        return self.plan.standing() | self._reached(self._back())

    def settled(self) -> Plan:
        """
        Give what says the same, without holding the reply.
        """
        return self._after(self._back())

    def undone(self) -> Plan:
        """
        Give the read to be sent if the rest cannot be made: of what comes after the entries that have been made.
        """
        return self._after(0)

    def left(self) -> set[bytes]:
        """
        Give the names of the streams that have entries that have not been made.
        """
        return set(islice(self.names, self.made, self.number)) if self.made else set(self.seen.raw)

    def _back(self) -> int:
        # Entries come in turns, so the one before any that is left is among so many.
        return max(0, self.made - len(self.seen.raw))

    def _after(self, since: int) -> Plan:
        reached = self._reached(since) if self.made else {}
        if not reached:
            return self.plan
        part = Part(tuple(map(self.cursors.__getitem__, reached)), tuple(reached.values()))
        return self.plan._replace(parts=(*self.plan.parts, part))

    def _reached(self, since: int) -> dict[bytes, bytes]:
        """
        Give by name the last of the identifiers of those entries that have been made, without so many of the first ones.
        """
        known: list[bytes] = list(map(_first, self.raw[since : self.made]))
        names = islice(self.names, since, self.made)
        if {*map(type, known)} == {bytes} and identifiers.surely_all_valid(known):
            return dict(zip(names, known, strict=True))
        return {
            name: one
            for name, one in zip(names, known, strict=True)
            if type(one) is bytes and arrivals.is_identifier(one)
        }
