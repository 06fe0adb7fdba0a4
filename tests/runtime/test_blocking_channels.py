"""
What the blocking half does alone: a signal handler may raise anywhere in it, and nothing is lost or moved.
"""

from __future__ import annotations

import errno
import math
import random
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from coredis._core.config import TCPAddress, TLSOptions
from coredis._runtime import blocking, sockets
from coredis._runtime.blocking import polling
from coredis._runtime.sockets import tls_context
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.conftest import StartServer
from tests.runtime.halves import HOST, mute_listener, soon, words
from tests.support.blocking import interrupted_after
from tests.support.certificates import Certificates
from tests.support.interruption import Interrupted
from tests.support.scripted import Command, Late, ScriptedServer, Silence, Step
from tests.support.strikes import strike

PING = words("PING")


def echo(command: Command) -> Step:
    """
    Answer with the last word.
    """
    return b"$%d\r\n%s\r\n" % (len(command[-1]), command[-1])


@pytest.fixture
def echoing() -> Iterator[ScriptedServer]:
    """
    A server that answers with the last word of each command.
    """
    with ScriptedServer(echo) as server:
        yield server


@pytest.fixture
def channel(echoing: ScriptedServer) -> Iterator[blocking.Channel]:
    """
    A channel to that server.
    """
    opened = blocking.connect(TCPAddress(echoing.host, echoing.port), None, True, soon())
    yield opened
    opened.close()


def wait_for_data(channel: blocking.Channel) -> None:
    """
    Wait until something can be read.
    """
    deadline = soon()
    while not channel.has_data() and not polling.readable((channel,), 0.0):
        assert time.monotonic() < deadline
        time.sleep(0.0005)


