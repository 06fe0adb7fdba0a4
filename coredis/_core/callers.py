"""
Look at who called the library, to say in their words what is wrong. Only ever asked after something has gone wrong.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Final

_PACKAGE: Final = __name__.partition(".")[0]


def _inside() -> list[FrameType]:
    """
    Collect the frames of this package down to the user's code, the innermost first; that of the caller begins.
    """
    frames = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frames.append(frame)
        frame = frame.f_back
    return frames


def levels_to_user() -> int:
    """
    Count the levels from the caller to the user's code, as ``warnings.warn`` wants them.
    """
    return len(_inside()) + 1
