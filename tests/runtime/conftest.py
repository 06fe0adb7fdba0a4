"""
Fixtures that run a test once with each half of the runtime, or give it a channel of one of them: an asynchronous one without a
network, or a blocking one to a server that echoes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import aio, blocking
from tests.runtime.halves import HALVES, Half, echo, soon
from tests.runtime.wire import Wire
from tests.support.aio import open_resources, settle
from tests.support.scripted import ScriptedServer


@pytest.fixture(autouse=True)
async def no_leaks() -> AsyncIterator[None]:
    """
    Fail a test that leaves a connection or anything running behind.
    """
    before = open_resources()
    yield
    await settle(before)


@pytest.fixture(params=HALVES, ids=[half.name for half in HALVES])
async def half(request: pytest.FixtureRequest) -> AsyncIterator[Half]:
    """
    One half of the pair; the channels opened through it are closed after the test.
    """
    chosen: Half = request.param
    yield chosen
    await chosen.close()


@pytest.fixture
def echoing() -> Iterator[ScriptedServer]:
    """
    A server that answers with the last word of each command.
    """
    with ScriptedServer(echo) as server:
        yield server


@pytest.fixture
def blocking_channel(echoing: ScriptedServer) -> Iterator[blocking.Channel]:
    """
    A blocking channel to that server.
    """
    opened = blocking.connect(TCPAddress(echoing.host, echoing.port), None, True, soon())
    yield opened
    opened.close()


@pytest.fixture
async def channel() -> aio.Channel:
    """
    An asynchronous channel without a network.
    """
    return aio.Channel(asyncio.get_running_loop())


@pytest.fixture
async def wire(channel: aio.Channel) -> Wire:
    """
    What it writes to.
    """
    return Wire(channel)
