# Generated from tests/_async/test_cluster_redirects.py by scripts/generate.py: edit that file, not this one.
"""
Slots that move while commands run: redirects are followed, each command runs once, and the topology is asked for once.
"""

from __future__ import annotations

from collections.abc import Iterator, Generator
from typing import Any

import pytest

from coredis.exceptions import ClusterDownError, MovedError, RequestTimeoutError, TryAgainError
from coredis.retry import RetryPolicy
from tests._sync.waiting import until
from tests.support.blocking import RedisCluster, connect_cluster, gather, sleep, spawn
from tests.support.clusters import Cluster, slot_of
from tests.support.servers import Server

KEY = "foo"
SLOT = slot_of(KEY)


@pytest.fixture
def client(cluster: Cluster) -> Iterator[RedisCluster[bytes]]:
    """
    A client that knows the topology.
    """
    with connect_cluster(cluster) as client:
        client.set(KEY, 0)
        yield client


@pytest.fixture
def target(cluster: Cluster) -> Generator[Server, None, None]:
    """
    A primary that the slot may move to; afterwards the slot is where it was.
    """
    home = cluster.owner(SLOT)
    yield next(primary for primary in cluster.primaries if primary is not home)
    for node in cluster.primaries:
        node.command("CLUSTER", "SETSLOT", SLOT, "STABLE")
    if cluster.owner(SLOT) is not home:
        cluster.move(SLOT, home)


def refused(cluster: Cluster, code: str) -> int:
    """
    Count the errors of a kind that all nodes have answered.
    """
    total = 0
    for node in cluster.nodes:
        for line in bytes(node.command("INFO", "errorstats")).decode().splitlines():  # type: ignore[arg-type]
            if line.startswith(f"errorstat_{code}:"):
                total += int(line.partition("count=")[2])
    return total


