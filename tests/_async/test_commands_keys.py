"""
Commands about keys of any type on real servers.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError, ResponseError
from tests.support.aio import Redis, text
from tests.support.servers import Server, requires

MOMENT = datetime(2100, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


async def test_presence(redis: Redis[Any]) -> None:
    """
    Keys are counted, touched and deleted.
    """
    await redis.mset({"a": 1, "b": 2, "c": 3})

    assert await redis.exists(["a", "a", "absent"]) == 2
    assert await redis.touch(["a", "absent"]) == 1
    assert await redis.delete(["a", "absent"]) == 1
    assert await redis.unlink(iter(["b", "c"])) == 2
    assert await redis.dbsize() == 0
    assert await redis.randomkey() is None


async def test_expiry(redis: Redis[Any]) -> None:
    """
    A key's end is set, asked for and taken away.
    """
    await redis.set("k", 1)
    assert await redis.ttl("k") == -1
    assert await redis.expiretime("k") is None
    assert await redis.pexpiretime("absent") is None
    assert await redis.pttl("absent") == -2

    assert await redis.expire("k", timedelta(minutes=1)) is True
    assert 50 < await redis.ttl("k") <= 60
    assert await redis.pexpire("k", 120_000, "GT") is True
    assert 110_000 < await redis.pttl("k") <= 120_000
    assert await redis.expire("k", 300, "LT") is False
    assert await redis.expireat("k", MOMENT, "XX") is True
    assert await redis.expiretime("k") == MOMENT.replace(microsecond=0)
    assert await redis.pexpireat("k", MOMENT, "NX") is False
    assert await redis.pexpireat("k", MOMENT) is True
    assert await redis.pexpiretime("k") == MOMENT
    assert await redis.persist("k") is True
    assert await redis.persist("k") is False
    assert await redis.expire("absent", 1) is False
    assert await redis.expire("k", -1) is True
    assert await redis.exists("k") == 0


async def test_names(redis: Redis[Any]) -> None:
    """
    Keys are renamed, copied and listed.
    """
    await redis.set("a", 1)
    assert await redis.rename("a", "b") is True
    assert await redis.renamenx("b", "c") is True
    assert await redis.copy("c", "d") is True
    assert await redis.copy("c", "d") is False
    assert await redis.copy("c", "d", replace=True) is True
    assert await redis.renamenx("c", "d") is False
    assert await redis.keys() == {text(redis, "c"), text(redis, "d")}
    assert await redis.keys("d*") == {text(redis, "d")}
    assert await redis.randomkey() in {text(redis, "c"), text(redis, "d")}
    with pytest.raises(ResponseError, match="no such key"):
        await redis.rename("absent", "x")


async def test_type(redis: Redis[Any]) -> None:
    """
    The type is text, of nothing too.
    """
    await redis.xadd("s", {"f": "v"})
    await redis.zadd("z", {"m": 1})

    assert await redis.type("s") == text(redis, "stream")
    assert await redis.type("z") == text(redis, "zset")
    assert await redis.type("absent") == text(redis, "none")


async def test_dump_and_restore(redis: Redis[Any]) -> None:
    """
    A dump is bytes whatever is decoded, and goes back as it is.
    """
    await redis.rpush("a", ["1", "2"])
    dumped = await redis.dump("a")

    assert isinstance(dumped, bytes)
    assert await redis.dump("absent") is None
    assert await redis.restore("b", 0, dumped) is True
    assert await redis.lrange("b", 0, -1) == await redis.lrange("a", 0, -1)
    with pytest.raises(ResponseError, match="BUSYKEY"):
        await redis.restore("b", 0, dumped)
    assert await redis.restore("b", MOMENT, dumped, replace=True, idletime=5) is True
    assert await redis.pexpiretime("b") == MOMENT
    assert await redis.restore("c", timedelta(minutes=1), dumped, freq=3) is True
    assert 50 < await redis.ttl("c") <= 60


async def test_objects(redis: Redis[Any]) -> None:
    """
    What the server tells of a value.
    """
    await redis.set("k", 12345)

    assert await redis.object_encoding("k") == text(redis, "int")
    assert await redis.object_encoding("absent") is None
    assert await redis.object_idletime("k") == 0
    assert await redis.object_idletime("absent") is None
    assert await redis.object_refcount("k") is not None
    await redis.config_set({"maxmemory-policy": "allkeys-lfu"})
    await redis.set("k", "again")
    assert (await redis.object_freq("k") or 0) > 0


async def test_scan(redis: Redis[Any]) -> None:
    """
    Pages have a cursor; the last one is 0.
    """
    await redis.mset({f"key:{number}": number for number in range(25)})
    await redis.xadd("stream", {"f": "v"})

    found: list[str | bytes] = []
    cursor, page = await redis.scan(match="key:*", count=10)
    found.extend(page)
    while cursor:
        cursor, page = await redis.scan(cursor, "key:*", 10)
        found.extend(page)

    assert set(found) == {text(redis, f"key:{number}") for number in range(25)}
    assert await redis.scan(type_="stream", count=1000) == (0, (text(redis, "stream"),))


async def test_wait(redis: Redis[Any]) -> None:
    """
    Without replicas there is nobody to wait for.
    """
    assert await redis.wait(0, 0) == 0
    assert await redis.wait(1, 20) == 0


async def test_waitaof(redis: Redis[Any], server: Server) -> None:
    """
    Without replicas and an append-only file there is nothing to wait for.
    """
    requires(server, "redis-7.2", "valkey-7.2", feature="WAITAOF")

    assert await redis.waitaof(0, 0, 20) == (0, 0)


async def test_waitaof_on_an_old_server(redis: Redis[Any], server: Server) -> None:
    """
    A server without it is told by the version that has it.
    """
    if server.program.satisfies("redis-7.2") or server.program.satisfies("valkey-7.2"):
        pytest.skip(f"{server.identifier} has WAITAOF")

    with pytest.raises(CommandNotSupportedError, match=r"WAITAOF needs Redis 7\.2"):
        await redis.waitaof(0, 0, 20)


async def test_wrong_arguments(client: Redis[bytes]) -> None:
    """
    A wrong argument fails at once and harms no other call.
    """
    with pytest.raises(ValueError, match="keys"):
        await client.delete([])
    with pytest.raises(TypeError):
        await client.get(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="finite"):
        await client.set("k", math.nan)
    assert await client.ping() == b"PONG"
