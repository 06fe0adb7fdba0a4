"""
Builders for the commands about connections, and the list of those that no shared connection may ever carry.
"""

from __future__ import annotations

from typing import Final

from ...exceptions import CommandSyntaxError
from ...typing import Parameters, StringT, ValueT
from ..command import Command, Requirement
from ..replies.shapes import integer, truth
from .checks import natural_integer, positive_integer, several, string
from .keyed import token

#: Commands that change what a connection is: its database, its user, its protocol, whether it answers, whether it is in a
#: transaction. Connections are shared between callers, so one caller's change would be everybody's. What they are for is
#: an option of the client (``db``, ``username``, ``protocol``), a pipeline or a subscription.
CONNECTION_STATE_COMMANDS: Final = frozenset(
    {
        "ASKING",
        "AUTH",
        "CLIENT CACHING",
        "CLIENT CAPA",
        "CLIENT IMPORT-SOURCE",
        "CLIENT REPLY",
        "CLIENT TRACKING",
        "DISCARD",
        "EXEC",
        "HELLO",
        "MONITOR",
        "MULTI",
        "PSUBSCRIBE",
        "PSYNC",
        "PUNSUBSCRIBE",
        "QUIT",
        "READONLY",
        "READWRITE",
        "REPLCONF",
        "RESET",
        "SCRIPT DEBUG",
        "SELECT",
        "SSUBSCRIBE",
        "SUBSCRIBE",
        "SUNSUBSCRIBE",
        "SYNC",
        "UNSUBSCRIBE",
        "UNWATCH",
        "WATCH",
    }
)


def connection_state_command(arguments: tuple[ValueT, ...]) -> str | None:
    """
    Find the command that would change a shared connection.

    Args:
        arguments: the words of a command as a user gave them; a subcommand may stand in the first word (``"CLIENT REPLY"``)

    Returns:
        its name, or None when the command is harmless
    """
    words: list[str] = []
    for argument in arguments[:2]:
        if isinstance(argument, str):
            words += argument.upper().split()
        elif isinstance(argument, bytes | bytearray | memoryview):
            words += bytes(argument).decode(errors="replace").upper().split()
    for name in (" ".join(words[:1]), " ".join(words[:2])):
        if name in CONNECTION_STATE_COMMANDS:
            return name
    return None


def client_kill(
    identifier: int | None,
    addr: StringT | None,
    laddr: StringT | None,
    type_: StringT | None,
    user: StringT | None,
    skipme: bool,
    maxage: int | None,
) -> Command[int]:
    """
    Build CLIENT KILL in its form with filters, at least one of them.
    """
    words: list[ValueT] = ["CLIENT", "KILL"]
    if identifier is not None:
        words += ["ID", natural_integer("identifier", identifier)]
    if addr is not None:
        words += ["ADDR", string("addr", addr)]
    if laddr is not None:
        words += ["LADDR", string("laddr", laddr)]
    if type_ is not None:
        words += ["TYPE", token("type_", type_, b"NORMAL", b"MASTER", b"REPLICA", b"SLAVE", b"PUBSUB")]
    if user is not None:
        words += ["USER", string("user", user)]
    if maxage is not None:
        words += ["MAXAGE", positive_integer("maxage", maxage)]
    if len(words) == 2:
        raise CommandSyntaxError(
            {"identifier", "addr", "laddr", "type_", "user", "maxage"}, "say which connections to close"
        )
    if not skipme:
        words += ["SKIPME", "NO"]
    requires: tuple[Requirement, ...] = ()
    if maxage is not None:
        # Everything else has been checked here, so an error of syntax is about this.
        requires = (Requirement("CLIENT KILL", "MAXAGE", "Redis 7.4", told_by="ERR syntax error"),)
    return Command(tuple(words), integer, requires=requires)


def client_list(type_: StringT | None, identifiers: Parameters[int] | None) -> tuple[ValueT, ...]:
    """
    Build the words of CLIENT LIST.
    """
    words: list[ValueT] = ["CLIENT", "LIST"]
    if type_ is not None:
        words += ["TYPE", token("type_", type_, b"NORMAL", b"MASTER", b"REPLICA", b"PUBSUB")]
    if identifiers is not None:
        chosen: tuple[int, ...] = several("identifiers", identifiers)
        words += ["ID", *(natural_integer("identifiers", identifier) for identifier in chosen)]
    return tuple(words)


def client_setinfo(lib_name: StringT | None, lib_ver: StringT | None) -> Command[bool]:
    """
    Build CLIENT SETINFO, which sets one of two things at a time.
    """
    if (lib_name is None) == (lib_ver is None):
        raise CommandSyntaxError({"lib_name", "lib_ver"}, "give exactly one of them")
    words: tuple[ValueT, ...]
    words = ("LIB-NAME", string("lib_name", lib_name)) if lib_name is not None else ()
    words = ("LIB-VER", string("lib_ver", lib_ver)) if lib_ver is not None else words
    return Command(
        ("CLIENT", "SETINFO", *words),
        truth,
        idempotent=True,
        requires=(Requirement("CLIENT SETINFO", None, "Redis 7.2"),),
    )


def client_pause(timeout: int, mode: StringT | None) -> tuple[ValueT, ...]:
    """
    Build the words of CLIENT PAUSE.
    """
    words: tuple[ValueT, ...] = ("CLIENT", "PAUSE", natural_integer("timeout", timeout))
    return words if mode is None else (*words, token("mode", mode, b"WRITE", b"ALL"))


def client_unblock(client_id: int, reason: StringT | None) -> tuple[ValueT, ...]:
    """
    Build the words of CLIENT UNBLOCK.
    """
    words: tuple[ValueT, ...] = ("CLIENT", "UNBLOCK", natural_integer("client_id", client_id))
    return words if reason is None else (*words, token("unblock_type", reason, b"TIMEOUT", b"ERROR"))


def switch(name: str, value: bool | StringT) -> bytes:
    """
    Read a switch: a bool, or the word ``ON`` or ``OFF``.
    """
    if isinstance(value, bool):
        return b"ON" if value else b"OFF"
    return token(name, value, b"ON", b"OFF")
