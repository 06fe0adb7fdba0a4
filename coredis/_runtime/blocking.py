"""
The blocking half of the runtime: plain sockets, threads and the system clock. Its twin is ``aio``.

What differs from the twin: one thread uses a channel at a time (a pool sees to that), ``start`` writes at once, and replies are
read by whoever waits for them. There is no event loop and no helper thread. A signal handler may raise anywhere (Ctrl-C):
received bytes move from the socket to the parser in single calls into C, so an interrupted wait loses nothing and can be
resumed.
"""

from __future__ import annotations

import errno
import math
import os
import random as _random
import select
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import islice, repeat
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from .._core.config import TCPAddress, UnixAddress
from .._core.session import Request, Session
from ..exceptions import (
    ConnectionError,
    ConnectionLostError,
    ConnectTimeoutError,
    ProtocolError,
    RequestTimeoutError,
)
from . import sockets
from .forks import after_fork as after_fork
from .forks import keep_inherited as keep_inherited

T = TypeVar("T")
#: Several of something, one after the other.
Series: TypeAlias = Iterable[T]

SERIES: Final = (Iterable,)  # the same, to ask for
MULTIPLEXED: Final = False
RECEIVE_BYTES: Final = 65536
_LARGE_RECEIVE_BYTES: Final = 131072  # at a time, of what is known to be larger
_SMALL_RECEIVE_BYTES: Final = 8192  # what comes in less is not worth it
_RING: Final = (1).to_bytes(8, "little")  # what an eventfd takes
MAX_POLL_MILLISECONDS: Final = 2**31 - 1  # a C int; whoever waits for longer waits again

now = time.monotonic
random = _random.random
StateLock = threading.RLock  # a signal handler may use the client while the thread it interrupted holds the lock


class Home:
    """
    What a client is bound to: nothing but the process. In the twin it is an event loop.
    """

    __slots__ = ()

    def here(self) -> bool:
        """
        Tell whether the caller runs in it.
        """
        return True


def caller() -> object:
    """
    Who is calling: the thread. In the twin it is the task.
    """
    return threading.get_ident()


def sleep(seconds: float) -> None:
    """
    Wait.
    """
    time.sleep(seconds)


