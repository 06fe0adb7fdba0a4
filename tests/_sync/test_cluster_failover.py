# Generated from tests/_async/test_cluster_failover.py by scripts/generate.py: edit that file, not this one.
"""
Primaries that step down, die or fall silent: commands go on with the new one, after a pause.

What is the client's doing alone is tested with one kind of server; a broken cluster takes its time to heal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coredis.exceptions import ConnectionError, RequestTimeoutError
from tests._sync.waiting import until
from tests.support.blocking import RedisCluster, connect_cluster, sleep, spawn
from tests.support.clusters import Cluster, slot_of

KEY = "foo"
SLOT = slot_of(KEY)
# A failover that nobody ordered takes NODE_TIMEOUT, twice, and an election; a machine under load takes its time.
PATIENCE_SECONDS = 20.0


@pytest.fixture
def client(cluster: Cluster) -> Iterator[RedisCluster[bytes]]:
    """
    A client that knows the topology, has much time, and has connections to every primary.
    """
    with connect_cluster(cluster, stream_timeout=PATIENCE_SECONDS) as client:
        client.set(KEY, 0)
        client.ping()
        cluster.replicated()
        yield client


def increased(client: RedisCluster[bytes]) -> bool:
    """
    Tell whether INCR either has run, or its error says that it may have: it had been sent when the connection broke.
    """
    try:
        return 1 == client.incr(f"{{{KEY}}}counter")
    except ConnectionError as error:
        return error.may_have_run


class TestOrdered:
    def test_under_load(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        Nobody sees it, no command is lost and none runs twice.
        """
        over = False
        counts = [0, 0, 0]

        def work(number: int) -> None:
            while not over:
                counts[number] += 1
                assert counts[number] == client.incr(f"{{{KEY}}}{number}")

        def worker(number: int) -> Any:
            return lambda: work(number)

        before = cluster.calls("cluster|slots")
        workers = [spawn(worker(number)) for number in range(3)]
        for turn in range(2):
            until(lambda turn=turn: min(counts) > 20 * turn)  # type: ignore[misc]
            cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))
        until(lambda: min(counts) > 40)
        over = True
        for handle in workers:
            handle.join()

        assert [b"%d" % count for count in counts] == list(client.mget([f"{{{KEY}}}{n}" for n in range(3)]))
        # Once after each failover, and perhaps once more, of a node that had not heard of it yet.
        assert cluster.calls("cluster|slots") - before <= 6

    def test_an_idle_client(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        It is told by the old primary, and learns all slots of the new one at once.
        """
        before = cluster.calls("cluster|slots")
        cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))

        assert 1 == client.incr(KEY)
        sleep(0.2)
        for number in range(50):
            client.set(f"key-{number}", number)

        assert 1 == cluster.calls("cluster|slots") - before

    def test_without_help(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        TAKEOVER asks nobody.
        """
        cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)), how="TAKEOVER")

        assert 1 == client.incr(KEY)

    def test_a_blocked_command(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        It goes on waiting at the new primary.
        """
        old = cluster.owner(SLOT)
        waiting = spawn(lambda: client.blpop([f"{{{KEY}}}list"], 60))
        until(lambda: b"blocked_clients:0" not in bytes(old.command("INFO", "clients")))  # type: ignore[arg-type]

        cluster.fail_over(cluster.replica_of(old))
        client.rpush(f"{{{KEY}}}list", ["x"])

        assert [f"{{{KEY}}}list".encode(), b"x"] == list(waiting.join() or ())

    def test_replicas_that_are_primaries_now(self, cluster: Cluster) -> None:
        """
        A client that reads from replicas finds the new ones.
        """
        with connect_cluster(cluster, read_from_replicas=True) as client:
            client.set(KEY, 1)
            cluster.replicated()
            assert b"1" == client.get(KEY)

            cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))

            assert client.set(KEY, 2)
            cluster.replicated()
            until(lambda: cluster.replica_of(cluster.owner(SLOT)))
            assert client.get(KEY) in (b"1", b"2")


class TestKilled:
    def test_a_primary(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        Commands that may run twice, and those that have not left, wait for the new one. Other shards do not notice.
        """
        elsewhere = next(
            f"key-{number}"
            for number in range(99)
            if cluster.owner(slot_of(f"key-{number}")) is not cluster.owner(SLOT)
        )
        before = cluster.calls("cluster|slots")

        cluster.owner(SLOT).kill()
        writing = spawn(lambda: client.set(KEY, 1))
        reading = spawn(lambda: client.get(KEY))
        counting = spawn(lambda: increased(client))
        for number in range(20):
            assert client.set(elsewhere, number)
        assert not writing.done
        together = spawn(lambda: client.mget([KEY, elsewhere]))

        assert writing.join()
        assert reading.join() in (b"0", b"1")
        assert b"19" == (together.join())[1]
        assert counting.join()
        # While it lasts the topology is asked for at growing intervals, by one command for all.
        assert 1 <= cluster.calls("cluster|slots") - before <= 40

    def test_a_command_that_has_no_time(self, any_cluster: Cluster) -> None:
        """
        It ends when its time does, and certainly did not run.
        """
        with connect_cluster(any_cluster, stream_timeout=0.3) as client:
            client.ping()
            any_cluster.owner(SLOT).kill()

            with pytest.raises(ConnectionError):
                client.set(KEY, 1)
            with pytest.raises(ConnectionError) as caught:
                client.incr(KEY)

        assert not caught.value.may_have_run

    def test_a_silent_primary(self, any_cluster: Cluster) -> None:
        """
        What was sent to it runs out of time; what comes after the failover goes to the new one.
        """
        silent = any_cluster.owner(SLOT)
        with connect_cluster(any_cluster, stream_timeout=0.5) as client:
            client.ping()
            silent.pause()
            with pytest.raises(RequestTimeoutError) as caught:
                client.incr(KEY)
            others = [node for node in any_cluster.nodes if node is not silent]
            any_cluster.wait(lambda: all(silent is not any_cluster.owner(SLOT, node) for node in others))

            assert client.set(KEY, 1)
            assert b"1" == client.get(KEY)

        assert caught.value.may_have_run


class TestStartupNodes:
    def test_one_that_answers_is_enough(self, any_cluster: Cluster) -> None:
        """
        Whatever the others are.
        """
        dead = any_cluster.replica_of(any_cluster.owner(SLOT))
        dead.kill()
        nodes: list[Any] = [
            {"host": dead.host, "port": dead.port},
            (any_cluster.host, 1),
            any_cluster.primaries[0].address,
        ]

        with RedisCluster(startup_nodes=nodes) as client:
            assert client.set(KEY, 1)

    def test_they_are_not_needed_later(self, any_cluster: Cluster) -> None:
        """
        Any node tells what the cluster looks like.
        """
        seed = any_cluster.replica_of(any_cluster.owner(SLOT))
        with RedisCluster(seed.host, seed.port) as client:
            client.ping()
            seed.kill()

            any_cluster.move(SLOT, next(node for node in any_cluster.primaries if node is not any_cluster.owner(SLOT)))

            assert client.set(KEY, 1)
            assert client.ping()
        any_cluster.move(SLOT, any_cluster.primaries[-1])
