"""
Mistakes the library could make, put into it on purpose: a simulation that does not notice them proves nothing.

Each is a context manager; inside, the library makes the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from coredis._async.patterns import member
from coredis._async.patterns.engine import Engine
from coredis._async.patterns.giving_up import GivingUp
from coredis._async.patterns.leaving import Leaving
from coredis._core.command import Command
from coredis._core.consumer.cursors import Cursor
from coredis._core.consumer.held import Held
from coredis._core.retry import RetryPolicy
from coredis._runtime import aio
from tests.support.memory.personality import REDIS_8_6

#: Plans in which replies lie there for long, while what they bring is acknowledged.
LATE: Final = {
    "mode": "ack",
    "own_acknowledgements": True,
    "ack_buffer": 0,
    "claim_idle": 500,
    "handing_back": 0.0,
    "max_deliveries": None,
    "release": False,
    "blocking": False,
    "personality": REDIS_8_6,
    "streams": ["s"],
    "consumers": 1,
    "entries": 14,
    "timeout": 20,
    "steps": 600,
    "faults": {"cancel": 0.05, "stall": 0.02, "delay": 0.03},
}


@contextmanager
def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    """
    Put another function in the place of one of the library's.
    """
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
    return replaced(Cursor, "lost", lambda original: lambda cursor: None)


def not_looked_through() -> Any:
    """
    What a dead connection was given, before something that has been received since, is not looked for.
    """
    return replaced(member, "look_through", lambda original: lambda *arguments: None)


def read_abandoned_on_cancel() -> Any:
    """
    A cancelled call takes the outstanding read with it.
    """

    def make(original: Any) -> Any:
        async def fetch(consumer: Any) -> Any:
            try:
                return await original(consumer)
            except BaseException:
                for reader in consumer._readers.values():
                    reader.drop()
                raise

        return fetch

    return replaced(Engine, "_fetch", make)


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

    return replaced(RetryPolicy, "decide", make)


def connection_reused() -> Any:
    """
    A cancelled caller leaves the queue of those who wait for replies, and the connection goes on being used.
    """

    def make(original: Any) -> Any:
        def ask(channel: aio.Channel, *arguments: Any) -> Any:
            waiter = original(channel, *arguments)
            pending = channel.session.pending
            request = pending[-1]

            async def answer() -> Any:
                try:
                    return await waiter
                except BaseException:
                    if request in pending:
                        pending.remove(request)
                    raise

            return answer()

        return ask

    return replaced(aio.Channel, "ask", make)


def buffer_dropped_on_close() -> Any:
    """
    Closing forgets what was fetched and not served, though the server has it no more (NOACK).
    """

    def make(original: Any) -> Any:
        async def finish(consumer: Any) -> None:
            await original(consumer)
            consumer.drain()

        return finish

    return replaced(Leaving, "_finish", make)


def acknowledged_too_early() -> Any:
    """
    An acknowledged entry is forgotten although a read is under way that may bring it once more.
    """

    def make(original: Any) -> Any:
        def let_go(held: Held, name: bytes, identifiers: Any, outstanding: bool) -> None:
            original(held, name, identifiers, False)

        return let_go

    return replaced(Held, "let_go", make)


def dead_letter_unwritten() -> Any:
    """
    An entry that is given up is acknowledged, and nothing is written.
    """

    def make(original: Any) -> Any:
        async def bury(giving_up: Any, suspect: Any) -> None:
            await giving_up._pending.acknowledge({suspect.key[0]: (suspect.key[1],)})

        return bury

    return replaced(GivingUp, "bury", make)


def given_too_often() -> Any:
    """
    An entry is given up one delivery too late.
    """

    def make(original: Any) -> Any:
        def initialise(giving_up: Any, *arguments: Any) -> None:
            original(giving_up, *arguments)
            giving_up.most += 1

        return initialise

    return replaced(GivingUp, "__init__", make)


_LONE: Final = {"claim_idle": None, "handing_back": 0.0, "max_deliveries": None, "release": False, "prefetch": False}
_GIVING_UP: Final = {"mode": "ack", "claim_idle": 500, "handing_back": 0.3, "max_deliveries": 2, "release": False}
#: Each mistake, and what is said of the plans in which it shows soon.
MUTANTS: Final[tuple[tuple[Callable[[], AbstractContextManager[None]], dict[str, Any]], ...]] = (
    (no_recovery_read, {**_LONE, "mode": "ack", "faults": {"reset": 0.02, "delete entry": 0.01}}),
    (
        not_looked_through,
        {**_LONE, "mode": "ack", "blocking": False, "proxied": True, "timeout": 7000, "faults": {"sever": 0.02}},
    ),
    (acknowledged_too_early, LATE),
    (read_abandoned_on_cancel, {"faults": {"cancel": 0.05}}),
    (addition_sent_again, {"faults": {"reset": 0.03}}),
    (connection_reused, {"faults": {"cancel": 0.05}}),
    (buffer_dropped_on_close, {**_LONE, "mode": "noack", "buffer_size": 9, "faults": {"close": 0.02, "stall": 0.01}}),
    (dead_letter_unwritten, _GIVING_UP),
    (given_too_often, {**_GIVING_UP, "faults": {"close": 0.01}}),
)
