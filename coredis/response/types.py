"""
Reply types under the address they had in coredis 6; they live in ``coredis.types``.
"""

from __future__ import annotations

from ..types import StreamEntry, StreamInfo, StreamPending, StreamPendingExt

__all__ = ["StreamEntry", "StreamInfo", "StreamPending", "StreamPendingExt"]
