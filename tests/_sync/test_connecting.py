# Generated from tests/_async/test_connecting.py by scripts/generate.py: edit that file, not this one.
"""
How a client gets to its server: options, URLs, the handshake, opening and closing.
"""

from __future__ import annotations

import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis._version import __version__
from coredis.exceptions import ConnectionError, ConnectionLostError, ConnectTimeoutError, ResponseError
from tests._sync.waiting import until
from tests.support.blocking import Redis, connect, open_resources, settle, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.scripted import NO_HELLO, Close, ScriptedServer, Silence
from tests.support.servers import Server, requires

GREETING = [
    [b"CLIENT", b"SETINFO", b"LIB-NAME", b"coredis"],
    [b"CLIENT", b"SETINFO", b"LIB-VER", __version__.encode()],
]


class TestHandshake:
    def test_one_round_trip(self, server: Server, proxy: FaultProxy) -> None:
        """
        All of it is sent before the first reply has come, and the command only after it.
        """
        server.command("ACL", "SETUSER", "ann", "on", ">pass", "~*", "+@all")
        proxy.pause("to_client")

        with connect(proxy, db=2, username="ann", password="pass", client_name="me") as client:
            calling = spawn(client.ping)
            until(lambda: len(proxy.commands) >= 4)
            sent = proxy.commands
            proxy.resume()
            calling.join()

        assert sent == [
            [b"HELLO", b"3", b"AUTH", b"ann", b"pass", b"SETNAME", b"me"],
            *GREETING,
            [b"SELECT", b"2"],
        ]
        assert [*sent, [b"PING"]] == proxy.commands

    def test_nothing_more_than_needed(self, proxy: FaultProxy) -> None:
        """
        Without credentials, name and database there is nothing to say about them.
        """
        with connect(proxy) as client:
            client.ping()

        assert proxy.commands == [[b"HELLO", b"3"], *GREETING, [b"PING"]]

    def test_protocol(self, redis: Redis[Any], protocol: int) -> None:
        """
        The server speaks the version that was asked for.
        """
        assert protocol == (redis.client_info())["resp"]

    def test_the_newer_protocol_is_the_default(self, client: Redis[bytes]) -> None:
        """
        RESP3 unless something else is said.
        """
        assert 3 == (client.client_info())["resp"]

    def test_introduction(self, server: Server) -> None:
        """
        The server is told who we are.
        """
        requires(server, "redis-7.2", "valkey-7.2", feature="CLIENT SETINFO")

        with connect(server, client_name="worker-1") as client:
            information = client.client_info()

        assert ("worker-1", "coredis", __version__) == (
            information["name"],
            information["lib-name"],
            information["lib-ver"],
        )

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_database(self, server: Server, protocol: int) -> None:
        """
        Every connection of a client, shared or not, works on the client's database.
        """
        with connect(server, db=3, protocol=protocol) as client:
            client.rpush("l", ["x"])
            assert 3 == (client.client_info())["db"]
            assert (b"l", b"x") == client.blpop(["l"], timeout=1)

    def test_database_out_of_range(self, server: Server) -> None:
        """
        A database that the server does not have is an error at the first command, in the server's words.
        """
        before = open_resources()

        with connect(server, db=10_000) as client:
            with pytest.raises(ResponseError, match="DB index"):
                client.ping()
            settle(before)


class TestOldServers:
    @pytest.mark.parametrize(
        "refusal", [NO_HELLO, b"-NOPROTO unsupported protocol version\r\n"], ids=["no-hello", "no-protocol"]
    )
    def test_greeted_the_old_way(self, refusal: bytes) -> None:
        """
        A server without HELLO, or without this version of it, is asked the old way and spoken to in RESP2.
        """
        with ScriptedServer([b"*2\r\n$1\r\na\r\n$1\r\n1\r\n"], handshake={"HELLO": refusal}) as server:
            with connect(server, username="ann", password="pass", client_name="me", db=1) as client:
                assert {b"a": b"1"} == client.hgetall("h")
            handshakes, accepted = server.handshakes, server.accepted

        assert handshakes[-5:] == [
            [b"AUTH", b"ann", b"pass"],
            [b"CLIENT", b"SETNAME", b"me"],
            *GREETING,
            [b"SELECT", b"1"],
        ]
        assert 1 == accepted

    def test_default_user(self) -> None:
        """
        AUTH has one argument when there is no user name: servers without users know no other form.
        """
        with ScriptedServer([b"+PONG\r\n"], handshake={"HELLO": NO_HELLO}) as server:
            with connect(server, password="pass") as client:
                client.ping()
            assert [b"AUTH", b"pass"] in server.handshakes

    def test_without_library_information(self) -> None:
        """
        A server that does not know CLIENT SETINFO serves all the same.
        """
        unknown = b"-ERR Unknown subcommand or wrong number of arguments for 'SETINFO'\r\n"
        with ScriptedServer([b"+PONG\r\n"], handshake={"CLIENT SETINFO": unknown}) as server:
            with connect(server) as client:
                assert b"PONG" == client.ping()


