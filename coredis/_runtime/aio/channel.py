"""
A connection to a server that many tasks use at once: commands out, replies in, and how it ends.
"""

from __future__ import annotations

import asyncio
import functools
import math
import ssl
import threading
import weakref
from collections import OrderedDict
from collections.abc import Awaitable
from typing import Any, Final, cast

from ..._core.session import Session
from ...exceptions import ConnectionError, ConnectionLostError, ProtocolError
from .. import sockets
from ..sessions import SessionView
from . import clock
from .home import Home
from .requests import Asked, Awaited, Listening, Started
from .resuming import answer_all, can_resume, resume
from .waiting import expire

_get_ident: Final = threading.get_ident

MULTIPLEXED: Final[bool] = True
MAX_PENDING: Final = 1000  # requests in flight on a channel before further ones wait
MAX_QUEUED_BYTES: Final = 4 * 1024 * 1024  # written but not accepted by the network before further requests wait
# Shorter requests of a crowd are not counted: as many as may be pending are no more than that.
UNCOUNTED_BYTES: Final = MAX_QUEUED_BYTES // MAX_PENDING
RECEIVE_BYTES: Final = 256 * 1024  # received at a time: each time costs a turn of the event loop
# The parser gets it in pieces of this size. For a larger copy the C library would map and unmap memory each time.
PIECE_BYTES: Final = 64 * 1024


