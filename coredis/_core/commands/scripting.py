"""
Builders for scripts and functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ...tokens import PureToken, TokenT, choose
from ...typing import KeyT, Parameters, StringT, ValueT
from ..command import Command, Reply
from ..replies.shapes import truth
from .checks import string
from .keyed import values

T = TypeVar("T")


def call(
    name: str,
    what: StringT,
    keys: Parameters[KeyT] | None,
    args: Parameters[ValueT] | None,
    convert: Callable[[Reply], T],
    *,
    readonly: bool = False,
) -> Command[T]:
    """
    Build EVAL, EVALSHA, FCALL and their read-only forms. What a script does is unknown, so it is never sent again by itself.
    """
    names = _some("keys", keys)
    words = (name, what, len(names), *names, *_some("args", args))
    return Command(words, convert, keys=tuple(range(3, 3 + len(names))), readonly=readonly)


def _some(name: str, items: Parameters[T] | None) -> tuple[T, ...]:
    """
    Read any number of values, none included.
    """
    if items is None:
        return ()
    if isinstance(items, Iterable) and not isinstance(items, str | bytes | bytearray | memoryview):
        items = tuple(items)
        if not items:
            return ()
    return values(name, items)


def flush(name: str, flush_type: TokenT | None) -> Command[bool]:
    """
    Build SCRIPT FLUSH and FUNCTION FLUSH.
    """
    words: tuple[ValueT, ...] = (name, "FLUSH")
    if flush_type is not None:
        words = (*words, choose("flush_type", flush_type, PureToken.SYNC, PureToken.ASYNC))
    return Command(words, truth)


def function_load(function_code: StringT, replace: bool, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build FUNCTION LOAD.
    """
    words: tuple[ValueT, ...] = ("FUNCTION", "LOAD", "REPLACE") if replace else ("FUNCTION", "LOAD")
    return Command((*words, string("function_code", function_code)), convert, idempotent=replace)


def function_list(libraryname: StringT | None, withcode: bool, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build FUNCTION LIST.
    """
    words: list[ValueT] = ["FUNCTION", "LIST"]
    if libraryname is not None:
        words += ["LIBRARYNAME", string("libraryname", libraryname)]
    if withcode:
        words.append("WITHCODE")
    return Command(tuple(words), convert, idempotent=True)
