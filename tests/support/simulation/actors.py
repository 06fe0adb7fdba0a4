"""
Those who use the library in a simulation: each has at most one call under way, and decides what to call next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from coredis._async.patterns.host import ConsumerHost
from coredis.exceptions import RedisError
from tests.support.memory.identifiers import exact
from tests.support.simulation.sessions import Violation

if TYPE_CHECKING:
    from tests.support.simulation.world import World


class Actor:
    """
    Somebody with a client of its own, or a shared one.

    Attributes:
        task: the call under way; None: idle
        tired: it has nothing to do at the moment
    """

    def __init__(self, world: World, name: str, client: ConsumerHost[bytes]) -> None:
        self.world = world
        self.name = name
        self.client = client
        self.task: asyncio.Task[Any] | None = None

    @property
    def random(self) -> Random:
        return self.world.random

    def begin(self) -> bool:
        """
        Start the next call; False: there is nothing to do.
        """
        call = self.next_call()
        if call is None:
            return False
        self.task = self.world.loop.create_task(call())
        self.task.add_done_callback(self._done)
        return True

    def cancel(self) -> bool:
        """
        Cancel the call under way; False: there is none.
        """
        return self.task is not None and self.task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.task = None
        if task.cancelled():
            self.failed(None)
        elif (error := task.exception()) is not None:
            self.raised(error)
        else:
            self.returned(task.result())

    def returned(self, result: Any) -> None:
        """
        A call has returned.
        """
        try:
            self.succeeded(result)
        except Violation as violation:
            self.world.violations.append(str(violation))

    def raised(self, error: BaseException) -> None:
        """
        A call has raised.
        """
        if isinstance(error, RedisError):
            self.failed(error)
        else:
            self.world.violations.append(f"{self.name}: {type(error).__name__}: {error}")

    def next_call(self) -> Callable[[], Any] | None:
        """
        Decide what to call.
        """
        raise NotImplementedError

    def succeeded(self, result: Any) -> None:
        """
        Take the result of a call.

        Raises:
            Violation: it is wrong
        """

    def failed(self, error: RedisError | None) -> None:
        """
        A call has failed, or was cancelled (None).
        """


class Producer(Actor):
    """
    Adds entries, each once, and never asks for one again.
    """

    def __init__(self, world: World, name: str, client: ConsumerHost[bytes], entries: int) -> None:
        super().__init__(world, name, client)
        self.left = entries
        self._nonce = 0
        self._pause = 0
        self._adding = (0, b"")
        self.confirmed: dict[int, bytes] = {}
        self.refused: set[int] = set()

    def next_call(self) -> Callable[[], Any] | None:
        if not self.left or (self.world.steps < self._pause and not self.world.quiet):
            return None
        self.left -= 1
        # Spread over the whole run, so that there is something to read whatever happens when.
        self._pause = self.world.steps + self.random.randrange(1 + 2 * self.world.plan.steps // self.world.plan.entries)
        self._nonce += 1
        stream = self.random.choice(self.world.plan.streams)
        self._adding = self._nonce, stream.encode()
        return lambda: self.client.xadd(stream, {"n": self._nonce})

    def succeeded(self, result: Any) -> None:
        self.world.journal.catch_up()
        nonce, stream = self._adding
        key, place = self.world.journal.by_nonce.get(nonce, (b"", (0, (0, 0))))
        if (key, place[1]) != (stream, exact(result)):
            raise Violation(f"XADD of {nonce} answered {result!r}, but the entry is {key!r} {place}")

    def failed(self, error: RedisError | None) -> None:
        if error is not None and not getattr(error, "may_have_run", False):
            self.refused.add(self._adding[0])


class Echoer(Actor):
    """
    Has its own words returned.
    """

    _said = b""
    _count = 0

    def next_call(self) -> Callable[[], Any]:
        self._count += 1
        self._said = b"%s %d" % (self.name.encode(), self._count)
        return lambda: self.client.echo(self._said)

    def succeeded(self, result: Any) -> None:
        if result != self._said:
            raise Violation(f"{self.name} said {self._said!r} and was answered {result!r}")
