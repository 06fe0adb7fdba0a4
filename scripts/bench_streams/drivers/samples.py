"""
How long an entry took from its producer to here.
"""

from __future__ import annotations

import time


def latency(sent: bytes) -> float:
    """
    Microseconds since a time that the producer wrote, which reads the same clock.
    """
    return (time.perf_counter_ns() - int(sent)) / 1000
