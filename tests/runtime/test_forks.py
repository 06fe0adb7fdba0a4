"""
A forked child leaves the connections of its parent alone, and both go on working.
"""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coredis import Redis
from coredis._runtime import forks
from coredis.sync import Redis as BlockingRedis
from tests.support.scripted import ScriptedServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")


class Holder:
    """
    Something that holds connections.
    """

    def __init__(self) -> None:
        self.forgotten = 0

    def forget_parent(self) -> None:
        self.forgotten += 1


def in_child(function: Callable[[], bool]) -> bool:
    """
    Fork, run a function in the child, and give what it says of its success.
    """
    with warnings.catch_warnings():
        # Later versions of Python warn because the scripted server runs in a thread of the parent.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if function() else 2
        finally:
            os._exit(code)  # nothing of the test runner is to run twice
    return os.waitpid(child, 0)[1] == 0


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """
    A server that says PONG to everything.
    """
    with ScriptedServer(lambda _: b"+PONG\r\n") as server:
        yield server


def test_holders_are_told_in_the_child() -> None:
    """
    Once, and not in the parent.
    """
    holder = Holder()
    forks.after_fork(holder)

    assert in_child(lambda: holder.forgotten == 1)
    assert 0 == holder.forgotten


def test_a_holder_is_not_kept_alive() -> None:
    """
    Being told is no reason to live.
    """
    holder = Holder()
    forks.after_fork(holder)
    reference = weakref.ref(holder)

    del holder
    gc.collect()

    assert reference() is None
    assert in_child(lambda: True)


def test_inherited_connections_live_as_long_as_the_child() -> None:
    """
    So no finalizer closes what the parent uses.
    """

    class Connection:
        pass

    def keep() -> bool:
        connection = Connection()
        reference = weakref.ref(connection)
        forks.keep_inherited([connection])
        del connection
        gc.collect()
        return reference() is not None

    assert in_child(keep)


def test_a_blocking_client_works_in_both(server: ScriptedServer) -> None:
    """
    The child opens a connection of its own and the parent's stays as it is.
    """
    client: BlockingRedis[Any] = BlockingRedis(host=server.host, port=server.port)
    client.ping()
    assert 1 == server.accepted

    def use() -> bool:
        client.ping()
        client.ping()
        client.close()
        gc.collect()
        return True

    assert in_child(use)
    assert 2 == server.accepted
    client.ping()
    assert 2 == server.accepted
    client.close()


def test_a_child_that_does_nothing_leaves_the_parent_alone(server: ScriptedServer) -> None:
    """
    Neither its garbage collection nor its end touches the connection.
    """
    client: BlockingRedis[Any] = BlockingRedis(host=server.host, port=server.port)
    client.ping()

    for _ in range(2):
        assert in_child(lambda: gc.collect() >= 0)
        client.ping()

    assert 1 == server.accepted
    client.close()


def test_a_child_may_drop_the_client(server: ScriptedServer) -> None:
    """
    Not even its finalizer touches the parent's connection.
    """
    holder: list[BlockingRedis[Any]] = [BlockingRedis(host=server.host, port=server.port)]
    holder[0].ping()

    def drop() -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            holder.clear()
            gc.collect()
        return True

    assert in_child(drop)
    holder[0].ping()
    assert (1, 1) == (server.accepted, server.live)
    holder[0].close()


def test_a_child_of_a_thread_in_the_middle_of_a_request(server: ScriptedServer) -> None:
    """
    Locks that were held in the parent do not hold up the child.
    """
    client: BlockingRedis[Any] = BlockingRedis(host=server.host, port=server.port)
    client.ping()
    pool = next(
        holder
        for holder in forks._holders
        if getattr(holder, "_state", None) and holder.options.address.port == server.port
    )  # type: ignore[attr-defined]

    with pool._lock:  # type: ignore[attr-defined]
        assert in_child(lambda: client.ping() is not None)

    client.ping()
    client.close()


def test_an_asynchronous_client_works_in_both(server: ScriptedServer) -> None:
    """
    In the child it belongs to the child's event loop.
    """
    client: Redis[Any] = Redis(host=server.host, port=server.port)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(client.ping())
        assert 1 == server.accepted

        async def use() -> bool:
            await client.ping()
            await client.close()
            gc.collect()
            return True

        assert in_child(lambda: asyncio.run(use()))
        assert 2 == server.accepted
        loop.run_until_complete(client.ping())
        assert 2 == server.accepted
        loop.run_until_complete(client.close())
    finally:
        loop.close()
