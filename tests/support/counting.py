"""
Count the work that the library does, in lines of Python: the same on every machine, however busy it is.

Lines, because not every version of Python tells of each instruction.
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
        lines: executed by the library
    """

    def __init__(self) -> None:
        self.lines = 0


@contextmanager
def counted_work() -> Iterator[Work]:
    """
    Count what is done in the block by functions that are called there, in this thread.
    """
    work = Work()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            work.lines += 1
        return trace if frame.f_code.co_filename.startswith((_LIBRARY, _WRITTEN)) else None

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        yield work
    finally:
        sys.settrace(previous)
