"""
A progress bar of one line on stderr: only on a terminal, and only once a run has taken longer than a second.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

#: Seconds a run may take before the bar appears: short runs stay quiet.
PATIENCE = 1.0
#: Seconds between two drawings: often enough to look alive, seldom enough to cost nothing.
INTERVAL = 0.1
WIDTH = 40


class Progress:
    """
    Count steps of a known number and show them. Safe to advance from several threads.
    """

    def __init__(self, label: str, total: int, output: TextIO = sys.stderr) -> None:
        self._label = label
        self._total = total
        self._output = output
        self._wanted = output.isatty()
        self._lock = threading.Lock()
        self._done = 0
        self._drawn = False
        self._next_drawing = time.monotonic() + PATIENCE

    def advance(self, steps: int = 1) -> None:
        """
        Count some more steps as done, and draw the bar when its time has come.
        """
        with self._lock:
            self._done += steps
            if self._wanted and time.monotonic() >= self._next_drawing:
                self._draw()
                self._next_drawing = time.monotonic() + INTERVAL

    def close(self) -> None:
        """
        Wipe the bar, so that the next line of output starts clean.
        """
        if self._drawn:
            self._output.write("\r\x1b[K")
            self._output.flush()

    def _draw(self) -> None:
        share = min(self._done / self._total, 1.0)
        bar = "#" * int(share * WIDTH)
        self._output.write(f"\r{self._label} [{bar:.<{WIDTH}}] {share:4.0%} {self._done:,}/{self._total:,}")
        self._output.flush()
        self._drawn = True
