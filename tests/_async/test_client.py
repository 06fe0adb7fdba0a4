"""
How commands are executed: arguments and replies, blocking beside ordinary commands, time limits, late replies.
"""

from __future__ import annotations

import builtins
import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from coredis import RetryPolicy
from coredis.exceptions import (
    BusyError,
    InvalidResponse,
    RedisError,
    ReplyError,
    RequestTimeoutError,
    ResponseError,
    UnknownCommandError,
    WrongTypeError,
)
from tests.support.aio import Redis, connect, gather, sleep, spawn, text
from tests.support.proxy import FaultProxy
from tests.support.resp import encode_command
from tests.support.scripted import Late, ScriptedServer
from tests.support.servers import Server

AT_ONCE = RetryPolicy(retries=0)
NASTY = b"\x00\r\n*1\r\n$8\r\nFLUSHALL\r\n"


class TestArguments:
    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            ("text", b"text"),
            ("ä€😀", "ä€😀".encode()),
            ("", b""),
            (b"\xff\x00\r\n", b"\xff\x00\r\n"),
            (bytearray(b"abc"), b"abc"),
            (memoryview(b"xabcx")[1:4], b"abc"),
            (memoryview(b"abcdef")[::2], b"ace"),
            (0, b"0"),
            (-1, b"-1"),
            (2**70, str(2**70).encode()),
            (0.1 + 0.2, b"0.30000000000000004"),
            (1e300, b"1e+300"),
            (-0.0, b"-0.0"),
            (NASTY, NASTY),
        ],
    )
    async def test_accepted(self, client: Redis[bytes], value: Any, stored: bytes) -> None:
        """
        Text, bytes and numbers are stored as they are, whatever is in them.
        """
        await client.set("k", value)

        assert stored == await client.get("k")

    @pytest.mark.parametrize(
        "value", [None, True, False, [], ["a"], {}, object(), 1j, Decimal("1.5"), datetime(2024, 1, 1)]
    )
    async def test_refused(self, client: Redis[bytes], value: Any) -> None:
        """
        Anything else is a TypeError that names the argument.
        """
        with pytest.raises(TypeError, match=r"words\[1\] of 'ECHO'"):
            await client.execute_command("ECHO", value)
        with pytest.raises(TypeError, match="value of 'SET'"):
            await client.set("k", value)

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    async def test_not_finite(self, client: Redis[bytes], value: float) -> None:
        """
        What is not a number is not sent as one.
        """
        with pytest.raises(ValueError, match="finite"):
            await client.set("k", value)

    async def test_errors_stay_with_their_call(self, server: Server, proxy: FaultProxy) -> None:
        """
        Bad values among many good calls fail their own calls only, and nothing of them is sent.
        """
        async with connect(proxy) as client:
            await client.ping()
            before = len(proxy.connections[0].received)
            for bad in ("\ud800", None, object(), math.nan):
                with pytest.raises((TypeError, ValueError)):
                    await client.set("k", bad)
                with pytest.raises((TypeError, ValueError)):
                    await client.execute_command("SET", "k", bad)
            assert before == len(proxy.connections[0].received)

            async def good(number: int) -> bytes:
                return await client.echo(str(number))

            async def bad(number: int) -> bytes:
                with pytest.raises((TypeError, ValueError)):
                    await client.set("bad", ["\ud800", None, object(), math.inf][number % 4])
                return b"refused"

            calls = [
                (lambda number=number: good(number)) if number % 5 else (lambda number=number: bad(number))
                for number in range(50)
            ]
            results = await gather(*calls)

        assert [str(number).encode() if number % 5 else b"refused" for number in range(50)] == results
        assert not [words for words in proxy.commands if b"bad" in words]


class TestReplies:
    async def test_nothing_is_mixed_up(self, redis: Redis[Any]) -> None:
        """
        Many callers at once get each their own reply.
        """

        async def call(number: int) -> bool:
            for turn in range(20):
                nonce = f"{number}-{turn}"
                if text(redis, nonce) != await redis.echo(nonce):
                    return False
            return True

        assert all(await gather(*[lambda number=number: call(number) for number in range(20)]))

    async def test_large_values(self, redis: Redis[Any]) -> None:
        """
        Values larger than any buffer go and come whole.
        """
        value = "0123456789abcdef" * 200_000

        await redis.set("k", value)

        assert text(redis, value) == await redis.get("k")

    async def test_undecodable(self, redis: Redis[Any]) -> None:
        """
        What is not text stays bytes.
        """
        await redis.hset("h", {"good": "text", "bad": b"\xff\xfe"})

        assert {text(redis, "good"): text(redis, "text"), text(redis, "bad"): b"\xff\xfe"} == await redis.hgetall("h")

    async def test_errors(self, redis: Redis[Any]) -> None:
        """
        An error is of the class of its cause and has its code; the connection is none the worse.
        """
        await redis.set("k", "v")

        with pytest.raises(WrongTypeError) as wrong:
            await redis.xlen("k")
        with pytest.raises(UnknownCommandError):
            await redis.execute_command("NONSENSE")
        with pytest.raises(ResponseError, match="integer") as other:
            await redis.incr("k")

        assert ("WRONGTYPE", "ERR") == (wrong.value.code, other.value.code)
        assert isinstance(wrong.value, ReplyError) and isinstance(wrong.value, RedisError)
        assert text(redis, "v") == await redis.get("k")

    async def test_unexpected_shape(self) -> None:
        """
        A reply that makes no sense is not passed on, and its content not repeated.
        """
        with ScriptedServer([b"+secret\r\n", b"*1\r\n:1\r\n", b":7\r\n"]) as server:
            async with connect(server) as client:
                with pytest.raises(InvalidResponse) as caught:
                    await client.xlen("s")
                with pytest.raises(InvalidResponse):
                    await client.hgetall("h")
                assert 7 == await client.xlen("s")

        assert "secret" not in str(caught.value)


