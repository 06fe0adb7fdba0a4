# Generated from coredis/_async/patterns/groups.py by scripts/generate.py: edit that file, not this one.
"""
Find, make and heal the consumer groups of one consumer's streams.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, AnyStr, Final, Generic

from coredis._sync.patterns.engine import is_absent
from coredis._core import identifiers
from coredis._core.consumer.cursors import BEGINNING, Cursor
from coredis._core.consumer.parameters import encode_name
from coredis._core.consumer.reads import Membership
from coredis._core.consumer.statistics import ConsumerStatistics
from coredis.exceptions import ResponseError, StreamDuplicateConsumerGroupError

if TYPE_CHECKING:
    from coredis._sync.patterns.host import ConsumerHost

logger: Final = logging.getLogger("coredis.streams")


class Groups(Generic[AnyStr]):
    """
    The consumer group of one name in several streams.
    """

    def __init__(
        self, client: ConsumerHost[AnyStr], membership: Membership, start: bytes, statistics: ConsumerStatistics
    ) -> None:
        """
        Args:
            client: whose server has the streams
            membership: names the group
            start: where a group that is made begins
            statistics: where it is counted that one was made again
        """
        self._client: ConsumerHost[AnyStr] = client
        self._group = membership.group
        self._start = start
        self._statistics = statistics

    def standing(self, cursors: Iterable[Cursor]) -> dict[bytes, bytes | None]:
        """
        Ask where the group stands in each stream; None: there is no such group.
        """
        pipeline = self._client.pipeline(transaction=False, raise_on_error=False)
        handles = {cursor.name: pipeline.xinfo_groups(cursor.name) for cursor in cursors}
        pipeline.execute()
        standing: dict[bytes, bytes | None] = {}
        for name, handle in handles.items():
            standing[name] = None
            if is_absent(handle.error):
                continue
            for group in handle.result():
                fields = {self._encoded(field): value for field, value in group.items()}
                if self._encoded(fields[b"name"]) == self._group:
                    standing[name] = self._encoded(fields[b"last-delivered-id"])
        return standing

    def create(self, cursors: Iterable[Cursor]) -> None:
        """
        Make the group where it is missing; somebody else may be doing the same.

        A group that has vanished begins again after the last entry received here, if the stream still reaches that far.
        """
        for cursor in cursors:
            start = self._start
            if cursor.known:
                start = self._resumption(cursor)
            try:
                self._client.xgroup_create(cursor.name, self._group, start, mkstream=True)
            except StreamDuplicateConsumerGroupError:
                pass
            if cursor.known:
                self._statistics.groups_recreated += 1
                logger.warning("consumer group %r of %r had vanished; made again", self._group, cursor.given)

    def _resumption(self, cursor: Cursor) -> bytes:
        try:
            information = self._client.xinfo_stream(cursor.name)
        except ResponseError as error:
            if not is_absent(error):
                raise
            return BEGINNING
        last = self._encoded(information["last-generated-id"])
        if identifiers.parse(last) >= identifiers.parse(cursor.floor):
            return cursor.floor
        # Made anew with smaller identifiers: to go on after the old ones would skip what is there.
        cursor.floor = BEGINNING
        return BEGINNING

    def _encoded(self, value: object) -> bytes:
        return encode_name("reply", value, self._client.encoding)  # type: ignore[arg-type]
