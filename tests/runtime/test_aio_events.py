"""
Something to wait for in tasks, set once.
"""

from __future__ import annotations

import asyncio
import math

from coredis._runtime import aio
from tests.runtime.halves import soon
from tests.runtime.wire import task, turns


async def test_all_who_wait_are_woken() -> None:
    """
    And whoever comes later does not wait.
    """
    event = aio.Event()
    waiting = [task(event.wait(soon())) for _ in range(3)]
    await turns()
    assert not event.is_set()

    event.set()
    event.set()

    assert [True, True, True] == await asyncio.gather(*waiting)
    assert await event.wait(soon(-1.0))


async def test_a_wait_ends_at_its_deadline() -> None:
    """
    The event can be set all the same.
    """
    event = aio.Event()

    assert not await event.wait(soon(0.005))
    event.set()
    assert await event.wait(math.inf)


async def test_a_cancelled_wait_does_not_set_it() -> None:
    """
    Nor does it keep the others from being woken.
    """
    event = aio.Event()
    waiting = task(event.wait(math.inf))
    await turns()
    waiting.cancel()
    await turns()

    assert not event.is_set()
    event.set()
    assert event.is_set()
