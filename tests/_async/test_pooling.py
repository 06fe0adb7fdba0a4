"""
How many connections a client opens, who gets them, and what happens when there are none left.
"""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from coredis import RetryPolicy
from coredis.exceptions import ConnectionError, PoolTimeoutError, UnblockedError
from tests._async.waiting import until
from tests.support.aio import Redis, connect, gather, open_resources, settle, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.scripted import ScriptedServer, Silence
from tests.support.servers import Server

AT_ONCE = RetryPolicy(retries=0)


def occupying(client: Redis[Any], seconds: float = 0) -> Any:
    """
    A call that holds a connection.
    """
    return lambda: client.blpop(["empty"], timeout=seconds)


class TestLimit:
    async def test_exhausted(self, proxy: FaultProxy) -> None:
        """
        When every connection is taken, a caller waits for ``pool_timeout`` and no longer; nothing of it is sent.
        """
        async with connect(proxy, max_connections=2, pool_timeout=0.1) as client:
            holding = [spawn(occupying(client, 0.6)) for _ in range(2)]
            await until(lambda: blocked(proxy) == 2)

            with pytest.raises(PoolTimeoutError, match="all 2 connections") as caught:
                await client.blpop(["other"], timeout=1)

            assert isinstance(caught.value, builtins.TimeoutError)
            assert [None, None] == [await handle.join() for handle in holding]
            assert None is await client.blpop(["empty"], timeout=0.01)
            assert 2 == proxy.accepted
            assert not [words for words in proxy.commands if b"other" in words]

    async def test_waiting(self, proxy: FaultProxy) -> None:
        """
        Who can wait gets a connection as soon as one is free, and no more than the limit are opened.
        """
        async with connect(proxy, max_connections=2, pool_timeout=10) as client:
            assert [None] * 6 == await gather(*[occupying(client, 0.02)] * 6)
            assert proxy.accepted <= 2

    async def test_first_come_first_served(self, server: Server) -> None:
        """
        Those who wait are served in the order in which they came.
        """
        served: list[int] = []

        async with connect(server, max_connections=1, pool_timeout=10) as client:

            async def wait_in_line(number: int) -> None:
                await client.blpop(["empty"], timeout=0.02)
                served.append(number)

            line = client._pool._state
            holding = spawn(lambda: client.blpop(["key"], timeout=10))
            await until(lambda: b"cmd=blpop" in bytes(server.command("CLIENT", "LIST")))  # type: ignore[arg-type]
            waiting = []
            for number in range(5):
                waiting.append(spawn(lambda number=number: wait_in_line(number)))
                await until(lambda number=number: len(line.waiting) > number)
            server.command("RPUSH", "key", "value")
            for handle in (holding, *waiting):
                await handle.join()

        assert [0, 1, 2, 3, 4] == served

    async def test_those_who_wait_are_not_overtaken_for_ever(self, server: Server) -> None:
        """
        Whoever gives a connection back and asks for one again at once is always faster than those who have to wake up.
        """
        served: list[int] = []

        async with connect(server, max_connections=1, pool_timeout=2) as client:

            async def hold_on() -> None:
                while len(served) < 3:
                    async with client.pipeline(transaction=True) as pipe:
                        pipe.ping()

            async def visit(number: int) -> None:
                async with client.pipeline(transaction=True) as pipe:
                    pipe.ping()
                served.append(number)

            holding = spawn(hold_on)
            visiting = [spawn(lambda number=number: visit(number)) for number in range(3)]
            try:
                for handle in visiting:
                    await handle.join()
            finally:
                served += [0, 0, 0]
            await holding.join()

    async def test_one_connection(self, server: Server) -> None:
        """
        One connection is enough for blocking and ordinary commands in turns.
        """
        async with connect(server, max_connections=1, pool_timeout=2) as client:
            for _ in range(3):
                assert b"PONG" == await client.ping()
                assert None is await client.blpop(["empty"], timeout=0.01)
                async with client.pipeline(transaction=True) as pipe:
                    pipe.ping()

    async def test_failing_connects(self, server: Server) -> None:
        """
        A connection that could not be opened does not count.
        """
        async with connect(server, db=10_000, max_connections=2, pool_timeout=0.2) as client:
            for _ in range(6):
                with pytest.raises(Exception, match="DB index"):
                    await client.blpop(["empty"], timeout=0.01)

    async def test_lost_connections(self, proxy: FaultProxy) -> None:
        """
        A connection that was lost does not count either.
        """
        async with connect(proxy, max_connections=2, pool_timeout=1, retry_policy=AT_ONCE) as client:
            for _ in range(3):
                holding = [spawn(occupying(client)) for _ in range(2)]
                await until(lambda: blocked(proxy) == 2)
                proxy.reset_all()
                for handle in holding:
                    with pytest.raises(ConnectionError):
                        await handle.join()
            assert b"PONG" == await client.ping()

    async def test_slow_connect(self) -> None:
        """
        The time for connecting is ``connect_timeout``, not the one for waiting in line.
        """
        with ScriptedServer(handshake={"HELLO": Silence()}) as server:
            async with connect(server, connect_timeout=0.2, pool_timeout=0.05, retry_policy=AT_ONCE) as client:
                with pytest.raises(ConnectionError):
                    await client.ping()


