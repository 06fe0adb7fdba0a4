"""
Connections between the library and the server in memory. Bytes travel when the world says so, in pieces of its choice.

A link may break in all the ways a TCP connection does: ended by the server (what it sent before still arrives), reset for
both, lost for the client alone while the server has noticed nothing ("severed"), or silent for ever in one or both directions.
Nothing is ever lost from the middle: TCP does not do that.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from tests.support.memory.cluster import MemoryCluster
from tests.support.memory.connection import Connection
from tests.support.memory.server import MemoryServer


class Client(Protocol):
    """
    The library's end of a link.
    """

    def arrived(self, data: bytes) -> None:
        """
        Bytes have come.
        """

    def ended(self, error: Exception | None) -> None:
        """
        No more will come.
        """


class Link:
    """
    One connection.

    Attributes:
        owner: who opened it, for judging what was delivered on it
        mute: nothing arrives at the client any more, and nobody tells it
        deaf: nothing arrives at the server any more, and nobody tells it
        lost: the client knows that it is over
        gone: the server knows that it is over
    """

    def __init__(self, connection: Connection, owner: str, proxied: bool) -> None:
        self.connection = connection
        self.owner = owner
        self._proxied = proxied
        self.client: Client | None = None
        self.outward = bytearray()  # on the way to the server
        self.inward = bytearray()  # on the way to the client
        self.mute = self.deaf = False
        self.lost = self.gone = False
        self.hung_up = False  # the client has closed its end; the server learns of it after what is on the way

    @property
    def address(self) -> tuple[str, int]:
        """
        The client's end, as the client knows it.
        """
        host, _, port = self.connection.address.decode().partition(":")
        return "10.1.0.1" if self._proxied else host, int(port)

    def collect(self) -> None:
        """
        Put what the server has answered on the way.
        """
        if not self.mute and not self.lost:
            self.inward += self.connection.outbox
        self.connection.outbox.clear()

    def forget_inward(self) -> None:
        """
        Lose what is on the way to the client. Something must follow that ends the link: TCP leaves no holes.
        """
        self.connection.take()
        self.inward.clear()

    def busy(self) -> bool:
        """
        Whether anything can arrive at either end.
        """
        if self.connection.outbox:
            self.collect()
        if self.outward and not self.deaf and not self.gone:
            return True
        if self.hung_up and not self.gone and not self.deaf:
            return True
        return not self.mute and not self.lost and (bool(self.inward) or self.connection.closed)


class Network:
    """
    All links.

    Attributes:
        refusing: nobody answers: connecting fails at once
        proxied: the server sees the address of a proxy
        owners: who opened each connection
        hurry: by owner: since when (the server's time), how many commands have come from it without any time passing
        dead: owners that have crashed: they never connect again
        links: the ones that are not over for both ends
    """

    def __init__(self, server: MemoryServer | MemoryCluster, random: Random) -> None:
        self.server = server
        self.refusing = self.proxied = False
        self.dead: set[str] = set()
        self.hurry: dict[str, tuple[int, int]] = {}
        self.links: list[Link] = []
        self.all_links: dict[int, Link] = {}  # by the number of the server's connection
        self.owners: dict[int, str] = {}
        self._random = random
        self._dialing: list[asyncio.Future[None]] = []

    # ------------------------------------------------------------------------------------------------------- opening

    def dial(self, owner: str, port: int) -> Link:
        """
        Open a link at once.

        Args:
            owner: the host that the library was told to connect to; each client has one of its own
            port: tells the nodes of a cluster apart

        Raises:
            ConnectionRefusedError: nobody answers
        """
        if self.refusing:
            raise ConnectionRefusedError("nobody listens")
        connection = self.server.connect(port)
        link = Link(connection, owner, self.proxied)
        self.links.append(link)
        self.all_links[connection.number] = link
        self.owners[connection.number] = owner
        return link

    async def open(
        self, factory: Callable[[], asyncio.Protocol], owner: str, port: int
    ) -> tuple[Transport, asyncio.Protocol]:
        """
        Open a link for a protocol of asyncio, when the world gets to it.
        """
        loop = asyncio.get_running_loop()
        accepted: asyncio.Future[None] = loop.create_future()
        if owner not in self.dead:
            self._dialing.append(accepted)
        try:
            await accepted
        finally:
            if accepted in self._dialing:
                self._dialing.remove(accepted)
        protocol = factory()
        transport = Transport(self, self.dial(owner, port), protocol, loop)
        protocol.connection_made(transport)
        return transport, protocol

    @property
    def latest(self) -> int:
        """
        The number of the latest connection.
        """
        return self.server.latest

    @property
    def dialing(self) -> bool:
        """
        Whether somebody wants to connect.
        """
        return bool(self._dialing)

    def accept(self) -> None:
        """
        Let one who wants to connect go on.
        """
        accepted = self._dialing.pop(self._random.randrange(len(self._dialing)))
        if not accepted.done():
            accepted.set_result(None)

    # ----------------------------------------------------------------------------------------------------- travelling

    def busy(self) -> list[Link]:
        """
        List the links on which anything can arrive.
        """
        return [link for link in self.links if link.busy()]

    def carry(self, link: Link) -> None:
        """
        Let some bytes arrive, or the news that there will be no more.
        """
        outward = bool(link.outward or link.hung_up) and not link.deaf and not link.gone
        inward = not link.mute and not link.lost and bool(link.inward or link.connection.closed)
        if outward and (not inward or self._random.random() < 0.5):
            self._carry_outward(link)
        elif inward:
            self._carry_inward(link)

    def _piece(self, pipe: bytearray) -> bytes:
        size = len(pipe)
        if size > 1 and self._random.random() < 0.3:
            size = self._random.randint(1, size)
        data = bytes(pipe[:size])
        del pipe[:size]
        return data

    def _carry_outward(self, link: Link) -> None:
        if link.outward:
            server = link.connection.server
            before = server.executed
            link.connection.receive(self._piece(link.outward))
            self._count(link.owner, server.executed - before)
        else:
            self.drop_server_end(link)

    def _count(self, owner: str, commands: int) -> None:
        since, number = self.hurry.get(owner, (self.server.now, 0))
        self.hurry[owner] = (self.server.now, number + commands if since == self.server.now else commands)

    def _carry_inward(self, link: Link) -> None:
        assert link.client is not None
        if link.inward:
            link.client.arrived(self._piece(link.inward))
        else:
            self.drop_client_end(link, None)

    # -------------------------------------------------------------------------------------------------------- breaking

    def drop_server_end(self, link: Link) -> None:
        """
        Have the server know that a link is over.
        """
        link.gone = True
        link.connection.close()
        self._tidy(link)

    def drop_client_end(self, link: Link, error: Exception | None) -> None:
        """
        Have the client know that a link is over.
        """
        link.lost = True
        link.inward.clear()
        self._tidy(link)
        if link.client is not None:
            link.client.ended(error)

    def reset(self, link: Link) -> None:
        """
        Break a link for both ends; what is on the way is lost.
        """
        self.drop_server_end(link)
        self.drop_client_end(link, ConnectionResetError("reset by peer"))

    def sever(self, link: Link) -> None:
        """
        Break a link for the client; the server goes on waiting for it, as behind a router that has forgotten the connection.
        """
        link.deaf = link.mute = True
        self.drop_client_end(link, ConnectionResetError("reset by peer"))

    def hang_up(self, link: Link) -> None:
        """
        The client closes its end: what it sent may still arrive, or not.
        """
        if link.lost:
            return
        link.lost = link.hung_up = True
        link.inward.clear()
        if self._random.random() < 0.3:
            link.outward.clear()
        self._tidy(link)

    def _tidy(self, link: Link) -> None:
        if link.lost and link.gone and link in self.links:
            self.links.remove(link)


class Transport(asyncio.Transport):
    """
    The library's end of a link, as asyncio shows it.
    """

    def __init__(
        self, network: Network, link: Link, protocol: asyncio.Protocol, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__()
        self.link = link
        link.client = self
        self._network = network
        self._protocol = protocol
        self._loop = loop
        self._closing = False

    def write(self, data: Any) -> None:
        if not self._closing and not self.link.lost:
            self.link.outward += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "socket":
            return _NoSocket
        if name == "sockname":
            return self.link.address
        return default

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        if not self._closing:
            self._closing = True
            self._network.hang_up(self.link)
            self._loop.call_soon(self._protocol.connection_lost, None)

    close = abort

    def arrived(self, data: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    def ended(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)


class _NoSocket:
    family = socket.AF_UNIX  # which needs no options
