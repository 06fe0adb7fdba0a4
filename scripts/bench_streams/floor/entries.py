"""
Entries from the replies of RESP2: ``[[key, [[identifier, [name, value, ...]], ...]], ...]``.

Entries of three fields, of which the benchmark's streams are made, have comprehensions of their own: to unpack their words and
to put them into a dict in one go takes a third of the time of ``dict(zip(...))``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

#: Entries that exist at a time, where they are made little by little.
PIECE: Final = 100


class Entry(NamedTuple):
    """
    One entry of a stream.

    Attributes:
        identifier: where it stands
        field_values: value by name
    """

    identifier: Any
    field_values: dict[Any, Any]


class Additions(NamedTuple):
    """
    What became of many entries that were added.

    Attributes:
        identifiers: of all of them, in order
    """

    identifiers: list[bytes]

    @property
    def added(self) -> int:
        """
        How many there are.
        """
        return len(self.identifiers)


def entries(raw: Any) -> list[Entry]:
    """
    Make the entries of one stream.
    """
    new, kind = tuple.__new__, Entry
    try:
        return [new(kind, (identifier, {a: b, c: d, e: f})) for identifier, (a, b, c, d, e, f) in raw]
    except ValueError:
        return [new(kind, (identifier, dict(zip(words[::2], words[1::2], strict=True)))) for identifier, words in raw]


def streams(reply: Any) -> dict[Any, list[Entry]]:
    """
    Make what a read gives: the entries of each stream.
    """
    return {name: entries(raw) for name, raw in reply}


def items(reply: Any) -> list[tuple[Any, Entry]]:
    """
    Make what a consumer gives: each entry with its stream.
    """
    new, kind = tuple.__new__, Entry
    try:
        return [
            (name, new(kind, (identifier, {a: b, c: d, e: f})))
            for name, raw in reply
            for identifier, (a, b, c, d, e, f) in raw
        ]
    except ValueError:
        return [(name, entry) for name, raw in reply for entry in entries(raw)]


def pieces(reply: Any) -> Iterator[list[tuple[Any, Entry]]]:
    """
    Make the same little by little: of what is not there yet the cyclic collector has nothing to look at.
    """
    for name, raw in reply:
        for first in range(0, len(raw), PIECE):
            yield items([(name, raw[first : first + PIECE])])
