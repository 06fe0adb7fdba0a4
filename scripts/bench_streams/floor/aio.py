"""
The least of an asynchronous client: one connection that everybody shares.

Writes are put off until all tasks that a turn of the event loop has woken have had their say, and are then one write; when
nothing is under way they go at once. There is one future for each command, and one for each pipeline.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import islice
from typing import Any, Final, Self, cast, final

import hiredis

from bench_streams.floor import requests
from bench_streams.floor.entries import Additions, Entry, items, pieces, streams
from bench_streams.floor.reads import Reads

NOTHING: Final = object()
#: All connections receive into the same memory: what is in it is parsed before anybody else has a turn. (Any: hiredis' types
#: know only of bytes, but it takes whatever is like them.)
MEMORY: Final[Any] = bytearray(256 * 1024)
#: Entries that ``xadd_many`` sends at a time, and commands that a pipeline does: the server works on them while the next ones
#: are encoded. Each is what was fastest: one future for all is less, and more of them means waiting for the first.
BATCH: Final = 500
CHUNK: Final = 100


@final
class Replies:
    """
    What several commands wait for together.
    """

    __slots__ = ("future", "missing", "replies")

    def __init__(self, future: asyncio.Future[list[Any]], missing: int) -> None:
        self.future = future
        self.missing = missing
        self.replies: list[Any] = []


class Connection(asyncio.BufferedProtocol):
    """
    Commands out, replies in.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, decode: bool = False) -> None:
        reader = hiredis.Reader(notEnoughData=NOTHING, encoding="utf-8" if decode else None)
        self._feed, self._gets = reader.feed, reader.gets
        self._loop = loop
        self._waiting: deque[asyncio.Future[Any] | Replies] = deque()
        self._unsent: list[bytes] = []
        self._gathering = False  # somebody will flush in this turn of the loop, or in the next one
        self._memory = memoryview(MEMORY)

    @classmethod
    async def open(cls, port: int, decode: bool = False) -> Self:
        """
        Connect.
        """
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: cls(loop, decode), "127.0.0.1", port)
        return connection

    def close(self) -> None:
        """
        Disconnect.
        """
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        The connection stands (called by the transport).
        """
        self._transport = cast(asyncio.Transport, transport)
        #: Sends what is encoded, at once.
        self.write = self._transport.write

    def get_buffer(self, sizehint: int) -> memoryview:
        """
        Give the memory that bytes are to arrive in (called by the transport).
        """
        return self._memory

    def buffer_updated(self, nbytes: int) -> None:
        """
        Bytes have arrived (called by the transport).
        """
        self._feed(MEMORY, 0, nbytes)
        gets, waiting, done = self._gets, self._waiting, 0
        while (reply := gets()) is not NOTHING:
            waiter = waiting[0]
            if type(waiter) is Replies:
                replies = waiter.replies
                replies.append(reply)
                replies.extend(islice(iter(gets, NOTHING), waiter.missing - len(replies)))
                if len(replies) < waiter.missing:
                    break
                waiting.popleft()
                waiter.future.set_result(replies)
            else:
                waiting.popleft()
                waiter.set_result(reply)
            done += 1
        if done > 1 and not self._gathering:
            # After the tasks that were just woken, and in the same turn of the loop.
            self._gathering = True
            self._loop.call_soon(self._flush)

    def ask(self, request: bytes) -> asyncio.Future[Any]:
        """
        Send one command; the future gets its reply.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._gathering:
            self._unsent.append(request)
        elif self._waiting:
            self._unsent.append(request)
            self._gathering = True
            self._loop.call_soon(self._flush)
        else:
            self.write(request)
        self._waiting.append(future)
        return future

    def ask_all(self, request: bytes, count: int) -> asyncio.Future[list[Any]]:
        """
        Send so many commands at once; the future gets all their replies.
        """
        future = self.expect(count)
        self.write(request)
        return future

    def expect(self, count: int) -> asyncio.Future[list[Any]]:
        """
        Announce so many commands that are written next; the future gets all their replies.
        """
        if self._unsent:
            self._flush()
        future: asyncio.Future[list[Any]] = self._loop.create_future()
        self._waiting.append(Replies(future, count))
        return future

    def _flush(self) -> None:
        self._gathering = False
        if self._unsent:
            self.write(b"".join(self._unsent))
            self._unsent.clear()


