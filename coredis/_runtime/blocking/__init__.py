"""
The blocking half of the runtime: plain sockets, threads and the system clock. Its twin is ``aio``.

What differs from the twin: one thread uses a channel at a time (a pool sees to that), ``start`` writes at once, and replies are
read by whoever waits for them. There is no event loop and no helper thread. A signal handler may raise anywhere (Ctrl-C), and
nothing is lost.

These are the names that generated code has as ``rt``. Whoever replaces one (the clock, a limit) replaces it in the module that
defines it, too: that is where the other modules of the package look.
"""

from __future__ import annotations

from ..forks import after_fork, keep_inherited
from .application import SERIES, Feed, Series, awaited, call
from .channel import MULTIPLEXED, RECEIVE_BYTES, Channel
from .clock import now, random, sleep
from .connecting import close_all, connect
from .home import ATOMIC, Home, StateLock, caller, join, spawn
from .polling import MAX_POLL_MILLISECONDS
from .requests import Listening, Started
from .waiting import Alarm, Event, wait_any, wait_one

__all__ = [
    "ATOMIC",
    "MAX_POLL_MILLISECONDS",
    "MULTIPLEXED",
    "RECEIVE_BYTES",
    "SERIES",
    "Alarm",
    "Channel",
    "Event",
    "Feed",
    "Home",
    "Listening",
    "Series",
    "Started",
    "StateLock",
    "after_fork",
    "awaited",
    "call",
    "caller",
    "close_all",
    "connect",
    "join",
    "keep_inherited",
    "now",
    "random",
    "sleep",
    "spawn",
    "wait_any",
    "wait_one",
]
