"""
Large values arrive in memory that all channels of an event loop use again.
"""

from __future__ import annotations

import asyncio

import pytest

from coredis._runtime import aio
from coredis.exceptions import ProtocolError
from tests.runtime.halves import words
from tests.runtime.wire import Wire, ask, task

PING = words("PING")


def arrive(channel: aio.Channel, data: bytes) -> None:
    """
    Have bytes arrive as transports do, and then something else in the same memory.
    """
    buffer = channel.get_buffer(-1)
    buffer[: len(data)] = data
    channel.buffer_updated(len(data))
    buffer[: len(data)] = b"@" * len(data)


async def test_large_values(channel: aio.Channel, wire: Wire) -> None:
    """
    They arrive in memory that is used again, whatever comes with them.
    """
    value = bytes(range(250)) * 600
    large = b"$150000\r\n" + value + b"\r\n"
    reply = b"*43\r\n" + large + large + 40 * b":1\r\n" + large
    for sizes in ((200_000,), (100_000,), (40_000,), (9, 100_000), (150_010, 1), (150_017, 3, 150_000)):
        first, second = task(ask(channel, PING)), task(ask(channel, PING))
        await asyncio.sleep(0)
        data, number = reply + b":7\r\n", 0
        while data:
            size = sizes[number % len(sizes)]
            arrive(channel, data[:size])
            data, number = data[size:], number + 1

        assert ([value, value, *[1] * 40, value], 7) == (await first, await second)
    assert wire.writes


async def test_a_large_value_and_garbage(channel: aio.Channel, wire: Wire) -> None:
    """
    What is in order before it is handed out, and nothing after it is listened to.
    """
    first, second = task(ask(channel, PING)), task(ask(channel, PING))
    await asyncio.sleep(0)
    arrive(channel, b"$150000\r\n" + b"x" * 150_000 + b"\r\n*1\r\n*01\r\n$100000\r\n" + b"x" * 90_000)
    arrive(channel, b"x" * 100_000)

    assert b"x" * 150_000 == await first
    with pytest.raises(ProtocolError):
        await second
    assert channel.closed and wire.writes
