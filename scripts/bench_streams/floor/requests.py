"""
Commands as bytes, with as much of them as possible made ready before.

A head is what comes before a word: the end of the word before it, and its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

#: Of words shorter than this the heads are ready.
LONG_WORD: Final = 2048
PING: Final = b"*1\r\n$4\r\nPING\r\n"
_TEXTS: Final = [f"\r\n${length}\r\n" for length in range(LONG_WORD)]
_HEADS: Final = [text.encode() for text in _TEXTS]


def encode(words: Iterable[Any]) -> bytes:
    """
    Encode any command.
    """
    return b"".join(_parts(words))


def short_addition(key: str, fields: Mapping[str, Any]) -> bytes | None:
    """
    Encode an XADD of three fields that are text, ASCII and not long: everything but the values is ready. None: it is another.
    """
    try:
        name, other, last = fields
        beginning, middle, end = _templates(key, name, other, last)
        one, two, three = fields.values()
        packed = "".join(
            (beginning, _TEXTS[len(one)], one, middle, _TEXTS[len(two)], two, end, _TEXTS[len(three)], three, "\r\n")
        )
    except (IndexError, TypeError, ValueError):
        return None
    return packed.encode() if packed.isascii() else None


def any_addition(key: str, fields: Mapping[str, Any]) -> bytes:
    """
    Encode any XADD.
    """
    return b"".join(addition_parts(key, fields))


def additions(commands: Sequence[bytes | tuple[str, Mapping[str, Any]]]) -> bytes:
    """
    Encode many XADDs, of which some are other commands and encoded already.
    """
    short, other = short_addition, any_addition
    return b"".join([command if type(command) is bytes else short(*command) or other(*command) for command in commands])


def addition_parts(key: str, fields: Mapping[str, Any]) -> list[bytes]:
    """
    Encode any XADD, in parts, so that a long value need not be copied.
    """
    return _parts(("XADD", key, "*", *chain.from_iterable(fields.items())))


@cache
def _templates(key: str, *names: str) -> list[str]:
    """
    Make what comes before the head of each value.
    """
    before = encode(("XADD", key, "*"))[len(b"*3") : -2].decode()
    parts = [f"\r\n${len(name.encode())}\r\n{name}" for name in names]
    return [f"*{3 + 2 * len(names)}{before}{parts[0]}", *parts[1:]]


def acknowledgement(key: str, group: str, identifiers: Sequence[bytes]) -> bytes:
    """
    Encode an XACK. Identifiers of the same length take one step for all.
    """
    beginning = _acknowledging(key, group, len(identifiers))
    if len(set(map(len, identifiers))) == 1:
        head = _HEADS[len(identifiers[0])]
        return beginning + head + head.join(identifiers) + b"\r\n"
    return b"".join([beginning, *_words(identifiers), b"\r\n"])


@cache
def _acknowledging(key: str, group: str, count: int) -> bytes:
    words = encode(("XACK", key, group))
    return b"*%d" % (3 + count) + words[len(b"*3") : -2]


def read(beginning: bytes, positions: Iterable[bytes]) -> bytes:
    """
    Encode a read.

    Args:
        beginning: see ``reading``
        positions: of the streams, in the same order
    """
    return b"".join([beginning, *_words(positions), b"\r\n"])


@cache
def reading(
    keys: tuple[str, ...],
    count: int,
    group: str | None = None,
    consumer: str | None = None,
    noack: bool = False,
    block: int | None = None,
) -> bytes:
    """
    Encode a read but for the positions of the streams.
    """
    words: list[Any] = ["XREAD"] if group is None else ["XREADGROUP", "GROUP", group, consumer]
    words += ["COUNT", count]
    words += [] if block is None else ["BLOCK", block]
    words += ["NOACK"] if noack else []
    words += ["STREAMS", *keys]
    encoded = encode(words)
    return b"*%d" % (len(words) + len(keys)) + encoded[encoded.index(b"\r\n") : -2]


def to_bytes(word: Any) -> bytes:
    """
    Encode one word.
    """
    return word if type(word) is bytes else str(word).encode()


def _parts(words: Iterable[Any]) -> list[bytes]:
    encoded = list(map(to_bytes, words))
    return [b"*%d" % len(encoded), *_words(encoded), b"\r\n"]


def _words(words: Iterable[bytes]) -> list[bytes]:
    return [part for word in words for part in (_head(len(word)), word)]


def _head(length: int) -> bytes:
    return _HEADS[length] if length < LONG_WORD else b"\r\n$%d\r\n" % length
