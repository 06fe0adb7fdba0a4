"""
What was fetched and not served yet, in the order in which it is served.

Entries are taken by one step of an iterator, which is made of parts in C: nothing can interrupt it, so an entry is either
still here or has been given. A buffer is never filled again, but replaced by another one, which is a single assignment.
What was served stays in it until then, so that it can be told how far the application has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, compress, repeat
from operator import length_hint
from typing import AnyStr, Generic, Self

from ...types import StreamEntry


class Buffer(Generic[AnyStr]):
    """
    Entries and their streams.

    Attributes:
        entries: all that there were. Whoever empties this list ends ``rest``
        rest: gives what was not served yet, as (stream, entry); whatever it has given counts as served
    """

    __slots__ = ("_left", "_streams", "entries", "rest")

    def __init__(self, streams: Iterable[AnyStr], entries: list[StreamEntry[AnyStr]], served: int = 0) -> None:
        """
        Args:
            streams: of each entry its stream; or one stream for all of them, repeated without end
            entries: the entries. The list is kept, and must not be changed any more but for being emptied
            served: how many of them, from the first on, have been served already
        """
        self._streams: Iterable[AnyStr] = streams
        self.entries: list[StreamEntry[AnyStr]] = entries
        given = iter(streams)
        left = iter(entries)
        self._left: Iterator[StreamEntry[AnyStr]] = left
        if served:
            left.__setstate__(served)  # type: ignore[attr-defined]  # of the iterator of a list
            if not isinstance(streams, repeat):
                given.__setstate__(served)  # type: ignore[attr-defined]
        self.rest: Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] = zip(given, left, strict=False)

    def __len__(self) -> int:
        """
        How many are still to be served.
        """
        return length_hint(self._left)

    def served(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give what has been served.
        """
        return list(zip(self._streams, self.entries[: len(self.entries) - len(self)], strict=False))

    def waiting(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give what is still to be served, without taking it.
        """
        begin = len(self.entries) - len(self)
        streams = self._streams if isinstance(self._streams, repeat) else list(self._streams)[begin:]
        return list(zip(streams, self.entries[begin:], strict=False))

    def followed_by(self, streams: Iterable[AnyStr], entries: list[StreamEntry[AnyStr]]) -> Self:
        """
        Make a buffer of what is still to be served, and more after that.

        Args:
            streams: as of the constructor
            entries: what is added
        """
        if not entries:
            return self
        if not length_hint(self._left):
            return type(self)(streams, entries)
        return type(self)(*_apart(chain(self.waiting(), zip(streams, entries, strict=False))))

    def without(self, gone: Iterable[bool]) -> Self:
        """
        Make a buffer that lacks some of what is still to be served.

        Args:
            gone: for each of those, in order, whether it is left out
        """
        served = self.served()
        kept = compress(self.waiting(), [not left_out for left_out in gone])
        return type(self)(*_apart(chain(served, kept)), len(served))


def _apart(
    items: Iterable[tuple[AnyStr, StreamEntry[AnyStr]]],
) -> tuple[list[AnyStr], list[StreamEntry[AnyStr]]]:
    """
    Divide (stream, entry) into streams and entries.
    """
    together = list(items)
    return [stream for stream, _ in together], [entry for _, entry in together]
