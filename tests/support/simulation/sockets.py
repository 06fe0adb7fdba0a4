"""
Sockets, poll and sleep for the blocking half of the runtime: whoever waits lets the world go on until it has what it waits for.

A signal handler may raise whenever a real call would wait or is about to begin, and never when it has taken or written bytes
already: that is how system calls behave.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final, Protocol

from coredis._runtime.blocking import channel, clock, connecting, polling
from tests.support.simulation.network import Link, Network

#: Which module of the blocking half uses which of the modules that are replaced.
_USERS: Final = ((channel, "socket"), (connecting, "socket"), (polling, "select"), (clock, "time"))
_FIRST_DESCRIPTOR: Final = 1_000_000  # larger than any real one


class Waiting(Protocol):
    """
    The world, as those see it who wait in it.
    """

    network: Network

    def wait(self, awaited: Any, seconds: float | None) -> bool: ...

    def draw(self, most: int) -> int: ...


class Sockets:
    """
    What the blocking half finds in the place of the modules ``socket``, ``select`` and ``time``.
    """

    def __init__(self, world: Waiting) -> None:
        self._world = world
        self._ends: dict[int, Any] = {}
        self.socket = SimpleNamespace(
            socket=SimulatedSocket,
            create_connection=self._connect,
            SHUT_RDWR=socket.SHUT_RDWR,
            AF_UNIX=socket.AF_UNIX,
            SOCK_STREAM=socket.SOCK_STREAM,
            MSG_DONTWAIT=socket.MSG_DONTWAIT,
        )
        self.select = SimpleNamespace(poll=self._poll, POLLIN=select.POLLIN)
        self.time = SimpleNamespace(sleep=self._sleep, monotonic=time.monotonic)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """
        Be what the blocking half uses.
        """
        kept = [(user, name, getattr(user, name)) for user, name in _USERS]
        try:
            for user, name in _USERS:
                setattr(user, name, getattr(self, name))
            yield
        finally:
            for user, name, module in kept:
                setattr(user, name, module)

    def _connect(self, address: tuple[str, int], timeout: float | None = None) -> SimulatedSocket:
        owner, port = address
        if not self._world.wait(lambda: owner not in self._world.network.dead, timeout):
            raise TimeoutError("timed out")
        connected = SimulatedSocket(self._world, self._world.network.dial(owner, port))
        self._ends[connected.fileno()] = connected
        return connected

    def _poll(self) -> Poll:
        return Poll(self._world, self._ends)

    def _sleep(self, seconds: float) -> None:
        self._world.wait(lambda: False, seconds)


class SimulatedSocket:
    """
    The library's end of a link, as the blocking half sees it.
    """

    family = socket.AF_UNIX  # which needs no options

    def __init__(self, world: Waiting, link: Link) -> None:
        self._world = world
        self._link = link
        self._received = bytearray()
        self._error: Exception | None = None
        self._ended = self._closed = False
        self._timeout: float | None = None
        self._patience: float | None = None
        link.client = self

    def arrived(self, data: bytes) -> None:
        self._received += data

    def ended(self, error: Exception | None) -> None:
        self._ended, self._error = True, error

    def fileno(self) -> int:
        return -1 if self._closed else _FIRST_DESCRIPTOR + self._link.connection.number

    def getsockname(self) -> tuple[str, int]:
        return self._link.address

    def settimeout(self, timeout: float | None) -> None:
        self._timeout = timeout

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_RCVTIMEO)
        seconds, microseconds = struct.unpack("@ll", value)
        self._patience = seconds + microseconds / 1e6

    def readable(self) -> bool:
        """
        Whether reading would not wait.
        """
        return bool(self._received) or self._ended or self._closed

    def send(self, data: Any, flags: int = 0) -> int:
        self._world.wait(lambda: True, None)
        if self._closed:
            raise OSError(9, "Bad file descriptor")
        if self._ended:
            raise self._error or BrokenPipeError(32, "Broken pipe")
        size = self._world.draw(len(data))
        if not self._link.lost:
            self._link.outward += data[:size]
        return size

    def recv(self, most: int, flags: int = 0) -> bytes:
        seconds = 0.0 if flags & socket.MSG_DONTWAIT else self._patience if self._timeout is None else self._timeout
        if not self._world.wait(self.readable, seconds):
            raise TimeoutError("timed out") if self._timeout else BlockingIOError(11, "would block")
        if self._closed:
            raise OSError(9, "Bad file descriptor")
        if not self._received:
            if self._error is not None:
                raise self._error
            return b""
        data = bytes(self._received[:most])
        del self._received[: len(data)]
        return data

    def shutdown(self, how: int) -> None:
        if self._closed or self._ended:
            raise OSError(107, "Transport endpoint is not connected")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._world.network.hang_up(self._link)


class Poll:
    """
    Waits until one of several sockets can be read from. A descriptor that is none of ours is a real one: an alarm's.
    """

    def __init__(self, world: Waiting, ends: dict[int, Any]) -> None:
        self._world = world
        self._all = ends
        self._watched: list[int] = []

    def register(self, descriptor: int, events: int) -> None:
        self._watched.append(descriptor)

    def poll(self, milliseconds: int | None) -> list[tuple[int, int]]:
        seconds = None if milliseconds is None else milliseconds / 1000
        ready: list[tuple[int, int]] = []

        def look() -> bool:
            ready[:] = [(number, select.POLLIN) for number in self._watched if self._readable(number)]
            return bool(ready)

        self._world.wait(look, seconds)
        return ready

    def _readable(self, number: int) -> bool:
        if number in self._all:
            return bool(self._all[number].readable())
        real = select.poll()
        real.register(number, select.POLLIN)
        return bool(real.poll(0))
