"""
What a channel of either half tells of its session, in the same words.
"""

from __future__ import annotations

from typing import Any

from .._core.session import Session


class SessionView:
    """
    The base of both channels; the session is theirs to make.
    """

    __slots__ = ()

    session: Session

    @property
    def pending(self) -> int:
        """
        How many requests have not been answered yet.
        """
        return len(self.session.pending)

    @property
    def pushes(self) -> list[Any]:
        """
        Out-of-band messages that have come, oldest first; whoever deals with them deletes them from the list.
        """
        return self.session.pushes

    @property
    def received(self) -> int:
        """
        How many times data has arrived.
        """
        return self.session.received

    @property
    def size(self) -> int:
        """
        How many bytes have arrived since ``measure``.
        """
        return self.session.size

    def measure(self, most: float) -> None:
        """
        Count what arrives from now on.

        Args:
            most: how many bytes may have come while a reply is still not complete; more end the connection
        """
        self.session.measured, self.session.size, self.session.max_size = True, 0, most

    @property
    def closed(self) -> bool:
        """
        Whether the channel takes no more requests.
        """
        return self.session.failure is not None
