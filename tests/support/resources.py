"""
Count what a test may leave open: sockets, threads and tasks.

A snapshot before and one after tell what is new. Only what lives on counts; what merely needs a moment to end is given
one by the caller.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Final

# How long something may take to go away after the test that used it. Far more than ever needed: only failures wait.
GRACE_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.005
# Threads of an event loop's default executor live as long as their loop, which pytest closes after the fixtures.
_LOOP_THREADS: Final = "asyncio_"


@dataclass(frozen=True, slots=True)
class Resources:
    """
    What is open at one moment: identities with descriptions for people. Equal when the same things are open.
    """

    sockets: frozenset[str]
    threads: frozenset[int]
    tasks: frozenset[int]
    descriptions: dict[str | int, str] = field(compare=False, repr=False)

    def beyond(self, before: Resources) -> list[str]:
        """
        Describe what is open here and was not open before.
        """
        new = (self.sockets - before.sockets) | (self.threads - before.threads) | (self.tasks - before.tasks)
        return sorted(self.descriptions[identity] for identity in new)

    def __str__(self) -> str:
        return f"{len(self.sockets)} sockets, {len(self.threads)} threads, {len(self.tasks)} tasks"


def snapshot() -> Resources:
    """
    Look at this process now; the running task itself does not count.
    """
    descriptions: dict[str | int, str] = {}
    sockets = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the descriptor of the listing itself, among others
            continue
        # The inode names the socket; a descriptor's number is used again at once.
        if target.startswith("socket:"):
            sockets.add(target)
            descriptions[target] = _describe(int(name))
    threads = set()
    for thread in threading.enumerate():
        if thread.ident is not None and not thread.name.startswith(_LOOP_THREADS):
            threads.add(thread.ident)
            descriptions[thread.ident] = f"thread {thread.name!r}"
    tasks = set()
    for task in _tasks():
        tasks.add(id(task))
        descriptions[id(task)] = f"task {task.get_name()!r} running {task.get_coro()!r}"
    return Resources(frozenset(sockets), frozenset(threads), frozenset(tasks), descriptions)


def settle_blocking(before: Resources) -> None:
    """
    Wait a little until nothing is open that was not open before.

    Raises:
        AssertionError: something stays open, with what it is
    """
    deadline = time.monotonic() + GRACE_SECONDS
    while (leaked := snapshot().beyond(before)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert not leaked, "left open: " + "; ".join(leaked)


def _tasks() -> set[asyncio.Task[object]]:
    try:
        return asyncio.all_tasks() - {asyncio.current_task()}
    except RuntimeError:  # no event loop is running here
        return set()


def _describe(descriptor: int) -> str:
    try:
        opened = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return f"socket at descriptor {descriptor}"
    with opened:
        ends = []
        for end in (opened.getsockname, opened.getpeername):
            try:
                ends.append(str(end()))
            except OSError:
                ends.append("nothing")
        return f"socket at descriptor {descriptor} from {ends[0]} to {ends[1]}"
