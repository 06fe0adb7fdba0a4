"""
What is there without a client: prepared bytes, a socket, and nobody who reads the replies.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import hiredis

from bench_streams.resp import RECEIVE_BYTES, Wire, encode
from bench_streams.seeding import fields


class Driver:
    """
    A socket. The replies to reads are recorded once, before the clock runs.
    """

    def __init__(self, package: str, port: int) -> None:
        self._port = port
        self._recorded: dict[object, list[tuple[bytes, int, int]]] = {}

    def open(self) -> None:
        """
        Connect.
        """
        self._socket = Wire(self._port).socket

    def close(self) -> None:
        """
        Disconnect.
        """
        self._socket.close()

    def prepare_read(self, size: int, key: str, count: int) -> None:
        """
        Record which bytes answer which request.
        """
        self._record(size, (key,), count)

    def prepare_consume(self, size: int, keys: tuple[str, ...], buffer: int) -> None:
        """
        As ``prepare_read``.
        """
        self._record(size, keys, buffer + 1)

    def read(self, size: int, key: str, count: int) -> int:
        return self._replay((key,), count, 1)

    def consume(self, size: int, keys: tuple[str, ...], buffer: int) -> int:
        return self._replay(keys, buffer + 1, 2)

    def add(self, size: int, key: str) -> int:
        send, receive = self._socket.sendall, self._socket.recv
        for number in range(size):
            send(_addition(key, number))
            receive(RECEIVE_BYTES)
        return size

    def prepare_add_pipelined(self, size: int, key: str, length: int) -> None:
        """
        Encode everything.
        """
        self._batches = [
            b"".join([_addition(key, number) for number in range(first, first + length)])
            for first in range(0, size, length)
        ]

    def add_pipelined(self, size: int, key: str, length: int) -> int:
        missing = 0  # lines of replies, two each, that are still to come
        for batch in self._batches:
            self._socket.sendall(batch)
            missing += 2 * length
            while missing > 2 * length:
                missing -= self._socket.recv(RECEIVE_BYTES).count(b"\n")
        while missing > 0:
            missing -= self._socket.recv(RECEIVE_BYTES).count(b"\n")
        return size

    def ping(self, size: int) -> int:
        send, receive, request = self._socket.send, self._socket.recv, encode("PING")
        for _ in range(size):
            send(request)
            receive(RECEIVE_BYTES)
        return size

    def add_big(self, size: int, key: str, value_bytes: int) -> int:
        send, receive = self._socket.sendall, self._socket.recv
        request = encode("XADD", key, "*", "payload", b"x" * value_bytes)
        for _ in range(size):
            send(request)
            receive(RECEIVE_BYTES)
        return size

    def _replay(self, keys: tuple[str, ...], count: int, ahead: int) -> int:
        """
        Send the recorded requests, so many in flight, and count the bytes of the replies.
        """
        done, waiting = 0, deque[int]()
        send, receive, over = self._socket.send, self._socket.recv, 0
        for request, length, entries in self._recorded[keys, count]:
            send(request)
            waiting.append(length)
            done += entries
            if len(waiting) == ahead:
                missing = waiting.popleft() - over
                while missing > 0:
                    missing -= len(receive(RECEIVE_BYTES))
                over = -missing
        missing = sum(waiting) - over
        while missing > 0:
            missing -= len(receive(RECEIVE_BYTES))
        return done

    def _record(self, size: int, keys: tuple[str, ...], count: int) -> None:
        if (keys, count) in self._recorded:
            return
        requests, done, places = [], 0, dict.fromkeys(map(str.encode, keys), b"0-0")
        while done < size:
            request = encode("XREAD", "COUNT", count, "STREAMS", *places, *places.values())
            self._socket.sendall(request)
            reader, length = hiredis.Reader(), 0
            reply: Any = False
            while reply is False:
                piece = self._socket.recv(RECEIVE_BYTES)
                length += len(piece)
                reader.feed(piece)
                reply = reader.gets()
            found = 0
            for key, entries in reply:
                found += len(entries)
                places[key] = entries[-1][0]
            requests.append((request, length, found))
            done += found
        self._recorded[keys, count] = requests


def _addition(key: str, number: int) -> bytes:
    return encode("XADD", key, "*", *[word for pair in fields(number).items() for word in pair])
