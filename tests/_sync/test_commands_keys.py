# Generated from tests/_async/test_commands_keys.py by scripts/generate.py: edit that file, not this one.
"""
Commands about keys of any type on real servers.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError, ResponseError
from tests.support.blocking import Redis, text
from tests.support.servers import Server, requires

MOMENT = datetime(2100, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def test_presence(redis: Redis[Any]) -> None:
    """
    Keys are counted, touched and deleted.
    """
    redis.mset({"a": 1, "b": 2, "c": 3})

    assert redis.exists(["a", "a", "absent"]) == 2
    assert redis.touch(["a", "absent"]) == 1
    assert redis.delete(["a", "absent"]) == 1
    assert redis.unlink(iter(["b", "c"])) == 2
    assert redis.dbsize() == 0
    assert redis.randomkey() is None


def test_expiry(redis: Redis[Any]) -> None:
    """
    A key's end is set, asked for and taken away.
    """
    redis.set("k", 1)
    assert redis.ttl("k") == -1
    assert redis.expiretime("k") is None
    assert redis.pexpiretime("absent") is None
    assert redis.pttl("absent") == -2

    assert redis.expire("k", timedelta(minutes=1)) is True
    assert 50 < redis.ttl("k") <= 60
    assert redis.pexpire("k", 120_000, "GT") is True
    assert 110_000 < redis.pttl("k") <= 120_000
    assert redis.expire("k", 300, "LT") is False
    assert redis.expireat("k", MOMENT, "XX") is True
    assert redis.expiretime("k") == MOMENT.replace(microsecond=0)
    assert redis.pexpireat("k", MOMENT, "NX") is False
    assert redis.pexpireat("k", MOMENT) is True
    assert redis.pexpiretime("k") == MOMENT
    assert redis.persist("k") is True
    assert redis.persist("k") is False
    assert redis.expire("absent", 1) is False
    assert redis.expire("k", -1) is True
    assert redis.exists("k") == 0


def test_names(redis: Redis[Any]) -> None:
    """
    Keys are renamed, copied and listed.
    """
    redis.set("a", 1)
    assert redis.rename("a", "b") is True
    assert redis.renamenx("b", "c") is True
    assert redis.copy("c", "d") is True
    assert redis.copy("c", "d") is False
    assert redis.copy("c", "d", replace=True) is True
    assert redis.renamenx("c", "d") is False
    assert redis.keys() == {text(redis, "c"), text(redis, "d")}
    assert redis.keys("d*") == {text(redis, "d")}
    assert redis.randomkey() in {text(redis, "c"), text(redis, "d")}
    with pytest.raises(ResponseError, match="no such key"):
        redis.rename("absent", "x")


def test_type(redis: Redis[Any]) -> None:
    """
    The type is text, of nothing too.
    """
    redis.xadd("s", {"f": "v"})
    redis.zadd("z", {"m": 1})

    assert redis.type("s") == text(redis, "stream")
    assert redis.type("z") == text(redis, "zset")
    assert redis.type("absent") == text(redis, "none")


def test_dump_and_restore(redis: Redis[Any]) -> None:
    """
    A dump is bytes whatever is decoded, and goes back as it is.
    """
    redis.rpush("a", ["1", "2"])
    dumped = redis.dump("a")

    assert isinstance(dumped, bytes)
    assert redis.dump("absent") is None
    assert redis.restore("b", 0, dumped) is True
    assert redis.lrange("b", 0, -1) == redis.lrange("a", 0, -1)
    with pytest.raises(ResponseError, match="BUSYKEY"):
        redis.restore("b", 0, dumped)
    assert redis.restore("b", MOMENT, dumped, replace=True, idletime=5) is True
    assert redis.pexpiretime("b") == MOMENT
    assert redis.restore("c", timedelta(minutes=1), dumped, freq=3) is True
    assert 50 < redis.ttl("c") <= 60


def test_objects(redis: Redis[Any]) -> None:
    """
    What the server tells of a value.
    """
    redis.set("k", 12345)

    assert redis.object_encoding("k") == text(redis, "int")
    assert redis.object_encoding("absent") is None
    assert redis.object_idletime("k") == 0
    assert redis.object_idletime("absent") is None
    assert redis.object_refcount("k") is not None
    redis.config_set({"maxmemory-policy": "allkeys-lfu"})
    redis.set("k", "again")
    assert (redis.object_freq("k") or 0) > 0


def test_scan(redis: Redis[Any]) -> None:
    """
    Pages have a cursor; the last one is 0.
    """
    redis.mset({f"key:{number}": number for number in range(25)})
    redis.xadd("stream", {"f": "v"})

    found: list[str | bytes] = []
    cursor, page = redis.scan(match="key:*", count=10)
    found.extend(page)
    while cursor:
        cursor, page = redis.scan(cursor, "key:*", 10)
        found.extend(page)

    assert set(found) == {text(redis, f"key:{number}") for number in range(25)}
    assert redis.scan(type_="stream", count=1000) == (0, (text(redis, "stream"),))


def test_wait(redis: Redis[Any]) -> None:
    """
    Without replicas there is nobody to wait for.
    """
    assert redis.wait(0, 0) == 0
    assert redis.wait(1, 20) == 0


def test_waitaof(redis: Redis[Any], server: Server) -> None:
    """
    Without replicas and an append-only file there is nothing to wait for.
    """
    requires(server, "redis-7.2", "valkey-7.2", feature="WAITAOF")

    assert redis.waitaof(0, 0, 20) == (0, 0)


def test_waitaof_on_an_old_server(redis: Redis[Any], server: Server) -> None:
    """
    A server without it is told by the version that has it.
    """
    if server.program.satisfies("redis-7.2") or server.program.satisfies("valkey-7.2"):
        pytest.skip(f"{server.identifier} has WAITAOF")

    with pytest.raises(CommandNotSupportedError, match=r"WAITAOF needs Redis 7\.2"):
        redis.waitaof(0, 0, 20)


def test_wrong_arguments(client: Redis[bytes]) -> None:
    """
    A wrong argument fails at once and harms no other call.
    """
    with pytest.raises(ValueError, match="keys"):
        client.delete([])
    with pytest.raises(TypeError):
        client.get(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="finite"):
        client.set("k", math.nan)
    assert client.ping() == b"PONG"
