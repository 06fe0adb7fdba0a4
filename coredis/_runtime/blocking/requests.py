"""
What has been asked of a server, and how whoever waits for the reply gets it: by receiving it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._core.session import Request

if TYPE_CHECKING:
    from .channel import Channel


class Started(Request):
    """
    A request that is written to the socket, perhaps in part if that was interrupted.
    """

    __slots__ = ("channel", "unsent")

    def __init__(self, channel: Channel, expected: int, payload: bytes) -> None:
        # Not through the base class: there is one for each command.
        self.expected = expected
        self.replies = []
        self.failure = None
        self.sent = False
        self.channel = channel
        self.unsent: bytes | memoryview = payload

    @property
    def written(self) -> bool:
        """
        Whether all of it has been handed to the network.
        """
        return not self.unsent

    def result(self, deadline: float) -> list[Any]:
        """
        Wait for the replies. Interrupted or too late, the request stays outstanding and may be waited for again.

        Raises:
            ConnectionError: the connection ended first
            RequestTimeoutError: nothing by then
        """
        channel = self.channel
        if self.unsent and self.failure is None:
            channel.flush(self, deadline)
        while len(self.replies) < self.expected and self.failure is None:
            channel.receive(deadline)
        return self.outcome()


class Listening(Started):
    """
    Something to wait for that is no request: done when an out-of-band message has come, or the connection has ended.
    """

    __slots__ = ()

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, 0, b"")

    def done(self) -> bool:
        """
        Tell whether there is a message, or never will be.
        """
        return bool(self.channel.pushes) or self.channel.closed
