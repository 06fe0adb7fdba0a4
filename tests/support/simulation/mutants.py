"""
Mistakes the library could make, put into it on purpose: a simulation that does not notice them proves nothing.

Each is a context manager; inside, the library makes the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from coredis._async.patterns.consumer import Consumer
from coredis._async.patterns.group_consumer import GroupConsumer
from coredis._core.command import Command
from coredis._core.consumer.cursors import Cursor
from coredis._core.retry import RetryPolicy
from coredis._runtime import aio


@contextmanager
def _replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    original = owner.__dict__[name]
    setattr(owner, name, make(original))
    try:
        yield
    finally:
        setattr(owner, name, original)


def no_recovery_read() -> Any:
    """
    After a lost reply, new entries are read at once.
    """
    return _replaced(Cursor, "lost", lambda original: lambda cursor: None)


def read_abandoned_on_cancel() -> Any:
    """
    A cancelled call takes the outstanding read with it.
    """

    def make(original: Any) -> Any:
        async def wait(consumer: Any, readers: Any, deadline: float) -> Any:
            try:
                return await original(consumer, readers, deadline)
            except BaseException:
                for reader in readers:
                    reader.drop()
                raise

        return wait

    return _replaced(Consumer, "_wait", make)


def addition_sent_again() -> Any:
    """
    XADD is sent again when its outcome is unknown.
    """

    def make(original: Any) -> Any:
        def decide(policy: RetryPolicy, error: Exception, command: Command[Any], *rest: Any) -> float | None:
            again = Command(command.arguments, command.convert, idempotent=True)
            decision: float | None = original(policy, error, again, *rest)
            return decision

        return decide

    return _replaced(RetryPolicy, "decide", make)


def connection_reused() -> Any:
    """
    A cancelled caller leaves the queue of those who wait for replies, and the connection goes on being used.
    """

    def make(original: Any) -> Any:
        async def result(started: aio.Started, deadline: float) -> Any:
            try:
                return await original(started, deadline)
            except BaseException:
                if started in started._channel._session.pending:
                    started._channel._session.pending.remove(started)
                raise

        return result

    return _replaced(aio.Started, "result", make)


def buffer_dropped_on_close() -> Any:
    """
    Closing forgets what was fetched and not served, though the server has it no more (NOACK).
    """

    def make(original: Any) -> Any:
        async def finish(consumer: Any) -> None:
            await original(consumer)
            consumer.drain()

        return finish

    return _replaced(GroupConsumer, "_finish", make)


MUTANTS: Final = (
    no_recovery_read,
    read_abandoned_on_cancel,
    addition_sent_again,
    connection_reused,
    buffer_dropped_on_close,
)
