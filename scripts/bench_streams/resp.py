"""
The least of a Redis client: for filling the server, for groups, and for what a client is compared with.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

RECEIVE_BYTES = 64 * 1024  # for more the C library may map and unmap memory each time


def encode(*words: str | bytes | int) -> bytes:
    """
    Encode one command.
    """
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


class Wire:
    """
    A blocking connection, one command at a time or many at once. RESP2.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")

    def __call__(self, *words: str | bytes | int) -> Any:
        """
        Execute one command.

        Raises:
            RuntimeError: the server's error
        """
        self.socket.sendall(encode(*words))
        return self.reply()

    def send_all(self, commands: Iterable[bytes], batch: int = 500) -> None:
        """
        Execute many encoded commands whose replies do not matter.
        """
        waiting: list[bytes] = []
        for command in commands:
            waiting.append(command)
            if len(waiting) == batch:
                self._flush(waiting)
        self._flush(waiting)

    def reply(self) -> Any:
        """
        Read one reply.
        """
        line = self._file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        raise RuntimeError("the server closed the connection" if not line else f"unexpected reply {kind!r}")

    def close(self) -> None:
        """
        Close the connection.
        """
        self._file.close()
        self.socket.close()

    def _flush(self, waiting: list[bytes]) -> None:
        self.socket.sendall(b"".join(waiting))
        for _ in waiting:
            self.reply()
        waiting.clear()
