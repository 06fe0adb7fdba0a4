"""
Stand between client and server and break the connection in a chosen way.

    with FaultProxy(server.address, latency=0.002) as proxy:
        ...                                  # the client connects to proxy.host and proxy.port
        proxy.swallow(command="XREADGROUP")  # the next reply to that command is lost and the connection reset

When a method returns, its effect has begun. Bytes in flight are bounded: a receiver that does not read makes the sender
wait, as it would without a proxy. Bytes that are not RESP (TLS) pass unharmed, but their replies cannot be told apart.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tests.support.reactor import READ, Reactor, close_with_reset
from tests.support.relay import Conditions, Relay, Weather
from tests.support.replyfaults import ReplyFault
from tests.support.resp import Address, commands_in, connect

Direction: TypeAlias = Literal["to_server", "to_client"]

HOST: Final = "127.0.0.1"
_CONNECT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Connection:
    """
    One connection that was accepted.

    Attributes:
        number: counts from 1
        received: what the client sent (the first 16 MiB)
        live: it is not closed yet
    """

    number: int
    received: bytes
    live: bool

    @property
    def commands(self) -> list[list[bytes]]:
        return commands_in(self.received)


class FaultProxy(Reactor):
    """
    A TCP proxy on a free port of 127.0.0.1.

    Args:
        target: where the server listens
        latency: seconds each byte takes, in each direction
    """

    def __init__(self, target: Address, *, latency: float = 0.0) -> None:
        super().__init__("fault proxy")
        self.host: Final = HOST
        self.port = 0
        self.target: Final = target
        self._weather = Weather(to_server=Conditions(latency), to_client=Conditions(latency))
        self._listener: socket.socket | None = None
        self._relays: list[Relay] = []
        self._live: set[int] = set()

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def accepted(self) -> int:
        """
        How many connections were accepted so far.
        """
        return self.call(lambda: len(self._relays))

    @property
    def connections(self) -> list[Connection]:
        """
        All connections accepted so far.
        """
        return self.call(
            lambda: [
                Connection(relay.number, bytes(relay.received), relay.number in self._live) for relay in self._relays
            ]
        )

    @property
    def live(self) -> list[Connection]:
        """
        The connections that are not closed on both sides.
        """
        return [connection for connection in self.connections if connection.live]

    @property
    def commands(self) -> list[list[bytes]]:
        """
        The commands of all clients, connection after connection.
        """
        return [command for connection in self.connections for command in connection.commands]

    @property
    def struck(self) -> int:
        """
        How many faults of ``swallow`` and ``cut_after`` have struck.
        """
        return self.call(lambda: self._weather.armed.struck)

    def start(self) -> None:
        self._listener = socket.create_server((self.host, 0), backlog=128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        super().start()
        self.call(self._listen)

    def close_sockets(self) -> None:
        for relay in self._relays:
            relay.close()
        if self._listener is not None:
            self._listener.close()

    def latency(self, seconds: float, direction: Direction | None = None) -> None:
        """
        Delay what is sent from now on.
        """

        def change(conditions: Conditions) -> None:
            conditions.latency = seconds

        self._change(direction, change)

    def slow(self, size: int = 1, seconds: float = 0.0, direction: Direction | None = None) -> None:
        """
        Send in slices of ``size`` bytes, so many seconds apart. A size of 0 ends it.
        """

        def change(conditions: Conditions) -> None:
            conditions.slice_bytes, conditions.slice_seconds = size, seconds

        self._change(direction, change)

    def pause(self, direction: Direction | None = None) -> None:
        """
        Hold all bytes back. Connections are still accepted.
        """
        self._set_paused(True, direction)

    def resume(self, direction: Direction | None = None) -> None:
        """
        Let the bytes held back go on.
        """
        self._set_paused(False, direction)

    def blackhole(self) -> None:
        """
        Accept everything and deliver nothing, in both directions, the end of a connection included.

        The server keeps its half of a connection that the client has given up.
        """

        def change() -> None:
            self._weather.blackhole = True
            self._refresh()

        self.call(change)

    def heal(self) -> None:
        """
        End a blackhole and a pause and disarm a waiting fault. Connections that have lost bytes are reset.
        """

        def change() -> None:
            self._weather.blackhole = False
            self._weather.armed.fault = None
            for conditions in self._conditions(None):
                conditions.paused = False
            for relay in self._alive():
                if relay.lossy:
                    relay.close(reset=True)
            self._refresh()

        self.call(change)

    def swallow(self, nth: int = 1, *, command: str | None = None, then: Literal["reset", "stay"] = "reset") -> None:
        """
        Lose the n-th next reply of the server, once.

        Args:
            nth: 1 for the next reply that begins from now on
            command: count only replies to this command
            then: reset the connection in the reply's place, or leave it as if nothing had been
        """
        self._arm(ReplyFault("swallow", _name(command), nth, reset=then == "reset"))

    def cut_after(self, count: int, *, command: str | None = None) -> None:
        """
        Deliver so many bytes of the server, then reset the connection, once.

        Args:
            count: bytes from now on, on the first connection that gets any
            command: count from the beginning of the next reply to this command instead
        """
        self._arm(ReplyFault("cut", _name(command), keep=count))

    def reset_all(self) -> None:
        """
        Reset every connection at once.
        """
        self._each(lambda relay: relay.close(reset=True))

    def end_all(self) -> None:
        """
        Close every connection in an orderly way, as a server does with an idle one.
        """
        self._each(Relay.end)

    def _arm(self, fault: ReplyFault) -> None:
        def change() -> None:
            self._weather.armed.fault = fault

        self.call(change)

    def _set_paused(self, paused: bool, direction: Direction | None) -> None:
        def change(conditions: Conditions) -> None:
            conditions.paused = paused

        self._change(direction, change)

    def _change(self, direction: Direction | None, change: Callable[[Conditions], None]) -> None:
        def run() -> None:
            for conditions in self._conditions(direction):
                change(conditions)
            self._refresh()

        self.call(run)

    def _conditions(self, direction: Direction | None) -> Iterator[Conditions]:
        if direction != "to_client":
            yield self._weather.to_server
        if direction != "to_server":
            yield self._weather.to_client

    def _each(self, action: Callable[[Relay], None]) -> None:
        def run() -> None:
            for relay in self._alive():
                action(relay)

        self.call(run)

    def _alive(self) -> list[Relay]:
        return [relay for relay in self._relays if relay.number in self._live]

    def _refresh(self) -> None:
        for relay in self._alive():
            relay.refresh()

    def _listen(self) -> None:
        assert self._listener is not None
        self.watch(self._listener, READ, self._accept)

    def _accept(self, _: int) -> None:
        assert self._listener is not None
        try:
            client, _address = self._listener.accept()
        except OSError:
            return  # the client has gone again
        server = None
        if not self._weather.blackhole:
            try:
                server = connect(self.target, _CONNECT_SECONDS)
            except OSError:
                return close_with_reset(client)
            server.setblocking(False)
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = len(self._relays) + 1
        self._live.add(number)
        self._relays.append(Relay(self, self._weather, number, client, server, self._closed))

    def _closed(self, relay: Relay) -> None:
        self._live.discard(relay.number)


def _name(command: str | None) -> bytes | None:
    return None if command is None else command.upper().encode()
