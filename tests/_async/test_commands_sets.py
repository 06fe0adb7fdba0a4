"""
Commands about sets on real servers.
"""

from __future__ import annotations

from typing import Any

from tests.support.aio import Redis, text


def texts(redis: Redis[Any], values: str) -> set[str | bytes]:
    """
    A set of letters as this client returns it.
    """
    return {text(redis, value) for value in values}


async def test_members(redis: Redis[Any]) -> None:
    """
    Members are added, asked for and removed.
    """
    assert await redis.sadd("s", ["a", b"b", "c"]) == 3
    assert await redis.sadd("s", "a") == 0
    assert await redis.smembers("s") == texts(redis, "abc")
    assert await redis.smembers("absent") == set()
    assert await redis.sismember("s", "a") is True
    assert await redis.sismember("s", "x") is False
    assert await redis.smismember("s", ["a", "x"]) == (True, False)
    assert await redis.scard("s") == 3
    assert await redis.srem("s", ["a", "x"]) == 1
    assert await redis.smove("s", "t", "b") is True
    assert await redis.smove("s", "t", "x") is False
    assert await redis.smembers("t") == texts(redis, "b")


async def test_random_members(redis: Redis[Any]) -> None:
    """
    One member, several, and with a negative count the same one again.
    """
    await redis.sadd("s", "a")

    assert await redis.srandmember("s") == text(redis, "a")
    assert await redis.srandmember("s", 5) == texts(redis, "a")
    assert await redis.srandmember("s", -3) == (text(redis, "a"),) * 3
    assert await redis.srandmember("absent") is None
    assert await redis.srandmember("absent", 5) == set()
    assert await redis.spop("s") == text(redis, "a")
    assert await redis.spop("s") is None
    await redis.sadd("s", ["a", "b"])
    assert await redis.spop("s", 5) == texts(redis, "ab")
    assert await redis.spop("s", 5) == set()


async def test_several_sets(redis: Redis[Any]) -> None:
    """
    Sets are combined, and the result is kept.
    """
    await redis.sadd("a", list("xyz"))
    await redis.sadd("b", list("yzw"))

    assert await redis.sinter(["a", "b"]) == texts(redis, "yz")
    assert await redis.sunion(["a", "b"]) == texts(redis, "wxyz")
    assert await redis.sdiff(["a", "b"]) == texts(redis, "x")
    assert await redis.sinter(["a", "absent"]) == set()
    assert await redis.sintercard(["a", "b"]) == 2
    assert await redis.sintercard(["a", "b"], limit=1) == 1
    assert await redis.sinterstore(["a", "b"], "c") == 2
    assert await redis.sunionstore(["a", "b"], "d") == 4
    assert await redis.sdiffstore(["a", "b"], "e") == 1
    assert await redis.smembers("e") == texts(redis, "x")


async def test_scan(redis: Redis[Any]) -> None:
    """
    A page is a set.
    """
    await redis.sadd("s", ["a", "b", "x"])

    assert await redis.sscan("s") == (0, texts(redis, "abx"))
    assert await redis.sscan("s", match="x*", count=100) == (0, texts(redis, "x"))
