"""
What has been asked of a server, and how whoever waits for the reply goes on: a future for each wait.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from ..._core.session import Request
from ...exceptions import RequestTimeoutError

if TYPE_CHECKING:
    from .channel import Channel


class Awaited(Request):
    """
    A request that somebody may wait for.

    Attributes:
        waiter: what they wait for; None: nobody does
        deadline: when they wait no longer
        reply: what the waiter gets, until it has it
    """

    __slots__ = ("deadline", "reply", "waiter")

    reply: Any

    waiter: asyncio.Future[Any] | None
    deadline: float

    def wake(self) -> None:
        """
        Let whoever waits go on.
        """
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def expire(self) -> None:
        """
        Tell whoever waits that time is up. What is only queued will be sent all the same, so it may run too.
        """
        # Still outstanding, it must not hold what the error will hold: the frames of the waiting task, and so the channel.
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(RequestTimeoutError("no reply in time", may_have_run=True))


class Asked(Awaited):
    """
    A single command whose reply, or the reason why there is none, is all that whoever waits wants to have.

    Without a constructor, which in Python would take longer than the rest, and without a list of replies. There is one for each
    command under way, and so many new objects would have the collector come again and again: they are used anew.
    """

    __slots__ = ()

    __init__ = object.__init__

    expected = 1
    replies = ()  # type: ignore[assignment]

    def wake(self) -> None:
        """
        Tell whoever waits that the connection has ended.
        """
        if self.waiter is not None and not self.waiter.done() and self.failure is not None:
            self.waiter.set_exception(self.reason(self.failure))


class Started(Awaited):
    """
    A request that has been queued for the network.
    """

    __slots__ = ("_channel",)

    def __init__(self, channel: Channel, expected: int) -> None:
        # Not through the base class: there is one for each command.
        self.expected = expected
        self.replies = []
        self.failure = None
        self.sent = False
        self._channel = channel
        self.waiter = self.reply = None
        self.deadline = math.inf

    @property
    def written(self) -> bool:
        """
        Whether all of it has been handed to the network.
        """
        return self.sent

    async def result(self, deadline: float) -> list[Any]:
        """
        Wait for the replies. Cancelled or too late, the request stays outstanding and may be waited for again.

        Raises:
            ConnectionError: the connection ended first
            RequestTimeoutError: nothing by then
        """
        if not self.done():
            channel = self._channel
            self.waiter = channel.future()
            self.deadline = deadline
            channel.watch(deadline)
            try:
                await self.waiter
            finally:
                self.waiter = None
        return self.outcome()


class Listening(Started):
    """
    Something to wait for that is no request: done when an out-of-band message has come, or the connection has ended.
    """

    __slots__ = ()

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, 0)

    def done(self) -> bool:
        """
        Tell whether there is a message, or never will be.
        """
        return bool(self._channel.pushes) or self._channel.closed