class Redis:
    """
    The methods of this library's client that the benchmark calls.
    """

    def __init__(self, *, port: int, decode_responses: bool = False) -> None:
        self._port = port
        self._decode = decode_responses

    async def __aenter__(self) -> Self:
        self._connection = await Connection.open(self._port, self._decode)
        self._ask = self._connection.ask
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()

    def ping(self) -> asyncio.Future[bytes]:
        return self._ask(requests.PING)

    def xadd(self, key: str, fields: Mapping[str, Any]) -> asyncio.Future[bytes]:
        return self._ask(requests.short_addition(key, fields) or requests.any_addition(key, fields))

    def xack(self, key: str, group: str, identifiers: list[bytes]) -> asyncio.Future[int]:
        return self._ask(requests.acknowledgement(key, group, identifiers))

    async def xadd_many(self, key: str, entries: Iterable[Mapping[str, Any]]) -> Additions:
        left, identifiers, previous = iter(entries), [], None
        # One batch is on its way while the next one is encoded.
        while batch := [(key, fields) for fields in islice(left, BATCH)]:
            following = self._connection.ask_all(requests.additions(batch), len(batch))
            if previous is not None:
                identifiers += await previous
            previous = following
        if previous is not None:
            identifiers += await previous
        return Additions(identifiers)

    async def xread(self, places: Mapping[Any, Any], count: int) -> dict[Any, list[Entry]]:
        request = requests.read(requests.reading(tuple(places), count), map(requests.to_bytes, places.values()))
        return streams(await self._ask(request))

    async def xreadgroup(
        self,
        group: str,
        consumer: str,
        places: Mapping[str, str],
        *,
        count: int,
        noack: bool = False,
        block: int | None = None,
    ) -> dict[Any, list[Entry]]:
        beginning = requests.reading(tuple(places), count, group, consumer, noack, block)
        return streams(await self._ask(requests.read(beginning, map(requests.to_bytes, places.values()))))

    def pipeline(self, transaction: bool) -> Pipeline:
        return Pipeline(self._connection)

    def xconsumer(self, keys: Iterable[str], **options: Any) -> Consumer:
        return Consumer(self._connection, tuple(keys), **options)


class Pipeline:
    """
    Commands that are sent at the end, with one future for all.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._commands: list[bytes | tuple[str, dict[str, Any]]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.execute()

    async def execute(self) -> list[Any]:
        commands, connection = self._commands, self._connection
        replies = connection.expect(len(commands))
        for first in range(0, len(commands), CHUNK):
            connection.write(requests.additions(commands[first : first + CHUNK]))
        return await replies

    def xadd(self, key: str, fields: dict[str, Any]) -> None:
        self._commands.append((key, fields.copy()))

    def xack(self, key: str, group: str, identifiers: list[bytes]) -> None:
        self._commands.append(requests.acknowledgement(key, group, identifiers))


class Consumer:
    """
    Reads streams on and on, and gives entries from what was read until there are none left.
    """

    def __init__(self, connection: Connection, keys: tuple[str, ...], **options: Any) -> None:
        self._connection = connection
        self._reads = Reads(keys, **options)

    async def __aiter__(self) -> AsyncIterator[tuple[Any, Entry]]:
        async for reply in self._replies():
            for piece in pieces(reply):
                for item in piece:
                    yield item

    async def batches(self) -> AsyncIterator[list[tuple[Any, Entry]]]:
        async for reply in self._replies():
            yield items(reply)

    async def _replies(self) -> AsyncIterator[Any]:
        ask_all, reads = self._connection.ask_all, self._reads
        replies = ask_all(*reads.following())
        while True:
            reply = (await replies)[-1]
            reads.note(reply)
            if reads.ended:
                return
            if reads.prefetch:
                replies = ask_all(*reads.following())
                yield reply or ()
            else:
                yield reply
                replies = ask_all(*reads.following())

    async def ack(self, stream: Any, *entries: Any) -> None:
        """
        Have entries, or identifiers, acknowledged along with the next read.
        """
        self._reads.hold(entries)

    async def close(self) -> None:
        """
        Send the acknowledgements that are left.
        """
        if self._reads.held:
            await self._connection.ask(self._reads.acknowledgement())
