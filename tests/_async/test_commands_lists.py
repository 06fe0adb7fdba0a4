"""
Commands about lists on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.aio import Redis, sleep, spawn, text


def texts(redis: Redis[Any], values: str) -> list[str | bytes]:
    """
    A list of letters as this client returns it.
    """
    return [text(redis, value) for value in values]


async def test_both_ends(redis: Redis[Any]) -> None:
    """
    Elements come and go at both ends.
    """
    assert await redis.rpush("l", ["c", "d"]) == 2
    assert await redis.lpush("l", ["b", "a"]) == 4
    assert await redis.lpushx("absent", "x") == 0
    assert await redis.rpushx("l", "e") == 5
    assert await redis.llen("l") == 5
    assert await redis.lrange("l", 0, -1) == texts(redis, "abcde")

    assert await redis.lpop("l") == text(redis, "a")
    assert await redis.rpop("l", 2) == texts(redis, "ed")
    assert await redis.lpop("l", 9) == texts(redis, "bc")
    assert await redis.lpop("l") is None
    assert await redis.rpop("l", 2) is None
    assert await redis.lrange("l", 0, -1) == []


async def test_inside(redis: Redis[Any]) -> None:
    """
    Elements are read and changed by place and by value.
    """
    await redis.rpush("l", list("abcabc"))

    assert await redis.lindex("l", -1) == text(redis, "c")
    assert await redis.lindex("l", 99) is None
    assert await redis.lset("l", 0, "x") is True
    assert await redis.linsert("l", "before", "b", "y") == 7
    assert await redis.linsert("l", "AFTER", "absent", "y") == -1
    assert await redis.lrem("l", 1, "b") == 1
    assert await redis.ltrim("l", 0, 3) is True
    assert await redis.lrange("l", 0, -1) == texts(redis, "xyca")


async def test_positions(redis: Redis[Any]) -> None:
    """
    One place or several.
    """
    await redis.rpush("l", list("abcabc"))

    assert await redis.lpos("l", "b") == 1
    assert await redis.lpos("l", "b", rank=-1) == 4
    assert await redis.lpos("l", "b", count=0) == [1, 4]
    assert await redis.lpos("l", "c", count=0, maxlen=3) == [2]
    assert await redis.lpos("l", "x") is None
    assert await redis.lpos("l", "x", count=1) == []


async def test_moving(redis: Redis[Any]) -> None:
    """
    From list to list, and from the first list that has something.
    """
    await redis.rpush("l", list("abc"))

    assert await redis.lmove("l", "m", "LEFT", "RIGHT") == text(redis, "a")
    assert await redis.lmove("absent", "m", "left", "right") is None
    assert await redis.blmove("l", "m", "right", "left", 1) == text(redis, "c")
    assert await redis.lrange("m", 0, -1) == texts(redis, "ca")
    assert await redis.lmpop(["absent", "m"], "left", 5) == (text(redis, "m"), texts(redis, "ca"))
    assert await redis.lmpop(["absent"], "right") is None
    assert await redis.blmpop(["absent", "l"], 1, "right") == (text(redis, "l"), texts(redis, "b"))


async def test_blocking_with_something_there(redis: Redis[Any]) -> None:
    """
    What is there is returned at once, with the key it came from.
    """
    await redis.rpush("l", list("ab"))

    assert await redis.blpop(["absent", "l"], 0) == (text(redis, "l"), text(redis, "a"))
    assert await redis.brpop("l", 0.5) == (text(redis, "l"), text(redis, "b"))


async def test_blocking_in_vain(redis: Redis[Any]) -> None:
    """
    None says that the time ran out.
    """
    assert await redis.blpop("l", 0.01) is None
    assert await redis.brpop("l", 0.01) is None
    assert await redis.blmove("l", "m", "left", "left", 0.01) is None
    assert await redis.blmpop(["l"], 0.01, "left") is None


@pytest.mark.parametrize("timeout", [0, 20])
async def test_waiting(client: Redis[bytes], timeout: int) -> None:
    """
    The client goes on with other things while one call waits.
    """
    waiting = spawn(lambda: client.blpop(["a", "b"], timeout))
    await sleep(0.1)
    assert not waiting.done
    await client.rpush("b", "x")

    assert await waiting.join() == (b"b", b"x")
