"""
Commands about connections on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError, ResponseError, UnblockedError
from tests.support.aio import Redis, connect, sleep, spawn, text
from tests.support.servers import Server


async def blocked(client: Redis[bytes]) -> int:
    """
    Wait for a connection that is blocked in BLPOP, and give its number.
    """
    while True:
        for connection in await client.client_list():
            if connection["cmd"] == "blpop" and "b" in connection["flags"]:
                return connection["id"]
        await sleep(0.01)


async def test_ping_and_echo(redis: Redis[Any]) -> None:
    """
    Text follows the decoding of the client.
    """
    assert await redis.ping() == text(redis, "PONG")
    assert await redis.ping("hello") == text(redis, "hello")
    assert await redis.echo("") == text(redis, "")
    assert await redis.echo(b"hello") == text(redis, "hello")


async def test_names(redis: Redis[Any]) -> None:
    """
    A connection has a name, which its description shows.
    """
    assert await redis.client_getname() is None
    assert await redis.client_setname("7") is True
    assert await redis.client_getname() == text(redis, "7")

    described = await redis.client_info()
    assert described["name"] == "7"
    assert described["id"] == await redis.client_id()
    assert described["db"] == 0
    assert described["cmd"] == "client|info"
    assert (await redis.client_list(identifiers=[described["id"]]))[0]["name"] == "7"
    assert described["id"] in {connection["id"] for connection in await redis.client_list("normal")}
    assert await redis.client_list("pubsub") == ()


async def test_library(redis: Redis[Any], server: Server) -> None:
    """
    The library is shown where the server keeps it, or the version that does is named.
    """
    if server.program.satisfies("redis-7.2") or server.program.satisfies("valkey-7.2"):
        assert await redis.client_setinfo(lib_name="other") is True
        assert await redis.client_setinfo(lib_ver="7") is True
        described = await redis.client_info()
        assert (described["lib-name"], described["lib-ver"]) == ("other", "7")
    else:
        with pytest.raises(CommandNotSupportedError, match=r"CLIENT SETINFO needs Redis 7\.2"):
            await redis.client_setinfo(lib_name="other")


async def test_no_evict(redis: Redis[Any]) -> None:
    """
    Protection is switched on and off.
    """
    assert await redis.client_no_evict(True) is True
    assert "e" in (await redis.client_info())["flags"]
    assert await redis.client_no_evict("OFF") is True


async def test_kill(client: Redis[bytes], server: Server) -> None:
    """
    Connections are closed by what is known of them.
    """
    async with connect(server, client_name="victim") as victim:
        number = await victim.client_id()
        (address,) = [item["addr"] for item in await client.client_list() if item["id"] == number]

        assert await client.client_kill(identifier=10**9) == 0
        assert await client.client_kill(identifier=number, addr=address, type_="NORMAL", user="default") == 1
        assert number not in {item["id"] for item in await client.client_list()}
        assert await client.client_kill(type_="pubsub") == 0


async def test_kill_by_age(client: Redis[bytes], server: Server) -> None:
    """
    Age is a filter of later servers.
    """
    if server.program.satisfies("redis-7.4") or server.program.satisfies("valkey-8.0"):
        assert await client.client_kill(maxage=10**6) == 0
    else:
        with pytest.raises(CommandNotSupportedError, match=r"CLIENT KILL MAXAGE needs Redis 7\.4"):
            await client.client_kill(maxage=10**6)


async def test_unblock(client: Redis[bytes]) -> None:
    """
    A blocked call ends as if its time had run out, or with an error.
    """
    waiting = spawn(lambda: client.blpop("l", 0))
    assert await client.client_unblock(await blocked(client)) is True
    assert await waiting.join() is None

    waiting = spawn(lambda: client.blpop("l", 0))
    assert await client.client_unblock(await blocked(client), "ERROR") is True
    with pytest.raises(UnblockedError):
        await waiting.join()

    assert await client.client_unblock(10**9) is False


async def test_pause(client: Redis[bytes], server: Server) -> None:
    """
    While writes are paused a write waits; the end of the pause lets it go on.
    """
    async with connect(server) as other:
        assert await other.client_pause(20_000, "WRITE") is True
        waiting = spawn(lambda: client.set("k", 1))
        await sleep(0.1)
        assert not waiting.done

        assert await other.client_unpause() is True
        assert await waiting.join() is True


@pytest.mark.parametrize(
    "words",
    [
        ("SELECT", 1),
        ("auth", "x"),
        (b"HELLO", 2),
        ("MULTI",),
        ("CLIENT", "REPLY", "OFF"),
        ("subscribe", "c"),
        ("QUIT",),
    ],
    ids=str,
)
async def test_what_would_change_the_connection(client: Redis[bytes], words: tuple[Any, ...]) -> None:
    """
    What others share is not changed by one caller.
    """
    with pytest.raises(ValueError, match="connection"):
        await client.execute_command(*words)
    assert await client.ping() == b"PONG"


async def test_word_by_word(redis: Redis[Any]) -> None:
    """
    Any other command goes word by word.
    """
    await redis.execute_command("HSET", "h", "f", 1)

    assert await redis.execute_command(b"HGET", "h", "f") == text(redis, "1")
    assert await redis.execute_command("hgetall", "h") in (
        {text(redis, "f"): text(redis, "1")},
        [text(redis, "f"), text(redis, "1")],
    )
    with pytest.raises(ResponseError):
        await redis.execute_command("GET")
