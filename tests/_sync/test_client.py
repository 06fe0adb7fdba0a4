# Generated from tests/_async/test_client.py by scripts/generate.py: edit that file, not this one.
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

from coredis.sync import RetryPolicy
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
from tests.support.blocking import Redis, connect, gather, sleep, spawn, text
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
    def test_accepted(self, client: Redis[bytes], value: Any, stored: bytes) -> None:
        """
        Text, bytes and numbers are stored as they are, whatever is in them.
        """
        client.set("k", value)

        assert stored == client.get("k")

    @pytest.mark.parametrize(
        "value", [None, True, False, [], ["a"], {}, object(), 1j, Decimal("1.5"), datetime(2024, 1, 1)]
    )
    def test_refused(self, client: Redis[bytes], value: Any) -> None:
        """
        Anything else is a TypeError that names the argument.
        """
        with pytest.raises(TypeError, match=r"words\[1\] of 'ECHO'"):
            client.execute_command("ECHO", value)
        with pytest.raises(TypeError, match="value of 'SET'"):
            client.set("k", value)

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_not_finite(self, client: Redis[bytes], value: float) -> None:
        """
        What is not a number is not sent as one.
        """
        with pytest.raises(ValueError, match="finite"):
            client.set("k", value)

    def test_errors_stay_with_their_call(self, server: Server, proxy: FaultProxy) -> None:
        """
        Bad values among many good calls fail their own calls only, and nothing of them is sent.
        """
        with connect(proxy) as client:
            client.ping()
            before = len(proxy.connections[0].received)
            for bad in ("\ud800", None, object(), math.nan):
                with pytest.raises((TypeError, ValueError)):
                    client.set("k", bad)
                with pytest.raises((TypeError, ValueError)):
                    client.execute_command("SET", "k", bad)
            assert before == len(proxy.connections[0].received)

            def good(number: int) -> bytes:
                return client.echo(str(number))

            def bad(number: int) -> bytes:
                with pytest.raises((TypeError, ValueError)):
                    client.set("bad", ["\ud800", None, object(), math.inf][number % 4])
                return b"refused"

            calls = [
                (lambda number=number: good(number)) if number % 5 else (lambda number=number: bad(number))
                for number in range(50)
            ]
            results = gather(*calls)

        assert [str(number).encode() if number % 5 else b"refused" for number in range(50)] == results
        assert not [words for words in proxy.commands if b"bad" in words]


class TestReplies:
    def test_nothing_is_mixed_up(self, redis: Redis[Any]) -> None:
        """
        Many callers at once get each their own reply.
        """

        def call(number: int) -> bool:
            for turn in range(20):
                nonce = f"{number}-{turn}"
                if text(redis, nonce) != redis.echo(nonce):
                    return False
            return True

        assert all(gather(*[lambda number=number: call(number) for number in range(20)]))

    def test_large_values(self, redis: Redis[Any]) -> None:
        """
        Values larger than any buffer go and come whole.
        """
        value = "0123456789abcdef" * 200_000

        redis.set("k", value)

        assert text(redis, value) == redis.get("k")

    def test_undecodable(self, redis: Redis[Any]) -> None:
        """
        What is not text stays bytes.
        """
        redis.hset("h", {"good": "text", "bad": b"\xff\xfe"})

        assert {text(redis, "good"): text(redis, "text"), text(redis, "bad"): b"\xff\xfe"} == redis.hgetall("h")

    def test_errors(self, redis: Redis[Any]) -> None:
        """
        An error is of the class of its cause and has its code; the connection is none the worse.
        """
        redis.set("k", "v")

        with pytest.raises(WrongTypeError) as wrong:
            redis.xlen("k")
        with pytest.raises(UnknownCommandError):
            redis.execute_command("NONSENSE")
        with pytest.raises(ResponseError, match="integer") as other:
            redis.incr("k")

        assert ("WRONGTYPE", "ERR") == (wrong.value.code, other.value.code)
        assert isinstance(wrong.value, ReplyError) and isinstance(wrong.value, RedisError)
        assert text(redis, "v") == redis.get("k")

    def test_unexpected_shape(self) -> None:
        """
        A reply that makes no sense is not passed on, and its content not repeated.
        """
        with ScriptedServer([b"+secret\r\n", b"*1\r\n:1\r\n", b":7\r\n"]) as server:
            with connect(server) as client:
                with pytest.raises(InvalidResponse) as caught:
                    client.xlen("s")
                with pytest.raises(InvalidResponse):
                    client.hgetall("h")
                assert 7 == client.xlen("s")

        assert "secret" not in str(caught.value)


