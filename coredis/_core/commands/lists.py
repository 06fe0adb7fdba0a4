"""
Builders for the commands about lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...tokens import PureToken, TokenT, choose
from ...typing import KeyT, Parameters, ValueT
from ..command import Command, Reply, key_read, key_write
from .checks import natural_integer, positive_integer, whole_number
from .keyed import block_seconds, wait_seconds, with_keys

T = TypeVar("T")


def side(name: str, value: TokenT) -> bytes:
    """
    Read which end of a list is meant.
    """
    return choose(name, value, PureToken.LEFT, PureToken.RIGHT)


def pop(name: str, key: KeyT, count: int | None, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build LPOP and RPOP.
    """
    words: tuple[ValueT, ...] = (name, key) if count is None else (name, key, natural_integer("count", count))
    return key_write(words, convert)


def blocking_pop(name: str, keys: Parameters[KeyT], timeout: int | float, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build BLPOP and BRPOP, and BZPOPMIN and BZPOPMAX, which look the same.
    """
    wait = wait_seconds("timeout", timeout)
    return with_keys((name,), keys, convert, options=(wait,), block=block_seconds(wait))


def lmpop(
    keys: Parameters[KeyT],
    where: TokenT,
    count: int | None,
    convert: Callable[[Reply], T],
    timeout: int | float | None = None,
) -> Command[T]:
    """
    Build LMPOP, or BLMPOP when there is a time to wait.
    """
    options: tuple[ValueT, ...] = (side("where", where),)
    if count is not None:
        options = (*options, "COUNT", positive_integer("count", count))
    if timeout is None:
        return with_keys(("LMPOP",), keys, convert, options=options, counted=True)
    wait = wait_seconds("timeout", timeout)
    return with_keys(("BLMPOP", wait), keys, convert, options=options, counted=True, block=block_seconds(wait))


def lmove(
    source: KeyT,
    destination: KeyT,
    wherefrom: TokenT,
    whereto: TokenT,
    convert: Callable[[Reply], T],
    timeout: int | float | None = None,
) -> Command[T]:
    """
    Build LMOVE, or BLMOVE when there is a time to wait.
    """
    words: tuple[ValueT, ...] = (source, destination, side("wherefrom", wherefrom), side("whereto", whereto))
    if timeout is None:
        return Command(("LMOVE", *words), convert, keys=(1, 2))
    wait = wait_seconds("timeout", timeout)
    return Command(("BLMOVE", *words, wait), convert, keys=(1, 2), block=block_seconds(wait))


def lpos(
    key: KeyT,
    element: ValueT,
    rank: int | None,
    count: int | None,
    maxlen: int | None,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build LPOS.
    """
    words: list[ValueT] = ["LPOS", key, element]
    if rank is not None:
        if whole_number("rank", rank) == 0:
            raise ValueError("rank: expected 1 for the first match, -1 for the last one and so on, got 0")
        words += ["RANK", rank]
    if count is not None:
        words += ["COUNT", natural_integer("count", count)]
    if maxlen is not None:
        words += ["MAXLEN", natural_integer("maxlen", maxlen)]
    return key_read(tuple(words), convert)
