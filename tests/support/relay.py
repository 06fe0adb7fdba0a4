"""
Carry one proxied connection: two pipes between two sockets.

Internal to the fault proxy, and run by its thread. A pipe is a queue of bytes with the time each is due; the marks END
and RESET travel in the same queue, so that a connection ends after the bytes that came before its end.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tests.support.reactor import READ, WRITE, Reactor, close_with_reset
from tests.support.replyfaults import Armed, Item, Mark, ReplyFilter

Side: TypeAlias = Literal["client", "server"]

# A pipe that holds this much stops reading, so that the sender feels a slow receiver.
QUEUE_LIMIT_BYTES: Final = 256 * 1024
# What a connection keeps of the bytes its client sent.
RECORD_LIMIT_BYTES: Final = 16 * 1024 * 1024
# How long a reset waits for bytes sent before it; a reset throws away what the kernel has not sent.
_DRAIN_SECONDS: Final = 1.0
# Linux: how many bytes of a socket have not been sent. Those that were sent and not acknowledged need no waiting for: they
# arrive before the reset, and their acknowledgement may take 40 ms.
_UNSENT: Final = 0x894B  # SIOCOUTQNSD


@dataclass(slots=True)
class Conditions:
    """
    What bytes meet in one direction.

    Attributes:
        latency: seconds each byte takes
        slice_bytes: send at most so many at once; 0 for no limit
        slice_seconds: time between two slices
        paused: nothing moves
    """

    latency: float = 0.0
    slice_bytes: int = 0
    slice_seconds: float = 0.0
    paused: bool = False


@dataclass(slots=True)
class Weather:
    """
    The state of a proxy that all its connections share.
    """

    to_server: Conditions = field(default_factory=Conditions)
    to_client: Conditions = field(default_factory=Conditions)
    blackhole: bool = False
    armed: Armed = field(default_factory=Armed)


class Pipe:
    """
    A bounded queue in front of a socket.

    Args:
        reactor: for its timers
        sink: where the bytes go
        conditions: what they meet
        finished: told the mark that came out at the end
        refresh: called when a byte that had to wait is due
    """

    def __init__(
        self,
        reactor: Reactor,
        sink: socket.socket,
        conditions: Conditions,
        finished: Callable[[Mark], None],
        refresh: Callable[[], None],
    ) -> None:
        self.blocked = False
        self._reactor = reactor
        self._sink = sink
        self._conditions = conditions
        self._finished = finished
        self._refresh = refresh
        self._queue: deque[tuple[float, Item]] = deque()
        self._queued_bytes = 0
        self._next_slice = 0.0
        self._drain_until = 0.0
        self._timer_set = False

    @property
    def wants_input(self) -> bool:
        return self._queued_bytes < QUEUE_LIMIT_BYTES and not self._conditions.paused

    def put(self, item: Item) -> None:
        """
        Queue bytes, or the mark that ends the pipe.
        """
        self._queue.append((time.monotonic() + self._conditions.latency, item))
        if isinstance(item, bytes):
            self._queued_bytes += len(item)

    def clear(self) -> None:
        self._queue.clear()
        self._queued_bytes = 0

    def pump(self) -> None:
        """
        Send what is due.

        Raises:
            OSError: the socket is broken
        """
        self.blocked = False
        while self._queue and not self._conditions.paused:
            due, item = self._queue[0]
            wait = max(due, self._next_slice) - time.monotonic()
            if wait > 0:
                return self._refresh_later(wait)
            if isinstance(item, Mark):
                if item is Mark.RESET and self._unsent():
                    return self._refresh_later(0.001)
                self.clear()
                return self._finished(item)
            try:
                sent = self._sink.send(item[: self._conditions.slice_bytes or None])
            except BlockingIOError:
                self.blocked = True
                return None
            self._queued_bytes -= sent
            self._next_slice = time.monotonic() + self._conditions.slice_seconds
            if sent == len(item):
                self._queue.popleft()
            else:
                self._queue[0] = (due, item[sent:])
        return None

    def _unsent(self) -> bool:
        now = time.monotonic()
        self._drain_until = self._drain_until or now + _DRAIN_SECONDS
        waiting: int = struct.unpack("i", fcntl.ioctl(self._sink, _UNSENT, b"\0" * 4))[0]
        return waiting > 0 and now < self._drain_until

    def _refresh_later(self, seconds: float) -> None:
        if not self._timer_set:
            self._timer_set = True
            self._reactor.later(seconds, self._timer)

    def _timer(self) -> None:
        self._timer_set = False
        self._refresh()


class Relay:
    """
    A client's connection and the one opened to the server for it.

    Args:
        reactor: whose thread this runs on
        weather: the proxy's conditions and faults
        number: counts the proxy's connections from 1
        client: the accepted socket
        server: the socket to the server; None in a blackhole, where nothing is behind the proxy
        closed: told when both sockets are closed
    """

    def __init__(
        self,
        reactor: Reactor,
        weather: Weather,
        number: int,
        client: socket.socket,
        server: socket.socket | None,
        closed: Callable[[Relay], None],
    ) -> None:
        self.number = number
        self.received = bytearray()
        self.lossy = server is None
        self._reactor = reactor
        self._weather = weather
        self._client: socket.socket | None = client
        self._server = server
        self._closed = closed
        self._open = True
        self._filter = ReplyFilter(weather.armed)
        self._to_client = Pipe(reactor, client, weather.to_client, self._to_client_finished, self.refresh)
        self._to_server = (
            Pipe(reactor, server, weather.to_server, self._to_server_finished, self.refresh) if server else None
        )
        self._read_to_the_end: set[Side] = set()
        self._pipes_finished = 0
        self.refresh()

    def refresh(self) -> None:
        """
        Send what may go now and watch for what is wanted; needed after each change of the weather.
        """
        try:
            if self._client is not None:
                self._to_client.pump()
            if self._server is not None and self._to_server is not None:
                self._to_server.pump()
        except OSError:
            self.close(reset=True)
        self._watch()

    def close(self, *, reset: bool = False) -> None:
        """
        Close both sockets at once, forgetting what is queued.
        """
        self._drop("client", reset=reset)
        self._drop("server", reset=reset)
        if self._open:
            self._open = False
            self._closed(self)

    def end(self) -> None:
        """
        End the connection in an orderly way after the bytes already on their way.
        """
        self._read_to_the_end |= {"client", "server"}
        self._to_client.put(Mark.END)
        if self._to_server is not None:
            self._to_server.put(Mark.END)
        self.refresh()

    def _watch(self) -> None:
        if self._client is not None:
            wanted = READ if self._wants("client", self._to_server) else 0
            self._reactor.watch(self._client, wanted | (WRITE if self._to_client.blocked else 0), self._client_ready)
        if self._server is not None and self._to_server is not None:
            wanted = READ if self._wants("server", self._to_client) else 0
            self._reactor.watch(self._server, wanted | (WRITE if self._to_server.blocked else 0), self._server_ready)

    def _wants(self, side: Side, pipe: Pipe | None) -> bool:
        if side in self._read_to_the_end:
            return False
        return self._weather.blackhole or pipe is None or pipe.wants_input

    def _client_ready(self, events: int) -> None:
        if events & READ and self._client is not None:
            item = _receive(self._client)
            if isinstance(item, bytes):
                self.received += item[: max(RECORD_LIMIT_BYTES - len(self.received), 0)]
            if self._weather.blackhole or self._to_server is None:
                self._lose("client", item)
            else:
                if isinstance(item, Mark):
                    self._read_to_the_end.add("client")
                else:
                    self._filter.note_request(item)
                self._to_server.put(item)
        self.refresh()

    def _server_ready(self, events: int) -> None:
        if events & READ and self._server is not None:
            item = _receive(self._server)
            if self._weather.blackhole:
                self._lose("server", item)
            else:
                for passed in [item] if isinstance(item, Mark) else self._filter.pass_replies(item):
                    if isinstance(passed, Mark):
                        self._read_to_the_end.add("server")
                    self._to_client.put(passed)
        self.refresh()

    def _lose(self, side: Side, item: Item) -> None:
        # The other side learns nothing, not even that this one is gone: that is what makes a connection half open.
        self.lossy = True
        self._to_client.clear()
        if self._to_server is not None:
            self._to_server.clear()
        if isinstance(item, Mark):
            self._drop(side)
            if self._client is None and self._server is None:
                self.close()

    def _to_client_finished(self, mark: Mark) -> None:
        self._pipe_finished(self._client, mark)

    def _to_server_finished(self, mark: Mark) -> None:
        self._pipe_finished(self._server, mark)

    def _pipe_finished(self, sink: socket.socket | None, mark: Mark) -> None:
        self._pipes_finished += 1
        if mark is Mark.RESET or self._pipes_finished == 2 or sink is None:
            self.close(reset=mark is Mark.RESET)
        else:
            sink.shutdown(socket.SHUT_WR)

    def _drop(self, side: Side, *, reset: bool = False) -> None:
        if side == "client":
            connection, self._client = self._client, None
        else:
            connection, self._server = self._server, None
        if connection is not None:
            self._reactor.watch(connection, 0, self._client_ready)
            if reset:
                close_with_reset(connection)
            else:
                connection.close()


def _receive(connection: socket.socket) -> Item:
    try:
        return connection.recv(65536) or Mark.END
    except BlockingIOError:
        return b""
    except OSError:
        return Mark.RESET
