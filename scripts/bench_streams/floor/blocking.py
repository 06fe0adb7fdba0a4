"""
The least of a blocking client: one socket, which waits in the kernel, and whose time limit is the kernel's, too.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final, Self

import hiredis

from bench_streams.floor import requests
from bench_streams.floor.entries import Additions, Entry, items, streams
from bench_streams.floor.reads import Reads

NOTHING: Final = object()
#: More than any command of the benchmark waits.
LIMIT_SECONDS: Final = 30
#: All connections receive into the same memory: what is in it is parsed at once. With less of it replies of a megabyte take
#: longer, and with much more as well. (Any: hiredis' types know only of bytes, but it takes whatever is like them.)
MEMORY: Final[Any] = bytearray(128 * 1024)
#: Entries that ``xadd_many`` sends at a time, and commands that a pipeline does: the server works on them while the next ones
#: are encoded. Each is what was fastest.
BATCH: Final = 500
CHUNK: Final = 100


class Connection:
    """
    Commands out, replies in, in this order.
    """

    def __init__(self, port: int, decode: bool = False) -> None:
        reader = hiredis.Reader(notEnoughData=NOTHING, encoding="utf-8" if decode else None)
        self._feed, self._gets = reader.feed, reader.gets
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # With a time limit of Python's, each call on the socket would be two.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", LIMIT_SECONDS, 0))
        self._receive = self._socket.recv_into
        #: Sends what is encoded.
        self.send = self._socket.sendall

    def close(self) -> None:
        """
        Disconnect.
        """
        self._socket.close()

    def ask(self, request: bytes) -> Any:
        """
        Send one command, when nothing else is under way, and give its reply.
        """
        self.send(request)
        return self._reply()

    def ask_in_parts(self, parts: list[bytes]) -> Any:
        """
        The same for a command in parts, which the kernel puts together.
        """
        sent = self._socket.sendmsg(parts)
        if sent < sum(map(len, parts)):
            self.send(b"".join(parts)[sent:])
        return self._reply()

    def _reply(self) -> Any:
        feed, gets, receive = self._feed, self._gets, self._receive
        while True:
            feed(MEMORY, 0, receive(MEMORY) or _lost())
            if (reply := gets()) is not NOTHING:
                return reply

    def replies(self, count: int) -> list[Any]:
        """
        Give the replies to the next so many commands.
        """
        gets = self._gets
        replies = list(islice(iter(gets, NOTHING), count))
        while len(replies) < count:
            self._feed(MEMORY, 0, self._receive(MEMORY) or _lost())
            replies.extend(islice(iter(gets, NOTHING), count - len(replies)))
        return replies


def _lost() -> int:
    raise ConnectionError("the server closed the connection")


class Redis:
    """
    The methods of this library's blocking client that the benchmark calls.
    """

    def __init__(self, *, port: int, decode_responses: bool = False) -> None:
        self._port = port
        self._decode = decode_responses

    def __enter__(self) -> Self:
        self._connection = Connection(self._port, self._decode)
        self._ask = self._connection.ask
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ping(self) -> bytes:
        reply: bytes = self._ask(requests.PING)
        return reply

    def xadd(self, key: str, fields: Mapping[str, Any]) -> bytes:
        request = requests.short_addition(key, fields)
        reply: bytes = (
            self._connection.ask_in_parts(requests.addition_parts(key, fields))
            if request is None
            else self._ask(request)
        )
        return reply

    def xack(self, key: str, group: str, identifiers: list[bytes]) -> int:
        reply: int = self._ask(requests.acknowledgement(key, group, identifiers))
        return reply

    def xadd_many(self, key: str, entries: Iterable[Mapping[str, Any]]) -> Additions:
        left, identifiers, previous = iter(entries), list[bytes](), 0
        # One batch is on its way while the next one is encoded.
        while batch := [(key, fields) for fields in islice(left, BATCH)]:
            self._connection.send(requests.additions(batch))
            identifiers += self._connection.replies(previous)
            previous = len(batch)
        identifiers += self._connection.replies(previous)
        return Additions(identifiers)

    def xread(self, places: Mapping[Any, Any], count: int) -> dict[Any, list[Entry]]:
        request = requests.read(requests.reading(tuple(places), count), map(requests.to_bytes, places.values()))
        return streams(self._ask(request))

    def xreadgroup(
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
        return streams(self._ask(requests.read(beginning, map(requests.to_bytes, places.values()))))

    def pipeline(self, transaction: bool) -> Pipeline:
        return Pipeline(self._connection)

    def xconsumer(self, keys: Iterable[str], **options: Any) -> Consumer:
        return Consumer(self._connection, tuple(keys), **options)


class Pipeline:
    """
    Commands that are sent at the end.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._commands: list[bytes | tuple[str, dict[str, Any]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.execute()

    def execute(self) -> list[Any]:
        commands, send = self._commands, self._connection.send
        for first in range(0, len(commands), CHUNK):
            send(requests.additions(commands[first : first + CHUNK]))
        return self._connection.replies(len(commands))

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

    def __iter__(self) -> Iterator[tuple[Any, Entry]]:
        return chain.from_iterable(self.batches())

    def batches(self) -> Iterator[list[tuple[Any, Entry]]]:
        return map(items, self._replies())

    def _replies(self) -> Iterator[Any]:
        reads, missing = self._reads, self._send()
        try:
            while True:
                reply, missing = self._connection.replies(missing)[-1], 0
                reads.note(reply)
                if reads.ended:
                    return
                if reads.prefetch:
                    missing = self._send()
                    yield reply or ()
                else:
                    yield reply
                    missing = self._send()
        finally:
            self._connection.replies(missing)  # the application has left; they are nobody else's

    def _send(self) -> int:
        request, count = self._reads.following()
        self._connection.send(request)
        return count

    def ack(self, stream: Any, *entries: Any) -> None:
        """
        Have entries, or identifiers, acknowledged along with the next read.
        """
        self._reads.hold(entries)

    def close(self) -> None:
        """
        Send the acknowledgements that are left.
        """
        if self._reads.held:
            self._connection.ask(self._reads.acknowledgement())
