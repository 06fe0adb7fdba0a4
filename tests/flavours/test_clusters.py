"""
Clients of clusters where the flavours differ: event loops, cancellation, threads, forks and finalizers.
"""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from coredis import RedisCluster
from coredis.sync import RedisCluster as BlockingRedisCluster
from tests._sync.waiting import until
from tests.flavours.test_forks import fork, succeeded
from tests.support.blocking import spawn
from tests.support.clusters import Cluster, slot_of

# In three slots of three nodes.
KEYS = ["a", "b", "c"]


def test_a_second_event_loop_is_refused(any_cluster: Cluster) -> None:
    """
    Also by nodes that the first one has not talked to. Closed in the first one, the client can go on in the second.
    """
    client = RedisCluster(any_cluster.host, any_cluster.port)
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(client.get("a"))

        for key in KEYS:
            with pytest.raises(RuntimeError, match="another event loop"):
                second.run(client.get(key))
        first.run(client.get("a"))

        first.run(client.close())
        second.run(client.get("a"))
        second.run(client.close())


async def test_whoever_asks_for_the_topology_may_be_cancelled(any_cluster: Cluster) -> None:
    """
    Another one of those that wait asks then; at whatever step it is cancelled.
    """
    for steps in range(12):
        async with RedisCluster(any_cluster.host, any_cluster.port) as client:
            tasks = [asyncio.create_task(client.get("a")) for _ in range(3)]
            for _ in range(steps):
                await asyncio.sleep(0)
            tasks[0].cancel()

            results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)

            assert [None, None] == results[1:]


async def test_a_cancelled_fan_out_mixes_up_nothing(any_cluster: Cluster) -> None:
    """
    At whatever step: the replies that come late are nobody's.
    """
    async with RedisCluster(
        any_cluster.host, any_cluster.port, max_connections_per_node=True, max_connections=2
    ) as client:
        await client.mset({key: key for key in KEYS})
        cancelled = 0
        for steps in range(30):
            tasks = [asyncio.create_task(client.mget(KEYS)), asyncio.create_task(_pipeline(client))]
            for _ in range(steps % 15):
                await asyncio.sleep(0)
            cancelled += sum(task.cancel() for task in tasks)
            await asyncio.gather(*tasks, return_exceptions=True)

            assert (b"a", b"b", b"c") == await client.mget(KEYS)
            assert [b"c", b"b"] == [await client.get("c"), await client.get("b")]
    assert cancelled > 10


async def _pipeline(client: RedisCluster[bytes]) -> None:
    async with client.pipeline() as pipe:
        for key in KEYS:
            pipe.incr(f"count:{key}")


def test_threads_share_a_client(any_cluster: Cluster) -> None:
    """
    While slots move: each gets its own replies.
    """
    slot = slot_of("a")
    home = any_cluster.owner(slot)
    target = next(node for node in any_cluster.primaries if node is not home)
    with BlockingRedisCluster(any_cluster.host, any_cluster.port, max_connections=12) as client:
        over = False
        turns = dict.fromkeys(range(6), 0)

        def work(name: int) -> None:
            while not over:
                turns[name] = turn = turns[name] + 1
                client.mset({f"{{{key}}}{name}": f"{name}:{key}:{turn}" for key in KEYS})
                found = client.mget([f"{{{key}}}{name}" for key in KEYS])
                assert [f"{name}:{key}:{turn}".encode() for key in KEYS] == list(found)

        workers = [spawn(lambda name=name: work(name)) for name in turns]
        for _ in range(2):
            time.sleep(0.05)
            any_cluster.move(slot, target)
            time.sleep(0.05)
            any_cluster.move(slot, home)
        until(lambda: min(turns.values()) > 1)
        over = True
        for worker in workers:
            worker.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_connects_anew(any_cluster: Cluster) -> None:
    """
    Also while a thread of the parent's asks for the topology.
    """
    with BlockingRedisCluster(any_cluster.host, any_cluster.port) as client:
        client.mset({key: key for key in KEYS})
        over = False

        def ask() -> bool:
            while not over:
                client.nodes.doubt(client.nodes.generation)
                assert [b"a", b"b", b"c"] == list(client.mget(KEYS))
            return True

        def use() -> bool:
            client.nodes.doubt(client.nodes.generation)
            right = [b"a", b"b", b"c"] == list(client.mget(KEYS))
            client.close()
            return right

        asking = [spawn(ask) for _ in range(2)]
        children = []
        for _ in range(5):
            time.sleep(0.01)
            children.append(fork(use))
        results = [succeeded(child) for child in children]
        over = True

        assert [True] * 5 == results
        assert all(asked.join() for asked in asking)


def test_an_unclosed_client_warns(any_cluster: Cluster) -> None:
    """
    And its connections to all nodes are closed.
    """
    client = BlockingRedisCluster(any_cluster.host, any_cluster.port)
    client.mget(KEYS)

    with pytest.warns(ResourceWarning, match="unclosed client <RedisCluster 127"):
        del client
