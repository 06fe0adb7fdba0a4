"""
Callers of the blocking half are threads, and one of them may wake another.
"""

from __future__ import annotations

import math
import threading
import time

import pytest

from coredis._core.config import TCPAddress
from coredis._runtime import blocking
from coredis.exceptions import ConnectionLostError
from tests.runtime.halves import soon, words
from tests.support.scripted import ScriptedServer, Silence

PING = words("PING")


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

    def test_a_channel_may_move_from_thread_to_thread(self, blocking_channel: blocking.Channel) -> None:
        """
        One at a time; a request started in one can be waited for in another.
        """
        started = blocking_channel.start(words("ECHO", "x"), 1)
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

    def test_a_finalizer_closes_the_socket(self, blocking_channel: blocking.Channel) -> None:
        """
        From whatever thread it runs in.
        """
        thread = threading.Thread(target=blocking_channel.close_from_finalizer)
        thread.start()
        thread.join(5)

        assert -1 == blocking_channel.fileno()


def test_a_ring_that_is_seen_before_it_is_written(blocking_channel: blocking.Channel) -> None:
    """
    Another thread rings; its ring is seen and cleared before it has written to the descriptor. That hides no reply.
    """
    alarm = blocking.Alarm()
    alarm.fileno()
    alarm.ring()
    alarm.rung = False
    started = blocking_channel.start(words("ECHO", "x"), 1, soon())

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
