"""
Builders for the commands about keys of any type.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from ...exceptions import CommandSyntaxError
from ...tokens import PureToken, TokenT, choose
from ...typing import KeyT, StringT, ValueT
from ..command import Command, Reply, Requirement
from ..replies.shapes import integer, integers, truth
from .checks import (
    LARGEST_INTEGER,
    milliseconds,
    natural_integer,
    positive_integer,
    seconds,
    string,
    unix_milliseconds,
    unix_seconds,
    whole_number,
)
from .keyed import block_milliseconds

T = TypeVar("T")


def expire(key: KeyT, span: int | timedelta, condition: TokenT | None) -> Command[bool]:
    """
    Build EXPIRE. Again after a lost reply it would count from then on, so it does not count as idempotent.
    """
    return _expiry("EXPIRE", key, seconds("seconds", span, -LARGEST_INTEGER), condition, idempotent=False)


def pexpire(key: KeyT, span: int | timedelta, condition: TokenT | None) -> Command[bool]:
    """
    Build PEXPIRE.
    """
    return _expiry("PEXPIRE", key, milliseconds("milliseconds", span, -LARGEST_INTEGER), condition, idempotent=False)


def expireat(key: KeyT, moment: int | datetime, condition: TokenT | None) -> Command[bool]:
    """
    Build EXPIREAT.
    """
    return _expiry("EXPIREAT", key, unix_seconds("unix_time_seconds", moment), condition, idempotent=True)


def pexpireat(key: KeyT, moment: int | datetime, condition: TokenT | None) -> Command[bool]:
    """
    Build PEXPIREAT.
    """
    return _expiry("PEXPIREAT", key, unix_milliseconds("unix_time_milliseconds", moment), condition, idempotent=True)


def _expiry(name: str, key: KeyT, time: int, condition: TokenT | None, *, idempotent: bool) -> Command[bool]:
    words: tuple[ValueT, ...] = (name, key, time)
    if condition is not None:
        allowed = (PureToken.NX, PureToken.XX, PureToken.GT, PureToken.LT)
        words = (*words, choose("condition", condition, *allowed))
        # The second of two says that the condition was not met, which is not what happened.
        idempotent = False
    return Command(words, truth, keys=(1,), idempotent=idempotent)


def copy(source: KeyT, destination: KeyT, db: int | None, replace: bool) -> Command[bool]:
    """
    Build COPY.
    """
    words: list[ValueT] = ["COPY", source, destination]
    if db is not None:
        words += ["DB", natural_integer("db", db)]
    if replace:
        words.append("REPLACE")
    return Command(tuple(words), truth, keys=(1, 2), idempotent=replace)


def restore(
    key: KeyT,
    ttl: int | timedelta | datetime,
    serialized_value: bytes,
    replace: bool,
    absttl: bool,
    idletime: int | timedelta | None,
    freq: int | None,
) -> Command[bool]:
    """
    Build RESTORE. A ``datetime`` as time to live asks for ABSTTL by itself.
    """
    if isinstance(ttl, datetime):
        absttl = True
    if absttl and isinstance(ttl, timedelta):
        raise CommandSyntaxError({"absttl", "ttl"}, "a span of time is no moment")
    time = milliseconds("ttl", ttl) if isinstance(ttl, timedelta) else unix_milliseconds("ttl", ttl)
    words: list[ValueT] = ["RESTORE", key, time, serialized_value]
    if replace:
        words.append("REPLACE")
    if absttl:
        words.append("ABSTTL")
    if idletime is not None and freq is not None:
        raise CommandSyntaxError({"freq", "idletime"}, "give at most one of them")
    if idletime is not None:
        words += ["IDLETIME", seconds("idletime", idletime)]
    if freq is not None:
        words += ["FREQ", whole_number("freq", freq, 0, 255)]
    return Command(tuple(words), truth, keys=(1,), idempotent=replace and (absttl or time == 0))


def scan(
    cursor: int,
    match: StringT | None,
    count: int | None,
    type_: StringT | None,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build SCAN.
    """
    words: list[ValueT] = ["SCAN", natural_integer("cursor", cursor), *page_options(match, count)]
    if type_ is not None:
        words += ["TYPE", string("type_", type_)]
    return Command(tuple(words), convert, readonly=True)


def page_options(match: StringT | None, count: int | None) -> list[ValueT]:
    """
    Build what all commands of the SCAN family share.
    """
    words: list[ValueT] = []
    if match is not None:
        words += ["MATCH", string("match", match)]
    if count is not None:
        words += ["COUNT", positive_integer("count", count)]
    return words


def wait(numreplicas: int, timeout: int) -> Command[int]:
    """
    Build WAIT. Its time is in milliseconds.
    """
    words = ("WAIT", natural_integer("numreplicas", numreplicas), natural_integer("timeout", timeout))
    return Command(words, integer, idempotent=True, block=block_milliseconds(timeout))


def waitaof(numlocal: int, numreplicas: int, timeout: int) -> Command[tuple[int, ...]]:
    """
    Build WAITAOF. Its time is in milliseconds.
    """
    return Command(
        (
            "WAITAOF",
            whole_number("numlocal", numlocal, 0, 1),
            natural_integer("numreplicas", numreplicas),
            natural_integer("timeout", timeout),
        ),
        integers,
        idempotent=True,
        block=block_milliseconds(timeout),
        requires=(Requirement("WAITAOF", None, "Redis 7.2"),),
    )
