"""
Find the keys in commands.
"""

from __future__ import annotations

from typing import Final

_ALL: Final = frozenset({b"DEL", b"UNLINK", b"EXISTS"})
_SECOND: Final = frozenset({b"XGROUP", b"XINFO"})
_READS: Final = frozenset(
    {b"XREAD", b"XLEN", b"XRANGE", b"XREVRANGE", b"XINFO", b"XPENDING", b"GET", b"EXISTS", b"TYPE"}
)
_FIRST: Final = frozenset({b"SET", b"GET", b"TYPE"})


def keys_of(words: list[bytes]) -> list[bytes]:
    """
    List the keys of a command.
    """
    name = words[0].upper()
    if name in (b"XREAD", b"XREADGROUP"):
        for place in range(1 if name == b"XREAD" else 4, len(words)):
            if words[place].upper() == b"STREAMS":
                following = words[place + 1 :]
                return following[: len(following) // 2]
        return []
    if name in _ALL:
        return words[1:]
    if name in _SECOND:
        return words[2:3]
    if name == b"EVAL":
        return words[3 : 3 + int(words[2])]
    return words[1:2] if name in _FIRST or name.startswith(b"X") else []


def only_reads(words: list[bytes]) -> bool:
    """
    Tell whether a command changes nothing.
    """
    return words[0].upper() in _READS
