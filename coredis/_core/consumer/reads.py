"""
Build the commands with which consumers read.

XREAD: https://redis.io/docs/latest/commands/xread/, XREADGROUP: https://redis.io/docs/latest/commands/xreadgroup/
"""

from __future__ import annotations

from typing import NamedTuple

from .cursors import Plan


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


def words(plan: Plan, membership: Membership | None, count: int, block: int | None) -> tuple[bytes | str | int, ...]:
    """
    Spell out a read.

    Args:
        plan: the streams
        membership: None: without a group
        count: the most entries of each stream
        block: milliseconds to wait for entries; None: do not wait
    """
    begin: tuple[bytes | str | int, ...]
    if membership is None:
        begin = ("XREAD", "COUNT", count)
    else:
        begin = ("XREADGROUP", "GROUP", membership.group, membership.consumer, "COUNT", count)
        if membership.acknowledge_on_delivery and plan.new:
            begin += ("NOACK",)
    if block is not None and plan.waits:
        begin += ("BLOCK", block)
    return (*begin, "STREAMS", *(cursor.name for cursor in plan.cursors), *plan.identifiers())
