"""
The tests of consumers once more, on a cluster: what holds on one server holds there.

They run on every kind of cluster. Streams of different names are in different slots, and mostly on different nodes: ``a`` is on
one primary, ``b`` on another. Where a test has a proxy, it stands before the node of ``a``; the others are reached without it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from types import ModuleType
from typing import Any, Final

import pytest

from tests._async import test_acknowledging as acknowledging
from tests._async import test_consumer_batches as batches
from tests._async import test_consumer_faults as faults
from tests._async import test_consumer_lives as lives
from tests._async import test_consumer_loops as loops
from tests._async import test_consumers as alone
from tests._async import test_giving_up as giving_up
from tests._async import test_group_consumers as members
from tests._async import test_handing_back as handing_back
from tests._async import test_taking_over as taking_over
from tests.support.aio import RedisCluster, connect_cluster
from tests.support.clusters import Cluster, ClusterPool, slot_of
from tests.support.programs import discover
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

_MODULES: Final = (acknowledging, alone, batches, faults, giving_up, handing_back, lives, loops, members, taking_over)

_OWN_SERVER: Final = (
    "about a server of its own that dies; test_cluster_outages and test_cluster_failover do that to a cluster"
)
_NO_SERVER: Final = "nothing is sent"
#: What does not make sense here, and why.
_LEFT_OUT: Final[dict[str, str]] = {
    "test_a_demoted_server": "REPLICAOF is forbidden in a cluster; test_cluster_consumers has failovers",
    "test_a_reply_that_makes_no_sense": "its server knows no topology",
    "test_a_second_try_has_no_more_time_than_the_call": "its server knows no topology",
    "test_a_server_that_accepts_and_says_nothing": "its server knows no topology",
    "test_all_of_the_time_is_used": _OWN_SERVER,
    "test_closing_while_another_task_connects": _OWN_SERVER,
    "test_kinds": _NO_SERVER,
    "test_many_streams": "one read is one command for each slot here; test_cluster_consumers has many streams",
    "test_mistakes_are_named": _NO_SERVER,
    "test_reading_on_goes_straight": "streams in several places take the general way",
    "test_server_gone": _OWN_SERVER,
    "test_server_never_there": _OWN_SERVER,
    "test_server_restart": _OWN_SERVER,
    "test_several_streams_share_the_reading": "a read is of one node; test_cluster_consumers has a busy node beside quiet ones",
    "test_stopping_while_the_server_is_out_of_reach": _OWN_SERVER,
    "test_what_can_never_be_read_is_an_error_at_last": "its server knows no topology",
    "test_what_cannot_be_read_and_is_still_there": "its server knows no topology",
    "test_what_cannot_be_read_is_asked_for_again_by_who_reads_ahead": "its server knows no topology",
    "test_what_cannot_be_read_is_handed_over_where_it_is_nowhere_else": "its server knows no topology",
}


def _adopt(module: ModuleType) -> None:
    """
    Have the tests of another module run here, with the fixtures of this one.
    """
    subject = module.__name__.rpartition(".test_")[2]
    for name, test in vars(module).items():
        if name.startswith("test_") and name not in _LEFT_OUT:
            globals()[f"test_{subject}_{name.removeprefix('test_')}"] = test


for _module in _MODULES:
    _adopt(_module)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """
    Choose the kinds of clusters for each test.
    """
    if "cluster_kind" in metafunc.fixturenames:
        metafunc.parametrize("cluster_kind", [program.identifier for program in discover().programs])


@pytest.fixture
def cluster(cluster_kind: str, cluster_pool: ClusterPool) -> Cluster:
    """
    A cluster of this kind, whole and empty.
    """
    return cluster_pool.get(discover()[cluster_kind])


@pytest.fixture
def server(cluster: Cluster) -> Server:
    """
    The node that serves stream ``a``.
    """
    return cluster.owner(slot_of("a"))


@pytest.fixture
def proxy(server: Server) -> Generator[FaultProxy, None, None]:
    """
    A fault proxy in front of that node.
    """
    with FaultProxy(server.address) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Tests that connect by themselves get clients of the cluster.
    """
    for module in _MODULES:
        if hasattr(module, "connect"):
            monkeypatch.setattr(module, "connect", _connect)


def _connect(where: Server | FaultProxy, **options: Any) -> RedisCluster[Any]:
    if isinstance(where, FaultProxy):
        options["address_map"] = {where.target: where.address}
    return connect_cluster(where, **options)


@pytest.fixture
async def redis(cluster: Cluster) -> AsyncIterator[RedisCluster[Any]]:
    """
    A client of the cluster in place of one of a single server, decoding. The converters do not know where a reply comes from,
    so one encoding will do.
    """
    async with connect_cluster(cluster, decode_responses=True) as client:
        yield client


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[RedisCluster[bytes]]:
    """
    The same with the default options.
    """
    async with connect_cluster(cluster) as client:
        yield client
