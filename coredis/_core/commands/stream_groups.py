"""
Builders of the commands of consumer groups: read, acknowledge, hand back, claim, and manage groups.

Which of them may be sent again when their outcome is unknown follows from what they leave behind, not from their reply: an
acknowledgement sent twice leaves the same state, although the second answer is 0. Whatever delivers entries or counts
deliveries is never repeated by itself.
Sources: https://redis.io/docs/latest/commands/?group=stream
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import AnyStr, Final

from ...exceptions import CommandSyntaxError
from ...tokens import PureToken, TokenT, choose
from ...types import IdentifierT, PositionT, StreamEntry, StreamPending, StreamPendingExt
from ...typing import KeyT, MappingStringKeyT, StringT, ValueT
from .. import identifiers as grammar
from ..command import Command, Requirement
from ..repeated import Beginning, Beginnings, PlainGroupRead, plain_acknowledgement, plain_read
from ..replies.shapes import integer, integers, truth
from ..replies.streams import StreamReplies
from .checks import milliseconds, natural_integer, positive_integer, string, unix_milliseconds, whole_number
from .streams import (
    Streams,
    choose_condition,
    with_block,
    with_counted_identifiers,
    with_limits,
    with_streams,
)

_beginnings: Final = Beginnings()  # of XREADGROUP, by group, consumer, COUNT, BLOCK and NOACK
_acknowledged: Final = Beginnings()  # of XACK, by key and group

# ----------------------------------------------------------------------------------------------------------- read


def read(
    replies: StreamReplies[AnyStr],
    group: StringT,
    consumer: StringT,
    streams: Mapping[MappingStringKeyT, PositionT],
    count: int | None,
    block: int | timedelta | None,
    noack: bool,
    max_count: int | None,
    max_size: int | None,
    claim: int | timedelta | None,
) -> Command[Streams[AnyStr] | None]:
    """
    Build XREADGROUP.
    """
    if (
        max_count is None
        and max_size is None
        and claim is None
        and type(streams) is dict
        and len(streams) == 1
        and (count is None or type(count) is int)
        and (block is None or type(block) is int)
        and (type(group) is str or type(group) is bytes)
        and (type(consumer) is str or type(consumer) is bytes)
    ):
        ((name, identifier),) = streams.items()
        if type(identifier) is str and identifier.isascii():
            identifier = identifier.encode()
        if (
            (type(name) is str or type(name) is bytes)
            and type(identifier) is bytes
            and (identifier == b">" or grammar.surely_valid(identifier))
        ):
            noack = bool(noack)
            # The types first: text and bytes have the same hash, and to have them compared is what Python can be told to
            # complain about.
            known = type(group), type(consumer), group, consumer, count, block, noack
            beginning = _beginnings.get(known) or _begin(known, group, consumer, count, block, noack)
            if beginning is not None:
                return plain_read(PlainGroupRead, beginning, name, identifier, replies.streams)
    words: list[ValueT] = ["XREADGROUP", "GROUP", string("group", group), string("consumer", consumer)]
    requires = with_limits("XREADGROUP", count, max_count, max_size, words)
    seconds_blocked = with_block(block, words)
    if claim is not None:
        words += ["CLAIM", milliseconds("claim", claim)]
        requires += (Requirement("XREADGROUP", "CLAIM", "Redis 8.4"),)
    if noack:
        words.append("NOACK")
    keys = with_streams(streams, grammar.group_position, words)
    # Never idempotent: new entries are delivered once, and reading pending ones counts as a delivery of each.
    return Command(tuple(words), replies.streams, keys=keys, block=seconds_blocked, requires=requires)


def _begin(
    known: tuple[object, ...], group: StringT, consumer: StringT, count: int | None, block: int | None, noack: bool
) -> Beginning | None:
    """
    Make what comes before the stream in a plain XREADGROUP, known as this from now on; None: it is not plain.
    """
    words: list[ValueT] = ["XREADGROUP", "GROUP", group, consumer]
    with_limits("XREADGROUP", count, None, None, words)
    seconds_blocked = with_block(block, words)
    if noack:
        words.append("NOACK")
    return _beginnings.keep(known, (*words, "STREAMS"), 2, seconds_blocked)


# ---------------------------------------------------------------------------------------- acknowledge and hand back


def acknowledge(key: KeyT, group: StringT, identifiers: IdentifierT | Iterable[IdentifierT]) -> Command[int]:
    """
    Build XACK.
    """
    checked = grammar.entries("identifiers", identifiers)
    if (type(key) is str or type(key) is bytes) and (type(group) is str or type(group) is bytes):
        known = type(key), type(group), key, group
        beginning = _acknowledged.get(known) or _acknowledged.keep(known, ("XACK", key, group), None)
        if beginning is not None:
            return plain_acknowledgement(beginning, checked, integer)
    return Command(("XACK", key, string("group", group), *checked), integer, keys=(1,), idempotent=True)


def acknowledge_and_delete(
    key: KeyT, group: StringT, identifiers: IdentifierT | Iterable[IdentifierT], condition: TokenT | None
) -> Command[tuple[int, ...]]:
    """
    Build XACKDEL.
    """
    words: list[ValueT] = ["XACKDEL", key, string("group", group)]
    if condition is not None:
        words.append(choose_condition(condition))
    with_counted_identifiers(identifiers, words)
    # A second attempt would change nothing, but answer -1: "not pending, the entry stays", the opposite of what happened.
    return Command(tuple(words), integers, keys=(1,), requires=(Requirement("XACKDEL", None, "Redis 8.2"),))


def hand_back(
    key: KeyT,
    group: StringT,
    mode: TokenT,
    identifiers: IdentifierT | Iterable[IdentifierT],
    retrycount: int | None,
    force: bool,
) -> Command[int]:
    """
    Build XNACK.
    """
    words: list[ValueT] = [
        "XNACK",
        key,
        string("group", group),
        choose("mode", mode, PureToken.SILENT, PureToken.FAIL, PureToken.FATAL),
    ]
    with_counted_identifiers(identifiers, words)
    if retrycount is not None:
        words += ["RETRYCOUNT", natural_integer("retrycount", retrycount)]
    if force:
        words.append("FORCE")
    return Command(tuple(words), integer, keys=(1,), requires=(Requirement("XNACK", None, "Redis 8.8"),))


# ---------------------------------------------------------------------------------------------------------- claim


def claim(
    replies: StreamReplies[AnyStr],
    key: KeyT,
    group: StringT,
    consumer: StringT,
    min_idle_time: int | timedelta,
    identifiers: IdentifierT | Iterable[IdentifierT],
    idle: int | timedelta | None,
    time: int | datetime | None,
    retrycount: int | None,
    force: bool,
    justid: bool,
    lastid: IdentifierT | None,
) -> Command[tuple[AnyStr, ...] | tuple[StreamEntry[AnyStr], ...]]:
    """
    Build XCLAIM.
    """
    words: list[ValueT] = [
        "XCLAIM",
        key,
        string("group", group),
        string("consumer", consumer),
        milliseconds("min_idle_time", min_idle_time),
        *grammar.entries("identifiers", identifiers),
    ]
    if idle is not None:
        if time is not None:
            raise CommandSyntaxError({"idle", "time"}, "one excludes the other")
        words += ["IDLE", milliseconds("idle", idle)]
    if time is not None:
        words += ["TIME", unix_milliseconds("time", time)]
    if retrycount is not None:
        words += ["RETRYCOUNT", natural_integer("retrycount", retrycount)]
    if force:
        words.append("FORCE")
    if justid:
        words.append("JUSTID")
    if lastid is not None:
        words += ["LASTID", grammar.entry("lastid", lastid)]
    if justid:
        return Command(tuple(words), replies.texts, keys=(1,), idempotent=True)
    return Command(tuple(words), replies.entries, keys=(1,))


def claim_idle(
    replies: StreamReplies[AnyStr],
    key: KeyT,
    group: StringT,
    consumer: StringT,
    min_idle_time: int | timedelta,
    start: PositionT,
    count: int | None,
    justid: bool,
) -> Command[tuple[AnyStr, tuple[StreamEntry[AnyStr], ...], tuple[AnyStr, ...]] | tuple[AnyStr, tuple[AnyStr, ...]]]:
    """
    Build XAUTOCLAIM.
    """
    words: list[ValueT] = [
        "XAUTOCLAIM",
        key,
        string("group", group),
        string("consumer", consumer),
        milliseconds("min_idle_time", min_idle_time),
        grammar.bound("start", start),
    ]
    if count is not None:
        words += ["COUNT", positive_integer("count", count)]
    if justid:
        words.append("JUSTID")
        return Command(tuple(words), replies.autoclaimed_identifiers, keys=(1,))
    return Command(tuple(words), replies.autoclaimed, keys=(1,))


def pending(
    replies: StreamReplies[AnyStr],
    key: KeyT,
    group: StringT,
    start: PositionT | None,
    end: PositionT | None,
    count: int | None,
    idle: int | timedelta | None,
    consumer: StringT | None,
) -> Command[StreamPending[AnyStr] | tuple[StreamPendingExt[AnyStr], ...]]:
    """
    Build XPENDING, either form.
    """
    words: list[ValueT] = ["XPENDING", key, string("group", group)]
    if start is None and end is None and count is None:
        if idle is not None or consumer is not None:
            raise CommandSyntaxError({"idle", "consumer"}, "these choose from a range: give start, end and count, too")
        return Command(tuple(words), replies.pending_summary, keys=(1,), readonly=True)
    if start is None or end is None or count is None:
        raise CommandSyntaxError({"start", "end", "count"}, "a range needs all three")
    if idle is not None:
        words += ["IDLE", milliseconds("idle", idle)]
    words += [grammar.bound("start", start), grammar.bound("end", end), positive_integer("count", count)]
    if consumer is not None:
        words.append(string("consumer", consumer))
    return Command(tuple(words), replies.pending_entries, keys=(1,), readonly=True)


# ---------------------------------------------------------------------------------------------------------- groups


def create(
    key: KeyT, group: StringT, identifier: PositionT | None, mkstream: bool, entriesread: int | None
) -> Command[bool]:
    """
    Build XGROUP CREATE.
    """
    words: list[ValueT] = [
        "XGROUP",
        "CREATE",
        key,
        string("groupname", group),
        grammar.group_start("identifier", identifier),
    ]
    if mkstream:
        words.append("MKSTREAM")
    _with_entries_read(entriesread, words)
    # A second attempt leaves the same group, but answers BUSYGROUP although the group is ours: who can live with that
    # (the consumers do) says so by catching the error.
    return Command(tuple(words), truth, keys=(2,))


def move(key: KeyT, group: StringT, identifier: PositionT | None, entriesread: int | None) -> Command[bool]:
    """
    Build XGROUP SETID.
    """
    place = grammar.group_move("identifier", identifier)
    words: list[ValueT] = ["XGROUP", "SETID", key, string("groupname", group), place]
    _with_entries_read(entriesread, words)
    # "The end" is another place the second time.
    return Command(tuple(words), truth, keys=(2,), idempotent=place not in (b"$", b"+"))


def _with_entries_read(entriesread: int | None, words: list[ValueT]) -> None:
    if entriesread is not None:
        words += ["ENTRIESREAD", whole_number("entriesread", entriesread, -1)]
