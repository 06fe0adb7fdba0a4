# Generated from tests/_async/test_commands_strings.py by scripts/generate.py: edit that file, not this one.
"""
Commands about strings on real servers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coredis.exceptions import ResponseError, WrongTypeError
from tests.support.blocking import Redis, text


def test_set_and_get(redis: Redis[Any]) -> None:
    """
    A value comes back as text; nothing is None.
    """
    assert redis.set("k", "v") is True
    assert redis.get("k") == text(redis, "v")
    assert redis.get("absent") is None
    assert redis.getdel("k") == text(redis, "v")
    assert redis.exists("k") == 0


def test_conditions(redis: Redis[Any]) -> None:
    """
    A condition that is not met is False, with GET the value before decides.
    """
    assert redis.set("k", 1, condition="XX") is False
    assert redis.set("k", 1, condition="NX") is True
    assert redis.set("k", 2, condition="NX") is False
    assert redis.set("k", 3, get=True) == text(redis, "1")
    assert redis.set("new", 3, get=True) is None
    assert redis.setnx("k", 4) is False
    assert redis.setnx("other", 4) is True


def test_expiry(redis: Redis[Any]) -> None:
    """
    Spans of time and moments arrive in the right unit.
    """
    moment = datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)
    redis.set("ex", 1, ex=100)
    redis.set("px", 1, px=timedelta(seconds=100))
    redis.set("exat", 1, exat=moment)
    redis.set("pxat", 1, pxat=moment + timedelta(milliseconds=7))
    redis.setex("setex", 1, 100)
    redis.psetex("psetex", 100_000, 1)

    for key in ("ex", "px", "setex", "psetex"):
        assert 90 < redis.ttl(key) <= 100
    assert redis.expiretime("exat") == moment
    assert redis.pexpiretime("pxat") == moment + timedelta(milliseconds=7)

    redis.set("exat", 2, keepttl=True)
    assert redis.expiretime("exat") == moment
    assert redis.getex("exat", persist=True) == text(redis, "2")
    assert redis.expiretime("exat") is None
    assert redis.getex("exat", ex=100) == text(redis, "2")
    assert 90 < redis.ttl("exat") <= 100


def test_several(redis: Redis[Any]) -> None:
    """
    Several keys at once; what is absent or no string is None.
    """
    assert redis.mset({"a": "1", b"b": 2}) is True
    redis.rpush("list", "x")

    assert redis.mget(["a", "absent", "list", "b"]) == (text(redis, "1"), None, None, text(redis, "2"))
    assert redis.msetnx({"b": 3, "c": 4}) is False
    assert redis.msetnx({"c": 4, "d": 5}) is True


def test_numbers(redis: Redis[Any]) -> None:
    """
    Counting gives numbers.
    """
    assert redis.incr("n") == 1
    assert redis.incrby("n", 10) == 11
    assert redis.decr("n") == 10
    assert redis.decrby("n", 20) == -10
    assert redis.incrbyfloat("n", 0.5) == -9.5


def test_parts(redis: Redis[Any]) -> None:
    """
    Ranges count bytes.
    """
    assert redis.append("k", "hello") == 5
    assert redis.append("k", " world") == 11
    assert redis.getrange("k", 0, 4) == text(redis, "hello")
    assert redis.getrange("k", -5, -1) == text(redis, "world")
    assert redis.getrange("absent", 0, 1) == text(redis, "")
    assert redis.setrange("k", 6, "redis") == 11
    assert redis.get("k") == text(redis, "hello redis")
    assert redis.strlen("k") == 11


def test_errors(redis: Redis[Any]) -> None:
    """
    The server's refusal has the class of its cause.
    """
    redis.set("k", "text")
    redis.rpush("list", "x")

    with pytest.raises(WrongTypeError):
        redis.get("list")
    with pytest.raises(ResponseError, match="not an integer"):
        redis.incr("k")