class TestExecuteCommand:
    async def test_words(self, redis: Redis[Any]) -> None:
        """
        Any command, word by word; the reply is as the server sent it, decoded where text is.
        """
        assert text(redis, "OK") == await redis.execute_command("SET", "k", "v")
        assert text(redis, "v") == await redis.execute_command(b"GET", b"k")
        assert 1 == await redis.execute_command("object", "refcount", "k")
        assert None is await redis.execute_command("GET", "absent")
        assert [text(redis, "v"), None] == await redis.execute_command("MGET", "k", "absent")

    @pytest.mark.parametrize(
        "words",
        [
            ("SELECT", 1),
            ("select", "1"),
            (b"SELECT", b"1"),
            (bytearray(b"MULTI"),),
            (memoryview(b"multi"),),
            ("MULTI",),
            ("EXEC",),
            ("WATCH", "k"),
            ("HELLO", 2),
            ("AUTH", "x"),
            ("MONITOR",),
            ("SUBSCRIBE", "c"),
            ("RESET",),
            ("QUIT",),
            ("READONLY",),
            ("CLIENT", "REPLY", "OFF"),
            ("client", b"reply", "skip"),
            ("CLIENT", "TRACKING", "ON"),
            ("CLIENT REPLY", "OFF"),
            ("SYNC",),
        ],
    )
    async def test_connection_state(self, client: Redis[bytes], words: tuple[Any, ...]) -> None:
        """
        What would change a connection that others share is refused.
        """
        with pytest.raises(ValueError):
            await client.execute_command(*words)

        assert b"PONG" == await client.ping()

    async def test_no_words(self, client: Redis[bytes]) -> None:
        """
        No word is no command, and words are not taken apart.
        """
        with pytest.raises(ValueError, match="expected a command"):
            await client.execute_command()
        with pytest.raises(ValueError, match="one by one"):
            await client.execute_command("SET k v")

    @pytest.mark.parametrize(
        "words",
        [
            ("BLPOP", "absent", 0.5),
            (b"blpop", b"absent", b"0.5"),
            (bytearray(b"BLPOP"), "absent", 0.5),
            ("XREAD", "COUNT", 1, "BLOCK", 500, "STREAMS", "absent", "$"),
            ("xread", bytearray(b"block"), 500, "streams", "absent", "$"),
            ("WAIT", 1, 500),
        ],
    )
    async def test_blocking(self, server: Server, words: tuple[Any, ...]) -> None:
        """
        A blocking command is known for one: it disturbs nobody and has the time it asks for.
        """
        async with connect(server, stream_timeout=0.25, retry_policy=AT_ONCE) as client:
            waiting = spawn(lambda: client.execute_command(*words))
            await sleep(0.02)
            for _ in range(5):
                assert b"PONG" == await client.ping()
            assert await waiting.join() in (None, 0)


class TestBlocking:
    async def test_undisturbed(self, client: Redis[bytes]) -> None:
        """
        Ordinary commands go on while others block, each on a connection of its own.
        """
        waiting = [
            spawn(lambda: client.blpop(["list"], timeout=20)),
            spawn(lambda: client.xread({"stream": "$"}, block=20_000)),
            spawn(lambda: client.blpop(["other"], timeout=0)),
        ]
        await until_blocked(client, 3)

        await client.rpush("list", ["1"])
        await client.xadd("stream", {"f": "2"}, identifier="1-0")
        await client.rpush("other", ["3"])

        assert (b"list", b"1") == await waiting[0].join()
        assert [b"stream"] == [*await waiting[1].join()]
        assert (b"other", b"3") == await waiting[2].join()

    async def test_without_time_limit(self, server: Server) -> None:
        """
        The time limit of ordinary commands is not one of blocking commands.
        """
        async with connect(server, stream_timeout=0.05) as client:
            assert None is await client.blpop(["absent"], timeout=0.25)
            assert None is await client.xread({"absent": "$"}, block=250)
            waiting = spawn(lambda: client.blpop(["list"], timeout=0))
            await sleep(0.25)
            server.command("RPUSH", "list", "1")
            assert (b"list", b"1") == await waiting.join()

    async def test_lost_server(self, proxy: FaultProxy) -> None:
        """
        A blocking command that is not answered when it should be ends soon afterwards.
        """
        async with connect(proxy, stream_timeout=0.1, retry_policy=AT_ONCE) as client:
            await client.ping()
            proxy.blackhole()
            with pytest.raises((RequestTimeoutError, RedisError)):
                await client.blpop(["absent"], timeout=0.1)
            proxy.heal()
            proxy.reset_all()


