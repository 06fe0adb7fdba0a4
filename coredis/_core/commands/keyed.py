"""
What commands of every family share: where several keys stand, several values, how long a blocking command may take.

The positions of the keys are computed here, next to the words, since a cluster routes by them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from ...typing import KeyT, Parameters, ValueT
from ..command import Command, Reply, Requirement
from .checks import natural_integer, several

T = TypeVar("T")


def with_keys(
    words: tuple[ValueT, ...],
    keys: Parameters[KeyT],
    convert: Callable[[Reply], T],
    *,
    options: tuple[ValueT, ...] = (),
    counted: bool = False,
    destination: int | None = None,
    readonly: bool = False,
    idempotent: bool | None = None,
    block: float | None = None,
    requires: tuple[Requirement, ...] = (),
) -> Command[T]:
    """
    Build a command with a run of keys.

    Args:
        words: what comes before the keys, the command's name first
        keys: one or more keys
        convert: reads the reply
        options: what comes after the keys
        counted: send the number of keys before them
        destination: the position in ``words`` of one more key, the one written to. A command that would write over one of
            its own sources gives another result when it runs again, so it never counts as idempotent
        readonly, idempotent, block, requires: as ``Command`` has them
    """
    names: tuple[KeyT, ...] = several("keys", keys)
    if counted:
        words = (*words, len(names))
    positions = tuple(range(len(words), len(words) + len(names)))
    if destination is not None:
        positions = (destination, *positions)
        if any(same_key(words[destination], name) for name in names):
            idempotent = False
    return Command(
        (*words, *names, *options),
        convert,
        keys=positions,
        readonly=readonly,
        idempotent=idempotent,
        block=block,
        requires=requires,
    )


def values(name: str, items: Parameters[T]) -> tuple[T, ...]:
    """
    Read one or more values for the end of a command.

    Args:
        name: of the parameter
        items: the values, or one of them alone
    """
    found: tuple[T, ...] = several(name, items)
    return found


def same_key(one: ValueT, other: ValueT) -> bool:
    """
    Tell whether two keys are the same bytes.
    """
    return _as_bytes(one) == _as_bytes(other)


def _as_bytes(key: ValueT) -> object:
    return key.encode(errors="surrogatepass") if isinstance(key, str) else key


def wait_seconds(name: str, value: int | float) -> int | float:
    """
    Check the waiting time of a blocking command, in seconds.

    Args:
        name: of the parameter
        value: seconds, also parts of a second; 0 is for ever
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected seconds as int or float, got {type(value).__name__} ({value!r})")
    if not 0 <= value < math.inf:
        raise ValueError(f"{name}: expected a finite number of at least 0 (0 waits for ever), got {value!r}")
    return value


def block_seconds(value: int | float) -> float:
    """
    Tell how long a command may block that waits for some seconds, 0 being for ever.
    """
    return float(value) if value else math.inf


def block_milliseconds(value: int) -> float:
    """
    Tell how long a command may block, in seconds, that waits for some milliseconds, 0 being for ever.
    """
    return natural_integer("timeout", value) / 1000 if value else math.inf


def token(name: str, value: ValueT, *allowed: bytes) -> bytes:
    """
    Read a word given by the caller; case does not matter.

    For the words that are rarely needed. What ``PureToken`` names is read with ``choose``.

    Args:
        name: of the parameter
        value: what the caller gave
        allowed: what it may be
    """
    word = value.encode(errors="replace") if isinstance(value, str) else value
    if isinstance(word, bytes) and bytes(word).upper() in allowed:
        return bytes(word).upper()
    raise ValueError(f"{name}: expected one of {', '.join(word.decode() for word in allowed)}, got {value!r}")
