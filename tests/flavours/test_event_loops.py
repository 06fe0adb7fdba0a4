"""
Many tasks share an asynchronous client and its connection, which belong to one event loop.
"""

from __future__ import annotations

import asyncio
import gc
import math
import random
import re
from typing import Any

import pytest

from coredis import Redis
from tests.support.servers import Server


def connect(server: Server, **options: Any) -> Redis[bytes]:
    """
    Make a client, not yet connected.
    """
    return Redis(host=server.host, port=server.port, **options)


def statistic(server: Server, name: str) -> int:
    """
    Read one number from INFO, on a connection of its own.
    """
    facts = server.command("INFO", "stats")
    assert isinstance(facts, bytes)
    found = re.search(rb"^%s:(\d+)" % name.encode(), facts, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_all_who_wait_share_the_connection_that_becomes_free(server: Server) -> None:
    """
    Not only the first of them: while that one and those who come later use it, nobody tells the others that it is there.
    """

    async def share() -> None:
        async with connect(server, max_connections=1, pool_timeout=1) as client:
            pool = client._pool
            alone = await pool.acquire(True, math.inf)
            waiting = [asyncio.create_task(pool.acquire(False, math.inf)) for _ in range(3)]
            while len(pool._state.waiting) < 3:
                await asyncio.sleep(0)

            pool.release(alone)

            assert [alone] * 3 == await asyncio.gather(*waiting)
            for connection in [alone] * 3:
                pool.release(connection)

    asyncio.run(share())


def test_a_second_event_loop_is_refused(server: Server) -> None:
    """
    The message names both loops. Closed in the first one, the client can go on in the second.
    """
    client = connect(server)
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(client.ping())

        with pytest.raises(RuntimeError, match="another event loop") as raised:
            second.run(client.ping())
        message = str(raised.value).replace("running=True", "running=False")
        for loop in (first.get_loop(), second.get_loop()):
            assert repr(loop) in message
        first.run(client.ping())  # it has lost nothing by that

        first.run(client.close())
        second.run(client.ping())
        with pytest.raises(RuntimeError, match="another event loop"):
            first.run(client.ping())
        second.run(client.close())


def test_a_client_outlives_its_event_loop(server: Server) -> None:
    """
    Not closed before its loop ended, it says so in the next one, and can be closed and used there.
    """
    client = connect(server)
    asyncio.run(client.echo("first"))

    async def again() -> bytes:
        with pytest.raises(RuntimeError, match="another event loop"):
            await client.ping()
        await client.close()
        gc.collect()
        async with client:
            return await client.echo("second")

    # The warning is asyncio's own, for the connection left in the first loop.
    with pytest.warns(ResourceWarning, match="unclosed"):
        assert b"second" == asyncio.run(again())


async def test_commands_of_many_tasks_leave_in_one_write(server: Server) -> None:
    """
    Told by how often the server had to read.
    """
    async with connect(server) as client:
        await client.ping()
        before = statistic(server, "total_reads_processed")

        replies = await asyncio.gather(*(client.echo(f"{number}") for number in range(100)))

        reads = statistic(server, "total_reads_processed") - before - 1
        assert [b"%d" % number for number in range(100)] == replies
        # The first command finds nobody to wait for; the others leave together.
        assert reads <= 4


@pytest.mark.parametrize("connected", [False, True], ids=["unconnected", "connected"])
async def test_thousands_of_tasks_wait_their_turn(server: Server, connected: bool) -> None:
    """
    Each gets its own reply, and no more than a thousand are in flight: not even when all of them waited for the connect.
    """
    most = 0

    async with connect(server, stream_timeout=None, pool_timeout=None) as client:
        if connected:
            await client.ping()

        async def ask(number: int) -> bool:
            nonlocal most
            reply = await client.echo(f"{number}")
            most = max(most, *(channel.pending for channel in client._pool.channels()))
            return reply == b"%d" % number

        async def look() -> None:
            nonlocal most
            while True:
                most = max([most, *(channel.pending for channel in client._pool.channels())])
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        right = await asyncio.gather(*map(ask, range(5000)))
        looking.cancel()

    assert all(right)
    assert 500 < most <= 1000


async def test_a_blocking_command_delays_nobody(server: Server) -> None:
    """
    It has a connection to itself.
    """
    async with connect(server) as client:
        popping = asyncio.create_task(client.blpop(["queue"], timeout=10))
        while 1 != (await client.info("clients"))["blocked_clients"]:
            await asyncio.sleep(0.005)

        replies = await asyncio.gather(*(client.echo(f"{number}") for number in range(200)))

        assert [b"%d" % number for number in range(200)] == replies
        assert not popping.done()
        await client.rpush("queue", ["element"])
        assert (b"queue", b"element") == await asyncio.wait_for(popping, 2)


async def test_a_storm_of_cancellations(server: Server) -> None:
    """
    Whoever is not cancelled gets the reply to its own command, the connection stays, and nothing is left in the pool.
    """
    chance = random.Random(11)
    given = cancelled = 0

    async with connect(server, max_connections=2, pool_timeout=1) as client:
        await client.ping()
        identifier = await client.client_id()

        async def ask(number: int) -> None:
            nonlocal given
            nonce = f"{number}:{chance.random()}"
            assert nonce.encode() == await client.echo(nonce)
            given += 1

        for wave in range(40):
            tasks = [asyncio.create_task(ask(50 * wave + number)) for number in range(50)]
            for task in chance.sample(tasks, 40):
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.choice((0, 0, 0.0001, 0.0005)))
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, asyncio.CancelledError):
                    cancelled += 1
                else:
                    assert outcome is None

        assert 2000 == given + cancelled
        assert cancelled > 200
        assert given > 200
        assert identifier == await client.client_id()
        # Both slots can be had: the shared connection is one, a blocking command takes the other.
        assert (None, b"here") == tuple(await asyncio.gather(client.blpop(["none"], timeout=0.01), client.echo("here")))
        assert all(0 == channel.pending for channel in client._pool.channels())


async def test_a_storm_of_cancelled_connects(server: Server) -> None:
    """
    Cancelled while the connection is being opened, or while waiting for whoever opens it.
    """
    chance = random.Random(12)

    for _ in range(8):  # each takes as long as the server's clock, by which it ends blocking commands
        async with connect(server, max_connections=2, pool_timeout=1) as client:
            tasks = [
                asyncio.create_task(client.echo("shared") if number % 3 else client.blpop(["none"], timeout=0.01))
                for number in range(6)
            ]
            await asyncio.sleep(chance.choice((0, 0.0002, 0.0005, 0.001)))
            for task in chance.sample(tasks, 4):
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                assert outcome in (b"shared", None) or isinstance(outcome, asyncio.CancelledError)
            assert (None, b"here") == tuple(
                await asyncio.gather(client.blpop(["none"], timeout=0.01), client.echo("here"))
            )
