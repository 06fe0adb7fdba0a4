"""
Commands that wait to be sent together, and handles for their results to come.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from .additions import Addition
from .command import SHAPE_ERRORS, Command, Reply
from .entries import PlainAddition
from .errors import from_line
from .parser import ErrorLine
from .replies.shapes import UNCHANGED

R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)

_NOTHING_YET: Final = object()


class Queued(Generic[T_co]):
    """
    The result of a queued command, once the pipeline has been executed.
    """

    __slots__ = ("_command", "_error", "_value")

    def __init__(self, command: Command[T_co]) -> None:
        self._command = command
        self._value: object = _NOTHING_YET
        self._error: Exception | None = None

    @property
    def command(self) -> Command[T_co]:
        """
        What was queued.
        """
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
                f"{self._command.name} is queued and not executed yet: its result comes with the pipeline's end"
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
        return f"<Queued {self._command.name}: {state}>"


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


class Queue:
    """
    Commands that wait to be sent.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._clear()

    def _clear(self) -> None:
        """
        Forget what is queued.
        """
        # Each handle and then what is to be sent for it, in one list: they are queued in a single step.
        self._waiting: list[Any] = []
        self._uncommon: list[
            Command[Any]
        ] = []  # all but plain additions, which have nothing to be looked at before sending

    def issue(self, command: Command[R]) -> Queued[R]:
        """
        Queue one command, built by a command method.
        """
        payload = command.encoded(self._encoding)
        handle: Queued[R] = _Handle()
        handle._command = command
        handle._value = _NOTHING_YET
        handle._error = None
        if type(command) is not PlainAddition:
            self._uncommon.append(command)  # interrupted after this, it is one too many, which is on the safe side
        self._waiting.extend((handle, payload))
        return handle

    def __len__(self) -> int:
        return len(self._waiting) // 2

    def _take(self) -> Batch:
        """
        Give what is queued, and forget it.
        """
        waiting, uncommon = self._waiting, self._uncommon
        self._waiting, self._uncommon = [], []
        return Batch(
            waiting[::2],
            waiting[1::2],
            [command for command in uncommon if type(command) is Addition],
            [command.block for command in uncommon if command.block is not None],
        )


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
        convert = handle._command.convert
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
                handle.fail(handle._command.unexpected(error))
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
