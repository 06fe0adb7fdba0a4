"""
How much a consumer holds unless it is told otherwise. Apart from everything else, because who makes a client needs them for the
signature of ``xconsumer`` long before a consumer is made.
"""

from __future__ import annotations

from typing import Final

#: How many entries may be unacknowledged before fetching pauses: no program that acknowledges has so many, and one that never
#: does finds out.
MAX_UNACKED: Final = 1_000_000
#: What a read is not expected to exceed, and what cuts it (bytes).
BUFFERED_BYTES: Final = 8 * 1024 * 1024
REPLY_BYTES: Final = 64 * 1024 * 1024
