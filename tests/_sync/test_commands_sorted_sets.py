# Generated from tests/_async/test_commands_sorted_sets.py by scripts/generate.py: edit that file, not this one.
"""
Commands about sorted sets on real servers.
"""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError
from coredis.types import ScoredMember
from tests.support.blocking import Redis, sleep, spawn, text
from tests.support.servers import Server


def scored(redis: Redis[Any], **scores: float) -> tuple[ScoredMember[Any], ...]:
    """
    Members with their scores as this client returns them.
    """
    return tuple(ScoredMember(text(redis, member), scores[member]) for member in scores)


def texts(redis: Redis[Any], values: str) -> tuple[str | bytes, ...]:
    """
    A tuple of letters as this client returns it.
    """
    return tuple(text(redis, value) for value in values)


def test_adding(redis: Redis[Any]) -> None:
    """
    Conditions, counts and scores.
    """
    assert redis.zadd("z", {"a": 1, "b": 2.5, "top": inf}) == 3
    assert redis.zadd("z", {"a": 2, "c": 3}, condition="NX") == 1
    assert redis.zadd("z", {"a": 2, "c": 1}, comparison="GT", change=True) == 1
    assert redis.zadd("z", {"d": 2}, condition="XX") == 0
    assert redis.zadd("z", {"a": 0.5}, increment=True) == 2.5
    assert redis.zadd("z", {"absent": 0.5}, condition="XX", increment=True) is None
    assert redis.zincrby("z", "a", -0.5) == 2.0
    assert redis.zcard("z") == 4
    assert redis.zscore("z", "top") == inf
    assert redis.zscore("z", "absent") is None
    assert redis.zmscore("z", ["a", "absent"]) == (2.0, None)
    assert redis.zrem("z", ["a", "absent"]) == 1


def test_ranks(redis: Redis[Any]) -> None:
    """
    Ranks count from both ends.
    """
    redis.zadd("z", {"a": 1, "b": 2})

    assert redis.zrank("z", "a") == 0
    assert redis.zrevrank("z", "a") == 1
    assert redis.zrank("z", "absent") is None


def test_rank_with_score(redis: Redis[Any], server: Server) -> None:
    """
    Rank and score together, or the version that can do it.
    """
    redis.zadd("z", {"a": 1.5})

    if server.program.satisfies("redis-7.2") or server.program.satisfies("valkey-7.2"):
        assert redis.zrank("z", "a", withscore=True) == (0, 1.5)
        assert redis.zrevrank("z", "absent", withscore=True) is None
    else:
        with pytest.raises(CommandNotSupportedError, match=r"ZRANK WITHSCORE needs Redis 7\.2"):
            redis.zrank("z", "a", withscore=True)


def test_ranges(redis: Redis[Any]) -> None:
    """
    By rank, by score and by text, in both directions.
    """
    redis.zadd("z", {"a": 1, "b": 2, "c": 3})
    redis.zadd("text", {"a": 0, "b": 0, "c": 0})

    assert redis.zrange("z", 0, -1) == texts(redis, "abc")
    assert redis.zrange("z", 0, -1, withscores=True) == scored(redis, a=1, b=2, c=3)
    assert redis.zrange("z", 0, 1, rev=True) == texts(redis, "cb")
    assert redis.zrange("z", "(1", inf, sortby="BYSCORE") == texts(redis, "bc")
    assert redis.zrange("z", inf, -inf, "byscore", rev=True, offset=1, count=1) == texts(redis, "b")
    assert redis.zrange("text", "(a", "+", sortby="BYLEX") == texts(redis, "bc")
    assert redis.zrange("absent", 0, -1, withscores=True) == ()
    assert redis.zrangestore("kept", "z", 1, 2) == 2
    assert redis.zrange("kept", 0, -1) == texts(redis, "bc")
    assert redis.zcount("z", 2, inf) == 2
    assert redis.zcount("z", "-inf", "(2") == 1
    assert redis.zlexcount("text", "-", "(c") == 2


