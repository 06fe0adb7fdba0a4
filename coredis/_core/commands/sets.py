"""
Builders for the commands about sets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...typing import KeyT, Parameters, StringT, ValueT
from ..command import Command, Reply, key_read, key_write
from ..replies.shapes import integer
from .checks import natural_integer, whole_number
from .keyed import with_keys
from .keys import page_options

T = TypeVar("T")


def spop(key: KeyT, count: int | None, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build SPOP.
    """
    words: tuple[ValueT, ...] = ("SPOP", key) if count is None else ("SPOP", key, natural_integer("count", count))
    return key_write(words, convert)


def srandmember(key: KeyT, count: int | None, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build SRANDMEMBER.
    """
    words: tuple[ValueT, ...] = ("SRANDMEMBER", key)
    if count is not None:
        words = (*words, whole_number("count", count))
    return key_read(words, convert)


def cardinality(name: str, keys: Parameters[KeyT], limit: int | None) -> Command[int]:
    """
    Build SINTERCARD and ZINTERCARD.
    """
    options: tuple[ValueT, ...] = () if limit is None else ("LIMIT", natural_integer("limit", limit))
    return with_keys((name,), keys, integer, options=options, counted=True, readonly=True)


def member_scan(
    name: str,
    key: KeyT,
    cursor: int,
    match: StringT | None,
    count: int | None,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build SSCAN and ZSCAN.
    """
    words = (name, key, natural_integer("cursor", cursor), *page_options(match, count))
    return key_read(words, convert)
