"""
Builders for the commands about hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ...exceptions import CommandSyntaxError
from ...typing import KeyT, MappingKeyT, StringT, ValueT
from ..command import Command, Reply, Requirement, key_read, key_rewrite
from ..replies.shapes import integer
from .checks import natural_integer, whole_number
from .keys import page_options

T = TypeVar("T")


def hset(key: KeyT, field_values: Mapping[MappingKeyT, ValueT]) -> Command[int]:
    """
    Build HSET.
    """
    if not isinstance(field_values, Mapping):
        raise TypeError(f"field_values: expected a mapping, got {type(field_values).__name__}")
    if not field_values:
        raise ValueError("field_values: expected at least one field, got none")
    words: list[ValueT] = ["HSET", key]
    for field, value in field_values.items():
        words += (field, value)
    return key_rewrite(tuple(words), integer)


def hrandfield(key: KeyT, count: int | None, withvalues: bool, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build HRANDFIELD.
    """
    words: list[ValueT] = ["HRANDFIELD", key]
    if count is not None:
        words.append(whole_number("count", count))
    if withvalues:
        if count is None:
            raise CommandSyntaxError({"count", "withvalues"}, "values come only with a count")
        words.append("WITHVALUES")
    return key_read(tuple(words), convert)


def hscan(
    key: KeyT,
    cursor: int,
    match: StringT | None,
    count: int | None,
    novalues: bool,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build HSCAN.
    """
    words: list[ValueT] = ["HSCAN", key, natural_integer("cursor", cursor), *page_options(match, count)]
    requires: tuple[Requirement, ...] = ()
    if novalues:
        words.append("NOVALUES")
        requires = (Requirement("HSCAN", "NOVALUES", "Redis 7.4"),)
    return Command(tuple(words), convert, keys=(1,), readonly=True, requires=requires)
