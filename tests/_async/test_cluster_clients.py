"""
Clients of clusters: how they are made, whom they connect to, how often they ask, and what is left of them.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from coredis.exceptions import (
    AuthenticationError,
    ClusterError,
    ConnectionError,
    ConnectionLostError,
    ConnectTimeoutError,
)
from coredis.retry import RetryPolicy
from tests._async.waiting import until
from tests.conftest import StartCluster
from tests.support.aio import RedisCluster, connect_cluster, gather, sleep, spawn
from tests.support.certificates import Certificates
from tests.support.clusters import Cluster, slot_of
from tests.support.servers import Server

AT_ONCE = RetryPolicy(retries=0)


def connections(cluster: Cluster) -> dict[int, int]:
    """
    Count the clients that each node has, apart from other nodes and the one that asks.
    """
    return {
        node.port: bytes(node.command("CLIENT", "LIST", "TYPE", "NORMAL")).count(b"\n") - 1  # type: ignore[arg-type]
        for node in cluster.nodes
    }


class TestMaking:
    def test_arguments(self) -> None:
        """
        Mistakes are found at once, and name the argument.
        """
        with pytest.raises(ValueError, match="host: give it, or startup_nodes"):
            RedisCluster()
        with pytest.raises(ValueError, match="port: needs a host"):
            RedisCluster(port=7000)
        with pytest.raises(ValueError, match="port: expected 1 to 65535"):
            RedisCluster("localhost", 0)
        with pytest.raises(ValueError, match="startup_nodes: expected host and port"):
            RedisCluster(startup_nodes=[("localhost",)])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="startup_nodes: expected several nodes"):
            RedisCluster(startup_nodes={"host": "localhost", "port": 1})  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="address_map"):
            RedisCluster("localhost", address_map=1)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="retry_policy"):
            RedisCluster("localhost", retry_policy=3)  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="max_connections"):
            RedisCluster("localhost", max_connections=0)
        for name in ("max_connections_per_node", "non_atomic_cross_slot", "read_from_replicas", "decode_responses"):
            options: dict[str, Any] = {name: "no"}
            with pytest.raises(TypeError, match=f"{name}: expected True or False"):
                RedisCluster("localhost", **options)

    def test_urls(self) -> None:
        """
        A URL names one node; its options are the arguments.
        """
        client = RedisCluster.from_url(
            "redis://localhost:7001/0?read_from_replicas=yes&max_connections_per_node=1&non_atomic_cross_slot=0"
        )

        assert "<RedisCluster localhost:7001>" == repr(client)
        for url, message in (
            ("redis://localhost/1", "database 0 only"),
            ("unix:///tmp/x", "no Unix socket"),
            ("redis://localhost?colour=red", "unknown parameter 'colour'"),
            ("redis://localhost?read_from_replicas=perhaps", "read_from_replicas"),
        ):
            with pytest.raises(ValueError, match=message):
                RedisCluster.from_url(url)

    def test_looks(self) -> None:
        """
        No secret is shown, and nothing can be pickled.
        """
        client = RedisCluster("localhost", startup_nodes=[("other", 7001)], username="me", password="secret")

        assert "<RedisCluster localhost:7000, other:7001>" == repr(client)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(client)

    async def test_from_a_url(self, cluster: Cluster) -> None:
        """
        It works like any other.
        """
        async with RedisCluster.from_url(f"redis://{cluster.host}:{cluster.port}", decode_responses=True) as client:
            assert await client.set("foo", "bar")
            assert "bar" == await client.get("foo")


class TestConnecting:
    async def test_as_few_as_needed(self, cluster: Cluster) -> None:
        """
        One connection to each node that is used; the startup node's is one of them, or is closed.
        """
        seed = cluster.replicas[0]
        async with RedisCluster(seed.host, seed.port) as client:
            await client.get("foo")
            owner = cluster.owner(slot_of("foo"))
            await until(
                lambda: {owner.port: 1} == {port: number for port, number in connections(cluster).items() if number}
            )

            await client.ping()
            await until(
                lambda: (
                    {node.port: 1 for node in cluster.primaries}
                    == {port: number for port, number in connections(cluster).items() if number}
                )
            )

    async def test_the_topology_is_asked_for_once(self, cluster: Cluster) -> None:
        """
        By one of many commands that need it, and not again.
        """
        async with connect_cluster(cluster) as client:

            async def use() -> bytes | None:
                return await client.get("foo")

            await gather(*[use] * 30)
            await sleep(0.2)
            await gather(*[use] * 30)

        assert 1 == cluster.calls("cluster|slots")

    async def test_it_is_asked_for_now_and_then(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        In use only.
        """
        monkeypatch.setattr("coredis._async.nodes.REFRESH_SECONDS", 0.2)
        monkeypatch.setattr("coredis._sync.nodes.REFRESH_SECONDS", 0.2)
        async with connect_cluster(cluster) as client:
            await client.get("foo")
            await sleep(0.6)
            assert 1 == cluster.calls("cluster|slots")
            await client.get("foo")

        assert 2 == cluster.calls("cluster|slots")

    async def test_limits(self, cluster: Cluster) -> None:
        """
        The connections there may be are shared out among the nodes in use, or are each node's.
        """
        for options, expected in (
            ({"max_connections": 6}, 2),
            ({"max_connections": 2, "max_connections_per_node": True}, 2),
        ):
            async with connect_cluster(cluster, **options) as client:
                await client.ping()
                waiting = [spawn(lambda: client.blpop(["foo"], 5)) for _ in range(expected + 1)]
                port = cluster.owner(slot_of("foo")).port
                await until(lambda: connections(cluster)[port] >= expected)  # noqa: B023
                await sleep(0.05)
                most = connections(cluster)[port]
                await client.rpush("bar", ["elsewhere"])
                cluster.owner(slot_of("foo")).command("RPUSH", "foo", *"x" * len(waiting))
                for handle in waiting:
                    await handle.join()

            assert expected == most

    async def test_closing(self, cluster: Cluster) -> None:
        """
        All connections end, commands in flight fail, and the client can be used again.
        """
        client = connect_cluster(cluster)
        waiting = spawn(lambda: client.blpop(["foo"], 20))
        await until(lambda: any(connections(cluster).values()))
        await sleep(0.05)

        await client.close()

        with pytest.raises(ConnectionLostError):
            await waiting.join()
        await until(lambda: not any(connections(cluster).values()))
        assert await client.set("foo", 1)
        await client.close()

    async def test_nobody_there(self) -> None:
        """
        The error comes after a few attempts, and names a node.
        """
        async with RedisCluster(startup_nodes=[("127.0.0.1", 1), ("127.0.0.1", 2)]) as client:
            with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:[12]"):
                await client.get("foo")

    async def test_a_server_that_is_no_node(self, server: Server) -> None:
        """
        It is said at once.
        """
        async with RedisCluster(server.host, server.port) as client:
            with pytest.raises(ClusterError, match="is not a node of a cluster"):
                await client.get("foo")

    async def test_a_silent_startup_node(self, any_cluster: Cluster) -> None:
        """
        Another one is asked after a second.
        """
        silent = any_cluster.replicas[0]
        async with RedisCluster(startup_nodes=[silent.address, any_cluster.primaries[0].address]) as client:
            silent.pause()
            assert await client.set("foo", 1)


