"""
Pipelines over a cluster: to all nodes at once, each command on its own, and transactions on one node.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from coredis.exceptions import (
    ClusterCrossSlotError,
    ConnectionError,
    ExecAbortError,
    RequestTimeoutError,
    ResponseError,
    WatchError,
    WrongTypeError,
)
from tests._async.waiting import until
from tests.support.aio import RedisCluster, connect_cluster, gather, spawn, text
from tests.support.clusters import Cluster, slot_of
from tests.support.servers import Server

KEY = "foo"
SLOT = slot_of(KEY)
KEYS = [f"key-{number}" for number in range(60)]


@pytest.fixture
async def redis(cluster: Cluster, protocol: int) -> AsyncIterator[RedisCluster[Any]]:
    """
    A client with both protocols: raw with the newer, decoded with the older.
    """
    async with connect_cluster(cluster, protocol=protocol, decode_responses=protocol == 2) as client:
        yield client


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[RedisCluster[bytes]]:
    """
    A client that knows the topology.
    """
    async with connect_cluster(cluster) as client:
        await client.ping()
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


class TestPlain:
    async def test_results_are_in_the_callers_order(self, redis: RedisCluster[Any]) -> None:
        """
        Whatever node each came from.
        """
        async with redis.pipeline() as pipe:
            written = [pipe.set(key, key) for key in KEYS]
            read = [pipe.get(key) for key in reversed(KEYS)]
            missing = pipe.get("absent")

        assert all(handle.result() for handle in written)
        assert [text(redis, key) for key in reversed(KEYS)] == [handle.result() for handle in read]
        assert missing.result() is None
        assert (*[True] * 60, *[text(redis, key) for key in reversed(KEYS)], None) == pipe.results

    async def test_many(self, client: RedisCluster[bytes]) -> None:
        """
        More than leaves in one write.
        """
        pipe = client.pipeline()
        for number in range(5000):
            pipe.set(f"key-{number}", b"x" * 100 + b"%d" % number)
        await pipe.execute()
        for number in range(5000):
            pipe.get(f"key-{number}")

        assert [b"x" * 100 + b"%d" % number for number in range(5000)] == list(await pipe.execute())

    async def test_one_node_gets_its_commands_in_order(self, client: RedisCluster[bytes]) -> None:
        """
        So commands on one key see each other.
        """
        async with client.pipeline() as pipe:
            counts = [pipe.incr(KEYS[number % 7]) for number in range(70)]

        assert [number // 7 + 1 for number in range(70)] == [handle.result() for handle in counts]

    async def test_split_and_keyless_commands(self, redis: RedisCluster[Any]) -> None:
        """
        As without a pipeline.
        """
        async with redis.pipeline() as pipe:
            pipe.mset({key: number for number, key in enumerate(KEYS)})
            values = pipe.mget([*KEYS, "absent"])
            deleted = pipe.delete(KEYS[:10])
            size = pipe.dbsize()
            pong = pipe.ping()
            word = pipe.execute_command("MGET", "key-10", "key-11")
            keyed = pipe.execute_command("XLEN", "stream")

        assert [*[text(redis, str(number)) for number in range(60)], None] == list(values.result())
        assert 10 == deleted.result()
        assert 50 == size.result()
        assert text(redis, "PONG") == pong.result()
        assert [text(redis, "10"), text(redis, "11")] == word.result()
        assert 0 == keyed.result()

    async def test_keys_in_several_slots(self, client: RedisCluster[bytes]) -> None:
        """
        The command is refused when it is queued; given word by word, when it is executed.
        """
        async with client.pipeline(raise_on_error=False) as pipe:
            with pytest.raises(ClusterCrossSlotError):
                pipe.rename("foo", "bar")
            before = pipe.set("foo", 1)
            word = pipe.execute_command("RENAME", "foo", "bar")
            after = pipe.get("foo")

        assert before.result()
        assert isinstance(word.error, ClusterCrossSlotError)
        assert b"1" == after.result()

    async def test_errors_are_each_commands_own(self, client: RedisCluster[bytes]) -> None:
        """
        The first is raised, after all have run.
        """
        pipe = client.pipeline()
        pipe.set("foo", 1)
        wrong = pipe.xlen("foo")
        right = pipe.set("bar", 2)

        with pytest.raises(WrongTypeError):
            await pipe.execute()

        assert isinstance(wrong.error, WrongTypeError)
        assert right.result()

    async def test_blocking_commands(self, client: RedisCluster[bytes]) -> None:
        """
        They wait on their nodes at the same time, beside what else the client does.
        """

        async def wait() -> tuple[object, ...]:
            async with client.pipeline() as pipe:
                pipe.blpop(["foo"], 20)
                pipe.blpop(["bar"], 20)
            return pipe.results

        waiting = spawn(wait)
        await client.rpush("bar", ["2"])
        await client.rpush("foo", ["1"])

        assert [[b"foo", b"1"], [b"bar", b"2"]] == [list(result) for result in await waiting.join()]  # type: ignore[call-overload]

    async def test_at_the_same_time(self, cluster: Cluster) -> None:
        """
        Pipelines of many callers, with one connection to each node, do not wait for each other for ever.
        """
        async with connect_cluster(cluster, max_connections=3) as client:

            async def work() -> bool:
                for _ in range(5):
                    async with client.pipeline() as pipe:
                        for key in KEYS:
                            pipe.incr(key)
                return True

            assert all(await gather(*[work] * 6))
            assert {b"30"} == set(await client.mget(KEYS))


class TestMovingSlots:
    async def test_moved(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        What was redirected arrives, in its order, and the rest is not sent twice.
        """
        cluster.move(SLOT, target)

        async with client.pipeline() as pipe:
            counts = [pipe.incr(key) for _ in range(10) for key in (KEY, "bar", "hello")]

        assert [number // 3 + 1 for number in range(30)] == [handle.result() for handle in counts]

    async def test_ask(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        Each command is introduced that needs it.
        """
        source = cluster.begin_migration(SLOT, target)

        async with client.pipeline() as pipe:
            counts = [pipe.incr(key) for _ in range(10) for key in (KEY, "bar", "hello")]
        cluster.move_keys(SLOT, source, target)
        cluster.finish_migration(SLOT, source, target)

        assert [number // 3 + 1 for number in range(30)] == [handle.result() for handle in counts]
        assert 10 == cluster.calls("asking")
        assert b"10" == await client.get(KEY)

    async def test_under_load(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        Pipelines and transactions while a slot moves back and forth: nothing lost, nothing twice.
        """
        over = False
        done = [0, 0]

        async def plain() -> None:
            while not over:
                async with client.pipeline() as pipe:
                    for key in (f"{{{KEY}}}plain", "bar"):
                        pipe.incr(key)
                done[0] += 1

        async def transactions() -> None:
            while not over:
                async with client.pipeline(transaction=True) as pipe:
                    pipe.incr(f"{{{KEY}}}one")
                    pipe.incr(f"{{{KEY}}}two")
                done[1] += 1

        workers = [spawn(plain), spawn(transactions)]
        home = cluster.owner(SLOT)
        for turn in range(4):
            await until(lambda turn=turn: min(done) > 5 * turn)  # type: ignore[misc]
            cluster.move(SLOT, home if turn % 2 else target)
        await until(lambda: min(done) > 20)
        over = True
        for worker in workers:
            await worker.join()

        assert b"%d" % done[0] == await client.get(f"{{{KEY}}}plain")
        assert [b"%d" % done[1]] * 2 == list(await client.mget([f"{{{KEY}}}one", f"{{{KEY}}}two"]))

    async def test_a_failover(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        Commands go to the new primary.
        """
        await client.set(KEY, 0)
        cluster.replicated()
        cluster.fail_over(cluster.replica_of(cluster.owner(SLOT)))

        async with client.pipeline() as pipe:
            counts = [pipe.incr(key) for _ in range(3) for key in (KEY, "bar")]

        assert [1, 1, 2, 2, 3, 3] == [handle.result() for handle in counts]

    async def test_a_dead_node(self, any_cluster: Cluster) -> None:
        """
        Its commands fail, each with what is known of it; the others do not.
        """
        async with connect_cluster(any_cluster, stream_timeout=0.4) as client:
            await client.ping()
            any_cluster.owner(SLOT).kill()
            async with client.pipeline(raise_on_error=False) as pipe:
                lost = [pipe.incr(KEY), pipe.incr(KEY)]
                fine = [pipe.incr("bar"), pipe.incr("hello")]

        assert all(isinstance(handle.error, ConnectionError) for handle in lost)
        assert [1, 1] == [handle.result() for handle in fine]

    async def test_a_silent_node(self, any_cluster: Cluster) -> None:
        """
        Its commands run out of time, the others do not.
        """
        async with connect_cluster(any_cluster, stream_timeout=0.4) as client:
            await client.ping()
            any_cluster.owner(SLOT).pause()
            async with client.pipeline(raise_on_error=False) as pipe:
                late = pipe.incr(KEY)
                fine = [pipe.incr("bar"), pipe.incr("hello")]

        assert isinstance(late.error, RequestTimeoutError)
        assert late.error.may_have_run
        assert [1, 1] == [handle.result() for handle in fine]


class TestTransactions:
    async def test_in_one_slot(self, redis: RedisCluster[Any]) -> None:
        """
        All or nothing, on the node of the keys.
        """
        async with redis.pipeline(transaction=True) as pipe:
            pipe.set("{foo}a", 1)
            pipe.incr("{foo}a")
            pipe.ping()
            pipe.mget(["{foo}a", "{foo}b"])
            pipe.execute_command("GET", "{foo}a")

        assert (True, 2, text(redis, "PONG"), (text(redis, "2"), None), text(redis, "2")) == pipe.results

    async def test_in_several_slots(self, client: RedisCluster[bytes]) -> None:
        """
        It is refused when it is queued, and what was queued before can still be executed.
        """
        pipe = client.pipeline(transaction=True)
        pipe.set("foo", 1)
        with pytest.raises(ClusterCrossSlotError, match="a transaction is on one node and in one slot") as caught:
            pipe.set("bar", 1)
        with pytest.raises(ClusterCrossSlotError):
            pipe.delete(["foo", "bar"])

        assert {b"foo": 12182, b"bar": 5061} == caught.value.slots
        assert (True,) == await pipe.execute()

    async def test_in_several_slots_word_by_word(self, client: RedisCluster[bytes]) -> None:
        """
        It is refused when it is executed; nothing has run.
        """
        pipe = client.pipeline(transaction=True)
        pipe.set("foo", 1)
        pipe.execute_command("SET", "bar", 1)

        with pytest.raises(ClusterCrossSlotError):
            await pipe.execute()

        assert 0 == await client.dbsize()

    async def test_the_next_one_may_be_elsewhere(self, client: RedisCluster[bytes]) -> None:
        """
        A pipeline can be used again for another slot, also after it was reset.
        """
        pipe = client.pipeline(transaction=True)
        for key in ("foo", "bar", "hello"):
            pipe.incr(key)
            assert (1,) == await pipe.execute()
        pipe.incr("foo")
        pipe.reset()
        pipe.incr("bar")

        assert (2,) == await pipe.execute()

    async def test_without_keys(self, client: RedisCluster[bytes]) -> None:
        """
        Any node will do.
        """
        async with client.pipeline(transaction=True) as pipe:
            pipe.echo("hello")

        assert (b"hello",) == pipe.results

    async def test_a_refused_command(self, client: RedisCluster[bytes]) -> None:
        """
        Nothing runs, and nothing is tried again.
        """
        pipe = client.pipeline(transaction=True, raise_on_error=False)
        pipe.set("foo", 1)
        pipe.execute_command("INCR", "foo", "too", "many")
        results = await pipe.execute()

        assert [ExecAbortError, ResponseError] == [type(result) for result in results]
        assert await client.get("foo") is None

    async def test_moved(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        The whole is sent again.
        """
        cluster.move(SLOT, target)

        async with client.pipeline(transaction=True) as pipe:
            pipe.incr("{foo}a")
            pipe.incr("{foo}b")

        assert (1, 1) == pipe.results

    async def test_ask(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        The whole is introduced once.
        """
        source = cluster.begin_migration(SLOT, target)

        async with client.pipeline(transaction=True) as pipe:
            pipe.incr("{foo}a")
            pipe.incr("{foo}a")
        cluster.finish_migration(SLOT, source, target)

        assert (1, 2) == pipe.results
        assert b"2" == await client.get("{foo}a")
        assert 1 == cluster.calls("asking")

    async def test_several_keys_of_a_slot_that_is_moving(
        self, client: RedisCluster[bytes], cluster: Cluster, target: Server
    ) -> None:
        """
        No node takes it until the slot has moved (TRYAGAIN), which is waited for.
        """
        source = cluster.begin_migration(SLOT, target)

        async def transaction() -> tuple[object, ...]:
            async with client.pipeline(transaction=True) as pipe:
                pipe.incr("{foo}a")
                pipe.incr("{foo}b")
            return pipe.results

        waiting = spawn(transaction)
        await until(lambda: b"errorstat_TRYAGAIN" in bytes(target.command("INFO", "errorstats")))  # type: ignore[arg-type]
        cluster.finish_migration(SLOT, source, target)

        assert (1, 1) == await waiting.join()


class TestWatching:
    async def test_unchanged(self, client: RedisCluster[bytes]) -> None:
        """
        Reads go through the client, and the commands run as one.
        """
        await client.set("{foo}a", 5)
        async with client.pipeline() as pipe, pipe.watch("{foo}a", "{foo}b"):
            value = int(await client.get("{foo}a") or 0)
            pipe.set("{foo}a", value + 1)

        assert b"6" == await client.get("{foo}a")

    async def test_changed(self, client: RedisCluster[bytes]) -> None:
        """
        Nothing runs.
        """
        with pytest.raises(WatchError):
            async with client.pipeline() as pipe, pipe.watch("foo"):
                await client.set("foo", 100)
                pipe.set("foo", 0)

        assert b"100" == await client.get("foo")

    async def test_in_several_slots(self, client: RedisCluster[bytes]) -> None:
        """
        It is refused at once; so are commands in another slot than the keys that are watched.
        """
        pipe = client.pipeline()
        with pytest.raises(ClusterCrossSlotError):
            async with pipe.watch("foo", "bar"):
                pass
        with pytest.raises(ClusterCrossSlotError, match="a transaction is on one node"):
            async with pipe.watch("foo"):
                pipe.set("bar", 1)

        assert 0 == await client.dbsize()

    async def test_a_slot_that_has_moved(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        WATCH is redirected.
        """
        cluster.move(SLOT, target)

        async with client.pipeline() as pipe, pipe.watch("foo"):
            pipe.incr("foo")

        assert (1,) == pipe.results

    async def test_a_slot_that_is_moving(self, client: RedisCluster[bytes], cluster: Cluster, target: Server) -> None:
        """
        WATCH and the transaction are introduced.
        """
        cluster.begin_migration(SLOT, target)

        async with client.pipeline() as pipe, pipe.watch("foo"):
            pipe.incr("foo")

        assert (1,) == pipe.results

    async def test_a_slot_that_moves_meanwhile(
        self, client: RedisCluster[bytes], cluster: Cluster, target: Server
    ) -> None:
        """
        Nobody can tell whether the key was changed, so it counts as changed; then it works.
        """
        with pytest.raises(WatchError):
            async with client.pipeline() as pipe, pipe.watch("foo"):
                cluster.move(SLOT, target)
                pipe.incr("foo")

        assert await client.get("foo") is None
        async with pipe.watch("foo"):
            pipe.incr("foo")
        assert (1,) == pipe.results
