"""
Commands that wait to be sent together, and handles for their results to come.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import wraps
from typing import Any, AnyStr, Final, Generic, NamedTuple, TypeVar, cast

from ..typing import KeyT, StringT, ValueT
from .additions import Addition
from .command import SHAPE_ERRORS, Command, Reply
from .entries import addition_packers, plain_addition
from .errors import from_line
from .parser import ErrorLine
from .replies import Replies
from .replies.shapes import UNCHANGED
from .wire import encode

R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)

_NOTHING_YET: Final = object()


class Queued(Generic[T_co]):
    """
    The result of a queued command, once the pipeline has been executed.
    """

    __slots__ = ("_command", "_convert", "_error", "_value")

    def __init__(self, command: Command[T_co]) -> None:
        self._command: Command[T_co] | None = command
        self._convert = command.convert
        self._value: object = _NOTHING_YET
        self._error: Exception | None = None

    @property
    def command(self) -> Command[T_co]:
        """
        What was queued.
        """
        assert self._command is not None
        return self._command

    @property
    def error(self) -> Exception | None:
        """
        What went wrong with this command; None when nothing did, or when it has not been executed.
        """
        return self._error

    def done(self) -> bool:
        """
        Tell whether there is a result or an error.
        """
        return self._error is not None or self._value is not _NOTHING_YET

    def result(self) -> T_co:
        """
        Give the result.

        Raises:
            RuntimeError: the pipeline has not been executed
            RedisError: the command failed
        """
        if self._error is not None:
            raise self._error
        if self._value is _NOTHING_YET:
            raise RuntimeError(
                f"{self.command.name} is queued and not executed yet: its result comes with the pipeline's end"
            )
        return cast(T_co, self._value)

    def __await__(self) -> Generator[None, None, T_co]:
        # So that code written for coredis 6 (`await handle` after the block) goes on working.
        return self.result()
        yield

    def resolve(self, value: object) -> None:
        """
        Store the result.
        """
        self._value = value

    def fail(self, error: Exception) -> None:
        """
        Store what went wrong, unless there is a result already.
        """
        if not self.done():
            self._error = error

    def replace_error(self, error: Exception) -> None:
        """
        Store a better account of what went wrong.
        """
        self._error = error

    def __repr__(self) -> str:
        state = "failed" if self._error is not None else "done" if self.done() else "queued"
        return f"<Queued {self.command.name}: {state}>"


class _Handle(Queued[T_co]):
    """
    What a queue makes, without a constructor: Python makes a long way of it to an ``__init__``.
    """

    __slots__ = ()

    __init__ = object.__init__


class Batch(NamedTuple):
    """
    What was queued, to be sent together.

    Attributes:
        handles: in the order of queueing
        payloads: the same, encoded
        additions: what a stream does not take twice
        blocks: the seconds that commands may take which wait for something
    """

    handles: list[Queued[object]]
    payloads: list[bytes]
    additions: list[Addition[object]]
    blocks: list[float]


class _QueuedAddition(_Handle[T_co]):
    """
    A plain addition, of which there are so many that its command is made only for who asks for it.
    """

    __slots__ = ("_fields", "_key")

    _fields: dict[StringT, ValueT]
    _key: KeyT

    @property
    def command(self) -> Command[T_co]:
        """
        What was queued.
        """
        command = self._command
        if command is None:
            command = self._command = plain_addition(self._key, self._fields, self._convert)
        return command


class Queue(Generic[AnyStr]):
    """
    Commands that wait to be sent.

    Attributes:
        replies: the converters, which whoever inherits sets
    """

    replies: Replies[AnyStr]

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._packers = addition_packers if encoding == "utf-8" else []
        self._clear()

    def _clear(self) -> None:
        """
        Forget what is queued.
        """
        # Each handle and then what is to be sent for it, in one list: they are queued in a single step.
        self._waiting: list[Any] = []
        self._special: list[Command[Any]] = []  # what has to be looked at before it is sent

    def issue(self, command: Command[R]) -> Queued[R]:
        """
        Queue one command, built by a command method.
        """
        payload = command.encoded(self._encoding)
        handle: Queued[R] = _Handle()
        handle._command = command
        handle._convert = command.convert
        handle._value = _NOTHING_YET
        handle._error = None
        if type(command) is Addition or command.block is not None:
            self._special.append(command)  # first: interrupted after this, it is left out when what is queued is taken
        self._waiting.extend((handle, payload))
        return handle

    def __len__(self) -> int:
        return len(self._waiting) // 2

    def _take(self) -> Batch:
        """
        Give what is queued, and forget it.
        """
        waiting, special = self._waiting, self._special
        self._waiting, self._special = [], []
        handles = waiting[::2]
        if special:
            queued = {id(handle._command) for handle in handles}
            special = [command for command in special if id(command) in queued]
        return Batch(
            handles,
            waiting[1::2],
            [command for command in special if type(command) is Addition],
            [command.block for command in special if command.block is not None],
        )


def shorter(xadd: Callable[..., Queued[AnyStr | None]]) -> Callable[..., Queued[AnyStr | None]]:
    """
    Give the same method of a ``Queue``, by a shorter way for plain additions. Python fills in each parameter by keyword on
    its own, all those that nobody gives, and each function on the way to the list takes its time.

    Args:
        xadd: what queues any XADD, and nothing else
    """

    @wraps(xadd)
    def short(
        self: Queue[AnyStr], key: KeyT, field_values: dict[StringT, ValueT], **options: object
    ) -> Queued[AnyStr | None]:
        if options or type(field_values) is not dict:
            return xadd(self, key, field_values, **options)
        fields = field_values.copy()  # before it is looked at, because others may change it meanwhile
        packers = self._packers
        if not 0 < len(fields) < len(packers):
            return xadd(self, key, fields)
        handle: _QueuedAddition[AnyStr | None] = _QueuedAddition()
        handle._key = key
        handle._fields = fields
        handle._command = None
        handle._convert = self.replies.optional_text
        handle._value = _NOTHING_YET
        handle._error = None
        try:
            payload = packers[len(fields)](key, fields)
            if payload is None:
                payload = encode(handle.command.arguments)
        except (TypeError, ValueError):
            return xadd(self, key, fields)  # a wrong word, which is named by the parameter of that method
        self._waiting.extend((handle, payload))
        return handle

    return short


# Each of these goes over thousands of commands, so none calls a method of theirs.


def answer_all(handles: Iterable[Queued[object]], replies: Iterable[Reply]) -> list[Queued[object]]:
    """
    Store what replies mean.

    Returns:
        the commands that failed
    """
    failures: list[Queued[object]] = []
    known: object = None
    unchanged: type | None = None
    for handle, reply in zip(handles, replies, strict=False):
        convert = handle._convert
        if convert is not known:
            known, unchanged = convert, UNCHANGED.get(convert)
        kind = type(reply)
        if kind is unchanged:
            handle._value = reply
        elif kind is ErrorLine:
            handle.fail(from_line(str(reply)))
            failures.append(handle)
        else:
            try:
                handle._value = convert(reply)
            except SHAPE_ERRORS as error:
                handle.fail(handle.command.unexpected(error))
                failures.append(handle)
    return failures


def failed(handles: Sequence[Queued[object]]) -> list[Queued[object]]:
    """
    Find the commands that ended with an error.
    """
    return [handle for handle in handles if handle._error is not None]


def outcomes(handles: Sequence[Queued[object]]) -> tuple[object, ...]:
    """
    Give what is known of commands: results, and as values the errors that they ended with.
    """
    return tuple(
        [
            handle._value if handle._error is None else handle._error
            for handle in handles
            if handle._value is not _NOTHING_YET or handle._error is not None
        ]
    )


def values(handles: Sequence[Queued[object]]) -> tuple[object, ...]:
    """
    Give the results of commands that all have one.
    """
    return tuple([handle._value for handle in handles])
