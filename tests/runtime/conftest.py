"""
Fixtures that run a test once with each half of the runtime, or give it an asynchronous channel without a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from coredis._runtime import aio
from tests.runtime.halves import HALVES, Half
from tests.runtime.wire import Wire
from tests.support.aio import open_resources, settle


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
