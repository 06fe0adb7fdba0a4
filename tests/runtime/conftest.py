"""
Fixtures that run a test once with each half of the runtime.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.runtime.halves import HALVES, Half
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