def test_removing_ranges(redis: Redis[Any]) -> None:
    """
    By rank, by score and by text.
    """
    redis.zadd("z", {"a": 1, "b": 2, "c": 3})
    redis.zadd("text", {"a": 0, "b": 0, "c": 0})

    assert redis.zremrangebyrank("z", 0, 0) == 1
    assert redis.zremrangebyscore("z", "(2", inf) == 1
    assert redis.zrange("z", 0, -1) == texts(redis, "b")
    assert redis.zremrangebylex("text", "[b", "+") == 2


def test_popping(redis: Redis[Any]) -> None:
    """
    One member or several, from one key or the first of several.
    """
    redis.zadd("z", {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7})

    assert redis.zpopmin("z") == scored(redis, a=1)[0]
    assert redis.zpopmax("z", 2) == scored(redis, g=7, f=6)
    assert redis.zpopmin("absent") is None
    assert redis.zpopmin("absent", 2) == ()
    assert redis.bzpopmin(["absent", "z"], 1) == (text(redis, "z"), text(redis, "b"), 2.0)
    assert redis.bzpopmax("z", 0) == (text(redis, "z"), text(redis, "e"), 5.0)
    assert redis.zmpop(["absent", "z"], "max") == (text(redis, "z"), scored(redis, d=4))
    assert redis.bzmpop(["z"], 1, "min", 9) == (text(redis, "z"), scored(redis, c=3))


def test_popping_in_vain(redis: Redis[Any]) -> None:
    """
    None says that there was nothing, or that the time ran out.
    """
    assert redis.zmpop("z", "min") is None
    assert redis.bzpopmin("z", 0.01) is None
    assert redis.bzpopmax("z", 0.01) is None
    assert redis.bzmpop("z", 0.01, "min") is None


def test_waiting(client: Redis[bytes]) -> None:
    """
    The client goes on with other things while one call waits.
    """
    waiting = spawn(lambda: client.bzpopmin(["a", "b"], 0))
    sleep(0.1)
    assert not waiting.done
    client.zadd("b", {"x": 1})

    assert waiting.join() == (b"b", b"x", 1.0)


def test_random_members(redis: Redis[Any]) -> None:
    """
    One member, several, with scores.
    """
    redis.zadd("z", {"a": 1})

    assert redis.zrandmember("z") == text(redis, "a")
    assert redis.zrandmember("absent") is None
    assert redis.zrandmember("z", 5) == texts(redis, "a")
    assert redis.zrandmember("z", -2, withscores=True) == scored(redis, a=1) * 2
    assert redis.zrandmember("absent", 5, withscores=True) == ()


def test_several_sorted_sets(redis: Redis[Any]) -> None:
    """
    Sorted sets are combined, and the result is kept.
    """
    redis.zadd("a", {"x": 1, "y": 2})
    redis.zadd("b", {"y": 10, "z": 20})

    assert redis.zunion(["a", "b"]) == texts(redis, "xyz")
    assert redis.zunion(["a", "b"], [1, 0.5], "max", True) == scored(redis, x=1, y=5, z=10)
    assert redis.zinter(["a", "b"], withscores=True) == scored(redis, y=12)
    assert redis.zdiff(["a", "b"], withscores=True) == scored(redis, x=1)
    assert redis.zintercard(["a", "b"], limit=0) == 1
    assert redis.zunionstore(["a", "b"], "c", weights=[2, 1]) == 3
    assert redis.zrange("c", 0, -1, withscores=True) == scored(redis, x=2, y=14, z=20)
    assert redis.zinterstore(["a", "b"], "d", aggregate="min") == 1
    assert redis.zscore("d", "y") == 2
    assert redis.zdiffstore(["a", "b"], "e") == 1


def test_scan(redis: Redis[Any]) -> None:
    """
    A page has members with their scores.
    """
    redis.zadd("z", {"a": 1, "x": inf})

    assert redis.zscan("z") == (0, scored(redis, a=1, x=inf))
    assert redis.zscan("z", match="x*", count=100) == (0, scored(redis, x=inf))
