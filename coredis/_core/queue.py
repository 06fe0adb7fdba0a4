"""
Commands that wait to be sent together, and handles for their results to come.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Final, Generic, TypeVar, cast

from .additions import Addition
from .command import SHAPE_ERRORS, Command, Reply
from .errors import from_line
from .parser import ErrorLine
from .replies.shapes import UNCHANGED

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


# Each of these goes over thousands of commands, so none calls a method of theirs.


def additions(handles: Sequence[Queued[object]]) -> list[Addition[object]]:
    """
    Find what a stream does not take twice.
    """
    return [handle._command for handle in handles if type(handle._command) is Addition]


def blocks(handles: Sequence[Queued[object]]) -> list[float]:
    """
    Give the seconds that commands may take which wait for something.
    """
    return [handle._command.block for handle in handles if handle._command.block is not None]


def answer_all(handles: Iterable[Queued[object]], replies: Iterable[Reply]) -> None:
    """
    Store what replies mean.
    """
    unchanged = UNCHANGED.get
    for handle, reply in zip(handles, replies, strict=False):
        kind = type(reply)
        if unchanged(handle._command.convert) is kind:
            handle._value = reply
        elif kind is ErrorLine:
            handle.fail(from_line(str(reply)))
        else:
            try:
                handle._value = handle._command.convert(reply)
            except SHAPE_ERRORS as error:
                handle.fail(handle._command.unexpected(error))


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


def first_error(handles: Sequence[Queued[object]]) -> Exception | None:
    """
    Find the first command that failed.
    """
    for handle in handles:
        if handle._error is not None:
            return handle._error
    return None