class TestAddresses:
    async def test_an_address_map(self, cluster: Cluster) -> None:
        """
        Nodes are where the map says, also those that redirects name.
        """
        seen: list[tuple[str, int]] = []

        def located(announced: tuple[str, int]) -> tuple[str, int]:
            seen.append(announced)
            return "localhost", announced[1]

        async with connect_cluster(cluster, address_map=located) as client:
            await client.ping()
            assert {"localhost"} == {node.host for node in await client.all_nodes()}
            home = cluster.owner(slot_of("foo"))
            target = next(node for node in cluster.primaries if node is not home)
            cluster.move(slot_of("foo"), target)
            try:
                assert await client.set("foo", 1)
            finally:
                cluster.move(slot_of("foo"), home)

        assert {node.address for node in cluster.nodes} == set(seen)

    async def test_a_bad_address_map(self, cluster: Cluster) -> None:
        """
        It is not taken for a fault of the server's.
        """
        wrong: Any = lambda announced: None  # noqa: E731
        async with connect_cluster(cluster, address_map=wrong) as client:
            with pytest.raises(ClusterError, match="address_map"):
                await client.get("foo")

    async def test_nodes_that_do_not_know_where_they_are(self, cluster: Cluster) -> None:
        """
        Then they are where the one is that answered.
        """
        for node in cluster.nodes:
            node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
        home = cluster.owner(slot_of("foo"))
        target = next(node for node in cluster.primaries if node is not home)
        try:
            async with connect_cluster(cluster) as client:
                await client.ping()
                assert {cluster.host} == {node.host for node in await client.all_nodes()}
                cluster.move(slot_of("foo"), target)
                assert await client.set("foo", 1)
        finally:
            cluster.move(slot_of("foo"), home)
            for node in cluster.nodes:
                node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")

    async def test_host_names(self, cluster: Cluster) -> None:
        """
        Nodes that prefer to be called by name are, and the name is resolved at every connect.
        """
        for node in cluster.nodes:
            node.command("CONFIG", "SET", "cluster-announce-hostname", "localhost")
            node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname")
        try:
            cluster.wait(
                lambda: all(bytes(node.command("CLUSTER", "NODES")).count(b",localhost") == 6 for node in cluster.nodes)  # type: ignore[arg-type]
            )
            async with connect_cluster(cluster) as client:
                assert await client.mset({"foo": 1, "bar": 2, "hello": 3})
                assert {"localhost"} == {node.host for node in await client.all_nodes()}
        finally:
            for node in cluster.nodes:
                node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")
                node.command("CONFIG", "SET", "cluster-announce-hostname", "")


