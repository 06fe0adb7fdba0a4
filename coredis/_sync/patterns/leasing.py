# Generated from coredis/_async/patterns/leasing.py by scripts/generate.py: edit that file, not this one.
"""
What a member of a group does about what it holds: entries that may change hands before they are acknowledged.

It renews their leases, drops from its buffer what others have taken over, and gives up what was delivered too often, while that
is known to be its own. What is held, and since when, is in ``_core/consumer/held``.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator
from itertools import compress, repeat
from operator import itemgetter
from typing import AnyStr, Final

from coredis._sync.patterns.consumer import Consumer
from coredis._sync.patterns.giving_up import GivingUp
from coredis._sync.patterns.pending import PendingEntries
from coredis._sync.patterns.taking import NOTHING
from coredis._core.consumer.cursors import Kind
from coredis._core.consumer.deadletters import Suspect
from coredis._core.consumer.held import Held, Key, Ripe
from coredis._core.consumer.parameters import GroupOptions
from coredis._runtime import blocking as rt
from coredis.exceptions import RedisError, ReplyError, RequestTimeoutError, StreamConsumerGroupError
from coredis.types import StreamEntry

#: After a renewal that failed, the next one is tried so much later (seconds): entries in the buffer do not wait for it.
RENEWAL_PAUSE: Final = 1.0
#: So many times while a lease grows old it is looked whether one has: that is how late a renewal may be.
LOOKS: Final = 8

_SECOND: Final = itemgetter(1)


class Lookout:
    """
    Says, when called, whether the next entry may be served without a look at the leases.

    It knows nothing of the consumer, which keeps what asks it: with a circle of references a consumer that is forgotten would
    not be freed at once.

    Attributes:
        until: when leases are to be looked at again (monotonic seconds)
    """

    __slots__ = ("_held", "until")

    def __init__(self, held: Held) -> None:
        self._held = held
        self.until = -math.inf

    def __call__(self) -> bool:
        # The clock first. No call after that, nor before the entry is taken: who withdraws the buffer and says so in ``until``
        # (another thread, a signal handler) is either noticed, or comes after it.
        return rt.now() < self.until and not self._held.lost


class Leasing(Consumer[AnyStr]):
    """
    A member that holds entries for so long as their leases run.
    """

    _pending: PendingEntries[AnyStr]
    _held: Held | None
    _giving_up: GivingUp[AnyStr] | None
    _options: GroupOptions
    auto_acknowledge: bool
    _renewing: object
    _not_before: float
    _lookout: Lookout
    _deferred: bool  # an entry could not be given up

    def _attend(self) -> None:
        """
        Renew leases that are due, and drop entries from the buffer that others have taken over.
        """
        if self._buffer and rt.now() >= self._not_before:  # otherwise it is done before the next read
            try:
                self._look_after()
            except (RedisError, RequestTimeoutError):
                self._not_before = rt.now() + RENEWAL_PAUSE
        self._drop_lost()

    def _attended_rest(self) -> Iterator[tuple[AnyStr, StreamEntry[AnyStr]]]:
        # One step of it asks, and takes an entry from the buffer only after a yes: interrupted in between, none is taken. It is
        # no generator, since two threads that both read are to be told that, and not that a generator is running.
        return map(_SECOND, zip(iter(self._lookout, False), self._buffer.rest, strict=False))

    def _look_after(self) -> None:
        """
        Renew leases that are due, unless that was looked at a moment ago: all that is held has to be gone through for that,
        which would make an entry the dearer the more of them are not acknowledged.
        """
        if rt.now() >= self._lookout.until:
            self.renew()
            self._lookout.until = rt.now() + self._options.renewal_age / LOOKS

    def _halt(self) -> None:
        # First: somebody may be just asking, and is told no if they have not been told yet.
        if self._attended:
            self._lookout.until = -math.inf
        super()._halt()

    def _note_leases(self, since: float) -> None:
        # The reply may have been here for long before anybody asked for it.
        self._lookout.until = min(self._lookout.until, since + self._options.renewal_age)

    def renew(self) -> None:
        """
        Renew the leases of what this consumer holds, where they are getting old. It is done whenever an entry is asked for;
        call it while processing that takes long, or have a ``heartbeat``.

        Raises:
            ConnectionError: the server cannot be reached
        """
        held, idle, age = self._held, self._options.claim_idle, self._options.renewal_age
        if held is None or idle is None or self._renewing is not None:
            return
        ripe = held.ripe(rt.now(), idle)
        if not (ripe or held.due(rt.now(), age)):
            return
        # Two at once, one from a heartbeat, would each find the entries younger than they should be.
        self._renewing = rt.caller()
        try:
            for some in ripe:
                self._leave_to_server(held, some, idle)
            self.statistics.taken_over += self._pending.renew(held, age, idle, self._outstanding)
        finally:
            self._renewing = None

    def _leave_to_server(self, held: Held, ripe: Ripe, idle: int) -> None:
        """
        Hand back entries for the rest of their delay.
        """
        held.let_go(ripe.name, ripe.leases, outstanding=False)
        left = max(0, math.ceil((ripe.until - rt.now()) * 1000))
        try:
            self._pending.hand_back(ripe.name, ripe.leases, idle - left, silent=False)
        except StreamConsumerGroupError:
            raise  # the stream or its group is gone: nothing is pending there, and nothing is left to hand back
        except BaseException:  # cancelled, too: perhaps it was not done, and doing it twice does no harm
            again = {found: touched for found, touched in ripe.leases.items() if (ripe.name, found) not in held}
            held.postpone(ripe.name, again, ripe.until)
            raise

    def _renewal_over(self) -> None:
        """
        Wait until a renewal that is under way in another task or thread has ended: it may renew what has just been let go.
        """
        while self._renewing not in (None, rt.caller()):
            rt.sleep(0.001)

    def _take_back(self, name: bytes, found: Iterable[bytes]) -> None:
        """
        See to it that entries that are handed back are not served, should they not have been yet: whoever hands them back may
        know them from before.
        """
        if self.auto_acknowledge:
            return  # nothing is handed back, and they are nowhere else
        text = self.client.replies.text
        if any(map(self._buffer.waits, repeat(text(name)), map(text, found))):
            while self._owner not in (None, rt.caller()) and self._buffer:
                rt.sleep(0.001)  # somebody is just about to be served
            self._withhold({(name, identifier) for identifier in found})

    def _withhold(self, keys: Container[Key]) -> None:
        """
        Serve some entries no more that are in the buffer. Nobody else may be reading, but a loop may have its iterator.
        """
        buffer = self._buffer
        waiting = buffer.waiting()
        if not waiting:
            return
        gone = [(self._encoded(stream), self._encoded(entry.identifier)) in keys for stream, entry in waiting]
        others, last = buffer.without(gone), len(waiting) - 1
        left: list[tuple[AnyStr, StreamEntry[AnyStr]]] = []
        # One step takes all of them, so the iterator gives none of them any more.
        left += buffer.rest
        if left[last:]:
            # Nobody was served one meanwhile. No call since that step, so nothing can interrupt here.
            self._ready = NOTHING
            self._buffer = others
            return
        kept = list(compress(left, [not each for each in gone[len(waiting) - len(left) :]]))
        self._ready = NOTHING
        self._buffer = buffer.followed_by([stream for stream, _ in kept], [entry for _, entry in kept])

    def _drop_lost(self) -> None:
        """
        Drop entries from the buffer, and suspects, that others have taken over; suspects, too, that are not pending any more.
        """
        assert self._held is not None
        if self._suspects:
            leases = self._held.leases
            # Of those without a count it is not known whether they were given up: that is asked, and told.
            left = [suspect for suspect in self._suspects if suspect.deliveries is None or suspect.key in leases]
            dropped = len(self._suspects) - len(left)
            self._suspects = left
            if dropped:
                self._settle(dropped)
        lost = list(self._held.lost)
        if lost:
            self._withhold(set(lost))
        self._held.lost.difference_update(lost)  # a heartbeat may have found more

    def _judge(self) -> None:
        """
        Serve suspects that have not been delivered too often, and give up the others.
        """
        giving_up, held = self._giving_up, self._held
        assert giving_up is not None and held is not None
        unknown = [suspect.key for suspect in self._suspects if suspect.deliveries is None]
        if unknown:
            counts = self._pending.deliveries(unknown)
            judged: list[Suspect[AnyStr]] = []
            for suspect in self._suspects:
                count = counts.get(suspect.key, 0)
                if suspect.deliveries is not None:
                    judged.append(suspect)
                elif count:
                    judged.append(suspect._replace(deliveries=max(0, count - 1 - suspect.excused)))
                else:  # given up after all, or acknowledged elsewhere; or taken over meanwhile (None)
                    held.let_go(suspect.key[0], (suspect.key[1],), outstanding=False)
                    self.statistics.dead_lettered += suspect.tried and count is not None
            settled = len(self._suspects) - len(judged)
            self._suspects = judged
            self._settle(settled)
        served = [suspect.item for suspect in self._suspects if self._acquitted(suspect)]
        others = [suspect for suspect in self._suspects if not self._acquitted(suspect)]
        number = len(served)
        buffer = self._buffer.followed_by([stream for stream, _ in served], [entry for _, entry in served])
        # No call between these statements, so nothing can interrupt here.
        self._buffer = buffer
        self.statistics.delivered += number
        self._suspects = others
        if self._deferred:  # a read comes before the next try
            self._deferred = False
            return
        while self._suspects:
            suspect = self._suspects[0]
            if suspect.failed and self._buffer:
                break
            if not self._is_ours(suspect.key):
                if self._suspects and self._suspects[0] is suspect:
                    break  # the server is too slow to tell; a read comes before the next try
                continue  # it is no suspect any more
            # If this does not come back, the server is asked what became of it.
            self._suspects[0] = suspect._replace(deliveries=None)
            try:
                giving_up.tell(suspect)
            except Exception:
                self._defer()
                raise
            self._suspects[0] = suspect._replace(deliveries=None, tried=True)
            try:
                giving_up.bury(suspect)
            except ReplyError:
                self._defer()
                raise
            self.statistics.dead_lettered += 1
            del self._suspects[0]
            held.let_go(suspect.key[0], (suspect.key[1],), outstanding=False)
            self._settle(1)

    def _is_ours(self, key: Key) -> bool:
        """
        Tell whether nobody can have taken over an entry that we hold. Long after it was read, the server is asked: who has
        taken it over may have given it up by now. Those that are known to be taken over are dropped.
        """
        held, idle = self._held, self._options.claim_idle
        assert held is not None
        if idle is None:
            return True
        if rt.now() - held.leases.get(key, -math.inf) >= self._options.renewal_age:
            self._renewal_over()
            self.renew()
        self._drop_lost()
        return rt.now() - held.leases.get(key, -math.inf) < idle / 1000

    def _acquitted(self, suspect: Suspect[AnyStr]) -> bool:
        assert self._giving_up is not None and suspect.deliveries is not None
        return suspect.deliveries < self._giving_up.most

    def _defer(self) -> None:
        """
        Put the first suspect behind the others: it could not be given up, which is not to keep them from being served.
        """
        first, *others = self._suspects
        self._suspects = [*others, first._replace(failed=True)]
        self._deferred = True

    def _settle(self, count: int) -> None:
        """
        Note that entries were acknowledged or handed back, and wake a read that is put off because there were too many.
        """
        self._allowance.settled += count
        self._wake()

    def _wake(self) -> None:
        """
        Let who reads look again, if nothing was fetched because too much was unacknowledged.
        """
        if self._allowance.paused:
            self._alarm.ring()

    def _outstanding(self) -> bool:
        """
        Tell whether a read is under way whose reply may have entries that were pending when it was sent.
        """
        # With CLAIM, even a read of new entries may.
        native = self._takeover is not None and self._takeover.native
        return any(
            reader.plan is not None and (native or reader.plan.kind is not Kind.NEW)
            for reader in list(self._readers.values())
        )
