"""
The engine that reads streams for consumers of either kind.

This module does what is decided elsewhere: where each stream stands and what to ask for next is in ``_core/consumer``. A
connection with its outstanding read is in ``reader``, the readers there are in ``places``, what they are sent in ``sending``.
What has been received goes from the reply into the buffer in one step, with no wait in between, so neither a cancelled task
nor an interrupted thread can lose an entry.

There is one reader for each place where streams are: one in all on a single server, one for each node of a cluster. All of
them are waited for together, and what goes wrong with one does not keep the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, AnyStr, Final

from coredis._async.patterns.failures import for_application
from coredis._async.patterns.reader import Reader
from coredis._async.patterns.sending import Sending
from coredis._core.command import Reply
from coredis._core.consumer import arrivals
from coredis._core.consumer.allowance import RECOUNT_SECONDS
from coredis._core.consumer.buffer import Buffer
from coredis._core.consumer.cursors import Cursor, Kind, Phase, Plan
from coredis._core.consumer.deadletters import Suspect
from coredis._core.consumer.held import Key
from coredis._core.consumer.parameters import encode_name
from coredis._core.consumer.statistics import ConsumerStatistics
from coredis._core.errors import from_line
from coredis._core.parser import ErrorLine
from coredis._runtime import aio as rt
from coredis.exceptions import (
    AskError,
    ConcurrentUseError,
    InvalidResponse,
    ProtocolError,
    RedisError,
    RequestTimeoutError,
    ResponseError,
)
from coredis.types import StreamEntry

if TYPE_CHECKING:
    from coredis._async.patterns.host import ConsumerHost

#: How long to try to reach one place while others are served (seconds): nobody waits for a dead node.
IMPATIENT_SECONDS: Final = 0.5
#: How long closing waits for a read that another task or thread is in, and for the last reply (seconds).
CLOSING_SECONDS: Final = 1.0


#: What a consumer gives at once while there is something to look at first.
NOTHING: Final[Iterator[Any]] = iter(())
_READ_ON: Final = (Phase.NEW, Phase.AFTER)
# What reading a reply of a strange shape may raise.
_UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    InvalidResponse,
    LookupError,
    ProtocolError,
    TypeError,
    ValueError,
)


class Engine(Sending[AnyStr]):
    """
    Reads streams into a buffer. What a group makes different is in the methods at the end.
    """

    def __init__(
        self,
        client: ConsumerHost[AnyStr],
        cursors: dict[bytes, Cursor],
        count: int,
        timeout: float,
        longest_wait: float,
        prefetch: bool,
        buffered_bytes: int,
        reply_bytes: float,
    ) -> None:
        """
        Args:
            client: whose servers to read from
            cursors: where each stream stands, by name
            count: the most entries of each stream to hold
            timeout: seconds to wait for an entry when there is none; 0: do not wait
            longest_wait: seconds that a server is asked to wait at a time
            prefetch: have the next read under way while entries are served
            buffered_bytes: what a read is not expected to exceed
            reply_bytes: what a reply may have before it is cut, and read again in smaller pieces
        """
        share = 2 if prefetch else 1  # what is on its way counts, too
        super().__init__(cursors, max(1, count // share), longest_wait, max(1, buffered_bytes // share), reply_bytes)
        self.client: ConsumerHost[AnyStr] = client
        self.statistics = ConsumerStatistics()
        self._prefetch = prefetch
        self._timeout = timeout
        self._seconds = timeout  # for which the call that is under way waits
        self._buffer: Buffer[AnyStr] = Buffer((), [])
        # Gives entries at once, without a look at anything else: the rest of the buffer, or nothing when there is something to
        # look at first. Whoever replaces the buffer takes this away before, and ``_fill`` gives it back.
        self._ready: Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] = NOTHING
        self._exhausted: list[Cursor] = []  # those that were ``asked``, in this call of the application
        self._leases: dict[Key, float] = {}  # see ``_core/consumer/held``; kept by group consumers that take over
        self._suspects: list[Suspect[AnyStr]] = []  # fetched, and perhaps to be given up
        self._turn: dict[str, object] = {}  # who reads
        self._attended = False  # serving an entry takes more than taking it from the buffer
        self._stopped = False
        rt.after_fork(self)

    # ------------------------------------------------------------------------------------------------------------ reading

    async def _fill(self, seconds: float | None = None) -> bool:
        """
        Have something in the buffer; False when nothing came.

        Args:
            seconds: for which to wait, instead of the consumer's time
        """
        caller, turn = rt.caller(), self._turn
        try:
            # Asked and taken in one step: of two threads one is the first.
            if turn.setdefault("reader", caller) != caller:
                raise ConcurrentUseError(
                    "another task or thread is reading from this consumer; make one consumer for each, in a group if they are "
                    "to share the entries"
                )
            self._ready = NOTHING
            self._seconds = self._timeout if seconds is None else seconds
            if self._attended:
                await self._attend()
            return len(self._buffer) > 0 or await self._fetch()
        finally:
            # No call here, so nothing can interrupt.
            if "reader" in turn and turn["reader"] == caller:
                if not self._attended:
                    self._ready = self._buffer.rest
                del turn["reader"]

    @property
    def _owner(self) -> object:
        """
        Which task or thread is reading; None: none.
        """
        return self._turn.get("reader")

    async def _fetch(self) -> bool:
        """
        Read until something is in the buffer, or until there is nothing and the time is up.

        Time runs from when the first read is sent: finding out where the streams stand does not count. Where not all of them
        are asked at once, it runs from when the last ones are. When it is up, reads may still be outstanding; they stay so for
        the next call.
        """
        self.client.bind()
        closings = self.client.closings
        deadline = math.inf
        patience = rt.now() + self._seconds  # with a server that cannot be reached or refuses
        attempt = 0
        self._begin()
        straight = self._straight()
        if straight is not None:
            deadline = patience
            try:
                await self._read_on(straight, deadline)
            except (RedisError, RequestTimeoutError) as error:
                self._failed(straight, error, closings, deadline)
            else:
                if self._buffer or straight.answered:
                    return self._serve()
                if straight.unfinished:
                    straight.unfinished = False
                    deadline = math.inf
        if self._stopped:
            await rt.sleep(0)  # a loop that asks again and again keeps nobody else from running
        while not self._stopped:
            try:
                for reader in self._readers.values():
                    if not reader.resume():
                        self._lose(reader)
                await self._prepare()
                if not self._arranged:
                    await self._arrange()
            except (RedisError, RequestTimeoutError) as error:
                if closings != self.client.closings:
                    raise  # closed under way: that is the application's wish
                self._note_detour(error)
                self._judge_failure(error)
                self._arranged = False
                try:
                    pause = self._pause(error, attempt, patience if deadline == math.inf else deadline)
                except RedisError:
                    if self._on_the_way(error):
                        break
                    raise
                await self._rest((), rt.now() + pause)
                attempt += 1
                continue
            if self._stopped or self._buffer or (self._seconds and rt.now() >= deadline):
                break
            readers = list(self._readers.values())
            for reader in readers:
                try:
                    await self._connect(reader)
                    if self._stopped:
                        break  # meanwhile: nobody would take what a read brought now
                    if deadline == math.inf and reader.connected:
                        deadline = rt.now() + self._seconds
                    self._send(reader, deadline - rt.now())
                except (RedisError, RequestTimeoutError) as error:
                    self._failed(reader, error, closings, patience if deadline == math.inf else deadline)
            if not await self._wait(readers, deadline):
                break
            for reader in readers:
                if reader.overdue():
                    await self._look_again(reader)
                try:
                    self._take(reader)
                except (RedisError, RequestTimeoutError) as error:
                    self._failed(reader, error, closings, patience if deadline == math.inf else deadline)
                if reader.unfinished:
                    reader.unfinished = False
                    deadline = math.inf
                if not reader.cursors and reader.plan is None:
                    reader.drop()  # its streams are somewhere else
                    self._readers = {place: other for place, other in self._readers.items() if other is not reader}
            if not (self._seconds or self._suspects) and all(
                reader.answered or reader.retry_at == math.inf for reader in readers
            ):
                break  # the servers were asked in this call, and have nothing; or are not asked again in it
        failures = [reader.failure for reader in self._readers.values()]
        if all(failures) and not (self._buffer or self._stopped):
            for failure in failures:
                # Out of reach when the time was up: nobody knows whether there is anything.
                if failure is not None and not self._on_the_way(failure):
                    raise for_application(failure)
        return self._serve()

    def _begin(self) -> None:
        """
        A call of the application begins: everybody may be asked again.
        """
        self._redirects = {}
        for cursor in self._exhausted:
            cursor.asked = False
        self._exhausted = []
        for reader in self._readers.values():
            reader.begin()
            if not self._seconds:
                reader.listening = None
                if reader.scattered:
                    for cursor in reader.cursors:
                        cursor.ready = True

    def _serve(self) -> bool:
        """
        Tell whether there is something to serve; if so, what comes after it may be read already.
        """
        if not self._buffer:
            return False
        if self._prefetch and not self._stopped:
            self._read_ahead()
        return True

    def _straight(self) -> Reader[AnyStr] | None:
        """
        Give the only reader there is if nothing has to be done but to wait for its read of new entries, which may have to be
        sent yet; None: there is more to see to. This is what nearly every call finds, and it saves two thirds of the time.
        """
        if len(self._readers) != 1 or not self._arranged or self._stopped or self.client.due() or not self._calm():
            return None
        (reader,) = self._readers.values()
        if not reader.straight(self._seconds > 0):
            return None
        for cursor in self._asked(reader)[0]:
            if cursor.phase not in _READ_ON:
                return None
        return reader

    async def _read_on(self, reader: Reader[AnyStr], deadline: float) -> None:
        """
        Read once, where ``_straight`` has said that it can be done.
        """
        self._send(reader, self._seconds)
        started = reader.started
        if started is not None:
            if not started.done():
                if self._seconds:
                    await rt.wait_one(started, min(deadline, reader.deadline, self.client.due_at()), self._alarm)
                    if self._alarm.rung and not self._stopped:
                        self._alarm.clear()
                else:
                    await rt.wait_one(started, reader.deadline)
                if reader.overdue():
                    await self._look_again(reader)
            self._take(reader)

    async def _connect(self, reader: Reader[AnyStr]) -> None:
        """
        Have a connection where one is wanted, to the server that is the right one now.

        A read that waits at another server, which may not even know that it was replaced, is given up: its connection is
        closed, and taking its reply says so.
        """
        waiting = self._seconds and reader.started is not None and not reader.started.done()
        if not (reader.willing() or waiting):
            return
        well = not (reader.connected and self.client.due()) or await reader.confirm(math.inf)
        if waiting:
            return
        if not well:
            self._lose(reader)
        if not reader.connected:
            others = any(other.connected for other in self._readers.values() if other is not reader)
            await reader.connect(rt.now() + IMPATIENT_SECONDS if others else math.inf)
        if self._readers.get(reader.place) is not reader:
            reader.drop()  # closed meanwhile, when there was nothing to close yet

    async def _wait(self, readers: list[Reader[AnyStr]], deadline: float) -> bool:
        """
        Wait until a reader has something to do; False when there is nothing to wait for.
        """
        outstanding: list[rt.Started] = []
        until: list[float] = []
        for reader in readers:
            waiting = reader.started or reader.listening
            if waiting is not None:
                outstanding.append(waiting)
                aside = not self._seconds and reader.waits and reader.plan is not None
                until.append(rt.now() if aside else reader.deadline)
            elif not reader.answered and reader.retry_at < math.inf:
                pause = self._longest_pause() if self._allowance.paused else 0.0
                until.append(max(reader.retry_at, rt.now() + pause))
        if not until:
            return bool(self._suspects)
        if self._seconds:
            until += [deadline, self.client.due_at()]
        await self._rest(outstanding, min(until))
        return True

    async def _look_again(self, reader: Reader[AnyStr]) -> None:
        """
        See whether the reply is there that seems to be late: another reader's, or the alarm, may have ended the waiting before
        anybody looked.
        """
        started = reader.started
        if started is not None and not started.done():
            await rt.wait_any((started,), rt.now())

    async def _rest(self, outstanding: Sequence[rt.Started], deadline: float) -> None:
        """
        Wait for one of the reads, or until the deadline or the alarm.
        """
        # What is asked for without waiting comes at once or not at all: no alarm is needed for it.
        await rt.wait_any(outstanding, deadline, self._alarm if self._seconds else None)
        if self._alarm.rung and not self._stopped:
            self._alarm.clear()

    def _take(self, reader: Reader[AnyStr]) -> None:
        """
        Put what an outstanding read brought, if it is there, into the buffer.

        Raises:
            RedisError: the read failed; or a part of it, and what the others brought is in the buffer
        """
        if reader.listening is not None:
            reader.heard()
            return
        started, following = reader.started, reader.plan
        if started is None or following is None:
            return
        if not started.done():
            if reader.overdue():
                raise RequestTimeoutError("no reply in time", may_have_run=True)  # no server is that late
            # A read that an earlier call left waiting has nothing, and this call does not wait for it.
            reader.answered = not self._seconds and reader.waits
            return
        parts, answers = following.parts, reader.replies()
        if len(answers) != len(parts):
            raise ProtocolError("more or fewer replies than commands", may_have_run=True)
        refused: list[RedisError] = []
        if ErrorLine in set(map(type, answers)):
            refused = [from_line(str(reply)) for reply in answers if type(reply) is ErrorLine]
            parts = tuple([part for part, reply in zip(parts, answers, strict=True) if type(reply) is not ErrorLine])
            answers = [reply for reply in answers if type(reply) is not ErrorLine]
        cursors = {cursor.name: cursor for part in parts for cursor in part.cursors}
        try:
            arrived = self._read(following, cursors, answers)
        except _UNREADABLE as error:
            unreadable = ProtocolError(f"unexpected reply to a stream read ({type(error).__name__})", may_have_run=True)
            if self._membership is not None and self._membership.acknowledge_on_delivery:
                unreadable.replies = answers
            raise unreadable from (error if isinstance(error, ProtocolError) else None)
        for name, last in arrived.last.items():
            cursor = cursors[name]
            cursor.received(last)
            if cursor.asked:
                self._exhausted.append(cursor)
        if reader.told and following.kind is Kind.NEW:
            for name, cursor in cursors.items():
                cursor.ready = arrived.counts.get(name, 0) >= reader.count
        self._note_acknowledged(reader)
        streams, entries, suspects = self._sift(following, arrived)
        nothing = not (entries or suspects or arrived.suppressed or arrived.deleted)
        noted = {} if self._takeover is None else dict.fromkeys(arrived.keys, reader.sent_at)
        buffer = self._buffer.followed_by(streams, entries)
        if parts:
            reader.attempt = self._detours = 0
        reader.answered = not (self._seconds or refused) and following.complete and reader.sent_now and nothing
        reader.unfinished = reader.partial and not (arrived.counts or refused)
        reader.settle()
        asked = 0 if following.kind is Kind.CLAIM else len(cursors)
        self._portions.received(sum(arrived.counts.values()), reader.size, asked, following.kind is Kind.HISTORY)
        delivered = len(entries)
        number = delivered + len(suspects)
        # Until here everything could be done again with the same reply. No call in between: nothing can interrupt here.
        self._leases |= noted
        self._suspects += suspects
        self._ready = NOTHING
        self._buffer = buffer
        self.statistics.delivered += delivered
        self._allowance.fetched += number
        reader.taken = following
        reader.plan = reader.started = None
        self._taken(following, arrived)
        if self._redirects:
            for cursor in cursors.values():
                self._redirects.pop(cursor.slot, None)
        for refusal in refused:
            if isinstance(refusal, AskError):
                self._redirected(refusal)
                self._misplaced.append((refusal, reader.place))
                self._arranged = False
        if refused:
            raise refused[0]

    def _replace(self, buffer: Buffer[AnyStr]) -> None:
        """
        Serve from another buffer.
        """
        self._ready = NOTHING
        self._buffer = buffer

    # ----------------------------------------------------------------------------------------------- beginning and ending

    def _restart(self) -> None:
        """
        Forget where the streams stand and what was fetched; not what is nowhere else.
        """
        self._stopped = False
        self._alarm.clear()
        if self._membership is None or not self._membership.acknowledge_on_delivery:
            self._replace(Buffer((), []))
        self._allowance.reset()
        for cursor in self._cursors.values():
            cursor.reset()

    async def _finish(self) -> None:
        """
        Give up the reading: nobody reads any more, and the connections are closed.
        """
        limit = rt.now() + CLOSING_SECONDS
        while self._owner not in (None, rt.caller()) and rt.now() < limit:
            await rt.sleep(0.001)  # whoever reads has been woken
        for reader in self._readers.values():
            reader.drop()
        self._readers = {}
        self._arranged = False

    def forget_parent(self) -> None:
        """
        Begin afresh in a forked child: the connection, and what was received on it, stay the parent's.
        """
        for reader in self._readers.values():
            reader.forget_parent()
        self._readers = {}
        self._arranged = False
        self._replace(Buffer((), []))
        self._turn = {}
        self._alarm = rt.Alarm()
        self._restart()

    def __del__(self) -> None:
        for reader in getattr(self, "_readers", {}).values():  # absent when the constructor refused its arguments
            reader.drop_from_finalizer()

    # ----------------------------------------------------------------------------- what kinds of consumers do differently

    async def _locate(self, cursors: Iterable[Cursor]) -> None:
        """
        Find out where streams begin that have not begun yet.
        """
        raise NotImplementedError

    async def _prepare(self) -> None:
        """
        Do what has to be done before the next read.
        """
        await self._locate(self._cursors.values())

    def _calm(self) -> bool:
        """
        Tell whether nothing but a read of new entries is wanted, so that ``_prepare`` has nothing to do.
        """
        return True

    async def _attend(self) -> None:
        """
        Do what has to be done before the next entry is served.
        """

    def _longest_pause(self) -> float:
        """
        The longest time to fetch nothing, because too much is unacknowledged, before looking again, in seconds.
        """
        return RECOUNT_SECONDS

    def _note_acknowledged(self, reader: Reader[AnyStr]) -> None:
        """
        See to the answers to these.
        """

    def _read(
        self, following: Plan, cursors: Mapping[bytes, Cursor], answers: list[Reply]
    ) -> arrivals.Arrivals[AnyStr]:
        """
        Make sense of the replies to a read of these streams. May be done again with the same ones.
        """
        return arrivals.read(answers, cursors, self.client.replies)

    def _sift(
        self, following: Plan, arrived: arrivals.Arrivals[AnyStr]
    ) -> tuple[Iterable[AnyStr], list[StreamEntry[AnyStr]], list[Suspect[AnyStr]]]:
        """
        Tell the entries to serve, after their streams, from those that may have to be given up.
        """
        return arrived.streams, arrived.entries, []

    def _taken(self, following: Plan, arrived: arrivals.Arrivals[AnyStr]) -> None:
        """
        A reply has been dealt with.
        """

    def _encoded(self, value: object) -> bytes:
        """
        Give back the bytes of a text as the server sent it.
        """
        return encode_name("reply", value, self.client.encoding)  # type: ignore[arg-type]


def is_absent(error: Exception | None) -> bool:
    """
    Tell whether an answer means that there is no such stream.
    """
    return isinstance(error, ResponseError) and str(error).startswith("ERR no such key")
