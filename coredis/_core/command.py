"""
One command to the server, as a value: what to send, how to read the answer, and what is safe to do with it.

A ``Command`` is built by a command method (``_async/commands``), never by the transport, and knows nothing of connections.
What a client may do after a failure is decided from its attributes, never by looking at its arguments again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from ..exceptions import InvalidResponse
from ..typing import ValueT
from .wire import encode

T_co = TypeVar("T_co", covariant=True)

#: A reply as the parser hands it over: bytes, int, float, bool, None, list, dict, or an error inside a list.
Reply: TypeAlias = Any

#: What ``convert`` raises when a reply has not the shape that it expects.
SHAPE_ERRORS: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Requirement(NamedTuple):
    """
    A command or an option that some servers in use do not have.

    A server that answers a command with an error is asked (COMMAND DOCS) whether it knows the option at all; if not, the
    user is told the version that does.
    """

    command: str  # "XADD"
    option: str | None  # the argument token as COMMAND DOCS spells it, "IDMP"; None: the command itself
    version: str  # the version that has it, "Redis 8.6"
    told_by: str | None = None  # an error that begins so says it all, where COMMAND DOCS does not show what is known


class Command(Generic[T_co]):
    """
    A request and the meaning of its reply.

    Attributes:
        arguments: the words to send, the command's name first (two words where it has a subcommand)
        convert: makes the result from the parsed reply; called outside of any lock, never for an error reply
        keys: the positions of the keys in ``arguments``
        readonly: the command changes nothing, so a replica may answer it
        idempotent: running it twice leaves the same state as running it once, so it may be sent again when its outcome is
            unknown
        block: seconds the server may take before it answers: None for an ordinary command, ``inf`` for ever.
            A blocking command gets a connection of its own, and no ordinary time-out applies to it
        requires: what not every server has
    """

    __slots__ = ("arguments", "block", "convert", "idempotent", "keys", "readonly", "requires")

    def __init__(
        self,
        arguments: tuple[ValueT, ...],
        convert: Callable[[Reply], T_co],
        keys: Sequence[int] = (),
        readonly: bool = False,
        idempotent: bool | None = None,
        block: float | None = None,
        requires: tuple[Requirement, ...] = (),
    ) -> None:
        self.arguments = arguments
        self.convert = convert
        self.keys = keys
        self.readonly = readonly
        self.idempotent = readonly if idempotent is None else idempotent
        self.block = block
        self.requires = requires

    @property
    def name(self) -> str:
        """
        The command's name, for messages and logs.
        """
        name = self.arguments[0]
        return name if isinstance(name, str) else bytes(name).decode(errors="backslashreplace")  # type: ignore[arg-type]

    def word(self, position: int) -> ValueT:
        """
        Give one of the words.
        """
        return self.arguments[position]

    def encoded(self, encoding: str) -> bytes:
        """
        Give what is to be sent.

        Args:
            encoding: for ``str``

        Raises:
            TypeError, ValueError, UnicodeEncodeError: as ``encode``
        """
        return encode(self.arguments, encoding)

    def unexpected(self, error: Exception) -> InvalidResponse:
        """
        Say that a reply could not be converted; without the cause, whose text may quote the payload.
        """
        return InvalidResponse(f"{self.name}: unexpected reply ({type(error).__name__})")

    def __repr__(self) -> str:
        # Arguments may hold secrets and payload: neither belongs into a log.
        return f"<Command {self.name} with {len(self.arguments) - 1} arguments>"


class Constant(Command[T_co]):
    """
    A command that is always the same, and the same in every encoding, so it is made and encoded once.
    """

    __slots__ = ("_payload",)

    def __init__(self, arguments: tuple[ValueT, ...], convert: Callable[[Reply], T_co]) -> None:
        super().__init__(arguments, convert, readonly=True)
        self._payload = encode(arguments)

    def encoded(self, encoding: str) -> bytes:
        """
        Give what is to be sent.
        """
        return self._payload


class _OfKey(Command[T_co]):
    """
    A command about one key, its first argument. Most commands are of these, so they are made by the functions below: Python
    makes a long way of it to an ``__init__``.
    """

    __slots__ = ()

    keys = (1,)
    readonly = False
    idempotent = False
    block = None
    requires = ()

    __init__ = object.__init__


class _ReadOfKey(_OfKey[T_co]):
    __slots__ = ()

    readonly = True
    idempotent = True


class _RewriteOfKey(_OfKey[T_co]):
    __slots__ = ()

    idempotent = True


def key_read(arguments: tuple[ValueT, ...], convert: Callable[[Reply], T_co]) -> Command[T_co]:
    """
    Make a command that reads one key, its first argument.
    """
    made: _ReadOfKey[T_co] = _ReadOfKey()
    made.arguments = arguments
    made.convert = convert
    return made


def key_write(arguments: tuple[ValueT, ...], convert: Callable[[Reply], T_co]) -> Command[T_co]:
    """
    Make a command that changes one key, its first argument, and another time once more.
    """
    made: _OfKey[T_co] = _OfKey()
    made.arguments = arguments
    made.convert = convert
    return made


def key_rewrite(arguments: tuple[ValueT, ...], convert: Callable[[Reply], T_co]) -> Command[T_co]:
    """
    Make a command that changes one key, its first argument, and is idempotent.
    """
    made: _RewriteOfKey[T_co] = _RewriteOfKey()
    made.arguments = arguments
    made.convert = convert
    return made
