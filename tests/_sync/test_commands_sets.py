# Generated from tests/_async/test_commands_sets.py by scripts/generate.py: edit that file, not this one.
"""
Commands about sets on real servers.
"""

from __future__ import annotations

from typing import Any

from tests.support.blocking import Redis, text


def texts(redis: Redis[Any], values: str) -> set[str | bytes]:
    """
    A set of letters as this client returns it.
    """
    return {text(redis, value) for value in values}


def test_members(redis: Redis[Any]) -> None:
    """
    Members are added, asked for and removed.
    """
    assert redis.sadd("s", ["a", b"b", "c"]) == 3
    assert redis.sadd("s", "a") == 0
    assert redis.smembers("s") == texts(redis, "abc")
    assert redis.smembers("absent") == set()
    assert redis.sismember("s", "a") is True
    assert redis.sismember("s", "x") is False
    assert redis.smismember("s", ["a", "x"]) == (True, False)
    assert redis.scard("s") == 3
    assert redis.srem("s", ["a", "x"]) == 1
    assert redis.smove("s", "t", "b") is True
    assert redis.smove("s", "t", "x") is False
    assert redis.smembers("t") == texts(redis, "b")


def test_random_members(redis: Redis[Any]) -> None:
    """
    One member, several, and with a negative count the same one again.
    """
    redis.sadd("s", "a")

    assert redis.srandmember("s") == text(redis, "a")
    assert redis.srandmember("s", 5) == texts(redis, "a")
    assert redis.srandmember("s", -3) == (text(redis, "a"),) * 3
    assert redis.srandmember("absent") is None
    assert redis.srandmember("absent", 5) == set()
    assert redis.spop("s") == text(redis, "a")
    assert redis.spop("s") is None
    redis.sadd("s", ["a", "b"])
    assert redis.spop("s", 5) == texts(redis, "ab")
    assert redis.spop("s", 5) == set()


def test_several_sets(redis: Redis[Any]) -> None:
    """
    Sets are combined, and the result is kept.
    """
    redis.sadd("a", list("xyz"))
    redis.sadd("b", list("yzw"))

    assert redis.sinter(["a", "b"]) == texts(redis, "yz")
    assert redis.sunion(["a", "b"]) == texts(redis, "wxyz")
    assert redis.sdiff(["a", "b"]) == texts(redis, "x")
    assert redis.sinter(["a", "absent"]) == set()
    assert redis.sintercard(["a", "b"]) == 2
    assert redis.sintercard(["a", "b"], limit=1) == 1
    assert redis.sinterstore(["a", "b"], "c") == 2
    assert redis.sunionstore(["a", "b"], "d") == 4
    assert redis.sdiffstore(["a", "b"], "e") == 1
    assert redis.smembers("e") == texts(redis, "x")


def test_scan(redis: Redis[Any]) -> None:
    """
    A page is a set.
    """
    redis.sadd("s", ["a", "b", "x"])

    assert redis.sscan("s") == (0, texts(redis, "abx"))
    assert redis.sscan("s", match="x*", count=100) == (0, texts(redis, "x"))
