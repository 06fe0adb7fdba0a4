"""
The floor, blocking: the very loops of this client's driver, on the least of a client.

Its consumers read ahead where this client's do: see ``floor_async``.
"""

from __future__ import annotations

from bench_streams.drivers import coredis_blocking
from bench_streams.floor.blocking import Connection


class Driver(coredis_blocking.Driver):
    """
    The least of a blocking client.
    """

    def connect(self, size: int) -> int:
        self._idle = [Connection(self._port) for _ in range(size)]
        return size

    def close(self) -> None:
        for connection in self._idle or ():
            connection.close()
        self._idle = None
        super().close()
