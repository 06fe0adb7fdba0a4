"""
The engine that reads streams for consumers of either kind.

This module does what is decided elsewhere: where each stream stands and what to ask for next is in ``_core/consumer``,
a connection with its outstanding read in ``reader``. What has been received goes from the reply into the buffer in one
step, with no wait in between, so neither a cancelled task nor an interrupted thread can lose an entry.

There is one reader for each place where streams are: one in all on a single server, one for each node of a cluster. All of
them are waited for together, and what goes wrong with one does not keep the others.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, AnyStr, Final, Generic

from coredis._async.patterns.reader import Reader
from coredis._core.command import Command, Reply
from coredis._core.consumer import arrivals, reads
from coredis._core.consumer.allowance import RECOUNT_SECONDS, Allowance
from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Plan, plan
from coredis._core.consumer.deadletters import Suspect
from coredis._core.consumer.held import Key
from coredis._core.consumer.parameters import encode_name
from coredis._core.consumer.portions import Portions
from coredis._core.consumer.statistics import ConsumerStatistics
from coredis._core.errors import REFUSALS, from_line
from coredis._core.parser import ErrorLine
from coredis._core.redirects import LONGEST_PAUSE
from coredis._core.replies.shapes import integer
from coredis._core.session import OversizedReplyError
from coredis._runtime import aio as rt
from coredis.exceptions import (
    AskError,
    ClusterDownError,
    ConcurrentUseError,
    ConnectionError,
    InvalidResponse,
    OutOfMemoryError,
    PersistenceError,
    ProtocolError,
    ReadOnlyError,
    RedisError,
    ReplyError,
    RequestTimeoutError,
    ResponseError,
    StreamConsumerGroupError,
    TryAgainError,
    UnblockedError,
)
from coredis.types import StreamEntry

if TYPE_CHECKING:
    from coredis._async.patterns.host import ConsumerHost

# What ends one read but not the consumer: the server did nothing, and will do it later.
_PASSING: Final = (*REFUSALS, UnblockedError, OutOfMemoryError, PersistenceError)
# What a server answers whose streams are being taken away, with their groups, or that was told to wake us: nothing is wrong.
# A group that is really gone is made again before the next read, unless that was not wanted and has been raised.
_ELSEWHERE: Final = (AskError, TryAgainError, UnblockedError, StreamConsumerGroupError)
#: So many such answers in a row, or for so long (seconds), say no more than that nothing has come yet. Beyond both is a fault.
MOST_DETOURS: Final = 5
DETOUR_SECONDS: Final = 10.0
#: How long to try to reach one place while others are served (seconds): nobody waits for a dead node.
IMPATIENT_SECONDS: Final = 0.5
#: How long closing waits for a read that another task or thread is in, and for the last reply (seconds).
CLOSING_SECONDS: Final = 1.0


class Engine(Generic[AnyStr]):
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
        self.client: ConsumerHost[AnyStr] = client
        self.statistics = ConsumerStatistics()
        share = 2 if prefetch else 1  # what is on its way counts, too
        self._portions = Portions(max(1, count // share), max(1, buffered_bytes // share), reply_bytes)
        self._prefetch = prefetch
        self._timeout = timeout
        self._seconds = timeout  # for which the call that is under way waits
        self._slice = longest_wait
        self._cursors = cursors
        self._items: deque[tuple[AnyStr, StreamEntry[AnyStr]]] = deque()
        self._fetched: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []  # what was in the buffer after the last read
        self._readers: dict[Hashable, Reader[AnyStr]] = {}
        self._arranged = False  # every stream has its reader
        self._misplaced: list[tuple[RedisError, Hashable]] = []  # what shows that streams are somewhere else
        self._detours = 0  # how many answers in a row have said that streams are somewhere else
        self._detoured_at = 0.0  # when the first of them did
        # Slots whose last reads in this call were sent elsewhere: how often in a row, when to ask again, and what was said.
        self._redirects: dict[int, tuple[int, float, AskError]] = {}
        self._membership: reads.Membership | None = None
        self._takeover: Takeover | None = None
        self._allowance = Allowance(None)
        self._leases: dict[Key, float] = {}  # see ``_core/consumer/held``; kept by group consumers that take over
        self._suspects: list[Suspect[AnyStr]] = []  # fetched, and perhaps to be given up
        self._turn: dict[str, object] = {}  # who reads
        self._attended = False  # serving an entry takes more than taking it from the buffer
        self._guarded = False
        self._stopped = False
        self._alarm = rt.Alarm()
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
            self._guarded = True
            self._seconds = self._timeout if seconds is None else seconds
            if self._attended:
                await self._attend()
            return bool(self._items) or await self._fetch()
        finally:
            # No call here, so nothing can interrupt.
            if "reader" in turn and turn["reader"] == caller:
                self._guarded = self._attended
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

        Time runs from when the first read is sent: finding out where the streams stand does not count. When it is up,
        reads may still be outstanding; they stay so for the next call.
        """
        self.client.bind()
        closings = self.client.closings
        deadline = math.inf
        patience = rt.now() + self._seconds  # with a server that cannot be reached or refuses
        attempt = 0
        self._redirects = {}
        for cursor in self._cursors.values():
            cursor.asked = False
        for reader in self._readers.values():
            reader.begin()
            if not self._seconds:
                reader.listening = None
                for cursor in reader.cursors:
                    cursor.ready = True
        if self._stopped:
            await rt.sleep(0)  # a loop that asks again and again keeps nobody else from running
        while not self._stopped:
            try:
                for reader in self._readers.values():
                    reader.resume()
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
            if self._stopped or self._items or (self._seconds and rt.now() >= deadline):
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
                started = reader.started
                if started is not None and not started.done() and reader.overdue():
                    # Another reader's may have ended the waiting before anybody looked whether this one's reply is there.
                    await rt.wait_any((started,), rt.now())
                try:
                    self._take(reader)
                except (RedisError, RequestTimeoutError) as error:
                    self._failed(reader, error, closings, patience if deadline == math.inf else deadline)
                if not reader.cursors and reader.plan is None:
                    reader.drop()  # its streams are somewhere else
                    self._readers = {place: other for place, other in self._readers.items() if other is not reader}
            if not (self._seconds or self._suspects) and all(
                reader.answered or reader.retry_at == math.inf for reader in readers
            ):
                break  # the servers were asked in this call, and have nothing; or are not asked again in it
        if self._prefetch and self._items and not self._stopped:
            self._read_ahead()
        failures = [reader.failure for reader in self._readers.values()]
        if all(failures) and not (self._items or self._stopped):
            for failure in failures:
                # Out of reach when the time was up: nobody knows whether there is anything.
                if failure is not None and not self._on_the_way(failure):
                    raise _for_application(failure)
        return bool(self._items)

    def _read_ahead(self) -> None:
        """
        Have the next reads under way while the application deals with what it gets now.
        """
        if self.client.due():
            return  # the read that follows finds out first whether it goes to the right server
        for reader in self._readers.values():
            reader.begin()
            try:
                self._send(reader, self._seconds)
            except (RedisError, RequestTimeoutError):
                pass  # shows when the reply is wanted

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

    def _send(self, reader: Reader[AnyStr], seconds: float) -> None:
        """
        Have a read outstanding, unless there is nothing to ask for.

        Args:
            reader: where
            seconds: for which the application waits
        """
        if not (reader.connected and reader.willing()):
            return
        reader.note()  # also what came while others of its streams were read, so that it does not pile up
        room = self._room()
        if room < 1:
            reader.answered = not self._seconds
            return
        takeover = self._takeover
        due = () if takeover is None else takeover.due((cursor.name for cursor in reader.cursors), rt.now())
        if rt.now() >= reader.doubt_at:
            reader.doubt_at = math.inf
            self._doubt(reader)
        following = plan(reader.cursors, reader.last, due, reader.scattered)
        if following is None:
            if self._seconds and any(not cursor.ready or cursor.busy for cursor in reader.cursors):
                reader.listen(self._longest_wait(reader.cursors))
            else:
                reader.answered = True
            return
        block: int | None = None
        tracking: list[reads.Words] = []
        if reader.scattered and self._seconds and following.kind is Kind.NEW and reader.telling:
            tracking = reads.tracking_words(following, self._membership, reader.tracking)
        if self._seconds and following.waits:
            block = max(1, math.ceil(min(seconds, self._longest_wait(reader.cursors)) * 1000))
        reader.count = self._portion(reader, room)
        words = reads.commands(following, self._membership, reader.count, block, takeover)
        group = b"" if self._membership is None else self._membership.group
        reader.send(
            *(following, words, (block or 0) / 1000, tracking, self._ahead(reader), group, self._questions(following)),
            self._portions.limit(reader.count),
        )
        reader.failure = None

    def _room(self) -> float:
        """
        Say how many entries may be fetched.
        """
        return self._allowance.room(self._holding())

    def _portion(self, reader: Reader[AnyStr], room: float) -> int:
        """
        Say how many entries of each stream to ask for.
        """
        if room < math.inf:
            for other in self._readers.values():
                if other is not reader and other.plan is not None:
                    room -= other.count * len(other.cursors)
        return max(1, int(min(self._portions.count(len(reader.cursors)), room // len(self._cursors))))

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
        answers = list(zip(following.parts, reader.replies(), strict=True))
        good = [(part, reply) for part, reply in answers if type(reply) is not ErrorLine]
        refused = [from_line(str(reply)) for _, reply in answers if type(reply) is ErrorLine]
        cursors = {cursor.name: cursor for part, _ in good for cursor in part.cursors}
        try:
            arrived = self._read(following, cursors, [reply for _, reply in good])
        except (AttributeError, IndexError, InvalidResponse, ProtocolError, TypeError, ValueError) as error:
            unreadable = ProtocolError(f"unexpected reply to a stream read ({type(error).__name__})", may_have_run=True)
            if self._membership is not None and self._membership.acknowledge_on_delivery:
                unreadable.replies = [reply for _, reply in good]
            raise unreadable from (error if isinstance(error, ProtocolError) else None)
        for name, last in arrived.last.items():
            cursors[name].received(last)
        if reader.told and following.kind is Kind.NEW:
            for name, cursor in cursors.items():
                cursor.ready = arrived.counts.get(name, 0) >= reader.count
        self._note_acknowledged(reader)
        fresh, suspects = self._sift(following, arrived)
        nothing = not (fresh or suspects or arrived.suppressed or arrived.deleted)
        noted = {} if self._takeover is None else dict.fromkeys(arrived.keys, reader.sent_at)
        fetched = self._fetched if not fresh else list(self._items) + fresh
        reader.attempt = 0 if good else reader.attempt
        self._detours = 0 if good else self._detours
        reader.answered = not (self._seconds or refused) and following.complete and reader.sent_now and nothing
        reader.settle()
        self._portions.received(sum(arrived.counts.values()), reader.size)
        delivered = len(fresh)
        number = delivered + len(suspects)
        # Until here everything could be done again with the same reply. No call in between: nothing can interrupt here.
        self._leases |= noted
        self._suspects += suspects
        self._fetched = fetched
        self._items += fresh
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

    # ------------------------------------------------------------------------------------------------------------- places

    async def _arrange(self) -> None:
        """
        Give every stream a reader: one for each place.
        """
        while self._misplaced:
            await self.client.moved(*self._misplaced[0])
            del self._misplaced[0]
        self._arranged = True  # first: if a stream is added or removed meanwhile, that says otherwise
        try:
            await self._place(dict(self._cursors))
        except BaseException:  # cancelled and interrupted, too: it has to be done again
            self._arranged = False
            raise

    async def _place(self, cursors: dict[bytes, Cursor]) -> None:
        """
        Give these streams readers, and the others none.
        """
        well = any(reader.failure is None for reader in self._readers.values())  # those are not to wait for the others
        places = await self.client.places(cursors, patient=not well)
        for place in [place for place in self._readers if place not in places]:
            reader = self._readers[place]
            if reader.plan is None:
                reader.drop()
                del self._readers[place]
            else:
                reader.arrange([])  # gone when its last reply has come
        for place, names in places.items():
            reader = self._readers.get(place) or Reader(self.client, place)
            for name in names:
                cursors[name].slot = self.client.slot(name)
            reader.arrange([cursors[name] for name in names])
            for number, until, redirect in [
                self._redirects[cursor.slot] for cursor in reader.cursors if cursor.slot in self._redirects
            ]:
                if number > 1:
                    reader.failure = redirect
                    reader.retry_at = max(reader.retry_at, until)
            self._readers[place] = reader

    async def _nudge(self) -> None:
        """
        Have waiting reads come back, so that the next ones are of the streams there are now. Where that is not possible, they
        do at the end of their slice.
        """
        for reader in list(self._readers.values()):
            if reader.plan is not None and reader.waits:
                await self._unblock(reader)
        self._alarm.ring()

    async def _unblock(self, reader: Reader[AnyStr]) -> None:
        identifier = reader.client_id
        if identifier is None:
            return
        try:
            await self.client.issue_at(
                reader.place, Command(("CLIENT", "UNBLOCK", identifier), integer, idempotent=True)
            )
        except (RedisError, RequestTimeoutError):
            pass  # forbidden, or out of reach

    # ---------------------------------------------------------------------------------------------------- what goes wrong

    def _failed(self, reader: Reader[AnyStr], error: RedisError, closings: int, deadline: float) -> None:
        """
        Note a failed read, to be tried again later, or raise what cannot be got over.

        Args:
            reader: where it failed
            error: how
            closings: how often the client had been closed when the application's call began
            deadline: when the application's time is up
        """
        if closings != self.client.closings:
            self._lose(reader)
            raise error  # closed under way: that is the application's wish
        if isinstance(error, OversizedReplyError):
            self._portions.cut(reader.count)
            self._lose(reader)
            return  # what it had comes again at once, in smaller pieces
        self._note_detour(error)
        lost = isinstance(error, ConnectionError | RequestTimeoutError) and not isinstance(error, ReplyError)
        if reader.lasted and (lost or isinstance(error, ReadOnlyError)):
            reader.attempt = 0  # not one that is lost again and again
        if lost:
            self._lose(reader)
            self._misplaced.append((error, reader.place))
            self._arranged = False
            if isinstance(error, ProtocolError) and error.replies is not None:
                raise error  # trying again brings other entries
        elif isinstance(error, ReadOnlyError) or _demoted(error):
            self._lose(reader)  # whoever is behind the address now is found by connecting again
            self._misplaced.append((error, reader.place))
            self._arranged = False
        else:
            if isinstance(error, StreamConsumerGroupError):
                self._misplaced.append((error, reader.place))
                self._arranged = False
            self._judge_failure(error)
        reader.failure = error
        try:
            reader.retry_at = rt.now() + self._pause(error, reader.attempt, deadline)
        except RedisError:
            if all(other.failure is not None for other in self._readers.values()) and not self._on_the_way(error):
                raise
            reader.retry_at = math.inf  # the others are well, or it is; this one is tried again in the next call
        reader.attempt += 1

    def _on_the_way(self, error: RedisError) -> bool:
        """
        Tell whether a read only has to be sent to another node, or again: when the time is up then, nothing has come. Who does
        not wait wants to know what there is, and is not told that there is nothing.
        """
        lasting = self._detours > MOST_DETOURS and rt.now() - self._detoured_at > DETOUR_SECONDS
        return self._seconds > 0 and isinstance(error, _ELSEWHERE) and not lasting

    def _note_detour(self, error: RedisError) -> None:
        """
        Count the answers in a row that say that streams are somewhere else.
        """
        if not isinstance(error, _ELSEWHERE):
            self._detours = 0
            return
        if not self._detours:
            self._detoured_at = rt.now()
        self._detours += 1

    def _redirected(self, redirect: AskError) -> None:
        """
        Note that a read was sent elsewhere. The first time it goes there at once; nodes that point at each other need time to
        agree, and the place is another one each time, so that its own failures tell nothing.
        """
        before = self._redirects.get(redirect.slot)
        number = 1 if before is None else before[0] + 1
        policy = self.client.retry_policy
        pause = 0.0 if number == 1 else min(LONGEST_PAUSE, policy.pause(number - 2, rt.random()))
        if not self._seconds and number > policy.retries:
            pause = math.inf  # not in this call, which waits for nothing
        self._redirects[redirect.slot] = (number, rt.now() + pause, redirect)

    def _judge_failure(self, error: RedisError) -> None:
        """
        Raise what cannot be got over by trying again.
        """
        if isinstance(error, StreamConsumerGroupError):
            self._vanished(error)
        elif isinstance(error, ReplyError):
            if not isinstance(error, (*_PASSING, *_ELSEWHERE, ReadOnlyError)):
                raise error
        elif not isinstance(error, ConnectionError | RequestTimeoutError):
            raise error

    def _pause(self, error: RedisError, attempt: int, deadline: float) -> float:
        """
        Say how many seconds to wait before trying again, or raise when the time or the patience is at its end.
        """
        policy = self.client.retry_policy
        pause = policy.pause(attempt - 1, rt.random()) if attempt else 0.0
        if self._seconds:
            if rt.now() + pause >= deadline:
                raise _for_application(error) from error.__cause__
        elif attempt >= policy.retries:
            raise _for_application(error) from error.__cause__
        return pause

    def _lose(self, reader: Reader[AnyStr]) -> None:
        """
        Give up the connection, and see to what its last reply may have had.
        """
        if reader.connected:
            self.statistics.reconnects += 1
        reader.drop()  # last: an interruption before it leaves the loss to be found again

    # ----------------------------------------------------------------------------------------------- beginning and ending

    def _restart(self) -> None:
        """
        Forget where the streams stand and what was fetched.
        """
        self._stopped = False
        self._alarm.clear()
        self._items = deque()
        self._fetched = []
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
        self._items.clear()
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

    async def _attend(self) -> None:
        """
        Do what has to be done before the next entry is served.
        """

    def _longest_wait(self, cursors: Iterable[Cursor]) -> float:
        """
        The longest wait to ask of the server in this read, in seconds.
        """
        return self._slice

    def _holding(self) -> int | None:
        """
        How many entries are held, where that is known exactly.
        """
        return None

    def _longest_pause(self) -> float:
        """
        The longest time to fetch nothing, because too much is unacknowledged, before looking again, in seconds.
        """
        return RECOUNT_SECONDS

    def _ahead(self, reader: Reader[AnyStr]) -> Mapping[bytes, tuple[bytes, ...]]:
        """
        Acknowledgements to send ahead of a read.
        """
        return {}

    def _questions(self, following: Plan) -> Mapping[bytes, reads.Words]:
        """
        What to ask ahead of a read, by stream.
        """
        return {}

    def _note_acknowledged(self, reader: Reader[AnyStr]) -> None:
        """
        See to the answers to these.
        """

    def _doubt(self, reader: Reader[AnyStr]) -> None:
        """
        A dead connection that the server may have gone on serving is done with now; without a group it got nothing of ours.
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
    ) -> tuple[list[tuple[AnyStr, StreamEntry[AnyStr]]], list[Suspect[AnyStr]]]:
        """
        Tell the entries to serve from those that may have to be given up.
        """
        return arrived.items, []

    def _taken(self, following: Plan, arrived: arrivals.Arrivals[AnyStr]) -> None:
        """
        A reply has been dealt with.
        """

    def _vanished(self, error: StreamConsumerGroupError) -> None:
        """
        The server says that there is no such group.
        """
        raise error

    def _encoded(self, value: object) -> bytes:
        """
        Give back the bytes of a text as the server sent it.
        """
        return encode_name("reply", value, self.client.encoding)  # type: ignore[arg-type]


def _demoted(error: RedisError) -> bool:
    """
    Tell whether a waiting read was ended because the server has become a replica; it closes the connection next.
    """
    return isinstance(error, UnblockedError) and "instance state changed" in str(error)


def _for_application(error: RedisError) -> RedisError:
    """
    Make of a failure what the application is told. That nodes point at each other is not its business.
    """
    if not isinstance(error, AskError):
        return error
    told = ClusterDownError(f"CLUSTERDOWN no node has answered a read yet; the last one said: {error}")
    told.code = "CLUSTERDOWN"
    return told


def is_absent(error: Exception | None) -> bool:
    """
    Tell whether an answer means that there is no such stream.
    """
    return isinstance(error, ResponseError) and str(error).startswith("ERR no such key")
