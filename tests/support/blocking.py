"""
The blocking half of what authored tests import; its twin is ``aio``.

Both halves have the same names, and a function that is called here is awaited there.
"""

from __future__ import annotations

import _weakrefset
import ctypes
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Generic, Protocol, TypeVar

from coredis.sync import Redis, RedisCluster, Sentinel
from coredis.sync.patterns.streams import Consumer, GroupConsumer
from tests.support.interruption import Interrupted
from tests.support.matrix import text
from tests.support.resources import Resources, settle_blocking, snapshot

T = TypeVar("T")

#: For messages only; a test that asks for it is wrong.
FLAVOUR: Final = "blocking"
# What runs beside a test may hang with the code under test; the test then fails instead of never ending.
_PATIENCE_SECONDS: Final = 60.0
# How long what a failed test has left is given to end, and how often it is told to.
_END_SECONDS: Final = 10.0
_END_ATTEMPTS: Final = 100
_spawned: Final[weakref.WeakSet[Handle[Any]]] = weakref.WeakSet()
# How soon an interruption is tried again that came at a moment when it could not be delivered.
_AGAIN_SECONDS: Final = 0.001


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


def sleep(seconds: float) -> None:
    """
    Wait. The twin lets other tasks run meanwhile.
    """
    time.sleep(seconds)


class _Ended(BaseException):
    """
    The test is over.
    """


class Handle(Generic[T]):
    """
    A function running beside the test, in a thread. In the twin it is a task.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self.failed_at = float("inf")
        self._function = function
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"spawned {function!r}", daemon=True)
        _spawned.add(self)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def join(self) -> T:
        """
        Wait for the function and return its result.

        Raises:
            BaseException: what it raised
        """
        self._thread.join(_PATIENCE_SECONDS)
        if not self.done:
            raise TimeoutError(f"{self._thread.name} has not ended after {_PATIENCE_SECONDS} s\n{self._place()}")
        if self._error is not None:
            # Not kept: the traceback holds this frame, and the cycle would hold what the test had open.
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error
        return self._results[0]

    def end(self) -> None:
        """
        Have the function end wherever it is, if it has not ended yet.
        """
        for _ in range(_END_ATTEMPTS):
            if self.done or self._thread.ident is None:
                break
            # Raised there as soon as the thread is back from whatever it waits for; somebody may catch it.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(_Ended))
            self._thread.join(_END_SECONDS / _END_ATTEMPTS)
        self._error = None

    def _place(self) -> str:
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame))

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # raised again by join()
            self.failed_at = time.monotonic()
            self._error = error


def spawn(function: Callable[[], T]) -> Handle[T]:
    """
    Start a function of no arguments beside the test.
    """
    return Handle(function)


def end_spawned() -> None:
    """
    End what a test that failed has left running, so that it does not meddle with the next one.
    """
    for handle in list(_spawned):
        handle.end()


class ending:
    """
    A block that, when it fails, ends what is still running. Inside of the blocks of the clients that are used there: a client
    that is closed is opened again by whoever goes on using it.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            end_spawned()


def gather(*functions: Callable[[], T]) -> list[T]:
    """
    Run functions of no arguments at the same time.

    Returns:
        Their results, in the order of the functions.

    Raises:
        BaseException: what the first one to fail raised, after all have ended. Here they are waited for; the twin
            cancels them.
    """
    handles = [Handle(function) for function in functions]
    results: dict[int, T] = {}
    failed: list[tuple[float, int, BaseException]] = []
    for index, handle in enumerate(handles):
        try:
            results[index] = handle.join()
        except BaseException as error:  # the first one is raised when all have been joined
            failed.append((handle.failed_at, index, error))
    try:
        if failed:
            raise min(failed, key=lambda failure: failure[:2])[2]
    finally:
        failed.clear()
    return [results[index] for index in range(len(functions))]


class _Struck(KeyboardInterrupt):
    """
    A Ctrl-C that this module sent, and not the person at the keyboard.
    """


class _Timer:
    """
    Strikes the main thread once, at the first moment from now on when the function under test is running.

    An exception raised in this module's own frame, just after the function has returned, would lose its result; one
    raised while an object is finalised would be printed and forgotten. In both cases the timer tries again a little later.
    """

    def __init__(self, caller: FrameType) -> None:
        self.struck = False
        self.over = False  # the function has ended; a strike that comes late hits nobody
        self._looking = False
        self._caller: FrameType | None = caller

    def forget(self) -> None:
        self._caller = None

    def __call__(self, _: int, frame: FrameType | None) -> None:
        # The next strike may come while this one is still looking around, and must not take it for the function.
        if self.struck or self.over or self._looking:
            return
        self._looking = True
        strike = frame is not self._caller and self._inside(frame)
        self._looking = False
        if not strike:
            return
        self.struck = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise _Struck

    def _inside(self, frame: FrameType | None) -> bool:
        while frame is not None and not _ignored(frame):
            if frame is self._caller:
                return True
            frame = frame.f_back
        return False


def _ignored(frame: FrameType) -> bool:
    """
    Tell whether Python ignores what is raised there: in finalizers, and in what is called when a weak reference has died.
    """
    name, file = frame.f_code.co_name, frame.f_code.co_filename
    return name == "__del__" or (name in ("_remove", "remove") and file in (weakref.__file__, _weakrefset.__file__))


def interrupted_after(seconds: float, function: Callable[[], T]) -> T:
    """
    Run a function of no arguments, and strike it with a KeyboardInterrupt after so many seconds.

    Works in the main thread only, as Ctrl-C does. The twin cancels the function instead.

    Raises:
        Interrupted: it was struck and ended by that
        AssertionError: it was struck and went on as if nothing had been
    """
    timer = _Timer(sys._getframe())
    previous = signal.signal(signal.SIGALRM, timer)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6), _AGAIN_SECONDS)
        try:
            result = function()
        finally:
            timer.over = True
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Struck:
        raise Interrupted(f"struck after {seconds} s") from None
    finally:
        timer.over = True
        signal.signal(signal.SIGALRM, previous)
        timer.forget()
    assert not timer.struck, "the function has swallowed a KeyboardInterrupt"
    return result


def open_resources() -> Resources:
    """
    Take stock of sockets and threads; ``str()`` of it counts them.
    """
    return snapshot()


def settle(before: Resources) -> None:
    """
    Wait a little until nothing is open that was not open before.

    Raises:
        AssertionError: something stays open, with what it is
    """
    settle_blocking(before)


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
