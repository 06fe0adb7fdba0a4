"""
What a consumer asks for next, and what it has to acknowledge along with it.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any, Final

from bench_streams.floor import requests

#: From so many streams on half of them are asked at a time, where the next read is under way while entries are made.
MANY_STREAMS: Final = 32


class Reads:
    """
    The reads of a consumer, which holds at most so many entries of each stream, those included that a read under way may bring.

    Attributes:
        prefetch: the next read is sent before the entries of the last are made; then it may bring half as many, or those of
            half of the streams
        held: identifiers to acknowledge
        ended: there is nothing more
    """

    def __init__(
        self,
        keys: tuple[str, ...],
        *,
        buffer_size: int = 0,
        group: str | None = None,
        consumer: str | None = None,
        auto_acknowledge: bool = False,
        ack_buffer: int | None = None,
        timeout: int | None = None,
        prefetch: bool = False,
        **start: Any,
    ) -> None:
        self.prefetch = prefetch
        self.held: list[bytes] = []
        self._group = group
        self._stream = keys[0]  # acknowledgements are of this one
        self._positions = dict.fromkeys(map(requests.to_bytes, keys), b"0-0" if group is None else b">")
        self.ended = False
        self._empty = 0  # how many of the last replies had nothing
        many = prefetch and len(keys) >= MANY_STREAMS
        middle = len(keys) // 2 if many else len(keys)
        shares = [share for share in (keys[:middle], keys[middle:]) if share]
        count = (buffer_size + 1) // 2 if prefetch and not many else buffer_size + 1
        self._number = len(shares)
        self._shares = cycle(
            [
                (
                    requests.reading(share, count, group, consumer, auto_acknowledge, timeout),
                    list(map(requests.to_bytes, share)),
                )
                for share in shares
            ]
        )

    def following(self) -> tuple[bytes, int]:
        """
        Give the next read, and how many commands that is with what is acknowledged.
        """
        beginning, share = next(self._shares)
        request = requests.read(beginning, map(self._positions.__getitem__, share))
        return (self.acknowledgement() + request, 2) if self.held else (request, 1)

    def note(self, reply: Any) -> None:
        """
        See where the streams stand after a read; None: it had nothing.
        """
        self._empty = 0 if reply else self._empty + 1
        self.ended = self._empty == self._number
        if reply and self._group is None:
            for name, raw in reply:
                self._positions[name] = raw[-1][0]

    def hold(self, entries: tuple[Any, ...]) -> None:
        """
        Have entries acknowledged, or identifiers.
        """
        self.held += entries if type(entries[0]) is bytes else [entry.identifier for entry in entries]

    def acknowledgement(self) -> bytes:
        """
        Acknowledge what is held.
        """
        assert self._group is not None
        held, self.held = self.held, []
        return requests.acknowledgement(self._stream, self._group, held)
