# Generated from tests/_async/test_commands_lists.py by scripts/generate.py: edit that file, not this one.
"""
Commands about lists on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.blocking import Redis, sleep, spawn, text


def texts(redis: Redis[Any], values: str) -> list[str | bytes]:
    """
    A list of letters as this client returns it.
    """
    return [text(redis, value) for value in values]


def test_both_ends(redis: Redis[Any]) -> None:
    """
    Elements come and go at both ends.
    """
    assert redis.rpush("l", ["c", "d"]) == 2
    assert redis.lpush("l", ["b", "a"]) == 4
    assert redis.lpushx("absent", "x") == 0
    assert redis.rpushx("l", "e") == 5
    assert redis.llen("l") == 5
    assert redis.lrange("l", 0, -1) == texts(redis, "abcde")

    assert redis.lpop("l") == text(redis, "a")
    assert redis.rpop("l", 2) == texts(redis, "ed")
    assert redis.lpop("l", 9) == texts(redis, "bc")
    assert redis.lpop("l") is None
    assert redis.rpop("l", 2) is None
    assert redis.lrange("l", 0, -1) == []


def test_inside(redis: Redis[Any]) -> None:
    """
    Elements are read and changed by place and by value.
    """
    redis.rpush("l", list("abcabc"))

    assert redis.lindex("l", -1) == text(redis, "c")
    assert redis.lindex("l", 99) is None
    assert redis.lset("l", 0, "x") is True
    assert redis.linsert("l", "before", "b", "y") == 7
    assert redis.linsert("l", "AFTER", "absent", "y") == -1
    assert redis.lrem("l", 1, "b") == 1
    assert redis.ltrim("l", 0, 3) is True
    assert redis.lrange("l", 0, -1) == texts(redis, "xyca")


def test_positions(redis: Redis[Any]) -> None:
    """
    One place or several.
    """
    redis.rpush("l", list("abcabc"))

    assert redis.lpos("l", "b") == 1
    assert redis.lpos("l", "b", rank=-1) == 4
    assert redis.lpos("l", "b", count=0) == [1, 4]
    assert redis.lpos("l", "c", count=0, maxlen=3) == [2]
    assert redis.lpos("l", "x") is None
    assert redis.lpos("l", "x", count=1) == []


def test_moving(redis: Redis[Any]) -> None:
    """
    From list to list, and from the first list that has something.
    """
    redis.rpush("l", list("abc"))

    assert redis.lmove("l", "m", "LEFT", "RIGHT") == text(redis, "a")
    assert redis.lmove("absent", "m", "left", "right") is None
    assert redis.blmove("l", "m", "right", "left", 1) == text(redis, "c")
    assert redis.lrange("m", 0, -1) == texts(redis, "ca")
    assert redis.lmpop(["absent", "m"], "left", 5) == (text(redis, "m"), texts(redis, "ca"))
    assert redis.lmpop(["absent"], "right") is None
    assert redis.blmpop(["absent", "l"], 1, "right") == (text(redis, "l"), texts(redis, "b"))


def test_blocking_with_something_there(redis: Redis[Any]) -> None:
    """
    What is there is returned at once, with the key it came from.
    """
    redis.rpush("l", list("ab"))

    assert redis.blpop(["absent", "l"], 0) == (text(redis, "l"), text(redis, "a"))
    assert redis.brpop("l", 0.5) == (text(redis, "l"), text(redis, "b"))


def test_blocking_in_vain(redis: Redis[Any]) -> None:
    """
    None says that the time ran out.
    """
    assert redis.blpop("l", 0.01) is None
    assert redis.brpop("l", 0.01) is None
    assert redis.blmove("l", "m", "left", "left", 0.01) is None
    assert redis.blmpop(["l"], 0.01, "left") is None


@pytest.mark.parametrize("timeout", [0, 20])
def test_waiting(client: Redis[bytes], timeout: int) -> None:
    """
    The client goes on with other things while one call waits.
    """
    waiting = spawn(lambda: client.blpop(["a", "b"], timeout))
    sleep(0.1)
    assert not waiting.done
    client.rpush("b", "x")

    assert waiting.join() == (b"b", b"x")
