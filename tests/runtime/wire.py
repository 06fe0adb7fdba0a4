"""
An asynchronous channel without a network, and tasks that use it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine

from coredis._runtime import aio


class Wire(asyncio.Transport):
    """
    A transport that only notes what is written.
    """

    def __init__(self, channel: aio.Channel) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.high = 0
        self._channel = channel
        self._aborted = False
        channel.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._aborted
        self.writes.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def abort(self) -> None:
        if not self._aborted:
            self._aborted = True
            self._channel.loop.call_soon(self._channel.connection_lost, None)


def task(coroutine: Coroutine[object, object, object]) -> asyncio.Task[object]:
    """
    Run something beside the test.
    """
    return asyncio.get_running_loop().create_task(coroutine)


async def ask(channel: aio.Channel, payload: bytes, deadline: float = math.inf) -> object:
    """
    Ask, and wait for the reply.
    """
    return await channel.ask(payload, 1, deadline)


async def turns(count: int = 5) -> None:
    """
    Let the event loop turn.
    """
    for _ in range(count):
        await asyncio.sleep(0)