class TestExecuteCommand:
    def test_words(self, redis: Redis[Any]) -> None:
        """
        Any command, word by word; the reply is as the server sent it, decoded where text is.
        """
        assert text(redis, "OK") == redis.execute_command("SET", "k", "v")
        assert text(redis, "v") == redis.execute_command(b"GET", b"k")
        assert 1 == redis.execute_command("object", "refcount", "k")
        assert None is redis.execute_command("GET", "absent")
        assert [text(redis, "v"), None] == redis.execute_command("MGET", "k", "absent")

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
    def test_connection_state(self, client: Redis[bytes], words: tuple[Any, ...]) -> None:
        """
        What would change a connection that others share is refused.
        """
        with pytest.raises(ValueError):
            client.execute_command(*words)

        assert b"PONG" == client.ping()

    def test_no_words(self, client: Redis[bytes]) -> None:
        """
        No word is no command, and words are not taken apart.
        """
        with pytest.raises(ValueError, match="expected a command"):
            client.execute_command()
        with pytest.raises(ValueError, match="one by one"):
            client.execute_command("SET k v")

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
    def test_blocking(self, server: Server, words: tuple[Any, ...]) -> None:
        """
        A blocking command is known for one: it disturbs nobody and has the time it asks for.
        """
        with connect(server, stream_timeout=0.25, retry_policy=AT_ONCE) as client:
            waiting = spawn(lambda: client.execute_command(*words))
            sleep(0.02)
            for _ in range(5):
                assert b"PONG" == client.ping()
            assert waiting.join() in (None, 0)


class TestBlocking:
    def test_undisturbed(self, client: Redis[bytes]) -> None:
        """
        Ordinary commands go on while others block, each on a connection of its own.
        """
        waiting = [
            spawn(lambda: client.blpop(["list"], timeout=20)),
            spawn(lambda: client.xread({"stream": "$"}, block=20_000)),
            spawn(lambda: client.blpop(["other"], timeout=0)),
        ]
        until_blocked(client, 3)

        client.rpush("list", ["1"])
        client.xadd("stream", {"f": "2"}, identifier="1-0")
        client.rpush("other", ["3"])

        assert (b"list", b"1") == waiting[0].join()
        assert [b"stream"] == [*waiting[1].join()]
        assert (b"other", b"3") == waiting[2].join()

    def test_without_time_limit(self, server: Server) -> None:
        """
        The time limit of ordinary commands is not one of blocking commands.
        """
        with connect(server, stream_timeout=0.05) as client:
            assert None is client.blpop(["absent"], timeout=0.25)
            assert None is client.xread({"absent": "$"}, block=250)
            waiting = spawn(lambda: client.blpop(["list"], timeout=0))
            sleep(0.25)
            server.command("RPUSH", "list", "1")
            assert (b"list", b"1") == waiting.join()

    def test_lost_server(self, proxy: FaultProxy) -> None:
        """
        A blocking command that is not answered when it should be ends soon afterwards.
        """
        with connect(proxy, stream_timeout=0.1, retry_policy=AT_ONCE) as client:
            client.ping()
            proxy.blackhole()
            with pytest.raises((RequestTimeoutError, RedisError)):
                client.blpop(["absent"], timeout=0.1)
            proxy.heal()
            proxy.reset_all()


