"""
Builders of the stream commands: write, trim, read. Consumer groups are in ``stream_groups``.

Everything is checked before it is sent, so a mistake names the parameter instead of puzzling over the server's answer: an
option that a server does not know is read there as an identifier. What not every server has is noted in ``requires``.
Sources: https://redis.io/docs/latest/commands/?group=stream
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from itertools import chain
from typing import AnyStr, Final

from ...exceptions import CommandSyntaxError
from ...tokens import PureToken, TokenT, choose
from ...types import IdentifierT, PairsT, PositionT, RepeatedFields, StreamEntry, StreamInfo
from ...typing import KeyT, MappingStringKeyT, StringT, ValueT
from .. import identifiers as grammar
from ..additions import Addition
from ..command import Command, Requirement
from ..entries import FEW_FIELDS, plain_addition
from ..repeated import Beginning, Beginnings, PlainRead, plain_read
from ..replies.shapes import integer, integers, truth
from ..replies.streams import StreamReplies
from .checks import milliseconds, natural_integer, positive_integer, seconds, string, whole_number

Streams = dict[AnyStr, tuple[StreamEntry[AnyStr], ...]]

# What ``+`` in XREAD gets from a server that does not know it: COMMAND DOCS does not show whether it is known, and all other
# identifiers have been checked here.
_NO_LAST_ENTRY: Final = "ERR Invalid stream ID"

#: Stands for the fields of an entry that are not known yet.
LATER: Final[PairsT] = [("", "")]

_KEY_FIRST: Final = (1,)
# Looked up once: Python makes a long way of it to a member of an enumeration.
_STRATEGIES: Final = (PureToken.MAXLEN, PureToken.MINID)
_OPERATORS: Final = (PureToken.EQUAL, PureToken.APPROXIMATELY)
_CONDITIONS: Final = (PureToken.KEEPREF, PureToken.DELREF, PureToken.ACKED)

_beginnings: Final = Beginnings()  # of XREAD, by COUNT and BLOCK

# The limits of XCFGSET (https://redis.io/docs/latest/commands/xcfgset/).
_LONGEST_MEMORY: Final = 86_400  # seconds
_LARGEST_MEMORY: Final = 10_000  # identifiers


# ------------------------------------------------------------------------------------------------- add and remove


def add(
    replies: StreamReplies[AnyStr],
    key: KeyT,
    field_values: Mapping[MappingStringKeyT, ValueT] | PairsT,
    identifier: PositionT | None,
    nomkstream: bool,
    idmpauto: StringT | None,
    idmp: tuple[StringT, StringT] | None,
    trim_strategy: TokenT | None,
    threshold: PositionT | None,
    trim_operator: TokenT | None,
    limit: int | None,
    condition: TokenT | None,
) -> Command[AnyStr | None]:
    """
    Build XADD. With ``LATER`` for its fields, ``with_fields`` has to append them to its words.
    """
    words: list[ValueT]
    if (  # mostly, and then there is nothing to check
        identifier is None
        and trim_strategy is None
        and threshold is None
        and trim_operator is None
        and limit is None
        and condition is None
        and idmpauto is None
        and idmp is None
        and not nomkstream
        and type(field_values) is dict
        and (fields := field_values.copy())  # before it is looked at, because others may change it meanwhile
    ):
        if len(fields) <= FEW_FIELDS:
            return plain_addition(key, fields, replies.text)  # without NOMKSTREAM there is always an identifier
        words = ["XADD", key, "*"]
        words += chain.from_iterable(fields.items())
        return Command(tuple(words), replies.optional_text, _KEY_FIRST)
    words = ["XADD", key]
    requires: tuple[Requirement, ...] = ()
    if nomkstream:
        words.append("NOMKSTREAM")
    if condition is not None:
        requires += _with_condition("XADD", condition, words)
    new = grammar.addition("identifier", identifier)
    if idmp is not None or idmpauto is not None:
        requires += _with_producer(idmp, idmpauto, new == b"*", words)
    if trim_strategy is not None and threshold is not None:
        _with_trimming(trim_strategy, threshold, trim_operator, limit, words)
    elif trim_strategy is not None or threshold is not None:
        raise CommandSyntaxError({"trim_strategy", "threshold"}, "one needs the other")
    elif trim_operator is not None or limit is not None:
        raise CommandSyntaxError(
            {"trim_operator", "limit", "trim_strategy"}, "there is no trim_strategy to apply it to"
        )
    words.append(new)
    position = len(words) - 1
    if field_values is not LATER:
        with_fields(field_values, words)
    producer = idmpauto if idmp is None else idmp[0]
    if producer is not None:
        return Addition(tuple(words), replies.optional_text, producer=producer, identifier=0, requires=requires)
    if not new.endswith(b"*"):
        return Addition(tuple(words), replies.optional_text, producer=None, identifier=position, requires=requires)
    return Command(tuple(words), replies.optional_text, keys=(1,), requires=requires)


def delete(key: KeyT, identifiers: IdentifierT | Iterable[IdentifierT]) -> Command[int]:
    """
    Build XDEL.
    """
    return Command(("XDEL", key, *grammar.entries("identifiers", identifiers)), integer, keys=(1,), idempotent=True)


def delete_extended(
    key: KeyT, identifiers: IdentifierT | Iterable[IdentifierT], condition: TokenT | None
) -> Command[tuple[int, ...]]:
    """
    Build XDELEX.
    """
    words: list[ValueT] = ["XDELEX", key]
    if condition is not None:
        words.append(choose_condition(condition))
    with_counted_identifiers(identifiers, words)
    return Command(
        tuple(words), integers, keys=(1,), idempotent=True, requires=(Requirement("XDELEX", None, "Redis 8.2"),)
    )


def trim(
    key: KeyT,
    trim_strategy: TokenT,
    threshold: PositionT,
    trim_operator: TokenT | None,
    limit: int | None,
    condition: TokenT | None,
) -> Command[int]:
    """
    Build XTRIM.
    """
    words: list[ValueT] = ["XTRIM", key]
    strategy = _with_trimming(trim_strategy, threshold, trim_operator, limit, words)
    requires = () if condition is None else _with_condition("XTRIM", condition, words)
    # Trimming to a length again removes what was added in between.
    return Command(tuple(words), integer, keys=(1,), idempotent=strategy == b"MINID", requires=requires)


# ----------------------------------------------------------------------------------------------------------- read


def scan(
    replies: StreamReplies[AnyStr],
    command: str,
    key: KeyT,
    first: PositionT | None,
    last: PositionT | None,
    count: int | None,
) -> Command[tuple[StreamEntry[AnyStr], ...]]:
    """
    Build XRANGE, or XREVRANGE, which takes its two ends the other way round.

    Args:
        replies: the client's converters
        command: ``XRANGE`` or ``XREVRANGE``
        key: of the stream
        first: the smaller end
        last: the larger end
        count: how many entries at most
    """
    start = b"-" if first is None else grammar.bound("start", first)
    end = b"+" if last is None else grammar.bound("end", last)
    words: tuple[ValueT, ...] = (command, key, start, end) if command == "XRANGE" else (command, key, end, start)
    if count is not None:
        words += ("COUNT", positive_integer("count", count))
    return Command(words, replies.entries, keys=(1,), readonly=True)


def read(
    replies: StreamReplies[AnyStr],
    streams: Mapping[MappingStringKeyT, PositionT],
    count: int | None,
    block: int | timedelta | None,
    max_count: int | None,
    max_size: int | None,
) -> Command[Streams[AnyStr] | None]:
    """
    Build XREAD.
    """
    if (
        max_count is None
        and max_size is None
        and type(streams) is dict
        and len(streams) == 1
        and (count is None or type(count) is int)
        and (block is None or type(block) is int)
    ):
        ((name, identifier),) = streams.items()
        if type(identifier) is str and identifier.isascii():
            identifier = identifier.encode()
        if (
            (type(name) is str or type(name) is bytes)
            and type(identifier) is bytes
            and grammar.surely_valid(identifier)
        ):
            beginning = _beginnings.get((count, block)) or _begin(count, block)
            if beginning is not None:
                return plain_read(PlainRead, beginning, name, identifier, replies.streams)
    words: list[ValueT] = ["XREAD"]
    requires = with_limits("XREAD", count, max_count, max_size, words)
    seconds_blocked = with_block(block, words)
    keys = with_streams(streams, grammar.position, words)
    identifiers = words[keys.stop :]
    if b"+" in identifiers:
        requires += (Requirement("XREAD", "+", "Redis 7.4 or Valkey 8.0", _NO_LAST_ENTRY),)
    return Command(
        tuple(words),
        replies.streams,
        keys=keys,
        readonly=True,
        # ``$`` means "from now on": asking again later would pass over what was added in between.
        idempotent=b"$" not in identifiers,
        block=seconds_blocked,
        requires=requires,
    )


def _begin(count: int | None, block: int | None) -> Beginning | None:
    """
    Make what comes before the stream in a plain XREAD; None: it is not plain.
    """
    words: list[ValueT] = ["XREAD"]
    with_limits("XREAD", count, None, None, words)
    seconds_blocked = with_block(block, words)
    return _beginnings.keep((count, block), (*words, "STREAMS"), 2, seconds_blocked)


# ---------------------------------------------------------------------------------------------- settings and state


def set_identifier(
    key: KeyT, identifier: IdentifierT, entriesadded: int | None, maxdeletedid: IdentifierT | None
) -> Command[bool]:
    """
    Build XSETID.
    """
    words: list[ValueT] = ["XSETID", key, grammar.entry("identifier", identifier)]
    if entriesadded is not None:
        words += ["ENTRIESADDED", natural_integer("entriesadded", entriesadded)]
    if maxdeletedid is not None:
        words += ["MAXDELETEDID", grammar.entry("maxdeletedid", maxdeletedid)]
    return Command(tuple(words), truth, keys=(1,))


def configure(key: KeyT, idmp_duration: int | timedelta | None, idmp_maxsize: int | None) -> Command[bool]:
    """
    Build XCFGSET.
    """
    words: list[ValueT] = ["XCFGSET", key]
    if idmp_duration is not None:
        words += ["IDMP-DURATION", seconds("idmp_duration", idmp_duration, 1, _LONGEST_MEMORY)]
    if idmp_maxsize is not None:
        words += ["IDMP-MAXSIZE", whole_number("idmp_maxsize", idmp_maxsize, 1, _LARGEST_MEMORY)]
    if len(words) == 2:
        raise CommandSyntaxError({"idmp_duration", "idmp_maxsize"}, "at least one is needed")
    return Command(
        tuple(words), truth, keys=(1,), idempotent=True, requires=(Requirement("XCFGSET", None, "Redis 8.6"),)
    )


def information(replies: StreamReplies[AnyStr], key: KeyT, full: bool, count: int | None) -> Command[StreamInfo]:
    """
    Build XINFO STREAM.
    """
    words: list[ValueT] = ["XINFO", "STREAM", key]
    if full:
        words.append("FULL")
    if count is not None:
        if not full:
            raise CommandSyntaxError({"count", "full"}, "count limits the full form only")
        words += ["COUNT", natural_integer("count", count)]
    return Command(tuple(words), replies.stream_information, keys=(2,), readonly=True)


# ------------------------------------------------------------------------------------- words that commands share


def choose_condition(condition: TokenT) -> bytes:
    """
    Read what happens to references of an entry in consumer groups.
    """
    return choose("condition", condition, *_CONDITIONS)


def with_counted_identifiers(identifiers: IdentifierT | Iterable[IdentifierT], words: list[ValueT]) -> None:
    """
    Append an IDS block.
    """
    checked = grammar.entries("identifiers", identifiers)
    words += ["IDS", len(checked), *checked]


def with_limits(
    command: str, count: int | None, max_count: int | None, max_size: int | None, words: list[ValueT]
) -> tuple[Requirement, ...]:
    """
    Append how much a read over several streams may return.
    """
    requires: tuple[Requirement, ...] = ()
    if count is not None:
        words += ["COUNT", b"%d" % positive_integer("count", count)]  # rendered here, all are bytes or str
    if max_count is not None:
        if positive_integer("max_count", max_count) < (count or 0):
            raise CommandSyntaxError({"count", "max_count"}, f"max_count ({max_count}) is less than count ({count})")
        words += ["MAXCOUNT", max_count]
        requires += (Requirement(command, "MAXCOUNT", "Redis 8.10"),)
    if max_size is not None:
        words += ["MAXSIZE", positive_integer("max_size", max_size)]
        requires += (Requirement(command, "MAXSIZE", "Redis 8.10"),)
    return requires


def with_block(block: int | timedelta | None, words: list[ValueT]) -> float | None:
    """
    Append BLOCK.

    Returns:
        the seconds that the server may take: None without BLOCK, ``inf`` for BLOCK 0, which waits for ever
    """
    if block is None:
        return None
    span = milliseconds("block", block)
    words += ["BLOCK", b"%d" % span]
    return span / 1000 if span else math.inf


def with_streams(
    streams: Mapping[MappingStringKeyT, PositionT], check: Callable[[str, PositionT], bytes], words: list[ValueT]
) -> range:
    """
    Append the streams to read, after checking that none is there twice.

    Args:
        streams: where to start, by name
        check: checks and returns one identifier
        words: of the command so far

    Returns:
        the positions of the keys, which are known here without searching: a consumer may be called STREAMS, too
    """
    if type(streams) is not dict and not isinstance(streams, Mapping):
        raise TypeError(f"streams: expected a mapping of names to identifiers, got {type(streams).__name__}")
    if not streams:
        raise ValueError("streams: expected at least one stream, got none")
    names = [name if type(name) is bytes else string("streams", name) for name in streams]
    if len(names) > 1 and len({name.encode() if isinstance(name, str) else name for name in names}) < len(names):
        raise ValueError(f"streams: the same stream is there as str and as bytes: {names!r}")
    words.append("STREAMS")
    keys = range(len(words), len(words) + len(names))
    words += names
    words += [
        identifier
        if type(identifier) is bytes
        and grammar.surely_valid(identifier)  # as the last entry's is, and spares the naming
        else check(f"streams[{name!r}]", identifier)
        for name, identifier in streams.items()
    ]
    return keys


def with_fields(field_values: Mapping[MappingStringKeyT, ValueT] | PairsT, words: list[ValueT]) -> None:
    """
    Append the fields of an entry.
    """
    before = len(words)
    if type(field_values) is dict:  # nearly always, and asking for less takes several times as long
        few = len(field_values) <= FEW_FIELDS
        words += sum(field_values.items(), ()) if few else chain.from_iterable(field_values.items())
    elif isinstance(field_values, RepeatedFields):
        words += chain.from_iterable(field_values.pairs)
    elif isinstance(field_values, Mapping):
        words += chain.from_iterable(field_values.items())
    elif isinstance(field_values, str | bytes) or not isinstance(field_values, Iterable):
        raise TypeError(f"field_values: expected a mapping or pairs, got {type(field_values).__name__}")
    else:
        for pair in field_values:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ValueError(f"field_values: expected pairs of name and value, got {pair!r}")
            words += pair
    if len(words) == before:
        raise ValueError("field_values: expected at least one field, got none")


def _with_condition(command: str, condition: TokenT, words: list[ValueT]) -> tuple[Requirement, ...]:
    word = choose_condition(condition)
    words.append(word)
    return (Requirement(command, word.decode(), "Redis 8.2"),)


def _with_producer(
    idmp: tuple[StringT, StringT] | None, idmpauto: StringT | None, automatic: bool, words: list[ValueT]
) -> tuple[Requirement, ...]:
    parts: tuple[StringT, ...]
    if idmp is not None:
        if idmpauto is not None:
            raise CommandSyntaxError({"idmp", "idmpauto"}, "one excludes the other")
        if not isinstance(idmp, tuple | list) or len(idmp) != 2:
            raise ValueError(f"idmp: expected a producer and an idempotent identifier, got {idmp!r}")
        name, parts = "idmp", idmp
    elif idmpauto is not None:
        name, parts = "idmpauto", (idmpauto,)
    else:
        return ()
    if not automatic:
        raise CommandSyntaxError({name, "identifier"}, "an idempotent entry gets its identifier from the server")
    if not all(string(name, part) for part in parts):
        raise ValueError(f"{name}: neither producer nor identifier may be empty, got {parts!r}")
    option = name.upper()
    words += [option, *parts]
    return (Requirement("XADD", option, "Redis 8.6"),)


def _with_trimming(
    strategy: TokenT, threshold: PositionT, operator: TokenT | None, limit: int | None, words: list[ValueT]
) -> bytes:
    chosen = choose("trim_strategy", strategy, *_STRATEGIES)
    words.append(chosen)
    sign = None if operator is None else choose("trim_operator", operator, *_OPERATORS)
    if sign is not None:
        words.append(sign)
    if chosen == b"MINID":
        words.append(grammar.threshold("threshold", threshold))
    else:
        words.append(natural_integer("threshold", _length(threshold)))
    if limit is not None:
        if sign != b"~":
            raise CommandSyntaxError({"limit", "trim_operator"}, "limit needs the operator '~'")
        words += ["LIMIT", natural_integer("limit", limit)]
    return chosen


def _length(threshold: PositionT) -> int:
    if type(threshold) is not int and isinstance(threshold, str | bytes):
        try:
            return int(threshold)
        except ValueError:
            raise ValueError(f"threshold: expected a length, got {threshold!r}") from None
    return threshold  # type: ignore[return-value]  # The caller's check refuses what is no number.
