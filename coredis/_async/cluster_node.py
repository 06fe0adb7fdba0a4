"""
One node of a cluster, for commands that are meant for it and no other.
"""

from __future__ import annotations

from typing import AnyStr, TypeVar

from coredis._async.clusters import ClusterClient
from coredis._async.commands import CommandFamilies
from coredis._async.scan import ScanIterators
from coredis._core.command import Command
from coredis._core.commands import words as word_by_word
from coredis._core.redirects import Route
from coredis._core.topology import NodeInfo
from coredis.typing import ResponseType, ValueT

R = TypeVar("R")


class ClusterNode(CommandFamilies[AnyStr], ScanIterators[AnyStr]):
    """
    A node. Every command goes to it; it answers with ``MovedError`` when the key is elsewhere.

    Attributes:
        host: where it listens
        port: where it listens
        replica: whether it is one; else it is a primary
        slots: what it serves, or its primary does: (first, last), both included
    """

    def __init__(
        self, client: ClusterClient[AnyStr], node: NodeInfo, slots: tuple[tuple[int, int], ...], replica: bool
    ) -> None:
        self.replies = client.replies
        self.host = node.address.host
        self.port = node.address.port
        self.replica = replica
        self.slots = slots
        self._client: ClusterClient[AnyStr] = client
        self._address = node.address

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address} {'replica' if self.replica else 'primary'}>"

    async def issue(self, command: Command[R]) -> R:
        """
        Execute one command on this node.
        """
        return await self._client.issue(command, Route(None, address=self._address, replicas=self.replica))

    async def execute_command(self, *words: ValueT) -> ResponseType:
        """
        Execute a command given word by word. See the client's.
        """
        return await self.issue(word_by_word.command(words, self.replies))
