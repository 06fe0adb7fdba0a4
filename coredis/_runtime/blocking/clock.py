"""
Time and chance: the clock, the source of random numbers, and waiting for a while.

The package reads the clock as ``clock.now()``, through this module, so that whoever replaces it here replaces it everywhere.
"""

from __future__ import annotations

import math
import random as _random
import time

now = time.monotonic
random = _random.random


def sleep(seconds: float) -> None:
    """
    Wait.
    """
    time.sleep(seconds)


def remaining(deadline: float) -> float | None:
    """
    How many seconds there are until then; None: it never comes.
    """
    return None if deadline == math.inf else max(0.0, deadline - now())
