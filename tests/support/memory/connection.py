"""
A connection to the server in memory: bytes are cut into commands, which are executed one after the other, and answered.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tests.support.memory.blocked import Blocked
from tests.support.memory.replies import Commands, Reply, encode

if TYPE_CHECKING:
    from tests.support.memory.server import MemoryServer


class Connection:
    """
    One client of the server, seen from the server's side.

    Attributes:
        number: as CLIENT ID tells it
        address: of the client, as the server sees it
        closed: the server has ended it
        outbox: what was answered and not taken
        asking: the next command may be one for a slot that is on its way here (ASKING)
        readonly: reads may be answered by a replica (READONLY)
        tracks: is told when what it has read changes (CLIENT TRACKING)
    """

    def __init__(self, server: MemoryServer, number: int) -> None:
        self.server = server
        self.number = number
        self.address = b"10.0.0.1:%d" % number
        self.name = b""
        self.protocol = 2
        self.database = 0
        self.authenticated = server.password is None
        self.closed = False
        self.queue: list[list[bytes]] | None = None  # of a transaction
        self.broken = False  # a queued command was refused
        self.blocked: Blocked | None = None
        self.asking = self.readonly = self.tracks = False
        self._commands = Commands()
        self._waiting: deque[list[bytes]] = deque()
        self.outbox = bytearray()

    def receive(self, data: bytes) -> None:
        """
        Take bytes from the client and execute the commands that are complete now.
        """
        if self.closed:
            return
        self._waiting += self._commands.feed(data)
        self.run()

    def run(self) -> None:
        """
        Execute what waits, until a command blocks.
        """
        while self._waiting and self.blocked is None and not self.closed:
            self.server.execute(self, self._waiting.popleft())

    def answer(self, reply: Reply) -> None:
        """
        Send a reply.
        """
        self.outbox += encode(reply, self.protocol)

    def take(self, most: int | None = None) -> bytes:
        """
        Take bytes that were sent to the client.
        """
        data = bytes(self.outbox[:most])
        del self.outbox[: len(data)]
        return data

    def close(self) -> None:
        """
        End the connection, from either side. What was answered can still be taken.
        """
        self.closed = True
        self.server.forget(self)
