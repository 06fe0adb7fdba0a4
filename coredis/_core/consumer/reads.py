"""
Build the commands with which consumers read.

XREAD: https://redis.io/docs/latest/commands/xread/, XREADGROUP: https://redis.io/docs/latest/commands/xreadgroup/,
XAUTOCLAIM: https://redis.io/docs/latest/commands/xautoclaim/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from .claims import CLEANING_COUNT, Takeover
from .cursors import Cursor, Kind, Plan

Words: TypeAlias = tuple[bytes | str | int, ...]

_PAGE: Final = 1000  # pending entries to be told of; as many as are enough to see whose they are


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
    begin: Words
    if membership is None:
        begin = ("XREAD", "COUNT", count)
    else:
        begin = ("XREADGROUP", "GROUP", membership.group, membership.consumer, "COUNT", count)
    if block is not None and plan.waits:
        begin += ("BLOCK", block)
    if membership is not None and plan.kind is Kind.NEW:
        if takeover is not None and takeover.native:
            begin += ("CLAIM", takeover.idle)
        if membership.acknowledge_on_delivery:
            begin += ("NOACK",)
    begin += ("STREAMS",)
    return tuple((*begin, *(cursor.name for cursor in part.cursors), *part.identifiers) for part in plan.parts)


def acknowledgement_words(group: bytes, entries: Mapping[bytes, tuple[bytes, ...]]) -> list[Words]:
    """
    Spell out acknowledgements, by stream.
    """
    return [("XACK", name, group, *identifiers) for name, identifiers in entries.items()]


def undelivered_words(membership: Membership, cursor: Cursor) -> Words:
    """
    Spell out the question for what is pending for this member after the last entry it has received.
    """
    return ("XPENDING", cursor.name, membership.group, b"(" + cursor.floor, b"+", _PAGE, membership.consumer)


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
