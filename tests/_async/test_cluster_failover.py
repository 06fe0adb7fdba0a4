"""
Primaries that step down, die or fall silent: commands go on with the new one, after a pause.

What is the client's doing alone is tested with one kind of server; a broken cluster takes its time to heal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from coredis.exceptions import ConnectionError, RequestTimeoutError
from tests._async.waiting import until
from tests.support.aio import RedisCluster, connect_cluster, sleep, spawn
from tests.support.clusters import Cluster, slot_of

KEY = "foo"
SLOT = slot_of(KEY)
# A failover that nobody ordered takes NODE_TIMEOUT, twice, and an election; a machine under load takes its time.
PATIENCE_SECONDS = 20.0


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[RedisCluster[bytes]]:
    """
    A client that knows the topology, has much time, and has connections to every primary.
    """
    async with connect_cluster(cluster, stream_timeout=PATIENCE_SECONDS) as client:
        await client.set(KEY, 0)
        await client.ping()
        cluster.replicated()
        yield client


async def increased(client: RedisCluster[bytes]) -> bool:
    """
    Tell whether INCR either has run, or its error says that it may have: it had been sent when the connection broke.
    """
    try:
        return 1 == await client.incr(f"{{{KEY}}}counter")
    except ConnectionError as error:
        return error.may_have_run


class TestOrdered:
    async def test_under_load(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        Nobody sees it, no command is lost and none runs twice.
        """
        over = False
        counts = [0, 0, 0]

        async def work(number: int) -> None:
            while not over:
                counts[number] += 1
                assert counts[number] == await client.incr(f"{{{KEY}}}{number}")

        def worker(number: int) -> Any:
            return lambda: work(number)

        before = cluster.calls("cluster|slots")
        workers = [spawn(worker(number)) for number in range(3)]
        for turn in range(2):
            await until(lambda turn=turn: min(counts) > 20 * turn)  # type: ignore[misc]
            cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))
        await until(lambda: min(counts) > 40)
        over = True
        for handle in workers:
            await handle.join()

        assert [b"%d" % count for count in counts] == list(await client.mget([f"{{{KEY}}}{n}" for n in range(3)]))
        # Once after each failover, and perhaps once more, of a node that had not heard of it yet.
        assert cluster.calls("cluster|slots") - before <= 6

    async def test_an_idle_client(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        It is told by the old primary, and learns all slots of the new one at once.
        """
        before = cluster.calls("cluster|slots")
        cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))

        assert 1 == await client.incr(KEY)
        await sleep(0.2)
        for number in range(50):
            await client.set(f"key-{number}", number)

        assert 1 == cluster.calls("cluster|slots") - before

    async def test_without_help(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        TAKEOVER asks nobody.
        """
        cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)), how="TAKEOVER")

        assert 1 == await client.incr(KEY)

    async def test_a_blocked_command(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        It goes on waiting at the new primary.
        """
        old = cluster.owner(SLOT)
        waiting = spawn(lambda: client.blpop([f"{{{KEY}}}list"], 60))
        await until(lambda: b"blocked_clients:0" not in bytes(old.command("INFO", "clients")))  # type: ignore[arg-type]

        cluster.fail_over(cluster.replica_of(old))
        await client.rpush(f"{{{KEY}}}list", ["x"])

        assert [f"{{{KEY}}}list".encode(), b"x"] == list(await waiting.join() or ())

    async def test_replicas_that_are_primaries_now(self, cluster: Cluster) -> None:
        """
        A client that reads from replicas finds the new ones.
        """
        async with connect_cluster(cluster, read_from_replicas=True) as client:
            await client.set(KEY, 1)
            cluster.replicated()
            assert b"1" == await client.get(KEY)

            cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))

            assert await client.set(KEY, 2)
            cluster.replicated()
            await until(lambda: cluster.replica_of(cluster.owner(SLOT)))
            assert await client.get(KEY) in (b"1", b"2")


class TestKilled:
    async def test_a_primary(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
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
            assert await client.set(elsewhere, number)
        assert not writing.done
        together = spawn(lambda: client.mget([KEY, elsewhere]))

        assert await writing.join()
        assert await reading.join() in (b"0", b"1")
        assert b"19" == (await together.join())[1]
        assert await counting.join()
        # While it lasts the topology is asked for at growing intervals, by one command for all.
        assert 1 <= cluster.calls("cluster|slots") - before <= 40

    async def test_a_command_that_has_no_time(self, any_cluster: Cluster) -> None:
        """
        It ends when its time does, and certainly did not run.
        """
        async with connect_cluster(any_cluster, stream_timeout=0.3) as client:
            await client.ping()
            any_cluster.owner(SLOT).kill()

            with pytest.raises(ConnectionError):
                await client.set(KEY, 1)
            with pytest.raises(ConnectionError) as caught:
                await client.incr(KEY)

        assert not caught.value.may_have_run

    async def test_a_silent_primary(self, any_cluster: Cluster) -> None:
        """
        What was sent to it runs out of time; what comes after the failover goes to the new one.
        """
        silent = any_cluster.owner(SLOT)
        async with connect_cluster(any_cluster, stream_timeout=0.5) as client:
            await client.ping()
            silent.pause()
            with pytest.raises(RequestTimeoutError) as caught:
                await client.incr(KEY)
            others = [node for node in any_cluster.nodes if node is not silent]
            any_cluster.wait(lambda: all(silent is not any_cluster.owner(SLOT, node) for node in others))

            assert await client.set(KEY, 1)
            assert b"1" == await client.get(KEY)

        assert caught.value.may_have_run


class TestStartupNodes:
    async def test_one_that_answers_is_enough(self, any_cluster: Cluster) -> None:
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

        async with RedisCluster(startup_nodes=nodes) as client:
            assert await client.set(KEY, 1)

    async def test_they_are_not_needed_later(self, any_cluster: Cluster) -> None:
        """
        Any node tells what the cluster looks like.
        """
        seed = any_cluster.replica_of(any_cluster.owner(SLOT))
        async with RedisCluster(seed.host, seed.port) as client:
            await client.ping()
            seed.kill()

            any_cluster.move(SLOT, next(node for node in any_cluster.primaries if node is not any_cluster.owner(SLOT)))

            assert await client.set(KEY, 1)
            assert await client.ping()
        any_cluster.move(SLOT, any_cluster.primaries[-1])
