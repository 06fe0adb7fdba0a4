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
from coredis._runtime.aio import clock as aio_clock
from coredis._runtime.blocking import clock as blocking_clock
from tests.support.simulation.loop import SteppedLoop

#: Where the library finds the clock: the halves themselves, and their own modules in those of the clock.
_PLACES: Final = (aio, aio_clock, blocking, blocking_clock)
_LOGGER: Final = logging.getLogger("coredis")


@contextmanager
def replaced(loop: SteppedLoop, random: Callable[[], float]) -> Iterator[None]:
    """
    Let both halves of the runtime read this clock and draw these numbers; what runs, runs in this event loop.
    """
    kept: list[tuple[Any, str, Any]] = [
        (place, name, getattr(place, name)) for place in _PLACES for name in ("now", "random")
    ]
    running = asyncio._get_running_loop()
    level = _LOGGER.level
    try:
        for place, name, _ in kept:
            setattr(place, name, loop.time if name == "now" else random)
        asyncio._set_running_loop(loop)
        _LOGGER.setLevel(logging.CRITICAL)  # what is lost here is lost on purpose
        yield
    finally:
        _LOGGER.setLevel(level)
        asyncio._set_running_loop(running)
        for place, name, value in kept:
            setattr(place, name, value)
