"""
Letting tasks go on in the very call that brings their replies, where that can be done. The twin has nothing of the kind: there,
whoever waits receives.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from .requests import Asked, Awaited

if TYPE_CHECKING:
    from .channel import Channel

_run_forever: Final = asyncio.BaseEventLoop.run_forever  # unchanged, so that no task runs the loop
_NESTING: Final = {"IPython", "nest_asyncio"}
_ASKED: Final = frozenset({Asked})
_MANY: Final = 128  # fewer are freed and made again before they are enough for the collector


def can_resume(loop: asyncio.AbstractEventLoop) -> bool:
    """
    Tell whether tasks of a loop may go on at once: none of them will run the loop itself.
    """
    # What may make the loop one that its tasks can run, does it at any moment: a cell of a notebook, say.
    # The callbacks are not documented, and there since there are futures.
    plain = type(loop).run_forever is _run_forever and hasattr(asyncio.Future, "_callbacks")
    return plain and not (_NESTING & sys.modules.keys() or _may_nest())


@functools.cache
def _may_nest() -> bool:
    """
    Tell whether nest_asyncio is installed: who uses it often imports it where it is needed, in the middle of a task.
    """
    return any(os.path.exists(os.path.join(place, "nest_asyncio.py")) for place in sys.path)


def resume(channel: Channel, complete: list[Awaited]) -> None:
    """
    Let those go on whose replies are there, if that can be done here.

    A future has the loop do that in its next turn, and makes it a handle for each of them. Both can be saved, since nothing
    of the channel is left to be done before: each task goes on in this call, up to its next wait. Not so where tasks may
    run the loop themselves (nest_asyncio): within this call it could receive nothing. Nor within a task, where transports
    do not call us: there is one at a time.
    """
    if (
        not channel._plain
        or type(channel.loop).run_forever is not _run_forever
        or asyncio.current_task(channel.loop) is not None
    ):
        return
    request: Awaited | None = None
    waiter: Any = None
    callback: Any = None
    context: Any = None
    try:
        channel._resuming = True
        for request in complete:
            waiter = request.waiter
            if waiter is None:
                continue
            try:
                ((callback, context),) = waiter._callbacks
            except (TypeError, ValueError):
                callback = None  # there is none, or there are several
            else:
                if not waiter.remove_done_callback(callback):
                    continue  # a signal handler has just cancelled it
            try:
                waiter.set_result(request.reply)
            except asyncio.InvalidStateError:
                pass  # nobody waits any more; asyncio.run cancels a task at Ctrl-C, even between two lines of ours
            if callback is not None:
                context.run(callback, waiter)
            request.waiter = None  # and so it is free before the next task asks for one
        if len(complete) >= _MANY:
            channel.spares = True
        if channel.spares and _ASKED.issuperset(map(type, complete)):
            for request in complete:
                request.reply = request.waiter = None  # nothing of it may live on in what is used anew
            channel.spare += complete
        complete.clear()
        channel._resuming = False
        channel._flush()
    except BaseException:
        channel._resuming = False
        channel.loop.call_soon(channel._flush)
        waiter = None if request is None else request.waiter
        if waiter is not None and callback is not None:
            waiter.remove_done_callback(callback)
            if getattr(getattr(callback, "__self__", None), "_fut_waiter", None) is waiter:
                channel.loop.call_soon(callback, waiter, context=context)  # this task has not gone on yet
        raise
    finally:
        # The traceback of what a task raises leads to this frame (from Python 3.12 on): it must not lead back to the task.
        request = waiter = callback = context = None


def answer_all(complete: list[Awaited]) -> None:
    """
    Let those go on in the next turn of the loop who still wait for requests that have been answered.
    """
    for request in complete:
        if request.waiter is not None and not request.waiter.done():
            try:
                request.waiter.set_result(request.reply)
            except asyncio.InvalidStateError:
                pass  # cancelled by a signal handler, see ``resume``
    complete.clear()  # see the end of ``resume``
