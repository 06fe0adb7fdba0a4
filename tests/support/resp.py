"""
Speak RESP2 and RESP3 in the tests' own few lines.

The tests must not judge the client's parser with that same parser, so this module uses neither coredis nor hiredis. It
is written for clarity, not for speed, and expects well-formed input. Specification:
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import Final, Self, TypeAlias, Union

Argument: TypeAlias = str | bytes | int | float
Reply: TypeAlias = Union[bool, int, float, bytes, list["Reply"], dict[bytes, "Reply"], "ErrorReply", None]
Address: TypeAlias = tuple[str, int] | str

CRLF: Final = b"\r\n"
# How many values follow the header of an aggregate, per counted element.
_AGGREGATES: Final = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}
_BULKS: Final = b"$=!"
_LINES: Final = b"+-:_#,("


class ErrorReply(Exception):
    """
    An error reply of the server; ``code`` is its first word.
    """

    @property
    def code(self) -> str:
        return str(self).partition(" ")[0]


class NotRESP(ValueError):
    """
    The bytes are not RESP, for example because they are encrypted.
    """


def to_bytes(argument: Argument) -> bytes:
    """
    Encode one argument of a command.
    """
    return argument if isinstance(argument, bytes) else str(argument).encode()


def encode_command(*arguments: Argument) -> bytes:
    """
    Encode a command as an array of bulk strings.
    """
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in map(to_bytes, arguments):
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


class Framer:
    """
    Cut a stream of bytes into whole top-level frames, however the bytes arrive.

    An attribute (``|``) is part of the frame it precedes. A null aggregate and a null bulk are complete by themselves.
    """

    def __init__(self) -> None:
        self._frame = bytearray()
        self._position = 0
        self._missing = 1

    @property
    def partial(self) -> int:
        """
        How many bytes of an unfinished frame are held.
        """
        return len(self._frame)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """
        Take more bytes and yield each frame that is complete now.

        Raises:
            NotRESP: an unknown type byte or length; the framer is of no use afterwards
        """
        self._frame += data
        while (end := self._advance()) is not None:
            frame = bytes(self._frame[:end])
            del self._frame[:end]
            self._position, self._missing = 0, 1
            yield frame

    def _advance(self) -> int | None:
        frame = self._frame
        while self._missing:
            line_end = frame.find(CRLF, self._position)
            if line_end < 0:
                return None
            kind, rest = bytes(frame[self._position : self._position + 1]), bytes(frame[self._position + 1 : line_end])
            after = line_end + len(CRLF)
            inner = 0
            if kind in _AGGREGATES:
                inner = max(_length(rest), 0) * _AGGREGATES[kind]
            elif kind and kind in _BULKS:
                size = _length(rest)
                if size >= 0:
                    after += size + len(CRLF)
                    if len(frame) < after:
                        return None
            elif not kind or kind not in _LINES:
                raise NotRESP(f"type byte {kind!r}")
            self._position = after
            # An attribute is not a value: what it describes still follows.
            self._missing += inner - (kind != b"|")
        return self._position


def _length(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise NotRESP("a length that is not a number") from None


def decode(frame: bytes) -> Reply:
    """
    Turn one whole frame into a value. Text stays bytes, sets and pushes become lists, attributes are skipped.
    """
    value, end = _decode(frame, 0)
    assert end == len(frame), "decode() takes exactly one frame"
    return value


def _decode(frame: bytes, start: int) -> tuple[Reply, int]:
    line_end = frame.index(CRLF, start)
    kind, line, end = frame[start : start + 1], frame[start + 1 : line_end], line_end + len(CRLF)
    if kind in _AGGREGATES:
        if int(line) < 0:
            return None, end
        items: list[Reply] = []
        for _ in range(int(line) * _AGGREGATES[kind]):
            item, end = _decode(frame, end)
            items.append(item)
        if kind == b"|":
            return _decode(frame, end)
        if kind == b"%":
            return {_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)}, end
        return items, end
    if kind in (b"$", b"=", b"!"):
        if int(line) < 0:
            return None, end
        body, end = frame[end : end + int(line)], end + int(line) + len(CRLF)
        if kind == b"!":
            return ErrorReply(body.decode(errors="backslashreplace")), end
        return body[4:] if kind == b"=" else body, end
    scalars: dict[bytes, Reply] = {b"+": line, b"_": None, b"#": line == b"t"}
    if kind == b"-":
        return ErrorReply(line.decode(errors="backslashreplace")), end
    if kind in (b":", b"("):
        return int(line), end
    if kind == b",":
        return float(line), end
    return scalars[kind], end


def _key(value: Reply) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


def commands_in(data: bytes) -> list[list[bytes]]:
    """
    Parse recorded client bytes into commands, leaving out an unfinished last one.
    """
    commands: list[list[bytes]] = []
    for frame in Framer().feed(data):
        command = decode(frame)
        assert isinstance(command, list), "a client sends arrays"
        commands.append([argument for argument in command if isinstance(argument, bytes)])
    return commands


def connect(address: Address, timeout: float = 10.0) -> socket.socket:
    """
    Open a socket to ``(host, port)`` or to the path of a Unix socket.
    """
    if isinstance(address, tuple):
        opened = socket.create_connection(address, timeout)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(timeout)
    try:
        opened.connect(address)
    except BaseException:  # not swallowed: only the half-made socket is put away
        opened.close()
        raise
    return opened


class RawClient:
    """
    A blocking client of a few lines, for what a test has to do behind the back of the client under test.
    """

    def __init__(self, address: Address, *, credentials: tuple[str, ...] = (), timeout: float = 10.0) -> None:
        self.socket = connect(address, timeout)
        self._framer = Framer()
        self._frames: list[bytes] = []
        try:
            if credentials:
                self.command("AUTH", *credentials)
        except BaseException:  # not swallowed: a client that could not log in must not stay open
            self.close()
            raise

    def send(self, data: bytes) -> None:
        """
        Send bytes as they are.
        """
        self.socket.sendall(data)

    def receive(self) -> Reply:
        """
        Wait for one reply. Error replies are returned, not raised.

        Raises:
            ConnectionError: the peer closed or reset the connection
            TimeoutError: nothing came in time
        """
        while not self._frames:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError("the peer closed the connection")
            self._frames.extend(self._framer.feed(data))
        return decode(self._frames.pop(0))

    def command(self, *arguments: Argument) -> Reply:
        """
        Send one command and return its reply.

        Raises:
            ErrorReply: the server refused it
        """
        self.send(encode_command(*arguments))
        reply = self.receive()
        if isinstance(reply, ErrorReply):
            raise reply
        return reply

    def pipeline(self, commands: Iterable[Iterable[Argument]]) -> list[Reply]:
        """
        Send several commands at once and return their replies, error replies among them.
        """
        encoded = [encode_command(*command) for command in commands]
        self.send(b"".join(encoded))
        return [self.receive() for _ in encoded]

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
