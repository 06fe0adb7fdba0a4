"""
What a client is bound to, and who runs there: the event loop and its tasks. In the twin, the process and its threads.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final

_get_ident: Final = threading.get_ident
#: Whether statements without a call in them are one step to all other tasks. In the twin these are threads.
ATOMIC: Final[bool] = True


class Home:
    """
    What a client is bound to: the running event loop. In the twin it is nothing but the process.
    """

    __slots__ = ("_loop", "_runner", "_thread")

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """
        Args:
            loop: if not the running one, one that this thread is about to run
        """
        self._loop: Any = asyncio.get_running_loop() if loop is None else loop
        # The same, if it tells which thread runs it. See ``here``; channels look at it as well.
        self._runner: Any = self._loop if hasattr(self._loop, "_thread_id") else None
        self._thread = threading.get_ident()

    def __repr__(self) -> str:
        return repr(self._loop)

    def here(self) -> bool:
        """
        Tell whether the caller runs in it.

        Raises:
            RuntimeError: no event loop is running
        """
        # Asking asyncio takes a system call (Python 3.11), and this is asked for every command. A thread runs one event loop
        # at a time; those of asyncio know which one runs them, which is not documented, and there as long as anybody remembers.
        if self._runner is not None:
            if self._runner._thread_id == _get_ident():
                return True
        elif self._thread == _get_ident() and self._loop.is_running():
            return True
        if self._loop is not asyncio.get_running_loop():
            return False
        self._thread = threading.get_ident()  # it goes on in another thread than before
        return True


def caller() -> object:
    """
    Who is calling: the running task. In the twin it is the thread.
    """
    return asyncio.current_task()


class StateLock:
    """
    Guards state that changes between two awaits: nothing to do here, a lock in the twin.
    """

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def spawn(function: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """
    Run a function of no arguments beside the caller, as a task; ``join`` it. The twin starts a thread.
    """
    # In an empty context: it outlives the request that happened to start it, and what that held.
    return asyncio.get_running_loop().create_task(function(), context=contextvars.Context())


async def join(running: asyncio.Task[None]) -> None:
    """
    Wait until what ``spawn`` started has ended, after telling it to.
    """
    await asyncio.wait((running,))
