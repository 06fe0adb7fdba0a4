"""
Waiting in the kernel until sockets can be read from or written to. The twin's event loop does that.
"""

from __future__ import annotations

import math
import select
import selectors
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final

from . import clock

MAX_POLL_MILLISECONDS: Final = 2**31 - 1  # a C int; whoever waits for longer waits again


def readable(channels: Iterable[Any], deadline: float) -> list[Any]:
    """
    Wait until one can be read from; one that another thread has closed can: reading from it will say so.

    With poll, made for each wait: it takes a microsecond, and poll wakes up when another thread closes a socket. epoll
    forgets the socket and sleeps on.
    """
    if not hasattr(select, "poll"):
        return _selected(channels, deadline)
    poll = select.poll()
    by_descriptor = {}
    for channel in channels:
        descriptor = channel.fileno()
        if descriptor < 0:
            return [channel]
        by_descriptor[descriptor] = channel
        poll.register(descriptor, select.POLLIN)
    ready = poll.poll(milliseconds(deadline))
    return [by_descriptor[descriptor] for descriptor, _ in ready]


def watch(connected: socket.socket) -> Callable[[int | None], object]:
    """
    Make a function that waits until a socket can be read from, for so many milliseconds at most, and tells whether it can.

    One poll for the life of the socket: there are two such waits for each command.
    """
    if not hasattr(select, "poll"):
        return lambda limit: _selected((connected,), math.inf if limit is None else clock.now() + limit / 1000)
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLIN)
    return poll.poll


def writable(connected: socket.socket, deadline: float) -> bool:
    """
    Wait until a socket can be written to; False when the deadline came first.
    """
    if not hasattr(select, "poll"):
        with selectors.DefaultSelector() as selector:
            selector.register(connected, selectors.EVENT_WRITE)
            return bool(selector.select(clock.remaining(deadline)))
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLOUT)
    return bool(poll.poll(milliseconds(deadline)))


def milliseconds(deadline: float) -> int | None:
    """
    How long a poll may take until then; None: for ever.
    """
    if deadline == math.inf:
        return None
    remaining = (deadline - clock.now()) * 1000.0
    return 0 if remaining <= 0.0 else int(remaining) + 1 if remaining < MAX_POLL_MILLISECONDS else MAX_POLL_MILLISECONDS


def _selected(channels: Iterable[Any], deadline: float) -> list[Any]:
    with selectors.DefaultSelector() as selector:
        for channel in channels:
            if channel.fileno() < 0:
                return [channel]
            selector.register(channel, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(clock.remaining(deadline))]
