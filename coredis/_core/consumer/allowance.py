"""
Limit how many entries a member of a group has that are not acknowledged: above that it fetches no more until some are.

Without leases nothing is kept about single entries, so that an application which never acknowledges costs no memory: what was
fetched and what was acknowledged is counted. What is acknowledged behind the consumer's back (by the client, in a
transaction) is missing in the count, so before a pause, and while it lasts, the server is asked how many are pending.
"""

from __future__ import annotations

import math
from typing import Final

#: How often the server is asked while fetching pauses (seconds between two questions).
RECOUNT_SECONDS: Final = 1.0


class Allowance:
    """
    How many entries may still be fetched.

    Attributes:
        limit: the most that may be unacknowledged; None: any number
        fetched: how many have been fetched; changed by who reads only
        settled: how many of them were acknowledged or handed back. Several threads may count at once and one of them be
            missed: then fewer are counted, never more
        paused: nothing may be fetched, as far as is known; who acknowledges wakes the reader
    """

    __slots__ = ("_recounted_at", "_told", "fetched", "limit", "paused", "settled")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.reset()

    def reset(self) -> None:
        """
        Begin afresh.
        """
        self.fetched = self.settled = 0
        self.paused = self._told = False
        self._recounted_at = -math.inf

    def room(self, held: int | None) -> float:
        """
        Say how many entries may be fetched now; less than 1: none.

        Args:
            held: how many are held, where that is known exactly
        """
        if self.limit is None:
            return math.inf
        self.paused = True  # before counting: who acknowledges after that wakes the reader
        room = self.limit - (self.fetched - self.settled if held is None else held)
        self.paused = room < 1
        if room * 2 > self.limit:
            self._told = False
        return room

    def recount_due(self, now: float) -> bool:
        """
        Tell whether to ask the server how many are pending.
        """
        return now >= self._recounted_at + RECOUNT_SECONDS

    def recounted(self, pending: int, now: float) -> None:
        """
        Record how many are pending for this member, those of earlier lives among them.

        Args:
            pending: what the server says
            now: monotonic seconds
        """
        excess = self.fetched - self.settled - pending
        if excess > 0:
            self.settled += excess
        else:
            self._recounted_at = now  # otherwise it may be asked again as soon as the room is used up

    def tell(self) -> bool:
        """
        Tell whether to say now that fetching pauses: once, until half of the room is there again.
        """
        told, self._told = self._told, True
        return not told
