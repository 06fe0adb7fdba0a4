"""
The asynchronous half of the runtime: asyncio channels, clocks and locks. Its twin is ``blocking``.

What differs from the twin: one channel carries the commands of many tasks at once (``MULTIPLEXED``). What they send in
one turn of the event loop leaves in one write, and each waits for its own replies. A wait is a future; one timer per
channel watches the earliest time limit of all waits, so a command costs no timer of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import math
import os
import random as _random
import ssl
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Sequence, Sized
from itertools import islice
from types import TracebackType
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
Series: TypeAlias = Iterable[T] | AsyncIterable[T]

SERIES: Final = (Iterable, AsyncIterable)  # the same, to ask for
MULTIPLEXED: Final = True
MAX_PENDING: Final = 1000  # requests in flight on a channel before further ones wait
MAX_QUEUED_BYTES: Final = 4 * 1024 * 1024  # written but not accepted by the network before further requests wait
RECEIVE_BYTES: Final = 256 * 1024  # received at a time: each time costs a turn of the event loop
# The parser gets it in pieces of this size. For a larger copy the C library would map and unmap memory each time.
PIECE_BYTES: Final = 64 * 1024

now = time.monotonic
random = _random.random
_run_forever: Final = asyncio.BaseEventLoop.run_forever  # unchanged, so that no task runs the loop
_NESTING: Final = {"IPython", "nest_asyncio"}


class Home:
    """
    What a client is bound to: the running event loop. In the twin it is nothing but the process.
    """

    __slots__ = ("_loop", "_thread")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def __repr__(self) -> str:
        return repr(self._loop)

    def here(self) -> bool:
        """
        Tell whether the caller runs in it.

        Raises:
            RuntimeError: no event loop is running
        """
        # Asking asyncio takes a system call (Python 3.11), and this is asked for every command. A thread runs one event loop
        # at a time.
        if self._thread == threading.get_ident() and self._loop.is_running():
            return True
        if self._loop is not asyncio.get_running_loop():
            return False
        self._thread = threading.get_ident()  # it goes on in another thread than before
        return True


def caller() -> object:
    """
    Who is calling: the running task. In the twin it is the thread.
    """
    return asyncio.current_task()


async def sleep(seconds: float) -> None:
    """
    Wait.
    """
    await asyncio.sleep(seconds)


class StateLock:
    """
    Guards state that changes between two awaits: nothing to do here, a lock in the twin.
    """

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Event:
    """
    Something to wait for, set once. The twin is a ``threading.Event``.
    """

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        if not self._future.done():
            self._future.set_result(None)

    def is_set(self) -> bool:
        """
        Tell whether it has been set.
        """
        return self._future.done() and not self._future.cancelled()

    async def wait(self, deadline: float) -> bool:
        """
        Wait until set; False when the deadline came first.
        """
        await asyncio.wait((self._future,), timeout=_remaining(deadline))
        return self.is_set()


class Alarm:
    """
    Ends a wait of ``wait_any`` from outside, even from another thread or a signal handler. Rung, it stays so until cleared.

    The twin wakes a thread through a pair of sockets.
    """

    __slots__ = ("_loop", "_waiter", "rung")

    def __init__(self) -> None:
        self.rung = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        self.rung = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def clear(self) -> None:
        """
        Let waits wait again.
        """
        self.rung = False

    def watch(self, waiter: asyncio.Future[None]) -> None:
        """
        Set this future when rung; for ``wait_any`` alone.
        """
        self._loop, self._waiter = waiter.get_loop(), waiter
        if self.rung:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Awaited(Request):
    """
    A request that somebody may wait for.

    Attributes:
        waiter: what they wait for; None: nobody does
        deadline: when they wait no longer
    """

    __slots__ = ("deadline", "waiter")

    waiter: asyncio.Future[Any] | None
    deadline: float

    def wake(self) -> None:
        """
        Let whoever waits go on.
        """
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def expire(self) -> None:
        """
        Tell whoever waits that time is up. What is only queued will be sent all the same, so it may run too.
        """
        # Still outstanding, it must not hold what the error will hold: the frames of the waiting task, and so the channel.
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(RequestTimeoutError("no reply in time", may_have_run=True))


class _Asked(_Awaited):
    """
    A single command whose reply, or the reason why there is none, is all that whoever waits wants to have.
    """

    __slots__ = ()

    def wake(self) -> None:
        """
        Tell whoever waits that the connection has ended.
        """
        if self.waiter is not None and not self.waiter.done() and self.failure is not None:
            self.waiter.set_exception(self.reason(self.failure))


class Started(_Awaited):
    """
    A request that has been queued for the network.
    """

    __slots__ = ("_channel",)

    def __init__(self, channel: Channel, expected: int) -> None:
        # Not through the base class: there is one for each command.
        self.expected = expected
        self.replies = []
        self.failure = None
        self.sent = False
        self._channel = channel
        self.waiter = None
        self.deadline = math.inf

    @property
    def written(self) -> bool:
        """
        Whether all of it has been handed to the network.
        """
        return self.sent

    async def result(self, deadline: float) -> list[Any]:
        """
        Wait for the replies. Cancelled or too late, the request stays outstanding and may be waited for again.

        Raises:
            ConnectionError: the connection ended first
            RequestTimeoutError: nothing by then
        """
        if not self.done():
            channel = self._channel
            self.waiter = channel.future()
            self.deadline = deadline
            channel.watch(deadline)
            try:
                await self.waiter
            finally:
                self.waiter = None
        return self.outcome()


class Listening(Started):
    """
    Something to wait for that is no request: done when an out-of-band message has come, or the connection has ended.
    """

    __slots__ = ()

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, 0)

    def done(self) -> bool:
        """
        Tell whether there is a message, or never will be.
        """
        return bool(self._channel.pushes) or self._channel.closed


class Channel(asyncio.BufferedProtocol):
    """
    A connection to a server: commands out, replies in.

    All channels of an event loop receive into one buffer: what is in it is taken out before the loop does anything else. An
    ``asyncio.Protocol`` has its transport allocate a quarter of a megabyte for each receive, which costs more than PING does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._buffer = _buffer_of(loop)
        self._session = Session()
        self._transport: asyncio.Transport | None = None
        self._queued: list[bytes] = []
        self._queued_bytes = 0
        self._unsent: list[Started] = []  # those among them who will want to know
        self._paused = False
        # In order, and found at once by whoever leaves: there may be tens of thousands.
        self._writers: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self._admitted = 0  # turns that were given to writers who have not gone on yet
        self._admission_due = False
        self._timer: asyncio.Handle | None = None
        self.watched = math.inf  # until when there is a timer
        self._crowd = False  # those who are about to go on are several
        self._resuming = False  # they are going on
        self._lost = loop.create_future()
        self._listening: Listening | None = None
        self.ready = True  # a request may be started now, without waiting or asking first: see ``_look``
        # What may make the loop one that its tasks can run, does it at any moment: a cell of a notebook, say.
        self._plain = type(loop).run_forever is _run_forever and not (_NESTING & sys.modules.keys() or _may_nest())
        self.future = loop.create_future
        if self._plain:
            self.future = functools.partial(asyncio.Future, loop=loop)  # as the loop makes it, with two calls less

    # ------------------------------------------------------------------------------------------------------ sending

    def start(self, payload: bytes, expected: int, deadline: float = math.inf) -> Started:
        """
        Queue encoded commands; wait for their replies with ``result``. Never waits itself.

        Args:
            payload: the commands, completely encoded
            expected: how many there are
            deadline: for handing them to the network (the twin blocks here)

        Raises:
            ConnectionError: the channel is closed; nothing was sent
        """
        started = Started(self, expected)
        self._enqueue(started, payload)
        if not started.sent:
            self._unsent.append(started)
        return started

    def ask(self, payload: bytes, expected: int, deadline: float) -> asyncio.Future[Any]:
        """
        Queue encoded commands, and give the reply to the last one to await. Whoever waits no longer leaves it outstanding.

        Args:
            payload: the commands, completely encoded
            expected: how many there are
            deadline: when to give up

        Raises:
            ConnectionError: the connection is or was lost
            RequestTimeoutError: no reply by then
        """
        # Filled here: a constructor in Python would take longer than the rest, and there is one for each command.
        asked = _Asked.__new__(_Asked)
        asked.expected = expected
        asked.replies = []
        asked.failure = None
        asked.sent = True  # or it soon will be; when it fails, that is looked at again
        asked.deadline = deadline
        asked.waiter = waiter = self.future()
        if self._queued:
            # One of many: all there is to do for it was done for the first of them.
            pending = self._session.pending
            pending.append(asked)
            self._queued.append(payload)
            self._queued_bytes += len(payload)
            if len(pending) + self._admitted >= MAX_PENDING or self._queued_bytes >= MAX_QUEUED_BYTES:
                self.ready = False
        else:
            self._enqueue(asked, payload)
        if deadline < self.watched:
            self.watch(deadline)
        return waiter

    def _enqueue(self, request: _Awaited, payload: bytes) -> None:
        """
        Write a request, or leave it to the next write.
        """
        session = self._session
        idle = not session.pending
        if session.failure is None:
            session.pending.append(request)
        else:
            session.expect(request)  # which raises it
        if idle and not self._crowd and not self._queued and not self._paused:
            # Nobody to share a write with is in sight, so none is waited for.
            request.sent = True
            assert self._transport is not None
            self._transport.write(payload)
        else:
            if not (self._queued or self._resuming):
                self.loop.call_soon(self._flush)
            self._queued.append(payload)
            self._queued_bytes += len(payload)
        self._look()

    def _look(self) -> None:
        """
        Find out whether a request may be started now. Wherever that may have changed, this is called.
        """
        session = self._session
        self.ready = (
            len(session.pending) + self._admitted < MAX_PENDING
            and self._queued_bytes < MAX_QUEUED_BYTES
            and not self._paused
            and session.failure is None
        )

    def _flush(self) -> None:
        self._crowd = False
        if self._transport is None or not self._queued:
            return
        payload = b"".join(self._queued)
        self._queued.clear()
        self._queued_bytes = 0
        for started in self._unsent:
            started.sent = True
        self._unsent.clear()
        self._transport.write(payload)
        self._admit()

    @property
    def congested(self) -> bool:
        """
        Whether further requests should wait with ``writable`` first.
        """
        return self._paused or self._room <= 0 or self._queued_bytes >= MAX_QUEUED_BYTES

    @property
    def _room(self) -> int:
        # A turn that was given keeps its place, so that no newcomer takes it and it is not given twice.
        return MAX_PENDING - len(self._session.pending) - self._admitted

    @property
    def local_address(self) -> str | None:
        """
        Our end of a TCP connection as ``host:port``, as the server may know it.
        """
        assert self._transport is not None
        return sockets.render_address(self._transport.get_extra_info("sockname"))

    def certificate(self) -> bytes:
        """
        The server's certificate in its binary form; empty without TLS.
        """
        assert self._transport is not None
        encrypted: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return b"" if encrypted is None else encrypted.getpeercert(True) or b""

    @property
    def oldest(self) -> Started | None:
        """
        The request that is answered next, for whoever was interrupted before ``start`` could return it.
        """
        pending = self._session.pending
        return cast(Started, pending[0]) if pending else None

    async def writable(self, deadline: float) -> None:
        """
        Wait until the channel takes further requests.

        Raises:
            RequestTimeoutError: not by then; nothing was sent
        """
        overtaken = False
        while self.congested and not self.closed:
            turn = self.loop.create_future()
            self._writers[turn] = None
            if overtaken:
                self._writers.move_to_end(turn, last=False)  # the network was full again: we are the next all the same
            overtaken = True
            timer = None if deadline == math.inf else self.loop.call_later(_delay(deadline), _expire, turn)
            try:
                await turn
            finally:
                if timer is not None:
                    timer.cancel()
                if turn in self._writers:
                    del self._writers[turn]
                else:
                    # If we leave without using our turn, it is the next one's; that shows after we have gone on.
                    self._admitted -= 1
                    self._look()
                    if not self._admission_due:
                        self._admission_due = True
                        self.loop.call_soon(self._admit_left)

    def _admit_left(self) -> None:
        self._admission_due = False
        self._admit()

    def _admit(self) -> None:
        room = 0 if self._paused else self._room
        if self.closed:
            room = len(self._writers)
        while self._writers and room > 0:
            turn, _ = self._writers.popitem(last=False)
            self._admitted += 1  # until its owner goes on, even one whose time is up
            if not turn.done():
                turn.set_result(None)
                room -= 1
        self._look()

    def pause_writing(self) -> None:
        """
        The network takes no more (called by the transport).
        """
        self._paused = True
        self._look()

    def resume_writing(self) -> None:
        """
        The network takes more again (called by the transport).
        """
        self._paused = False
        self._admit()

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
        self._listening = Listening(self)
        return self._listening

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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        The connection stands (called by the transport).
        """
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=MAX_QUEUED_BYTES)

    def get_buffer(self, sizehint: int) -> memoryview:
        """
        Give the memory that bytes are to arrive in (called by the transport, which fills it at once).
        """
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """
        Bytes have arrived there (called by the transport).
        """
        buffer = self._buffer
        if nbytes > PIECE_BYTES or self._session.missing:
            parts = [buffer[:nbytes]]
            self._received([], parts)
            if not parts:
                return
        if nbytes <= PIECE_BYTES:
            self._received([bytes(buffer[:nbytes])])
        else:
            ends = range(PIECE_BYTES, nbytes + PIECE_BYTES, PIECE_BYTES)
            self._received([bytes(buffer[end - PIECE_BYTES : min(end, nbytes)]) for end in ends])

    def data_received(self, data: bytes) -> None:
        """
        Pass on bytes that have arrived (called by transports that know no buffer).
        """
        self._received([data])

    def _received(self, pieces: list[bytes], parts: list[memoryview] | None = None) -> None:
        """
        Hand over what has arrived.

        Args:
            pieces: copies of it
            parts: the memory it arrived in, instead; what is left there afterwards may be something else than large values, and
                has to be copied
        """
        if self._session.failure is not None:
            return
        try:
            found = self._session.receive(pieces) if parts is None else self._session.follow(parts)
            complete = cast(list[_Awaited], found)
        except Exception as error:
            # Whatever the parser stumbled over, what follows cannot be trusted any more.
            self._end(
                error if isinstance(error, ProtocolError) else ProtocolError(f"invalid reply ({type(error).__name__})")
            )
            complete = cast(list[_Awaited], self._session.complete)  # what came before it was in order
        except BaseException:
            # KeyboardInterrupt: the loop may be run again, and would take the next replies for those that are lost now.
            self._end(ConnectionLostError("interrupted while data was received"))
            _answer_all(cast(list[_Awaited], self._session.complete))
            raise
        try:
            # All that is left to be done here, before they go on: whatever they do or raise then. They may want to send, too.
            if self._writers or not self.ready:
                self._admit()
            if self._listening is not None and self._session.pushes:
                self._listening.wake()
            if complete:
                # They go on in the same turn of the loop, so what they send next can share a write.
                self._crowd = len(complete) > 1
                self._resume(complete)
        finally:
            if complete:
                _answer_all(complete)  # those who have not gone on, after an interruption as well

    def _resume(self, complete: list[_Awaited]) -> None:
        """
        Let those go on whose replies are there, if that can be done here.

        A future has the loop do that in its next turn, and makes it a handle for each of them. Both can be saved, since nothing
        of this channel is left to be done before: each task goes on in this call, up to its next wait. Not so where tasks may
        run the loop themselves (nest_asyncio): within this call it could receive nothing. Nor within a task, where transports
        do not call us: there is one at a time.
        """
        if (
            not self._plain
            or type(self.loop).run_forever is not _run_forever
            or asyncio.current_task(self.loop) is not None
        ):
            return
        request: _Awaited | None = None
        waiter: asyncio.Future[Any] | None = None
        callbacks: Any = None
        callback: Any = None
        context: Any = None
        try:
            self._resuming = True
            for request in complete:
                waiter = request.waiter
                if waiter is None or waiter.done():
                    continue
                callback = None
                callbacks = getattr(waiter, "_callbacks", None)  # not documented, and there since there are futures
                if callbacks is not None and len(callbacks) == 1:
                    ((callback, context),) = callbacks
                    if not waiter.remove_done_callback(callback):
                        continue  # a signal handler has just cancelled it
                try:
                    waiter.set_result(request.replies[-1])
                except asyncio.InvalidStateError:
                    pass  # as before: asyncio.run cancels a task at Ctrl-C, even between two lines of ours
                if callback is not None:
                    context.run(callback, waiter)
            complete.clear()
            self._resuming = False
            self._flush()
        except BaseException:
            self._resuming = False
            self.loop.call_soon(self._flush)
            waiter = None if request is None else request.waiter
            if waiter is not None and callback is not None:
                waiter.remove_done_callback(callback)
                if getattr(getattr(callback, "__self__", None), "_fut_waiter", None) is waiter:
                    self.loop.call_soon(callback, waiter, context=context)  # this task has not gone on yet
            raise
        finally:
            # The traceback of what a task raises leads to this frame (from Python 3.12 on): it must not lead back to the task.
            request = waiter = callbacks = callback = context = None

    def watch(self, deadline: float) -> None:
        """
        See to it that waits end by then.
        """
        if deadline >= self.watched:
            return
        delay = _delay(deadline)
        if self._timer is not None:
            self._timer.cancel()
        self.watched = deadline  # not asked of the handle: uvloop's does not always know
        self._timer = self.loop.call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer, self.watched = None, math.inf
        time_now, earliest = now(), math.inf
        for request in self._session.pending:
            assert isinstance(request, _Awaited)
            if request.waiter is not None:
                if request.deadline <= time_now:
                    request.expire()
                else:
                    earliest = min(earliest, request.deadline)
        self.watch(earliest)

    # ------------------------------------------------------------------------------------------------------ the end

    @property
    def closed(self) -> bool:
        """
        Whether the channel takes no more requests.
        """
        return self._session.failure is not None

    def stale(self) -> bool:
        """
        Whether the peer has ended an idle connection: seen at once here, looked for in the twin.
        """
        return self.closed

    def close(self) -> None:
        """
        Close at once; what is outstanding fails.
        """
        self._end(ConnectionLostError("the connection was closed"))

    async def wait_closed(self) -> None:
        """
        Wait until the socket is closed, after ``close``.
        """
        await asyncio.shield(self._lost)

    def close_from_finalizer(self) -> None:
        """
        Close from a finalizer: perhaps in another thread, perhaps after the event loop.
        """
        if self.loop.is_closed():
            return  # the loop took its sockets with it
        self.loop.call_soon_threadsafe(self.close)

    def connection_lost(self, error: Exception | None) -> None:
        """
        The connection is gone (called by the transport).
        """
        failure = ConnectionLostError(
            "the server closed the connection" if error is None else f"connection lost: {error}"
        )
        failure.__cause__ = error
        self._end(failure)
        if not self._lost.done():
            self._lost.set_result(None)

    def _end(self, failure: ConnectionError) -> None:
        failed = self._session.end(failure)
        for request in failed[max(0, len(failed) - len(self._queued)) :]:
            request.sent = False  # the last ones are those that are queued
        self._queued.clear()
        self._queued_bytes = 0
        self._unsent.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self.watched = None, math.inf
        if self._transport is not None and not self.loop.is_closed():
            self._transport.abort()
        for request in failed:
            assert isinstance(request, _Awaited)
            request.wake()
        if self._listening is not None:
            self._listening.wake()
        self._admit()


_buffers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = weakref.WeakKeyDictionary()


def _buffer_of(loop: asyncio.AbstractEventLoop) -> memoryview:
    """
    The memory that all channels of an event loop receive into.
    """
    buffer = _buffers.get(loop)
    if buffer is None:
        buffer = _buffers[loop] = memoryview(bytearray(RECEIVE_BYTES))
    return buffer


async def connect(
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
    loop = asyncio.get_running_loop()

    async def open_transport() -> Channel:
        if isinstance(address, UnixAddress):
            _, unix_channel = await loop.create_unix_connection(lambda: Channel(loop), address.path)
            return unix_channel
        transport, channel = await loop.create_connection(
            lambda: Channel(loop),
            address.host,
            address.port,
            ssl=context,
            server_hostname=address.host if context is not None else None,
        )
        sockets.prepare(transport.get_extra_info("socket"), keepalive)
        return channel

    # In an empty context: a connection outlives the request that happened to open it, and what that held.
    opening = loop.create_task(open_transport(), context=contextvars.Context())
    try:
        async with asyncio.timeout(_remaining(deadline)):
            try:
                return await opening
            except BaseException:  # cancelled or too late just when the connection stood: nobody else would close it
                opening.add_done_callback(_close_opened)
                raise
    except TimeoutError as error:
        raise ConnectTimeoutError(f"cannot connect to {address} in time") from error
    except OSError as error:
        raise ConnectionError(f"cannot connect to {address}: {error}") from error


def _close_opened(opening: asyncio.Task[Channel]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def wait_one(request: Started, deadline: float, alarm: Alarm | None = None) -> None:
    """
    Wait until a request is done, as ``wait_any`` does, at less cost: the timer of its channel watches over it.
    """
    if request.done():
        return
    channel = request._channel
    request.waiter = waiter = channel.future()
    request.deadline = deadline
    channel.watch(deadline)
    if alarm is not None:
        alarm.watch(waiter)
    try:
        await waiter
    except RequestTimeoutError:
        pass
    finally:
        request.waiter = None


async def wait_any(requests: Sequence[Started], deadline: float, alarm: Alarm | None = None) -> bool:
    """
    Wait until one of several requests, on whatever channels, is done; none is cancelled. Of none at all: until the alarm.

    Returns:
        False when the deadline or the alarm came first
    """
    if any(started.done() for started in requests):
        return True
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    timer = None if deadline == math.inf else loop.call_later(_delay(deadline), _expire, waiter)
    for started in requests:
        started.waiter = waiter
        started.deadline = math.inf
    if alarm is not None:
        alarm.watch(waiter)
    try:
        await waiter
    except RequestTimeoutError:
        return False
    finally:
        if timer is not None:
            timer.cancel()
        for started in requests:
            started.waiter = None
    return any(started.done() for started in requests)


def spawn(function: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """
    Run a function of no arguments beside the caller, as a task; ``join`` it. The twin starts a thread.
    """
    # In an empty context: it outlives the request that happened to start it, and what that held.
    return asyncio.get_running_loop().create_task(function(), context=contextvars.Context())


async def join(running: asyncio.Task[None]) -> None:
    """
    Wait until what ``spawn`` started has ended, after telling it to.
    """
    await asyncio.wait((running,))


async def call(function: Callable[[T], object], argument: T) -> None:
    """
    Call a function of the application, which may be a coroutine function. The twin just calls it.
    """
    result = function(argument)
    if inspect.isawaitable(result):
        await result


class Feed(Generic[T]):
    """
    Takes from an iterable of the application, which may never end, and may be an asynchronous one. The twin knows plain ones.

    Attributes:
        held: what was taken, in order; whoever deals with it deletes it from the list
        whole: all items are there already, so none is slow in coming
        ended: there is no more
        failure: what the iterable raised instead of going on
    """

    __slots__ = ("_items", "_plain", "ended", "failure", "held", "whole")

    def __init__(self, items: Series[T]) -> None:
        self._items = aiter(items) if isinstance(items, AsyncIterable) else None
        self._plain = None if isinstance(items, AsyncIterable) else iter(items)
        self.held: list[T] = []
        self.whole = isinstance(items, Sized)
        self.ended = False
        self.failure: Exception | None = None

    async def take(self, most: int) -> None:
        """
        Take some more items, as many as there are and at most so many.
        """
        before = len(self.held)
        try:
            if self._plain is not None:
                self.held.extend(islice(self._plain, most))
                self.ended = len(self.held) - before < most
            elif self._items is not None:
                for _ in range(most):
                    self.held.append(await anext(self._items))
        except StopAsyncIteration:
            self.ended = True
        except Exception as error:
            self.failure, self.ended = error, True


async def close_all(channels: Iterable[Channel]) -> None:
    """
    Close channels and wait until their sockets are closed.
    """
    closing = list(channels)
    for channel in closing:
        channel.close()
    for channel in closing:
        await channel.wait_closed()


@functools.cache
def _may_nest() -> bool:
    """
    Tell whether nest_asyncio is installed: who uses it often imports it where it is needed, in the middle of a task.
    """
    return any(os.path.exists(os.path.join(place, "nest_asyncio.py")) for place in sys.path)


def _answer_all(complete: list[_Awaited]) -> None:
    """
    Let those go on in the next turn of the loop who still wait for requests that have been answered.
    """
    for request in complete:
        if request.waiter is not None and not request.waiter.done():
            try:
                request.waiter.set_result(request.replies[-1])
            except asyncio.InvalidStateError:
                pass  # cancelled by a signal handler, see ``_resume``
    complete.clear()  # see the end of ``_resume``


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(RequestTimeoutError("not in time"))


def _remaining(deadline: float) -> float | None:
    return None if deadline == math.inf else _delay(deadline)


def _delay(deadline: float) -> float:
    return max(0.0, deadline - now())
