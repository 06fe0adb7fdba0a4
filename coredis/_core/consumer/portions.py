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

Whoever reads ahead holds what one read has brought while the next one is on its way. That may be half of each stream's entries
every time. Of many streams it is all of half of the streams: each is asked half as often then, on both sides of the connection.
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
#: From so many streams on half of them are asked at a time where the next read is under way while entries are served. Of fewer
#: all are asked, so that their entries come in turns.
MANY_STREAMS: Final = 32


class Portions:
    """
    How many entries to ask for at a time.

    Attributes:
        ahead: what one read has brought is held while the next one is under way
        alone: how many entries to ask for where there is one stream, and how many bytes the reply may have: what ``count`` and
            ``limit`` say
    """

    __slots__ = (
        "_average",
        "_buffered_bytes",
        "_bytes",
        "_count",
        "_each",
        "_half",
        "_most",
        "_reply_bytes",
        "_usual",
        "ahead",
        "alone",
    )

    def __init__(self, count: int, buffered_bytes: int, reply_bytes: float, ahead: bool = False) -> None:
        """
        Args:
            count: the most entries of each stream to hold
            buffered_bytes: what is not expected to be exceeded by what is held and what is under way, together
            reply_bytes: what a reply may have before it is cut, and read again in smaller pieces
            ahead: as the attribute
        """
        self._count = self._most = count
        self._half = max(1, count // 2)
        self.ahead = ahead
        self._buffered_bytes = max(1, buffered_bytes // 2) if ahead else buffered_bytes
        self._average = 0.0
        self._each = [float(count)] * 2  # how many entries of each stream are expected: new ones, and pending ones
        self._usual: tuple[int, float]  # what ``alone`` is while entries are small
        self._set_reply_bytes(reply_bytes)

    def never_cut(self) -> None:
        """
        Let a reply have any size. Before the first read.
        """
        self._set_reply_bytes(math.inf)

    def _set_reply_bytes(self, most: float) -> None:
        self._reply_bytes = most
        # Half of what is cut leaves room for entries that are larger than those before.
        self._bytes = min(self._buffered_bytes, most / 2)
        self.alone = self._usual = self._alone()

    def _alone(self) -> tuple[int, float]:
        count = self.count(1, 1)
        return count, self.limit(count)

    def count(self, streams: int, known: int) -> int:
        """
        Say how many entries of each of so many streams to ask for, at least one.

        Args:
            streams: how many are asked
            known: how many there are
        """
        count = self._most
        if self.ahead and (streams * 2 > known or known < MANY_STREAMS):
            count = min(count, self._half)
        if self._average * streams * count <= self._bytes:
            return count
        return max(1, int(self._bytes / (self._average * streams)))

    def beside(self, count: int, held: int) -> int:
        """
        Say how many entries of each stream to ask for while so many may be held of one of them: not so many that it would have
        more than it may; 0: none yet.
        """
        return min(count, max(self._count, 2) - held)

    def streams(self, known: int, pending: bool = False) -> int:
        """
        Say how many of so many streams to ask at a time.

        Args:
            known: how many there are
            pending: for pending entries, not for new ones
        """
        each, most, limit = self._each[pending], MOST_ENTRIES, known
        if self.ahead:
            if known < MANY_STREAMS:
                each = min(each, self._half)
            else:
                most //= 2
                if each * 2 > self._half:
                    each = self._count  # as far as can be told, from what all of them were asked for
                limit = known // 2
        if each * known <= most:
            return known
        return min(limit, max(1, int(most / each)))

    def limit(self, count: int) -> float:
        """
        Say how many bytes the reply to a read with this COUNT may have.
        """
        return self._reply_bytes if count > 1 else math.inf

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
            each, fallen = entries / streams, self._each[pending] / (FALL if entries else LONG_FALL)
            self._each[pending] = each if each > fallen else fallen
        if entries:
            fall = self._average - size / entries
            self._average = average = self._average - fall * (WEIGHT if fall > 0 else 1)
            if self._most < self._count:
                self._most = min(self._count, 2 * self._most)
                self.alone = self._alone()
            else:
                self.alone = self._usual if average * self._count <= self._bytes else self._alone()

    def cut(self, count: int) -> None:
        """
        Learn from a reply with this COUNT that was cut.
        """
        self._most = max(1, count // 2)
        self.alone = self._alone()