class Channel(SessionView, asyncio.BufferedProtocol):
    """
    A connection to a server: commands out, replies in.

    All channels of an event loop receive into one buffer: what is in it is taken out before the loop does anything else. An
    ``asyncio.Protocol`` has its transport allocate a quarter of a megabyte for each receive, which costs more than PING does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._buffer = _buffer_of(loop)
        self.session = Session(Asked)
        self._transport: asyncio.Transport | None = None
        self._queued: list[bytes] = []
        self._queued_bytes = 0
        self.spare: list[Awaited] = []  # answered and forgotten by everybody, for those who ask next
        self.spares = False  # it pays to keep them: there are many at a time
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
        self._plain = can_resume(loop)
        self._home = Home(loop)
        self._runner = self._home._runner
        self.future = loop.create_future
        if self._plain:
            self.future = functools.partial(asyncio.Future, loop=loop)  # as the loop makes it, with two calls less

    # ------------------------------------------------------------------------------------------------------ sending

    def takes(self) -> bool:
        """
        Tell whether the caller, wherever it runs, may start a request now, without waiting or asking first.

        Raises:
            RuntimeError: it may, but for that no event loop is running
        """
        if self._runner is None:
            return self.ready and self._home.here()
        return self.ready and self._runner._thread_id == _get_ident()  # as ``Home.here``, with one call less

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
        pending = self.session.pending
        if pending or self._queued or self._crowd or self._admitted or not self.ready:
            self._enqueue(started, payload)
            if not started.sent:
                self._unsent.append(started)
        else:
            # As that would do it, see ``ask``. Those come here who have a connection of their own.
            assert self._transport is not None
            try:
                pending.append(started)
                started.sent = True
                self._transport.write(payload)
            except BaseException:
                self._torn()
                raise
        return started

    def ask(self, payload: bytes, expected: int, deadline: float) -> Awaitable[Any]:
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
        if expected != 1:
            return self._ask_last(payload, expected, deadline)
        if self.spare:
            asked = self.spare.pop()
        else:
            asked = Asked()
            asked.sent = True  # or it soon will be; when it fails, that is looked at again
        asked.deadline = deadline
        asked.waiter = waiter = self.future()
        pending = self.session.pending
        if self._queued:
            # One of many: all there is to do for it was done for the first of them.
            try:
                pending.append(asked)
                self._queued.append(payload)
            except BaseException:
                self._torn()
                raise
            if len(payload) >= UNCOUNTED_BYTES:
                self._queued_bytes += len(payload)
                self._look()
            if len(pending) + self._admitted >= MAX_PENDING:
                self.ready = False
        elif pending or self._crowd or self._admitted or not self.ready:
            self._enqueue(asked, payload)
        else:
            # As that would do it: nobody to share a write with is in sight, and there is room for one.
            assert self._transport is not None
            try:
                pending.append(asked)
                self._transport.write(payload)
            except BaseException:
                self._torn()
                raise
        if deadline < self.watched:
            self.watch(deadline)
        return waiter

    async def _ask_last(self, payload: bytes, expected: int, deadline: float) -> Any:
        return (await self.start(payload, expected, deadline).result(deadline))[-1]

    def _enqueue(self, request: Awaited, payload: bytes) -> None:
        """
        Write a request, or leave it to the next write.
        """
        session = self.session
        idle = not session.pending
        if session.failure is not None:
            session.expect(request)  # which raises it
        try:
            session.pending.append(request)
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
        except BaseException:
            self._torn()
            raise
        self._look()

    def _torn(self) -> None:
        """
        End the connection, since a signal handler has raised while something was written: nobody knows how much of it was, and
        the next replies would be taken for those of others.
        """
        self._end(ConnectionLostError("interrupted while a command was written"))

    def _look(self) -> None:
        """
        Find out whether a request may be started now. Wherever that may have changed, this is called.
        """
        session = self.session
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
        try:
            payload = b"".join(self._queued)
            self._queued.clear()
            self._queued_bytes = 0
            for started in self._unsent:
                started.sent = True
            self._unsent.clear()
            self._transport.write(payload)
        except BaseException:
            self._torn()
            raise
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
        return MAX_PENDING - len(self.session.pending) - self._admitted

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
        pending = self.session.pending
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
            timer = None if deadline == math.inf else self.loop.call_later(clock.delay(deadline), expire, turn)
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

    def listen(self, most: int) -> Listening:
        """
        Wait for out-of-band messages, in ``wait_any``.

        Args:
            most: how many there may be before anybody deals with them
        """
        self.session.max_pushes = max(most, self.session.max_pushes)
        self._listening = Listening(self)
        return self._listening

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
        if nbytes <= PIECE_BYTES and not self.session.missing:
            self._received([bytes(self._buffer[:nbytes])])
        else:
            self._large_received(nbytes)

    def _large_received(self, nbytes: int) -> None:
        """
        Take out of the buffer what may be part of large values.
        """
        buffer = self._buffer
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
        if self.session.failure is not None:
            return
        found: Any  # what was sent from here are requests of this half
        try:
            found = self.session.receive(pieces) if parts is None else self.session.follow(parts)
        except Exception as error:
            # Whatever the parser stumbled over, what follows cannot be trusted any more.
            self._end(
                error if isinstance(error, ProtocolError) else ProtocolError(f"invalid reply ({type(error).__name__})")
            )
            found = self.session.complete  # what came before it was in order
        except BaseException:
            # KeyboardInterrupt: the loop may be run again, and would take the next replies for those that are lost now.
            self._end(ConnectionLostError("interrupted while data was received"))
            found = self.session.complete
            answer_all(found)
            raise
        complete: list[Awaited] = found
        try:
            # All that is left to be done here, before they go on: whatever they do or raise then. They may want to send, too.
            if self._writers or not self.ready:
                self._admit()
            if self._listening is not None and self.session.pushes:
                self._listening.wake()
            if complete:
                # They go on in the same turn of the loop, so what they send next can share a write.
                self._crowd = len(complete) > 1
                resume(self, complete)
        finally:
            if complete:
                answer_all(complete)  # those who have not gone on, after an interruption as well

    def watch(self, deadline: float) -> None:
        """
        See to it that waits end by then.
        """
        if deadline >= self.watched:
            return
        delay = clock.delay(deadline)
        if self._timer is not None:
            self._timer.cancel()
        self.watched = deadline  # not asked of the handle: uvloop's does not always know
        self._timer = self.loop.call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer, self.watched = None, math.inf
        time_now, earliest = clock.now(), math.inf
        for request in self.session.pending:
            assert isinstance(request, Awaited)
            if request.waiter is not None:
                if request.deadline <= time_now:
                    request.expire()
                else:
                    earliest = min(earliest, request.deadline)
        self.watch(earliest)

    # ------------------------------------------------------------------------------------------------------ the end

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
        failed = self.session.end(failure)
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
            assert isinstance(request, Awaited)
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
