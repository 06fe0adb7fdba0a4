"""
Who has read what, to be told once when it changes (CLIENT TRACKING).

Source: https://redis.io/docs/latest/commands/client-tracking/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.memory.keyed import keys_of, only_reads
from tests.support.memory.replies import Push

if TYPE_CHECKING:
    from tests.support.memory.connection import Connection


class Tracking:
    """
    The readers of each key, and what they are to be told next.
    """

    def __init__(self) -> None:
        self._readers: dict[bytes, dict[int, Connection]] = {}
        self._untold: list[tuple[Connection, list[bytes] | None]] = []

    def read(self, connection: Connection, words: list[bytes]) -> None:
        """
        Note what is read on a connection.
        """
        if connection.tracks and only_reads(words):
            for key in keys_of(words):
                self._readers.setdefault(key, {})[connection.number] = connection

    def changed(self, key: bytes) -> None:
        """
        Have those told who have read a key.
        """
        self._untold += [(connection, [key]) for connection in self._readers.pop(key, {}).values()]

    def flushed(self) -> None:
        """
        Have everybody told, whatever they have read.
        """
        readers = {number: connection for found in self._readers.values() for number, connection in found.items()}
        self._readers.clear()
        self._untold += [(connection, None) for connection in readers.values()]

    def forget(self, connection: Connection) -> None:
        """
        Tell a connection nothing any more.
        """
        connection.tracks = False

    def tell(self) -> None:
        """
        Tell what is to be told, after the reply to what was the cause.
        """
        for connection, keys in self._untold:
            if connection.tracks:
                connection.answer(Push((b"invalidate", keys)))
        self._untold.clear()
