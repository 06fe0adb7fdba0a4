# Generated from tests/_async/test_cluster_commands.py by scripts/generate.py: edit that file, not this one.
"""
Commands on a cluster: each finds its node, or all of its nodes, and the answers become one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coredis.exceptions import ClusterCrossSlotError, MovedError, NotBusyError, ResponseError, WrongTypeError
from tests.support.blocking import RedisCluster, connect_cluster, gather, sleep, spawn, text
from tests.support.clusters import Cluster, slot_of

KEYS = [f"key-{number}" for number in range(60)]


@pytest.fixture
def redis(cluster: Cluster, protocol: int) -> Iterator[RedisCluster[Any]]:
    """
    A client with both protocols: raw with the newer, decoded with the older.
    """
    with connect_cluster(cluster, protocol=protocol, decode_responses=protocol == 2) as client:
        yield client


@pytest.fixture
def client(cluster: Cluster) -> Iterator[RedisCluster[bytes]]:
    """
    A client with the default options.
    """
    with connect_cluster(cluster) as client:
        yield client


def sizes(cluster: Cluster) -> list[int]:
    """
    Count the keys of each primary.
    """
    return [size for primary in cluster.primaries if isinstance(size := primary.command("DBSIZE"), int)]


class TestOneKey:
    def test_every_key_finds_its_node(self, redis: RedisCluster[Any], cluster: Cluster) -> None:
        """
        Without a single redirect.
        """
        for key in KEYS:
            assert redis.set(key, key)

        assert [text(redis, key) for key in KEYS] == [redis.get(key) for key in KEYS]
        assert all(sizes(cluster))
        assert len(KEYS) == sum(sizes(cluster))
        assert b"errorstat_MOVED" not in b"".join(
            reply for node in cluster.primaries if isinstance(reply := node.command("INFO", "errorstats"), bytes)
        )

    def test_hash_tags(self, client: RedisCluster[bytes]) -> None:
        """
        Commands with several keys work where these share a slot.
        """
        client.sadd("{tag}one", ["a", "b"])
        client.sadd("{tag}two", ["b", "c"])

        assert {b"b"} == client.sinter(["{tag}one", "{tag}two"])
        assert client.rename("{tag}one", "{tag}three")

    def test_keys_in_several_slots(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        The command is refused before anything is sent.
        """
        client.ping()
        before = cluster.calls("rename")

        with pytest.raises(ClusterCrossSlotError, match=r"b'foo' in 12182, b'bar' in 5061") as caught:
            client.rename("foo", "bar")

        assert {b"foo": 12182, b"bar": 5061} == caught.value.slots
        assert before == cluster.calls("rename")

    def test_blocking(self, client: RedisCluster[bytes]) -> None:
        """
        A blocking command waits on its node, and nobody else does.
        """
        waiting = spawn(lambda: client.blpop(["list"], 20))
        sleep(0.05)

        assert not waiting.done
        client.rpush("list", ["x"])
        assert [b"list", b"x"] == list(waiting.join() or ())

    def test_at_the_same_time(self, client: RedisCluster[bytes]) -> None:
        """
        Tasks or threads share the client, and each gets its own replies.
        """

        def work(number: int) -> bool:
            for turn in range(20):
                client.set(f"{number}:{turn}", f"{number}-{turn}")
            values = [client.get(f"{number}:{turn}") for turn in range(20)]
            return [f"{number}-{turn}".encode() for turn in range(20)] == values

        def worker(number: int) -> Any:
            return lambda: work(number)

        assert all(gather(*[worker(number) for number in range(8)]))

    def test_a_bad_argument(self, client: RedisCluster[bytes]) -> None:
        """
        Also as a key.
        """
        with pytest.raises(TypeError, match="expected str, bytes, int or float for key of 'GET', got NoneType"):
            client.get(None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="for value of 'SET', got NoneType"):
            client.set("key", None)  # type: ignore[arg-type]
        with pytest.raises(UnicodeEncodeError):
            client.get("\ud800")
        with pytest.raises(TypeError):
            client.mset({"a": 1, "b": object()})  # type: ignore[dict-item]


