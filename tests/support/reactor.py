"""
Run sockets on one thread that starts and ends with a ``with`` block.

The fault proxy and the scripted server are built on it. All their state belongs to this thread: a test's calls are
handed over and waited for, so nothing needs a lock, and when a call returns its effect has happened.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Self, TypeVar

T = TypeVar("T")

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
# How long a test waits for the thread before it says that the thread hangs.
_PATIENCE_SECONDS: Final = 30.0
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


def close_with_reset(connection: socket.socket) -> None:
    """
    Close a TCP socket so that its peer sees a reset (RST) and not an orderly end.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


class Reactor:
    """
    A thread with a selector and timers.

    Subclasses register sockets with a callback taking the ready events. Every method but ``call``, ``start`` and
    ``stop`` is for the thread itself.
    """

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._selector: selectors.BaseSelector | None = None
        self._wake_sender: socket.socket | None = None
        self._wake_receiver: socket.socket | None = None
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._stopping = False
        self._failure: BaseException | None = None

    def start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_sender, self._wake_receiver = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self.watch(self._wake_receiver, READ, self._woken)
        self._thread.start()

    def stop(self) -> None:
        """
        End the thread and close every socket. Safe to repeat.

        Raises:
            BaseException: what a callback raised in the thread, if one did
        """
        if self._selector is None:
            return
        self._stopping = True
        self._wake()
        self._thread.join(_PATIENCE_SECONDS)
        assert not self._thread.is_alive(), f"{self._thread.name} does not end"
        self.close_sockets()
        for end in (self._wake_sender, self._wake_receiver):
            if end is not None:
                end.close()
        self._selector.close()
        self._selector = None
        if self._failure is not None:
            raise self._failure

    def close_sockets(self) -> None:
        """
        Close what the subclass opened; called once the thread has ended.
        """

    def call(self, function: Callable[[], T]) -> T:
        """
        Run a function in the thread and return its result.
        """
        if self._selector is None or self._failure is not None:
            raise RuntimeError(f"{self._thread.name} is not running") from self._failure
        outcome: Future[T] = Future()

        def run() -> None:
            try:
                outcome.set_result(function())
            except BaseException as error:  # handed to the caller, who raises it
                outcome.set_exception(error)

        self._calls.append(run)
        self._wake()
        return outcome.result(_PATIENCE_SECONDS)

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """
        Call a function after so many seconds.
        """
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._sequence), function))

    def watch(self, connection: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        """
        Set the events a socket is watched for; 0 ends the watching.
        """
        assert self._selector is not None
        registered = connection.fileno() >= 0 and connection in self._selector.get_map()
        if not events:
            if registered:
                self._selector.unregister(connection)
        elif registered:
            self._selector.modify(connection, events, callback)
        else:
            self._selector.register(connection, events, callback)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wake(self) -> None:
        if self._wake_sender is not None:
            self._wake_sender.send(b".")

    def _woken(self, _: int) -> None:
        assert self._wake_receiver is not None
        try:
            self._wake_receiver.recv(4096)
        except BlockingIOError:
            pass

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        except BaseException as error:  # kept for stop(): a thread has nobody to raise it to
            self._failure = error
        while self._calls:  # nobody is to wait for a thread that has ended
            self._calls.popleft()()

    def _turn(self) -> None:
        assert self._selector is not None
        timeout = max(self._timers[0][0] - time.monotonic(), 0) if self._timers else None
        for key, events in self._selector.select(timeout):
            # An earlier callback of this turn may have closed this one's socket.
            if self._selector.get_map().get(key.fd) == key:
                key.data(events)
        while self._calls:
            self._calls.popleft()()
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()