class Event:
    """
    Something to wait for, set once. The twin is a future.

    A bare lock that is released once: waiting for ``threading.Event`` takes Python code that cannot be interrupted safely.
    """

    __slots__ = ("_lock", "_set")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._set = False

    def set(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        if not self._set:
            self._set = True
            self._lock.release()

    def is_set(self) -> bool:
        """
        Tell whether it has been set.
        """
        return self._set

    def wait(self, deadline: float) -> bool:
        """
        Wait until set; False when the deadline came first.
        """
        remaining = _remaining(deadline)
        if not self._set and self._lock.acquire(
            timeout=-1 if remaining is None else min(remaining, threading.TIMEOUT_MAX)
        ):
            self._lock.release()  # for whoever else waits
        return self._set


class Alarm:
    """
    Ends a wait of ``wait_any`` from outside, even from another thread or a signal handler. Rung, it stays so until cleared.

    The twin wakes a task through its event loop. Here it takes a descriptor to wait for, which the first such wait makes.
    """

    __slots__ = ("_descriptors", "rung")

    def __init__(self) -> None:
        self.rung = False
        self._descriptors: list[int] = []  # to wait for first, to write to last

    def ring(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        self.rung = True
        if self._descriptors:
            try:
                os.write(self._descriptors[-1], _RING)
            except BlockingIOError:
                pass  # so often rung that no more rings fit

    def clear(self) -> None:
        """
        Let waits wait again.
        """
        self.rung = False
        self._drain()

    def _drain(self) -> None:
        """
        Take what was written to the descriptor; for ``wait_any`` and ``clear``.
        """
        if self._descriptors:
            try:
                while os.read(self._descriptors[0], RECEIVE_BYTES):
                    pass
            except BlockingIOError:
                pass  # nothing is left

    def fileno(self) -> int:
        """
        What to wait for; for ``wait_any`` alone.
        """
        if not self._descriptors:
            # Made and noted in one step where it is one descriptor, so that an interruption leaves nothing open.
            self._descriptors += _bell()
        return self._descriptors[0]

    def __del__(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())


def _bell() -> Iterable[int]:
    """
    Make, as they are asked for, the descriptors of an alarm: one that is both ends where the system has it.
    """
    if hasattr(os, "eventfd"):
        return map(os.eventfd, (0,), (os.EFD_CLOEXEC | os.EFD_NONBLOCK,))
    ends = os.pipe()
    for descriptor in ends:
        os.set_blocking(descriptor, False)
    return ends


class Started(Request):
    """
    A request that is written to the socket, perhaps in part if that was interrupted.
    """

    __slots__ = ("channel", "unsent")

    def __init__(self, channel: Channel, expected: int, payload: bytes) -> None:
        # Not through the base class: there is one for each command.
        self.expected = expected
        self.replies = []
        self.failure = None
        self.sent = False
        self.channel = channel
        self.unsent: bytes | memoryview = payload

    @property
    def written(self) -> bool:
        """
        Whether all of it has been handed to the network.
        """
        return not self.unsent

    def result(self, deadline: float) -> list[Any]:
        """
        Wait for the replies. Interrupted or too late, the request stays outstanding and may be waited for again.

        Raises:
            ConnectionError: the connection ended first
            RequestTimeoutError: nothing by then
        """
        channel = self.channel
        if self.unsent and self.failure is None:
            channel.flush(self, deadline)
        while len(self.replies) < self.expected and self.failure is None:
            channel.receive(deadline)
        return self.outcome()


class Listening(Started):
    """
    Something to wait for that is no request: done when an out-of-band message has come, or the connection has ended.
    """

    __slots__ = ()

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, 0, b"")

    def done(self) -> bool:
        """
        Tell whether there is a message, or never will be.
        """
        return bool(self.channel.pushes) or self.channel.closed


class Channel:
    """
    A connection to a server: commands out, replies in. One thread at a time.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._encrypted = isinstance(connected, ssl.SSLSocket)
        self._local_address = sockets.render_address(connected.getsockname())
        self._session = Session()
        # The socket never waits by itself: with a time limit, every call on it would cost one more to set the limit and one to
        # wait, whether it has to or not. With TLS it does, for writing: a record may take several turns.
        connected.settimeout(0.0)
        self._timeout: float | None = 0.0  # as set on the socket
        self._wait = _watch(connected)
        # Except for receiving what comes soon, where the kernel can be told for how long to wait: a call less for each reply.
        patient = not self._encrypted and sockets.make_patient(connected)
        self._flags: int = socket.MSG_DONTWAIT if patient else 0
        self._pieces: list[bytes] = []  # received and not parsed yet
        self._written: list[int] = []  # how much the last write took, until that is noted
        self._unread = False  # there may be pieces, or parsed replies that no request has yet: we were interrupted
        # One step of this iterator receives and appends without returning to Python in between.
        self._receive: Iterator[None] = map(
            self._pieces.append, map(connected.recv, repeat(RECEIVE_BYTES), repeat(self._flags))
        )
        self._receive_patiently: Iterator[None] | None = (
            map(self._pieces.append, map(connected.recv, repeat(RECEIVE_BYTES))) if patient else None
        )
        # The rest of a large value is received into memory that is used again, made when there is the first of them.
        self._receive_pieces = self._receive, self._receive_patiently
        self._receive_parts: tuple[Iterator[None], Iterator[None] | None] | None = None
        self._parts: list[memoryview] = []  # what is in it and not parsed yet

    # ------------------------------------------------------------------------------------------------------ sending

    def start(self, payload: bytes, expected: int, deadline: float = math.inf) -> Started:
        """
        Write encoded commands; wait for their replies with ``result``.

        Args:
            payload: the commands, completely encoded
            expected: how many there are
            deadline: for handing them to the network (the twin only queues)

        Raises:
            ConnectionError: the connection is or was lost
            RequestTimeoutError: the network did not take them by then; the channel is closed
        """
        pending = self._session.pending
        if pending and (latest := cast(Started, pending[-1])).unsent:
            self.flush(latest, deadline)  # we were interrupted, and what follows must not cut in
        started = Started(self, expected, payload)
        if self._session.failure is None:
            pending.append(started)
        else:
            self._session.expect(started)  # which raises it
        self.flush(started, deadline)
        return started

    def ask(self, payload: bytes, expected: int, deadline: float) -> Any:
        """
        Write encoded commands, and wait for the reply to the last one. Interrupted or too late, it stays outstanding.

        Args:
            payload: the commands, completely encoded
            expected: how many there are
            deadline: when to give up

        Raises:
            ConnectionError: the connection is or was lost
            RequestTimeoutError: no reply by then
        """
        started = self.start(payload, expected, deadline)
        while len(started.replies) < expected and started.failure is None:
            self.receive(deadline)
        return (started.replies if started.failure is None else started.outcome())[-1]

    def flush(self, started: Started, deadline: float) -> None:
        """
        Write what is left of a request. Interrupted, it can be called again and goes on exactly where it was.

        Raises:
            ConnectionError, RequestTimeoutError: as ``start``
        """
        try:
            while True:
                if self._written:
                    if self._written[0] < len(started.unsent):
                        started.unsent = memoryview(started.unsent)  # what is left is not copied
                    # No call between these two statements, so nothing can interrupt here.
                    started.unsent = started.unsent[self._written[0] :]
                    del self._written[0]
                if not started.unsent:
                    return
                if self._encrypted:
                    self._set_timeout(deadline)
                started.sent = True
                try:
                    # Writing and noting how much was written are one step as well: the sum is made in C.
                    self._written += map(self._socket.send, (started.unsent,), (self._flags,))
                except BlockingIOError:
                    if not _writable(self._socket, deadline):
                        raise TimeoutError from None
        except TimeoutError as error:
            if error.errno == errno.ETIMEDOUT:
                raise self._lost(error, True) from error
            self._end(ConnectionLostError("a command could not be sent in time"))
            raise RequestTimeoutError("the command could not be sent in time", may_have_run=True) from None
        except OSError as error:
            raise self._lost(error, True) from error
        except BaseException:
            if self._encrypted:
                # Writing to a TLS socket is Python code: how much has been written is unknown, so nothing may follow.
                self._end(ConnectionLostError("interrupted while a command was being encrypted"))
            raise

    @property
    def local_address(self) -> str | None:
        """
        Our end of a TCP connection as ``host:port``, as the server may know it.
        """
        return self._local_address

    def certificate(self) -> bytes:
        """
        The server's certificate in its binary form; empty without TLS.
        """
        return (self._socket.getpeercert(True) or b"") if isinstance(self._socket, ssl.SSLSocket) else b""

    @property
    def oldest(self) -> Started | None:
        """
        The request that is answered next, for whoever was interrupted before ``start`` could return it.
        """
        pending = self._session.pending
        return cast(Started, pending[0]) if pending else None

    @property
    def ready(self) -> bool:
        """
        Whether a request may be started now, without waiting or asking first.
        """
        return self._session.failure is None

    @property
    def congested(self) -> bool:
        """
        Never: sending waits by itself.
        """
        return False

    def writable(self, deadline: float) -> None:
        """
        Nothing to wait for; the twin waits for room in the queue.
        """

    # ---------------------------------------------------------------------------------------------------- receiving

    @property
    def pending(self) -> int:
        """
        How many requests have not been answered yet.
        """
        return len(self._session.pending)

    @property
    def pushes(self) -> list[Any]:
        """
        Out-of-band messages that have come, oldest first; whoever deals with them deletes them from the list.
        """
        return self._session.pushes

    def listen(self, most: int) -> Listening:
        """
        Wait for out-of-band messages, in ``wait_any``.

        Args:
            most: how many there may be before anybody deals with them
        """
        self._session.max_pushes = max(most, self._session.max_pushes)
        return Listening(self)

    @property
    def received(self) -> int:
        """
        How many times data has arrived.
        """
        return self._session.received

    @property
    def size(self) -> int:
        """
        How many bytes have arrived since ``measure``.
        """
        return self._session.size

    def measure(self, most: float) -> None:
        """
        Count what arrives from now on.

        Args:
            most: how many bytes may have come while a reply is still not complete; more end the connection
        """
        self._session.measured, self._session.size, self._session.max_size = True, 0, most

    def receive(self, deadline: float) -> None:
        """
        Wait for data and hand it to the requests; at least one attempt is made, however late it is.

        Raises:
            RequestTimeoutError: nothing by then
            ConnectionError: the connection ended
        """
        pieces = self._pieces
        if not self._unread:
            self._unread = True
            try:
                if self._encrypted:
                    self._receive_encrypted(deadline)
                elif not self._patiently(deadline):
                    if deadline and not self._wait(_milliseconds(deadline)):
                        raise TimeoutError
                    next(self._receive)
            except (TimeoutError, BlockingIOError) as error:
                if error.errno == errno.ETIMEDOUT:  # the kernel has given the connection up, early or late
                    raise self._lost(error, True) from error
                self._unread = False
                raise RequestTimeoutError("no reply in time", may_have_run=True) from None
            except OSError as error:
                raise self._lost(error, True) from error
        if pieces and not pieces[0]:
            raise self._lost(None, True)
        try:
            if self._parts:
                self._follow()
            elif not self._session.receive(pieces) and self._session.missing:
                self._receive_into_buffer()
            self._unread = False
        except Exception as error:
            # Whatever the parser stumbled over, what follows cannot be trusted any more.
            failure = (
                error if isinstance(error, ProtocolError) else ProtocolError(f"invalid reply ({type(error).__name__})")
            )
            self._end(failure)

    def _follow(self) -> None:
        """
        Hand over what is in the buffer: as it is, if it is part of large values; otherwise it is a piece like any other.
        """
        size = len(self._parts[0])
        if not size:
            self._lost(None, True)
            return
        self._session.follow(self._parts)
        if self._parts:
            copied = [b"".join(self._parts)]
            # No call between these two statements, so nothing can interrupt here.
            self._pieces += copied
            del self._parts[:]
            self._session.receive(self._pieces)
        elif self._session.missing or size >= _SMALL_RECEIVE_BYTES:
            return  # the next reply is likely to be as large
        self._receive, self._receive_patiently = self._receive_pieces
        self._receive_parts = None  # most connections never need the memory again

    def _receive_into_buffer(self) -> None:
        """
        Receive what is missing of a large value, and what comes with it, into the buffer.
        """
        if self._encrypted:
            return
        if self._receive_parts is None:
            buffer = memoryview(bytearray(_LARGE_RECEIVE_BYTES))
            part = buffer.__getitem__
            receive = self._socket.recv_into
            sizes = map(receive, repeat(buffer), repeat(0), repeat(self._flags))
            patient_sizes = map(receive, repeat(buffer)) if self._receive_patiently is not None else None
            self._receive_parts = (
                map(self._parts.append, map(part, map(slice, sizes))),
                None if patient_sizes is None else map(self._parts.append, map(part, map(slice, patient_sizes))),
            )
        self._receive, self._receive_patiently = self._receive_parts

    def _patiently(self, deadline: float) -> bool:
        """
        Receive what comes soon, waiting in the kernel; False: nothing has, or there is not as much time as it may wait.
        """
        if self._receive_patiently is None or deadline - now() <= sockets.PATIENT_SECONDS:
            return False
        try:
            next(self._receive_patiently)
        except BlockingIOError:
            return False
        return True

    def _receive_encrypted(self, deadline: float) -> None:
        """
        Wait outside of the TLS socket: reading from it is Python code, so it can be interrupted with data in its hands.

        What has arrived may be part of a record, or none of ours (a session ticket): then the wait goes on.
        """
        while True:
            if not self._decrypted() and not _readable((self._socket,), deadline):
                raise TimeoutError
            self._set_timeout(-math.inf)
            try:
                next(self._receive)
                return
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except Exception:
                raise
            except BaseException:
                self._end(ConnectionLostError("interrupted while data was being decrypted"))
                raise

    def _decrypted(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def has_data(self) -> bool:
        """
        Whether data can be had without asking the kernel.
        """
        return self._unread or self._decrypted()

    def fileno(self) -> int:
        """
        The socket, for selectors.
        """
        return self._socket.fileno()

    def _set_timeout(self, deadline: float) -> None:
        timeout = _remaining(deadline)
        if timeout != self._timeout:
            self._timeout = timeout
            self._socket.settimeout(timeout)

    # ------------------------------------------------------------------------------------------------------ the end

    @property
    def closed(self) -> bool:
        """
        Whether the channel takes no more requests.
        """
        return self._session.failure is not None

    def stale(self) -> bool:
        """
        Whether the peer has ended an idle connection, or sent a reply that nobody asked for.

        Looked at before each use: what is unread would be taken for the reply to the next command. Out-of-band messages and
        parts of a TLS record are read and are no reason to part.
        """
        if self._session.failure is None and not (self._unread or self._encrypted or self._wait(0)):
            return False
        while not self.closed and (self.has_data() or self._wait(0)):
            try:
                self.receive(0.0)
            except RequestTimeoutError:
                break
            except ConnectionError:
                pass  # which shows in ``closed``
        return self.closed

    def close(self) -> None:
        """
        Close at once; what is outstanding fails. Another thread that waits for it is woken.
        """
        self._end(ConnectionLostError("the connection was closed"))

    def wait_closed(self) -> None:
        """
        Nothing to wait for: ``close`` has closed the socket.
        """

    def close_from_finalizer(self) -> None:
        """
        Close from a finalizer.
        """
        self._socket.close()

    def _lost(self, error: OSError | None, sent: bool) -> ConnectionLostError:
        text = "the server closed the connection" if error is None else f"connection lost: {error}"
        self._end(ConnectionLostError(text))
        return ConnectionLostError(str(self._session.failure), may_have_run=sent)  # an earlier failure says better why

    def _end(self, failure: ConnectionError) -> None:
        self._session.end(failure)
        try:
            # Closing alone does not wake a thread that waits on the socket. (The method of a TLS socket would end TLS first.)
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            pass  # not connected any more
        self._socket.close()


def connect(
    address: TCPAddress | UnixAddress, context: ssl.SSLContext | None, keepalive: bool, deadline: float
) -> Channel:
    """
    Connect to a server; all addresses of a host are tried.

    Args:
        address: where
        context: for TLS; the certificate is checked against the host of the address
        keepalive: let the kernel look for dead peers
        deadline: when to give up

    Raises:
        ConnectionError: nobody answers there, or not as wanted
        ConnectTimeoutError: not by then
    """
    try:
        if isinstance(address, UnixAddress):
            connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connected.settimeout(_remaining(deadline))
                connected.connect(address.path)
            except BaseException:  # Ctrl-C included: the socket is ours to close, whatever happened
                connected.close()
                raise
            return Channel(connected)
        connected = socket.create_connection((address.host, address.port), _remaining(deadline))
        try:
            sockets.prepare(connected, keepalive)
            if context is not None:
                connected.settimeout(_remaining(deadline))
                connected = context.wrap_socket(connected, server_hostname=address.host)
        except BaseException:  # as above
            connected.close()
            raise
        return Channel(connected)
    except (TimeoutError, BlockingIOError) as error:  # the latter if there was no time at all
        raise ConnectTimeoutError(f"cannot connect to {address} in time") from error
    except OSError as error:
        raise ConnectionError(f"cannot connect to {address}: {error}") from error


def wait_one(request: Started, deadline: float, alarm: Alarm | None = None) -> None:
    """
    Wait until a request is done, as ``wait_any`` does, at less cost where there is no alarm.
    """
    if alarm is not None or request.unsent:
        wait_any((request,), deadline, alarm)
        return
    while not request.done():
        try:
            request.channel.receive(deadline)
        except RequestTimeoutError:
            return
        except ConnectionError:
            pass  # shows in the request


def wait_any(requests: Sequence[Started], deadline: float, alarm: Alarm | None = None) -> bool:
    """
    Wait until one of several requests, on whatever channels, is done; none is cancelled. Of none at all: until the alarm.

    Returns:
        False when the deadline or the alarm came first
    """
    for started in requests:
        if started.unsent and started.failure is None:
            try:
                started.channel.flush(started, deadline)  # we were interrupted
            except (ConnectionError, RequestTimeoutError):
                pass  # shows in the request
    while not any(started.done() for started in requests):
        channels = dict.fromkeys([started.channel for started in requests])
        ready: list[Any] = [channel for channel in channels if channel.has_data()]
        if not ready:
            watched: tuple[Any, ...] = tuple(channels) if alarm is None else (*channels, alarm)
            if alarm is not None:
                alarm.fileno()  # from here on a ring is seen
                if alarm.rung:
                    return False
            ready = _readable(watched, deadline)
        if alarm is not None and alarm in ready:
            if alarm.rung:
                return False
            # Whoever rang was seen and cleared before it wrote. Left there, what it wrote would hide every reply.
            alarm._drain()
            continue
        if not ready:
            return False
        for channel in ready:
            try:
                channel.receive(0.0)
            except (ConnectionError, RequestTimeoutError):
                pass  # a lost connection shows in its requests; part of a TLS record is not a reply yet
    return True


def spawn(function: Callable[[], None]) -> threading.Thread:
    """
    Run a function of no arguments beside the caller, in a thread; ``join`` it. The twin starts a task.
    """
    thread = threading.Thread(target=function, name="coredis", daemon=True)
    thread.start()
    return thread


def join(running: threading.Thread) -> None:
    """
    Wait until what ``spawn`` started has ended, after telling it to.
    """
    if running is not threading.current_thread():
        running.join()


def call(function: Callable[[T], object], argument: T) -> None:
    """
    Call a function of the application. The twin awaits what it returns.
    """
    function(argument)


class Feed(Generic[T]):
    """
    Takes from an iterable of the application, which may never end. The twin takes from asynchronous ones as well.

    Attributes:
        held: what was taken, in order; whoever deals with it deletes it from the list
        whole: all items are there already, so none is slow in coming
        ended: there is no more
        failure: what the iterable raised instead of going on
    """

    __slots__ = ("_items", "ended", "failure", "held", "whole")

    def __init__(self, items: Series[T]) -> None:
        self._items = iter(items)
        self.held: list[T] = []
        self.whole = isinstance(items, Sized)
        self.ended = False
        self.failure: Exception | None = None

    def take(self, most: int) -> None:
        """
        Take some more items, as many as there are and at most so many.
        """
        before = len(self.held)
        try:
            # Interrupted inside of the iterable, the list has what it gave before.
            self.held.extend(islice(self._items, most))
            self.ended = len(self.held) - before < most
        except Exception as error:
            self.failure, self.ended = error, True


def close_all(channels: Iterable[Channel]) -> None:
    """
    Close channels.
    """
    for channel in channels:
        channel.close()


def _readable(channels: Iterable[Any], deadline: float) -> list[Any]:
    """
    Wait until one can be read from; one that another thread has closed can: reading from it will say so.

    With poll, made for each wait: it takes a microsecond, and poll wakes up when another thread closes a socket. epoll
    forgets the socket and sleeps on.
    """
    if not hasattr(select, "poll"):
        return _selected(channels, deadline)
    poll = select.poll()
    by_descriptor = {}
    for channel in channels:
        descriptor = channel.fileno()
        if descriptor < 0:
            return [channel]
        by_descriptor[descriptor] = channel
        poll.register(descriptor, select.POLLIN)
    ready = poll.poll(_milliseconds(deadline))
    return [by_descriptor[descriptor] for descriptor, _ in ready]


def _watch(connected: socket.socket) -> Callable[[int | None], object]:
    """
    Make a function that waits until a socket can be read from, for so many milliseconds at most, and tells whether it can.

    One poll for the life of the socket: there are two such waits for each command.
    """
    if not hasattr(select, "poll"):
        return lambda limit: _selected((connected,), math.inf if limit is None else now() + limit / 1000)
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLIN)
    return poll.poll


def _writable(connected: socket.socket, deadline: float) -> bool:
    """
    Wait until a socket can be written to; False when the deadline came first.
    """
    if not hasattr(select, "poll"):
        with selectors.DefaultSelector() as selector:
            selector.register(connected, selectors.EVENT_WRITE)
            return bool(selector.select(_remaining(deadline)))
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLOUT)
    return bool(poll.poll(_milliseconds(deadline)))


def _milliseconds(deadline: float) -> int | None:
    if deadline == math.inf:
        return None
    remaining = (deadline - now()) * 1000.0
    return 0 if remaining <= 0.0 else int(remaining) + 1 if remaining < MAX_POLL_MILLISECONDS else MAX_POLL_MILLISECONDS


def _selected(channels: Iterable[Any], deadline: float) -> list[Any]:
    with selectors.DefaultSelector() as selector:
        for channel in channels:
            if channel.fileno() < 0:
                return [channel]
            selector.register(channel, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(_remaining(deadline))]


def _remaining(deadline: float) -> float | None:
    return None if deadline == math.inf else max(0.0, deadline - now())
