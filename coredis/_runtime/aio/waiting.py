"""
Waiting: for an event, for one request or whichever of several is done first, until an alarm is rung.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from ...exceptions import RequestTimeoutError
from . import clock
from .requests import Started


class Event:
    """
    Something to wait for, set once. The twin is a ``threading.Event``.
    """

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        if not self._future.done():
            self._future.set_result(None)

    def is_set(self) -> bool:
        """
        Tell whether it has been set.
        """
        return self._future.done() and not self._future.cancelled()

    async def wait(self, deadline: float) -> bool:
        """
        Wait until set; False when the deadline came first.
        """
        await asyncio.wait((self._future,), timeout=clock.remaining(deadline))
        return self.is_set()


class Alarm:
    """
    Ends a wait of ``wait_any`` from outside, even from another thread or a signal handler. Rung, it stays so until cleared.

    The twin wakes a thread through a pair of sockets.
    """

    __slots__ = ("_loop", "_waiter", "rung")

    def __init__(self) -> None:
        self.rung = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        self.rung = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def clear(self) -> None:
        """
        Let waits wait again.
        """
        self.rung = False

    def watch(self, waiter: asyncio.Future[None]) -> None:
        """
        Set this future when rung; for ``wait_any`` alone.
        """
        self._loop, self._waiter = waiter.get_loop(), waiter
        if self.rung:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def wait_one(request: Started, deadline: float, alarm: Alarm | None = None) -> bool:
    """
    Wait until a request is done, as ``wait_any`` does, at less cost: the timer of its channel watches over it.

    Returns:
        as ``wait_any``
    """
    # Whether it is done is not asked by a call: two of them are half of what there is to do here.
    if len(request.replies) >= request.expected or request.failure is not None:
        return True
    channel = request._channel
    request.waiter = waiter = channel.future()
    request.deadline = deadline
    if deadline < channel.watched:
        channel.watch(deadline)
    if alarm is not None:
        alarm.watch(waiter)
    try:
        await waiter
    except RequestTimeoutError:
        pass
    finally:
        request.waiter = None
    return len(request.replies) >= request.expected or request.failure is not None


async def wait_any(requests: Sequence[Started], deadline: float, alarm: Alarm | None = None) -> bool:
    """
    Wait until one of several requests, on whatever channels, is done; none is cancelled. Of none at all: until the alarm.

    Returns:
        False when the deadline or the alarm came first
    """
    if any(started.done() for started in requests):
        return True
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    timer = None if deadline == math.inf else loop.call_later(clock.delay(deadline), expire, waiter)
    for started in requests:
        started.waiter = waiter
        started.deadline = math.inf
    if alarm is not None:
        alarm.watch(waiter)
    try:
        await waiter
    except RequestTimeoutError:
        return False
    finally:
        if timer is not None:
            timer.cancel()
        for started in requests:
            started.waiter = None
    return any(started.done() for started in requests)


def expire(waiter: asyncio.Future[None]) -> None:
    """
    Tell whoever waits that time is up.
    """
    if not waiter.done():
        waiter.set_exception(RequestTimeoutError("not in time"))
