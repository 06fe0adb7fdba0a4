# Generated from tests/_async/test_cluster_outages.py by scripts/generate.py: edit that file, not this one.
"""
A primary that has no replica is down for a while: the others go on, unless they are told not to, and nothing is lost.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._runtime import blocking as rt
from coredis.exceptions import ClusterDownError, ConnectionError, RedisError
from tests.support.blocking import RedisCluster, connect_cluster, sleep
from tests.support.clusters import Cluster, slot_of

STREAMS = [f"stream-{number}" for number in range(9)]
# Seconds. Far longer than entries of other nodes take, and far shorter than anybody would wait for the dead one.
SOON = 4.0
LONG = 30.0


def fill(client: RedisCluster[str], number: int, streams: list[str]) -> None:
    """
    Add an entry with this number to each stream.
    """
    for stream in streams:
        client.xadd(stream, {"number": number}, identifier=f"{number}-0")


def read(consumer: Any, seen: dict[str, list[str]], total: int) -> None:
    """
    Take and acknowledge so many entries.
    """
    for _ in range(total):
        stream, entry = consumer.get_entry()
        assert entry is not None, f"nothing came after {seen}"
        seen.setdefault(stream, []).append(entry.identifier)
        assert 1 == consumer.ack(stream, entry)


def down(cluster: Cluster) -> bool:
    """
    Tell whether all nodes that run say that the cluster is down.
    """
    states = [node.command("CLUSTER", "INFO") for node in cluster.nodes if node.running]
    return all(b"cluster_state:fail" in bytes(state) for state in states)  # type: ignore[arg-type]


def test_a_primary_without_replica(start_cluster: Any) -> None:
    """
    Entries of the other nodes arrive while it is gone; commands for it end in an error that tells the truth; where the cluster
    is down as a whole, commands for the others do as well; and when it is back, reading goes on with nothing lost or twice.
    """
    options: Any = {"appendonly": "yes", "appendfsync": "always", "cluster_require_full_coverage": "no"}
    cluster = start_cluster(replicas=0, **options)
    victim = cluster.primaries[1]
    dead = [stream for stream in STREAMS if cluster.owner(slot_of(stream)) is victim]
    others = [stream for stream in STREAMS if stream not in dead]
    seen: dict[str, list[str]] = {}
    with (
        connect_cluster(cluster, decode_responses=True, stream_timeout=LONG) as patient,
        connect_cluster(cluster, decode_responses=True, stream_timeout=0.7) as hasty,
        patient.xconsumer(STREAMS, group="g", consumer="c", timeout=20_000, buffer_size=4) as consumer,
        hasty.xconsumer(STREAMS, group="h", consumer="c", timeout=20_000) as holder,
    ):
        fill(patient, 1, STREAMS)
        read(consumer, seen, len(STREAMS))
        held = [holder.get_entry() for _ in STREAMS]
        hasty.ping()

        victim.kill()
        for number in range(2, 12):
            fill(patient, number, others)
            began = rt.now()
            read(consumer, seen, len(others))
            assert rt.now() - began < SOON
            sleep(0.2)
        refusals = []
        for stream in dead:
            with pytest.raises((ConnectionError, ClusterDownError)) as refused:
                hasty.xadd(stream, {"number": 0})
            refusals.append(refused.value)
        assert [False] * len(dead) == [error.may_have_run for error in refusals]
        for stream, entry in held:
            if stream in dead:
                with pytest.raises((ConnectionError, ClusterDownError)):
                    holder.ack(stream, entry)
            else:
                assert 1 == holder.ack(stream, entry)

        victim.start()
        fill(patient, 12, dead)
        read(consumer, seen, len(dead))
        for stream, entry in held:
            assert (stream in dead) == holder.ack(stream, entry)
        cluster.wait(cluster.healthy)

        for node in cluster.nodes:
            node.command("CONFIG", "SET", "cluster-require-full-coverage", "yes")
        victim.kill()
        cluster.wait(lambda: down(cluster))
        with pytest.raises(ClusterDownError) as down_error:
            hasty.xadd(others[0], {"number": 0})
        assert not down_error.value.may_have_run
        try:
            assert [] == consumer.get_entries(timeout=300)
        except RedisError:
            pass  # unless it was just waiting to be told of news, it has been refused everywhere

        victim.start()
        fill(patient, 13, STREAMS)
        read(consumer, seen, len(STREAMS))

    assert {stream: ["1-0", "12-0", "13-0"] for stream in dead} == {stream: seen[stream] for stream in dead}
    expected = [f"{number}-0" for number in (*range(1, 12), 13)]
    assert dict.fromkeys(others, expected) == {stream: seen[stream] for stream in others}
