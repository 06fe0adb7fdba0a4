"""
Count the work that the library does, in instructions of Python: the same on every machine, however busy it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import coredis

_LIBRARY: Final = str(Path(coredis.__file__).parent)
_WRITTEN: Final = "<string>"  # code that the library writes itself


class Work:
    """
    What has been done so far.

    Attributes:
        instructions: of Python, executed by the library
    """

    def __init__(self) -> None:
        self.instructions = 0


@contextmanager
def counted_work() -> Iterator[Work]:
    """
    Count what is done in the block by functions that are called there, in this thread.
    """
    work = Work()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "opcode":
            work.instructions += 1
        elif event == "call":
            if not frame.f_code.co_filename.startswith((_LIBRARY, _WRITTEN)):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        yield work
    finally:
        sys.settrace(previous)
