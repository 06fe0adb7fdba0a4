"""
How long the blocking half waits by itself or in the kernel, and what ends a wait that should not go on.
"""

from __future__ import annotations

import errno
import math
import signal
import socket
import threading
import time

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import blocking, sockets
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.runtime.halves import mute_listener, soon, words
from tests.support.scripted import Late, ScriptedServer

PING = words("PING")


class TestPatience:
    """
    Waits that the kernel makes by itself, for a moment.
    """

    @pytest.mark.parametrize("able", [True, False], ids=["in the kernel", "polling"])
    @pytest.mark.parametrize("seconds", [0.003, 0.008, 0.3])
    def test_a_wait_lasts_as_long_as_it_is_to(
        self, monkeypatch: pytest.MonkeyPatch, able: bool, seconds: float
    ) -> None:
        """
        Longer than that moment or shorter, where the platform can do that and where it cannot; and the reply comes after it.
        """
        if not able:
            monkeypatch.setattr(sockets, "CAN_BE_PATIENT", False)
        elif not sockets.CAN_BE_PATIENT:
            pytest.skip("the platform cannot do that")
        with ScriptedServer([Late(seconds + 0.4, b"+PONG\r\n")]) as server:
            opened = blocking.connect(TCPAddress(server.host, server.port), None, True, soon())
            assert able == (opened._receive_patiently is not None)
            started = opened.start(PING, 1, soon())
            begun = time.monotonic()
            with pytest.raises(RequestTimeoutError):
                started.result(begun + seconds)
            assert seconds <= time.monotonic() - begun
            assert [b"PONG"] == started.result(soon())
            opened.close()

    def test_signals_do_not_prolong_a_wait(self) -> None:
        """
        Python begins a call anew that a signal has interrupted, and that call does not know how late it is.
        """
        ours, theirs = socket.socketpair()
        channel = blocking.Channel(ours)
        before = signal.signal(signal.SIGALRM, lambda number, frame: None)
        answering = threading.Timer(2.5, theirs.send, (b"+PONG\r\n",))
        answering.start()
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            started = channel.start(PING, 1, soon())
            begun = time.monotonic()
            with pytest.raises(RequestTimeoutError):
                started.result(begun + 1.2)
            assert 1.2 <= time.monotonic() - begun < 2.2
            assert [b"PONG"] == started.result(math.inf)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            answering.join()
            channel.close()
            theirs.close()

    def test_a_full_network_ends_a_request_in_time(self) -> None:
        """
        Sending does not wait for longer than it is to, though the socket may wait.
        """
        ours, theirs = socket.socketpair()
        channel = blocking.Channel(ours)
        begun = time.monotonic()
        with pytest.raises(RequestTimeoutError, match="could not be sent in time"):
            channel.start(b"x" * 50_000_000, 1, begun + 0.1)
        assert 0.1 <= time.monotonic() - begun < 5
        assert channel.closed
        theirs.close()

    def test_a_socket_that_waits_in_its_own_way_is_not_told_to(self) -> None:
        """
        As those of gevent, which wait for ever if nothing is said about time.
        """

        class Green(socket.socket):
            def settimeout(self, value: float | None) -> None:
                super().settimeout(0.0)
                self.waits = value is None

        pair = socket.socketpair()
        ours = Green(fileno=pair[0].detach())
        channel = blocking.Channel(ours)
        started = channel.start(PING, 1, soon())
        with pytest.raises(RequestTimeoutError):
            started.result(soon(-1.0))
        with pytest.raises(RequestTimeoutError):
            started.result(time.monotonic() + 0.1)
        assert not ours.waits
        pair[1].send(b"+PONG\r\n")
        assert [b"PONG"] == started.result(soon())
        channel.close()
        pair[1].close()

    def test_a_network_that_takes_nothing(self) -> None:
        """
        At the deadline the channel is closed: half a request cannot be taken back.
        """
        with mute_listener() as address:
            channel = blocking.connect(address, None, True, soon())

            with pytest.raises(RequestTimeoutError, match="sent in time") as caught:
                channel.start(b"x" * 30_000_000, 1, soon(0.05))

            assert caught.value.may_have_run
            assert channel.closed
            with pytest.raises(ConnectionLostError):
                channel.start(PING, 1)


class TestDeadPeer:
    """
    The kernel gives a connection up (TCP_USER_TIMEOUT, keepalive), with an error that Python takes for a time limit.
    """

    @pytest.mark.parametrize("sending", [False, True])
    def test_it_is_no_request_that_took_too_long(self, sending: bool) -> None:
        """
        The connection is lost, as for any other reason.
        """

        class Dead(socket.socket):
            def recv(self, *arguments: int) -> bytes:
                raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

            def send(self, *arguments: object) -> int:
                if sending:
                    raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
                return super().send(*arguments)  # type: ignore[arg-type]

        pair = socket.socketpair()
        channel = blocking.Channel(Dead(fileno=pair[0].detach()))
        pair[1].send(b"+PONG\r\n")
        with pytest.raises(ConnectionLostError, match="Connection timed out"):
            channel.start(PING, 1, soon()).result(soon())
        assert channel.closed
        pair[1].close()
