"""
What the command methods send, where their keys stand and what may be done with them, for all families but the streams.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import hiredis
import pytest

from coredis._async.commands.connection import ConnectionCommands
from coredis._async.commands.hashes import HashCommands
from coredis._async.commands.keys import KeyCommands
from coredis._async.commands.lists import ListCommands
from coredis._async.commands.scripting import ScriptingCommands
from coredis._async.commands.server import ServerCommands
from coredis._async.commands.sets import SetCommands
from coredis._async.commands.sorted_sets import SortedSetCommands
from coredis._async.commands.strings import StringCommands
from coredis._core import replies, wire
from coredis._core.command import Command, Requirement
from coredis._core.commands.connection import connection_state_command
from coredis.exceptions import CommandSyntaxError
from tests.support.command_table import AGAIN, READ, SAMPLES, Sample

R = TypeVar("R")
FAMILIES = (
    ConnectionCommands,
    KeyCommands,
    StringCommands,
    HashCommands,
    ListCommands,
    SetCommands,
    SortedSetCommands,
    ScriptingCommands,
    ServerCommands,
)


class Recorder(
    ConnectionCommands[bytes],
    KeyCommands[bytes],
    StringCommands[bytes],
    HashCommands[bytes],
    ListCommands[bytes],
    SetCommands[bytes],
    SortedSetCommands[bytes],
    ScriptingCommands[bytes],
    ServerCommands[bytes],
):
    """
    A client that sends nothing and returns what it would have sent.
    """

    replies = replies.raw()

    async def issue(self, command: Command[R]) -> R:
        return command  # type: ignore[return-value]


client = Recorder()


def built(call: Coroutine[Any, Any, object]) -> Command[object]:
    """
    Run a method to its end, which waits for nothing.
    """
    try:
        call.send(None)
    except StopIteration as done:
        command: Command[object] = done.value
        return command
    raise AssertionError("the method waited for something")


def sent(command: Command[object]) -> str:
    """
    Read back what goes over the wire.
    """
    reader = hiredis.Reader()
    reader.feed(wire.encode(command.arguments))
    return b" ".join(reader.gets()).decode()


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample(sample: Sample) -> None:
    """
    The method sends these words, and says the right things about them.
    """
    command = built(getattr(client, sample.method)(*sample.arguments, **sample.options))

    assert sample.words == sent(command)
    assert sample.keys == tuple(command.keys)
    assert (sample.kind == READ) == command.readonly
    assert (sample.kind in (AGAIN, READ)) == command.idempotent
    assert sample.block == command.block


def test_every_method_has_a_sample() -> None:
    """
    No method is left out of the table.
    """
    methods = {
        name
        for family in FAMILIES
        for name, member in vars(family).items()
        if inspect.iscoroutinefunction(member) and name != "issue"
    }

    assert methods == {sample.method for sample in SAMPLES}


REQUIREMENTS: list[tuple[Callable[[], Coroutine[Any, Any, object]], tuple[Requirement, ...]]] = [
    (lambda: client.zrank("a", "x", withscore=True), (Requirement("ZRANK", "WITHSCORE", "Redis 7.2"),)),
    (lambda: client.zrevrank("a", "x", withscore=True), (Requirement("ZREVRANK", "WITHSCORE", "Redis 7.2"),)),
    (lambda: client.hscan("a", novalues=True), (Requirement("HSCAN", "NOVALUES", "Redis 7.4"),)),
    (lambda: client.waitaof(0, 0, 1), (Requirement("WAITAOF", None, "Redis 7.2"),)),
    (lambda: client.client_setinfo(lib_ver="1"), (Requirement("CLIENT SETINFO", None, "Redis 7.2"),)),
    (
        lambda: client.client_kill(maxage=1),
        (Requirement("CLIENT KILL", "MAXAGE", "Redis 7.4", told_by="ERR syntax error"),),
    ),
    (lambda: client.zrank("a", "x"), ()),
    (lambda: client.hscan("a"), ()),
    (lambda: client.client_kill(identifier=1), ()),
]


@pytest.mark.parametrize(("call", "expected"), REQUIREMENTS)
def test_requirements(call: Callable[[], Coroutine[Any, Any, object]], expected: tuple[Requirement, ...]) -> None:
    """
    What not every server has is named with the version that has it.
    """
    assert expected == built(call()).requires


REFUSED: list[tuple[type[Exception], str, Callable[[], Coroutine[Any, Any, object]]]] = [
    # nothing given
    (ValueError, "keys", lambda: client.delete([])),
    (ValueError, "keys", lambda: client.mget(iter(()))),
    (ValueError, "key_values", lambda: client.mset({})),
    (ValueError, "field_values", lambda: client.hset("a", {})),
    (ValueError, "member_scores", lambda: client.zadd("a", {})),
    (ValueError, "members", lambda: client.sadd("a", [])),
    (ValueError, "elements", lambda: client.rpush("a", [])),
    (ValueError, "fields", lambda: client.hmget("a", [])),
    (ValueError, "parameter_values", lambda: client.config_set({})),
    (ValueError, "usernames", lambda: client.acl_deluser([])),
    (ValueError, "identifiers", lambda: client.client_list(identifiers=[])),
    (CommandSyntaxError, "identifier", lambda: client.client_kill()),
    (CommandSyntaxError, "lib_name, lib_ver", lambda: client.client_setinfo()),
    # of the wrong type
    (TypeError, "field_values", lambda: client.hset("a", ["f", "v"])),  # type: ignore[arg-type]
    (TypeError, "key_values", lambda: client.mset([("a", 1)])),  # type: ignore[arg-type]
    (TypeError, "member_scores", lambda: client.zadd("a", ["x"])),  # type: ignore[arg-type]
    (TypeError, "member_scores", lambda: client.zadd("a", {"x": "1"})),  # type: ignore[dict-item]
    (TypeError, "timeout", lambda: client.blpop("a", "1")),  # type: ignore[arg-type]
    (TypeError, "timeout", lambda: client.blpop("a", None)),  # type: ignore[arg-type]
    (TypeError, "timeout", lambda: client.bzpopmin("a", True)),
    (TypeError, "count", lambda: client.lpop("a", 1.5)),  # type: ignore[arg-type]
    (TypeError, "seconds", lambda: client.expire("a", 1.5)),  # type: ignore[arg-type]
    (ValueError, "count", lambda: client.lpop("a", True)),
    (TypeError, "pattern", lambda: client.keys(5)),  # type: ignore[arg-type]
    # out of bounds
    (ValueError, "count", lambda: client.scan(count=0)),
    (ValueError, "cursor", lambda: client.scan(-1)),
    (ValueError, "count", lambda: client.lmpop("a", "left", 0)),
    (ValueError, "rank", lambda: client.lpos("a", "v", rank=0)),
    (ValueError, "count", lambda: client.spop("a", -1)),
    (ValueError, "limit", lambda: client.sintercard("a", -1)),
    (ValueError, "timeout", lambda: client.blpop("a", -1)),
    (ValueError, "timeout", lambda: client.blpop("a", math.inf)),
    (ValueError, "timeout", lambda: client.blpop("a", math.nan)),
    (ValueError, "timeout", lambda: client.wait(1, -1)),
    (ValueError, "numlocal", lambda: client.waitaof(2, 0, 0)),
    (ValueError, "ex", lambda: client.set("a", 1, ex=0)),
    (ValueError, "px", lambda: client.getex("a", px=-1)),
    (ValueError, "seconds", lambda: client.setex("a", 1, 0)),
    (ValueError, "offset", lambda: client.setrange("a", -1, "v")),
    (ValueError, "freq", lambda: client.restore("a", 0, b"", freq=256)),
    (ValueError, "member_scores", lambda: client.zadd("a", {"x": math.nan})),
    (ValueError, "min_", lambda: client.zcount("a", math.nan, 1)),
    (ValueError, "port", lambda: client.replicaof("host", 0)),
    (ValueError, "count", lambda: client.slowlog_get(-2)),
    # unknown words
    (ValueError, "condition", lambda: client.set("a", 1, condition="GT")),
    (ValueError, "condition", lambda: client.expire("a", 1, "nn")),
    (ValueError, "comparison", lambda: client.zadd("a", {"x": 1}, comparison="NX")),
    (ValueError, "where", lambda: client.linsert("a", "left", "p", "v")),
    (ValueError, "wherefrom", lambda: client.lmove("a", "b", "up", "left")),
    (ValueError, "whereto", lambda: client.lmove("a", "b", "left", "down")),
    (ValueError, "aggregate", lambda: client.zunion(["a"], aggregate="avg")),
    (ValueError, "sortby", lambda: client.zrange("a", 0, 1, "rank")),
    (ValueError, "flush_type", lambda: client.flushdb("now")),
    (ValueError, "unblock_type", lambda: client.client_unblock(1, "now")),
    (ValueError, "mode", lambda: client.client_pause(1, "reads")),
    (ValueError, "type_", lambda: client.client_list("all")),
    (ValueError, "enabled", lambda: client.client_no_evict("yes")),
    # not together
    (CommandSyntaxError, "ex, px", lambda: client.set("a", 1, ex=1, px=1)),
    (CommandSyntaxError, "exat, keepttl", lambda: client.set("a", 1, exat=1, keepttl=True)),
    (CommandSyntaxError, "persist, pxat", lambda: client.getex("a", pxat=1, persist=True)),
    (CommandSyntaxError, "count, withvalues", lambda: client.hrandfield("a", withvalues=True)),
    (CommandSyntaxError, "count, withscores", lambda: client.zrandmember("a", withscores=True)),
    (CommandSyntaxError, "comparison, condition", lambda: client.zadd("a", {"x": 1}, "NX", "GT")),
    (CommandSyntaxError, "increment", lambda: client.zadd("a", {"x": 1, "y": 2}, increment=True)),
    (CommandSyntaxError, "count, offset", lambda: client.zrange("a", 0, 1, "byscore", offset=0)),
    (CommandSyntaxError, "sortby", lambda: client.zrange("a", 0, 1, offset=0, count=1)),
    (CommandSyntaxError, "withscores", lambda: client.zrange("a", "-", "+", "bylex", withscores=True)),
    (CommandSyntaxError, "weights", lambda: client.zunionstore(["a", "b"], "d", weights=[1])),
    (CommandSyntaxError, "freq, idletime", lambda: client.restore("a", 0, b"", idletime=1, freq=1)),
    (CommandSyntaxError, "host, port", lambda: client.replicaof("host")),
    (CommandSyntaxError, "aclcat, pattern", lambda: client.command_list(aclcat="read", pattern="x")),
]


@pytest.mark.parametrize(("error", "named", "call"), REFUSED)
def test_refused(error: type[Exception], named: str, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """
    A wrong argument is refused before anything is sent, and named.
    """
    with pytest.raises(error, match=f"^[a-z_, ]*{named}[a-z_, ]*: "):
        built(call())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("SELECT", 1), "SELECT"),
        ((b"subscribe", "channel"), "SUBSCRIBE"),
        (("client", b"reply", "off"), "CLIENT REPLY"),
        (("CLIENT REPLY", "off"), "CLIENT REPLY"),
        (("client", "list"), None),
        (("get", "select"), None),
        (("get",), None),
        ((), None),
        (("incrby", "a", 1), None),
        ((bytearray(b"watch"), "a"), "WATCH"),
    ],
)
def test_connection_state_command(words: tuple[Any, ...], expected: str | None) -> None:
    """
    Commands that would change a shared connection are recognised however they are spelled.
    """
    assert expected == connection_state_command(words)
