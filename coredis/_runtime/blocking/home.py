"""
What a client is bound to, and who runs there: the process and its threads. In the twin, the event loop and its tasks.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final

StateLock = threading.RLock  # a signal handler may use the client while the thread it interrupted holds the lock


#: Whether statements without a call in them are one step to all other threads: these run where signal handlers may, unless
#: Python can do without its global lock.
ATOMIC: Final[bool] = getattr(sys, "_is_gil_enabled", lambda: True)()


class Home:
    """
    What a client is bound to: nothing but the process. In the twin it is an event loop.
    """

    __slots__ = ()

    def here(self) -> bool:
        """
        Tell whether the caller runs in it.
        """
        return True


def caller() -> object:
    """
    Who is calling: the thread. In the twin it is the task.
    """
    return threading.get_ident()


def spawn(function: Callable[[], None]) -> threading.Thread:
    """
    Run a function of no arguments beside the caller, in a thread; ``join`` it. The twin starts a task.
    """
    thread = threading.Thread(target=function, name="coredis", daemon=True)
    thread.start()
    return thread


def join(running: threading.Thread) -> None:
    """
    Wait until what ``spawn`` started has ended, after telling it to.
    """
    if running is not threading.current_thread():
        running.join()