class TestAddresses:
    def test_url(self, server: Server) -> None:
        """
        A URL says where, as whom and how.
        """
        server.command("ACL", "SETUSER", "ann", "on", ">p@ss/w:rd", "~*", "+@all")
        url = f"redis://ann:p%40ss%2Fw%3Ard@{server.host}:{server.port}/4?client_name=me&protocol=2&decode_responses=1"

        with Redis.from_url(url) as client:
            information = client.client_info()
            assert "ann" == client.acl_whoami()

        assert (4, "me", 2) == (information["db"], information["name"], information["resp"])

    def test_unix_socket(self, server: Server) -> None:
        """
        A socket in the file system, by URL and by option.
        """
        with Redis.from_url(f"unix://{server.unix_socket}?db=2", decode_responses=True) as client:
            client.set("k", "v")
            assert "v" == client.get("k")
            assert 2 == (client.client_info())["db"]
        with Redis(unix_socket_path=server.unix_socket) as client:
            assert b"PONG" == client.ping()

    def test_name(self, server: Server) -> None:
        """
        All addresses of a name are tried: ``localhost`` may mean ``::1`` first, where nobody listens.
        """
        with Redis("localhost", server.port) as client:
            assert b"PONG" == client.ping()

    def test_keywords_beside_a_url(self, server: Server) -> None:
        """
        What the URL does not say may be said beside it; the URL wins.
        """
        with Redis.from_url(f"{server.url}/5?encoding=latin-1", db=7, encoding="utf-8") as client:
            client.set("k", "ä")
            assert b"\xe4" == client.get("k")
            assert 5 == (client.client_info())["db"]
        with Redis.from_url(server.url, db=7, client_name="me") as client:
            information = client.client_info()
        assert (7, "me") == (information["db"], information["name"])

    def test_every_option_in_a_url(self, server: Server) -> None:
        """
        Each option has its parameter.
        """
        query = (
            "connect_timeout=2&stream_timeout=none&pool_timeout=1.5&max_connections=3&socket_keepalive=no"
            "&encoding=utf-8&client_name=me&protocol=3&decode_responses=yes&db=1"
        )

        with Redis.from_url(f"{server.url}?{query}") as client:
            assert "PONG" == client.ping()
            assert 1 == (client.client_info())["db"]

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("http://localhost", "redis://"),
            ("localhost:6379", "redis://"),
            ("", "redis://"),
            ("redis://localhost:99999", "port"),
            ("redis://localhost:0", "port"),
            ("redis://localhost:x", "port"),
            ("redis://localhost/zero", "database number"),
            ("redis://localhost/-1", "database number"),
            ("redis://localhost/99999999999", "db"),
            ("redis://localhost?retries=3", "unknown parameter 'retries'"),
            ("redis://localhost?protocol=4", "protocol"),
            ("redis://localhost?db=1&db=2", "twice"),
            ("redis://localhost?stream_timeout=soon", "stream_timeout"),
            ("redis://localhost?stream_timeout=0", "stream_timeout"),
            ("redis://localhost?max_connections=0", "max_connections"),
            ("redis://localhost?decode_responses=perhaps", "decode_responses"),
            ("redis://localhost?ssl_ca_certs=x.pem", "rediss://"),
            ("rediss://localhost?ssl_cert_reqs=none", "allow_insecure_tls"),
            ("redis://localhost#1", "%23"),
            ("unix://", "unix://"),
            ("unix://host/path", "unix://"),
        ],
    )
    def test_wrong_urls(self, url: str, message: str) -> None:
        """
        A mistake in a URL is found when the client is made.
        """
        with pytest.raises(ValueError, match=message):
            Redis.from_url(url)


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"port": 0},
            {"port": "6379"},
            {"port": True},
            {"db": -1},
            {"db": "0"},
            {"host": ""},
            {"host": None},
            {"protocol": 1},
            {"protocol": "3"},
            {"encoding": "utf-88"},
            {"encoding": "utf-16"},  # the server's own words would not be understood
            {"client_name": "two words"},
            {"client_name": ""},
            {"connect_timeout": 0},
            {"connect_timeout": -1.0},
            {"stream_timeout": "5"},
            {"stream_timeout": float("nan")},
            {"stream_timeout": True},
            {"pool_timeout": float("inf")},
            {"max_connections": 0},
            {"max_connections": 1.5},
            {"username": 1},
            {"decode_responses": "no"},
            {"encoding": None},
            {"socket_keepalive": 1},
            {"unix_socket_path": ""},
            {"credential_provider": "ann:secret"},
            {"retry_policy": 3},
            {"ssl_certfile": "client.pem"},
            {"ssl": True, "ssl_keyfile": "client.key"},
            {"ssl": True, "ssl_cert_reqs": "maybe"},
            {"ssl": True, "unix_socket_path": "/tmp/redis.sock"},
        ],
        ids=repr,
    )
    def test_refused(self, options: dict[str, Any]) -> None:
        """
        A wrong option is an error when the client is made, and names the option.
        """
        with pytest.raises((TypeError, ValueError)) as caught:
            Redis(**options)

        assert any(name in str(caught.value) for name in [*options, "ssl_..."])

    @pytest.mark.parametrize("name", ["hots", "timeout", "retry"])
    def test_unknown(self, name: str) -> None:
        """
        There are no other options.
        """
        with pytest.raises(TypeError, match=name):
            Redis(**{name: 1})

    def test_encoding(self, server: Server) -> None:
        """
        Text is encoded and decoded as the client was told; what cannot be decoded stays bytes.
        """
        with connect(server, encoding="iso-8859-15", decode_responses=True) as client:
            client.set("k", "ä€")
            assert "ä€" == client.get("k")
        with connect(server, decode_responses=True) as client:
            assert b"\xe4\xa4" == client.get("k")

    def test_keepalive(self, server: Server) -> None:
        """
        With and without keepalive commands are answered.
        """
        for keepalive in (True, False):
            with connect(server, socket_keepalive=keepalive) as client:
                assert b"PONG" == client.ping()

    @pytest.mark.parametrize("handshake", [False, True])
    def test_connect_timeout(self, handshake: bool) -> None:
        """
        A peer that accepts and then says nothing costs no more than ``connect_timeout``, and nothing has run.
        """
        with ScriptedServer(handshake={"HELLO": Silence()} if handshake else {"SELECT": Silence()}) as server:
            with connect(
                server, db=1, connect_timeout=0.1, stream_timeout=None, retry_policy=RetryPolicy(retries=0)
            ) as client:
                with pytest.raises(ConnectTimeoutError) as caught:
                    client.incr("n")

                assert not caught.value.may_have_run
                assert isinstance(caught.value, TimeoutError)
                until(lambda: server.live == 0)
            assert [] == server.commands