class TestInterruptedWait:
    """
    A signal handler raises while replies are waited for.
    """

    def test_at_random_moments(self, channel: blocking.Channel) -> None:
        """
        A few hundred times: each request still gets its own reply, and the waits can be resumed.
        """
        chance = random.Random(7)
        struck = 0
        for number in range(300):
            started = [channel.start(words("ECHO", f"{number}-{part}"), 1) for part in range(3)]
            for part, request in enumerate(started):
                while True:
                    try:
                        replies = interrupted_after(chance.uniform(1e-6, 2e-4), lambda: request.result(soon()))  # noqa: B023
                        break
                    except Interrupted:
                        struck += 1
                assert [b"%d-%d" % (number, part)] == replies

        assert struck > 30
        assert (0, False, False) == (channel.pending, channel.closed, channel.stale())

    def test_at_every_point(self, channel: blocking.Channel) -> None:
        """
        Where handlers can run at all, one point after the other.
        """
        for point in range(1000):
            first, second = (channel.start(words("ECHO", f"{name}{point}"), 1) for name in "ab")
            wait_for_data(channel)

            struck = strike(point, lambda: first.result(soon()))  # noqa: B023

            assert [b"b%d" % point] == second.result(soon())
            assert [b"a%d" % point] == first.result(soon())
            assert 0 == channel.pending
            if not struck:
                break
        assert 10 < point < 900

    def test_large_values_at_every_point(self) -> None:
        """
        They are received into memory that is used again, and what is not only large values is copied from there.
        """
        large = b"$150000\r\n" + bytes(range(250)) * 600 + b"\r\n"
        reply = b"*43\r\n" + large + large + 40 * b":1\r\n" + large
        with ScriptedServer(lambda command: reply if len(command) == 1 else echo(command)) as server:
            channel = blocking.connect(TCPAddress(server.host, server.port), None, True, soon())
            expected = channel.start(PING, 1).result(soon())
            assert 43 == len(expected[0])
            for point in range(1000):
                first, second = channel.start(PING, 1), channel.start(words("ECHO", f"{point}"), 1)

                struck = strike(point, lambda: first.result(soon()))  # noqa: B023

                assert [b"%d" % point] == second.result(soon())
                assert expected == first.result(soon())
                assert (0, False) == (channel.pending, channel.closed)
                if not struck:
                    break
            assert 30 < point < 900
            channel.close()

    def test_a_large_value_that_ends_with_the_connection(self) -> None:
        """
        The connection is lost, and the request fails.
        """
        ours, theirs = socket.socketpair()
        channel = blocking.Channel(ours)
        started = channel.start(PING, 1, soon())
        theirs.send(b"$100000\r\n" + b"x" * 20_000)
        with pytest.raises(RequestTimeoutError):
            started.result(time.monotonic() + 0.05)
        theirs.send(b"x" * 20_000)
        with pytest.raises(RequestTimeoutError):
            started.result(time.monotonic() + 0.05)
        assert channel._receive is not channel._receive_pieces[0]
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionLostError, match="the server closed the connection"):
            started.result(soon())
        assert channel.closed
        theirs.close()

    def test_the_memory_for_large_values_goes_with_the_last_of_them(self) -> None:
        """
        Most connections never need it again; as long as replies stay large it is kept.
        """
        ours, theirs = socket.socketpair()
        channel = blocking.Channel(ours)
        for _ in range(2):
            started = channel.start(PING, 1, soon())
            theirs.send(b"$100000\r\n" + b"x" * 20_000)
            with pytest.raises(RequestTimeoutError):
                started.result(time.monotonic() + 0.05)
            theirs.send(b"x" * 80_000 + b"\r\n")
            assert [b"x" * 100_000] == started.result(soon())
            assert channel._receive_parts is not None
        started = channel.start(PING, 1, soon())
        theirs.send(b"+PONG\r\n")

        assert [b"PONG"] == started.result(soon())
        assert channel._receive_parts is None
        channel.close()
        theirs.close()

    def test_at_every_point_before_anything_has_arrived(self) -> None:
        """
        An interrupted wait with a short deadline ends as any other, and the reply comes later.
        """
        with ScriptedServer(lambda command: Late(0.003, echo(command))) as server:  # type: ignore[arg-type]
            channel = blocking.connect(TCPAddress(server.host, server.port), None, True, soon())
            for point in range(200):
                started = channel.start(words("ECHO", point), 1)

                def wait(started: blocking.Started = started) -> None:
                    try:
                        started.result(soon(-1.0))
                    except RequestTimeoutError:
                        pass

                struck = strike(point, wait)

                assert [b"%d" % point] == started.result(soon())
                if not struck:
                    break
            assert 5 < point < 190
            channel.close()

    @pytest.mark.parametrize("size", [1, 1000, 8_000_000])
    def test_a_question_at_every_point(self, size: int) -> None:
        """
        Its reply reaches nobody else: it is still outstanding, or the channel is closed. The server gets whole commands only.
        """
        question = words("ECHO", "x" * size)
        reply = b":%d\r\n" % size if size > 1000 else b"$%d\r\n%b\r\n" % (size, b"x" * size)
        ends = 0
        with ScriptedServer(lambda command: reply if len(command[1]) == size else echo(command)) as server:
            address = TCPAddress(server.host, server.port)
            channel = blocking.connect(address, None, True, soon())
            for point in range(1000):
                struck = strike(point, lambda: channel.ask(question, 1, soon()))  # noqa: B023

                if channel.closed:
                    ends += 1
                    channel = blocking.connect(address, None, True, soon())
                assert b"mine%d" % point == channel.ask(words("ECHO", f"mine{point}"), 1, soon())
                assert (0, False, False) == (channel.pending, channel.closed, channel.stale())
                if not struck:
                    break
            assert 5 < point < 900
            assert ends
            assert {b"mine", b"x" * size} == {command[1].rstrip(b"0123456789") for command in server.commands}
            channel.close()

    def test_a_wait_for_any_of_several(self, echoing: ScriptedServer) -> None:
        """
        It is made again, and finds what has arrived.
        """
        address = TCPAddress(echoing.host, echoing.port)
        channels = [blocking.connect(address, None, True, soon()) for _ in range(2)]
        for point in range(1000):
            started = [channel.start(words("ECHO", f"{point}"), 1) for channel in channels]

            struck = strike(point, lambda: blocking.wait_any(started, soon()))  # noqa: B023

            assert blocking.wait_any(started, soon())
            assert [[b"%d" % point]] * 2 == [request.result(soon()) for request in started]
            if not struck:
                break
        assert 10 < point < 900
        blocking.close_all(channels)

    def test_a_given_up_reply_reaches_nobody_else(self, channel: blocking.Channel) -> None:
        """
        After an interruption nobody may ask for it any more.
        """
        for point in range(1000):
            given_up = channel.start(words("ECHO", f"lost{point}"), 1)
            struck = strike(point, lambda: given_up.result(soon()))  # noqa: B023

            assert [b"mine%d" % point] == channel.start(words("ECHO", f"mine{point}"), 1).result(soon())
            if not struck:
                break
        assert 10 < point < 900

    def test_what_an_interruption_left_is_read_before_the_next_use(self, channel: blocking.Channel) -> None:
        """
        It belongs to whoever was interrupted, and makes nothing wrong with the channel.
        """
        for point in range(300):
            started = channel.start(words("ECHO", f"{point}"), 1)
            wait_for_data(channel)
            struck = strike(point, channel.stale)

            assert not channel.stale()
            assert (0, [b"%d" % point]) == (channel.pending, started.outcome())
            if not struck:
                break
        assert 10 < point < 290


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


