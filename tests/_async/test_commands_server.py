"""
Commands about the server itself on real servers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coredis.exceptions import ResponseError
from coredis.types import RoleInfo
from tests.support.aio import Redis, sleep, text
from tests.support.command_table import ONCE, READ, SAMPLES, Sample
from tests.support.servers import Server, requires


async def test_info(redis: Redis[Any]) -> None:
    """
    Names are str whatever is decoded, numbers are numbers.
    """
    await redis.set("k", 1)
    fields = await redis.info("everything")

    assert isinstance(fields["used_memory"], int)
    assert isinstance(fields["mem_fragmentation_ratio"], float)
    assert isinstance(fields["redis_version"], str)
    assert isinstance(fields["run_id"], str)
    keyspace, calls = fields["db0"], fields["cmdstat_set"]
    assert isinstance(keyspace, dict) and keyspace["keys"] == 1
    assert isinstance(calls, dict) and isinstance(calls["usec_per_call"], float)
    assert "used_memory" not in await redis.info("replication", "cpu")
    assert {} == await redis.info("nosuchsection")


async def test_config(redis: Redis[Any]) -> None:
    """
    Settings are read by name and pattern, and changed together.
    """
    assert await redis.config_set({"maxmemory-samples": 7, "hz": 12}) is True
    assert await redis.config_get(["maxmemory-samples", "hz"]) == {
        text(redis, "maxmemory-samples"): text(redis, "7"),
        text(redis, "hz"): text(redis, "12"),
    }
    assert text(redis, "maxmemory") in await redis.config_get("maxmem*")
    assert await redis.config_get("nosuchsetting") == {}
    assert await redis.config_resetstat() is True
    with pytest.raises(ResponseError):
        await redis.config_set({"nosuchsetting": 1})
    with pytest.raises(ResponseError, match="without a config file"):
        await redis.config_rewrite()


async def test_flushing(redis: Redis[Any]) -> None:
    """
    Everything is deleted.
    """
    await redis.mset({"a": 1, "b": 2})
    assert await redis.dbsize() == 2
    assert await redis.flushdb() is True
    await redis.set("a", 1)
    assert await redis.flushall("ASYNC") is True
    assert await redis.dbsize() == 0


async def test_times(redis: Redis[Any]) -> None:
    """
    Moments have a time zone.
    """
    now = datetime.now(UTC)

    assert abs((await redis.time() - now).total_seconds()) < 60
    assert (await redis.lastsave()).tzinfo is UTC


async def test_saving(client: Redis[bytes]) -> None:
    """
    The data set is saved, also in the background.
    """
    assert await client.save() is True
    assert await client.bgsave(schedule=True) is True
    while (await client.info("persistence"))["rdb_bgsave_in_progress"]:
        await sleep(0.01)


async def test_roles(redis: Redis[Any]) -> None:
    """
    A server becomes a replica of another, and a primary again.
    """
    primary = await redis.role()
    assert (primary.role, primary.slaves) == ("master", ())
    assert isinstance(primary.offset, int)
    assert await redis.replicaof("127.0.0.1", 1) is True
    replica = await redis.role()
    assert await redis.replicaof() is True

    assert (replica.role, replica.host, replica.port) == ("slave", "127.0.0.1", 1)
    assert replica.status in ("connect", "connecting")
    assert isinstance(await redis.role(), RoleInfo)


async def test_commands(redis: Redis[Any]) -> None:
    """
    The server describes its commands in the same way with both protocols.
    """
    assert await redis.command_count() > 200
    every = await redis.command_list()
    assert await redis.command_list(pattern="xr*") == {name for name in every if name.startswith(text(redis, "xr"))}
    assert await redis.command_list(aclcat="stream") < every
    assert await redis.command_list(module="nosuchmodule") == set()
    with pytest.raises(ResponseError):
        await redis.command_getkeys("nosuchcommand", ["a"])

    described = await redis.command_info("get", "nosuchcommand", "xgroup")
    assert set(described) == {"get", "xgroup"}
    assert described["get"]["arity"] == 2
    assert "readonly" in described["get"]["flags"]
    assert described["get"]["key-specifications"][0]["begin_search"] == {"type": "index", "spec": {"index": 1}}
    assert "xgroup|create" in {command["name"] for command in described["xgroup"]["sub-commands"]}

    documents = await redis.command_docs("set", "xgroup")
    arguments = documents["set"]["arguments"]
    assert isinstance(arguments, tuple)
    assert [argument["name"] for argument in arguments if isinstance(argument, dict)][:2] == ["key", "value"]
    subcommands = documents["xgroup"]["subcommands"]
    assert isinstance(subcommands, dict) and "xgroup|create" in subcommands


async def test_memory(redis: Redis[Any]) -> None:
    """
    Bytes, or None.
    """
    await redis.rpush("l", range(100))

    assert (await redis.memory_usage("l", samples=0) or 0) > 0
    assert await redis.memory_usage("absent") is None


async def test_slow_log(redis: Redis[Any]) -> None:
    """
    Entries have the command in words.
    """
    await redis.config_set({"slowlog-log-slower-than": 0})
    await redis.slowlog_reset()
    await redis.set("k", "v")

    (entry,) = [item for item in await redis.slowlog_get(-1) if item.command[0] == text(redis, "SET")]

    assert entry.command == [text(redis, "SET"), text(redis, "k"), text(redis, "v")]
    assert abs(entry.start_time - datetime.now(UTC).timestamp()) < 60
    assert await redis.slowlog_len() > 0
    assert len(await redis.slowlog_get(1)) == 1


async def test_users(redis: Redis[Any]) -> None:
    """
    Users are made, described and deleted.
    """
    assert await redis.acl_whoami() == text(redis, "default")
    assert await redis.acl_setuser("bob", "on", ">secret", "+get", "~a*", "(+set ~b)") is True

    user = await redis.acl_getuser("bob")
    assert user is not None
    assert text(redis, "on") in user["flags"]
    assert user["keys"] == text(redis, "~a*")
    assert len(user["passwords"]) == 1
    (selector,) = user["selectors"]
    assert selector["keys"] == text(redis, "~b")
    assert await redis.acl_getuser("nobody") is None
    assert [line.split()[1] for line in await redis.acl_list()] == [text(redis, "bob"), text(redis, "default")]
    assert await redis.acl_deluser(["bob", "nobody"]) == 1


KEYED = [sample for sample in SAMPLES if sample.keys]


@pytest.mark.parametrize("sample", KEYED, ids=str)
async def test_where_keys_stand(client: Redis[bytes], server: Server, sample: Sample) -> None:
    """
    The server finds the keys of every command at the places that a cluster will route by.
    """
    if "WITHSCORE" in sample.words.split():
        requires(server, "redis-7.2", "valkey-7.2", feature=sample.words)
    words = sample.words.split()

    assert await client.command_getkeys(words[0], words[1:]) == tuple(words[key].encode() for key in sample.keys)


async def test_what_may_be_done(client: Redis[bytes], server: Server) -> None:
    """
    A command that the server says writes is never sent to a replica, one that blocks is known to, and one that reads keys
    can go to a replica.
    """
    described = await client.command_info()
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
