"""
Build the commands with which consumers read.

XREAD: https://redis.io/docs/latest/commands/xread/, XREADGROUP: https://redis.io/docs/latest/commands/xreadgroup/,
XAUTOCLAIM: https://redis.io/docs/latest/commands/xautoclaim/
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from ..wire import encode
from .claims import CLEANING_COUNT, Takeover
from .cursors import Cursor, Kind, Part, Plan

Words: TypeAlias = tuple[bytes | str | int, ...]

_encoded_name: Final = attrgetter("encoded_name")
_new: Final = tuple.__new__  # of a named tuple: without a call of Python
_NEW: Final = Kind.NEW
PAGE: Final = 1000  # pending entries to be told of at a time; as many as are enough to see whose they are


class Membership(NamedTuple):
    """
    Who is reading, in a consumer group.

    Attributes:
        group: its name, encoded
        consumer: the name of this member, encoded
        acknowledge_on_delivery: entries count as processed once they are delivered (NOACK)
    """

    group: bytes
    consumer: bytes
    acknowledge_on_delivery: bool


def commands(
    plan: Plan, membership: Membership | None, count: int, block: int | None, takeover: Takeover | None = None
) -> tuple[Words, ...]:
    """
    Spell out a read: a command for each part.

    Args:
        plan: what it asks for
        membership: None: without a group
        count: the most entries of each stream
        block: milliseconds to wait for entries; None: do not wait
        takeover: how entries of others are taken over; None: not at all
    """
    if plan.kind is Kind.CLAIM:
        assert membership is not None and takeover is not None
        whose = (membership.group, membership.consumer, takeover.scan_idle)
        most = CLEANING_COUNT if takeover.native else count
        return tuple(
            ("XAUTOCLAIM", cursor.name, *whose, takeover.position(cursor.name), "COUNT", most)
            for cursor in plan.cursors()
        )
    begin = _begin(plan.kind, membership, count, block if plan.waits else None, takeover)
    return tuple((*begin, *(cursor.name for cursor in part.cursors), *part.identifiers) for part in plan.parts)


def _begin(
    kind: Kind, membership: Membership | None, count: int, block: int | None, takeover: Takeover | None
) -> Words:
    """
    Spell out what comes before the streams of a read.
    """
    begin: Words
    if membership is None:
        begin = ("XREAD", "COUNT", count)
    else:
        begin = ("XREADGROUP", "GROUP", membership.group, membership.consumer, "COUNT", count)
    if block is not None:
        begin += ("BLOCK", block)
    if membership is not None and kind is Kind.NEW:
        if takeover is not None and takeover.native:
            begin += ("CLAIM", takeover.idle)
        if membership.acknowledge_on_delivery:
            begin += ("NOACK",)
    return (*begin, "STREAMS")


class Repeated:
    """
    A read of new entries that is sent again and again: all of it that stays the same, encoded once.
    """

    __slots__ = ("_claims", "_cursors", "_form", "_head", "_same", "_tail")

    def __init__(
        self,
        cursors: tuple[Cursor, ...],
        membership: Membership | None,
        count: int,
        block: int | None,
        takeover: Takeover | None = None,
    ) -> None:
        """
        Args:
            cursors: its streams, the same tuple every time
            membership, count, block, takeover: as of ``commands``
        """
        self._cursors = cursors
        self._form = (count, block)
        self._claims = takeover is not None and takeover.native
        begin = _begin(Kind.NEW, membership, count, block, takeover)
        packed = encode(begin)
        # Names and identifiers are words, too.
        size = b"*%d" % (len(begin) + 2 * len(cursors))
        self._head = b"".join([size, packed[packed.index(b"\r") :], *map(_encoded_name, cursors)])
        self._tail = b"" if membership is None else _word(b">") * len(cursors)
        # A member of a group asks for the same every time.
        self._same: tuple[Plan, bytes] | None = None
        if membership is not None:
            same = Plan(Kind.NEW, (Part(cursors, (b">",) * len(cursors)),), waits=True, complete=True)
            self._same = (same, self._head + self._tail)

    def fits(self, cursors: tuple[Cursor, ...], count: int, block: int | None, takeover: Takeover | None) -> bool:
        """
        Tell whether it is the one to send. The membership does not change.
        """
        if self._cursors is not cursors or self._form != (count, block):
            return False
        return self._claims is (takeover is not None and takeover.native)

    def alone(self, cursors: tuple[Cursor, ...], count: int, block: int | None) -> tuple[Plan, bytes] | None:
        """
        Give the next read of its only stream: what it asks for, and that encoded. None: it is not the one to send, as ``fits``.
        """
        if self._cursors is not cursors or self._form != (count, block) or self._claims:
            return None
        if self._same is not None:
            return self._same
        position = cursors[0].position
        part = _new(Part, (cursors, (position,)))
        return _new(Plan, (_NEW, (part,), True, True)), b"%b$%d\r\n%b\r\n" % (self._head, len(position), position)

    def payload(self, identifiers: tuple[bytes, ...]) -> bytes:
        """
        Give it encoded.

        Args:
            identifiers: after which to read; of a group's member ``>`` for each stream
        """
        if self._tail:
            return self._head + self._tail
        if len(identifiers) == 1:
            return b"%b$%d\r\n%b\r\n" % (self._head, len(identifiers[0]), identifiers[0])
        return self._head + _words(identifiers)


def _word(word: bytes) -> bytes:
    """
    Encode a word of a command.
    """
    return b"$%d\r\n%b\r\n" % (len(word), word)


def _words(words: tuple[bytes, ...]) -> bytes:
    """
    Encode words of a command, at least one.
    """
    if len(set(map(len, words))) > 1:
        return b"$%d\r\n%b\r\n" * len(words) % tuple(chain.from_iterable(zip(map(len, words), words, strict=True)))
    # Identifiers nearly always have the same length, and so the same bytes between them.
    size = b"$%d\r\n" % len(words[0])
    return b"%b%b\r\n" % (size, (b"\r\n" + size).join(words))


def acknowledgements(group: bytes, entries: Mapping[bytes, tuple[bytes, ...]]) -> list[bytes]:
    """
    Write acknowledgements, a command for each stream, encoded.
    """
    return [_acknowledgement(name, group, identifiers) for name, identifiers in entries.items()]


def _acknowledgement(name: bytes, group: bytes, identifiers: tuple[bytes, ...]) -> bytes:
    begin = b"*%d\r\n$4\r\nXACK\r\n" % (len(identifiers) + 3)
    return b"%b%b%b%b" % (begin, _word(name), _word(group), _words(identifiers))


def pending_words(membership: Membership, name: bytes, after: bytes, last: bytes = b"+") -> Words:
    """
    Spell out the question for what is pending for this member in a stream after one identifier and up to another one, as far
    as a page goes.
    """
    return ("XPENDING", name, membership.group, b"(" + after, last, PAGE, membership.consumer)


def tracking_words(plan: Plan, membership: Membership | None, tracked: bool) -> list[Words]:
    """
    Spell out what makes the server tell when streams of a read have changed, to be sent ahead of the read: what is added
    before it is in the reply, and what is added after it is told.

    A read of the stream is what turns this on for it, once; XREADGROUP does not count as one.

    Source: https://redis.io/docs/latest/commands/client-tracking/

    Args:
        plan: the read
        membership: None: without a group
        tracked: it has been turned on for the connection
    """
    begin: list[Words] = [] if tracked else [("CLIENT", "TRACKING", "ON")]
    return begin if membership is None else [*begin, *(("XLEN", cursor.name) for cursor in plan.cursors())]
