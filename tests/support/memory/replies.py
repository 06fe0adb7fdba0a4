"""
The bytes of the server in memory: commands are cut out of what clients send, replies are spelled out in either protocol.

Specification: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

#: bytes, int, None, a list of replies, or one of the classes below.
Reply: TypeAlias = Any


class Simple(bytes):
    """
    A status, such as ``OK``.
    """


class NullArray:
    """
    An array that is not there: not the same as a bulk string that is not there, in RESP2.
    """


class Pairs(list[tuple[bytes, Reply]]):
    """
    Names and values: a map, or one flat array in RESP2.
    """


class ByStream(list[tuple[bytes, Reply]]):
    """
    Entries by stream: a map, or an array of arrays in RESP2.
    """


class Push(list[Reply]):
    """
    A message that nobody asked for (RESP3).
    """


class Refused(Exception):
    """
    An error reply; the text begins with its code.
    """


OK: Final = Simple(b"OK")
NO_ARRAY: Final = NullArray()


def encode(reply: Reply, protocol: int) -> bytes:
    """
    Spell out a reply.

    Args:
        reply: what to say
        protocol: 2 or 3
    """
    parts: list[bytes] = []
    _encode(reply, protocol == 3, parts)
    return b"".join(parts)


def _encode(reply: Reply, three: bool, parts: list[bytes]) -> None:
    kind = type(reply)
    if kind is bytes:
        parts.append(b"$%d\r\n%b\r\n" % (len(reply), reply))
    elif kind is int:
        parts.append(b":%d\r\n" % reply)
    elif kind is list:
        parts.append(b"*%d\r\n" % len(reply))
        for item in reply:
            _encode(item, three, parts)
    elif kind is Push:
        parts.append(b">%d\r\n" % len(reply))
        for item in reply:
            _encode(item, three, parts)
    elif kind is Simple:
        parts.append(b"+%b\r\n" % reply)
    elif reply is None:
        parts.append(b"_\r\n" if three else b"$-1\r\n")
    elif kind is NullArray:
        parts.append(b"_\r\n" if three else b"*-1\r\n")
    elif kind is Refused:
        parts.append(b"-%b\r\n" % str(reply).encode("utf-8", "surrogateescape"))
    elif kind is Pairs or kind is ByStream:
        nested = kind is ByStream and not three
        parts.append((b"%%%d\r\n" if three else b"*%d\r\n") % (len(reply) * (1 if three or nested else 2)))
        for name, value in reply:
            if nested:
                parts.append(b"*2\r\n")
            _encode(name, three, parts)
            _encode(value, three, parts)
    else:
        raise TypeError(f"no reply: {reply!r}")


class Commands:
    """
    Cut commands out of what a client sends, however it arrives. A client sends arrays of bulk strings and nothing else.
    """

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[list[bytes]]:
        """
        Take more bytes and give the commands that are complete now.

        Raises:
            ValueError: this is not a command
        """
        data = self._data = self._data + data
        commands = []
        start = 0
        while True:
            words, end = _command(data, start)
            if words is None:
                break
            commands.append(words)
            start = end
        self._data = data[start:]
        return commands


def _command(data: bytes, start: int) -> tuple[list[bytes] | None, int]:
    count, at = _header(data, start, b"*")
    if count is None:
        return None, start
    words = []
    for _ in range(count):
        size, at = _header(data, at, b"$")
        if size is None or len(data) < at + size + 2:
            return None, start
        words.append(data[at : at + size])
        at += size + 2
    return words, at


def _header(data: bytes, start: int, kind: bytes) -> tuple[int | None, int]:
    end = data.find(b"\r\n", start)
    if end < 0:
        return None, start
    if data[start : start + 1] != kind:
        raise ValueError(f"expected {kind!r} in a command, got {data[start : start + 20]!r}")
    return int(data[start + 1 : end]), end + 2
