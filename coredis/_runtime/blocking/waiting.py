"""
Waiting: for an event, for one request or whichever of several is done first, until an alarm is rung.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ...exceptions import ConnectionError, RequestTimeoutError
from ..sockets import PATIENT_SECONDS
from . import clock, polling
from .requests import Started

_RING: Final = (1).to_bytes(8, "little")  # what an eventfd takes
_DRAIN_BYTES: Final = 65536  # taken from a pipe at a time
#: For so long a reply is waited for as if there were no alarm: long enough for a channel to wait in the kernel first.
SOON_SECONDS: Final = 2 * PATIENT_SECONDS


class Event:
    """
    Something to wait for, set once. The twin is a future.

    A bare lock that is released once: waiting for ``threading.Event`` takes Python code that cannot be interrupted safely.
    """

    __slots__ = ("_lock", "_set")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._set = False

    def set(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        if not self._set:
            self._set = True
            self._lock.release()

    def is_set(self) -> bool:
        """
        Tell whether it has been set.
        """
        return self._set

    def wait(self, deadline: float) -> bool:
        """
        Wait until set; False when the deadline came first.
        """
        remaining = clock.remaining(deadline)
        if not self._set and self._lock.acquire(
            timeout=-1 if remaining is None else min(remaining, threading.TIMEOUT_MAX)
        ):
            self._lock.release()  # for whoever else waits
        return self._set


class Alarm:
    """
    Ends a wait of ``wait_any`` from outside, even from another thread or a signal handler. Rung, it stays so until cleared.

    The twin wakes a task through its event loop. Here it takes a descriptor to wait for, which the first such wait makes.
    """

    __slots__ = ("_descriptors", "rung")

    def __init__(self) -> None:
        self.rung = False
        self._descriptors: list[int] = []  # to wait for first, to write to last

    def ring(self) -> None:
        """
        Wake whoever waits, now or later.
        """
        self.rung = True
        if self._descriptors:
            try:
                os.write(self._descriptors[-1], _RING)
            except BlockingIOError:
                pass  # so often rung that no more rings fit

    def clear(self) -> None:
        """
        Let waits wait again.
        """
        self.rung = False
        self._drain()

    def _drain(self) -> None:
        """
        Take what was written to the descriptor; for ``wait_any`` and ``clear``.
        """
        if self._descriptors:
            try:
                while os.read(self._descriptors[0], _DRAIN_BYTES):
                    pass
            except BlockingIOError:
                pass  # nothing is left

    def fileno(self) -> int:
        """
        What to wait for; for ``wait_any`` alone.
        """
        if not self._descriptors:
            # Made and noted in one step where it is one descriptor, so that an interruption leaves nothing open.
            self._descriptors += _bell()
        return self._descriptors[0]

    def __del__(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())


def _bell() -> Iterable[int]:
    """
    Make, as they are asked for, the descriptors of an alarm: one that is both ends where the system has it.
    """
    if hasattr(os, "eventfd"):
        return map(os.eventfd, (0,), (os.EFD_CLOEXEC | os.EFD_NONBLOCK,))
    ends = os.pipe()
    for descriptor in ends:
        os.set_blocking(descriptor, False)
    return ends


def wait_one(request: Started, deadline: float, alarm: Alarm | None = None) -> bool:
    """
    Wait until a request is done, as ``wait_any`` does, at less cost where the reply comes soon, or there is no alarm.

    Returns:
        as ``wait_any``
    """
    # Whether it is done is not asked by a call: two of them are half of what there is to do here.
    if len(request.replies) >= request.expected or request.failure is not None:
        return True
    if not request.unsent and (alarm is None or not alarm.rung):
        # A ring is noticed so much later, which nobody notices: receiving alone takes half as many calls of the kernel.
        until = deadline if alarm is None else min(deadline, clock.now() + SOON_SECONDS)
        while True:
            try:
                request.channel.receive(until)
            except RequestTimeoutError:
                break
            except ConnectionError:
                pass  # shows in the request
            if len(request.replies) >= request.expected or request.failure is not None:
                return True
            if alarm is not None and clock.now() >= until:
                break  # it comes in many pieces, and each of them in time
        if alarm is None:
            return False
    return wait_any((request,), deadline, alarm)


def wait_any(requests: Sequence[Started], deadline: float, alarm: Alarm | None = None) -> bool:
    """
    Wait until one of several requests, on whatever channels, is done; none is cancelled. Of none at all: until the alarm.

    Returns:
        False when the deadline or the alarm came first
    """
    for started in requests:
        if started.unsent and started.failure is None:
            try:
                started.channel.flush(started, deadline)  # we were interrupted
            except (ConnectionError, RequestTimeoutError):
                pass  # shows in the request
    while not any(started.done() for started in requests):
        channels = dict.fromkeys([started.channel for started in requests])
        ready: list[Any] = [channel for channel in channels if channel.has_data()]
        if not ready:
            watched: tuple[Any, ...] = tuple(channels) if alarm is None else (*channels, alarm)
            if alarm is not None:
                alarm.fileno()  # from here on a ring is seen
                if alarm.rung:
                    return False
            ready = polling.readable(watched, deadline)
        if alarm is not None and alarm in ready:
            if alarm.rung:
                return False
            # Whoever rang was seen and cleared before it wrote. Left there, what it wrote would hide every reply.
            alarm._drain()
            continue
        if not ready:
            return False
        for channel in ready:
            try:
                channel.receive(0.0)
            except (ConnectionError, RequestTimeoutError):
                pass  # a lost connection shows in its requests; part of a TLS record is not a reply yet
    return True