class TestOpeningAndClosing:
    def test_lazy(self, proxy: FaultProxy) -> None:
        """
        The first command connects, and no earlier thing.
        """
        client = connect(proxy)
        with client:
            assert 0 == proxy.accepted
            client.ping()
            assert 1 == proxy.accepted

    def test_by_plain_construction(self, server: Server) -> None:
        """
        No block is needed; ``close`` leaves nothing open, may be repeated, and a later command connects again.
        """
        before = open_resources()
        client = connect(server)

        for _ in range(2):
            client.set("k", "v")
            client.close()
            client.close()
            settle(before)

    def test_entered_again(self, proxy: FaultProxy) -> None:
        """
        A client can be entered again after its block, and inside of it: only the outermost end closes.
        """
        before = open_resources()
        client = connect(proxy)

        for _ in range(2):
            with client:
                with client:
                    client.ping()
                client.ping()
                assert 1 == len(proxy.live)
            until(lambda: not proxy.live)

        assert 2 == proxy.accepted
        settle(before)

    def test_left_once_too_often(self, server: Server) -> None:
        """
        A block that was never entered changes nothing: the next one closes at its end.
        """
        before = open_resources()
        client = connect(server)
        client.__exit__(None, None, None)
        with client:
            client.ping()
        settle(before)

    def test_closed_by_an_exception(self, server: Server) -> None:
        """
        A block that is left by an exception closes too.
        """
        before = open_resources()

        with pytest.raises(KeyError):
            with connect(server) as client:
                client.ping()
                raise KeyError("mine")

        settle(before)

    def test_closed_under_way(self, client: Redis[bytes]) -> None:
        """
        Closing fails the commands in flight at once; nobody waits for ever.
        """
        waiting = spawn(lambda: client.blpop(["empty"], timeout=0))
        client.ping()
        until_blocked(client)

        client.close()

        with pytest.raises(ConnectionError) as caught:
            waiting.join()
        assert caught.value.may_have_run

    def test_closed_before_a_reply(self, proxy: FaultProxy) -> None:
        """
        Not even a command that may be repeated opens a connection again once the client is closed.
        """
        before = open_resources()
        client = connect(proxy)
        client.ping()
        proxy.pause()
        waiting = spawn(lambda: client.get("k"))
        sleep(0.02)

        client.close()

        with pytest.raises(ConnectionError):
            waiting.join()
        proxy.resume()
        settle(before)
        assert 1 == proxy.accepted

    def test_unclosed(self, server: Server) -> None:
        """
        Forgetting to close warns, and the sockets are closed all the same.
        """
        before = open_resources()
        clients = [connect(server)]
        clients[0].ping()
        clients[0].blpop(["empty"], timeout=0.01)

        with pytest.warns(ResourceWarning, match="unclosed client <Redis"):
            forget(clients)

        settle(before)

    def test_never_used(self, server: Server) -> None:
        """
        A client that never connected has nothing to close, nor to warn of.
        """
        connect(server)
        gc.collect()

    def test_not_copied(self, server: Server) -> None:
        """
        A client holds connections: it is neither pickled nor copied.
        """
        with connect(server) as client:
            for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="make one where it is used"):
                    attempt(client)

    def test_representation(self, server: Server) -> None:
        """
        Where it leads is what a client shows.
        """
        assert f"<Redis {server.host}:{server.port} db=2>" == repr(connect(server, db=2))
        assert "<Redis /run/redis.sock db=0>" == repr(Redis(unix_socket_path="/run/redis.sock"))


