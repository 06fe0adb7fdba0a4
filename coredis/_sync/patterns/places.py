# Generated from coredis/_async/patterns/places.py by scripts/generate.py: edit that file, not this one.
"""
Where a consumer reads its streams: one reader for each place.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._sync.patterns.failures import Failures
from coredis._sync.patterns.reader import Reader
from coredis._core.command import Command
from coredis._core.consumer.cursors import Cursor
from coredis._core.replies.shapes import integer
from coredis._runtime import blocking as rt
from coredis.exceptions import RedisError, RequestTimeoutError


class Places(Failures[AnyStr]):
    """
    The readers of a consumer, and which streams each of them has.
    """

    def __init__(self, cursors: dict[bytes, Cursor]) -> None:
        """
        Args:
            cursors: where each stream stands, by name
        """
        super().__init__()
        self._cursors = cursors
        self._readers = {}
        self._arranged = False
        self._alarm = rt.Alarm()

    def _arrange(self) -> None:
        """
        Give every stream a reader: one for each place.
        """
        while self._misplaced:
            self.client.moved(*self._misplaced[0])
            del self._misplaced[0]
        self._arranged = True  # first: if a stream is added or removed meanwhile, that says otherwise
        try:
            self._place(dict(self._cursors))
        except BaseException:  # cancelled and interrupted, too: it has to be done again
            self._arranged = False
            raise

    def _place(self, cursors: dict[bytes, Cursor]) -> None:
        """
        Give these streams readers, and the others none.
        """
        well = any(reader.failure is None for reader in self._readers.values())  # those are not to wait for the others
        places = self.client.places(cursors, patient=not well)
        for place in [place for place in self._readers if place not in places]:
            reader = self._readers[place]
            if reader.plan is None:
                reader.drop()
                del self._readers[place]
            else:
                reader.arrange(())  # gone when its last reply has come
        for place, names in places.items():
            reader = self._readers.get(place) or Reader(self.client, place, self._phantoms)
            for name in names:
                cursors[name].slot = self.client.slot(name)
            reader.arrange(tuple([cursors[name] for name in names]))
            for number, until, redirect in [
                self._redirects[cursor.slot] for cursor in reader.cursors if cursor.slot in self._redirects
            ]:
                if number > 1:
                    reader.failure = redirect
                    reader.retry_at = max(reader.retry_at, until)
            self._readers[place] = reader

    def _nudge(self) -> None:
        """
        Have waiting reads come back, so that the next ones are of the streams there are now. Where that is not possible, they
        do at the end of their slice.
        """
        for reader in list(self._readers.values()):
            if reader.plan is not None and reader.waits:
                self._unblock(reader)
        self._alarm.ring()

    def _unblock(self, reader: Reader[AnyStr]) -> None:
        identifier = reader.client_id
        if identifier is None:
            return
        try:
            self.client.issue_at(
                reader.place, Command(("CLIENT", "UNBLOCK", identifier), integer, idempotent=True)
            )
        except (RedisError, RequestTimeoutError):
            pass  # forbidden, or out of reach
