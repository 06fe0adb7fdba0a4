# Generated from tests/_async/test_commands_hashes.py by scripts/generate.py: edit that file, not this one.
"""
Commands about hashes on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError
from tests.support.blocking import Redis, text
from tests.support.servers import Server


def texts(redis: Redis[Any], **fields: str) -> dict[str | bytes, str | bytes]:
    """
    A hash as this client returns it.
    """
    return {text(redis, name): text(redis, value) for name, value in fields.items()}


def test_fields(redis: Redis[Any]) -> None:
    """
    Fields are set, read and deleted.
    """
    assert redis.hset("h", {"a": "1", "b": 2}) == 2
    assert redis.hset("h", {"a": "3", "c": b"4"}) == 1
    assert redis.hsetnx("h", "a", 5) is False
    assert redis.hsetnx("h", "d", 5) is True

    assert redis.hget("h", "a") == text(redis, "3")
    assert redis.hget("h", "absent") is None
    assert redis.hmget("h", ["a", "absent"]) == (text(redis, "3"), None)
    assert redis.hgetall("h") == texts(redis, a="3", b="2", c="4", d="5")
    assert redis.hgetall("absent") == {}
    assert redis.hexists("h", "b") is True
    assert redis.hexists("h", "absent") is False
    assert redis.hlen("h") == 4
    assert redis.hdel("h", ["b", "c", "absent"]) == 2
    assert set(redis.hkeys("h")) == {text(redis, "a"), text(redis, "d")}
    assert set(redis.hvals("h")) == {text(redis, "3"), text(redis, "5")}
    assert redis.hkeys("absent") == ()


def test_numbers(redis: Redis[Any]) -> None:
    """
    Counting gives numbers.
    """
    assert redis.hincrby("h", "n", 5) == 5
    assert redis.hincrbyfloat("h", "n", 0.25) == 5.25
    assert redis.hstrlen("h", "n") == 4


def test_random_fields(redis: Redis[Any]) -> None:
    """
    One field, several, with values; a negative count may repeat.
    """
    redis.hset("h", {"a": "1"})

    assert redis.hrandfield("h") == text(redis, "a")
    assert redis.hrandfield("absent") is None
    assert redis.hrandfield("h", count=5) == (text(redis, "a"),)
    assert redis.hrandfield("h", count=-3) == (text(redis, "a"),) * 3
    assert redis.hrandfield("h", count=5, withvalues=True) == texts(redis, a="1")
    assert redis.hrandfield("h", count=-2, withvalues=True) == ((text(redis, "a"), text(redis, "1")),) * 2
    assert redis.hrandfield("absent", count=2, withvalues=True) == {}


def test_scan(redis: Redis[Any]) -> None:
    """
    A page has fields with their values.
    """
    redis.hset("h", {"a": "1", "b": "2", "x": "3"})

    assert redis.hscan("h") == (0, texts(redis, a="1", b="2", x="3"))
    assert redis.hscan("h", match="x*", count=100) == (0, texts(redis, x="3"))
    assert redis.hscan("absent") == (0, {})


def test_scan_of_names(redis: Redis[Any], server: Server) -> None:
    """
    Names alone, or the version that can do it.
    """
    redis.hset("h", {"a": "1"})

    if server.program.satisfies("redis-7.4") or server.program.satisfies("valkey-8.0"):
        assert redis.hscan("h", novalues=True) == (0, (text(redis, "a"),))
    else:
        with pytest.raises(CommandNotSupportedError, match=r"HSCAN NOVALUES needs Redis 7\.4"):
            redis.hscan("h", novalues=True)
