# Generated from tests/_async/test_commands_connection.py by scripts/generate.py: edit that file, not this one.
"""
Commands about connections on real servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.exceptions import CommandNotSupportedError, ResponseError, UnblockedError
from tests.support.blocking import Redis, connect, sleep, spawn, text
from tests.support.servers import Server


def blocked(client: Redis[bytes]) -> int:
    """
    Wait for a connection that is blocked in BLPOP, and give its number.
    """
    while True:
        for connection in client.client_list():
            if connection["cmd"] == "blpop" and "b" in connection["flags"]:
                return connection["id"]
        sleep(0.01)


def test_ping_and_echo(redis: Redis[Any]) -> None:
    """
    Text follows the decoding of the client.
    """
    assert redis.ping() == text(redis, "PONG")
    assert redis.ping("hello") == text(redis, "hello")
    assert redis.echo("") == text(redis, "")
    assert redis.echo(b"hello") == text(redis, "hello")


def test_names(redis: Redis[Any]) -> None:
    """
    A connection has a name, which its description shows.
    """
    assert redis.client_getname() is None
    assert redis.client_setname("7") is True
    assert redis.client_getname() == text(redis, "7")

    described = redis.client_info()
    assert described["name"] == "7"
    assert described["id"] == redis.client_id()
    assert described["db"] == 0
    assert described["cmd"] == "client|info"
    assert (redis.client_list(identifiers=[described["id"]]))[0]["name"] == "7"
    assert described["id"] in {connection["id"] for connection in redis.client_list("normal")}
    assert redis.client_list("pubsub") == ()


def test_library(redis: Redis[Any], server: Server) -> None:
    """
    The library is shown where the server keeps it, or the version that does is named.
    """
    if server.program.satisfies("redis-7.2") or server.program.satisfies("valkey-7.2"):
        assert redis.client_setinfo(lib_name="other") is True
        assert redis.client_setinfo(lib_ver="7") is True
        described = redis.client_info()
        assert (described["lib-name"], described["lib-ver"]) == ("other", "7")
    else:
        with pytest.raises(CommandNotSupportedError, match=r"CLIENT SETINFO needs Redis 7\.2"):
            redis.client_setinfo(lib_name="other")


def test_no_evict(redis: Redis[Any]) -> None:
    """
    Protection is switched on and off.
    """
    assert redis.client_no_evict(True) is True
    assert "e" in (redis.client_info())["flags"]
    assert redis.client_no_evict("OFF") is True


def test_kill(client: Redis[bytes], server: Server) -> None:
    """
    Connections are closed by what is known of them.
    """
    with connect(server, client_name="victim") as victim:
        number = victim.client_id()
        (address,) = [item["addr"] for item in client.client_list() if item["id"] == number]

        assert client.client_kill(identifier=10**9) == 0
        assert client.client_kill(identifier=number, addr=address, type_="NORMAL", user="default") == 1
        assert number not in {item["id"] for item in client.client_list()}
        assert client.client_kill(type_="pubsub") == 0


def test_kill_by_age(client: Redis[bytes], server: Server) -> None:
    """
    Age is a filter of later servers.
    """
    if server.program.satisfies("redis-7.4") or server.program.satisfies("valkey-8.0"):
        assert client.client_kill(maxage=10**6) == 0
    else:
        with pytest.raises(CommandNotSupportedError, match=r"CLIENT KILL MAXAGE needs Redis 7\.4"):
            client.client_kill(maxage=10**6)


def test_unblock(client: Redis[bytes]) -> None:
    """
    A blocked call ends as if its time had run out, or with an error.
    """
    waiting = spawn(lambda: client.blpop("l", 0))
    assert client.client_unblock(blocked(client)) is True
    assert waiting.join() is None

    waiting = spawn(lambda: client.blpop("l", 0))
    assert client.client_unblock(blocked(client), "ERROR") is True
    with pytest.raises(UnblockedError):
        waiting.join()

    assert client.client_unblock(10**9) is False


def test_pause(client: Redis[bytes], server: Server) -> None:
    """
    While writes are paused a write waits; the end of the pause lets it go on.
    """
    with connect(server) as other:
        assert other.client_pause(20_000, "WRITE") is True
        waiting = spawn(lambda: client.set("k", 1))
        sleep(0.1)
        assert not waiting.done

        assert other.client_unpause() is True
        assert waiting.join() is True


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
def test_what_would_change_the_connection(client: Redis[bytes], words: tuple[Any, ...]) -> None:
    """
    What others share is not changed by one caller.
    """
    with pytest.raises(ValueError, match="connection"):
        client.execute_command(*words)
    assert client.ping() == b"PONG"


def test_word_by_word(redis: Redis[Any]) -> None:
    """
    Any other command goes word by word.
    """
    redis.execute_command("HSET", "h", "f", 1)

    assert redis.execute_command(b"HGET", "h", "f") == text(redis, "1")
    assert redis.execute_command("hgetall", "h") in (
        {text(redis, "f"): text(redis, "1")},
        [text(redis, "f"), text(redis, "1")],
    )
    with pytest.raises(ResponseError):
        redis.execute_command("GET")
