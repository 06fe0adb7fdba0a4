# Generated from tests/_async/test_retries.py by scripts/generate.py: edit that file, not this one.
"""
What is sent again after a failure, and what never is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis.exceptions import (
    AuthenticationFailureError,
    AuthenticationRequiredError,
    AuthorizationError,
    BusyError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    ConnectionLostError,
    OutOfMemoryError,
    PersistenceError,
    PrimaryDownError,
    ProtocolError,
    ReadOnlyError,
    RedisError,
    ReplicationError,
    RequestTimeoutError,
    ResponseError,
    TryAgainError,
)
from tests._sync.waiting import until
from tests.support.blocking import Redis, connect, open_resources, settle, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.scripted import Close, Reset, ScriptedServer, Silence
from tests.support.servers import Server

QUICK = RetryPolicy(base_delay=0.001, max_delay=0.002)
AT_ONCE = RetryPolicy(retries=0)

REFUSALS: list[tuple[str, type[RedisError]]] = [
    ("LOADING Redis is loading the dataset in memory", BusyLoadingError),
    ("TRYAGAIN Multiple keys request during rehashing of slot", TryAgainError),
    ("CLUSTERDOWN The cluster is down", ClusterDownError),
    ("BUSY Redis is busy running a script", BusyError),
    ("MASTERDOWN Link with MASTER is down", PrimaryDownError),
    ("NOREPLICAS Not enough good replicas to write.", ReplicationError),
]
FINAL: list[tuple[str, type[RedisError]]] = [
    ("NOPERM User ann has no permissions to run the 'incr' command", AuthorizationError),
    ("WRONGPASS invalid username-password pair or user is disabled.", AuthenticationFailureError),
    ("NOAUTH Authentication required.", AuthenticationRequiredError),
    ("OOM command not allowed when used memory > 'maxmemory'.", OutOfMemoryError),
    ("MISCONF Redis is configured to save RDB snapshots", PersistenceError),
    ("READONLY You can't write against a read only replica.", ReadOnlyError),
    ("ERR value is not an integer or out of range", ResponseError),
]
#: Calls that leave the same state however often they are made, and the first word of the command.
REPEATABLE: dict[str, Callable[[Redis[Any]], Any]] = {
    "GET": lambda client: client.get("k"),
    "SET": lambda client: client.set("k", "new"),
    "XACK": lambda client: client.xack("s", "g", ["1-0"]),
    "XLEN": lambda client: client.xlen("s"),
    "PING": lambda client: client.ping(),
    "XRANGE": lambda client: client.xrange("s"),
    "DEL": lambda client: client.delete(["k"]),
    "HSET": lambda client: client.hset("h", {"f": "v"}),
    "SADD": lambda client: client.sadd("m", ["a"]),
}
#: Calls that would do something twice.
UNREPEATABLE: dict[str, Callable[[Redis[Any]], Any]] = {
    "XADD": lambda client: client.xadd("s", {"f": "v"}),
    "INCR": lambda client: client.incr("n"),
    "LPUSH": lambda client: client.lpush("l", ["x"]),
    "LPOP": lambda client: client.lpop("l"),
    "APPEND": lambda client: client.append("k", "x"),
    "EVAL": lambda client: client.eval("return redis.call('incr', 'n')"),
    "XREADGROUP": lambda client: client.xreadgroup("g", "c", {"s": ">"}),
    "GETDEL": lambda client: client.getdel("k"),
}


class TestRefusals:
    @pytest.mark.parametrize(("line", "cause"), REFUSALS, ids=[line.split()[0] for line, _ in REFUSALS])
    def test_tried_again(self, line: str, cause: type[RedisError]) -> None:
        """
        A refusal that passes is waited out, for commands that may not run twice as well: none has run.
        """
        with ScriptedServer([b"-%s\r\n" % line.encode()] * 3 + [b":1\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                assert 1 == client.incr("n")
            assert [[b"INCR", b"n"]] * 4 == server.commands
            assert 1 == server.accepted

    @pytest.mark.parametrize(("line", "cause"), REFUSALS, ids=[line.split()[0] for line, _ in REFUSALS])
    def test_not_for_ever(self, line: str, cause: type[RedisError]) -> None:
        """
        A refusal that stays is raised when the command's time is over.
        """
        with ScriptedServer(lambda _: b"-%s\r\n" % line.encode()) as server:
            with connect(server, retry_policy=QUICK, stream_timeout=0.1) as client:
                with pytest.raises((cause, RequestTimeoutError)):  # the latter when time ends during an attempt
                    client.incr("n")
            assert len(server.commands) > 4

    def test_while_greeting(self) -> None:
        """
        A server that is still loading refuses the handshake too.
        """
        refusals = [b"-LOADING Redis is loading the dataset in memory\r\n"] * 3

        def answer(command: list[bytes]) -> bytes:
            if command[0] == b"SELECT" and refusals:
                return refusals.pop()
            return b":1\r\n" if command[0] == b"INCR" else b"+OK\r\n"

        with ScriptedServer(answer, handshake_in_script=True) as server:
            with connect(server, db=1, protocol=2, retry_policy=QUICK) as client:
                with pytest.raises(RedisError):
                    client.incr("n")

    def test_turned_off(self) -> None:
        """
        No retries means none.
        """
        with ScriptedServer(lambda _: b"-LOADING wait\r\n") as server:
            with connect(server, retry_policy=AT_ONCE) as client:
                with pytest.raises(BusyLoadingError):
                    client.get("k")
            assert 1 == len(server.commands)

    @pytest.mark.parametrize(("line", "cause"), FINAL, ids=[line.split()[0] for line, _ in FINAL])
    def test_final(self, line: str, cause: type[RedisError]) -> None:
        """
        What does not pass by itself is raised at once.
        """
        with ScriptedServer([b"-%s\r\n" % line.encode(), b"+PONG\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(cause) as caught:
                    client.incr("n")
                assert b"PONG" == client.ping()
            assert 2 == len(server.commands)

        assert cause is type(caught.value)
        assert line == str(caught.value)
        assert line.split()[0] == caught.value.code


class TestLostReplies:
    @pytest.mark.parametrize("name", REPEATABLE)
    def test_repeatable(self, client: Redis[bytes], proxy: FaultProxy, name: str) -> None:
        """
        A command that may run twice is sent again, and nobody notices.
        """
        client.set("k", "v")
        client.xadd("s", {"f": "v"}, identifier="1-0")
        client.xgroup_create("s", "g", "0")
        client.xreadgroup("g", "c", {"s": ">"})
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.echo("connected")
            proxy.swallow(command=name)
            REPEATABLE[name](faulty)

        assert 1 == proxy.struck
        assert [name.encode()] * 2 == [words[0] for words in proxy.commands if words[0] == name.encode()]
        assert 2 == proxy.accepted

    @pytest.mark.parametrize("name", UNREPEATABLE)
    def test_unrepeatable(self, client: Redis[bytes], proxy: FaultProxy, name: str) -> None:
        """
        A command that must not run twice is not sent again; its caller learns that it may have run.
        """
        client.xgroup_create("s", "g", "0", mkstream=True)
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.echo("connected")
            proxy.swallow(command=name)
            with pytest.raises(ConnectionLostError) as caught:
                UNREPEATABLE[name](faulty)
            assert b"PONG" == faulty.ping()

        assert caught.value.may_have_run
        assert [name.encode()] == [words[0] for words in proxy.commands if words[0] == name.encode()]

    def test_one_entry(self, client: Redis[bytes], proxy: FaultProxy) -> None:
        """
        One XADD whose reply is lost makes one entry.
        """
        with connect(proxy, retry_policy=QUICK) as faulty:
            for count in (1, 2, 3):
                proxy.swallow(command="XADD")
                with pytest.raises(ConnectionError) as caught:
                    faulty.xadd("s", {"f": "v"})
                assert caught.value.may_have_run
                assert count == client.xlen("s")

    @pytest.mark.parametrize("name", UNREPEATABLE)
    def test_risked(self, client: Redis[bytes], proxy: FaultProxy, name: str) -> None:
        """
        With ``retry_unsafe`` it is sent again all the same, unless what was taken the first time would be lost.
        """
        client.xgroup_create("s", "g", "0", mkstream=True)
        client.rpush("l", ["a", "b"])
        with connect(
            proxy, retry_policy=RetryPolicy(base_delay=0.001, max_delay=0.002, retry_unsafe=True)
        ) as faulty:
            faulty.echo("connected")
            proxy.swallow(command=name)
            if taking := name in ("XREADGROUP", "LPOP", "GETDEL"):
                with pytest.raises(ConnectionLostError):
                    UNREPEATABLE[name](faulty)
            else:
                UNREPEATABLE[name](faulty)

        assert [name.encode()] * (1 if taking else 2) == [
            words[0] for words in proxy.commands if words[0] == name.encode()
        ]

    def test_again_and_again(self, proxy: FaultProxy) -> None:
        """
        A reply that is lost every time is given up after the retries of the policy.
        """
        with ScriptedServer(lambda _: Reset()) as server:
            with connect(server, retry_policy=RetryPolicy(retries=2, base_delay=0.001)) as client:
                with pytest.raises(ConnectionError) as caught:
                    client.get("k")
            assert 3 == len(server.commands)

        assert caught.value.may_have_run

    @pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 8, 40, 300])
    def test_cut(self, client: Redis[bytes], proxy: FaultProxy, count: int) -> None:
        """
        A reply that breaks off is never mixed with bytes of the next connection.
        """
        value = bytes(range(256)) * 2
        client.set("k", value)
        with connect(proxy, retry_policy=QUICK) as faulty:
            faulty.ping()
            proxy.cut_after(count, command="GET")
            assert value == faulty.get("k")
            proxy.cut_after(count, command="GETDEL")
            with pytest.raises(ConnectionLostError):
                faulty.getdel("k")
            assert b"PONG" == faulty.ping()

    def test_no_reply_in_time(self) -> None:
        """
        A command whose time is up is not sent again: it had all the time there was.
        """
        with ScriptedServer([Silence(), b"+PONG\r\n"]) as server:
            with connect(server, retry_policy=QUICK, stream_timeout=0.1) as client:
                with pytest.raises(RequestTimeoutError) as caught:
                    client.get("k")
                assert b"PONG" == client.ping()
            assert 2 == server.accepted

        assert caught.value.may_have_run


class TestProtocolErrors:
    @pytest.mark.parametrize("reply", [b"?what\r\n", b"$x\r\n", b"*-7\r\n", b":1x\r\n"], ids=repr)
    def test_garbage(self, reply: bytes) -> None:
        """
        Bytes that are no reply end the connection; the command is not repeated and the next one gets a new connection.
        """
        with ScriptedServer([reply, b"+PONG\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                with pytest.raises(ProtocolError):
                    client.get("k")
                assert b"PONG" == client.ping()
            assert 2 == server.accepted

    def test_reply_too_many(self) -> None:
        """
        A reply that nobody asked for does not become the reply to the next command.
        """
        with ScriptedServer([b"$1\r\na\r\n$1\r\nb\r\n", b"$1\r\nc\r\n", b"$1\r\nd\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                replies = []
                for key in "xyz":
                    try:
                        replies.append(client.get(key))
                    except ProtocolError:
                        replies.append(None)
                    sleep(0.01)

            assert 2 == server.accepted
            assert [b"c", b"d"] == replies[1:]
            assert replies[0] in (b"a", None)

    def test_unasked_while_idle(self) -> None:
        """
        The same when it comes while nothing is going on.
        """
        with ScriptedServer([b"+PONG\r\n", b"$1\r\nc\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                client.ping()
                server.push(b"$5\r\nstray\r\n")
                sleep(0.01)
                assert b"c" == client.get("k")
            assert 2 == server.accepted

    def test_messages_out_of_band(self) -> None:
        """
        Pushes may come at any time and answer nothing.
        """
        push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
        with ScriptedServer([push + b"$1\r\na\r\n" + push, b"$1\r\nb\r\n"]) as server:
            with connect(server) as client:
                assert b"a" == client.get("x")
                server.push(push)
                sleep(0.01)
                assert b"b" == client.get("y")
            assert 1 == server.accepted


class TestRecovery:
    def test_restarted_server(self, server: Server) -> None:
        """
        A client goes on by itself when its server is there again.
        """
        with connect(server, retry_policy=QUICK) as client:
            client.set("k", "v")
            server.kill()
            for _ in range(2):  # the first may have been sent before the end of the connection was seen
                with pytest.raises(ConnectionError) as caught:
                    client.get("k")
            assert not caught.value.may_have_run
            server.start()
            assert None is client.get("k")
            assert client.set("k", "w")
            assert 1 == client.incr("n")

    def test_waiting_for_a_restart(self, server: Server) -> None:
        """
        With patience enough in the policy, a command outlasts a restart.
        """
        policy = RetryPolicy(retries=1000, base_delay=0.01, max_delay=0.02)
        with connect(server, retry_policy=policy) as client:
            client.ping()
            server.kill()
            waiting = spawn(lambda: client.get("k"))
            sleep(0.05)
            assert not waiting.done
            server.start()
            assert None is waiting.join()

    def test_killed_connections(self, client: Redis[bytes], server: Server) -> None:
        """
        Connections that the server closes are replaced, while they are idle and while they are in use.
        """
        with connect(server, retry_policy=RetryPolicy(retries=10, base_delay=0.001, max_delay=0.01)) as victim:
            for _ in range(20):
                victim.set("k", "v")
                server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                assert b"v" == victim.get("k")

    def test_idle_connection_closed(self, proxy: FaultProxy) -> None:
        """
        A connection that was closed while idle is noticed before something is sent that could not be repeated.
        """
        before = open_resources()
        with connect(proxy) as client:
            client.ping()
            sleep(1.05)
            proxy.end_all()
            sleep(0.05)
            assert 1 == client.incr("n")
        until(lambda: not proxy.live)
        settle(before)

    def test_orderly_end(self) -> None:
        """
        A server that answers and then closes: the answer counts.
        """
        with ScriptedServer([Close(b":1\r\n"), b"$1\r\n2\r\n"]) as server:
            with connect(server, retry_policy=QUICK) as client:
                assert 1 == client.incr("n")
                until(lambda: server.live == 0)
                assert b"2" == client.get("n")


class TestPolicy:
    @pytest.mark.parametrize(
        "options",
        [
            {"retries": -1},
            {"retries": 1.5},
            {"retries": True},
            {"base_delay": -1},
            {"base_delay": 10},
            {"max_delay": 0},
        ],
    )
    def test_refused(self, options: dict[str, Any]) -> None:
        """
        A policy that makes no sense is refused.
        """
        with pytest.raises(ValueError):
            RetryPolicy(**options)
