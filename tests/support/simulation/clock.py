"""
Put a simulated clock, random source and event loop in the place of the real ones, for as long as a simulation runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from coredis._runtime import aio, blocking
from tests.support.simulation.loop import SteppedLoop

_LOGGER: Final = logging.getLogger("coredis")


@contextmanager
def replaced(loop: SteppedLoop, random: Callable[[], float]) -> Iterator[None]:
    """
    Let both halves of the runtime read this clock and draw these numbers; what runs, runs in this event loop.
    """
    kept: list[tuple[Any, str, Any]] = [
        (half, name, getattr(half, name)) for half in (aio, blocking) for name in ("now", "random")
    ]
    running = asyncio._get_running_loop()
    level = _LOGGER.level
    try:
        for half in (aio, blocking):
            half.now = loop.time  # type: ignore[misc, attr-defined]
            half.random = random  # type: ignore[misc, attr-defined]
        asyncio._set_running_loop(loop)
        _LOGGER.setLevel(logging.CRITICAL)  # what is lost here is lost on purpose
        yield
    finally:
        _LOGGER.setLevel(level)
        asyncio._set_running_loop(running)
        for half, name, value in kept:
            setattr(half, name, value)
