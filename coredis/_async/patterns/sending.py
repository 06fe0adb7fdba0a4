"""
How a consumer sends its reads: when there is something to ask for, and how much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import AnyStr

from coredis._async.patterns.places import Places
from coredis._async.patterns.reader import Reader
from coredis._core.consumer import reads
from coredis._core.consumer.allowance import Allowance
from coredis._core.consumer.claims import Takeover
from coredis._core.consumer.cursors import Cursor, Kind, Plan, plan, share
from coredis._core.consumer.phantoms import done_with
from coredis._core.consumer.portions import Portions
from coredis._runtime import aio as rt
from coredis.exceptions import RedisError, RequestTimeoutError


class Sending(Places[AnyStr]):
    """
    The reads of a consumer. What a group makes different is in the methods at the end.
    """

    def __init__(self, cursors: dict[bytes, Cursor], portions: Portions, longest_wait: float) -> None:
        """
        Args:
            cursors: where each stream stands, by name
            portions: how much to ask for, and whether the next read is under way while entries are served
            longest_wait: seconds that a server is asked to wait at a time
        """
        super().__init__(cursors)
        self._portions = portions
        self._prefetch = portions.ahead
        self._slice = longest_wait
        self._allowance = Allowance(None)
        self._membership: reads.Membership | None = None
        self._takeover: Takeover | None = None

    def _send(self, reader: Reader[AnyStr], seconds: float, ahead: bool = False) -> None:
        """
        Have a read outstanding, unless there is nothing to ask for.

        Args:
            reader: where
            seconds: for which the application waits
            ahead: what its last read has brought is not served yet
        """
        since = reader.sent_at
        if not (reader.connected and reader.willing()):
            return
        reader.note()  # also what came while others of its streams were read, so that it does not pile up
        if self._phantoms:
            self._outlast(reader)
        room = self._room()
        if room < 1:
            reader.answered = not self._seconds
            return
        takeover = self._takeover
        due = () if takeover is None else takeover.due((cursor.name for cursor in reader.cursors), rt.now())
        asked, after = self._asked(reader)
        following = plan(asked, reader.last, due, reader.scattered)
        count = self._portion(reader, len(asked), room)
        if ahead and (held := reader.held(asked)):
            count = self._portions.beside(count, held)
            if count < 1:
                return  # not before that has been served
        if following is not None and asked is not reader.cursors:
            if following.kind is not Kind.CLAIM:  # else their new entries come next
                reader.next_share = after
            following = following._replace(waits=False, complete=False)
        reader.partial = asked is not reader.cursors
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
        reader.count = count
        acknowledging, questions, limit = self._ahead(reader), self._questions(following), self._portions.limit(count)
        reader.send(following, self._membership, block, takeover, tracking, acknowledging, questions, limit, since)
        reader.failure = None

    def _outlast(self, reader: Reader[AnyStr]) -> None:
        """
        Look through the streams of dead connections that cannot be served any more by now. Those that are read elsewhere, or
        of which a read is outstanding, have their turn later.
        """
        now = rt.now()
        for phantom in [phantom for phantom in self._phantoms if now >= phantom.until]:
            floors: dict[bytes, bytes] = {}
            left: dict[bytes, bytes] = {}
            for name, floor in phantom.floors.items():
                cursor = self._cursors.get(name)
                if cursor is not None:
                    mine = reader.by_name.get(name) is cursor and not cursor.busy
                    (floors if mine else left)[name] = floor
            if floors:
                self._doubt(floors, phantom.sure)
            phantom.floors = left
            if not left:
                done_with(self._phantoms, phantom)

    def _asked(self, reader: Reader[AnyStr]) -> tuple[tuple[Cursor, ...], int]:
        """
        Give the streams that are asked next: those of one connection, or a share of them where all would be too many. And where
        the next share begins.
        """
        cursors = reader.cursors
        number = self._portions.streams(len(cursors))
        if number == len(cursors) or reader.scattered:
            return cursors, 0
        return share(cursors, reader.next_share, number, self._portions.streams(len(cursors), pending=True))

    def _portion(self, reader: Reader[AnyStr], streams: int, room: float) -> int:
        """
        Say how many entries of each of so many streams to ask for.
        """
        if room < math.inf:
            for other in self._readers.values():
                if other is not reader and other.plan is not None:
                    room -= other.count * len(other.cursors)
        return max(1, int(min(self._portions.count(streams, len(reader.cursors)), room // len(self._cursors))))

    def _read_ahead(self, readers: Iterable[Reader[AnyStr]]) -> None:
        """
        Have the next reads under way while the application deals with what it gets now.
        """
        if self.client.due():
            return  # the read that follows finds out first whether it goes to the right server
        for reader in readers:
            reader.begin()
            try:
                self._send(reader, self._seconds, ahead=True)
            except (RedisError, RequestTimeoutError):
                if reader.plan is not None:  # it may have been sent, and after that nothing would show it
                    self._lose(reader)

    # ----------------------------------------------------------------------------- what kinds of consumers do differently

    def _longest_wait(self, cursors: Iterable[Cursor]) -> float:
        """
        The longest wait to ask of the server in this read, in seconds.
        """
        return self._slice

    def _room(self) -> float:
        """
        Say how many entries may be fetched; without a group any number.
        """
        return math.inf

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

    def _doubt(self, floors: Mapping[bytes, bytes], sure: bool) -> None:
        """
        A dead connection that the server may have gone on serving is done with now; without a group it got nothing of ours.

        Args:
            floors: the last identifier that had been received of each of its streams when it was given up
            sure: something is pending after these that has not been received
        """
