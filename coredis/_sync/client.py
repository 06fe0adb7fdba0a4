# Generated from coredis/_async/client.py by scripts/generate.py: edit that file, not this one.
"""
Execute commands: borrow a connection, send, wait, try again where that is safe, convert.

This is the engine of all clients. Which server a command goes to, and what its errors mean there, is where they differ:
a command without a ``Route`` goes to the one server there is (``single``), one with a route through a cluster (``nodes``).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, AnyStr, Final, Self, TypeVar

from coredis._sync.commands.base import Commands
from coredis._sync.connection import Connection
from coredis._sync.pool import Pool
from coredis._core import replies
from coredis._core.additions import Addition, Producers, StillUnknown, Turn
from coredis._core.capabilities import documented_tokens
from coredis._core.command import SHAPE_ERRORS, Command, Reply
from coredis._core.commands import words as word_by_word
from coredis._core.config import Times
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.retry import RetryPolicy
from coredis._core.wire import encode
from coredis._runtime import blocking as rt
from coredis.exceptions import (
    CommandNotSupportedError,
    ConnectionError,
    ConnectionLostError,
    RedisError,
    ReplyError,
    ResponseError,
    UnknownCommandError,
)
from coredis.typing import ResponseType, ValueT

if TYPE_CHECKING:
    from coredis._core.redirects import Route

R = TypeVar("R")

ASKING: Final = encode(("ASKING",))  # said to a node before a command that another node sent there with ASK


class Client(Commands[AnyStr]):
    """
    Executes commands.
    """

    #: Of a client of one server: its connections. The others give every command a route.
    _pool: Pool

    def __init__(
        self,
        times: Times,
        *,
        encoding: str,
        decode_responses: bool,
        retry_policy: RetryPolicy,
    ) -> None:
        self._times = times
        self._patience = math.inf if times.request is None else times.request
        self._grace = times.grace
        self._encoding = encoding
        self._decode_responses = decode_responses
        self._retry_policy = retry_policy
        self.replies = replies.decoded(encoding) if decode_responses else replies.raw()  # type: ignore[assignment]
        self._entered = 0
        self._documented: dict[str, frozenset[str] | None] = {}
        self._producers = Producers()

    # ------------------------------------------------------------------------------------------------------ opening and closing

    def __enter__(self) -> Self:
        self._entered += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._entered = max(0, self._entered - 1)  # an exit too many must not keep the next one from closing
        if self._entered == 0:
            self.close()

    def close(self) -> None:
        """
        Close every connection, those of consumers included. Commands in flight fail.

        A later command opens connections again.
        """
        for pool in self._pools():
            pool.close()

    def __del__(self) -> None:
        channels = [channel for pool in self._pools() for channel in pool.channels()]
        for channel in channels:
            channel.close_from_finalizer()
        if channels:  # last, because a warning may be an exception
            warnings.warn(
                f"unclosed client {self!r}: use it in a with block, or call close()",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )

    def __reduce__(self) -> str:
        raise TypeError(f"a {type(self).__name__} holds connections and is not pickled; make one where it is used")

    @property
    def decode_responses(self) -> bool:
        """
        Whether text comes as ``str`` rather than ``bytes``.
        """
        return self._decode_responses

    @property
    def encoding(self) -> str:
        """
        How ``str`` becomes bytes, and the other way round.
        """
        return self._encoding

    # ---------------------------------------------------------------------------------------------------- executing

    def issue(self, command: Command[R], route: Route | None = None) -> R:
        """
        Execute one command, built by a command method.

        Args:
            command: what to execute
            route: its way through a cluster

        Raises:
            TypeError, ValueError: an argument cannot be encoded; nothing was sent
            ConnectionError: see ``may_have_run`` for whether the server may have executed it
            RequestTimeoutError: no reply within ``stream_timeout``
            ReplyError: the server's error, as the class of its cause
        """
        payload = command.encoded(self._encoding)
        block = command.block
        # A blocking command has the time it asked for; no ordinary limit applies to it.
        deadline = rt.now() + (self._patience if block is None else block + self._grace)
        turn = self.begin(command) if type(command) is Addition else None
        try:
            if route is None:
                pool = self._pool
                closings = pool.closings
            else:
                closings = self.closings
                pool = self._reach(route, deadline)
                if closings != self.closings:
                    raise ConnectionLostError("the client was closed")
            if not rt.MULTIPLEXED or block is not None or (shared := pool.lend()) is None:
                reply = pool.exchange(payload, 1, block, deadline)
            else:
                # As ``exchange`` does it, without one more coroutine: nearly all commands of tasks go this way.
                try:
                    reply = shared.channel.ask(payload, 1, deadline)
                except BaseException as error:  # cancelled or interrupted as well
                    pool.part(shared, error)
                    raise
                shared.users -= 1
                if not shared.users:
                    pool.left(shared)
            if type(reply) is ErrorLine:
                raise from_line(str(reply))
            try:
                return command.convert(reply)  # as ``convert``, without one more call
            except SHAPE_ERRORS as error:
                raise command.unexpected(error) from None
        except RedisError as error:
            failure = error
        try:
            return self._after_failure(command, route, payload, deadline, turn, closings, failure)
        finally:
            del failure  # its traceback has this frame, and so the client, until the collector comes

    def _after_failure(
        self,
        command: Command[R],
        route: Route | None,
        payload: bytes,
        deadline: float,
        turn: Turn | None,
        closings: int,
        error: RedisError,
    ) -> R:
        """
        See to a command that has failed: execute it again for as long as that is safe, or say why not.

        Args:
            command, route: as of ``issue``
            payload: the command, encoded
            deadline: when to give up
            turn: of an addition that the server remembers
            closings: how often the client had been closed when the command came
            error: what has happened

        Raises:
            RedisError: as ``issue``
        """
        addition = command if type(command) is Addition else None
        attempt = 0
        # What became of an attempt that may have been executed: of one before the last, and with the last.
        earlier: ConnectionError | None = None
        lost: ConnectionError | None = None
        try:
            while True:
                if lost is None and isinstance(error, ConnectionError) and error.may_have_run:
                    lost = _unknown(error)  # without the frames of the original, which hold us and our connection
                remaining = deadline - rt.now()
                if route is None:
                    refused = self._pool.misled(error)
                    pause = self._retry_policy.decide(error, command, attempt, remaining, rt.random(), refused, True)
                else:
                    pause = self.consider(route, error, command, attempt, remaining, True)
                closed = closings != self.closings
                if lost is not None and addition is not None and turn is None and pause is None and not closed:
                    found = self._find(addition, lost, error)
                    if found is not None:
                        return self.convert(command, found)
                if pause is None or closed:
                    if earlier is not None:
                        # The earlier attempt, if not this one; it is this one that was decided on.
                        error.may_have_run = True
                    explained = self.explain(command, error)
                    try:
                        if explained is error:
                            raise error
                        raise explained from error
                    finally:
                        del explained
                earlier = lost
                attempt += 1
                rt.sleep(pause)
                try:
                    if lost is not None and addition is not None and turn is not None:
                        self._check_memory(addition, turn, lost)
                    pool = self._pool if route is None else self._reach(route, deadline)
                    if route is not None and closings != self.closings:
                        raise ConnectionLostError("the client was closed")
                    introduced = route is not None and route.asking
                    sent, expected = (ASKING + payload, 2) if introduced else (payload, 1)
                    reply = pool.exchange(sent, expected, command.block, deadline)
                    if type(reply) is ErrorLine:
                        raise from_line(str(reply))
                    return self.convert(command, reply)
                except StillUnknown as unknown:
                    error, cause = unknown.outcome, unknown.__cause__
                except RedisError as failure:
                    error = failure
                    continue
                try:
                    raise error from cause
                finally:
                    del cause
        finally:
            del error  # as in ``issue``

    def execute_command(self, *words: ValueT) -> ResponseType:
        """
        Execute a command given word by word, for those that have no method here.

        Args:
            words: the command's name, its subcommand as a word of its own, and its arguments

        Returns:
            the reply, decoded where text is decoded; a map is a dict (RESP3) or a flat list (RESP2), as the server sent it

        Raises:
            ValueError: no word at all, or a command that would change the connection other callers share
        """
        return self.issue(word_by_word.command(words, self.replies))

    def supports(self, command: str, option: str | None = None) -> bool:
        """
        Ask the server whether it knows a command, or an option of it. The answer is remembered.

        Args:
            command: as ``"XREADGROUP"``
            option: the option's word, as ``"CLAIM"``

        Raises:
            ReplyError: the server does not tell (COMMAND DOCS is forbidden, say)
        """
        name = command.upper()
        if name not in self._documented:
            reply = self.issue(Command(("COMMAND", "DOCS", name), _unchanged, readonly=True))
            self._documented[name] = documented_tokens(reply, name)
        tokens = self._documented[name]
        return tokens is not None and (option is None or option.upper() in tokens)

    # ------------------------------------------------------------------------------------------------------- inside

    def _check_memory(self, addition: Addition[R], turn: Turn, lost: ConnectionError) -> None:
        """
        Make sure that an XADD whose outcome is unknown makes no second entry when it is sent again.

        Raises:
            StillUnknown: the server may have forgotten the first
        """
        try:
            information = self.issue(addition.memory_question())
        except ReplyError as error:
            if str(error).startswith("ERR no such key"):
                return  # and so no first entry
            raise StillUnknown(_unknown(lost)) from error
        if not turn.remembered(information, rt.now()):
            raise StillUnknown(_unknown(lost))

    def _find(self, addition: Addition[R], lost: ConnectionError, error: RedisError) -> Reply:
        """
        Look for the entry of an XADD when the second attempt was refused, because the first has made it or others were faster.

        Returns:
            its identifier; None: another entry has that, or the server did not answer the second attempt

        Raises:
            ConnectionError: there is nothing to be seen, so the outcome of the first attempt stays unknown
        """
        if not isinstance(error, ReplyError):
            return None
        try:
            entries = self.issue(addition.entry_question())
        except RedisError as unanswered:
            unknown = _unknown(lost)
            unknown.add_note(f"sent again, it was refused: {error}")
            raise unknown from unanswered
        if not entries:
            raise _unknown(lost) from error
        return addition.in_entries(entries, self._encoding)

    def convert(self, command: Command[R], reply: Reply) -> R:
        """
        Make a command's result from its reply.

        Raises:
            InvalidResponse: it has an unexpected shape
        """
        try:
            return command.convert(reply)
        except SHAPE_ERRORS as error:
            raise command.unexpected(error) from None

    def explain(self, command: Command[R], error: Exception) -> Exception:
        """
        Replace an error by a better one where the server just lacks what was asked of it.
        """
        if not command.requires or type(error) not in (ResponseError, UnknownCommandError):
            return error
        for requirement in command.requires:
            what = requirement.command if requirement.option is None else f"{requirement.command} {requirement.option}"
            if requirement.told_by is not None:
                lacking = str(error).startswith(requirement.told_by)
            elif requirement.option is None:
                lacking = isinstance(error, UnknownCommandError)
            else:
                try:
                    lacking = not self.supports(requirement.command, requirement.option)
                except RedisError:  # forbidden, or the connection is lost: neither may hide what is known
                    error.add_note(f"{what} needs {requirement.version}; whether this server has it is not known")
                    continue
            if lacking:
                return CommandNotSupportedError(what, requirement.version)
        return error

    # ------------------------------------------------------------------------ what one server and a cluster do differently

    def _pools(self) -> Iterable[Pool]:
        """
        Every pool there is.
        """
        raise NotImplementedError

    def _reach(self, route: Route, deadline: float) -> Pool:
        """
        Find the connections to the node that a command goes to next.
        """
        raise NotImplementedError

    def consider(
        self,
        route: Route,
        error: RedisError,
        command: Command[object],
        attempt: int,
        remaining: float,
        risk: bool = False,
    ) -> float | None:
        """
        Learn from a failure, and decide how long to wait before the next attempt; None: there is none.

        Args:
            route: of the command
            error: what happened
            command: what was asked
            attempt: how many failures came before this one
            remaining: seconds left for the command
            risk: it is a single command, to which ``retry_unsafe`` applies
        """
        raise NotImplementedError

    @property
    def closings(self) -> int:
        """
        How often the client has been closed.
        """
        raise NotImplementedError

    def bind(self) -> None:
        """
        Check that the client may be used here.

        Raises:
            RuntimeError: it belongs to another event loop
        """
        raise NotImplementedError

    # ------------------------------------------------------------------------------- for pipelines and consumers

    def begin(self, addition: Addition[R], entries: int = 1) -> Turn | None:
        """
        Count an XADD before it is sent for the first time, if the server will remember it; None: it will not.

        Args:
            addition: the command
            entries: how many of this kind are sent together
        """
        if addition.producer is None:
            return None
        return self._producers.begin(addition, self._encoding, rt.now(), entries)

    def way(self, command: Command[object]) -> Route | None:
        """
        Begin the way of a command through a cluster; None: there is no cluster.
        """
        raise NotImplementedError

    @property
    def retry_policy(self) -> RetryPolicy:
        """
        How failed commands are tried again.
        """
        return self._retry_policy

    @property
    def times(self) -> Times:
        """
        The time limits, in seconds.
        """
        return self._times

    def slot(self, name: bytes) -> int:
        """
        Tell which slot of a cluster a key is in; 0 for all where there are no slots.
        """
        raise NotImplementedError

    def atomic(self, names: Iterable[bytes]) -> bool:
        """
        Tell whether these keys may be used together in one command or transaction.
        """
        raise NotImplementedError

    def places(self, names: Iterable[bytes], *, patient: bool = True) -> dict[Hashable, list[bytes]]:
        """
        Tell how keys divide into places to read from, one connection each.

        Returns:
            the keys of each place; a place is for ``detach`` and ``moved``, and equal to itself later
        """
        raise NotImplementedError

    def issue_at(self, place: Hashable, command: Command[R]) -> R:
        """
        Execute one command at a place, whatever its keys, once.

        Raises:
            RedisError: as ``issue``
        """
        raise NotImplementedError

    def detach(self, deadline: float, place: Hashable = None) -> Connection:
        """
        Open a connection beside the pool, for one consumer's reads; give it back with ``discard``.

        Args:
            deadline: when to give up
            place: one of those that ``places`` told

        Raises:
            ConnectionError: it cannot be opened
            ClusterDownError: nobody serves the keys of this place
        """
        raise NotImplementedError

    def moved(self, error: RedisError, place: Hashable) -> None:
        """
        Tell what happened to a read at one place, so that ``places`` may know better next time. It does not wait itself.

        Args:
            error: of the connection or the server
            place: where
        """
        raise NotImplementedError

    def due(self) -> bool:
        """
        Tell whether it is time for ``confirm``; before every read, so it is cheap.
        """
        raise NotImplementedError

    def due_at(self) -> float:
        """
        Tell when that will be (monotonic seconds); infinity: never, as things are.
        """
        raise NotImplementedError

    def confirm(self, deadline: float) -> None:
        """
        Find out whether connections still lead to the right server, and close those that do not, detached ones included.
        """
        raise NotImplementedError

    def discard(self, connection: Connection) -> None:
        """
        Close a detached connection.
        """
        for pool in self._pools():
            pool.discard(connection)  # does nothing but close it where it is not known


def _unknown(error: ConnectionError) -> ConnectionError:
    """
    Repeat the error of an attempt that may have been executed.
    """
    return type(error)(str(error), may_have_run=True)


def _unchanged(reply: Reply) -> Reply:
    return reply
