"""
The asynchronous half of what authored tests import; its twin is ``blocking``.

The generator turns ``from tests.support.aio import ...`` into the same import from the twin. Both halves have the same
names, and a function that is awaited here is called there.
"""

from __future__ import annotations

import asyncio
import traceback
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, Protocol, TypeVar

from coredis import Redis, RedisCluster, Sentinel
from coredis.patterns.streams import Consumer, GroupConsumer
from tests.support.interruption import Interrupted
from tests.support.matrix import text
from tests.support.resources import GRACE_SECONDS, POLL_SECONDS, Resources, snapshot

T = TypeVar("T")

#: For messages only; a test that asks for it is wrong.
FLAVOUR: Final = "async"
# What runs beside a test may hang with the code under test; the test then fails instead of never ending.
_PATIENCE_SECONDS: Final = 60.0
# How long what a failed test has left is given to end.
_END_SECONDS: Final = 10.0
_spawned: Final[weakref.WeakSet[Handle[Any]]] = weakref.WeakSet()


class Listening(Protocol):
    """
    Where a client can connect: a server, a proxy or a scripted server.
    """

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def connect(where: Listening, **options: Any) -> Redis[Any]:
    """
    Make a client, not yet connected, for a server or for what stands before one.
    """
    return Redis(host=where.host, port=where.port, **options)


def connect_cluster(where: Listening, **options: Any) -> RedisCluster[Any]:
    """
    Make a client, not yet connected, for the cluster that a node belongs to.
    """
    return RedisCluster(host=where.host, port=where.port, **options)


async def sleep(seconds: float) -> None:
    """
    Wait. The twin blocks its thread.
    """
    await asyncio.sleep(seconds)


class Handle(Generic[T]):
    """
    A function running beside the test, as a task. In the twin it is a thread.
    """

    def __init__(self, function: Callable[[], Awaitable[T]]) -> None:
        self._task = asyncio.get_running_loop().create_task(_await(function), name=f"spawned {function!r}")
        _spawned.add(self)

    @property
    def done(self) -> bool:
        return self._task.done()

    async def join(self) -> T:
        """
        Wait for the function and return its result.

        Raises:
            BaseException: what it raised
        """
        await asyncio.wait((self._task,), timeout=_PATIENCE_SECONDS)
        if not self.done:
            raise TimeoutError(f"{self._task.get_name()} has not ended after {_PATIENCE_SECONDS} s\n{self._place()}")
        return await self._task

    async def end(self) -> None:
        """
        Have the function end wherever it is, if it has not ended yet.
        """
        if not self.done:
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=_END_SECONDS)

    def _place(self) -> str:
        """
        Tell where it is, the outermost call first.
        """
        lines: list[str] = []
        waiting: Any = self._task.get_coro()
        while (frame := getattr(waiting, "cr_frame", None)) is not None:
            lines += traceback.format_stack(frame, limit=1)
            waiting = waiting.cr_await
        return "".join(lines)


def spawn(function: Callable[[], Awaitable[T]]) -> Handle[T]:
    """
    Start a function of no arguments beside the test.
    """
    return Handle(function)


async def end_spawned() -> None:
    """
    End what a test that failed has left running, so that it does not meddle with the next one.
    """
    for handle in list(_spawned):
        await handle.end()


class ending:
    """
    A block that, when it fails, ends what is still running. Inside of the blocks of the clients that are used there: a client
    that is closed is opened again by whoever goes on using it.
    """

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            await end_spawned()


async def gather(*functions: Callable[[], Awaitable[T]]) -> list[T]:
    """
    Run functions of no arguments at the same time.

    Returns:
        Their results, in the order of the functions.

    Raises:
        BaseException: what the first one to fail raised, after all have ended. Here the others are cancelled; the twin
            cannot do that, and waits for them.
    """
    tasks = [asyncio.get_running_loop().create_task(_await(function)) for function in functions]
    try:
        return list(await asyncio.wait_for(asyncio.gather(*tasks), _PATIENCE_SECONDS))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def interrupted_after(seconds: float, function: Callable[[], Awaitable[T]]) -> T:
    """
    Run a function of no arguments, and cancel it after so many seconds as ``asyncio.wait_for`` does.

    The twin strikes the main thread with a KeyboardInterrupt instead.

    Raises:
        Interrupted: it was cancelled and ended by that
    """
    own: list[TimeoutError] = []

    async def run() -> T:
        try:
            return await function()
        except TimeoutError as error:
            own.append(error)
            raise

    try:
        return await asyncio.wait_for(run(), seconds)
    except TimeoutError:
        if own:  # the function's own time-out, and not ours
            raise
        raise Interrupted(f"cancelled after {seconds} s") from None


def open_resources() -> Resources:
    """
    Take stock of sockets, threads and tasks; ``str()`` of it counts them.
    """
    return snapshot()


async def settle(before: Resources) -> None:
    """
    Wait a little until nothing is open that was not open before.

    Raises:
        AssertionError: something stays open, with what it is
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + GRACE_SECONDS
    while (leaked := snapshot().beyond(before)) and loop.time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
    assert not leaked, "left open: " + "; ".join(leaked)


def _await(function: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
    async def run() -> T:
        return await function()

    return run()


__all__ = [
    "FLAVOUR",
    "Consumer",
    "GroupConsumer",
    "Handle",
    "Interrupted",
    "Redis",
    "RedisCluster",
    "Resources",
    "Sentinel",
    "connect",
    "connect_cluster",
    "end_spawned",
    "ending",
    "gather",
    "interrupted_after",
    "open_resources",
    "settle",
    "sleep",
    "spawn",
    "text",
]
