"""
The old path of ``coredis.patterns.streams``, kept for code that was written for coredis 6.
"""

from __future__ import annotations

import warnings

from .patterns.streams import Consumer, GroupConsumer, StreamParameters

warnings.warn("coredis.stream has moved: import from coredis.patterns.streams", DeprecationWarning, stacklevel=2)

__all__ = ["Consumer", "GroupConsumer", "StreamParameters"]
