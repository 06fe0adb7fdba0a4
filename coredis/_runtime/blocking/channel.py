"""
A connection to a server that one thread uses at a time: commands out, replies in, and how it ends.

A signal handler may raise anywhere (Ctrl-C): received bytes move from the socket to the parser in single calls into C, so an
interrupted wait loses nothing and can be resumed.
"""

from __future__ import annotations

import errno
import math
import socket
import ssl
from collections.abc import Iterator
from itertools import repeat
from typing import Any, Final, cast

from ..._core.parser import NEED_DATA, SMALL_PIECE_BYTES
from ..._core.session import Session
from ...exceptions import ConnectionError, ConnectionLostError, ProtocolError, RequestTimeoutError
from .. import sockets
from ..sessions import SessionView
from . import clock, polling
from .requests import Listening, Started

MULTIPLEXED: Final[bool] = False
RECEIVE_BYTES: Final = 65536
_LARGE_RECEIVE_BYTES: Final = 131072  # at a time, of what is known to be larger
_SMALL_RECEIVE_BYTES: Final = 8192  # what comes in less is not worth it


class Channel(SessionView):
    """
    A connection to a server: commands out, replies in. One thread at a time.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._encrypted = isinstance(connected, ssl.SSLSocket)
        self._local_address = sockets.render_address(connected.getsockname())
        self.session = Session()
        # The socket never waits by itself: with a time limit, every call on it would cost one more to set the limit and one to
        # wait, whether it has to or not. With TLS it does, for writing: a record may take several turns.
        connected.settimeout(0.0)
        self._timeout: float | None = 0.0  # as set on the socket
        self._wait = polling.watch(connected)
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
        # The two calls that are all most commands take.
        self._send = connected.send
        self._receive_at_once = connected.recv if patient else None
        # The rest of a large value is received into memory that is used again, made when there is the first of them.
        self._receive_pieces = self._receive, self._receive_patiently, self._receive_at_once
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
        pending = self.session.pending
        if pending and (latest := cast(Started, pending[-1])).unsent:
            self.flush(latest, deadline)  # we were interrupted, and what follows must not cut in
        started = Started(self, expected, payload)
        if self.session.failure is None:
            pending.append(started)
        else:
            self.session.expect(started)  # which raises it
        self.flush(started, deadline)
        return started

    def ask(self, payload: bytes, expected: int, deadline: float) -> Any:
        """
        Write encoded commands, and wait for the reply to the last one. Too late, it stays outstanding. Interrupted, it does or
        the channel is closed.

        Args:
            payload: the commands, completely encoded
            expected: how many there are
            deadline: when to give up

        Raises:
            ConnectionError: the connection is or was lost
            RequestTimeoutError: no reply by then
        """
        session, receive = self.session, self._receive_at_once
        if (
            receive is None
            or expected != 1
            or session.pending
            or session.failure is not None
            or self._unread
            or deadline - clock.now() <= sockets.PATIENT_SECONDS
        ):
            started = self.start(payload, expected, deadline)
        else:
            # Nearly always the network takes all of a command at once and the reply is one piece. Then there is nothing to be
            # kept for later, and no request for it.
            sent = 0
            piece: bytes | None = None
            try:
                try:
                    sent = self._send(payload, self._flags)
                    if sent == len(payload):
                        piece = receive(RECEIVE_BYTES)
                        reply = session.whole(piece) if len(piece) < SMALL_PIECE_BYTES else session.whole_large(piece)
                        if reply is not NEED_DATA:
                            session.received += 1
                            return reply
                except BlockingIOError:
                    pass  # the network takes no more, or nothing has come soon
                started = self._take_up(payload, sent, piece)
            except OSError as error:
                raise self._lost(error, True) from error
            except Exception as error:
                # As in ``receive``.
                text = f"invalid reply ({type(error).__name__})"
                self._end(ProtocolError(text))
                raise ProtocolError(text, may_have_run=True) from None
            except BaseException:
                # Nobody knows any more how much was written or what was received.
                self._end(ConnectionLostError("interrupted between a command and its reply"))
                raise
            self.flush(started, deadline)
        while len(started.replies) < expected and started.failure is None:
            self.receive(deadline)
        return (started.replies if started.failure is None else started.outcome())[-1]

    def _take_up(self, payload: bytes, sent: int, piece: bytes | None) -> Started:
        """
        Make a request of a command that was begun without one.

        Args:
            payload: the command
            sent: how much of it was written
            piece: what was received since
        """
        started = Started(self, 1, payload)
        started.unsent = memoryview(payload)[sent:] if sent < len(payload) else b""
        started.sent = True
        if piece is not None:
            self._pieces.append(piece)
            self._unread = True
        self.session.pending.append(started)
        return started

    def flush(self, started: Started, deadline: float) -> None:
        """
        Write what is left of a request. Interrupted, it can be called again and goes on exactly where it was.

        Raises:
            ConnectionError, RequestTimeoutError: as ``start``
        """
        written = self._written
        try:
            while started.unsent:
                if not written:  # otherwise we were interrupted
                    if self._encrypted:
                        self._set_timeout(deadline)
                    started.sent = True
                    unsent = started.unsent
                    sending = map(self._send, (unsent,), (self._flags,))
                    if written or started.unsent is not unsent:
                        continue  # a signal handler has gone on with it
                    try:
                        # No call since then. Writing and noting how much was written are one step, too: the sum is made in C.
                        written += sending
                    except BlockingIOError:
                        if not polling.writable(self._socket, deadline):
                            raise TimeoutError from None
                        continue
                if written[0] < len(started.unsent):
                    started.unsent = memoryview(started.unsent)  # what is left is not copied
                if written:  # otherwise a signal handler has gone on with it, within these calls
                    # No call between these statements, so nothing can interrupt here.
                    started.unsent = started.unsent[written[0] :]
                    del written[0]
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
        pending = self.session.pending
        return cast(Started, pending[0]) if pending else None

    def takes(self) -> bool:
        """
        Tell whether a request may be started now, without waiting or asking first.
        """
        return self.session.failure is None

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

    def listen(self, most: int) -> Listening:
        """
        Wait for out-of-band messages, in ``wait_any``.

        Args:
            most: how many there may be before anybody deals with them
        """
        self.session.max_pushes = max(most, self.session.max_pushes)
        return Listening(self)

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
                else:
                    late, patient = True, self._receive_patiently
                    if patient is not None and deadline - clock.now() > sockets.PATIENT_SECONDS:
                        # What comes soon is received waiting in the kernel.
                        try:
                            next(patient)
                            late = False
                        except BlockingIOError:
                            pass
                    if late:
                        if deadline and not self._wait(polling.milliseconds(deadline)):
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
            elif not self.session.receive(pieces) and self.session.missing:
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
        self.session.follow(self._parts)
        if self._parts:
            copied = [b"".join(self._parts)]
            # No call between these two statements, so nothing can interrupt here.
            self._pieces += copied
            del self._parts[:]
            self.session.receive(self._pieces)
        elif self.session.missing or size >= _SMALL_RECEIVE_BYTES:
            return  # the next reply is likely to be as large
        self._receive, self._receive_patiently, self._receive_at_once = self._receive_pieces
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
        self._receive_at_once = None

    def _receive_encrypted(self, deadline: float) -> None:
        """
        Wait outside of the TLS socket: reading from it is Python code, so it can be interrupted with data in its hands.

        What has arrived may be part of a record, or none of ours (a session ticket): then the wait goes on.
        """
        while True:
            if not self._decrypted() and not polling.readable((self._socket,), deadline):
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
        timeout = clock.remaining(deadline)
        if timeout != self._timeout:
            self._timeout = timeout
            self._socket.settimeout(timeout)

    # ------------------------------------------------------------------------------------------------------ the end

    def stale(self) -> bool:
        """
        Whether the peer has ended an idle connection, or sent a reply that nobody asked for.

        Looked at before each use: what is unread would be taken for the reply to the next command. Out-of-band messages and
        parts of a TLS record are read and are no reason to part.
        """
        if self.session.failure is None and not (self._unread or self._encrypted or self._wait(0)):
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
        return ConnectionLostError(str(self.session.failure), may_have_run=sent)  # an earlier failure says better why

    def _end(self, failure: ConnectionError) -> None:
        self.session.end(failure)
        try:
            # Closing alone does not wake a thread that waits on the socket. (The method of a TLS socket would end TLS first.)
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            pass  # not connected any more
        self._socket.close()
