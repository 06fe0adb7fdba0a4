# Generated from coredis/_async/commands/lists.py by scripts/generate.py: edit that file, not this one.
"""
Commands about lists.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._queued.commands.base import Commands
from coredis._core.command import key_read, key_rewrite, key_write
from coredis._core.commands import lists as build
from coredis._core.commands.keyed import values
from coredis._core.queue import Queued
from coredis._core.replies.collections import positions
from coredis._core.replies.shapes import integer, truth
from coredis.tokens import PureToken, TokenT, choose
from coredis.typing import KeyT, Parameters, ValueT


class ListCommands(Commands[AnyStr]):
    """
    Commands about lists.
    """

    def lpush(self, key: KeyT, elements: Parameters[ValueT]) -> Queued[int]:
        """
        Put elements before a list, one after the other: the last of them comes first.

        Returns:
            its length afterwards

        Source: https://redis.io/docs/latest/commands/lpush/
        """
        return self.issue(key_write(("LPUSH", key, *values("elements", elements)), integer))

    def rpush(self, key: KeyT, elements: Parameters[ValueT]) -> Queued[int]:
        """
        Put elements behind a list.

        Returns:
            its length afterwards

        Source: https://redis.io/docs/latest/commands/rpush/
        """
        return self.issue(key_write(("RPUSH", key, *values("elements", elements)), integer))

    def lpushx(self, key: KeyT, elements: Parameters[ValueT]) -> Queued[int]:
        """
        Put elements before a list if it exists. See ``lpush``.

        Source: https://redis.io/docs/latest/commands/lpushx/
        """
        return self.issue(key_write(("LPUSHX", key, *values("elements", elements)), integer))

    def rpushx(self, key: KeyT, elements: Parameters[ValueT]) -> Queued[int]:
        """
        Put elements behind a list if it exists.

        Source: https://redis.io/docs/latest/commands/rpushx/
        """
        return self.issue(key_write(("RPUSHX", key, *values("elements", elements)), integer))

    def lpop(self, key: KeyT, count: int | None = None) -> Queued[AnyStr | list[AnyStr] | None]:
        """
        Take the first element of a list, or several.

        Args:
            key: the key
            count: how many at most

        Returns:
            the element, with ``count`` a list; None when there is no such key

        Source: https://redis.io/docs/latest/commands/lpop/
        """
        return self.issue(build.pop("LPOP", key, count, self.replies.popped(count)))

    def rpop(self, key: KeyT, count: int | None = None) -> Queued[AnyStr | list[AnyStr] | None]:
        """
        Take the last element of a list, or several beginning with the last. See ``lpop``.

        Source: https://redis.io/docs/latest/commands/rpop/
        """
        return self.issue(build.pop("RPOP", key, count, self.replies.popped(count)))

    def llen(self, key: KeyT) -> Queued[int]:
        """
        Get the length of a list, 0 when there is no such key.

        Source: https://redis.io/docs/latest/commands/llen/
        """
        return self.issue(key_read(("LLEN", key), integer))

    def lrange(self, key: KeyT, start: int, stop: int) -> Queued[list[AnyStr]]:
        """
        Get a part of a list. Both ends are included; negative ones count from its end.

        Source: https://redis.io/docs/latest/commands/lrange/
        """
        return self.issue(key_read(("LRANGE", key, start, stop), self.replies.text_list))

    def lindex(self, key: KeyT, index: int) -> Queued[AnyStr | None]:
        """
        Get an element of a list, None when there is none; a negative index counts from the end.

        Source: https://redis.io/docs/latest/commands/lindex/
        """
        return self.issue(key_read(("LINDEX", key, index), self.replies.optional_text))

    def lset(self, key: KeyT, index: int, element: ValueT) -> Queued[bool]:
        """
        Replace an element of a list.

        Source: https://redis.io/docs/latest/commands/lset/
        """
        return self.issue(key_rewrite(("LSET", key, index, element), truth))

    def linsert(self, key: KeyT, where: TokenT, pivot: ValueT, element: ValueT) -> Queued[int]:
        """
        Insert an element into a list.

        Args:
            key: the key
            where: ``BEFORE`` or ``AFTER``
            pivot: the element next to which it shall stand, the first of that value
            element: the new element

        Returns:
            the length afterwards, 0 when there is no such key, -1 when there is no such element

        Source: https://redis.io/docs/latest/commands/linsert/
        """
        return self.issue(
            key_write(
                ("LINSERT", key, choose("where", where, PureToken.BEFORE, PureToken.AFTER), pivot, element),
                integer,
            )
        )

    def lrem(self, key: KeyT, count: int, element: ValueT) -> Queued[int]:
        """
        Remove elements of a value from a list.

        Args:
            key: the key
            count: how many at most, a negative number from the end on, 0 for all
            element: the value

        Returns:
            how many were removed

        Source: https://redis.io/docs/latest/commands/lrem/
        """
        return self.issue(key_write(("LREM", key, count, element), integer))

    def ltrim(self, key: KeyT, start: int, stop: int) -> Queued[bool]:
        """
        Keep only a part of a list. Both ends are included; negative ones count from its end.

        Source: https://redis.io/docs/latest/commands/ltrim/
        """
        return self.issue(key_write(("LTRIM", key, start, stop), truth))

    def lpos(
        self,
        key: KeyT,
        element: ValueT,
        rank: int | None = None,
        count: int | None = None,
        maxlen: int | None = None,
    ) -> Queued[int | list[int] | None]:
        """
        Find an element in a list.

        Args:
            key: the key
            element: its value
            rank: 1 for the first match, 2 for the second, -1 for the last one and so on
            count: how many matches, 0 for all
            maxlen: how many elements to compare at most, 0 for all

        Returns:
            the index or None; with ``count`` a list

        Source: https://redis.io/docs/latest/commands/lpos/
        """
        return self.issue(build.lpos(key, element, rank, count, maxlen, positions(count)))

    def lmove(self, source: KeyT, destination: KeyT, wherefrom: TokenT, whereto: TokenT) -> Queued[AnyStr | None]:
        """
        Move an element from one list to another.

        Args:
            source: the list to take from
            destination: the list to put it into
            wherefrom: the end to take it from, ``LEFT`` or ``RIGHT``
            whereto: the end to put it to, ``LEFT`` or ``RIGHT``

        Returns:
            the element, None when there is nothing to move

        Source: https://redis.io/docs/latest/commands/lmove/
        """
        return self.issue(build.lmove(source, destination, wherefrom, whereto, self.replies.optional_text))

    def blmove(
        self, source: KeyT, destination: KeyT, wherefrom: TokenT, whereto: TokenT, timeout: int | float
    ) -> Queued[AnyStr | None]:
        """
        Move an element from one list to another, waiting for it. See ``lmove``.

        Args:
            source: the list to take from
            destination: the list to put it into
            wherefrom: the end to take it from, ``LEFT`` or ``RIGHT``
            whereto: the end to put it to, ``LEFT`` or ``RIGHT``
            timeout: seconds to wait; 0 waits for ever

        Source: https://redis.io/docs/latest/commands/blmove/
        """
        return self.issue(
            build.lmove(source, destination, wherefrom, whereto, self.replies.optional_text, timeout)
        )

    def blpop(self, keys: Parameters[KeyT], timeout: int | float) -> Queued[tuple[AnyStr, AnyStr] | None]:
        """
        Take the first element of the first list that has one, waiting for it.

        Args:
            keys: the lists
            timeout: seconds to wait; 0 waits for ever

        Returns:
            the key and the element, None when the time ran out

        Source: https://redis.io/docs/latest/commands/blpop/
        """
        return self.issue(build.blocking_pop("BLPOP", keys, timeout, self.replies.key_and_element))

    def brpop(self, keys: Parameters[KeyT], timeout: int | float) -> Queued[tuple[AnyStr, AnyStr] | None]:
        """
        Take the last element of the first list that has one, waiting for it. See ``blpop``.

        Source: https://redis.io/docs/latest/commands/brpop/
        """
        return self.issue(build.blocking_pop("BRPOP", keys, timeout, self.replies.key_and_element))

    def lmpop(
        self, keys: Parameters[KeyT], where: TokenT, count: int | None = None
    ) -> Queued[tuple[AnyStr, list[AnyStr]] | None]:
        """
        Take elements from the first list that has some.

        Args:
            keys: the lists
            where: the end to take them from, ``LEFT`` or ``RIGHT``
            count: how many at most; one if not given

        Returns:
            the key and the elements, None when all lists are empty

        Source: https://redis.io/docs/latest/commands/lmpop/
        """
        return self.issue(build.lmpop(keys, where, count, self.replies.key_and_elements))

    def blmpop(
        self, keys: Parameters[KeyT], timeout: int | float, where: TokenT, count: int | None = None
    ) -> Queued[tuple[AnyStr, list[AnyStr]] | None]:
        """
        Take elements from the first list that has some, waiting for them. See ``lmpop``.

        Args:
            keys: the lists
            timeout: seconds to wait; 0 waits for ever
            where: the end to take them from, ``LEFT`` or ``RIGHT``
            count: how many at most; one if not given

        Source: https://redis.io/docs/latest/commands/blmpop/
        """
        return self.issue(build.lmpop(keys, where, count, self.replies.key_and_elements, timeout))
