# Generated from tests/_async/test_support_probe.py by scripts/generate.py: edit that file, not this one.
"""
What a server lacks: it is asked once, and a clear error tells which version has it.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis.exceptions import AuthorizationError, CommandNotSupportedError, ResponseError
from tests.support.blocking import Redis, connect
from tests.support.proxy import FaultProxy
from tests.support.scripted import Close, ScriptedServer
from tests.support.servers import Server, requires


def lacks(server: Server, *minimum: str) -> None:
    """
    Skip the running test, visibly, if the server has what these versions have.
    """
    if any(map(server.program.satisfies, minimum)):
        pytest.skip(f"{server.identifier} has it")


class TestProbe:
    def test_commands(self, redis: Redis[Any]) -> None:
        """
        A command is known or not, whatever the case of its name.
        """
        assert redis.supports("XREADGROUP")
        assert redis.supports("xadd")
        assert not redis.supports("XNONSENSE")

    def test_options(self, redis: Redis[Any]) -> None:
        """
        So is an option of a command.
        """
        assert redis.supports("XADD", "NOMKSTREAM")
        assert redis.supports("xadd", "maxlen")
        assert not redis.supports("XADD", "NONSENSE")
        assert not redis.supports("XNONSENSE", "MAXLEN")

    def test_newer_options(self, client: Redis[bytes], server: Server) -> None:
        """
        The answer is the server's own: an option is there in those that have it.
        """
        assert server.program.satisfies("redis-8.4") == client.supports("XREADGROUP", "CLAIM")

    def test_remembered(self, proxy: FaultProxy) -> None:
        """
        A server is asked once about each command.
        """
        with connect(proxy) as client:
            for option in ("MAXLEN", "NONSENSE", None):
                client.supports("XADD", option)

        assert 1 == len([words for words in proxy.commands if words[:2] == [b"COMMAND", b"DOCS"]])

    def test_not_told(self, server: Server) -> None:
        """
        A server that may not tell says so.
        """
        server.command("ACL", "SETUSER", "ann", "on", ">pass", "~*", "+@all", "-command|docs")

        with connect(server, username="ann", password="pass") as client:
            with pytest.raises(AuthorizationError):
                client.supports("XADD")


class TestErrors:
    def test_option(self, client: Redis[bytes], server: Server) -> None:
        """
        An option that the server lacks names the version that has it.
        """
        lacks(server, "redis-8.6")

        with pytest.raises(CommandNotSupportedError) as caught:
            client.xadd("s", {"f": "v"}, idmpauto="producer")

        assert caught.value.command.startswith("XADD IDMP")
        assert "Redis 8.6" == caught.value.version
        assert 0 == client.exists(["s"])

    def test_command(self, client: Redis[bytes], server: Server) -> None:
        """
        So does a command.
        """
        lacks(server, "redis-8.2")

        with pytest.raises(CommandNotSupportedError, match=r"XACKDEL needs Redis 8\.2"):
            client.xackdel("s", "g", ["1-0"])

    def test_in_a_pipeline(self, client: Redis[bytes], server: Server) -> None:
        """
        In a pipeline the command that the server lacks fails so, and the others have their results.
        """
        lacks(server, "redis-8.2")

        with client.pipeline(transaction=False, raise_on_error=False) as pipe:
            before = pipe.incr("n")
            lacking = pipe.xackdel("s", "g", ["1-0"])
            after = pipe.incr("n")

        assert (1, 2) == (before.result(), after.result())
        with pytest.raises(CommandNotSupportedError, match=r"Redis 8\.2"):
            lacking.result()

    def test_other_errors(self, client: Redis[bytes], server: Server) -> None:
        """
        An error of a command whose option the server has is the server's own.
        """
        requires(server, "redis-8.6", feature="XADD IDMPAUTO")
        client.set("s", "no stream")

        with pytest.raises(ResponseError):
            client.xadd("s", {"f": "v"}, idmpauto="producer")

    def test_forbidden_to_ask(self, server: Server) -> None:
        """
        Where the server may not be asked, its own error is all there is, with a note on what may be the reason.
        """
        lacks(server, "redis-8.6")
        server.command("ACL", "SETUSER", "ann", "on", ">pass", "~*", "+@all", "-command|docs")

        with connect(server, username="ann", password="pass") as client:
            with pytest.raises(ResponseError) as caught:
                client.xadd("s", {"f": "v"}, idmpauto="producer")

        assert ["XADD IDMPAUTO needs Redis 8.6"] == [note.partition(";")[0] for note in caught.value.__notes__]

    def test_no_answer_when_asked(self) -> None:
        """
        A connection that is lost over the question does not hide that the command was refused.
        """

        def answer(words: list[bytes]) -> bytes | Close:
            return b"-ERR syntax error\r\n" if words[0] == b"XADD" else Close()

        with ScriptedServer(answer) as server:
            with connect(server, retry_policy=RetryPolicy(retries=0)) as client:
                with pytest.raises(ResponseError, match="syntax error"):
                    client.xadd("s", {"f": "v"}, idmpauto="producer")
                pipe = client.pipeline(transaction=False, raise_on_error=False)
                refused = pipe.xadd("s", {"f": "v"}, idmpauto="producer")
                pipe.execute()

        assert "ERR syntax error" == str(refused.error)
