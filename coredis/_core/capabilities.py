"""
Which commands and options a server has, by its own account (COMMAND DOCS), never by its version.
"""

from __future__ import annotations

from typing import Final

from .command import Reply
from .replies.shapes import pairs

#: Commands that hold a connection until something happens. ``execute_command`` gives them one of their own.
BLOCKING_COMMANDS: Final = frozenset(
    {
        "BLMOVE",
        "BLMPOP",
        "BLPOP",
        "BRPOP",
        "BRPOPLPUSH",
        "BZMPOP",
        "BZPOPMAX",
        "BZPOPMIN",
        "WAIT",
        "WAITAOF",
    }
)


def documented_tokens(reply: Reply, command: str) -> frozenset[str] | None:
    """
    Collect the option words of a command from a COMMAND DOCS reply.

    Args:
        reply: of ``COMMAND DOCS command``, in the shape of either protocol
        command: the command asked about, upper case

    Returns:
        all words, upper case; None when the server does not know the command
    """
    for name, documentation in pairs(reply):
        if bytes(name).decode().upper() == command:
            tokens: set[str] = set()
            _collect(documentation, tokens)
            return frozenset(tokens)
    return None


def _collect(documentation: Reply, tokens: set[str]) -> None:
    for name, value in pairs(documentation):
        if name == b"token":
            tokens.add(bytes(value).decode().upper())
        elif name in (b"arguments", b"subcommands"):
            for part in value.values() if isinstance(value, dict) else value:
                if isinstance(part, dict | list):
                    _collect(part, tokens)


def holds_connection(words: tuple[object, ...]) -> bool:
    """
    Tell whether a command given word by word may block.
    """
    name = upper(words[0])
    if name in BLOCKING_COMMANDS:
        return True
    if name in ("XREAD", "XREADGROUP"):
        for word in map(upper, words[1:]):
            if word == "STREAMS":
                return False
            if word == "BLOCK":
                return True
    return False


def upper(word: object) -> str:
    """
    Give a word of a command in upper case, as text.
    """
    if isinstance(word, bytes | bytearray | memoryview):
        return bytes(word).decode(errors="replace").upper()
    return str(word).upper()
