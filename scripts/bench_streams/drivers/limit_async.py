"""
What asyncio allows without a client: a bare Protocol, hiredis, and a future for each command.
"""

from __future__ import annotations

import asyncio
from collections import deque

import hiredis

from bench_streams.resp import RECEIVE_BYTES, encode
from bench_streams.seeding import fields


class Driver(asyncio.BufferedProtocol):
    """
    One connection.
    """

    def __init__(self, package: str, port: int) -> None:
        self._port = port
        self._reader = hiredis.Reader()
        self._buffer = memoryview(bytearray(RECEIVE_BYTES))
        self._waiting: deque[asyncio.Future[object]] = deque()

    async def open(self) -> None:
        """
        Connect.
        """
        self._loop = asyncio.get_running_loop()
        self._transport, _ = await self._loop.create_connection(lambda: self, "127.0.0.1", self._port)

    async def close(self) -> None:
        """
        Disconnect.
        """
        self._transport.close()

    def get_buffer(self, sizehint: int) -> memoryview:
        """
        Give the memory that bytes are to arrive in (called by the transport).
        """
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """
        Bytes have arrived (called by the transport).
        """
        self._reader.feed(bytes(self._buffer[:nbytes]))
        while (reply := self._reader.gets()) is not False:
            self._waiting.popleft().set_result(reply)

    async def add(self, size: int, key: str) -> int:
        for number in range(size):
            words = [word for pair in fields(number).items() for word in pair]
            await self._execute(encode("XADD", key, "*", *words))
        return size

    async def ping(self, size: int) -> int:
        request = encode("PING")
        for _ in range(size):
            await self._execute(request)
        return size

    def _execute(self, request: bytes) -> asyncio.Future[object]:
        future: asyncio.Future[object] = self._loop.create_future()
        self._waiting.append(future)
        self._transport.write(request)
        return future
