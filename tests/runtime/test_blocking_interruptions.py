"""
A signal handler may raise anywhere in the blocking half, and nothing is lost or moved.
"""

from __future__ import annotations

import random
import ssl
import time
from functools import partial

import pytest

from coredis._core.config import TCPAddress, TLSOptions
from coredis._runtime import blocking
from coredis._runtime.blocking import polling
from coredis._runtime.sockets import tls_context
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.conftest import StartServer
from tests.runtime.halves import HOST, echo, soon, words
from tests.support.blocking import interrupted_after
from tests.support.certificates import Certificates
from tests.support.interruption import Interrupted
from tests.support.scripted import Late, ScriptedServer
from tests.support.strikes import strike

PING = words("PING")


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

    def test_at_random_moments(self, blocking_channel: blocking.Channel) -> None:
        """
        A few hundred times: each request still gets its own reply, and the waits can be resumed.
        """
        chance = random.Random(7)
        struck = 0
        for number in range(300):
            started = [blocking_channel.start(words("ECHO", f"{number}-{part}"), 1) for part in range(3)]
            for part, request in enumerate(started):
                while True:
                    try:
                        replies = interrupted_after(chance.uniform(1e-6, 2e-4), partial(request.result, soon()))
                        break
                    except Interrupted:
                        struck += 1
                assert [b"%d-%d" % (number, part)] == replies

        assert struck > 30
        assert (0, False, False) == (blocking_channel.pending, blocking_channel.closed, blocking_channel.stale())

    def test_at_every_point(self, blocking_channel: blocking.Channel) -> None:
        """
        Where handlers can run at all, one point after the other.
        """
        for point in range(1000):
            first, second = (blocking_channel.start(words("ECHO", f"{name}{point}"), 1) for name in "ab")
            wait_for_data(blocking_channel)

            struck = strike(point, partial(first.result, soon()))

            assert [b"b%d" % point] == second.result(soon())
            assert [b"a%d" % point] == first.result(soon())
            assert 0 == blocking_channel.pending
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

                struck = strike(point, partial(first.result, soon()))

                assert [b"%d" % point] == second.result(soon())
                assert expected == first.result(soon())
                assert (0, False) == (channel.pending, channel.closed)
                if not struck:
                    break
            assert 30 < point < 900
            channel.close()

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
                struck = strike(point, partial(channel.ask, question, 1, soon()))

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

            struck = strike(point, partial(blocking.wait_any, started, soon()))

            assert blocking.wait_any(started, soon())
            assert [[b"%d" % point]] * 2 == [request.result(soon()) for request in started]
            if not struck:
                break
        assert 10 < point < 900
        blocking.close_all(channels)

    def test_a_given_up_reply_reaches_nobody_else(self, blocking_channel: blocking.Channel) -> None:
        """
        After an interruption nobody may ask for it any more.
        """
        for point in range(1000):
            given_up = blocking_channel.start(words("ECHO", f"lost{point}"), 1)
            struck = strike(point, partial(given_up.result, soon()))

            assert [b"mine%d" % point] == blocking_channel.start(words("ECHO", f"mine{point}"), 1).result(soon())
            if not struck:
                break
        assert 10 < point < 900

    def test_what_an_interruption_left_is_read_before_the_next_use(self, blocking_channel: blocking.Channel) -> None:
        """
        It belongs to whoever was interrupted, and makes nothing wrong with the channel.
        """
        for point in range(300):
            started = blocking_channel.start(words("ECHO", f"{point}"), 1)
            wait_for_data(blocking_channel)
            struck = strike(point, blocking_channel.stale)

            assert not blocking_channel.stale()
            assert (0, [b"%d" % point]) == (blocking_channel.pending, started.outcome())
            if not struck:
                break
        assert 10 < point < 290


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
            struck = strike(point, partial(channel.start, words("ECHO", f"{point}"), 1, soon()))

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
            struck = strike(point, partial(channel.start, words("ECHO", f"first{point}"), 1, soon()))

            assert [b"second%d" % point] == channel.start(words("ECHO", f"second{point}"), 1).result(soon())
            assert 0 == channel.pending
            if not struck:
                break

        assert all(command[0] == b"ECHO" and len(command) == 2 for command in echoing.commands)
        channel.close()

    def test_a_large_request_interrupted_again_and_again(self, blocking_channel: blocking.Channel) -> None:
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
                    interrupted_after(chance.uniform(1e-5, 2e-3), lambda: blocking_channel.start(payload, 1, soon()))
                break
            except Interrupted:
                struck += 1
                request = blocking_channel.oldest
                if request is not None:
                    break
        while True:
            try:
                request = blocking_channel.oldest or request
                assert request is not None
                replies = interrupted_after(chance.uniform(1e-5, 2e-3), partial(request.result, soon()))
                break
            except Interrupted:
                struck += 1

        assert [value.encode()] == replies
        assert struck > 0


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

            struck = strike(point, partial(first.result, soon()))

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
            struck = strike(point, partial(channel.start, words("ECHO", f"{point}"), 1, soon()))
            if channel.closed:
                channel = blocking.connect(address, context, True, soon())

            assert [b"next"] == channel.start(words("ECHO", "next"), 1).result(soon())
            if not struck:
                break
        assert point < 290
        channel.close()