class TestMoved:
    def test_it_is_followed(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        Once: from then on the client knows.
        """
        cluster.move(SLOT, target)

        assert 1 == client.incr(KEY)
        assert 2 == client.incr(KEY)

        assert 1 == refused(cluster, "MOVED")

    def test_the_topology_is_asked_for_once(
        self, client: RedisCluster[bytes], cluster: Cluster, target: Server
    ) -> None:
        """
        However many commands were on their way when the slot moved.
        """
        before = cluster.calls("cluster|slots")
        cluster.move(SLOT, target)

        def increase() -> int:
            return client.incr(KEY)

        gather(*[increase] * 50)
        sleep(0.2)
        for _ in range(50):
            client.incr(KEY)

        assert b"100" == client.get(KEY)
        assert 1 == cluster.calls("cluster|slots") - before

    def test_back_and_forth_under_load(
        self, client: RedisCluster[bytes], cluster: Cluster, target: Server
    ) -> None:
        """
        No command is lost, none runs twice, and nobody sees a redirect.
        """
        over = False
        counts = [0, 0, 0, 0]

        def work(number: int) -> None:
            while not over:
                key = f"{{{KEY}}}{number}"
                counts[number] += 1
                assert counts[number] == client.incr(key)
                assert b"%d" % counts[number] == client.get(key)
                client.rpush(f"{key}:list", [counts[number]])

        def worker(number: int) -> Any:
            return lambda: work(number)

        workers = [spawn(worker(number)) for number in range(4)]
        home = cluster.owner(SLOT)
        for turn in range(6):
            until(lambda turn=turn: min(counts) > 10 * turn)  # type: ignore[misc]
            source = cluster.begin_migration(SLOT, home if turn % 2 else target)
            sleep(0.02)
            cluster.move_keys(SLOT, source, home if turn % 2 else target)
            sleep(0.02)
            cluster.finish_migration(SLOT, source, home if turn % 2 else target)
        over = True
        for handle in workers:
            handle.join()

        for number in range(4):
            expected = [b"%d" % value for value in range(1, counts[number] + 1)]
            assert expected == list(client.lrange(f"{{{KEY}}}{number}:list", 0, -1))
        assert refused(cluster, "MOVED") > 0
        assert refused(cluster, "ASK") > 0

    def test_a_blocked_command(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        It goes on waiting at the other node.
        """
        waiting = spawn(lambda: client.blpop([f"{{{KEY}}}list"], 20))
        until(lambda: blocked(cluster))

        cluster.move(SLOT, target)
        client.rpush(f"{{{KEY}}}list", ["x"])

        assert [f"{{{KEY}}}list".encode(), b"x"] == list(waiting.join() or ())

    def test_two_nodes_that_disagree(self, cluster: Cluster) -> None:
        """
        After five redirects the sixth is the caller's. Here the address map sends every redirect to the wrong node.
        """
        home = cluster.owner(SLOT)
        wrong = next(primary for primary in cluster.primaries if primary is not home)
        before = refused(cluster, "MOVED")

        with connect_cluster(cluster, address_map=lambda _: (wrong.host, wrong.port)) as client:
            with pytest.raises(MovedError):
                client.get(KEY)

        assert 6 == refused(cluster, "MOVED") - before


class TestAsk:
    def test_it_is_followed(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        For keys that are not here any more; the topology stays as it is.
        """
        before = cluster.calls("cluster|slots")
        source = cluster.begin_migration(SLOT, target)

        client.set(f"{{{KEY}}}new", 1)
        assert b"1" == client.get(f"{{{KEY}}}new")
        assert b"0" == client.get(KEY)
        cluster.move_keys(SLOT, source, target)
        assert 1 == client.incr(KEY)

        assert 0 == cluster.calls("cluster|slots") - before
        assert 0 == refused(cluster, "MOVED")
        assert 3 == cluster.calls("asking")

    def test_others_are_not_introduced(
        self, client: RedisCluster[bytes], cluster: Cluster, target: Server
    ) -> None:
        """
        ASKING belongs to one command, even where many share a connection.
        """
        cluster.begin_migration(SLOT, target)
        elsewhere = next(f"key-{number}" for number in range(1000) if cluster.owner(slot_of(f"key-{number}")) is target)

        def moving() -> bool:
            return client.set(f"{{{KEY}}}new", 1)

        def staying() -> bool:
            return client.set(elsewhere, 1)

        assert all(gather(*[moving, staying] * 20))
        assert 20 == cluster.calls("asking")

    def test_keys_on_both_sides(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        TRYAGAIN is waited out.
        """
        keys = [f"{{{KEY}}}1", f"{{{KEY}}}2"]
        client.mset({keys[0]: 1, keys[1]: 2})
        source = cluster.begin_migration(SLOT, target)
        source.command("MIGRATE", target.host, target.port, keys[0], 0, 5000)

        reading = spawn(lambda: client.mget(keys))
        until(lambda: refused(cluster, "TRYAGAIN"))
        assert not reading.done
        cluster.move_keys(SLOT, source, target)

        assert [b"1", b"2"] == list(reading.join())

    def test_keys_on_both_sides_for_good(self, cluster: Cluster, target: Server) -> None:
        """
        It ends with the command's time, or at once if nothing is tried again.
        """
        keys = [f"{{{KEY}}}1", f"{{{KEY}}}2"]
        for policy in (RetryPolicy(), RetryPolicy(retries=0)):
            with connect_cluster(cluster, stream_timeout=0.3, retry_policy=policy) as client:
                client.mset({keys[0]: 1, keys[1]: 2})
                source = cluster.begin_migration(SLOT, target)
                source.command("MIGRATE", target.host, target.port, keys[0], 0, 5000)

                # The last attempt may have been too late for an answer.
                with pytest.raises((TryAgainError, RequestTimeoutError)):
                    client.mget(keys)

                cluster.move_keys(SLOT, source, target)
                cluster.finish_migration(SLOT, source, target)
                cluster.move(SLOT, source)


class TestUnserved:
    def test_a_slot_that_nobody_serves(self, cluster: Cluster, target: Server) -> None:
        """
        It is waited for, for as long as the command has time.
        """
        home = cluster.owner(SLOT)
        with connect_cluster(cluster, stream_timeout=0.3) as client:
            client.ping()
            for node in cluster.nodes:
                node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
            home.command("CLUSTER", "DELSLOTS", SLOT)
            try:
                # The last attempt may have been too late for an answer.
                with pytest.raises((ClusterDownError, RequestTimeoutError)):
                    client.get(KEY)
            finally:
                home.command("CLUSTER", "ADDSLOTS", SLOT)
                for node in cluster.nodes:
                    node.command("CONFIG", "SET", "cluster-require-full-coverage", "yes")
            cluster.wait(cluster.healthy)

            assert client.get(KEY) is None


def blocked(cluster: Cluster) -> bool:
    """
    Tell whether a client waits on any node.
    """
    return any(
        b"blocked_clients:0" not in bytes(node.command("INFO", "clients"))  # type: ignore[arg-type]
        for node in cluster.nodes
    )
