# Generated from coredis/_async/client.py by scripts/generate.py: edit that file, not this one.
"""
Execute commands on one server: borrow a connection, send, wait, try again where that is safe, convert.

This is the engine of the clients; who the server is and which commands there are is said in ``redis``.
"""

from __future__ import annotations

import math
import warnings
from types import TracebackType
from typing import AnyStr, Self, TypeVar

from coredis._sync.commands.base import Commands
from coredis._sync.connection import Connection
from coredis._sync.pool import Pool
from coredis._sync.source import Source
from coredis._core import replies
from coredis._core.capabilities import documented_tokens
from coredis._core.command import Command, Reply
from coredis._core.commands import words as word_by_word
from coredis._core.config import ConnectionOptions, Times
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.retry import RetryPolicy
from coredis._core.wire import encode
from coredis._runtime import blocking as rt
from coredis.exceptions import (
    CommandNotSupportedError,
    InvalidResponse,
    RedisError,
    ReplyError,
    ResponseError,
    UnknownCommandError,
)
from coredis.typing import ResponseType, ValueT

R = TypeVar("R")


class Client(Commands[AnyStr]):
    """
    Executes commands on one server.
    """

    def __init__(
        self,
        options: ConnectionOptions,
        *,
        max_connections: int,
        encoding: str,
        decode_responses: bool,
        retry_policy: RetryPolicy,
    ) -> None:
        self._encoding = encoding
        self._decode_responses = decode_responses
        self._retry_policy = retry_policy
        self.replies = replies.decoded(encoding) if decode_responses else replies.raw()  # type: ignore[assignment]
        self._entered = 0
        self._documented: dict[str, frozenset[str] | None] = {}
        self._pool = Pool(options, max_connections)

    # ------------------------------------------------------------------------------------------------------ opening and closing

    def __enter__(self) -> Self:
        self._entered += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._entered -= 1
        if self._entered == 0:
            self.close()

    def close(self) -> None:
        """
        Close every connection, those of consumers included. Commands in flight fail.

        A later command opens connections again.
        """
        self._pool.close()

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)  # absent when the constructor refused its arguments
        channels = [] if pool is None else list(pool.channels())
        for channel in channels:
            channel.close_from_finalizer()
        if channels:  # last, because a warning may be an exception
            warnings.warn(
                f"unclosed client {self!r}: use it in a with block, or call close()",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )

    def __repr__(self) -> str:
        if not hasattr(self, "_pool"):  # seen in the traceback of a constructor that refused its arguments
            return f"<{type(self).__name__} that was not made>"
        options = self._pool.options
        return f"<{type(self).__name__} {self._pool.place} db={options.identity.db}>"

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

    def issue(self, command: Command[R]) -> R:
        """
        Execute one command, built by a command method.

        Raises:
            TypeError, ValueError: an argument cannot be encoded; nothing was sent
            ConnectionError: see ``may_have_run`` for whether the server may have executed it
            RequestTimeoutError: no reply within ``stream_timeout``
            ReplyError: the server's error, as the class of its cause
        """
        payload = encode(command.arguments, self._encoding)
        times = self._pool.options.times
        if command.block is None:
            deadline = math.inf if times.request is None else rt.now() + times.request
        else:
            # A blocking command has the time it asked for; no ordinary limit applies to it.
            deadline = rt.now() + command.block + times.grace
        attempt, closings = 0, self._pool.closings
        while True:
            try:
                reply = self._pool.exchange(payload, 1, command.block, deadline)
                if type(reply) is ErrorLine:
                    raise from_line(str(reply))
                return self.convert(command, reply)
            except RedisError as error:
                refused = self._pool.misled(error)
                pause = self._retry_policy.decide(error, command, attempt, deadline - rt.now(), rt.random(), refused)
                if pause is None or closings != self._pool.closings:
                    explained = self.explain(command, error)
                    if explained is error:
                        raise
                    raise explained from error
            attempt += 1
            rt.sleep(pause)

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

    def convert(self, command: Command[R], reply: Reply) -> R:
        """
        Make a command's result from its reply.

        Raises:
            InvalidResponse: it has an unexpected shape
        """
        try:
            return command.convert(reply)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # Without the cause: its text may quote the payload.
            raise InvalidResponse(f"{command.name}: unexpected reply ({type(error).__name__})") from None

    def explain(self, command: Command[R], error: Exception) -> Exception:
        """
        Replace an error by a better one where the server just lacks what was asked of it.
        """
        if not command.requires or type(error) not in (ResponseError, UnknownCommandError):
            return error
        for requirement in command.requires:
            if requirement.told_by is not None:
                lacking = str(error).startswith(requirement.told_by)
            elif requirement.option is None:
                lacking = isinstance(error, UnknownCommandError)
            else:
                try:
                    lacking = not self.supports(requirement.command, requirement.option)
                except ReplyError:
                    continue
            if lacking:
                what = (
                    requirement.command if requirement.option is None else f"{requirement.command} {requirement.option}"
                )
                return CommandNotSupportedError(what, requirement.version)
        return error

    # ------------------------------------------------------------------- connections, for pipelines and consumers

    @property
    def closings(self) -> int:
        """
        How often the client has been closed.
        """
        return self._pool.closings

    def bind(self) -> None:
        """
        Check that the client may be used here.

        Raises:
            RuntimeError: it belongs to another event loop
        """
        self._pool.bind()

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
        return self._pool.options.times

    def follow(self, source: Source) -> None:
        """
        Ask a source for the server at every connect, instead of connecting to a fixed address. Before the first command.
        """
        self._pool.follow(source)

    def confirm(self, deadline: float) -> None:
        """
        Find out whether connections still lead to the right server, and close those that do not, detached ones included.

        A source is asked about once a second at the most, so this may be called before every read.
        """
        self._pool.confirm(deadline)

    def notice(self, connection: Connection, error: Exception) -> None:
        """
        Learn from an error with which the server answered a command on this connection.
        """
        self._pool.notice(connection, error)

    def lease(self, exclusive: bool, deadline: float) -> Connection:
        """
        Borrow a connection; give it back with ``release`` or ``discard``.
        """
        return self._pool.acquire(exclusive, deadline)

    def detach(self, deadline: float) -> Connection:
        """
        Open a connection beside the pool, for one consumer's reads; give it back with ``discard``.
        """
        return self._pool.detach(deadline)

    def release(self, connection: Connection) -> None:
        """
        Give a borrowed connection back.
        """
        self._pool.release(connection)

    def suspect(self, connection: Connection) -> None:
        """
        Lend a shared connection to nobody else: a reply did not come in time.
        """
        self._pool.retire(connection)

    def discard(self, connection: Connection) -> None:
        """
        Close a connection instead of giving it back.
        """
        self._pool.discard(connection)


def _unchanged(reply: Reply) -> Reply:
    return reply
