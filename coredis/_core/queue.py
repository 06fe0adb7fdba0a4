"""
Commands that wait to be sent together, and handles for their results to come.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import wraps
from typing import Any, AnyStr, Final, Generic, NamedTuple, TypeVar, cast

from ..types import IdentifierT
from ..typing import KeyT, Parameters, StringT, ValueT
from .acks import acknowledgement
from .additions import Addition
from .command import SHAPE_ERRORS, Command, Reply
from .entries import addition_packers
from .errors import from_line
from .parser import ErrorLine
from .replies import Replies
from .replies.shapes import UNCHANGED, integer
from .wire import decode, encode

R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)

_NOTHING_YET: Final = object()


class _Failure:
    """
    What stands in the place of a result.
    """

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class Queued(Generic[T_co]):
    """
    The result of a queued command, once the pipeline has been executed.
    """

    __slots__ = ("_command", "_convert", "_outcome", "_payload")

    _payload: bytes

    def __init__(self, command: Command[T_co]) -> None:
        self._command = command
        self._convert = command.convert
        self._outcome: object = _NOTHING_YET

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
        outcome = self._outcome
        return outcome.error if type(outcome) is _Failure else None

    def done(self) -> bool:
        """
        Tell whether there is a result or an error.
        """
        return self._outcome is not _NOTHING_YET

    def result(self) -> T_co:
        """
        Give the result.

        Raises:
            RuntimeError: the pipeline has not been executed
            RedisError: the command failed
        """
        outcome = self._outcome
        if type(outcome) is _Failure:
            raise outcome.error
        if outcome is _NOTHING_YET:
            raise RuntimeError(
                f"{self.command.name} is queued and not executed yet: its result comes with the pipeline's end"
            )
        return cast(T_co, outcome)

    def __await__(self) -> Generator[None, None, T_co]:
        # So that code written for coredis 6 (`await handle` after the block) goes on working.
        return self.result()
        yield

    def resolve(self, value: object) -> None:
        """
        Store the result.
        """
        self._outcome = value

    def fail(self, error: Exception) -> None:
        """
        Store what went wrong, unless there is a result already.
        """
        if self._outcome is _NOTHING_YET:
            self._outcome = _Failure(error)

    def replace_error(self, error: Exception) -> None:
        """
        Store a better account of what went wrong.
        """
        self._outcome = _Failure(error)

    def __repr__(self) -> str:
        state = "failed" if self.error is not None else "done" if self.done() else "queued"
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


class _Short(_Handle[T_co]):
    """
    Queued by a shorter way: of these there are so many that a command is made only for who asks for it.
    """

    __slots__ = ()

    _idempotent = False

    @property
    def command(self) -> Command[T_co]:
        """
        What was queued, in the words that are sent.
        """
        try:
            return self._command
        except AttributeError:
            self._command = Command(decode(self._payload), self._convert, keys=(1,), idempotent=self._idempotent)
            return self._command


class _ShortRewrite(_Short[T_co]):
    """
    The same, of what is idempotent.
    """

    __slots__ = ()

    _idempotent = True


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
        self._waiting: list[Queued[Any]] = []
        self._special: list[Queued[Any]] = []  # whose commands have to be looked at before they are sent

    def _clear(self) -> None:
        """
        Forget what is queued.
        """
        self._waiting, self._special = [], []

    def issue(self, command: Command[R]) -> Queued[R]:
        """
        Queue one command, built by a command method.
        """
        handle: Queued[R] = _Handle()
        handle._payload = command.encoded(self._encoding)
        handle._command = command
        handle._convert = command.convert
        handle._outcome = _NOTHING_YET
        if command.block is not None or type(command) is Addition:
            self._special.append(handle)  # first: interrupted after this, it is left out when what is queued is taken
        self._waiting.append(handle)
        return handle

    def __len__(self) -> int:
        return len(self._waiting)

    def _take(self) -> Batch:
        """
        Give what is queued, and forget it.
        """
        handles, special = self._waiting, self._special
        self._waiting, self._special = [], []
        payloads = [handle._payload for handle in handles]
        if not special:
            return Batch(handles, payloads, [], [])
        queued = set(map(id, handles))
        commands = [handle._command for handle in special if id(handle) in queued]
        return Batch(
            handles,
            payloads,
            [command for command in commands if type(command) is Addition],
            [command.block for command in commands if command.block is not None],
        )


# These give methods of a ``Queue`` by a shorter way for the plainest of what is queued by the thousand. Python fills in each
# parameter by keyword on its own, all those that nobody gives, and each function on the way to the list takes its time.


def short_xadd(xadd: Callable[..., Queued[AnyStr | None]]) -> Callable[..., Queued[AnyStr | None]]:
    """
    Give the same method, by a shorter way for additions without options.

    Args:
        xadd: what queues any XADD, and nothing else
    """

    @wraps(xadd)
    def short(
        self: Queue[AnyStr], key: KeyT, field_values: dict[StringT, ValueT], **options: object
    ) -> Queued[AnyStr | None]:
        if options or type(field_values) is not dict:
            return xadd(self, key, field_values, **options)
        try:
            payload = self._packers[len(field_values)](key, field_values)
            if payload is None:
                words: tuple[ValueT, ...] = "XADD", key, "*"
                fields = field_values.copy()  # in one go, because others may change it meanwhile
                if not fields:
                    return xadd(self, key, fields)
                payload = encode(sum(fields.items(), words))
        except (LookupError, RuntimeError, TypeError, ValueError):
            # Too many, changed by others just now, or a wrong word, which is named by the parameter of that method.
            return xadd(self, key, field_values)
        handle: _Short[AnyStr | None] = _Short()
        handle._payload = payload
        handle._convert = self.replies.optional_text
        handle._outcome = _NOTHING_YET
        self._waiting.append(handle)
        return handle

    return short


def short_xack(xack: Callable[..., Queued[int]]) -> Callable[..., Queued[int]]:
    """
    Give the same method, by a shorter way for one entry.

    Args:
        xack: what queues any XACK, and nothing else
    """

    @wraps(xack)
    def short(
        self: Queue[AnyStr], key: KeyT, group: StringT, identifiers: IdentifierT | Parameters[IdentifierT]
    ) -> Queued[int]:
        payload = acknowledgement(key, group, identifiers) if self._packers else None
        if payload is None:
            return xack(self, key, group, identifiers)
        handle: _ShortRewrite[int] = _ShortRewrite()
        handle._payload = payload
        handle._convert = integer
        handle._outcome = _NOTHING_YET
        self._waiting.append(handle)
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
    known: Callable[[Reply], object] | None = None
    unchanged: type | None = None
    for handle, reply in zip(handles, replies):  # noqa: B905  # for a short pipeline a keyword takes as long as all of this
        if handle._convert is known and type(reply) is unchanged:
            handle._outcome = reply  # as nearly always
            continue
        if type(reply) is ErrorLine:
            handle.fail(from_line(str(reply)))
            failures.append(handle)
            continue
        convert = handle._convert
        if convert is not known:
            known, unchanged = convert, UNCHANGED.get(convert)
        try:
            handle._outcome = convert(reply)
        except SHAPE_ERRORS as error:
            handle.fail(handle.command.unexpected(error))
            failures.append(handle)
    return failures


def failed(handles: Sequence[Queued[object]]) -> list[Queued[object]]:
    """
    Find the commands that ended with an error.
    """
    return [handle for handle in handles if type(handle._outcome) is _Failure]


def outcomes(handles: Sequence[Queued[object]]) -> tuple[object, ...]:
    """
    Give what is known of commands: results, and as values the errors that they ended with.
    """
    return tuple(
        [
            outcome.error if type(outcome) is _Failure else outcome
            for outcome in values(handles)
            if outcome is not _NOTHING_YET
        ]
    )


def values(handles: Sequence[Queued[object]]) -> tuple[object, ...]:
    """
    Give the results of commands that all have one.
    """
    return tuple([handle._outcome for handle in handles])
