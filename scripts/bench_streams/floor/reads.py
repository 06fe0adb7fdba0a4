"""
What a consumer asks for next, and what it has to acknowledge along with it.
"""

from __future__ import annotations

from typing import Any

from bench_streams.floor import requests


class Reads:
    """
    The reads of a consumer, which holds at most so many entries of each stream, those included that a read under way may bring.

    Attributes:
        prefetch: the next read is sent before the entries of the last are made; then it may bring half as many
        held: identifiers to acknowledge
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
        count = (buffer_size + 1) // 2 if prefetch else buffer_size + 1
        self._beginning = requests.reading(keys, count, group, consumer, auto_acknowledge, timeout)

    def following(self) -> tuple[bytes, int]:
        """
        Give the next read, and how many commands that is with what is acknowledged.
        """
        request = requests.read(self._beginning, self._positions.values())
        return (self.acknowledgement() + request, 2) if self.held else (request, 1)

    def note(self, reply: Any) -> None:
        """
        See where the streams stand after a read.
        """
        if self._group is None:
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
