"""
Find the function of a command: name, subcommand and number of words as the real servers check them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from tests.support.memory.personality import Personality
from tests.support.memory.replies import Refused
from tests.support.memory.stream import Group, Stream

if TYPE_CHECKING:
    from tests.support.memory.connection import Connection
    from tests.support.memory.server import MemoryServer


class Call(NamedTuple):
    """
    A command that is being executed.
    """

    server: MemoryServer
    connection: Connection
    words: list[bytes]
    in_transaction: bool

    @property
    def personality(self) -> Personality:
        return self.server.personality

    @property
    def database(self) -> int:
        return self.connection.database

    def stream(self, key: bytes) -> Stream | None:
        """
        Give a stream; None: there is no such key. Refused when it is something else.
        """
        return self.server.stream(self.connection.database, key)

    def group(self, key: bytes, name: bytes, suffix: str = "") -> tuple[Stream, Group]:
        """
        Give a group and its stream.

        Raises:
            Refused: one of them is missing
        """
        stream = self.stream(key)
        group = None if stream is None else stream.groups.get(name)
        if stream is None or group is None:
            raise Refused(f"NOGROUP No such key '{text(key)}' or consumer group '{text(name)}'{suffix}")
        return stream, group

    def touch(self, key: bytes) -> None:
        """
        Have those who wait for a key look.
        """
        self.server.touch(self.connection.database, key)

    def note(self, kind: str, key: bytes, **details: object) -> None:
        """
        Write into the server's journal.
        """
        if self.server.journal is not None:
            self.server.note(kind, key, connection=self.connection.number, **details)


Handler: TypeAlias = Callable[[Call], Any]


class _Entry(NamedTuple):
    handler: Handler
    arity: int  # negative: at least
    has: Callable[[Personality], bool]


class Table:
    """
    All commands, by name, and by subcommand where there are any.
    """

    def __init__(self) -> None:
        self._entries: dict[bytes, _Entry] = {}
        self._containers: dict[bytes, dict[bytes, _Entry]] = {}

    def command(
        self, name: str, arity: int, has: Callable[[Personality], bool] = lambda personality: True
    ) -> Callable[[Handler], Handler]:
        """
        Register a function for a command such as ``XADD`` or ``XGROUP CREATE``.

        Args:
            name: of the command and its subcommand
            arity: the number of words, negative for a minimum
            has: which servers have it
        """

        def register(handler: Handler) -> Handler:
            first, _, second = name.encode().partition(b" ")
            entry = _Entry(handler, arity, has)
            if second:
                self._containers.setdefault(first, {})[second] = entry
            else:
                self._entries[first] = entry
            return handler

        return register

    def find(self, words: list[bytes], personality: Personality) -> Handler:
        """
        Find the function.

        Raises:
            Refused: there is no such command, or it takes another number of words
        """
        name = words[0].upper()
        shown = text(words[0]).lower()
        entry = self._entries.get(name)
        subcommands = self._containers.get(name)
        if subcommands is not None:
            if len(words) < 2:
                raise Refused(f"ERR wrong number of arguments for '{shown}' command")
            entry = subcommands.get(words[1].upper())
            if entry is None or not entry.has(personality):
                raise Refused(f"ERR unknown subcommand '{text(words[1])}'. Try {shown.upper()} HELP.")
            shown += f"|{text(words[1]).lower()}"
        elif entry is None or not entry.has(personality):
            given = "".join(f"'{text(word)}' " for word in words[1:])
            raise Refused(f"ERR unknown command '{text(words[0])}', with args beginning with: {given}")
        if len(words) < abs(entry.arity) or (entry.arity > 0 and len(words) != entry.arity):
            raise Refused(f"ERR wrong number of arguments for '{shown}' command")
        return entry.handler

    def knows(self, name: bytes, personality: Personality) -> bool:
        """
        Tell whether there is such a command.
        """
        entry = self._entries.get(name)
        return name in self._containers or (entry is not None and entry.has(personality))


TABLE: Final = Table()
command: Final = TABLE.command


def text(word: bytes) -> str:
    """
    Make text of a word for an error message; ``replies`` makes the same bytes of it again.
    """
    return word.decode("utf-8", "surrogateescape")