class TestReuse:
    async def test_reused(self, proxy: FaultProxy) -> None:
        """
        Connections are used again, whatever they were used for.
        """
        async with connect(proxy) as client:
            for _ in range(5):
                await client.ping()
                await client.blpop(["empty"], timeout=0.01)
                async with client.pipeline(transaction=True) as pipe:
                    pipe.ping()

            assert proxy.accepted <= 2

    async def test_dead_while_idle(self, proxy: FaultProxy) -> None:
        """
        Connections that ended while nobody used them are replaced without an error.
        """
        before = open_resources()
        async with connect(proxy, max_connections=4, retry_policy=AT_ONCE) as client:
            await gather(*[occupying(client, 0.02)] * 4)
            proxy.end_all()
            await sleep(0.15)
            assert [None] * 4 == await gather(*[occupying(client, 0.02)] * 4)
        await until(lambda: not proxy.live)
        await settle(before)

    async def test_many_callers(self, proxy: FaultProxy) -> None:
        """
        Many callers at once stay within the limit and all are served.
        """
        async with connect(proxy, max_connections=5, pool_timeout=10) as client:

            async def call(number: int) -> bytes:
                return await client.echo(str(number))

            replies = await gather(*[lambda number=number: call(number) for number in range(50)])

            assert [str(number).encode() for number in range(50)] == replies
            assert proxy.accepted <= 5


def blocked(proxy: FaultProxy) -> int:
    """
    Count the connections whose last command blocks.
    """
    return sum(connection.commands[-1:] != [] and connection.commands[-1][0] == b"BLPOP" for connection in proxy.live)


async def test_a_connection_that_was_unblocked_is_not_used_again(server: Server) -> None:
    """
    A server that turns into a replica unblocks its clients with an error and closes their connections right after; what was
    sent on one in between would be lost, and nobody could tell whether it has run.
    """
    async with connect(server) as client:
        waiting = spawn(occupying(client))
        await until(lambda: b"cmd=blpop" in listed(server))
        (line,) = [line for line in listed(server).splitlines() if b"cmd=blpop" in line]
        identifier = line.partition(b"id=")[2].split()[0]
        server.command("CLIENT", "UNBLOCK", identifier, "ERROR")
        with pytest.raises(UnblockedError):
            await waiting.join()

        await until(lambda: b"id=%s " % identifier not in listed(server))
        assert None is await client.blpop(["empty"], timeout=0.01)


def listed(server: Server) -> bytes:
    """
    Have the server list its clients.
    """
    lines = server.command("CLIENT", "LIST")
    assert isinstance(lines, bytes)
    return lines
