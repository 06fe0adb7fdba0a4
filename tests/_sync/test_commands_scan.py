# Generated from tests/_async/test_commands_scan.py by scripts/generate.py: edit that file, not this one.
"""
Iterators over keys and members on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import WrongTypeError
from coredis.types import ScoredMember
from tests.support.blocking import Redis, text

MANY = range(700)


def test_keys(redis: Redis[Any]) -> None:
    """
    All pages are asked for, filters apply.
    """
    redis.mset({f"key:{number}": number for number in MANY})
    redis.xadd("stream", {"f": "v"})

    found = [key for key in redis.scan_iter(match="key:*", count=50)]
    streams = [key for key in redis.scan_iter(type_="stream")]

    assert set(found) == {text(redis, f"key:{number}") for number in MANY}
    assert streams == [text(redis, "stream")]


def test_hash(redis: Redis[Any]) -> None:
    """
    Fields come with their values.
    """
    redis.hset("h", {f"field:{number}": number for number in MANY})

    found = [item for item in redis.hscan_iter("h", count=50)]
    one = [item for item in redis.hscan_iter("h", match="field:7")]

    assert dict(found) == {text(redis, f"field:{number}"): text(redis, f"{number}") for number in MANY}
    assert one == [(text(redis, "field:7"), text(redis, "7"))]


def test_set(redis: Redis[Any]) -> None:
    """
    Members come one by one.
    """
    redis.sadd("s", [f"member:{number}" for number in MANY])

    found = [member for member in redis.sscan_iter("s", count=50)]

    assert set(found) == {text(redis, f"member:{number}") for number in MANY}


def test_sorted_set(redis: Redis[Any]) -> None:
    """
    Members come with their scores.
    """
    redis.zadd("z", {f"member:{number}": number for number in MANY})

    found = [item for item in redis.zscan_iter("z", count=50)]

    assert all(isinstance(item, ScoredMember) for item in found)
    assert set(found) == {(text(redis, f"member:{number}"), float(number)) for number in MANY}


def test_nothing(redis: Redis[Any]) -> None:
    """
    Of nothing there is nothing, and an iterator at its end stays there.
    """
    iterator = redis.sscan_iter("absent")

    assert [member for member in iterator] == []
    redis.sadd("absent", "late")
    assert [member for member in iterator] == []


def test_leaving_early(client: Redis[bytes]) -> None:
    """
    An iterator may be left anywhere; it goes on where it was left.
    """
    client.sadd("s", [str(number) for number in MANY])
    iterator = client.sscan_iter("s", count=10)
    found = []

    for member in iterator:
        found.append(member)
        break
    assert client.ping() == b"PONG"
    for member in iterator:
        found.append(member)

    assert set(found) == {str(number).encode() for number in MANY}


def test_errors(client: Redis[bytes]) -> None:
    """
    A wrong argument fails at the call, a wrong key at the first step.
    """
    client.set("text", "v")

    with pytest.raises(ValueError, match="count"):
        client.scan_iter(count=0)
    with pytest.raises(WrongTypeError):
        [item for item in client.hscan_iter("text")]
