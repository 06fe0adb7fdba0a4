# Generated from tests/_async/test_commands_server.py by scripts/generate.py: edit that file, not this one.
"""
Commands about the server itself on real servers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coredis.exceptions import ResponseError
from coredis.types import RoleInfo
from tests.support.blocking import Redis, sleep, text
from tests.support.command_table import ONCE, READ, SAMPLES, Sample
from tests.support.servers import Server, requires


def test_info(redis: Redis[Any]) -> None:
    """
    Names are str whatever is decoded, numbers are numbers.
    """
    redis.set("k", 1)
    fields = redis.info("everything")

    assert isinstance(fields["used_memory"], int)
    assert isinstance(fields["mem_fragmentation_ratio"], float)
    assert isinstance(fields["redis_version"], str)
    assert isinstance(fields["run_id"], str)
    keyspace, calls = fields["db0"], fields["cmdstat_set"]
    assert isinstance(keyspace, dict) and keyspace["keys"] == 1
    assert isinstance(calls, dict) and isinstance(calls["usec_per_call"], float)
    assert "used_memory" not in redis.info("replication", "cpu")
    assert {} == redis.info("nosuchsection")


def test_config(redis: Redis[Any]) -> None:
    """
    Settings are read by name and pattern, and changed together.
    """
    assert redis.config_set({"maxmemory-samples": 7, "hz": 12}) is True
    assert redis.config_get(["maxmemory-samples", "hz"]) == {
        text(redis, "maxmemory-samples"): text(redis, "7"),
        text(redis, "hz"): text(redis, "12"),
    }
    assert text(redis, "maxmemory") in redis.config_get("maxmem*")
    assert redis.config_get("nosuchsetting") == {}
    assert redis.config_resetstat() is True
    with pytest.raises(ResponseError):
        redis.config_set({"nosuchsetting": 1})
    with pytest.raises(ResponseError, match="without a config file"):
        redis.config_rewrite()


def test_flushing(redis: Redis[Any]) -> None:
    """
    Everything is deleted.
    """
    redis.mset({"a": 1, "b": 2})
    assert redis.dbsize() == 2
    assert redis.flushdb() is True
    redis.set("a", 1)
    assert redis.flushall("ASYNC") is True
    assert redis.dbsize() == 0


def test_times(redis: Redis[Any]) -> None:
    """
    Moments have a time zone.
    """
    now = datetime.now(UTC)

    assert abs((redis.time() - now).total_seconds()) < 60
    assert (redis.lastsave()).tzinfo is UTC


def test_saving(client: Redis[bytes]) -> None:
    """
    The data set is saved, also in the background.
    """
    assert client.save() is True
    assert client.bgsave(schedule=True) is True
    while (client.info("persistence"))["rdb_bgsave_in_progress"]:
        sleep(0.01)


def test_roles(redis: Redis[Any]) -> None:
    """
    A server becomes a replica of another, and a primary again.
    """
    primary = redis.role()
    assert (primary.role, primary.slaves) == ("master", ())
    assert isinstance(primary.offset, int)
    assert redis.replicaof("127.0.0.1", 1) is True
    replica = redis.role()
    assert redis.replicaof() is True

    assert (replica.role, replica.host, replica.port) == ("slave", "127.0.0.1", 1)
    assert replica.status in ("connect", "connecting")
    assert isinstance(redis.role(), RoleInfo)


def test_commands(redis: Redis[Any]) -> None:
    """
    The server describes its commands in the same way with both protocols.
    """
    assert redis.command_count() > 200
    every = redis.command_list()
    assert redis.command_list(pattern="xr*") == {name for name in every if name.startswith(text(redis, "xr"))}
    assert redis.command_list(aclcat="stream") < every
    assert redis.command_list(module="nosuchmodule") == set()
    with pytest.raises(ResponseError):
        redis.command_getkeys("nosuchcommand", ["a"])

    described = redis.command_info("get", "nosuchcommand", "xgroup")
    assert set(described) == {"get", "xgroup"}
    assert described["get"]["arity"] == 2
    assert "readonly" in described["get"]["flags"]
    assert described["get"]["key-specifications"][0]["begin_search"] == {"type": "index", "spec": {"index": 1}}
    assert "xgroup|create" in {command["name"] for command in described["xgroup"]["sub-commands"]}

    documents = redis.command_docs("set", "xgroup")
    arguments = documents["set"]["arguments"]
    assert isinstance(arguments, tuple)
    assert [argument["name"] for argument in arguments if isinstance(argument, dict)][:2] == ["key", "value"]
    subcommands = documents["xgroup"]["subcommands"]
    assert isinstance(subcommands, dict) and "xgroup|create" in subcommands


def test_memory(redis: Redis[Any]) -> None:
    """
    Bytes, or None.
    """
    redis.rpush("l", range(100))

    assert (redis.memory_usage("l", samples=0) or 0) > 0
    assert redis.memory_usage("absent") is None


def test_slow_log(redis: Redis[Any]) -> None:
    """
    Entries have the command in words.
    """
    redis.config_set({"slowlog-log-slower-than": 0})
    redis.slowlog_reset()
    redis.set("k", "v")

    (entry,) = [item for item in redis.slowlog_get(-1) if item.command[0] == text(redis, "SET")]

    assert entry.command == [text(redis, "SET"), text(redis, "k"), text(redis, "v")]
    assert abs(entry.start_time - datetime.now(UTC).timestamp()) < 60
    assert redis.slowlog_len() > 0
    assert len(redis.slowlog_get(1)) == 1


def test_users(redis: Redis[Any]) -> None:
    """
    Users are made, described and deleted.
    """
    assert redis.acl_whoami() == text(redis, "default")
    assert redis.acl_setuser("bob", "on", ">secret", "+get", "~a*", "(+set ~b)") is True

    user = redis.acl_getuser("bob")
    assert user is not None
    assert text(redis, "on") in user["flags"]
    assert user["keys"] == text(redis, "~a*")
    assert len(user["passwords"]) == 1
    (selector,) = user["selectors"]
    assert selector["keys"] == text(redis, "~b")
    assert redis.acl_getuser("nobody") is None
    assert [line.split()[1] for line in redis.acl_list()] == [text(redis, "bob"), text(redis, "default")]
    assert redis.acl_deluser(["bob", "nobody"]) == 1


KEYED = [sample for sample in SAMPLES if sample.keys]


@pytest.mark.parametrize("sample", KEYED, ids=str)
def test_where_keys_stand(client: Redis[bytes], server: Server, sample: Sample) -> None:
    """
    The server finds the keys of every command at the places that a cluster will route by.
    """
    if "WITHSCORE" in sample.words.split():
        requires(server, "redis-7.2", "valkey-7.2", feature=sample.words)
    words = sample.words.split()

    assert client.command_getkeys(words[0], words[1:]) == tuple(words[key].encode() for key in sample.keys)


def test_what_may_be_done(client: Redis[bytes], server: Server) -> None:
    """
    A command that the server says writes is never sent to a replica, one that blocks is known to, and one that reads keys
    can go to a replica.
    """
    described = client.command_info()
    described |= {item["name"]: item for parent in described.values() for item in parent["sub-commands"]}

    for sample in SAMPLES:
        words = sample.words.lower().split()
        found = described.get(f"{words[0]}|{words[1]}" if len(words) > 1 else "", described.get(words[0]))
        if found is None:
            continue  # an older server
        flags = found["flags"]
        assert not (sample.kind == READ and "write" in flags), sample
        if words[0] != "wait":  # Redis 7.0 does not say that it blocks
            assert ("blocking" in flags) == (sample.block is not None), sample
        if sample.keys and "readonly" in flags and words[0] != "touch":
            assert sample.kind == READ, sample
        if sample.kind == ONCE:
            assert "readonly" not in flags, sample
