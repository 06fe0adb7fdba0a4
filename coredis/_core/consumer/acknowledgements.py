"""
Collect acknowledgements, so that many leave together.

An acknowledgement that was sent and not answered stays in the collection and is sent again: doing it twice leaves the same
state. It leaves the collection when the server has answered.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import repeat


class Acknowledgements:
    """
    Acknowledgements that have not been confirmed.

    Attributes:
        limit: how many are collected before they are sent
        interval: seconds after which they are sent, however few
    """

    __slots__ = ("_oldest", "_waiting", "interval", "limit")

    def __init__(self, limit: int, interval: float) -> None:
        self.limit = limit
        self.interval = interval
        self._waiting: dict[bytes, dict[bytes, None]] = {}
        self._oldest = math.inf

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, name: bytes, identifiers: tuple[bytes, ...], now: float) -> bool:
        """
        Collect acknowledgements of entries of one stream, at least one.

        Returns:
            whether it is time to send what was collected
        """
        if len(identifiers) > 1:
            self._waiting.setdefault(name, {}).update(dict.fromkeys(identifiers))
        return self.add_one(name, identifiers[-1], now)

    def add_one(self, name: bytes, identifier: bytes, now: float) -> bool:
        """
        As ``add``, of a single entry.
        """
        streams = self._waiting
        waiting = streams.get(name)
        if waiting is None:
            waiting = streams.setdefault(name, {})
        waiting[identifier] = None
        if now < self._oldest:
            self._oldest = now
        number = len(waiting) if len(streams) == 1 else len(self)
        return number >= self.limit or now - self._oldest >= self.interval

    def take(self) -> dict[bytes, tuple[bytes, ...]]:
        """
        Give all there are, by stream, to be sent. They stay until ``confirmed``.
        """
        return {name: tuple(identifiers) for name, identifiers in list(self._waiting.items()) if identifiers}

    def confirmed(self, sent: Mapping[bytes, Iterable[bytes]], now: float) -> None:
        """
        Drop those that the server has answered.
        """
        for name, identifiers in sent.items():
            # The stream stays, even with nothing left: another thread may be just about to add to it.
            waiting = self._waiting.get(name, {})
            deque(map(waiting.pop, identifiers, repeat(None)), 0)  # a loop, without the cost of one
        self._oldest = now if len(self) else math.inf

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._waiting.clear()
        self._oldest = math.inf
