"""
Fixtures of one flavour: clients on the servers found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from coredis._core.consumer import claims
from tests.support.aio import Redis, connect, end_spawned, open_resources, settle
from tests.support.servers import Server


@pytest.fixture(autouse=True)
async def no_leaks() -> AsyncIterator[None]:
    """
    Fail a test that leaves a connection or anything running behind.
    """
    before = open_resources()
    yield
    try:
        await settle(before)
    finally:
        await end_spawned()


@pytest.fixture
async def redis(server: Server, protocol: int, decode: bool) -> AsyncIterator[Redis[Any]]:
    """
    A client on every server, with both protocols, raw and decoded.
    """
    async with connect(server, protocol=protocol, decode_responses=decode) as client:
        yield client


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Redis[bytes]]:
    """
    A client with the default options on every server, for tests to which the protocol makes no difference.
    """
    async with connect(server) as client:
        yield client


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Consumers look for entries to take over many times a second, however long these must have been idle.
    """
    monkeypatch.setattr(claims, "SHORTEST_INTERVAL", 0.02)
    monkeypatch.setattr(claims, "INTERVAL_FRACTION", 0.0)
