"""
Decide when to look for entries that other members of a group have left lying, and where to go on looking.

Where XREADGROUP knows CLAIM (Redis 8.4), every read of new entries takes over at the same time, and the server wakes a
waiting one when an entry has been idle for long enough. Then XAUTOCLAIM is only needed, rarely, to remove what was
deleted from the stream while it was pending, which CLAIM leaves in place: it asks for an idle time that nothing has.
Elsewhere XAUTOCLAIM looks through the pending entries, a part at a time, from a timer. It looks at ten entries for each one
that there is room for, and a larger COUNT would take over more than that; so when it has not come to the end, XPENDING tells
where the next one is that has been idle for long enough, however many young ones there are before it. The timer has jitter, so
that members that were started together do not all look at the same moment. Each stream has its own: streams come and go, and
may be in different places, which answer at different times.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

BEGINNING: Final = b"0-0"
#: How long after the last look the next one is due, at least and in parts of the idle time (seconds; a fraction).
SHORTEST_INTERVAL: Final = 1.0
INTERVAL_FRACTION: Final = 0.5
#: The same where it only removes what was deleted.
CLEANING_INTERVAL: Final = 60.0
#: How far an interval is drawn from its length, to either side.
JITTER: Final = 0.2
#: COUNT where it only removes what was deleted: nothing is taken over, so this only bounds how long the server looks at a time.
CLEANING_COUNT: Final = 1000
#: Milliseconds that no entry has been idle: the server removes deleted ones whatever their idle time.
NEVER: Final = 2**53


class Takeover:
    """
    How one consumer takes over entries.

    Attributes:
        idle: milliseconds after which an entry that was delivered and not acknowledged may be taken over
        native: whether XREADGROUP does it
    """

    __slots__ = ("_due", "_positions", "_sure", "idle", "native")

    def __init__(self, idle: int) -> None:
        self.idle = idle
        self.native = False
        self._due: dict[bytes, float] = {}  # when to look next (monotonic seconds); a stream that is not in it: at once
        self._positions: dict[bytes, bytes] = {}
        self._sure: set[bytes] = set()  # streams where an entry to take over is at the position

    @property
    def scan_idle(self) -> int:
        """
        The idle time to ask XAUTOCLAIM for, in milliseconds.
        """
        return NEVER if self.native else self.idle

    def position(self, name: bytes) -> bytes:
        """
        Where to go on looking in a stream.
        """
        return self._positions.get(name, BEGINNING)

    def unsure(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """
        Say where to ask for the next entry to take over, by stream, before going on looking there.
        """
        if self.native:
            return {}
        return {
            name: position
            for name in names
            if (position := self.position(name)) != BEGINNING and name not in self._sure
        }

    def found(self, name: bytes, position: bytes | None, now: float, chance: float) -> None:
        """
        Record where the next entry to take over is.

        Args:
            name: the stream
            position: its identifier; None: there is none, and all has been looked through
            now: monotonic seconds
            chance: a random number, 0 to 1
        """
        self.scanned({name: BEGINNING if position is None else position}, now, chance)
        if position is not None:
            self._sure.add(name)

    def due(self, names: Iterable[bytes], now: float) -> set[bytes]:
        """
        Say in which of these streams it is time to look. In one that is new it is: what was handed back is not to wait for
        the timer.
        """
        return {name for name in names if now >= self._due.get(name, -math.inf)}

    def earliest(self, names: Iterable[bytes]) -> float:
        """
        Say when it will be time to look in any of these streams (monotonic seconds).
        """
        return min((self._due.get(name, -math.inf) for name in names), default=math.inf)

    def scanned(self, following: dict[bytes, bytes], now: float, chance: float) -> None:
        """
        Record what was looked through.

        Args:
            following: for each stream: where to go on, ``0-0`` when all has been looked through
            now: monotonic seconds
            chance: a random number, 0 to 1
        """
        interval = CLEANING_INTERVAL if self.native else max(SHORTEST_INTERVAL, self.idle / 1000 * INTERVAL_FRACTION)
        self._positions |= following
        self._sure.difference_update(following)
        for name, position in following.items():
            # Not at its end: at once; other reads have their turn in between.
            self._due[name] = now + interval * (1 + JITTER * (2 * chance - 1)) if position == BEGINNING else -math.inf

    def forget(self, names: Iterable[bytes]) -> None:
        """
        Forget streams that are not read any more.
        """
        for name in names:
            self._positions.pop(name, None)
            self._due.pop(name, None)
            self._sure.discard(name)

    def reset(self) -> None:
        """
        Begin afresh.
        """
        self._positions = {}
        self._due = {}
        self._sure = set()