class TestInterruptedWrite:
    """
    A signal handler raises while a request is sent.
    """

    def test_at_every_point(self, echoing: ScriptedServer) -> None:
        """
        Either the request is not there, or it can be taken up again; what the server gets is whole commands, once.
        """
        address = TCPAddress(echoing.host, echoing.port)
        channel = blocking.connect(address, None, True, soon())
        sent = []
        for point in range(200):
            struck = strike(point, lambda: channel.start(words("ECHO", f"{point}"), 1, soon()))  # noqa: B023

            request = channel.oldest
            if request is not None:
                assert [b"%d" % point] == request.result(soon())
                sent.append([b"ECHO", b"%d" % point])
            assert (0, False) == (channel.pending, channel.closed)
            if not struck:
                break

        assert sent == echoing.commands
        assert 3 < point < 190
        assert len(sent) > 1
        channel.close()

    def test_the_next_request_does_not_cut_in(self, echoing: ScriptedServer) -> None:
        """
        Whoever was interrupted may have gone; the rest of the request goes first all the same.
        """
        channel = blocking.connect(TCPAddress(echoing.host, echoing.port), None, True, soon())
        for point in range(200):
            struck = strike(point, lambda: channel.start(words("ECHO", f"first{point}"), 1, soon()))  # noqa: B023

            assert [b"second%d" % point] == channel.start(words("ECHO", f"second{point}"), 1).result(soon())
            assert 0 == channel.pending
            if not struck:
                break

        assert all(command[0] == b"ECHO" and len(command) == 2 for command in echoing.commands)
        channel.close()

    def test_a_large_request_interrupted_again_and_again(self, channel: blocking.Channel) -> None:
        """
        It goes on exactly where it was.
        """
        value = "0123456789" * 300_000
        payload = words("ECHO", value)
        struck = 0
        request: blocking.Started | None = None
        chance = random.Random(3)
        for _ in range(2000):
            try:
                if request is None:
                    interrupted_after(chance.uniform(1e-5, 2e-3), lambda: channel.start(payload, 1, soon()))
                break
            except Interrupted:
                struck += 1
                request = channel.oldest
                if request is not None:
                    break
        while True:
            try:
                request = channel.oldest or request
                assert request is not None
                replies = interrupted_after(chance.uniform(1e-5, 2e-3), lambda: request.result(soon()))  # noqa: B023
                break
            except Interrupted:
                struck += 1

        assert [value.encode()] == replies
        assert struck > 0

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


class TestEncrypted:
    """
    TLS sockets are Python code, so an interruption in the middle cannot be made good.
    """

    @pytest.fixture
    def context(self, certificates: Certificates) -> ssl.SSLContext:
        """
        A context that trusts the authority of this run.
        """
        return tls_context(TLSOptions(ca_certs=certificates.authority))

    def test_an_interrupted_wait_loses_nothing_or_the_connection(
        self, start_tls_server: StartServer, context: ssl.SSLContext
    ) -> None:
        """
        Never is a reply moved to another request.
        """
        server = start_tls_server()
        address = TCPAddress(HOST, server.tls_port)  # type: ignore[arg-type]
        channel = blocking.connect(address, context, True, soon())
        closed = 0
        for point in range(300):
            first, second = (channel.start(words("ECHO", f"{name}{point}"), 1) for name in "ab")

            struck = strike(point, lambda: first.result(soon()))  # noqa: B023

            try:
                assert [b"a%d" % point] == first.result(soon())
                assert [b"b%d" % point] == second.result(soon())
            except ConnectionLostError:
                closed += 1
                channel = blocking.connect(address, context, True, soon())
            if not struck:
                break

        assert point < 290
        assert closed < point / 2
        channel.close()

    def test_an_interrupted_write_closes_the_connection(
        self, start_tls_server: StartServer, context: ssl.SSLContext
    ) -> None:
        """
        How much has left is unknown, so nothing may follow it; before it begins, nothing is lost.
        """
        server = start_tls_server()
        address = TCPAddress(HOST, server.tls_port)  # type: ignore[arg-type]
        channel = blocking.connect(address, context, True, soon())
        for point in range(300):
            struck = strike(point, lambda: channel.start(words("ECHO", f"{point}"), 1, soon()))  # noqa: B023
            if channel.closed:
                channel = blocking.connect(address, context, True, soon())

            assert [b"next"] == channel.start(words("ECHO", "next"), 1).result(soon())
            if not struck:
                break
        assert point < 290
        channel.close()


