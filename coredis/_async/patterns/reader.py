"""
One connection that a consumer reads on, with at most one read outstanding.

The read belongs to the consumer, not to the call that sent it: whoever waited for it may be cancelled, interrupted or
run out of time, and the next call goes on waiting for the same reply.
"""

from __future__ import annotations

import math
from typing import AnyStr, Generic

from coredis._async.client import Client
from coredis._async.connection import Connection
from coredis._core.command import Reply
from coredis._core.consumer.cursors import Plan
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError


class Reader(Generic[AnyStr]):
    """
    A connection of a consumer's own.

    Attributes:
        plan: what the outstanding read asks for; None when there is none
        started: the outstanding read; None when there is none
        deadline: when its reply is overdue, so that the connection must be dead (monotonic seconds)
        history_last: whether the last read asked for pending entries rather than new ones
    """

    def __init__(self, client: Client[AnyStr]) -> None:
        self._client: Client[AnyStr] = client
        self._connection: Connection | None = None
        self.plan: Plan | None = None
        self.started: rt.Started | None = None
        self.deadline = math.inf
        self.history_last = False

    @property
    def connected(self) -> bool:
        """
        Whether there is a connection.
        """
        return self._connection is not None

    async def connect(self, deadline: float) -> None:
        """
        Open the connection unless it is open.

        Raises:
            ConnectionError: it cannot be opened by then
        """
        if self._connection is None:
            self._connection = await self._client.detach(deadline)

    def send(self, plan: Plan, payload: bytes, block: float) -> None:
        """
        Send a read.

        Args:
            plan: what it asks for
            payload: the encoded command
            block: seconds the server may wait for entries

        Raises:
            ConnectionError: the connection is gone; ``plan`` says what may have been lost
        """
        assert self._connection is not None and self.started is None
        self.deadline = rt.now() + block + self._client.times.grace
        self.history_last = not plan.new
        self.plan = plan
        try:
            self.started = self._connection.channel.start(payload, 1, self.deadline)
        except ConnectionError as error:
            if not error.may_have_run:
                self.plan = None
            raise
        # An interruption before this line leaves ``plan`` without ``started``; see ``resume``.

    def resume(self) -> None:
        """
        After an interruption while a read was being sent: find it, or that it never began.
        """
        if self.plan is not None and self.started is None:
            self.started = None if self._connection is None else self._connection.channel.oldest
            if self.started is None:
                self.plan = None

    def overdue(self) -> bool:
        """
        Whether the reply should have been here, however slow the server.
        """
        return rt.now() >= self.deadline

    def reply(self) -> Reply:
        """
        Give the reply that has arrived. It stays until ``plan`` and ``started`` are set to None.

        Raises:
            ReplyError: it is an error
            ConnectionError: the connection was lost first
        """
        assert self.started is not None
        (reply,) = self.started.outcome()
        if isinstance(reply, ErrorLine):
            raise from_line(str(reply))
        return reply

    def finish(self) -> None:
        """
        The reply has been dealt with.
        """
        self.plan = self.started = None

    def drop(self) -> None:
        """
        Close the connection, and give up the read that was outstanding.
        """
        if self._connection is not None:
            self._client.discard(self._connection)
        self._connection = self.plan = self.started = None

    def forget_parent(self) -> None:
        """
        Leave the connection to the parent process, untouched.
        """
        rt.keep_inherited((self._connection,))
        self._connection = self.plan = self.started = None

    def drop_from_finalizer(self) -> None:
        """
        Close the connection of a consumer that nobody closed.
        """
        if self._connection is not None and not self._connection.channel.closed:
            self._connection.channel.close_from_finalizer()
