# Generated from coredis/_async/patterns/leaving.py by scripts/generate.py: edit that file, not this one.
"""
How a member of a group leaves: what is still on its way is kept or given up, and what was not served is handed back.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._sync.patterns.engine import CLOSING_SECONDS
from coredis._sync.patterns.member import Member
from coredis._sync.patterns.reader import Reader
from coredis._runtime import blocking as rt
from coredis.exceptions import RedisError, RequestTimeoutError, StreamConsumerGroupError


class Leaving(Member[AnyStr]):
    """
    The end of a member's reading; ``GroupConsumer.close`` does it step by step.
    """

    def _collect(self, wanted: bool) -> None:
        """
        Have the outstanding reads answered and keep what they bring, where it would be lost otherwise or is to be handed back.
        """
        limit = rt.now() + CLOSING_SECONDS
        while self._owner not in (None, rt.caller()) and rt.now() < limit:
            rt.sleep(0.001)
        for reader in list(self._readers.values()):
            reader.resume()
            if reader.started is None or reader.plan is None or not (wanted or self.auto_acknowledge):
                continue
            if reader.waits and not reader.started.done():
                self._unblock(reader)
            rt.wait_any((reader.started,), rt.now() + CLOSING_SECONDS)
            self._conclude(reader)

    def _release(self, everything: bool) -> None:
        if self.auto_acknowledge:
            return  # nothing is pending, and what was fetched is nowhere else
        held = self._held
        returning = {
            name: list(found) for name, found in self._returning.items()
        }  # those of a close that was broken off
        self._withdrawing = rt.caller()
        try:
            self._halt()
            # One step takes them, whatever another thread is about to serve. From now on nothing of it is served, for whoever
            # takes over may have it already.
            self._withdrawn += self._buffer.rest
            for stream, entry in (*self._withdrawn, *(suspect.item for suspect in self._suspects)):
                returning.setdefault(self._encoded(stream), []).append(self._encoded(entry.identifier))
            # No call between these statements, so nothing can interrupt here.
            self._returning = returning
            self._withdrawn = []
            self._suspects = []
        finally:
            self._withdrawing = None
        if held is not None:
            if everything:
                held.clear()
            for name, found in returning.items():
                held.let_go(name, found, outstanding=False)
        self._renewal_over()
        if everything:
            for name in list(self._cursors):
                try:
                    self._pending.hand_back_all(name)
                except StreamConsumerGroupError:
                    pass  # the stream or its group is gone, and nothing is pending there
        else:
            for name, found in list(returning.items()):
                try:
                    self._pending.hand_back(name, found, None, silent=True)
                except StreamConsumerGroupError:
                    pass  # as above
                del self._returning[name]
        self._returning = {}

    def _finish(self) -> None:
        if self.auto_acknowledge:
            for reader in list(self._readers.values()):  # there are some when closing was broken off
                reader.resume()
                if reader.started is not None:
                    self._conclude(reader)
        super()._finish()
        self._deleted.clear()
        self._stop_heartbeat()

    def _conclude(self, reader: Reader[AnyStr]) -> None:
        """
        Keep what an outstanding read has brought; one that has not been answered is lost.
        """
        concluded = reader.plan if self._buffer else None
        try:
            self._take(reader)
        except (RedisError, RequestTimeoutError):
            pass
        if reader.plan is not None:
            self._lose(reader)
        if concluded is not None:
            for cursor in concluded.cursors():
                cursor.before = None  # what came before this reply has not all been served
