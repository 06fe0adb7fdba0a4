"""
One connection that a consumer reads on, with at most one read outstanding.

The read belongs to the consumer, not to the call that sent it: whoever waited for it may be cancelled, interrupted or
run out of time, and the next call goes on waiting for the same reply.

Where the streams are in one slot, or there are no slots, a read waits on the server (BLOCK). A command cannot read several
slots of a cluster, and one that waits would keep the others from being read. So there every slot is asked without waiting,
and then the server tells when a stream changes (CLIENT TRACKING, RESP3). Where it cannot, they are asked again and again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import AnyStr, Final, Generic

from coredis._async.client import Client
from coredis._async.connection import Connection
from coredis._core.command import Reply
from coredis._core.consumer.along import NOTHING, Along, killable, killing_words
from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Plan, by_name
from coredis._core.consumer.phantoms import Phantom, done_with, leave_behind
from coredis._core.consumer.reads import Membership, Repeated, Words, acknowledgements, commands
from coredis._core.parser import ErrorLine
from coredis._core.topology import Place
from coredis._core.wire import encode
from coredis._runtime import aio as rt
from coredis.exceptions import ConnectionError, ConnectionLostError, RedisError

#: How long a connection must have lasted for the next one to be opened without a pause (seconds).
LASTED_SECONDS: Final = 1.0
#: How long until streams are asked again where the server does not tell that they have changed (seconds).
POLL_SECONDS: Final = 0.05
#: More unread messages than one for each stream, for those that are sent twice.
SPARE_MESSAGES: Final = 1024
_NEVER: Final = -math.inf
_NEW: Final = Kind.NEW  # names of a module are found faster than those of a class


class Reader(Generic[AnyStr]):
    """
    A connection of a consumer's own, and the streams it reads there.

    Attributes:
        place: where the streams are, as the client tells places apart
        cursors: where the consumer stands in each of them
        only: the same, where there is one stream; otherwise None
        by_name: the same
        next_share: which of them is the first of those to be asked next, where they are not asked all at once
        partial: the outstanding read, or the last one, asks not all of them for that reason
        unfinished: its reply had nothing, so the others are to be asked before it can be said that there is nothing
        scattered: they are in several slots of a cluster
        told: the outstanding read, or the last one, was sent to streams in several slots, and they are the same still: the
            server tells when they change
        plan: what the outstanding read asks for; None when there is none
        alone: it, or the last one, asks for new entries of this stream, and for nothing else; None: for more, or others
        sent_at: when it, or the last one, was sent (monotonic seconds)
        started: the outstanding read; None when there is none
        listening: without an outstanding read: waits for the server to tell that a stream has changed; otherwise None
        deadline: when the reply is overdue, so that the connection must be dead, or the listening ends (monotonic seconds)
        last: what the last read asked for
        count: how many entries of each stream the outstanding read, or the last one, asks for
        taken: the read whose reply was dealt with last
        acknowledging: acknowledgements that were sent ahead of the outstanding read, by stream
        sent_now: the outstanding read was sent in the application's current call
        answered: the server was asked in the application's current call, and had nothing
        failure: what went wrong last; None when a read was sent since
        retry_at: when to try again after that (monotonic seconds)
        attempt: how often it has gone wrong in a row
    """

    # There are more attributes than an object has that is fast without.
    __slots__ = (
        "_along",
        "_block",
        "_client",
        "_connected_at",
        "_connection",
        "_grace",
        "_marked",
        "_phantoms",
        "_repeated",
        "_server",
        "_tracking",
        "acknowledging",
        "alone",
        "answered",
        "attempt",
        "by_name",
        "count",
        "cursors",
        "deadline",
        "failure",
        "last",
        "listening",
        "next_share",
        "only",
        "partial",
        "place",
        "plan",
        "retry_at",
        "scattered",
        "sent_at",
        "sent_now",
        "started",
        "taken",
        "told",
        "unfinished",
    )

    def __init__(self, client: Client[AnyStr], place: Hashable, phantoms: list[Phantom]) -> None:
        """
        Args:
            client: whose servers to read from
            place: see above
            phantoms: dead connections that servers may go on serving, of all readers of the consumer
        """
        self._client: Client[AnyStr] = client
        self._grace = client.times.grace
        self._connection: Connection | None = None
        self._connected_at = -math.inf
        self._server = place.address if isinstance(place, Place) else place
        self._phantoms = phantoms
        self._along = NOTHING  # with the outstanding read
        self._block = 0.0
        self._marked = False  # what the outstanding read asks for is noted
        self._tracking: bool | None = None  # None: not tried on this connection
        self.place = place
        self._repeated: Repeated | None = None
        self.cursors: tuple[Cursor, ...] = ()
        self.only: Cursor | None = None
        self.by_name: dict[bytes, Cursor] = {}
        self.next_share = 0
        self.partial = self.unfinished = False
        self.scattered = False
        self.told = False
        self.plan: Plan | None = None
        self.alone: Cursor | None = None
        self.started: rt.Started | None = None
        self.listening: rt.Listening | None = None
        self.sent_at = -math.inf
        self.deadline = math.inf
        self.last: Kind | None = None
        self.count = 1
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
        self.sent_now = self.answered = self.unfinished = False
        self.retry_at = _NEVER
        self.attempt = 0
        if self.plan is not None and not self._marked:
            self._mark(True)  # an interruption has left it undone

    @property
    def connected(self) -> bool:
        """
        Whether there is a connection.
        """
        return self._connection is not None

    @property
    def waits(self) -> bool:
        """
        Whether the outstanding read, or the last one, waits on the server for entries.
        """
        return self._block > 0

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
        return self.plan is None and self.listening is None and not self.answered and rt.now() >= self.retry_at

    def held(self, cursors: tuple[Cursor, ...]) -> int:
        """
        Say how many entries of one of these streams the last read may have brought.
        """
        for part in () if self.taken is None else self.taken.parts:
            if part.cursors is cursors or not set(map(id, cursors)).isdisjoint(map(id, part.cursors)):
                return self.count
        return 0

    @property
    def client_id(self) -> int | None:
        """
        The server's number of the connection; None when it did not say, or there is none.
        """
        return None if self._connection is None else self._connection.server.connection

    @property
    def telling(self) -> bool:
        """
        Whether the server can be asked to tell when streams have changed.
        """
        connection = self._connection
        return (
            connection is not None
            and connection.server.protocol >= 3
            and not connection.introduction
            and self._tracking is not False
        )

    @property
    def tracking(self) -> bool:
        """
        Whether it has been asked to.
        """
        return self._tracking is True

    async def connect(self, deadline: float) -> None:
        """
        Open the connection unless it is open.

        Raises:
            ConnectionError: it cannot be opened by then
        """
        if self._connection is None:
            self._connection = await self._client.detach(deadline, self.place)
            self._connected_at = rt.now()

    async def confirm(self, deadline: float) -> bool:
        """
        Find out whether the connection leads to the right server still; False: it does not, or was lost, and is closed.
        """
        channel = self._opened().channel
        await self._client.confirm(deadline)
        return not channel.closed

    def straight(self, waiting: bool) -> bool:
        """
        Tell whether nothing has to be done but to wait for a read of new entries, which may have to be sent yet. If so, a call
        of the application has begun.

        Args:
            waiting: whether the application's call waits
        """
        connection, started = self._connection, self.started
        if connection is None or self.scattered or self.failure is not None or self.listening is not None:
            return False
        if self._phantoms or connection.introduction or connection.channel.session.failure is not None:
            return False
        if self.plan is not None:
            # Not what was interrupted while it was sent, nor what an earlier call left waiting when this one does not wait.
            if started is None or not started.written or (self.waits and not waiting):
                return False
            if not self._marked:
                self._mark(True)
        # As ``begin``.
        self.sent_now = self.answered = self.unfinished = False
        self.retry_at = _NEVER
        self.attempt = 0
        return True

    def send(
        self,
        plan: Plan,
        membership: Membership | None,
        block: int | None,
        takeover: Takeover | None,
        tracking: list[Words],
        acknowledging: Mapping[bytes, tuple[bytes, ...]],
        questions: Mapping[bytes, Words],
        most: float,
        since: float,
    ) -> None:
        """
        Send a read.

        Args:
            plan: what it asks for, ``count`` entries of each stream
            membership: the consumer group; None: there is none
            block: milliseconds the server may wait for entries; None: it may not
            takeover: how entries of others are taken over; None: not at all
            tracking: what makes the server tell when the streams change
            acknowledging: acknowledgements to send ahead of it, by stream
            questions: what is to be known before the entries are read, by stream
            most: how many bytes the reply may have; a larger one is an ``OversizedReplyError``, and ends the connection
            since: ``sent_at``, before it was seen that nothing is outstanding: if it has changed, nothing is sent

        Raises:
            ConnectionError: the connection is gone; ``plan`` says what may have been lost
        """
        connection = self._opened()
        introduction: bytes = connection.introduction
        if plan.kind is Kind.NEW and len(plan.parts) == 1:
            (part,) = plan.parts
            repeated = self._repeated
            if repeated is None or not repeated.fits(part.cursors, self.count, block, takeover):
                repeated = Repeated(part.cursors, membership, self.count, block, takeover)
                if part.cursors is self.cursors:  # not some of them: the next time it is others
                    self._repeated = repeated
            payload = introduction + repeated.payload(part.identifiers)
        else:
            several = commands(plan, membership, self.count, block, takeover)
            payload = b"".join([introduction + encode(words) for words in several])
        along, each = NOTHING, 2 if introduction else 1
        killing: Sequence[Phantom] = killable(self._phantoms, self._server) if self._phantoms else ()
        if acknowledging or questions or tracking or killing or introduction:
            ahead: list[Words] = [*killing_words(killing), *tracking]
            group: bytes = b"" if membership is None else membership.group
            of_streams: list[bytes] = [*acknowledgements(group, acknowledging), *map(encode, questions.values())]
            payload = b"".join([*map(encode, ahead), *[introduction + command for command in of_streams], payload])
            trying = bool(tracking) and self._tracking is None
            before = len(ahead) + each * len(of_streams)
            along = Along(before, each, tuple(questions), killing, len(tracking), trying)
        expected = along.before + each * len(plan.parts)
        self._launch(plan, None, payload, along, expected, block, acknowledging, most, since)

    def send_alone(
        self,
        cursor: Cursor,
        membership: Membership | None,
        count: int,
        block: int | None,
        acknowledging: Mapping[bytes, tuple[bytes, ...]],
        most: float,
        since: float,
    ) -> None:
        """
        As ``send``, for ``count`` new entries of the only stream, where ``straight`` has said that nothing else is to be sent.
        """
        connection, cursors = self._connection or self._opened(), self.cursors
        if connection.channel.session.pushes:
            self.note()  # so that they do not pile up
        repeated = self._repeated
        following = None if repeated is None else repeated.alone(cursors, count, block)
        if following is None:
            self._repeated = repeated = Repeated(cursors, membership, count, block)
            following = repeated.alone(cursors, count, block)
            assert following is not None
        plan, payload = following
        along, expected = NOTHING, 1
        if acknowledging:
            collected: list[bytes] = acknowledgements(b"" if membership is None else membership.group, acknowledging)
            payload, along = b"".join([*collected, payload]), Along(len(collected))
            expected += len(collected)
        self.count, self.partial = count, False
        self._launch(plan, cursor, payload, along, expected, block, acknowledging, most, since)

    def _opened(self) -> Connection:
        """
        Give the connection.

        Raises:
            ConnectionLostError: a signal handler has just closed it
        """
        if self._connection is None:
            raise ConnectionLostError("the consumer was closed")
        return self._connection

    def _launch(
        self,
        plan: Plan,
        alone: Cursor | None,
        payload: bytes,
        along: Along,
        expected: int,
        block: int | None,
        acknowledging: Mapping[bytes, tuple[bytes, ...]],
        most: float,
        since: float,
    ) -> None:
        """
        Send what ``send`` has written.

        Args:
            alone: as of the reader
            payload: the encoded commands
            along: what is among them besides the read
            expected: how many replies they have
        """
        connection = self._connection or self._opened()
        now = rt.now()
        waits = 0.0 if block is None else block / 1000
        deadline = now + waits + self._grace
        connection.channel.measure(most)
        if self.sent_at is not since:
            return  # a signal handler has read meanwhile, what was to be asked for here perhaps
        # No call between these statements, so nothing can interrupt here.
        self._along = along
        self.told = self.scattered
        self.sent_at = now
        self.deadline = deadline
        self.last = _NEW if alone is not None else plan.kind
        self._block = waits
        self.acknowledging = acknowledging
        self.sent_now = True
        self.alone = alone
        self._marked = False
        self.plan = plan
        if alone is not None:
            alone.busy = self._marked = True
        else:
            self._mark(True)
        try:
            started = connection.channel.start(payload, expected, deadline)
        except ConnectionError as error:
            if not error.may_have_run:
                self._mark(False)
                self.plan = None
            raise
        # An interruption before this line leaves ``plan`` without ``started``; see ``resume``.
        if self.sent_at is now and self.plan is not None:
            self.started = started
        elif not (self.started is started or started.done()):
            # A signal handler has read by itself, since this was not among the outstanding requests yet. What it brings is read
            # again, and what the handler has left outstanding.
            self.plan = plan if self.plan is None else plan.given_up_with(self.plan)
            self.started = None
            connection.channel.close()
            raise ConnectionLostError("interrupted by another read", may_have_run=True)

    def resume(self) -> bool:
        """
        After an interruption while a read was being sent: find it, or that it never began. False: it may have been sent, and
        the connection has ended.
        """
        if self.plan is not None and self.started is None:
            channel = None if self._connection is None else self._connection.channel
            self.started = None if channel is None else channel.oldest
            if self.started is None:
                if channel is not None and channel.closed:
                    return False
                self._mark(False)
                self.plan = None
        if self.started is not None and not self.started.written:
            # What is left of it is sent now, and takes its time from now on.
            self.sent_at = rt.now()
            self.deadline = self.sent_at + self._block + self._grace
        return True

    def overdue(self) -> bool:
        """
        Whether the reply should have been here, however slow the server; or the listening has lasted long enough.
        """
        return rt.now() >= self.deadline

    def replies(self) -> list[Reply]:
        """
        Give the replies to the read that have arrived, one for each part of the plan. They stay until ``plan`` and
        ``started`` are set to None. Errors of the server are among them (``ErrorLine``).

        Raises:
            ConnectionError: the connection was lost first
        """
        started, along = self.started, self._along
        if started is None:
            return []  # a signal handler has just taken them
        outcome = started.outcome()
        if along is NOTHING:
            return outcome
        return outcome[along.before :][along.each - 1 :: along.each]

    @property
    def size(self) -> int:
        """
        How many bytes of the reply have arrived; 0 when the connection is closed.
        """
        return 0 if self._connection is None else self._connection.channel.session.size

    def acknowledged(self) -> dict[bytes, int]:
        """
        Give what was answered to the acknowledgements ahead of the read: by stream, how many entries were pending. One that
        was refused is not in it.
        """
        if not self.acknowledging:
            return {}
        answers = self._answered(self.acknowledging, len(self._along.questions))
        return {name: answer for name, answer in answers.items() if not isinstance(answer, ErrorLine)}

    def answers(self) -> dict[bytes, Reply]:
        """
        Give what was answered to the questions ahead of the read, by stream. Errors of the server are among it.
        """
        questions = self._along.questions
        return self._answered(questions, 0) if questions else {}

    def _answered(self, names: Collection[bytes], later: int) -> dict[bytes, Reply]:
        """
        Give the answers to commands ahead of the read, one for each name, after which so many others came.
        """
        started, each = self.started, self._along.each
        if started is None:
            return {}  # a signal handler has just seen to them
        end = self._along.before - each * later
        answers = started.replies[end - each * len(names) : end][each - 1 :: each]
        return dict(zip(names, answers, strict=True))

    def settle(self) -> None:
        """
        See to the answers that came ahead of the read. May be done again with the same ones.
        """
        if self.plan is None or self.started is None:
            return  # a signal handler has just taken it
        along = self._along
        if along.watchings:
            kills = len(along.killing)
            answers = self.started.replies[kills : kills + along.watchings]
            if along.trying:
                self._tracking = not isinstance(answers[0], ErrorLine)
            if any(isinstance(answer, ErrorLine) and str(answer).startswith("NOPERM") for answer in answers):
                self._tracking = False  # whoever may not ask for a stream's length is told nothing of it
        if along.killing:
            for phantom, answer in zip(along.killing, self.started.replies, strict=False):
                if answer == 1:
                    phantom.recovered(self.plan, self.by_name)
                phantom.client = None
                if not phantom.floors:
                    done_with(self._phantoms, phantom)
        self._mark(False)

    def arrange(self, cursors: tuple[Cursor, ...]) -> None:
        """
        Read these streams from now on. If they are not the same as before all of them are asked again, since what the server
        was to tell was about others.
        """
        if tuple(map(id, cursors)) != tuple(
            map(id, self.cursors)
        ):  # one that was removed and added again is another one
            for cursor in cursors:
                cursor.ready = True
            self.by_name = by_name(cursors)
            self.cursors = cursors
            self.only = cursors[0] if len(cursors) == 1 else None
            self.scattered = len({cursor.slot for cursor in cursors}) > 1
            self.told = False
        self.listening = None

    def listen(self, seconds: float) -> None:
        """
        Wait for the server to tell that a stream has changed, or for so many seconds.
        """
        channel = self._opened().channel
        self.deadline = rt.now() + (seconds if self.tracking else min(seconds, POLL_SECONDS))
        self.listening = channel.listen(len(self.cursors) + SPARE_MESSAGES)

    def heard(self) -> bool:
        """
        See to what the server has told meanwhile; True when streams are to be asked again, and the listening ends.

        Raises:
            ConnectionError: the connection was lost
        """
        if self._opened().channel.closed:
            raise ConnectionLostError("the server closed the connection")
        if self.note(everything=self.overdue()):
            self.listening = None
        return self.listening is None

    def note(self, *, everything: bool = False) -> bool:
        """
        Have streams asked again that the server has told of; True when it did. May be done again after an interruption.

        Args:
            everything: ask all of them again

        Raises:
            ConnectionLostError: a signal handler has just closed the connection
        """
        pushes = self._opened().channel.pushes
        if not (pushes or everything):
            return False
        changed: set[bytes] | None = None if everything else set()
        messages = list(pushes)
        for message in messages:
            if changed is not None and message[0] == b"invalidate":
                changed = None if message[1] is None else changed.union(message[1])  # None: all of them
        for cursor in self.cursors:
            if changed is None or cursor.name in changed:
                cursor.ready = True
        del pushes[: len(messages)]
        return changed is None or bool(changed)

    def drop(self) -> None:
        """
        Close the connection, and give up the read that was outstanding.

        The server may not notice, and go on serving the dead connection: the next one has it closed there.
        """
        if self._connection is not None:
            identifier, address = self.client_id, self._connection.channel.local_address
            if self.plan is not None:
                # It may be waiting there, or on its way to be executed.
                until = max(self.deadline, rt.now() + self._grace)
                known = None if identifier is None or address is None else (identifier, address)
                leave_behind(self._phantoms, self.plan, self._server, known, until)
            self._client.discard(self._connection)
        self._mark(False)
        self._connection = self.plan = self.started = self.listening = None
        self._tracking = None
        self.acknowledging = {}

    def forget_parent(self) -> None:
        """
        Leave the connection to the parent process, untouched.
        """
        rt.keep_inherited((self._connection,))
        self._connection = self.plan = self.started = self.listening = None

    def drop_from_finalizer(self) -> None:
        """
        Close the connection of a consumer that nobody closed.
        """
        if self._connection is not None and not self._connection.channel.closed:
            self._connection.channel.close_from_finalizer()

    def _mark(self, busy: bool) -> None:
        """
        Note that an outstanding read asks for its streams, or does no more.
        """
        self._marked = False
        if self.plan is not None:
            for part in self.plan.parts:
                for cursor in part.cursors:
                    cursor.busy = busy
            self._marked = busy
