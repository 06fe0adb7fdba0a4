# Generated from coredis/_async/patterns/engine.py by scripts/generate.py: edit that file, not this one.
"""
The engine that reads streams for consumers of either kind.

This module does what is decided elsewhere: where each stream stands and what to ask for next is in ``_core/consumer``. A
connection with its outstanding read is in ``reader``, the readers there are in ``places``, what they are sent in ``sending``,
what becomes of the replies in ``taking``, and the short way of all that in ``straight``.

There is one reader for each place where streams are: one in all on a single server, one for each node of a cluster. All of
them are waited for together, and what goes wrong with one does not keep the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, AnyStr, Final

from coredis._sync.patterns.failures import for_application
from coredis._sync.patterns.reader import Reader
from coredis._sync.patterns.straight import Straight
from coredis._sync.patterns.taking import NOTHING
from coredis._core.consumer.allowance import RECOUNT_SECONDS
from coredis._core.consumer.cursors import Cursor
from coredis._core.consumer.parameters import encode_name
from coredis._core.consumer.portions import Portions
from coredis._runtime import blocking as rt
from coredis.exceptions import (
    ConcurrentUseError,
    RedisError,
    RequestTimeoutError,
    ResponseError,
)
from coredis.types import StreamEntry

if TYPE_CHECKING:
    from coredis._sync.patterns.host import ConsumerHost

#: How long to try to reach one place while others are served (seconds): nobody waits for a dead node.
IMPATIENT_SECONDS: Final = 0.5
#: How long closing waits for a read that another task or thread is in, and for the last reply (seconds).
CLOSING_SECONDS: Final = 1.0


class Engine(Straight[AnyStr]):
    """
    Reads streams into a buffer. What a group makes different is in the methods at the end.
    """

    def __init__(
        self,
        client: ConsumerHost[AnyStr],
        cursors: dict[bytes, Cursor],
        portions: Portions,
        longest_wait: float,
        timeout: float,
    ) -> None:
        """
        Args:
            client: whose servers to read from
            cursors, portions, longest_wait: as of ``Sending``
            timeout: seconds to wait for an entry when there is none; 0: do not wait
        """
        super().__init__(cursors, portions, longest_wait)
        self.client: ConsumerHost[AnyStr] = client
        self._timeout = timeout
        self._seconds = timeout  # for which the call that is under way waits
        self._turn: dict[str, object] = {}  # who reads
        rt.after_fork(self)

    # ------------------------------------------------------------------------------------------------------------ reading

    def _fill(self, seconds: float | None = None, everything: bool = False) -> bool:
        """
        Have something in the buffer; False when nothing came.

        Args:
            seconds: for which to wait, instead of the consumer's time
            everything: have all there that was received, rather than what is served next
        """
        caller, turn = rt.caller(), self._turn
        ready = NOTHING
        try:
            # Asked and taken in one step: of two threads one is the first.
            if turn.setdefault("reader", caller) != caller:
                raise ConcurrentUseError(
                    "another task or thread is reading from this consumer; make one consumer for each, in a group if they are "
                    "to share the entries"
                )
            self._ready = NOTHING
            while self._withdrawing is not None and self._withdrawing != caller:
                rt.sleep(0.001)
            self._seconds = self._timeout if seconds is None else seconds
            if self._attended:
                self._attend()
            filled = False
            while not filled:
                if self._buffer:
                    filled = True
                elif self._unmade:
                    self._make()
                else:
                    filled = self._fetch()
                    if not self._unmade:
                        break  # otherwise somebody has drained what was made of it
            while everything and self._unmade:
                self._make(everything)
            ready = self._attended_rest() if self._attended else self._buffer.rest
            return filled
        finally:
            # No call here, so nothing can interrupt.
            if "reader" in turn and turn["reader"] == caller:
                self._ready = ready
                del turn["reader"]

    def _filled(self) -> Iterator[tuple[AnyStr, StreamEntry[AnyStr]]] | None:
        """
        Give what serves the entries in the buffer, after ``_fill``; None: there are none.
        """
        return self._buffer.rest if self._fill() else None

    @property
    def _owner(self) -> object:
        """
        Which task or thread is reading; None: none.
        """
        return self._turn.get("reader")

    def _fetch(self) -> bool:
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
        straight = self._straight()
        if straight is None:
            self._begin()
        else:
            deadline = patience
            try:
                filled = self._read_on(straight, deadline)
            except (RedisError, RequestTimeoutError) as error:
                self._failed(straight, error, closings, deadline)
            else:
                served = filled and self._serve()  # not if somebody has drained it by now: then the wait goes on
                if served or straight.answered:
                    return served
                if straight.unfinished:
                    straight.unfinished = False
                    deadline = math.inf
        if self._stopped:
            rt.sleep(0)  # a loop that asks again and again keeps nobody else from running
        while not self._stopped:
            try:
                for reader in self._readers.values():
                    if not reader.resume():
                        self._lose(reader)
                self._prepare()
                if not self._arranged:
                    self._arrange()
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
                self._rest((), rt.now() + pause)
                attempt += 1
                continue
            if self._stopped or self._buffer or self._unmade or (self._seconds and rt.now() >= deadline):
                break
            readers = list(self._readers.values())
            for reader in readers:
                try:
                    self._connect(reader, patience if deadline == math.inf else deadline)
                    if self._stopped:
                        break  # meanwhile: nobody would take what a read brought now
                    if deadline == math.inf and reader.connected:
                        deadline = rt.now() + self._seconds
                    self._send(reader, deadline - rt.now())
                except (RedisError, RequestTimeoutError) as error:
                    self._failed(reader, error, closings, patience if deadline == math.inf else deadline)
            if not self._wait(readers, deadline):
                break
            for reader in readers:
                if reader.overdue():
                    self._look_again(reader)
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
        if self._redirects:
            self._redirects = {}
        if self._exhausted:
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
        if self._prefetch and self._arranged and not self._stopped:
            self._read_ahead([reader for reader in self._readers.values() if reader.plan is None])
        return True

    def _connect(self, reader: Reader[AnyStr], deadline: float) -> None:
        """
        Have a connection where one is wanted, to the server that is the right one now.

        A read that waits at another server, which may not even know that it was replaced, is given up: its connection is
        closed, and taking its reply says so.
        """
        waiting = self._seconds and reader.started is not None and not reader.started.done()
        if not (reader.willing() or waiting):
            return
        well = not (reader.connected and self.client.due()) or reader.confirm(math.inf)
        if waiting:
            return
        if not well:
            self._lose(reader)
        if not reader.connected:
            others = any(other.connected for other in self._readers.values() if other is not reader)
            impatient = rt.now() + IMPATIENT_SECONDS
            # The first try of each call has all the time it needs, or a short call would never come to a connection.
            again = max(impatient, deadline) if self._seconds and reader.attempt else math.inf
            reader.connect(impatient if others else again)
        if self._readers.get(reader.place) is not reader:
            reader.drop()  # closed meanwhile, when there was nothing to close yet

    def _wait(self, readers: list[Reader[AnyStr]], deadline: float) -> bool:
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
        self._rest(outstanding, min(until))
        return True

    def _rest(self, outstanding: Sequence[rt.Started], deadline: float) -> None:
        """
        Wait for one of the reads, or until the deadline or the alarm.
        """
        # What is asked for without waiting comes at once or not at all: no alarm is needed for it.
        rt.wait_any(outstanding, deadline, self._alarm if self._seconds else None)
        if self._alarm.rung and not self._stopped:
            self._alarm.clear()

    # ----------------------------------------------------------------------------------------------- beginning and ending

    def _restart(self) -> None:
        """
        Forget where the streams stand and what was fetched; not what is nowhere else.
        """
        self._stopped = False
        self._alarm.clear()
        if self._membership is None or not self._membership.acknowledge_on_delivery:
            self._discard()
        self._unmade = ()
        self._phantoms.clear()
        self._allowance.reset()
        for cursor in list(self._cursors.values()):
            cursor.reset()

    def _finish(self) -> None:
        """
        Give up the reading: nobody reads any more, and the connections are closed.
        """
        limit = rt.now() + CLOSING_SECONDS
        while self._owner not in (None, rt.caller()) and rt.now() < limit:
            rt.sleep(0.001)  # whoever reads has been woken
        for reader in self._readers.values():
            reader.drop()
        self._readers = {}
        self._phantoms.clear()  # what they are given is no business of who begins afresh
        self._arranged = False

    def forget_parent(self) -> None:
        """
        Begin afresh in a forked child: the connection, and what was received on it, stay the parent's.
        """
        for reader in self._readers.values():
            reader.forget_parent()
        self._readers = {}
        self._arranged = False
        self._discard()
        self._unmade = ()
        self._turn = {}
        self._withdrawing = None
        self._alarm = rt.Alarm()
        self._restart()

    def __del__(self) -> None:
        for reader in getattr(self, "_readers", {}).values():  # absent when the constructor refused its arguments
            reader.drop_from_finalizer()

    # ----------------------------------------------------------------------------- what kinds of consumers do differently

    def _locate(self, cursors: Iterable[Cursor]) -> None:
        """
        Find out where streams begin that have not begun yet.
        """
        raise NotImplementedError

    def _prepare(self) -> None:
        """
        Do what has to be done before the next read.
        """
        # Another thread may add or remove some, here and wherever else these are gone through.
        self._locate(list(self._cursors.values()))

    def _attend(self) -> None:
        """
        Do what has to be done before the next entry is served.
        """

    def _attended_rest(self) -> Iterator[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give what gives entries from the buffer for as long as there is nothing to do before.
        """
        return self._buffer.rest

    def _longest_pause(self) -> float:
        """
        The longest time to fetch nothing, because too much is unacknowledged, before looking again, in seconds.
        """
        return RECOUNT_SECONDS

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
