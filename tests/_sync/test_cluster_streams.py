# Generated from tests/_async/test_cluster_streams.py by scripts/generate.py: edit that file, not this one.
"""
The tests of the stream commands once more, on a cluster: what holds on one server holds there.

With half of the protocols and encodings: converters do not know where a reply comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests._sync import test_adding_many as adding
from tests._sync import test_streams_entries as entries
from tests._sync import test_streams_groups as groups
from tests._sync import test_streams_information as information
from tests._sync import test_streams_reading as reading
from tests.support.blocking import RedisCluster, connect_cluster
from tests.support.clusters import Cluster


@pytest.fixture
def server(cluster: Cluster) -> Cluster:
    """
    What tests ask for its version.
    """
    return cluster


@pytest.fixture
def redis(cluster: Cluster) -> Iterator[RedisCluster[Any]]:
    """
    A client of a cluster in place of one of a single server, decoding and with the older protocol.
    """
    with connect_cluster(cluster, protocol=2, decode_responses=True) as client:
        yield client


@pytest.fixture
def client(cluster: Cluster) -> Iterator[RedisCluster[bytes]]:
    """
    The same with the default options.
    """
    with connect_cluster(cluster) as client:
        yield client


class TestAdding(entries.TestAdding): ...


class TestAddingMany(adding.TestOutcome): ...


class TestIdempotentProducers(entries.TestIdempotentProducers): ...


class TestDeleting(entries.TestDeleting): ...


class TestRanges(entries.TestRanges): ...


class TestGroupReading(groups.TestReading): ...


class TestGroupBlocking(groups.TestBlocking): ...


class TestAcknowledging(groups.TestAcknowledging): ...


class TestPending(groups.TestPending): ...


class TestClaiming(groups.TestClaiming): ...


class TestGroups(groups.TestGroups): ...


class TestStream(information.TestStream): ...


class TestGroupsAndConsumers(information.TestGroupsAndConsumers): ...


class TestSettings(information.TestSettings): ...


class TestReading(reading.TestReading): ...


class TestBlocking(reading.TestBlocking): ...
