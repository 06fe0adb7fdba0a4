# Generated from tests/_async/test_cluster_adding.py by scripts/generate.py: edit that file, not this one.
"""
Many entries added to a stream of a cluster whose slot moves, or whose node is lost, meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import pytest

from coredis.exceptions import StreamAdditionError
from coredis.types import StreamAdditions
from tests.support.blocking import connect_cluster
from tests.support.clusters import Cluster, slot_of
from tests.support.servers import Server

KEY = "s"
SLOT = slot_of(KEY)


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


def numbered(count: int) -> list[dict[str, int]]:
    return [{"n": number} for number in range(count)]


@pytest.mark.parametrize("way", ["moved", "asked", "asked and moved", "moved back"])
def test_the_slot_moves(cluster: Cluster, target: Server, way: str) -> None:
    """
    Each entry is added once and in order, whether the slot has moved, moves, or goes back where it was.
    """
    home = cluster.owner(SLOT)
    told: list[StreamAdditions[bytes]] = []

    def change(batch: StreamAdditions[bytes]) -> None:
        told.append(batch)
        if len(told) == 1 and way.startswith("moved"):
            cluster.move(SLOT, target)
        elif len(told) == 1:
            cluster.begin_migration(SLOT, target)
            cluster.move_keys(SLOT, home, target)
        elif len(told) == 4 and way == "asked and moved":
            cluster.finish_migration(SLOT, home, target)
        elif len(told) == 4 and way == "moved back":
            cluster.move(SLOT, home)

    with connect_cluster(cluster) as client:
        client.xadd_many(KEY, numbered(8000), on_batch=change)
        if way == "asked":
            cluster.finish_migration(SLOT, home, target)
        entries = client.xrange(KEY)
    assert list(range(8000)) == [int(entry.field_values[b"n"]) for entry in entries]
    assert [entry.identifier for entry in entries] == [name for batch in told for name in batch.identifiers]


def test_connections_are_lost(cluster: Cluster) -> None:
    """
    What was sent without an answer is unknown, what is told to be added is there, and the rest is not.
    """
    home = cluster.owner(SLOT)
    told: list[StreamAdditions[bytes]] = []

    def cut(batch: StreamAdditions[bytes]) -> None:
        told.append(batch)
        if len(told) == 2:
            home.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    with connect_cluster(cluster) as client:
        with contextlib.suppress(StreamAdditionError):  # unless everything in flight was answered just before
            client.xadd_many(KEY, numbered(20_000), on_batch=cut)
        there = {int(entry.field_values[b"n"]): entry.identifier for entry in client.xrange(KEY)}
    for batch in told:
        for number, identifier in enumerate(batch.identifiers, batch.first):
            assert identifier in (None, there.get(number))
        assert not there.keys() & set(batch.not_added)
    assert there.keys() <= set(range(told[-1].end))
