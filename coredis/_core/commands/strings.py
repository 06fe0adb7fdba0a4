"""
Builders for the commands about strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from ...exceptions import CommandSyntaxError
from ...tokens import PureToken, TokenT, choose
from ...typing import KeyT, ValueT
from ..command import Command, Reply, key_rewrite
from ..replies.shapes import truth
from .checks import milliseconds, seconds, unix_milliseconds, unix_seconds

T = TypeVar("T")


def store(
    key: KeyT,
    value: ValueT,
    condition: TokenT | None,
    get: bool,
    ex: int | timedelta | None,
    px: int | timedelta | None,
    exat: int | datetime | None,
    pxat: int | datetime | None,
    keepttl: bool,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build SET.

    With NX or GET the second of two tells something else than the first, so only the others count as idempotent.
    """
    if (  # mostly, and then there is nothing to check
        condition is None and ex is None and px is None and exat is None and pxat is None and not get and not keepttl
    ):
        return key_rewrite(("SET", key, value), convert)
    words: list[ValueT] = ["SET", key, value]
    if condition is not None:
        words.append(choose("condition", condition, PureToken.NX, PureToken.XX))
    if get:
        words.append("GET")
    words += _end(ex, px, exat, pxat, keepttl=keepttl)
    idempotent = not get and (condition is None or PureToken.XX == condition)
    return Command(tuple(words), convert, keys=(1,), idempotent=idempotent)


def getex(
    key: KeyT,
    ex: int | timedelta | None,
    px: int | timedelta | None,
    exat: int | datetime | None,
    pxat: int | datetime | None,
    persist: bool,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build GETEX. As with EXPIRE, a span of time counts from the moment of the call, so it is not idempotent.
    """
    end = _end(ex, px, exat, pxat, persist=persist)
    return Command(("GETEX", key, *end), convert, keys=(1,), idempotent=ex is None and px is None)


def _end(
    ex: int | timedelta | None,
    px: int | timedelta | None,
    exat: int | datetime | None,
    pxat: int | datetime | None,
    *,
    keepttl: bool = False,
    persist: bool = False,
) -> list[ValueT]:
    """
    Build the words that tell how long a key lives.
    """
    chosen: dict[str, list[ValueT]] = {}
    if ex is not None:
        chosen["ex"] = ["EX", seconds("ex", ex, 1)]
    if px is not None:
        chosen["px"] = ["PX", milliseconds("px", px, 1)]
    if exat is not None:
        chosen["exat"] = ["EXAT", unix_seconds("exat", exat)]
    if pxat is not None:
        chosen["pxat"] = ["PXAT", unix_milliseconds("pxat", pxat)]
    if keepttl:
        chosen["keepttl"] = ["KEEPTTL"]
    if persist:
        chosen["persist"] = ["PERSIST"]
    if len(chosen) > 1:
        raise CommandSyntaxError(set(chosen), "give at most one of them")
    return [word for words in chosen.values() for word in words]


def store_several(name: str, key_values: Mapping[KeyT, ValueT], *, idempotent: bool) -> Command[bool]:
    """
    Build MSET and MSETNX.
    """
    if not isinstance(key_values, Mapping):
        raise TypeError(f"key_values: expected a mapping, got {type(key_values).__name__}")
    if not key_values:
        raise ValueError("key_values: expected at least one key, got none")
    words: list[ValueT] = [name]
    for key, value in key_values.items():
        words += (key, value)
    return Command(tuple(words), truth, keys=tuple(range(1, len(words), 2)), idempotent=idempotent)
