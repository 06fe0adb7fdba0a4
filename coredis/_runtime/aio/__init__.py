"""
The asynchronous half of the runtime: asyncio channels, clocks and locks. Its twin is ``blocking``.

What differs from the twin: one channel carries the commands of many tasks at once (``MULTIPLEXED``). What they send in
one turn of the event loop leaves in one write, and each waits for its own replies. A wait is a future; one timer per
channel watches the earliest time limit of all waits, so a command costs no timer of its own.

These are the names that authored code has as ``rt``. Whoever replaces one (the clock, a limit) replaces it in the module that
defines it, too: that is where the other modules of the package look.
"""

from __future__ import annotations

from ..forks import after_fork, keep_inherited
from .application import SERIES, Feed, Series, awaited, call
from .channel import MAX_PENDING, MAX_QUEUED_BYTES, MULTIPLEXED, PIECE_BYTES, RECEIVE_BYTES, Channel
from .clock import now, random, sleep
from .connecting import close_all, connect
from .home import ATOMIC, Home, StateLock, caller, join, spawn
from .requests import Listening, Started
from .waiting import Alarm, Event, wait_any, wait_one

__all__ = [
    "ATOMIC",
    "MAX_PENDING",
    "MAX_QUEUED_BYTES",
    "MULTIPLEXED",
    "PIECE_BYTES",
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
