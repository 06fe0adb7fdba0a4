"""
A blocking client of a cluster whose thread is interrupted, as by Ctrl-C.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from coredis.sync import RedisCluster
from tests.support.clusters import Cluster
from tests.support.resources import snapshot
from tests.support.strikes import strike

# Of a use that takes long, every so manieth point is struck.
STRIDES = {"_connect": 11, "_pipeline": 3, "_split": 5, "_topology": 3, "_watch": 3}
# In three slots of three nodes.
KEYS = ["a", "b", "c"]


def _command(client: RedisCluster[bytes]) -> object:
    return client.get("a")


def _topology(client: RedisCluster[bytes]) -> object:
    client.nodes.doubt(client.nodes.generation)
    return client.get("a")


def _connect(client: RedisCluster[bytes]) -> object:
    client.close()
    return client.get("a")


def _split(client: RedisCluster[bytes]) -> object:
    return client.mget(KEYS)


def _pipeline(client: RedisCluster[bytes]) -> object:
    with client.pipeline() as pipe:
        for key in KEYS:
            pipe.get(key)
    return pipe.results


def _transaction(client: RedisCluster[bytes]) -> object:
    with client.pipeline(transaction=True) as pipe:
        pipe.get("a")
    return pipe.results


def _watch(client: RedisCluster[bytes]) -> object:
    with client.pipeline() as pipe, pipe.watch("a"):
        pipe.get("a")
    return pipe.results


# A socket that is struck before anybody owns it is closed by its finalizer, which says so.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("use", [_command, _topology, _connect, _split, _pipeline, _transaction, _watch])
def test_no_moment_leaks_a_connection(
    any_cluster: Cluster, use: Callable[[RedisCluster[bytes]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Interrupted at each point, one after the other: the only connection there may be to each node is free again each time,
    and sound, and nobody waits for somebody who asks for the topology no more.
    """
    monkeypatch.setattr("coredis._sync.nodes.SHORTEST_SECONDS", 0.0)
    monkeypatch.setattr("coredis._sync.nodes.LONGEST_SECONDS", 0.0)
    monkeypatch.setattr("coredis._sync.nodes.JITTER_SECONDS", 0.0)
    struck, point = True, 0
    enabled = gc.isenabled()
    gc.disable()  # or it would hide what is held by nobody and closed by nobody

    before = len(snapshot().sockets)
    try:
        with RedisCluster(any_cluster.host, any_cluster.port, max_connections=1, pool_timeout=0.2) as client:
            client.mset(dict.fromkeys(KEYS, 0))
            while struck:
                struck = strike(point, lambda: use(client))
                generation = client.nodes.generation
                client.nodes.doubt(generation)
                assert client.mset({key: f"{key}:{point}" for key in KEYS})
                assert client.nodes.generation > generation
                assert [f"{key}:{point}".encode() for key in KEYS] == [client.get(key) for key in KEYS]
                assert len(snapshot().sockets) - before <= len(any_cluster.nodes)  # one for each
                point += STRIDES.get(use.__name__, 1)
    finally:
        if enabled:
            gc.enable()

    assert point > 30
