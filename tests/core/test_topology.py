"""
What nodes tell about their cluster becomes a map from slots to nodes.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core.config import TCPAddress
from coredis._core.slots import SLOTS
from coredis._core.topology import NodeInfo, Shard, Topology, address_reader, read_shards, read_slots
from coredis.exceptions import ClusterError, InvalidResponse

ASKED = TCPAddress("seed.example", 7000)
UNMAPPED = address_reader(None)


def node(port: int, *replicas: int, host: bytes | None = b"10.0.0.1") -> list[Any]:
    """
    Make a primary and its replicas as CLUSTER SLOTS tells of them.
    """
    return [[host, each, b"%040d" % each, []] for each in (port, *replicas)]


THREE = [
    [5461, 10922, *node(7002, 7005)],
    [0, 5460, *node(7001, 7004)],
    [10923, 16383, *node(7003, 7006)],
]


def at(port: int, host: str = "10.0.0.1") -> TCPAddress:
    return TCPAddress(host, port)


def test_slots_have_primaries() -> None:
    """
    Bounds of ranges belong to them, and shards are in the order of their lowest slots.
    """
    topology = read_slots(THREE, ASKED, UNMAPPED)

    found = [topology.shard(slot) for slot in (0, 5460, 5461, 10922, 10923, 16383)]

    assert [7001, 7001, 7002, 7002, 7003, 7003] == [shard.primary.address.port for shard in found if shard]
    assert (at(7001), at(7002), at(7003)) == tuple(each.address for each in topology.primaries)
    assert (at(7004), at(7005), at(7006)) == tuple(each.address for each in topology.replicas)
    assert {at(port) for port in range(7001, 7007)} == topology.addresses
    assert topology.covered


def test_a_slot_that_nobody_serves() -> None:
    """
    Before, between and after ranges.
    """
    topology = read_slots([[10, 20, *node(7001)], [30, 40, *node(7002)]], ASKED, UNMAPPED)

    assert [None] * 4 == [topology.shard(slot) for slot in (9, 21, 29, 41)]
    assert not topology.covered


def test_a_primary_with_several_ranges_is_one_shard() -> None:
    """
    Neighbouring ranges are joined.
    """
    reply = [[0, 9, *node(7001, 7004)], [20, 29, *node(7001, 7004)], [10, 19, *node(7001, 7004)], [40, 49, *node(7001)]]

    (shard,) = read_slots(reply, ASKED, UNMAPPED).shards

    assert ((0, 29), (40, 49)) == shard.ranges
    assert (at(7004),) == tuple(each.address for each in shard.replicas)


@pytest.mark.parametrize("host", [None, b"", b"?"])
def test_a_host_left_out_is_the_one_asked(host: bytes | None) -> None:
    """
    With ``cluster-preferred-endpoint-type unknown-endpoint`` nodes do not say where they are.
    """
    (shard,) = read_slots([[0, 100, *node(7001, host=host)]], ASKED, UNMAPPED).shards

    assert at(7001, "seed.example") == shard.primary.address


@pytest.mark.parametrize("metadata", [[b"hostname", b"one.example"], {b"hostname": b"one.example"}, [], None])
def test_other_names_are_kept(metadata: Any) -> None:
    """
    As RESP2 and RESP3 send them, and as older servers do not.
    """
    (shard,) = read_slots([[0, 9, [b"10.0.0.1", 7001, b"id", metadata]]], ASKED, UNMAPPED).shards

    assert (frozenset({"one.example"}) if metadata else frozenset()) == shard.primary.names
    assert "id" == shard.primary.identifier


def test_nodes_of_old_servers() -> None:
    """
    A node may be just host and port.
    """
    (shard,) = read_slots([[0, 9, [b"10.0.0.1", 7001]]], ASKED, UNMAPPED).shards

    assert NodeInfo(at(7001), ("10.0.0.1", 7001)) == shard.primary


@pytest.mark.parametrize(
    "address_map",
    [
        {("10.0.0.1", 7001): ("127.0.0.1", 17001)},
        lambda announced: ("127.0.0.1", 17001) if announced[1] == 7001 else announced,
    ],
    ids=["mapping", "function"],
)
def test_addresses_can_be_mapped(address_map: Any) -> None:
    """
    What is not in a mapping stays as it is.
    """
    topology = read_slots(THREE, ASKED, address_reader(address_map))

    assert [("127.0.0.1", 17001), ("10.0.0.1", 7002)] == [
        (each.address.host, each.address.port) for each in topology.primaries[:2]
    ]
    assert ("10.0.0.1", 7001) == topology.primaries[0].announced


@pytest.mark.parametrize("given", [None, "host", ("host",), ("host", "port"), ("", 1), ("host", 0), ("host", 70000)])
def test_a_bad_address_map_is_an_error_of_its_own(given: Any) -> None:
    """
    It is not taken for a bad reply of the server.
    """
    with pytest.raises(ClusterError, match="address_map"):
        read_slots(THREE, ASKED, address_reader(lambda _: given))


def test_an_address_map_that_raises() -> None:
    """
    Its own error is the cause.
    """

    def broken(announced: tuple[str, int]) -> tuple[str, int]:
        raise KeyError(announced)

    with pytest.raises(ClusterError) as caught:
        read_slots(THREE, ASKED, address_reader(broken))
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_address_map_of_another_type() -> None:
    """
    It is refused when the client is made.
    """
    with pytest.raises(TypeError, match="address_map: expected a mapping or a function, got int"):
        address_reader(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply",
    [
        b"OK",
        None,
        [[0]],
        [[0, 10]],
        [[0, 10, b"host"]],
        [[10, 0, *node(7001)]],
        [[0, 16384, *node(7001)]],
        [[-1, 5, *node(7001)]],
        [[0, 10, [b"host", 0]]],
        [[0, 10, [b"host", 70000]]],
        [[0, 10, [7, 7001]]],
        [[0, 10, [b"\xff", 7001]]],
    ],
)
def test_what_is_no_reply_to_cluster_slots(reply: Any) -> None:
    """
    Nothing of it is quoted.
    """
    with pytest.raises(InvalidResponse, match=r"^CLUSTER SLOTS: unexpected reply$"):
        read_slots(reply, ASKED, UNMAPPED)


# --------------------------------------------------------------------------------------------------------------- shards


def described(port: int, role: bytes, health: bytes = b"online", **more: Any) -> dict[bytes, Any]:
    """
    Make a node as CLUSTER SHARDS tells of it.
    """
    described: dict[bytes, Any] = {
        b"id": b"%040d" % port,
        b"port": port,
        b"ip": b"10.0.0.1",
        b"endpoint": b"10.0.0.1",
        b"role": role,
        b"replication-offset": 1,
        b"health": health,
    }
    return described | {name.replace("_", "-").encode(): value for name, value in more.items()}


def flat(value: Any) -> Any:
    """
    Turn maps into the flat lists of RESP2.
    """
    if isinstance(value, dict):
        return [part for pair in value.items() for part in (pair[0], flat(pair[1]))]
    return [flat(item) for item in value] if isinstance(value, list) else value


SHARDS: list[Any] = [
    {b"slots": [0, 99, 200, 299], b"nodes": [described(7004, b"replica"), described(7001, b"master")]},
    {b"slots": [], b"nodes": [described(7009, b"master")]},
    {
        b"slots": [100, 199],
        b"nodes": [described(7002, b"master", tls_port=8002), described(7005, b"replica", b"loading")],
    },
]


@pytest.mark.parametrize("reply", [SHARDS, flat(SHARDS)], ids=["resp3", "resp2"])
def test_shards(reply: Any) -> None:
    """
    Replicas that are not well and shards without slots are left out.
    """
    topology = read_shards(reply, ASKED, UNMAPPED, tls=False)

    assert [(at(7001), ((0, 99), (200, 299))), (at(7002), ((100, 199),))] == [
        (shard.primary.address, shard.ranges) for shard in topology.shards
    ]
    assert (at(7004),) == tuple(each.address for each in topology.replicas)


def test_shards_with_tls() -> None:
    """
    The ports for TLS are taken, and what has none does not count.
    """
    topology = read_shards(SHARDS, ASKED, UNMAPPED, tls=True)

    assert [at(8002)] == [shard.primary.address for shard in topology.shards]


def test_what_is_no_reply_to_cluster_shards() -> None:
    """
    Nothing of it is quoted.
    """
    with pytest.raises(InvalidResponse, match=r"^CLUSTER SHARDS: unexpected reply$"):
        read_shards([{b"slots": [1], b"nodes": []}], ASKED, UNMAPPED, tls=False)


# -------------------------------------------------------------------------------------------------------------- changes


def test_a_slot_that_moved_to_a_known_primary() -> None:
    """
    It alone changes hands.
    """
    topology = read_slots(THREE, ASKED, UNMAPPED).moved(100, at(7002))

    owners = {slot: shard.primary.address.port for slot in (99, 100, 101) if (shard := topology.shard(slot))}

    assert {99: 7001, 100: 7002, 101: 7001} == owners
    assert topology.covered


def test_a_slot_that_moved_back() -> None:
    """
    What is left is what was there before.
    """
    topology = read_slots(THREE, ASKED, UNMAPPED)

    assert topology == topology.moved(100, at(7002)).moved(100, at(7001))


def test_a_slot_that_moved_to_a_replica() -> None:
    """
    The replica has taken over all of its primary's slots.
    """
    topology = read_slots(THREE, ASKED, UNMAPPED).moved(100, at(7004))

    assert (at(7004), at(7002), at(7003)) == tuple(each.address for each in topology.primaries)
    assert at(7001) not in topology.addresses


def test_a_slot_that_moved_to_an_unknown_node() -> None:
    """
    The node is one of the cluster's from then on.
    """
    topology = read_slots(THREE, ASKED, UNMAPPED).moved(0, at(7777))

    shard = topology.shard(0)
    assert shard is not None and at(7777) == shard.primary.address


@given(st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(7001, 7006)), max_size=30))
def test_moving_slots_one_by_one(moves: list[tuple[int, int]]) -> None:
    """
    Whatever moves where: every slot keeps exactly one owner, and the slot that moved last is where it went.
    """
    topology = read_slots(THREE, ASKED, UNMAPPED)
    for slot, port in moves:
        topology = topology.moved(slot, at(port))
        shard = topology.shard(slot)
        assert shard is not None and at(port) == shard.primary.address

    assert topology.covered
    assert sorted(topology.primaries, key=lambda each: each.address.port) == sorted(
        set(topology.primaries), key=lambda each: each.address.port
    )


@given(st.lists(st.integers(0, SLOTS - 1), unique=True, max_size=20), st.integers(0, SLOTS - 1))
def test_finding_a_slot_is_finding_its_range(bounds: list[int], slot: int) -> None:
    """
    The search agrees with looking at every range.
    """
    bounds.sort()
    ranges = list(zip(bounds[::2], bounds[1::2], strict=False))
    shards = tuple(Shard(NodeInfo(at(7001 + number)), (), (each,)) for number, each in enumerate(ranges))

    found = Topology(shards).shard(slot)

    assert next((shard for shard in shards if shard.ranges[0][0] <= slot <= shard.ranges[0][1]), None) is found
