"""
Iterators over keys and members on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import WrongTypeError
from coredis.types import ScoredMember
from tests.support.aio import Redis, text

MANY = range(700)


async def test_keys(redis: Redis[Any]) -> None:
    """
    All pages are asked for, filters apply.
    """
    await redis.mset({f"key:{number}": number for number in MANY})
    await redis.xadd("stream", {"f": "v"})

    found = [key async for key in redis.scan_iter(match="key:*", count=50)]
    streams = [key async for key in redis.scan_iter(type_="stream")]

    assert set(found) == {text(redis, f"key:{number}") for number in MANY}
    assert streams == [text(redis, "stream")]


async def test_hash(redis: Redis[Any]) -> None:
    """
    Fields come with their values.
    """
    await redis.hset("h", {f"field:{number}": number for number in MANY})

    found = [item async for item in redis.hscan_iter("h", count=50)]
    one = [item async for item in redis.hscan_iter("h", match="field:7")]

    assert dict(found) == {text(redis, f"field:{number}"): text(redis, f"{number}") for number in MANY}
    assert one == [(text(redis, "field:7"), text(redis, "7"))]


async def test_set(redis: Redis[Any]) -> None:
    """
    Members come one by one.
    """
    await redis.sadd("s", [f"member:{number}" for number in MANY])

    found = [member async for member in redis.sscan_iter("s", count=50)]

    assert set(found) == {text(redis, f"member:{number}") for number in MANY}


async def test_sorted_set(redis: Redis[Any]) -> None:
    """
    Members come with their scores.
    """
    await redis.zadd("z", {f"member:{number}": number for number in MANY})

    found = [item async for item in redis.zscan_iter("z", count=50)]

    assert all(isinstance(item, ScoredMember) for item in found)
    assert set(found) == {(text(redis, f"member:{number}"), float(number)) for number in MANY}


async def test_nothing(redis: Redis[Any]) -> None:
    """
    Of nothing there is nothing, and an iterator at its end stays there.
    """
    iterator = redis.sscan_iter("absent")

    assert [member async for member in iterator] == []
    await redis.sadd("absent", "late")
    assert [member async for member in iterator] == []


async def test_leaving_early(client: Redis[bytes]) -> None:
    """
    An iterator may be left anywhere; it goes on where it was left.
    """
    await client.sadd("s", [str(number) for number in MANY])
    iterator = client.sscan_iter("s", count=10)
    found = []

    async for member in iterator:
        found.append(member)
        break
    assert await client.ping() == b"PONG"
    async for member in iterator:
        found.append(member)

    assert set(found) == {str(number).encode() for number in MANY}


async def test_errors(client: Redis[bytes]) -> None:
    """
    A wrong argument fails at the call, a wrong key at the first step.
    """
    await client.set("text", "v")

    with pytest.raises(ValueError, match="count"):
        client.scan_iter(count=0)
    with pytest.raises(WrongTypeError):
        [item async for item in client.hscan_iter("text")]
