"""
Decide how many entries to ask for, so that what a read brings stays within a number of bytes.

Servers have no such limit, only COUNT. So the size of entries is learned: from each reply its average, which follows a rise at
once and a fall slowly. When a reply nevertheless grows too large it is cut, where its entries can be read again, and the next
read asks for half as many. A single entry is never too large.
"""

from __future__ import annotations

import math
from typing import Final

#: How much one reply counts in an average that falls.
SHARE: Final = 0.25


class Portions:
    """
    How many entries to ask for at a time.

    Attributes:
        reply_bytes: what a reply may have before it is cut; infinite: it never is
    """

    __slots__ = ("_average", "_buffered_bytes", "_count", "_most", "reply_bytes")

    def __init__(self, count: int, buffered_bytes: int, reply_bytes: float) -> None:
        """
        Args:
            count: the most entries of each stream to ask for
            buffered_bytes: what a read is not expected to exceed
            reply_bytes: see above
        """
        self._count = self._most = count
        self._buffered_bytes = buffered_bytes
        self.reply_bytes = reply_bytes
        self._average = 0.0

    def count(self, streams: int) -> int:
        """
        Say how many entries of each of so many streams to ask for, at least one.
        """
        # Half of what is cut leaves room for entries that are larger than those before.
        most = min(self._buffered_bytes, self.reply_bytes / 2)
        if self._average * streams * self._most <= most:
            return self._most
        return max(1, int(most / (self._average * streams)))

    def limit(self, count: int) -> float:
        """
        Say how many bytes the reply to a read with this COUNT may have.
        """
        return self.reply_bytes if count > 1 else math.inf

    def received(self, entries: int, size: int) -> None:
        """
        Learn from a reply. From the same one twice is no harm.

        Args:
            entries: how many there were
            size: of the reply, in bytes
        """
        if entries:
            fall = self._average - size / entries
            self._average -= fall * (SHARE if fall > 0 else 1)
            if self._most < self._count:
                self._most = min(self._count, 2 * self._most)

    def cut(self, count: int) -> None:
        """
        Learn from a reply with this COUNT that was cut.
        """
        self._most = max(1, count // 2)
