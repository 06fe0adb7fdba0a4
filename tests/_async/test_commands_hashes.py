"""
Commands about hashes on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError
from tests.support.aio import Redis, text
from tests.support.servers import Server


def texts(redis: Redis[Any], **fields: str) -> dict[str | bytes, str | bytes]:
    """
    A hash as this client returns it.
    """
    return {text(redis, name): text(redis, value) for name, value in fields.items()}


async def test_fields(redis: Redis[Any]) -> None:
    """
    Fields are set, read and deleted.
    """
    assert await redis.hset("h", {"a": "1", "b": 2}) == 2
    assert await redis.hset("h", {"a": "3", "c": b"4"}) == 1
    assert await redis.hsetnx("h", "a", 5) is False
    assert await redis.hsetnx("h", "d", 5) is True

    assert await redis.hget("h", "a") == text(redis, "3")
    assert await redis.hget("h", "absent") is None
    assert await redis.hmget("h", ["a", "absent"]) == (text(redis, "3"), None)
    assert await redis.hgetall("h") == texts(redis, a="3", b="2", c="4", d="5")
    assert await redis.hgetall("absent") == {}
    assert await redis.hexists("h", "b") is True
    assert await redis.hexists("h", "absent") is False
    assert await redis.hlen("h") == 4
    assert await redis.hdel("h", ["b", "c", "absent"]) == 2
    assert set(await redis.hkeys("h")) == {text(redis, "a"), text(redis, "d")}
    assert set(await redis.hvals("h")) == {text(redis, "3"), text(redis, "5")}
    assert await redis.hkeys("absent") == ()


async def test_numbers(redis: Redis[Any]) -> None:
    """
    Counting gives numbers.
    """
    assert await redis.hincrby("h", "n", 5) == 5
    assert await redis.hincrbyfloat("h", "n", 0.25) == 5.25
    assert await redis.hstrlen("h", "n") == 4


async def test_random_fields(redis: Redis[Any]) -> None:
    """
    One field, several, with values; a negative count may repeat.
    """
    await redis.hset("h", {"a": "1"})

    assert await redis.hrandfield("h") == text(redis, "a")
    assert await redis.hrandfield("absent") is None
    assert await redis.hrandfield("h", count=5) == (text(redis, "a"),)
    assert await redis.hrandfield("h", count=-3) == (text(redis, "a"),) * 3
    assert await redis.hrandfield("h", count=5, withvalues=True) == texts(redis, a="1")
    assert await redis.hrandfield("h", count=-2, withvalues=True) == ((text(redis, "a"), text(redis, "1")),) * 2
    assert await redis.hrandfield("absent", count=2, withvalues=True) == {}


async def test_scan(redis: Redis[Any]) -> None:
    """
    A page has fields with their values.
    """
    await redis.hset("h", {"a": "1", "b": "2", "x": "3"})

    assert await redis.hscan("h") == (0, texts(redis, a="1", b="2", x="3"))
    assert await redis.hscan("h", match="x*", count=100) == (0, texts(redis, x="3"))
    assert await redis.hscan("absent") == (0, {})


async def test_scan_of_names(redis: Redis[Any], server: Server) -> None:
    """
    Names alone, or the version that can do it.
    """
    await redis.hset("h", {"a": "1"})

    if server.program.satisfies("redis-7.4") or server.program.satisfies("valkey-8.0"):
        assert await redis.hscan("h", novalues=True) == (0, (text(redis, "a"),))
    else:
        with pytest.raises(CommandNotSupportedError, match=r"HSCAN NOVALUES needs Redis 7\.4"):
            await redis.hscan("h", novalues=True)