class TestTimeLimits:
    @pytest.mark.parametrize("cause", ["sleep", "pause"])
    async def test_slow_server(self, server: Server, cause: str) -> None:
        """
        No reply in time is an error that is a TimeoutError too; the reply that comes late reaches nobody.
        """
        async with connect(server, stream_timeout=0.15, retry_policy=AT_ONCE) as client:
            assert b"first" == await client.echo("first")
            busy = spawn(lambda: slow_down(server, cause))
            await sleep(0.05)
            with pytest.raises(RequestTimeoutError) as caught:
                await client.set("late", "x")
            assert isinstance(caught.value, builtins.TimeoutError)
            assert caught.value.may_have_run
            with pytest.raises(builtins.TimeoutError):
                await client.set("late", "y")
            await busy.join()
            for number in range(20):
                nonce = f"after-{number}"
                assert nonce.encode() == await client.echo(nonce)

    async def test_late_replies(self) -> None:
        """
        However late it comes, a reply never becomes that of a later command.
        """

        def answer(command: list[bytes]) -> Any:
            if command[0] == b"PING":
                return b"+PONG\r\n"
            reply = b"$%d\r\n%s\r\n" % (len(command[1]), command[1])
            return Late(0.12, reply) if command[1].startswith(b"late") else reply

        with ScriptedServer(answer) as server:
            async with connect(server, stream_timeout=0.05, retry_policy=AT_ONCE) as client:
                for number in range(6):
                    with pytest.raises(RequestTimeoutError) as caught:
                        await client.echo(f"late-{number}")
                    assert caught.value.may_have_run
                    for turn in range(10):
                        nonce = f"{number}-{turn}"
                        assert nonce.encode() == await client.echo(nonce)
                        await sleep(0.005)

    async def test_others_go_on(self) -> None:
        """
        When one caller's time is up, those who have asked later still get their replies in their own time.
        """

        def answer(command: list[bytes]) -> Any:
            if command[0] == b"PING":
                return b"+PONG\r\n"
            return Late(0.35 if command[1] == b"first!" else 0.2, b"$6\r\n%s\r\n" % command[1])

        with ScriptedServer(answer) as server:
            async with connect(server, stream_timeout=0.3, retry_policy=AT_ONCE) as client:
                await client.ping()
                first = spawn(lambda: client.echo("first!"))
                await sleep(0.2)
                second = spawn(lambda: client.echo("second"))
                with pytest.raises(RequestTimeoutError):
                    await first.join()
                assert b"second" == await second.join()
                assert b"PONG" == await client.ping()

    async def test_no_limit(self) -> None:
        """
        Without a limit a reply may take its time.
        """
        with ScriptedServer([Late(0.2, b"+PONG\r\n")]) as server:
            async with connect(server, stream_timeout=None, pool_timeout=None, connect_timeout=None) as client:
                assert b"PONG" == await client.ping()

    async def test_busy_script(self, server: Server) -> None:
        """
        A server busy with a script refuses for as long as that takes; the command is tried until then.
        """
        server.command("CONFIG", "SET", "busy-reply-threshold", "1")
        async with connect(server, stream_timeout=5) as client, connect(server, stream_timeout=0.2) as hasty:
            await client.ping()
            await hasty.ping()
            with server.connect() as connection:
                connection.send(encode_command("EVAL", "while true do end", 0))
                await sleep(0.05)
                with pytest.raises((BusyError, RequestTimeoutError)):  # whichever is last when the time is up
                    await hasty.incr("n")
                waiting = spawn(lambda: client.incr("n"))
                await sleep(0.05)
                server.command("SCRIPT", "KILL")
                assert 1 == await waiting.join()


async def slow_down(server: Server, cause: str) -> None:
    """
    Keep the server from answering for half a second.
    """
    async with connect(server, stream_timeout=None) as client:
        if cause == "sleep":
            await client.execute_command("DEBUG", "SLEEP", "0.5")
        else:
            await client.client_pause(500)
            await sleep(0.5)


async def until_blocked(client: Redis[bytes], count: int) -> None:
    """
    Wait until the server says that so many clients of it are blocked.
    """
    for _ in range(2000):
        if (await client.info("clients"))["blocked_clients"] == count:
            return
    raise AssertionError("they are not blocked")