class TestThreads:
    """
    Callers are threads.
    """

    def test_each_thread_is_another_caller(self) -> None:
        """
        So one at a time can be told from two.
        """
        seen: list[object] = []
        threads = [threading.Thread(target=lambda: seen.append(blocking.caller())) for _ in range(1)]
        for thread in threads:
            thread.start()
            thread.join()

        assert blocking.caller() == blocking.caller()
        assert blocking.caller() not in seen

    def test_all_threads_have_the_same_home(self) -> None:
        """
        A client is bound to nothing but the process.
        """
        home = blocking.Home()
        seen: list[bool] = []
        thread = threading.Thread(target=lambda: seen.append(home.here()))
        thread.start()
        thread.join()

        assert home.here()
        assert [True] == seen

    def test_an_event_wakes_all_who_wait(self) -> None:
        """
        And whoever comes later does not wait.
        """
        event = blocking.Event()
        woken: list[bool] = []
        threads = [threading.Thread(target=lambda: woken.append(event.wait(math.inf))) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert not event.wait(soon(0.005))
        assert not event.is_set()

        event.set()
        for thread in threads:
            thread.join(5)

        assert [True, True, True] == woken
        assert event.wait(soon(-1.0))

    def test_a_channel_may_move_from_thread_to_thread(self, channel: blocking.Channel) -> None:
        """
        One at a time; a request started in one can be waited for in another.
        """
        started = channel.start(words("ECHO", "x"), 1)
        replies: list[object] = []

        thread = threading.Thread(target=lambda: replies.extend(started.result(soon())))
        thread.start()
        thread.join(5)

        assert [b"x"] == replies

    @pytest.mark.parametrize("seconds", [30.0, math.inf])
    def test_closing_wakes_a_thread_that_waits(self, seconds: float) -> None:
        """
        Its request fails at once, with or without a time limit.
        """
        with ScriptedServer([Silence()]) as server:
            channel = blocking.connect(TCPAddress(server.host, server.port), None, True, soon())
            started = channel.start(PING, 1)
            errors: list[Exception] = []

            def wait() -> None:
                try:
                    started.result(soon(seconds))
                except ConnectionLostError as error:
                    errors.append(error)

            thread = threading.Thread(target=wait)
            thread.start()
            time.sleep(0.02)
            channel.close()
            thread.join(5)

            assert ["the connection was closed"] == [str(error) for error in errors]

    def test_a_finalizer_closes_the_socket(self, channel: blocking.Channel) -> None:
        """
        From whatever thread it runs in.
        """
        thread = threading.Thread(target=channel.close_from_finalizer)
        thread.start()
        thread.join(5)

        assert -1 == channel.fileno()


def test_a_ring_that_is_seen_before_it_is_written(channel: blocking.Channel) -> None:
    """
    Another thread rings; its ring is seen and cleared before it has written to the descriptor. That hides no reply.
    """
    alarm = blocking.Alarm()
    alarm.fileno()
    alarm.ring()
    alarm.rung = False
    started = channel.start(words("ECHO", "x"), 1, soon())

    assert blocking.wait_any([started], soon(), alarm)
    assert [b"x"] == started.replies


def test_an_alarm_ends_the_wait_for_a_large_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Though there is always another piece of it to receive.
    """
    received = 0

    def receive(channel: blocking.Channel, deadline: float) -> None:
        nonlocal received
        received += 1
        assert received < 100
        time.sleep(0.001)

    with ScriptedServer([Silence()]) as server:
        channel = blocking.connect(TCPAddress(server.host, server.port), None, True, soon())
        started, alarm = channel.start(PING, 1), blocking.Alarm()
        monkeypatch.setattr(blocking.Channel, "receive", receive)
        ringing = threading.Timer(0.02, alarm.ring)
        ringing.start()

        blocking.wait_one(started, soon(), alarm)

        assert alarm.rung
        ringing.join()
        channel.close()