class TestSplitting:
    def test_values(self, redis: RedisCluster[Any], cluster: Cluster) -> None:
        """
        MSET and MGET, in the caller's order.
        """
        assert redis.mset({key: f"value of {key}" for key in KEYS})

        found = redis.mget([*KEYS, "absent", *reversed(KEYS)])

        values = [text(redis, f"value of {key}") for key in KEYS]
        assert [*values, None, *reversed(values)] == list(found)
        assert all(sizes(cluster))

    def test_counts(self, redis: RedisCluster[Any]) -> None:
        """
        EXISTS, TOUCH, DEL and UNLINK count over all nodes.
        """
        redis.mset(dict.fromkeys(KEYS, 1))

        assert 61 == redis.exists([*KEYS, KEYS[0], "absent"])
        assert 60 == redis.touch([*KEYS, "absent"])
        assert 20 == redis.delete([*KEYS[:20], "absent"])
        assert 40 == redis.unlink(KEYS)
        assert 0 == redis.dbsize()

    def test_it_can_be_forbidden(self, cluster: Cluster) -> None:
        """
        Then nothing is executed.
        """
        with connect_cluster(cluster, non_atomic_cross_slot=False) as client:
            with pytest.raises(ClusterCrossSlotError, match="told not to split"):
                client.mset({"a": 1, "b": 2})
            assert client.mset({"{x}a": 1, "{x}b": 2})

        assert 2 == sum(sizes(cluster))

    def test_one_part_fails(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        The error is that part's, and the others have run.
        """
        full = cluster.owner(slot_of("foo"))
        full.command("CONFIG", "SET", "maxmemory", "1")
        try:
            with pytest.raises(ResponseError, match="OOM"):
                client.mset({"foo": 1, "bar": 2, "hello": 3})
        finally:
            full.command("CONFIG", "SET", "maxmemory", "0")

        assert [None, b"2"] == list(client.mget(["foo", "bar"]))


class TestWithoutKeys:
    def test_all_primaries(self, redis: RedisCluster[Any]) -> None:
        """
        DBSIZE adds, KEYS joins, RANDOMKEY finds any, FLUSHALL empties all.
        """
        assert redis.randomkey() is None
        redis.mset(dict.fromkeys(KEYS, 1))

        assert 60 == redis.dbsize()
        assert {text(redis, key) for key in KEYS} == redis.keys("*")
        assert redis.randomkey() in {text(redis, key) for key in KEYS}
        assert redis.flushall()
        assert 0 == redis.dbsize()

    def test_ping(self, redis: RedisCluster[Any], cluster: Cluster) -> None:
        """
        Every primary answers.
        """
        assert text(redis, "PONG") == redis.ping()
        assert text(redis, "hello") == redis.ping("hello")

        for primary in cluster.primaries:
            assert b"cmdstat_ping:calls=2," in bytes(primary.command("INFO", "commandstats"))  # type: ignore[arg-type]

    def test_information(self, redis: RedisCluster[Any], cluster: Cluster) -> None:
        """
        INFO is by node.
        """
        found = redis.info("server")

        assert {f"127.0.0.1:{node.port}" for node in cluster.primaries} == found.keys()
        assert {node.port for node in cluster.primaries} == {facts["tcp_port"] for facts in found.values()}

    def test_scripts(self, redis: RedisCluster[Any], cluster: Cluster) -> None:
        """
        A script that was loaded is known to every node.
        """
        digest = redis.script_load("return KEYS[1]")

        for key in ("foo", "bar", "hello"):
            assert text(redis, key) == redis.evalsha(digest, [key])
        assert (True, False) == redis.script_exists([digest, "0" * 40])
        name = digest if isinstance(digest, str) else digest.decode()
        assert [[1]] * 6 == [node.command("SCRIPT", "EXISTS", name) for node in cluster.nodes]

        cluster.primaries[1].command("SCRIPT", "FLUSH")
        assert (False,) == redis.script_exists([digest])
        with pytest.raises(NotBusyError):
            redis.script_kill()

    def test_functions(self, client: RedisCluster[bytes]) -> None:
        """
        A library is loaded on every primary.
        """
        code = "#!lua name=lib\nredis.register_function('put', function(k, a) return redis.call('SET', k[1], a[1]) end)"
        assert b"lib" == client.function_load(code, replace=True)

        for key in ("foo", "bar", "hello"):
            assert b"OK" == client.fcall("put", [key], [key])
        assert client.function_flush()
        with pytest.raises(ResponseError):
            client.fcall("put", ["foo"], [1])

    def test_settings(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        CONFIG SET changes every node.
        """
        try:
            assert client.config_set({"slowlog-max-len": 77})
            assert {b"slowlog-max-len": b"77"} == client.config_get(["slowlog-max-len"])

            assert [[b"slowlog-max-len", b"77"]] * 6 == [
                node.command("CONFIG", "GET", "slowlog-max-len") for node in cluster.nodes
            ]
        finally:
            client.config_set({"slowlog-max-len": 128})

    def test_any_node(self, redis: RedisCluster[Any]) -> None:
        """
        What every node answers alike is asked of one.
        """
        assert text(redis, "hello") == redis.echo("hello")
        assert redis.supports("XADD", "MAXLEN")
        assert not redis.supports("NOSUCHCOMMAND")

    def test_scan(self, redis: RedisCluster[Any]) -> None:
        """
        Page by page over all primaries, and with the iterator.
        """
        redis.mset(dict.fromkeys(KEYS, 1))
        wanted = {text(redis, key) for key in KEYS}

        found: list[str | bytes] = []
        cursor = 0
        pages = 0
        while cursor or not pages:
            cursor, keys = redis.scan(cursor, count=10)
            found += keys
            pages += 1
        iterated = [key for key in redis.scan_iter(match="key-*", count=7)]

        assert wanted == set(found)
        assert wanted == set(iterated)
        assert len(wanted) == len(iterated)
        assert pages >= 3

    def test_scan_of_one_key(self, client: RedisCluster[bytes]) -> None:
        """
        It stays with the key.
        """
        client.hset("hash", {f"f{number}": number for number in range(10)})

        assert 10 == len([field for field, _ in client.hscan_iter("hash")])


class TestWordByWord:
    def test_where_the_keys_are(self, redis: RedisCluster[Any]) -> None:
        """
        The server tells, for keys in fixed places and in others.
        """
        assert text(redis, "OK") == redis.execute_command("SET", "foo", 1)
        assert text(redis, "1") == redis.execute_command("get", b"foo")
        assert text(redis, "OK") == redis.execute_command("MSET", "foo", 1, "bar", 2, "hello", 3)
        assert [text(redis, str(number)) for number in (1, 2, 3)] == redis.execute_command(
            "MGET", "foo", "bar", "hello"
        )
        assert 3 == redis.execute_command("DEL", "foo", "bar", "hello")
        redis.execute_command("XADD", "foo", "1-0", "f", "v")
        found: Any = redis.execute_command("XREAD", "COUNT", 1, "STREAMS", "foo", "0")
        assert found
        assert text(redis, "hello") == redis.execute_command("EVAL", "return KEYS[1]", 1, "hello")
        assert 1 == redis.execute_command("EVAL", "return 1", 0)
        assert text(redis, "stream") == redis.execute_command("OBJECT", "ENCODING", "foo")

    def test_without_keys(self, redis: RedisCluster[Any]) -> None:
        """
        As the methods do.
        """
        redis.mset({"foo": 1, "bar": 2})

        assert 2 == redis.execute_command("DBSIZE")
        assert 12182 == redis.execute_command("CLUSTER", "KEYSLOT", "foo")
        assert text(redis, "PONG") == redis.execute_command("PING")

    def test_errors(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        Of an unknown command, of a wrong one, and of keys in several slots.
        """
        with pytest.raises(ResponseError, match="unknown command"):
            client.execute_command("NOSUCHCOMMAND", "x")
        with pytest.raises(ResponseError, match="wrong number"):
            client.execute_command("GET")
        with pytest.raises(ClusterCrossSlotError):
            client.execute_command("RENAME", "foo", "bar")
        with pytest.raises(ValueError, match="would change a connection"):
            client.execute_command("READONLY")

    def test_what_was_learned_is_kept(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        A command is asked about once.
        """
        for number in range(5):
            client.execute_command("SET", f"key-{number}", number)

        assert 1 == cluster.calls("command|info")


class TestNodes:
    def test_one_in_particular(self, redis: RedisCluster[Any], cluster: Cluster) -> None:
        """
        Each primary and replica can be talked to.
        """
        redis.mset(dict.fromkeys(KEYS, 1))

        primaries, replicas = redis.primaries(), redis.replicas()

        assert [node.port for node in cluster.primaries] == [node.port for node in primaries]
        assert {node.port for node in cluster.replicas} == {node.port for node in replicas}
        assert sizes(cluster) == [node.dbsize() for node in primaries]
        assert [repr(node) for node in primaries + replicas] == [repr(node) for node in redis.all_nodes()]
        assert [node.port for node in replicas] == [(node.info("server"))["tcp_port"] for node in replicas]
        assert [("master", "slave")[node.replica] for node in primaries + replicas] == [
            str(getattr(node.role(), "role", "")) for node in primaries + replicas
        ]

    def test_a_key_that_is_elsewhere(self, client: RedisCluster[bytes], cluster: Cluster) -> None:
        """
        A node does not send others in its place; its replica answers for it.
        """
        client.set("foo", 1)
        cluster.replicated()
        owner = cluster.owner(slot_of("foo")).port

        for node in client.primaries():
            if node.port == owner:
                assert b"1" == node.get("foo")
            else:
                with pytest.raises(MovedError):
                    node.get("foo")
        answers = []
        for node in client.replicas():
            if any(first <= slot_of("foo") <= last for first, last in node.slots):
                answers.append(node.get("foo"))
        assert [b"1"] == answers


class TestReplicas:
    def test_reading(self, cluster: Cluster) -> None:
        """
        What changes nothing goes to replicas, the rest to primaries.
        """
        with connect_cluster(cluster, read_from_replicas=True) as client:
            client.set("foo", 1)
            cluster.replicated()
            primary = cluster.owner(slot_of("foo"))
            replica = cluster.replica_of(primary)
            for _ in range(5):
                assert b"1" == client.get("foo")

            assert b"cmdstat_get:calls=5" in bytes(replica.command("INFO", "commandstats"))  # type: ignore[arg-type]
            assert b"cmdstat_get:" not in bytes(primary.command("INFO", "commandstats"))  # type: ignore[arg-type]

    def test_a_replica_that_is_gone(self, cluster: Cluster) -> None:
        """
        Its primary answers.
        """
        with connect_cluster(cluster, read_from_replicas=True) as client:
            client.set("foo", 1)
            cluster.replicated()
            replica = cluster.replica_of(cluster.owner(slot_of("foo")))
            assert b"1" == client.get("foo")

            replica.kill()

            assert b"1" == client.get("foo")
            assert b"1" == client.get("foo")

    def test_an_error_is_an_error(self, cluster: Cluster) -> None:
        """
        A replica's answer is as good as the primary's.
        """
        with connect_cluster(cluster, read_from_replicas=True) as client:
            client.set("foo", 1)
            cluster.replicated()

            with pytest.raises(WrongTypeError):
                client.xlen("foo")
