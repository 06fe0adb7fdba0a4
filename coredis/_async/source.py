"""
Where a pool gets its connections from when its server has no fixed address.

A pool without a source connects to the address in its options. A source finds the server anew at every connect, and can tell
later whether a connection still leads to the right one. See ``sentinel_sources``.
"""

from __future__ import annotations

from collections.abc import Iterator

from coredis._async.connection import Connection
from coredis._core.config import ConnectionOptions, TCPAddress
from coredis._runtime import aio as rt


class Source:
    """
    Finds a server and connects to it.

    Attributes:
        accepted: the addresses that connections may lead to at the moment; another object after every change, so a change
            is seen by identity
    """

    accepted: frozenset[TCPAddress] = frozenset()

    async def open(self, options: ConnectionOptions, deadline: float) -> Connection:
        """
        Find the server and connect to it.

        Args:
            options: how to connect; the address in them is replaced
            deadline: when to give up

        Raises:
            ConnectionError: not found, or not reached, by then
            ReplyError: the server refuses us
        """
        raise NotImplementedError

    def due(self) -> bool:
        """
        Tell whether ``confirm`` should be called before a connection is used.
        """
        raise NotImplementedError

    def due_at(self) -> float:
        """
        Tell when ``due`` will be true (monotonic seconds); infinity: not before a connect.
        """
        raise NotImplementedError

    async def confirm(self, deadline: float) -> None:
        """
        Find out which addresses are to be accepted now. When nobody knows, nothing changes.
        """
        raise NotImplementedError

    def misled(self, error: Exception) -> bool:
        """
        Tell whether an error means that nothing was executed and that another server may do it.
        """
        raise NotImplementedError

    def reject(self, connection: Connection, error: Exception) -> None:
        """
        Accept the address of this connection no more, if the server's answer to a command means that.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """
        Close the source's own connections. It may be used again afterwards.
        """
        raise NotImplementedError

    def channels(self) -> Iterator[rt.Channel]:
        """
        The source's own open channels, for the finalizer of a client that was not closed.
        """
        raise NotImplementedError
