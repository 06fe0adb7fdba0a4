"""
Commands about strings on real servers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coredis.exceptions import ResponseError, WrongTypeError
from tests.support.aio import Redis, text


async def test_set_and_get(redis: Redis[Any]) -> None:
    """
    A value comes back as text; nothing is None.
    """
    assert await redis.set("k", "v") is True
    assert await redis.get("k") == text(redis, "v")
    assert await redis.get("absent") is None
    assert await redis.getdel("k") == text(redis, "v")
    assert await redis.exists("k") == 0


async def test_conditions(redis: Redis[Any]) -> None:
    """
    A condition that is not met is False, with GET the value before decides.
    """
    assert await redis.set("k", 1, condition="XX") is False
    assert await redis.set("k", 1, condition="NX") is True
    assert await redis.set("k", 2, condition="NX") is False
    assert await redis.set("k", 3, get=True) == text(redis, "1")
    assert await redis.set("new", 3, get=True) is None
    assert await redis.setnx("k", 4) is False
    assert await redis.setnx("other", 4) is True


async def test_expiry(redis: Redis[Any]) -> None:
    """
    Spans of time and moments arrive in the right unit.
    """
    moment = datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)
    await redis.set("ex", 1, ex=100)
    await redis.set("px", 1, px=timedelta(seconds=100))
    await redis.set("exat", 1, exat=moment)
    await redis.set("pxat", 1, pxat=moment + timedelta(milliseconds=7))
    await redis.setex("setex", 1, 100)
    await redis.psetex("psetex", 100_000, 1)

    for key in ("ex", "px", "setex", "psetex"):
        assert 90 < await redis.ttl(key) <= 100
    assert await redis.expiretime("exat") == moment
    assert await redis.pexpiretime("pxat") == moment + timedelta(milliseconds=7)

    await redis.set("exat", 2, keepttl=True)
    assert await redis.expiretime("exat") == moment
    assert await redis.getex("exat", persist=True) == text(redis, "2")
    assert await redis.expiretime("exat") is None
    assert await redis.getex("exat", ex=100) == text(redis, "2")
    assert 90 < await redis.ttl("exat") <= 100


async def test_several(redis: Redis[Any]) -> None:
    """
    Several keys at once; what is absent or no string is None.
    """
    assert await redis.mset({"a": "1", b"b": 2}) is True
    await redis.rpush("list", "x")

    assert await redis.mget(["a", "absent", "list", "b"]) == (text(redis, "1"), None, None, text(redis, "2"))
    assert await redis.msetnx({"b": 3, "c": 4}) is False
    assert await redis.msetnx({"c": 4, "d": 5}) is True


async def test_numbers(redis: Redis[Any]) -> None:
    """
    Counting gives numbers.
    """
    assert await redis.incr("n") == 1
    assert await redis.incrby("n", 10) == 11
    assert await redis.decr("n") == 10
    assert await redis.decrby("n", 20) == -10
    assert await redis.incrbyfloat("n", 0.5) == -9.5


async def test_parts(redis: Redis[Any]) -> None:
    """
    Ranges count bytes.
    """
    assert await redis.append("k", "hello") == 5
    assert await redis.append("k", " world") == 11
    assert await redis.getrange("k", 0, 4) == text(redis, "hello")
    assert await redis.getrange("k", -5, -1) == text(redis, "world")
    assert await redis.getrange("absent", 0, 1) == text(redis, "")
    assert await redis.setrange("k", 6, "redis") == 11
    assert await redis.get("k") == text(redis, "hello redis")
    assert await redis.strlen("k") == 11


async def test_errors(redis: Redis[Any]) -> None:
    """
    The server's refusal has the class of its cause.
    """
    await redis.set("k", "text")
    await redis.rpush("list", "x")

    with pytest.raises(WrongTypeError):
        await redis.get("list")
    with pytest.raises(ResponseError, match="not an integer"):
        await redis.incr("k")