class TestNobodyThere:
    def test_refused(self) -> None:
        """
        Where nobody listens, a command fails soon, and certainly has not run.
        """
        with ScriptedServer() as server:
            pass  # its port is free again
        with connect(server, retry_policy=RetryPolicy(base_delay=0.001)) as client:
            with pytest.raises(ConnectionError, match=f"{server.host}:{server.port}") as caught:
                client.incr("n")

        assert not caught.value.may_have_run
        assert not isinstance(caught.value, ConnectTimeoutError)

    def test_no_such_socket(self, tmp_path: Path) -> None:
        """
        A Unix socket that is not there.
        """
        with Redis(unix_socket_path=str(tmp_path / "absent.sock"), retry_policy=RetryPolicy(retries=0)) as client:
            with pytest.raises(ConnectionError, match=r"absent\.sock"):
                client.ping()

    def test_no_such_host(self) -> None:
        """
        A name that means nothing.
        """
        with Redis("nowhere.invalid", retry_policy=RetryPolicy(retries=0)) as client:
            with pytest.raises(ConnectionError, match=r"nowhere\.invalid"):
                client.ping()

    def test_not_a_redis(self) -> None:
        """
        A peer that speaks something else is told apart from a slow one.
        """
        with ScriptedServer(handshake={"HELLO": b"HTTP/1.1 400 Bad Request\r\n\r\n"}) as server:
            with connect(server, retry_policy=RetryPolicy(retries=0)) as client:
                with pytest.raises(ConnectionError) as caught:
                    client.ping()

        assert not caught.value.may_have_run

    @pytest.mark.parametrize("unasked", [False, True], ids=["answered", "unasked"])
    def test_refused_with_a_reason(self, unasked: bool) -> None:
        """
        A server that wants no connection says why before it closes it, maybe before it is asked anything. The user is told, and
        after a while it is tried again.
        """
        reason = b"-ERR max number of clients reached\r\n"
        with ScriptedServer(
            handshake={"HELLO": Close(b"" if unasked else reason)}, unasked=reason if unasked else b""
        ) as server:
            with connect(server, retry_policy=RetryPolicy(retries=2)) as client:
                with pytest.raises(ConnectionLostError, match="max number of clients reached") as caught:
                    client.ping()

            assert 3 == server.accepted
        assert not caught.value.may_have_run


def forget(clients: list[Redis[bytes]]) -> None:
    """
    Leave clients to the garbage collector.
    """
    clients.clear()
    gc.collect()


def until_blocked(client: Redis[bytes]) -> None:
    """
    Wait until the server says that a client of it is blocked.
    """
    for _ in range(1000):
        if (client.info("clients"))["blocked_clients"]:
            return
    raise AssertionError("nobody is blocked")
