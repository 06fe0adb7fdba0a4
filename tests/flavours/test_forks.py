"""
A process forks while its clients are in use: the child opens connections of its own, the parent's are left alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
import warnings
from collections.abc import Callable

import pytest

from coredis import Redis
from coredis.exceptions import WatchError
from coredis.sync import Redis as BlockingRedis
from tests.support.blocking import spawn
from tests.support.servers import Server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")

_CHILD_SECONDS = 10


def fork(function: Callable[[], bool]) -> int:
    """
    Run a function in a child, which ends with status 0 if it returns True.
    """
    with warnings.catch_warnings():
        # Later versions of Python warn of threads; there are some in these tests because users have them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(_CHILD_SECONDS)  # a child that hangs is a failure, and not the end of the run
            code = 0 if function() else 2
        finally:
            os._exit(code)  # nothing of the test runner is to run twice
    return child


def succeeded(child: int) -> bool:
    """
    Wait for a child.
    """
    return 0 == os.waitpid(child, 0)[1]


async def test_in_the_middle_of_asynchronous_requests(server: Server) -> None:
    """
    With commands queued, sent and blocked at the moment of the fork.
    """
    async with Redis(host=server.host, port=server.port) as client:
        identifier = await client.client_id()

        async def use() -> bool:
            own = await client.client_id()
            replies = await asyncio.gather(*(client.echo(f"child {number}") for number in range(100)))
            await client.close()
            return own != identifier and [b"child %d" % number for number in range(100)] == replies

        popping = asyncio.create_task(client.blpop(["queue"], timeout=10))
        asking = [asyncio.create_task(client.echo(f"{number}")) for number in range(100)]
        children = []
        for _ in range(3):
            await asyncio.sleep(0)
            children.append(fork(lambda: asyncio.run(use())))

        assert [b"%d" % number for number in range(100)] == await asyncio.gather(*asking)
        assert [True] * 3 == [succeeded(child) for child in children]
        assert identifier == await client.client_id()
        await client.rpush("queue", ["element"])
        assert (b"queue", b"element") == await asyncio.wait_for(popping, 2)


def test_in_the_middle_of_blocking_requests(server: Server) -> None:
    """
    With other threads in the middle of anything at the moment of the fork, holding the pool's lock perhaps.
    """
    with BlockingRedis(host=server.host, port=server.port, max_connections=3) as client:
        parents = {client.client_id()}
        enough = False

        def ask(name: int) -> int:
            number = 0
            while not enough:
                nonce = f"{name}:{number}"
                assert nonce.encode() == client.echo(nonce)
                number += 1
            parents.add(client.client_id())
            return number

        def use() -> bool:
            own = client.client_id()
            right = all(b"child %d" % number == client.echo(f"child {number}") for number in range(50))
            client.close()
            return right and own not in parents

        asking = [spawn(lambda name=name: ask(name)) for name in range(3)]
        popping = spawn(lambda: client.echo("beside"))
        children = []
        for _ in range(5):
            time.sleep(0.01)
            children.append(fork(use))
        results = [succeeded(child) for child in children]
        enough = True

        assert [True] * 5 == results
        assert all(asked.join() > 0 for asked in asking)
        assert b"beside" == popping.join()
        assert len(parents) <= 3  # nobody had to connect again


def test_children_of_children(server: Server) -> None:
    """
    A fork of a fork starts afresh as well.
    """
    with BlockingRedis(host=server.host, port=server.port) as client:
        identifier = client.client_id()

        def use() -> bool:
            own = client.client_id()
            grandchild = fork(lambda: client.client_id() not in (identifier, own))
            return succeeded(grandchild) and own == client.client_id() != identifier

        assert succeeded(fork(use))
        assert identifier == client.client_id()


def test_while_keys_are_watched(server: Server) -> None:
    """
    The transaction is the parent's: a child that goes on in the block, or leaves it, executes nothing and breaks nothing.
    """
    with BlockingRedis(host=server.host, port=server.port) as client, client.pipeline() as pipe:
        with pipe.watch("n") as watching:

            def use() -> bool:
                pipe.set("n", "child")
                with pytest.raises(RuntimeError, match="forked process"):
                    pipe.execute()
                pipe.set("n", "child")
                return (True,) == pipe.execute()  # on a connection of its own, after the refusal

            def leave() -> bool:
                pipe.reset()
                client.close()
                return True

            assert succeeded(fork(leave))
            watching.get("other")
        assert (None,) == pipe.results
        with pytest.raises(WatchError), pipe.watch("n"):
            assert succeeded(fork(use))
            pipe.set("n", "parent")
        assert b"child" == client.get("n")


async def test_while_keys_are_watched_asynchronously(server: Server) -> None:
    """
    The same in a task.
    """
    async with Redis(host=server.host, port=server.port) as client, client.pipeline() as pipe:
        async with pipe.watch("n"):

            async def use() -> bool:
                pipe.set("n", "child")
                with pytest.raises(RuntimeError, match="forked process"):
                    await pipe.execute()
                await client.close()
                return True

            assert succeeded(fork(lambda: asyncio.run(use())))
            pipe.set("n", "parent")
        assert b"parent" == await client.get("n")