class TestTimeLimits:
    @pytest.mark.parametrize("cause", ["sleep", "pause"])
    def test_slow_server(self, server: Server, cause: str) -> None:
        """
        No reply in time is an error that is a TimeoutError too; the reply that comes late reaches nobody.
        """
        with connect(server, stream_timeout=0.15, retry_policy=AT_ONCE) as client:
            assert b"first" == client.echo("first")
            busy = spawn(lambda: slow_down(server, cause))
            sleep(0.05)
            with pytest.raises(RequestTimeoutError) as caught:
                client.set("late", "x")
            assert isinstance(caught.value, builtins.TimeoutError)
            assert caught.value.may_have_run
            with pytest.raises(builtins.TimeoutError):
                client.set("late", "y")
            busy.join()
            for number in range(20):
                nonce = f"after-{number}"
                assert nonce.encode() == client.echo(nonce)

    def test_late_replies(self) -> None:
        """
        However late it comes, a reply never becomes that of a later command.
        """

        def answer(command: list[bytes]) -> Any:
            if command[0] == b"PING":
                return b"+PONG\r\n"
            reply = b"$%d\r\n%s\r\n" % (len(command[1]), command[1])
            return Late(0.12, reply) if command[1].startswith(b"late") else reply

        with ScriptedServer(answer) as server:
            with connect(server, stream_timeout=0.05, retry_policy=AT_ONCE) as client:
                for number in range(6):
                    with pytest.raises(RequestTimeoutError) as caught:
                        client.echo(f"late-{number}")
                    assert caught.value.may_have_run
                    for turn in range(10):
                        nonce = f"{number}-{turn}"
                        assert nonce.encode() == client.echo(nonce)
                        sleep(0.005)

    def test_others_go_on(self) -> None:
        """
        When one caller's time is up, those who have asked later still get their replies in their own time.
        """

        def answer(command: list[bytes]) -> Any:
            if command[0] == b"PING":
                return b"+PONG\r\n"
            return Late(0.35 if command[1] == b"first!" else 0.2, b"$6\r\n%s\r\n" % command[1])

        with ScriptedServer(answer) as server:
            with connect(server, stream_timeout=0.3, retry_policy=AT_ONCE) as client:
                client.ping()
                first = spawn(lambda: client.echo("first!"))
                sleep(0.2)
                second = spawn(lambda: client.echo("second"))
                with pytest.raises(RequestTimeoutError):
                    first.join()
                assert b"second" == second.join()
                assert b"PONG" == client.ping()

    def test_no_limit(self) -> None:
        """
        Without a limit a reply may take its time.
        """
        with ScriptedServer([Late(0.2, b"+PONG\r\n")]) as server:
            with connect(server, stream_timeout=None, pool_timeout=None, connect_timeout=None) as client:
                assert b"PONG" == client.ping()

    def test_busy_script(self, server: Server) -> None:
        """
        A server busy with a script refuses for as long as that takes; the command is tried until then.
        """
        server.command("CONFIG", "SET", "busy-reply-threshold", "1")
        with connect(server, stream_timeout=5) as client, connect(server, stream_timeout=0.2) as hasty:
            client.ping()
            hasty.ping()
            with server.connect() as connection:
                connection.send(encode_command("EVAL", "while true do end", 0))
                sleep(0.05)
                with pytest.raises((BusyError, RequestTimeoutError)):  # whichever is last when the time is up
                    hasty.incr("n")
                waiting = spawn(lambda: client.incr("n"))
                sleep(0.05)
                server.command("SCRIPT", "KILL")
                assert 1 == waiting.join()


def slow_down(server: Server, cause: str) -> None:
    """
    Keep the server from answering for half a second.
    """
    with connect(server, stream_timeout=None) as client:
        if cause == "sleep":
            client.execute_command("DEBUG", "SLEEP", "0.5")
        else:
            client.client_pause(500)
            sleep(0.5)


def until_blocked(client: Redis[bytes], count: int) -> None:
    """
    Wait until the server says that so many clients of it are blocked.
    """
    for _ in range(2000):
        if (client.info("clients"))["blocked_clients"] == count:
            return
    raise AssertionError("they are not blocked")
