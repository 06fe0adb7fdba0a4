"""
One connection that a consumer reads on, with at most one read outstanding.

The read belongs to the consumer, not to the call that sent it: whoever waited for it may be cancelled, interrupted or
run out of time, and the next call goes on waiting for the same reply.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import AnyStr, Generic

from coredis._async.client import Client
from coredis._async.connection import Connection
from coredis._core.command import Reply
from coredis._core.consumer.cursors import Cursor, Kind, Plan
from coredis._core.consumer.reads import Words, acknowledgement_words
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError, RedisError

#: How long a connection must have lasted for the next one to be opened without a pause (seconds).
LASTED_SECONDS = 1.0


class Reader(Generic[AnyStr]):
    """
    A connection of a consumer's own, and the streams it reads there.

    Attributes:
        place: where the streams are, as the client tells places apart
        cursors: where the consumer stands in each of them
        plan: what the outstanding read asks for; None when there is none
        sent_at: when it, or the last one, was sent (monotonic seconds)
        started: the outstanding read; None when there is none
        deadline: when its reply is overdue, so that the connection must be dead (monotonic seconds)
        last: what the last read asked for
        taken: the read whose reply was dealt with last
        acknowledging: acknowledgements that were sent ahead of the outstanding read, by stream
        sent_now: the outstanding read was sent in the application's current call
        answered: the server was asked in the application's current call, and had nothing
        failure: what went wrong last; None when a read was sent since
        retry_at: when to try again after that (monotonic seconds)
        attempt: how often it has gone wrong in a row
    """

    def __init__(self, client: Client[AnyStr], place: Hashable) -> None:
        self._client: Client[AnyStr] = client
        self._connection: Connection | None = None
        self._connected_at = -math.inf
        self._phantoms: list[tuple[int, str]] = []
        self._ahead = 0
        self.place = place
        self.cursors: list[Cursor] = []
        self.plan: Plan | None = None
        self.started: rt.Started | None = None
        self.sent_at = -math.inf
        self.deadline = math.inf
        self.last: Kind | None = None
        self.taken: Plan | None = None
        self.acknowledging: Mapping[bytes, tuple[bytes, ...]] = {}
        self.sent_now = self.answered = False
        self.failure: RedisError | None = None
        self.retry_at = -math.inf
        self.attempt = 0

    def begin(self) -> None:
        """
        A call of the application begins.
        """
        self.sent_now = self.answered = False
        self.retry_at = -math.inf
        self.attempt = 0

    @property
    def connected(self) -> bool:
        """
        Whether there is a connection.
        """
        return self._connection is not None

    @property
    def lasted(self) -> bool:
        """
        Whether there is a connection, and has been for a while.
        """
        return self._connection is not None and rt.now() - self._connected_at >= LASTED_SECONDS

    def willing(self) -> bool:
        """
        Whether it is time to send a read.
        """
        return self.plan is None and not self.answered and rt.now() >= self.retry_at

    @property
    def client_id(self) -> int | None:
        """
        The server's number of the connection; None when it did not say, or there is none.
        """
        return None if self._connection is None else self._connection.server.connection

    async def connect(self, deadline: float) -> None:
        """
        Open the connection unless it is open.

        Raises:
            ConnectionError: it cannot be opened by then
        """
        if self._connection is None:
            self._connection = await self._client.detach(deadline, self.place)
            self._connected_at = rt.now()

    def send(
        self,
        plan: Plan,
        commands: tuple[Words, ...],
        block: float,
        acknowledging: Mapping[bytes, tuple[bytes, ...]],
        group: bytes,
    ) -> None:
        """
        Send a read.

        Args:
            plan: what it asks for
            commands: its words
            block: seconds the server may wait for entries
            acknowledging: acknowledgements to send ahead of it, by stream
            group: the consumer group of these

        Raises:
            ConnectionError: the connection is gone; ``plan`` says what may have been lost
        """
        assert self._connection is not None and self.started is None
        ahead: list[Words] = [*self._phantom_words(), *acknowledgement_words(group, acknowledging)]
        payload = b"".join(map(encode, (*ahead, *commands)))
        self._ahead = len(ahead)
        self.sent_at = rt.now()
        self.deadline = self.sent_at + block + self._client.times.grace
        self.last = plan.kind
        self.acknowledging = acknowledging
        self.sent_now = True
        self.plan = plan
        try:
            self.started = self._connection.channel.start(payload, len(ahead) + len(commands), self.deadline)
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

    def replies(self) -> list[Reply]:
        """
        Give the replies to the read that have arrived. They stay until ``plan`` and ``started`` are set to None. Where there
        are several, some may be errors (``ErrorLine``).

        Raises:
            ReplyError: the only one, or every one, is an error
            ConnectionError: the connection was lost first
        """
        assert self.started is not None
        replies = self.started.outcome()[self._ahead :]
        errors = [reply for reply in replies if isinstance(reply, ErrorLine)]
        if len(errors) == len(replies):
            raise from_line(str(errors[0]))
        return replies

    def acknowledged(self) -> dict[bytes, int]:
        """
        Give what was answered to the acknowledgements ahead of the read: by stream, how many entries were pending. One that
        was refused is not in it.
        """
        assert self.started is not None
        if not self.acknowledging:
            return {}
        answers = self.started.replies[self._ahead - len(self.acknowledging) : self._ahead]
        return {
            name: answer
            for name, answer in zip(self.acknowledging, answers, strict=True)
            if not isinstance(answer, ErrorLine)
        }

    def finish(self) -> None:
        """
        The reply has been dealt with.
        """
        self._phantoms = []
        self.plan = self.started = None

    def drop(self, suspect: bool = False) -> None:
        """
        Close the connection, and give up the read that was outstanding.

        Args:
            suspect: the server may not notice, and go on serving the dead connection: have it closed there, by the next one
        """
        if self._connection is not None:
            identifier, address = self.client_id, self._connection.channel.local_address
            if suspect and identifier is not None and address is not None:
                self._phantoms.append((identifier, address))
            self._client.discard(self._connection)
        self._connection = self.plan = self.started = None
        self.acknowledging = {}

    def forget_parent(self) -> None:
        """
        Leave the connection to the parent process, untouched.
        """
        rt.keep_inherited((self._connection,))
        self._connection = self.plan = self.started = None
        self.acknowledging = {}
        self._phantoms = []

    def drop_from_finalizer(self) -> None:
        """
        Close the connection of a consumer that nobody closed.
        """
        if self._connection is not None and not self._connection.channel.closed:
            self._connection.channel.close_from_finalizer()

    def _phantom_words(self) -> list[Words]:
        """
        Say which connections the server is to close.

        Their address is said as well as their number: after a failover the server is another one, where that number is
        somebody else's.
        """
        return [("CLIENT", "KILL", "ID", identifier, "ADDR", address) for identifier, address in self._phantoms]
