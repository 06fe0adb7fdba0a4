"""
What was fetched and not served yet, in the order in which it is served.

Entries are taken by one step of an iterator, which is made of parts in C: nothing can interrupt it, so an entry is either
still here or has been given. A buffer is never filled again, but replaced by another one, which is a single assignment. A
loop may go on with the iterator of the one before: what had not been served is taken over as it is, not copied. What was
served stays in a buffer until then, so that it can be told how far the application has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, compress, count, repeat
from operator import itemgetter, length_hint
from typing import AnyStr, Final, Generic, Protocol, Self

from ...types import StreamEntry

_identifier: Final = itemgetter(0)


class Standing(Protocol):
    """
    Knows where streams stood before some entries.
    """

    def standing(self) -> dict[bytes, bytes]:
        """
        Say it, by name.
        """

    def settled(self) -> Standing:
        """
        Give what says the same, without holding a reply.
        """


class Buffer(Generic[AnyStr]):
    """
    Entries and their streams.

    Attributes:
        rest: gives what was not served yet, as (stream, entry); whatever it has given counts as served
    """

    __slots__ = ("_before", "_entries", "_left", "_own", "_places", "_since", "_streams", "rest")

    def __init__(
        self,
        streams: Iterable[AnyStr],
        entries: list[StreamEntry[AnyStr]],
        served: int = 0,
        before: tuple[Buffer[AnyStr], ...] = (),
        since: tuple[Standing, ...] = (),
    ) -> None:
        """
        Args:
            streams: of each entry its stream; or one stream for all of them, repeated without end
            entries: the entries. The list is kept, and must not be changed any more but for being emptied
            served: how many of them, from the first on, have been served already
            before: what is served before them
            since: say where their streams stood before them; of a stream that several know of, the first
        """
        self._streams: Iterable[AnyStr] = streams
        self._entries: list[StreamEntry[AnyStr]] = entries
        self._before: tuple[Buffer[AnyStr], ...] = before
        self._since = since
        self._places: dict[tuple[AnyStr, AnyStr], int] | None = None
        given = streams
        left = iter(entries)
        self._left: Iterator[StreamEntry[AnyStr]] = left
        if served:
            left.__setstate__(served)  # type: ignore[attr-defined]  # of the iterator of a list
            if not isinstance(streams, repeat):
                given = iter(streams)
                given.__setstate__(served)  # type: ignore[attr-defined]
        own: Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] = zip(given, left, strict=False)
        self._own: Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] = own
        self.rest: Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] = (
            chain(*[each._own for each in before], own) if before else own
        )

    def __bool__(self) -> bool:
        """
        Whether there is something still to be served. Its own entries are the last: when none of these is left, nothing is.
        """
        return length_hint(self._left) > 0

    def __len__(self) -> int:
        """
        How many are still to be served.
        """
        left = length_hint(self._left)
        for each in self._before:
            left += length_hint(each._left)
        return left

    def served(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give what has been served.
        """
        return list(chain.from_iterable([each._apart()[0] for each in self._parts()]))

    def waiting(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give what is still to be served, without taking it.
        """
        return list(chain.from_iterable([each._apart()[1] for each in self._parts()]))

    def waits(self, stream: AnyStr, identifier: AnyStr) -> bool:
        """
        Tell whether an entry is still to be served. The first question takes as long as the buffer, the others no time.
        """
        for each in self._parts():
            places = each._places
            if places is None:
                identifiers = map(_identifier, each._entries)
                each._places = places = dict(zip(zip(each._streams, identifiers, strict=False), count(), strict=False))
            place = places.get((stream, identifier), -1)
            if place >= len(each._entries) - length_hint(each._left):
                return True
        return False

    def standing(self, encoded: Callable[[object], bytes]) -> dict[bytes, bytes | None]:
        """
        Say by name where the application stands in each stream that has something still to be served: the identifier of the
        last entry it got, or what was asked for before (``>`` in a group); None: that is not known.

        Args:
            encoded: gives back the bytes of a text
        """
        standing: dict[bytes, bytes | None] = {}
        for each in self._parts():
            served, waiting = each._apart()
            names = set(map(encoded, {stream for stream, _ in waiting})) - standing.keys()
            if names:
                known: dict[bytes, bytes] = {}
                for since in reversed(each._since):
                    known |= since.standing()
                for stream, entry in dict(served).items():
                    known[encoded(stream)] = encoded(entry.identifier)
                standing |= {name: known.get(name) for name in names}
        return standing

    def settle(self) -> None:
        """
        Hold no reply any more to tell where streams stood.
        """
        for each in self._parts():
            each._since = tuple([since.settled() for since in each._since])

    def lists(self) -> list[list[StreamEntry[AnyStr]]]:
        """
        Give the lists of its entries. Whoever empties them ends ``rest``, and that of the buffers that it has followed.
        """
        return [each._entries for each in self._parts()]

    def followed_by(
        self, streams: Iterable[AnyStr], entries: list[StreamEntry[AnyStr]], since: Standing | None = None
    ) -> Self:
        """
        Make a buffer of what is still to be served, and more after that.

        Args:
            streams: as of the constructor
            entries: what is added
            since: says where their streams stood before them
        """
        if not entries:
            return self
        known = () if since is None else (since,)
        if not length_hint(self._left):
            return type(self)(streams, entries, 0, (), known)
        before = [each for each in self._parts() if length_hint(each._left)]
        return type(self)(streams, entries, 0, tuple(before), known)

    def without(self, gone: Iterable[bool]) -> Self:
        """
        Make a buffer that lacks some of what is still to be served.

        Args:
            gone: for each of those, in order, whether it is left out
        """
        given = self.served()
        kept = list(chain(given, compress(self.waiting(), [not left_out for left_out in gone])))
        since = tuple(chain.from_iterable([each._since for each in self._parts()]))
        return type(self)([stream for stream, _ in kept], [entry for _, entry in kept], len(given), (), since)

    def _parts(self) -> list[Buffer[AnyStr]]:
        """
        Give those that it has followed, and itself, in the order in which they are served.
        """
        parts: list[Buffer[AnyStr]] = list(self._before)
        parts.append(self)
        return parts

    def _apart(
        self,
    ) -> tuple[Iterable[tuple[AnyStr, StreamEntry[AnyStr]]], Iterable[tuple[AnyStr, StreamEntry[AnyStr]]]]:
        """
        Give what has been served of its own entries, and what is still to be.
        """
        entries = self._entries
        begin = len(entries) - length_hint(self._left)
        streams = self._streams if isinstance(self._streams, repeat) else list(self._streams)
        rest = streams if isinstance(streams, repeat) else streams[begin:]
        return zip(streams, entries[:begin], strict=False), zip(rest, entries[begin:], strict=False)
