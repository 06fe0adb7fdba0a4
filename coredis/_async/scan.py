"""
Iterators over keys and over the members of one key, page by page.

An iterator holds no connection and no lock, so it may be left at any point. What is there during the whole iteration comes at
least once; what comes or goes meanwhile may come or not; anything may come more than once
(https://redis.io/docs/latest/commands/scan/#scan-guarantees).
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import AnyStr, Generic, TypeVar

from coredis._async.commands.base import Commands
from coredis._core.command import Command
from coredis._core.commands import hashes, keys, sets
from coredis.types import ScoredMember
from coredis.typing import KeyT, StringT

Item = TypeVar("Item")


class ScanIterator(Generic[Item]):
    """
    An iterator that asks for the next page when it has given everything of the last one.

    Args:
        client: executes the commands
        page: makes the command that gets the page of a cursor
    """

    def __init__(
        self, client: Commands[str] | Commands[bytes], page: Callable[[int], Command[tuple[int, Iterable[Item]]]]
    ) -> None:
        page(0)  # A wrong argument fails here and not at the first step.
        self._client = client
        self._page = page
        self._cursor = 0
        self._complete = False
        self._items: deque[Item] = deque()

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        while not self._items:
            if self._complete:
                raise StopAsyncIteration
            # Interrupted here, the iterator stands where it stood, and the same page is asked for again.
            self._cursor, items = await self._client.issue(self._page(self._cursor))
            self._items.extend(items)
            self._complete = self._cursor == 0
        return self._items.popleft()


class ScanIterators(Commands[AnyStr]):
    """
    The iterators of a client.
    """

    def scan_iter(
        self, match: StringT | None = None, count: int | None = None, type_: StringT | None = None
    ) -> AsyncIterator[AnyStr]:
        """
        Iterate over the keys of the database. See ``scan``.
        """

        def page(cursor: int) -> Command[tuple[int, Iterable[AnyStr]]]:
            return keys.scan(cursor, match, count, type_, self.replies.key_page)

        return ScanIterator(self, page)

    def hscan_iter(
        self, key: KeyT, match: StringT | None = None, count: int | None = None
    ) -> AsyncIterator[tuple[AnyStr, AnyStr]]:
        """
        Iterate over the fields of a hash, as (field, value). See ``hscan``.
        """

        def page(cursor: int) -> Command[tuple[int, Iterable[tuple[AnyStr, AnyStr]]]]:
            return hashes.hscan(key, cursor, match, count, False, self.replies.field_value_items)

        return ScanIterator(self, page)

    def sscan_iter(self, key: KeyT, match: StringT | None = None, count: int | None = None) -> AsyncIterator[AnyStr]:
        """
        Iterate over the members of a set. See ``sscan``.
        """

        def page(cursor: int) -> Command[tuple[int, Iterable[AnyStr]]]:
            return sets.member_scan("SSCAN", key, cursor, match, count, self.replies.set_page)

        return ScanIterator(self, page)

    def zscan_iter(
        self, key: KeyT, match: StringT | None = None, count: int | None = None
    ) -> AsyncIterator[ScoredMember[AnyStr]]:
        """
        Iterate over the members of a sorted set with their scores. See ``zscan``.
        """

        def page(cursor: int) -> Command[tuple[int, Iterable[ScoredMember[AnyStr]]]]:
            return sets.member_scan("ZSCAN", key, cursor, match, count, self.replies.scored_page)

        return ScanIterator(self, page)
