"""
The short way of a read: what nearly every call of a consumer finds.

There is one place to read at, nothing is wrong, and nothing but new entries is wanted: then a read is sent, waited for and
taken with one look at each thing. Where it is of a single stream, what is sent and what has come is as simple as it can be,
and costs half as much as what is in ``sending`` and ``taking``. Whatever is out of the ordinary is left to these: they find
everything as it was.
"""

from __future__ import annotations

import math
from itertools import repeat
from typing import AnyStr, Final

from coredis._async.patterns.reader import Reader
from coredis._async.patterns.taking import NOTHING, UNREADABLE, Taking
from coredis._core.consumer import arrivals, pieces
from coredis._core.consumer.cursors import Cursor, Phase, for_new_entries
from coredis._runtime import aio as rt

_AFTER: Final = Phase.AFTER  # names of a module are found faster than those of a class
_READ_ON: Final = (Phase.NEW, _AFTER)


class Straight(Taking[AnyStr]):
    """
    Reads that need nothing but to be sent and waited for.
    """

    def _straight(self) -> Reader[AnyStr] | None:
        """
        Give the only reader there is if nothing has to be done but to wait for its read of new entries, which may have to be
        sent yet; None: there is more to see to.
        """
        readers = self._readers
        if len(readers) != 1 or not self._arranged or self._stopped or self._redirects or self._exhausted:
            return None
        if self.client.due() or not self._calm():
            return None
        (reader,) = readers.values()
        if not reader.straight(self._seconds > 0):
            return None
        only = reader.only
        if only is None:
            return reader if for_new_entries(self._asked(reader)[0]) and self._room() >= 1 else None
        if only.phase not in _READ_ON:
            return None
        # Before a read is sent, the room is looked at there.
        return reader if reader.plan is None or self._room() >= 1 else None

    async def _read_on(self, reader: Reader[AnyStr], deadline: float) -> bool:
        """
        Read once, where ``_straight`` has said that it can be done.

        Returns:
            whether something is in the buffer now

        Raises:
            RedisError: as ``_send`` and ``_take``
        """
        since = reader.sent_at
        if reader.plan is None:
            if reader.only is None:
                self._send(reader, self._seconds)
            elif not self._send_alone(reader, reader.only, since):
                return False
        started = reader.started
        if started is None:
            return False
        if not self._seconds:
            done = await rt.wait_one(started, reader.deadline)
        else:
            done = await rt.wait_one(started, min(deadline, reader.deadline, self.client.due_at()), self._alarm)
            if self._alarm.rung and not self._stopped:
                self._alarm.clear()
        if done:
            if self._take_alone(reader):
                return True
        elif reader.overdue():
            await self._look_again(reader)
        self._take(reader)
        return len(self._buffer) > 0

    async def _look_again(self, reader: Reader[AnyStr]) -> None:
        """
        See whether the reply is there that seems to be late: another reader's, or the alarm, may have ended the waiting before
        anybody looked.
        """
        started = reader.started
        if started is not None and not started.done():
            await rt.wait_any((started,), rt.now())

    def _send_alone(self, reader: Reader[AnyStr], cursor: Cursor, since: float) -> bool:
        """
        As ``_send``, where there is nothing outstanding and one stream; False: nothing may be fetched now.

        Args:
            since: as of ``Reader.send``
        """
        count, most = self._portions.alone
        room = self._room()
        if room < 1:
            return False
        # Where there are several streams, who reads what shows only where all of them are.
        if cursor.busy or room < count * len(self._cursors):
            self._send(reader, self._seconds)
            return True
        block = None
        if self._seconds:
            block = max(1, math.ceil(min(self._seconds, self._longest_wait(reader.cursors)) * 1000))
        reader.send_alone(cursor, self._membership, count, block, self._ahead(reader), most, since)
        return True

    def _take_alone(self, reader: Reader[AnyStr]) -> bool:
        """
        As ``_take``, of a reply that is there, if it brought entries of one stream, and nothing else; False: nothing was done.
        """
        cursor, following, started = reader.alone, reader.plan, reader.started
        if cursor is None or started is None or started.failure is not None or self._prefetch or self._unmade:
            return False
        if cursor.phase not in _READ_ON:
            return False
        try:
            most = 2 * pieces.PIECE if self._membership is None else math.inf
            alone = arrivals.alone(started.replies[-1], cursor.name, self.client.replies, most)
            if alone is None:
                return False
            if reader.acknowledging:
                self._note_acknowledged(reader)
        except UNREADABLE:
            return False  # which is told there
        entries, last = alone
        number = len(entries)
        buffer = self._buffer.followed_by(repeat(self.client.replies.text(cursor.name)), entries, following)
        self._portions.received(number, reader.size, 0)  # one stream is never too many to be asked at a time
        if reader.started is not started:
            return len(self._buffer) > 0  # a signal handler has taken it, within this call
        # Until here everything could be done again with the same reply. No call in between: nothing can interrupt here. So this
        # is written out, too, which ``Cursor.received`` does.
        if cursor.phase is _AFTER:
            cursor.position = last
        else:
            if last != cursor.floor:
                cursor.before = cursor.floor if cursor.heard else None
            cursor.heard, cursor.floor = True, last
        cursor.busy = False
        self._detours = 0
        self._ready = NOTHING
        self._buffer = buffer
        self.statistics.delivered += number
        self._allowance.fetched += number
        reader.taken = following
        reader.plan = reader.started = None
        return True

    # ----------------------------------------------------------------------------- what kinds of consumers do differently

    def _calm(self) -> bool:
        """
        Tell whether nothing but a read of new entries is wanted, so that ``_prepare`` has nothing to do.
        """
        return True
