"""
Builders for the commands about the server itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ...exceptions import CommandSyntaxError
from ...tokens import PureToken, TokenT, choose
from ...typing import KeyT, MappingKeyT, Parameters, StringT, ValueT
from ..command import Command, Reply
from ..replies.shapes import optional_integer, truth
from .checks import natural_integer, string, whole_number
from .keyed import values

T = TypeVar("T")


def config_set(parameter_values: Mapping[MappingKeyT, ValueT]) -> Command[bool]:
    """
    Build CONFIG SET.
    """
    if not isinstance(parameter_values, Mapping):
        raise TypeError(f"parameter_values: expected a mapping, got {type(parameter_values).__name__}")
    if not parameter_values:
        raise ValueError("parameter_values: expected at least one setting, got none")
    words: list[ValueT] = ["CONFIG", "SET"]
    for name, value in parameter_values.items():
        words += (name, value)
    return Command(tuple(words), truth, idempotent=True)


def flush(name: str, flush_type: TokenT | None) -> Command[bool]:
    """
    Build FLUSHDB and FLUSHALL. Sent again after a lost reply it would also delete what was written since, so it is not.
    """
    words: tuple[ValueT, ...] = (name,)
    if flush_type is not None:
        words = (name, choose("flush_type", flush_type, PureToken.SYNC, PureToken.ASYNC))
    return Command(words, truth)


def command_list(
    module: StringT | None, aclcat: StringT | None, pattern: StringT | None, convert: Callable[[Reply], T]
) -> Command[T]:
    """
    Build COMMAND LIST with at most one filter.
    """
    filters: dict[str, tuple[ValueT, ...]] = {}
    if module is not None:
        filters["module"] = ("FILTERBY", "MODULE", string("module", module))
    if aclcat is not None:
        filters["aclcat"] = ("FILTERBY", "ACLCAT", string("aclcat", aclcat))
    if pattern is not None:
        filters["pattern"] = ("FILTERBY", "PATTERN", string("pattern", pattern))
    if len(filters) > 1:
        raise CommandSyntaxError(set(filters), "give at most one of them")
    words = [word for words in filters.values() for word in words]
    return Command(("COMMAND", "LIST", *words), convert, idempotent=True)


def command_getkeys(command: StringT, arguments: Parameters[ValueT], convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build COMMAND GETKEYS. A command with a subcommand may be given as one text.
    """
    words = string("command", command).split()
    return Command(("COMMAND", "GETKEYS", *words, *values("arguments", arguments)), convert, idempotent=True)


def memory_usage(key: KeyT, samples: int | None) -> Command[int | None]:
    """
    Build MEMORY USAGE.
    """
    words: tuple[ValueT, ...] = ("MEMORY", "USAGE", key)
    if samples is not None:
        words = (*words, "SAMPLES", natural_integer("samples", samples))
    return Command(words, optional_integer, keys=(2,), readonly=True)


def slowlog_get(count: int | None, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build SLOWLOG GET.
    """
    words: tuple[ValueT, ...] = ("SLOWLOG", "GET")
    if count is not None:
        words = (*words, whole_number("count", count, -1))
    return Command(words, convert, idempotent=True)


def replicaof(host: StringT | None, port: int | None) -> Command[bool]:
    """
    Build REPLICAOF. Without a host the server becomes a primary.
    """
    if (host is None) != (port is None):
        raise CommandSyntaxError({"host", "port"}, "give both or none of them")
    words: tuple[ValueT, ...] = ("REPLICAOF", "NO", "ONE")
    if host is not None and port is not None:
        words = ("REPLICAOF", string("host", host), whole_number("port", port, 1, 65535))
    return Command(words, truth, idempotent=True)
