"""
Large values arrive in memory that a blocking channel keeps as long as more of them come.
"""

from __future__ import annotations

import socket
import time

import pytest

from coredis._runtime import blocking
from coredis.exceptions import ConnectionLostError, RequestTimeoutError
from tests.runtime.halves import soon, words

PING = words("PING")


def test_a_large_value_that_ends_with_the_connection() -> None:
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


def test_the_memory_for_large_values_goes_with_the_last_of_them() -> None:
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
