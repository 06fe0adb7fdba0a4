"""
Where commands go in a cluster, how they are split, and how the answers become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core.command import Command
from coredis._core.config import TCPAddress
from coredis._core.routing import Plan, Scope, common_slot, decisive, make_plan, spread
from coredis._core.slots import key_slot
from coredis._core.topology import NodeInfo, Shard, Topology
from coredis.exceptions import (
    ClusterCrossSlotError,
    ClusterDownError,
    InvalidResponse,
    NotBusyError,
    ReplyError,
    ResponseError,
)


def command(*words: Any, keys: Sequence[int] = (), **attributes: Any) -> Command[Any]:
    return Command(words, lambda reply: reply, keys=keys, **attributes)


def shard(port: int, *ranges: tuple[int, int]) -> Shard:
    return Shard(NodeInfo(TCPAddress("h", port)), (NodeInfo(TCPAddress("h", port + 100)),), ranges)


TOPOLOGY = Topology((shard(7001, (0, 99)), shard(7002, (100, 299)), shard(7003, (300, 16383))))
EMPTY = Topology(())
# Two keys in two slots.
A, B = key_slot(b"a"), key_slot(b"b")


@pytest.mark.parametrize("key", ["a", b"a", bytearray(b"a"), memoryview(b"a")])
def test_a_key_decides(key: Any) -> None:
    """
    Whatever type it has.
    """
    assert Plan(Scope.SLOT, A) == make_plan(command("GET", key, keys=(1,)), "utf-8")


def test_a_number_can_be_a_key() -> None:
    """
    As it is sent.
    """
    assert Plan(Scope.SLOT, key_slot(b"17")) == make_plan(command("GET", 17, keys=(1,)), "utf-8")


def test_keys_are_encoded_as_they_are_sent() -> None:
    """
    With the client's encoding.
    """
    assert Plan(Scope.SLOT, key_slot(b"\xe4")) == make_plan(command("GET", "\xe4", keys=(1,)), "latin-1")


def test_several_keys_in_one_slot() -> None:
    """
    Nothing is split then, not even what could be.
    """
    assert Plan(Scope.SLOT, A) == make_plan(command("DEL", "a", "{a}b", "a", keys=(1, 2, 3)), "utf-8")


def test_keys_in_several_slots() -> None:
    """
    The error names the keys and their slots, as text and as data.
    """
    with pytest.raises(ClusterCrossSlotError) as caught:
        make_plan(command("RENAME", "a", "b", keys=(1, 2)), "utf-8")
    error = caught.value

    assert str(error).startswith(f"CROSSSLOT RENAME: all keys must be in one slot, and b'a' in {A}, b'b' in {B};")
    assert {b"a": A, b"b": B} == error.slots
    assert "CROSSSLOT" == error.code


def test_an_error_about_many_keys_is_short() -> None:
    """
    It names some and counts the others.
    """
    keys = [f"key-{number}" for number in range(1000)]

    with pytest.raises(ClusterCrossSlotError) as caught:
        make_plan(command("SUNION", *keys, keys=range(1, 1001)), "utf-8")

    assert "and 992 more" in str(caught.value)
    assert 1000 == len(caught.value.slots)


def test_splitting_can_be_forbidden() -> None:
    """
    The error says why.
    """
    with pytest.raises(ClusterCrossSlotError, match="told not to split"):
        make_plan(command("DEL", "a", "b", keys=(1, 2)), "utf-8", split=False)


def test_the_parts_of_a_command() -> None:
    """
    One for each slot, with its keys in their order and the flags of the whole.
    """
    plan = make_plan(command("UNLINK", "a", "b", "{a}2", keys=(1, 2, 3), idempotent=True), "utf-8")

    parts, _ = spread(plan, command("UNLINK"), EMPTY)

    assert [(("UNLINK", "a", "{a}2"), A), (("UNLINK", "b"), B)] == [
        (part.command.arguments, part.slot) for part in parts
    ]
    assert all(part.command.idempotent and not part.command.readonly for part in parts)
    assert [(1, 2), (1,)] == [tuple(part.command.keys) for part in parts]


@pytest.mark.parametrize("name", ["DEL", "del", b"EXISTS", "UNLINK", "TOUCH"])
def test_counts_are_added(name: Any) -> None:
    """
    However the command is written.
    """
    plan = make_plan(command(name, "a", "b", keys=(1, 2)), "utf-8")

    assert plan.merge is not None and 3 == plan.merge([1, 2])


def test_mset_keeps_keys_and_values_together() -> None:
    """
    Every part gets the values of its keys.
    """
    plan = make_plan(command("MSET", "a", 1, "b", 2, "{a}", 3, keys=(1, 3, 5)), "utf-8")

    assert [("MSET", "a", 1, "{a}", 3), ("MSET", "b", 2)] == [part.command.arguments for part in plan.parts]
    assert [(1, 3), (1,)] == [tuple(part.command.keys) for part in plan.parts]
    assert plan.merge is not None and b"OK" == plan.merge([b"OK", b"OK"])


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=30))
def test_mget_keeps_the_order(keys: list[bytes]) -> None:
    """
    Whatever keys are in whatever slots, and however often.
    """
    plan = make_plan(command("MGET", *keys, keys=range(1, len(keys) + 1)), "utf-8")
    if plan.scope is Scope.SLOT:
        assert 1 == len(set(map(key_slot, keys)))
        return

    assert plan.merge is not None
    replies = [[b"value of " + bytes(word) for word in part.command.arguments[1:]] for part in plan.parts]  # type: ignore[arg-type]
    assert [b"value of " + key for key in keys] == plan.merge(replies)
    assert all(key_slot(bytes(word)) == part.slot for part in plan.parts for word in part.command.arguments[1:])  # type: ignore[arg-type]


def test_the_slot_of_what_is_not_split() -> None:
    """
    In a transaction not even DEL is.
    """
    assert A == common_slot(command("DEL", "a", "{a}", keys=(1, 2)), "utf-8")
    assert common_slot(command("PING"), "utf-8") is None
    with pytest.raises(ClusterCrossSlotError):
        common_slot(command("DEL", "a", "b", keys=(1, 2)), "utf-8")


# --------------------------------------------------------------------------------------------------------- without keys


@pytest.mark.parametrize(
    ("words", "scope"),
    [
        (("TIME",), Scope.ANY),
        (("CONFIG", "GET", "x"), Scope.ANY),
        (("config", b"set", "x", "y"), Scope.NODES),
        (("CONFIG",), Scope.ANY),
        (("DBSIZE",), Scope.PRIMARIES),
        (("PING", "hello"), Scope.PRIMARIES),
        (("FLUSHALL", "ASYNC"), Scope.PRIMARIES),
        (("SCRIPT", "LOAD", "return 1"), Scope.NODES),
        (("SCRIPT", "KILL"), Scope.PRIMARIES),
        (("SCAN", 0), Scope.SCAN),
        (("SCAN", "17"), Scope.SCAN),
        (("SCAN",), Scope.ANY),
        (("SCAN", "x"), Scope.ANY),
        (("EVAL", "return 1", 0), Scope.ANY),
    ],
)
def test_where_commands_without_keys_go(words: tuple[Any, ...], scope: Scope) -> None:
    """
    The name decides, with the subcommand.
    """
    assert scope is make_plan(command(*words), "utf-8").scope


@pytest.mark.parametrize(
    ("words", "replies", "merged"),
    [
        (("DBSIZE",), [1, 2, 3], 6),
        (("KEYS", "*"), [[b"a"], [], [b"b", b"c"]], [b"a", b"b", b"c"]),
        (("FLUSHALL",), [b"OK", b"OK", b"OK"], b"OK"),
        (("SCRIPT", "EXISTS", "x", "y"), [[1, 1], [1, 0], [1, 1]], [1, 0]),
        (("RANDOMKEY",), [None, b"k", None], b"k"),
        (("RANDOMKEY",), [None, None], None),
        (("WAIT", 1, 1), [1, 0, 2], 0),
        (("SLOWLOG", "LEN"), [1, 0, 2], 3),
    ],
)
def test_replies_of_all_primaries_become_one(words: tuple[Any, ...], replies: list[Any], merged: object) -> None:
    """
    As the command's meaning asks for.
    """
    plan = make_plan(command(*words), "utf-8")

    assert plan.merge is not None and merged == plan.merge(replies)


def test_a_command_for_all_primaries_names_them_by_slot() -> None:
    """
    So after a failover the new primary gets it.
    """
    whole = command("DBSIZE")
    parts, _ = spread(make_plan(whole, "utf-8"), whole, TOPOLOGY)

    assert [(0, None), (100, None), (300, None)] == [(part.slot, part.address) for part in parts]
    assert all(part.command is whole for part in parts)


def test_a_command_for_all_nodes() -> None:
    """
    Replicas are named by their addresses.
    """
    whole = command("CONFIG", "SET", "x", "y")
    parts, _ = spread(make_plan(whole, "utf-8"), whole, TOPOLOGY)

    assert [0, 100, 300, None, None, None] == [part.slot for part in parts]
    assert [7101, 7102, 7103] == [part.address.port for part in parts if part.address]


def test_nobody_to_send_to() -> None:
    """
    It is a state of the cluster that may pass.
    """
    with pytest.raises(ClusterDownError):
        spread(make_plan(command("DBSIZE"), "utf-8"), command("DBSIZE"), EMPTY)


def test_which_error_a_command_for_many_ends_with() -> None:
    """
    The first, unless the success of one node is enough.
    """
    first, second, idle = ReplyError("1"), ResponseError("2"), NotBusyError("3")

    assert decisive([None, None], one_suffices=False) is None
    assert first is decisive([None, first, second], one_suffices=False)
    assert decisive([idle, None], one_suffices=True) is None
    assert second is decisive([idle, second], one_suffices=True)
    assert idle is decisive([idle, idle], one_suffices=True)


# ------------------------------------------------------------------------------------------------------------- scanning


def scan(topology: Topology, data: dict[int, list[list[bytes]]]) -> tuple[list[bytes], list[int]]:
    """
    Run a whole scan on invented shards: pages by port; a shard's cursor is the number of the page.
    """
    found: list[bytes] = []
    visited: list[int] = []
    cursor = 0
    while True:
        whole = command("SCAN", cursor, "COUNT", 10, readonly=True)
        (part,), merge = spread(make_plan(whole, "utf-8"), whole, topology)
        assert part.slot is not None and ("COUNT", 10) == part.command.arguments[2:]
        owner = topology.shard(part.slot)
        assert owner is not None
        port = owner.primary.address.port
        page = int(part.command.arguments[1])
        visited.append(port)
        following = page + 1 if page + 1 < len(data[port]) else 0
        cursor, keys = merge([[b"%d" % following, data[port][page]]])
        found += keys
        if cursor == 0:
            return found, visited


def test_a_scan_visits_all_primaries() -> None:
    """
    One after the other, page by page.
    """
    data = {7001: [[b"a"], [b"b"]], 7002: [[]], 7003: [[b"c"], [], [b"d"]]}

    found, visited = scan(TOPOLOGY, data)

    assert [b"a", b"b", b"c", b"d"] == found
    assert [7001, 7001, 7002, 7003, 7003, 7003] == visited


def test_a_scan_of_a_cluster_with_holes() -> None:
    """
    Slots that nobody serves are skipped.
    """
    topology = Topology((shard(7001, (50, 99)), shard(7003, (300, 399))))

    assert [b"a", b"b"] == scan(topology, {7001: [[b"a"]], 7003: [[b"b"]]})[0]


def test_a_scan_goes_on_after_its_last_shard_was_emptied() -> None:
    """
    A cursor behind all shards stays with the last.
    """
    whole = command("SCAN", 16383)
    (part,), _ = spread(make_plan(whole, "utf-8"), whole, Topology((shard(7001, (0, 99)),)))

    assert 0 == part.slot


@pytest.mark.parametrize("reply", [b"x", [b"1"], [b"x", []], None])
def test_what_is_no_reply_to_scan(reply: Any) -> None:
    """
    It is reported as such.
    """
    whole = command("SCAN", 0)
    _, merge = spread(make_plan(whole, "utf-8"), whole, TOPOLOGY)

    with pytest.raises(InvalidResponse, match="SCAN"):
        merge([reply])
