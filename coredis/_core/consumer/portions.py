"""
Decide how many entries to ask for, and of how many streams, so that what a read brings stays within a number of bytes and
of entries.

Servers have no such limit, only COUNT. So the size of entries is learned: from each reply its average, which follows a rise at
once and a fall slowly. When a reply nevertheless grows too large it is cut, where its entries can be read again, and the next
read asks for half as many. A single entry is never too large.

COUNT is for each stream. Of thousands of streams with a backlog the entries of one reply would fit no cache, and Python's
collector would go through them again and again: each would cost several times as much. So they are asked in turns then, some
at a time, and all at once when few of them have anything: only a read of all can wait for entries. What is pending for a member
of a group is another matter than what is new: that there is none says nothing of the backlog.
"""

from __future__ import annotations

import math
from typing import Final

#: How much one reply counts in an average that falls (of 1).
WEIGHT: Final = 0.25
#: Entries in a reply from which on an entry costs noticeably more. Fewer would be more replies to wait for.
MOST_ENTRIES: Final = 1000
#: How many times fewer are expected after a reply with fewer, and after one with none at all: until all streams are asked the
#: application waits for one reply after another that has nothing.
FALL: Final = 2
LONG_FALL: Final = 8


class Portions:
    """
    How many entries to ask for at a time.

    Attributes:
        reply_bytes: what a reply may have before it is cut; infinite: it never is
    """

    __slots__ = ("_average", "_buffered_bytes", "_count", "_each", "_most", "reply_bytes")

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
        self._each = [float(count)] * 2  # how many entries of each stream are expected: new ones, and pending ones

    def count(self, streams: int) -> int:
        """
        Say how many entries of each of so many streams to ask for, at least one.
        """
        # Half of what is cut leaves room for entries that are larger than those before.
        most = min(self._buffered_bytes, self.reply_bytes / 2)
        if self._average * streams * self._most <= most:
            return self._most
        return max(1, int(most / (self._average * streams)))

    def streams(self, known: int, pending: bool = False) -> int:
        """
        Say how many of so many streams to ask at a time.

        Args:
            known: how many there are
            pending: for pending entries, not for new ones
        """
        each = self._each[pending]
        if each * known <= MOST_ENTRIES:
            return known
        return min(known, max(1, int(MOST_ENTRIES / each)))

    def limit(self, count: int) -> float:
        """
        Say how many bytes the reply to a read with this COUNT may have.
        """
        return self.reply_bytes if count > 1 else math.inf

    def received(self, entries: int, size: int, streams: int, pending: bool = False) -> None:
        """
        Learn from a reply. From the same one twice is no harm.

        Args:
            entries: how many there were
            size: of the reply, in bytes
            streams: how many were asked; 0: it says nothing of how many entries they have
            pending: for pending entries, not for new ones
        """
        if streams:
            # A rise counts at once, or a reply would be too large. A fall counts soon: all are asked when they have nothing.
            self._each[pending] = max(entries / streams, self._each[pending] / (FALL if entries else LONG_FALL))
        if entries:
            fall = self._average - size / entries
            self._average -= fall * (WEIGHT if fall > 0 else 1)
            if self._most < self._count:
                self._most = min(self._count, 2 * self._most)

    def cut(self, count: int) -> None:
        """
        Learn from a reply with this COUNT that was cut.
        """
        self._most = max(1, count // 2)
