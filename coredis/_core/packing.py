"""
Pack the words of ordinary commands: not many, and none of them long.

hiredis prints the length of every word anew, and wants to know first what kind of word each is. Here the lengths are ready, and
there is one function for each number of words that names them one by one: it takes half the time. Where all words are ASCII,
as in most commands, they are joined as text and encoded together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, TypeAlias

Packer: TypeAlias = Callable[..., bytes]

#: Words from this length on have no header ready.
LONG_WORD: Final = 2048
#: Beyond this many words there are no functions.
MOST_WORDS: Final = 40


@functools.cache
def _heads() -> tuple[list[str], list[bytes]]:
    """
    Make what comes before a word, the end of what was before included, by the length of the word.
    """
    texts = [f"\r\n${length}\r\n" for length in range(LONG_WORD)]
    return texts, [text.encode() for text in texts]


def text_packer(count: int, otherwise: Packer) -> Packer:
    """
    Write the function for so many words that may well be ASCII, all of them. Nothing of a command gets into its source.

    Args:
        count: how many
        otherwise: takes the words if they are not

    Returns:
        it takes the words; of a long one it raises an ``IndexError``
    """
    words = [f"word{number}" for number in range(count)]
    all_text = " and ".join([f"type({word}) is text" for word in words])
    packed = "".join([f"{{heads[len({word})]}}{{{word}}}" for word in words])
    return _compiled(
        f"lambda heads, text, otherwise: lambda {', '.join(words)}: packed.encode() "
        f"if {all_text} and (packed := f'*{count}{packed}\\r\\n').isascii() else otherwise({', '.join(words)})"
    )(_heads()[0], str, otherwise)


def packer(count: int, convert: Callable[[object], bytes]) -> Packer:
    """
    Write the function for so many words of any kind. Nothing of a command gets into its source.

    Args:
        count: how many
        convert: makes bytes from anything but bytes

    Returns:
        it takes the words; of a long one it raises an ``IndexError``
    """
    words = [f"word{number}" for number in range(count)]
    converted = "{0} := {0} if type({0}) is data else {0}.encode() if type({0}) is text else convert({0})"
    packed = "".join([f"heads[len({converted.format(word)})], {word}, " for word in words])
    return _compiled(
        f"lambda heads, data, text, convert, join, end: lambda {', '.join(words)}: join((b'*{count}', {packed}end))"
    )(_heads()[1], bytes, str, convert, b"".join, b"\r\n")


def _compiled(source: str) -> Callable[..., Packer]:
    function: Callable[..., Packer] = eval(source, {"__builtins__": {}, "len": len, "type": type})
    return function
