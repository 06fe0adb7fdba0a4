"""
Builders for the commands about sorted sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from ...exceptions import CommandSyntaxError
from ...tokens import PureToken, TokenT, choose
from ...typing import KeyT, Parameters, StringT, ValueT
from ..command import Command, Reply, Requirement, key_read, key_write
from ..replies.shapes import integer
from .checks import natural_integer, positive_integer, whole_number
from .keyed import block_seconds, same_key, values, wait_seconds, with_keys

T = TypeVar("T")


def score(name: str, value: int | float) -> int | float | bytes:
    """
    Read a score. Here, unlike anywhere else, an infinity is a number like others.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected a score as int or float, got {type(value).__name__} ({value!r})")
    if math.isnan(value):
        raise ValueError(f"{name}: expected a number, got {value!r}")
    if math.isinf(value):
        return b"+inf" if value > 0 else b"-inf"
    return value


def bound(name: str, value: ValueT) -> ValueT:
    """
    Read an end of a range: a score, or text with a mark such as ``(1`` or ``[a``.
    """
    return score(name, value) if isinstance(value, int | float) else value


def zadd(
    key: KeyT,
    member_scores: Mapping[StringT, int | float],
    condition: TokenT | None,
    comparison: TokenT | None,
    change: bool,
    increment: bool,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build ZADD.
    """
    if not isinstance(member_scores, Mapping):
        raise TypeError(f"member_scores: expected a mapping, got {type(member_scores).__name__}")
    if not member_scores:
        raise ValueError("member_scores: expected at least one member, got none")
    if increment and len(member_scores) > 1:
        raise CommandSyntaxError({"increment", "member_scores"}, "only one member can be incremented at a time")
    words: list[ValueT] = ["ZADD", key]
    if condition is not None:
        words.append(choose("condition", condition, PureToken.NX, PureToken.XX))
    if comparison is not None:
        if condition is not None and PureToken.NX == condition:
            raise CommandSyntaxError({"comparison", "condition"}, "a member that is new has nothing to compare with")
        words.append(choose("comparison", comparison, PureToken.GT, PureToken.LT))
    if change:
        words.append("CH")
    if increment:
        words.append("INCR")
    for member, value in member_scores.items():
        words += (score("member_scores", value), member)
    # With NX the second of two adds nothing and says so, which is not what happened.
    idempotent = not increment and (condition is None or PureToken.XX == condition)
    return Command(tuple(words), convert, keys=(1,), idempotent=idempotent)


def rank(name: str, key: KeyT, member: ValueT, withscore: bool, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build ZRANK and ZREVRANK.
    """
    if not withscore:
        return key_read((name, key, member), convert)
    return Command(
        (name, key, member, "WITHSCORE"),
        convert,
        keys=(1,),
        readonly=True,
        requires=(Requirement(name, "WITHSCORE", "Redis 7.2"),),
    )


def zrange(
    key: KeyT,
    min_: ValueT,
    max_: ValueT,
    sortby: TokenT | None,
    rev: bool,
    offset: int | None,
    count: int | None,
    withscores: bool,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build ZRANGE.
    """
    words = _range(min_, max_, sortby, rev, offset, count)
    if withscores:
        if sortby is not None and PureToken.BYLEX == sortby:
            raise CommandSyntaxError({"sortby", "withscores"}, "a range by text comes without scores")
        words.append("WITHSCORES")
    return key_read(("ZRANGE", key, *words), convert)


def zrangestore(
    dst: KeyT,
    src: KeyT,
    min_: ValueT,
    max_: ValueT,
    sortby: TokenT | None,
    rev: bool,
    offset: int | None,
    count: int | None,
) -> Command[int]:
    """
    Build ZRANGESTORE.
    """
    words = _range(min_, max_, sortby, rev, offset, count)
    return Command(("ZRANGESTORE", dst, src, *words), integer, keys=(1, 2), idempotent=not same_key(dst, src))


def _range(
    min_: ValueT, max_: ValueT, sortby: TokenT | None, rev: bool, offset: int | None, count: int | None
) -> list[ValueT]:
    words: list[ValueT] = [bound("min_", min_), bound("max_", max_)]
    if sortby is not None:
        words.append(choose("sortby", sortby, PureToken.BYSCORE, PureToken.BYLEX))
    if rev:
        words.append("REV")
    if (offset is None) != (count is None):
        raise CommandSyntaxError({"count", "offset"}, "give both or none of them")
    if offset is not None and count is not None:
        if sortby is None:
            raise CommandSyntaxError({"count", "offset", "sortby"}, "a range by rank has no limit; choose the ranks")
        words += ["LIMIT", natural_integer("offset", offset), whole_number("count", count)]
    return words


def pop(name: str, key: KeyT, count: int | None, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build ZPOPMIN and ZPOPMAX.
    """
    words: tuple[ValueT, ...] = (name, key) if count is None else (name, key, natural_integer("count", count))
    return key_write(words, convert)


def zmpop(
    keys: Parameters[KeyT],
    where: TokenT,
    count: int | None,
    convert: Callable[[Reply], T],
    timeout: int | float | None = None,
) -> Command[T]:
    """
    Build ZMPOP, or BZMPOP when there is a time to wait.
    """
    options: tuple[ValueT, ...] = (choose("where", where, PureToken.MIN, PureToken.MAX),)
    if count is not None:
        options = (*options, "COUNT", positive_integer("count", count))
    if timeout is None:
        return with_keys(("ZMPOP",), keys, convert, options=options, counted=True)
    wait = wait_seconds("timeout", timeout)
    return with_keys(("BZMPOP", wait), keys, convert, options=options, counted=True, block=block_seconds(wait))


def zrandmember(key: KeyT, count: int | None, withscores: bool, convert: Callable[[Reply], T]) -> Command[T]:
    """
    Build ZRANDMEMBER.
    """
    words: list[ValueT] = ["ZRANDMEMBER", key]
    if count is not None:
        words.append(whole_number("count", count))
    if withscores:
        if count is None:
            raise CommandSyntaxError({"count", "withscores"}, "scores come only with a count")
        words.append("WITHSCORES")
    return key_read(tuple(words), convert)


def combine(
    name: str,
    keys: Parameters[KeyT],
    weights: Parameters[int | float] | None,
    aggregate: TokenT | None,
    withscores: bool,
    convert: Callable[[Reply], T],
) -> Command[T]:
    """
    Build ZUNION, ZINTER and ZDIFF.
    """
    names = values("keys", keys)
    options = _combination(names, weights, aggregate)
    if withscores:
        options.append("WITHSCORES")
    return with_keys((name,), names, convert, options=tuple(options), counted=True, readonly=True)


def combine_and_store(
    name: str,
    keys: Parameters[KeyT],
    destination: KeyT,
    weights: Parameters[int | float] | None = None,
    aggregate: TokenT | None = None,
) -> Command[int]:
    """
    Build ZUNIONSTORE, ZINTERSTORE and ZDIFFSTORE.
    """
    names = values("keys", keys)
    options = tuple(_combination(names, weights, aggregate))
    return with_keys((name, destination), names, integer, options=options, counted=True, destination=1, idempotent=True)


def _combination(
    names: tuple[KeyT, ...], weights: Parameters[int | float] | None, aggregate: TokenT | None
) -> list[ValueT]:
    words: list[ValueT] = []
    if weights is not None:
        factors = values("weights", weights)
        if len(factors) != len(names):
            raise CommandSyntaxError({"keys", "weights"}, f"{len(names)} keys need as many weights, got {len(factors)}")
        words += ["WEIGHTS", *(score("weights", factor) for factor in factors)]
    if aggregate is not None:
        words += ["AGGREGATE", choose("aggregate", aggregate, PureToken.SUM, PureToken.MIN, PureToken.MAX)]
    return words
