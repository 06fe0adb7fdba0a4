"""
Encode commands to RESP and check what is encoded.

``packing`` and hiredis pack; this module decides what may be packed. Encoding is complete before a byte is queued anywhere, so
a wrong argument fails its own call and nothing else. Commands are arrays of bulk strings, so no content can break the framing
(https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server).
"""

from __future__ import annotations

import math
from typing import Any, Final

from hiredis import Reader, pack_command

from .callers import name_of
from .packing import MOST_WORDS, Packer, packer

# hiredis packs exactly these types by itself, str as UTF-8. It takes int as well, but turns them into text without checking
# for failure, and Python lets signal handlers run while it does that: a handler that raises (Ctrl-C) ends the process.
_PLAIN: Final = frozenset({str, bytes})
# From this size on copying a value costs more than packing in Python.
_LARGE_BYTES: Final = 32 * 1024
# The server refuses longer values (proto-max-bulk-len); refused here, a broken connection is spared.
MAX_VALUE_BYTES: Final = 512 * 1024 * 1024


def encode_value(value: object, where: str, encoding: str = "utf-8") -> bytes:
    """
    Make one argument packable.

    Args:
        value: what the caller gave
        where: names the argument in the error message
        encoding: for ``str``

    Raises:
        TypeError: a type that has no obvious bytes, ``bool`` and ``None`` included
        ValueError: nan, an infinity, or more than 512 MiB
        UnicodeEncodeError: text that the encoding cannot express
    """
    encoded: bytes
    if isinstance(value, bool):
        raise TypeError(f"expected str, bytes, int or float for {where}, got bool ({value}); say 0 or 1")
    if isinstance(value, str):
        encoded = value.encode(encoding)
    elif isinstance(value, bytes | bytearray):
        encoded = bytes(value)
    elif isinstance(value, memoryview):
        encoded = value.tobytes()
    elif isinstance(value, int):
        encoded = b"%d" % value
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"expected a finite number for {where}, got {value}")
        encoded = repr(float(value)).encode()  # the shortest text that reads back as the same float
    else:
        raise TypeError(f"expected str, bytes, int or float for {where}, got {type(value).__name__}")
    if len(encoded) > MAX_VALUE_BYTES:
        raise ValueError(f"expected at most 512 MiB for {where}, got {len(encoded)} bytes")
    return encoded


def encode(arguments: tuple[object, ...], encoding: str = "utf-8") -> bytes:
    """
    Encode one command.

    Args:
        arguments: its words, the name first
        encoding: for ``str``

    Raises:
        TypeError, ValueError, UnicodeEncodeError: as ``encode_value``, naming the parameter the user gave it for, or the
            position of the argument
    """
    try:
        if encoding == "utf-8":
            try:
                short = _packers[len(arguments)](arguments)
                if short is not None:
                    return short
            except IndexError:
                pass
        packed = _pack(arguments, encoding)
    except (TypeError, ValueError) as error:
        raise (_named_error(arguments, encoding) or error) from None
    if len(packed) > MAX_VALUE_BYTES:
        named = _named_error(arguments, encoding)
        if named is not None:  # else it is long, but no part of it is too long
            raise named
    return packed


def decode(packed: bytes) -> tuple[bytes, ...]:
    """
    Give the words of an encoded command.
    """
    reader = Reader()
    reader.feed(packed)
    words: list[bytes] = reader.gets()
    return tuple(words)


def convert(value: object) -> bytes:
    """
    Make bytes of a word that is neither ``str`` nor bytes, mostly; the errors name nothing.
    """
    return b"%d" % value if type(value) is int else encode_value(value, "")


def head(length: int) -> bytes:
    """
    Make what comes before a long word, the end of what was before included.

    Raises:
        ValueError: it is too long
    """
    if length > MAX_VALUE_BYTES:
        raise ValueError(f"expected at most 512 MiB, got {length} bytes")
    return b"\r\n$%d\r\n" % length


def _first_packer(count: int) -> Packer:
    """
    Give what packs the first command of so many words, and leaves in its own place what packs all others.
    """

    def pack(words: tuple[Any, ...]) -> bytes | None:
        made = _packers[count] = packer(count, convert)
        return made(words)

    return pack


def _pack(arguments: tuple[object, ...], encoding: str) -> bytes:
    """
    Pack any command.
    """
    if encoding != "utf-8":
        arguments = tuple([encode_value(value, "", encoding) for value in arguments])
    elif not _PLAIN.issuperset(map(type, arguments)):
        arguments = tuple([value if type(value) in _PLAIN else convert(value) for value in arguments])
    if len(arguments[-1]) >= _LARGE_BYTES:  # type: ignore[arg-type]  # As above.
        return _pack_large(arguments)
    packed: bytes = pack_command(arguments)  # type: ignore[arg-type]
    return packed


def _pack_large(arguments: tuple[object, ...]) -> bytes:
    """
    Pack str and bytes with a single copy of each value; hiredis makes three.
    """
    parts = [b"*%d\r\n" % len(arguments)]
    for value in arguments:
        data = value.encode() if isinstance(value, str) else value
        assert isinstance(data, bytes)
        parts += (b"$%d\r\n" % len(data), data, b"\r\n")
    return b"".join(parts)


def _named_error(arguments: tuple[object, ...], encoding: str) -> Exception | None:
    """
    Make the error about the first argument that cannot be encoded; None when there is none.
    """
    for position, value in enumerate(arguments):
        try:
            encode_value(value, "", encoding)
        except UnicodeEncodeError as error:
            reason = f"{error.reason}, in {_where(value, position, arguments)}"
            return UnicodeEncodeError(error.encoding, error.object, error.start, error.end, reason)
        except (TypeError, ValueError):
            try:
                encode_value(value, _where(value, position, arguments), encoding)
            except (TypeError, ValueError) as error:
                return error
    return None


def _where(value: object, position: int, arguments: tuple[object, ...]) -> str:
    return f"{name_of(value) or f'argument {position}'} of {arguments[0]!r}"


# For commands of short words, by the number of words.
_packers: Final = [_first_packer(count) for count in range(MOST_WORDS + 1)]
