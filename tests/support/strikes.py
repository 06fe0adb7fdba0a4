"""
Interrupt the library at each point where Python can run a signal handler, one after the other.

Handlers run when a function of the library begins and after each call into C, which is where a profiler is called as well;
so the interruption is raised from there. Unlike a timer, this hits every point, and the same ones every time. Handlers run at
backward jumps too: what a loop leaves at its end is what it left after its last call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType
from typing import Final, TypeVar

import coredis

T = TypeVar("T")

_LIBRARY: Final = str(Path(coredis.__file__).parent)


class Strike(KeyboardInterrupt):
    """
    The interruption.
    """


def strike(
    point: int,
    function: Callable[[], object],
    within: str | tuple[str, ...] = _LIBRARY,
    action: Callable[[], object] | None = None,
) -> bool:
    """
    Run a function and interrupt it at the n-th point, counted from 0.

    Args:
        point: n
        function: of no arguments
        within: count only points in files whose names begin like this
        action: what the signal handler does instead of raising

    Returns:
        Whether it was interrupted; False: it had fewer points, and has ended.
    """
    reached = 0
    struck = False

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal reached, struck
        if frame.f_code.co_flags & CO_GENERATOR:
            return  # perhaps it is being closed, when exceptions are printed and forgotten
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(within):
            reached += 1
            if reached > point and not struck:
                struck = True
                if action is None:
                    raise Strike
                action()

    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    except Strike:
        pass
    finally:
        sys.setprofile(previous)
    return struck