class TestSecrets:
    async def test_every_node_is_logged_in_to(self, start_cluster: StartCluster) -> None:
        """
        With the credentials of the client, on redirects too.
        """
        cluster = start_cluster(replicas=0, requirepass="secret", masterauth="secret")
        async with connect_cluster(cluster, password="secret") as client:
            assert await client.mset({"foo": 1, "bar": 2, "hello": 3})
            home = cluster.owner(slot_of("foo"))
            cluster.move(slot_of("foo"), next(node for node in cluster.primaries if node is not home))
            assert b"1" == await client.get("foo")
        async with connect_cluster(cluster, password="wrong") as client:
            with pytest.raises(AuthenticationError):
                await client.get("foo")

    async def test_tls_on_every_node(self, start_tls_cluster: StartCluster, certificates: Certificates) -> None:
        """
        Nodes are verified as the startup node is, redirects are followed to their ports for TLS, and a node whose
        certificate is for another name is not talked to.
        """
        cluster = start_tls_cluster(replicas=0)
        node = cluster.nodes[0]
        options: dict[str, Any] = {"ssl": True, "ssl_ca_certs": certificates.authority}
        async with RedisCluster(node.host, node.tls_port, **options) as client:
            assert await client.mset({"foo": 1, "bar": 2, "hello": 3})
            home = cluster.owner(slot_of("foo"))
            cluster.move(slot_of("foo"), next(each for each in cluster.primaries if each is not home))
            assert b"1" == await client.get("foo")
            assert {each.tls_port for each in cluster.nodes} == {each.port for each in await client.primaries()}

        def misled(announced: tuple[str, int]) -> tuple[str, int]:
            return "127.0.0.2", announced[1]  # the certificates are for 127.0.0.1

        async with RedisCluster(
            node.host, node.tls_port, address_map=misled, retry_policy=AT_ONCE, **options
        ) as client:
            with pytest.raises(ConnectionError) as caught:
                await client.get("foo")
        assert not isinstance(caught.value, ConnectTimeoutError)


class TestForConsumers:
    async def test_places(self, cluster: Cluster) -> None:
        """
        Keys by the node that serves them; a place is equal to itself.
        """
        async with connect_cluster(cluster) as client:
            names = [b"foo", b"bar", b"{foo}2", b"c"]
            places = await client.places(names)

            assert 3 == len(places)
            assert sorted(names) == sorted(name for found in places.values() for name in found)
            for place, found in places.items():
                assert {str(place)} == {f"127.0.0.1:{cluster.owner(client.slot(name)).port}" for name in found}
            assert [b"foo", b"{foo}2"] in places.values()
            assert places.keys() == (await client.places(names)).keys()
            assert client.atomic([b"foo", b"{foo}2"])
            assert not client.atomic([b"foo", b"bar"])
            assert client.atomic([])

    async def test_a_connection_of_ones_own(self, cluster: Cluster) -> None:
        """
        To the node of a place; None is no place.
        """
        async with connect_cluster(cluster) as client:
            (place,) = await client.places([b"foo"])
            with pytest.raises(ClusterError):
                await client.detach(float("inf"), None)

            connection = await client.detach(float("inf"), place)

            assert b"" == connection.introduction
            client.discard(connection)
            assert connection.channel.closed

    async def test_what_a_consumer_tells(self, cluster: Cluster) -> None:
        """
        Redirects and losses that a consumer has seen are known when it asks for places next; the topology is asked for once.
        """
        home = cluster.owner(slot_of("foo"))
        target = next(node for node in cluster.primaries if node is not home)
        async with connect_cluster(cluster) as client:
            (place,) = await client.places([b"foo"])
            source = cluster.begin_migration(slot_of("foo"), target)
            ask = await error_of(home)
            await client.moved(ask, place)
            (asked,) = await client.places([b"foo"])
            assert asked != place
            assert str(asked) == f"127.0.0.1:{target.port}"
            connection = await client.detach(float("inf"), asked)
            assert b"ASKING" in connection.introduction
            client.discard(connection)

            cluster.finish_migration(slot_of("foo"), source, target)
            await client.moved(await error_of(home), place)
            (moved,) = await client.places([b"foo"])
            assert str(moved) == f"127.0.0.1:{target.port}"
            connection = await client.detach(float("inf"), moved)
            assert b"" == connection.introduction
            client.discard(connection)

            cluster.move(slot_of("foo"), home)
            before = cluster.calls("cluster|slots")
            await client.moved(ConnectionLostError("gone"), moved)
            await client.moved(ConnectionLostError("gone"), moved)
            assert {place} == (await client.places([b"foo"])).keys()
            assert 1 == cluster.calls("cluster|slots") - before


async def error_of(node: Server) -> Any:
    """
    Read a key that is not here, and make of the answer what the client makes.
    """
    client = RedisCluster(node.host, node.port)
    try:
        for each in await client.primaries():
            if each.port == node.port:
                await each.get("foo")
    except ClusterError as error:
        return error
    finally:
        await client.close()
    raise AssertionError("the key is here")
