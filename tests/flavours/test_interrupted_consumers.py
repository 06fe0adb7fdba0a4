"""
A blocking consumer whose thread is interrupted at any moment, as by Ctrl-C.
"""

from __future__ import annotations

import gc
import random
import signal
import threading
import time
from types import FrameType

import pytest

from coredis.sync import Redis
from tests.support.servers import Server


class Struck(KeyboardInterrupt):
    """
    What the handler of this test raises.
    """


@pytest.mark.parametrize("looping", [False, True], ids=["call by call", "in a loop"])
@pytest.mark.parametrize("noack", [False, True], ids=["acknowledged", "noack"])
def test_interruptions_lose_nothing(server: Server, noack: bool, looping: bool) -> None:
    """
    A handler raises after a random number of microseconds, thousands of times: every entry is given once and in order, and the
    connection is never given up. One loop goes on through all of them.

    In asyncio a task is interrupted only where it waits. A thread is interrupted between any two byte codes, so whatever moves
    entries must do so without a call in between; this is the test of all those places.
    """
    total, strikes = 600, 0
    armed = False
    chance = random.Random(7)

    def strike(_: int, frame: FrameType | None) -> None:
        if armed:
            raise Struck

    def produce() -> None:
        pauses = random.Random(8)
        with Redis(host=server.host, port=server.port) as producer:
            for number in range(1, total + 1):
                producer.xadd("a", {"number": number}, identifier=f"{number}-0")
                time.sleep(pauses.choice((0, 0, 0.001)))

    gc.collect()
    gc.disable()  # a strike in the finalizer of what another test has left is no news about consumers
    before = signal.signal(signal.SIGALRM, strike)
    try:
        with Redis(host=server.host, port=server.port) as client:
            consumer = client.xconsumer(
                ["a"], group="g", consumer="c", buffer_size=3, timeout=10_000, auto_acknowledge=noack
            )
            with consumer:
                producing = threading.Thread(target=produce)
                producing.start()
                # Connected in peace: a socket that is interrupted while it is being made is closed by its finalizer alone.
                _, entry = consumer.get_entry()
                assert entry is not None
                loop = iter(consumer)
                seen = 1
                while seen < total:
                    entry = None
                    try:
                        armed = True
                        signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 8e-4))
                        if looping:
                            for _, entry in loop:  # noqa: B007 - which is a step of the loop alone, unlike a call of next
                                break
                        else:
                            _, entry = consumer.get_entry()
                        armed = False
                    except Struck:
                        armed = False
                        strikes += 1
                    if entry is not None:
                        seen += 1
                        assert b"%d-0" % seen == entry.identifier
                producing.join()
            assert 0 == consumer.statistics.reconnects
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    assert strikes > 50
