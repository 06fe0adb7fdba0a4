"""
One stream of the server in memory, with its consumer groups.

The counters behind XINFO's ``entries-read`` and ``lag`` follow the rules that the servers document: they are known as long as
nothing was deleted among the entries they speak of.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TypeAlias

from tests.support.memory.identifiers import FIRST, LARGEST, Identifier

Fields: TypeAlias = list[bytes]


class Pending:
    """
    An entry that was delivered and not acknowledged.
    """

    __slots__ = ("consumer", "delivered", "deliveries", "order")

    _orders = itertools.count()

    def __init__(self, consumer: Consumer, delivered: int) -> None:
        self.deliver(consumer, delivered)
        self.deliveries = 1

    def deliver(self, consumer: Consumer, delivered: int) -> None:
        """
        Note who has it since when. ``order`` tells deliveries of the same millisecond apart.
        """
        self.consumer = consumer
        self.delivered = delivered
        self.order = next(self._orders)


class Consumer:
    """
    A member of a group: when it last asked, and when it last got something (-1: never).
    """

    __slots__ = ("active", "name", "seen")

    def __init__(self, name: bytes, now: int) -> None:
        self.name = name
        self.seen = now
        self.active = -1


class Group:
    """
    A consumer group.

    Attributes:
        last: the last identifier that was delivered to anybody
        read: how many entries were ever read; None: not known
    """

    __slots__ = ("consumers", "last", "name", "pending", "read")

    def __init__(self, name: bytes, last: Identifier, read: int | None) -> None:
        self.name = name
        self.last = last
        self.read = read
        self.pending: dict[Identifier, Pending] = {}
        self.consumers: dict[bytes, Consumer] = {}

    def consumer(self, name: bytes, now: int) -> Consumer:
        """
        Find a consumer that is asking, or make it.
        """
        consumer = self.consumers.get(name)
        if consumer is None:
            consumer = self.consumers[name] = Consumer(name, now)
        return consumer

    def owned(self, consumer: Consumer | None) -> list[Identifier]:
        """
        List what is pending for a consumer, in order.
        """
        return sorted(identifier for identifier, pending in self.pending.items() if pending.consumer is consumer)


class Stream:
    """
    A log of entries.

    Attributes:
        entries: by identifier
        order: the identifiers, ascending
        last: the last identifier ever given out
        deleted: the largest identifier that was deleted
        added: how many entries there have ever been
        groups: by name
        producers: for IDMP: the identifiers of what was added, by producer and idempotent identifier
        duration: seconds for which they are remembered
        most: how many are remembered of each producer
        repeated: how many XADD were recognised as repetitions
    """

    __slots__ = (
        "added",
        "deleted",
        "duration",
        "entries",
        "groups",
        "last",
        "most",
        "order",
        "producers",
        "remembered",
        "repeated",
    )

    def __init__(self) -> None:
        self.entries: dict[Identifier, Fields] = {}
        self.order: list[Identifier] = []
        self.last: Identifier = FIRST
        self.deleted: Identifier = FIRST
        self.added = 0
        self.groups: dict[bytes, Group] = {}
        self.producers: dict[bytes, dict[bytes, Identifier]] = {}
        self.duration, self.most = 100, 100
        self.remembered = self.repeated = 0

    @property
    def first(self) -> Identifier:
        """
        The identifier of the first entry there is.
        """
        return self.order[0] if self.order else FIRST

    @property
    def newest(self) -> Identifier:
        """
        The identifier of the last entry there is.
        """
        return self.order[-1] if self.order else FIRST

    def append(self, identifier: Identifier, fields: Fields) -> None:
        """
        Add an entry; its identifier is larger than ``last``.
        """
        self.entries[identifier] = fields
        self.order.append(identifier)
        self.last = identifier
        self.added += 1

    def remove(self, identifier: Identifier) -> bool:
        """
        Delete an entry; False: there is none.
        """
        if self.entries.pop(identifier, None) is None:
            return False
        del self.order[bisect_left(self.order, identifier)]
        self.deleted = max(self.deleted, identifier)
        return True

    def trim(self, identifier: Identifier) -> None:
        """
        Drop the first entry: that is not a deletion as far as the counters go.
        """
        del self.entries[identifier]
        del self.order[bisect_left(self.order, identifier)]

    def between(self, start: Identifier, end: Identifier) -> list[Identifier]:
        """
        List the identifiers from ``start`` to ``end``, both included.
        """
        return self.order[bisect_left(self.order, start) : bisect_right(self.order, end)]

    def following(self, identifier: Identifier) -> list[Identifier]:
        """
        List the identifiers after this one.
        """
        return self.order[bisect_right(self.order, identifier) :]

    # ----------------------------------------------------------------------------------------------------- counters

    def gaps_from(self, start: Identifier, exact: bool) -> bool:
        """
        Tell whether something was deleted from ``start`` on; unless exact, only where entries are left before it.
        """
        if not self.order or self.deleted == FIRST or (not exact and self.first > self.deleted):
            return False
        return start <= self.deleted

    def ordinal(self, identifier: Identifier) -> int | None:
        """
        Tell how many entries there have ever been up to this one; None: not known.
        """
        if not self.added:
            return 0
        if not self.order and identifier <= self.last:
            return self.added
        if identifier != FIRST and identifier < self.deleted:
            return None
        if identifier == self.last:
            return self.added
        if identifier > self.last:
            return None
        if self.deleted == FIRST or self.deleted < self.first:
            if identifier < self.first:
                return self.added - len(self.order)
            if identifier == self.first:
                return self.added - len(self.order) + 1
        return None

    def record(self, group: Group, identifier: Identifier, exact: bool) -> None:
        """
        Note that a group has got an entry.
        """
        known = group.read is not None
        if exact:
            known = known and group.last >= self.first and not self.gaps_from(group.last, exact)
        else:
            known = known and not self.gaps_from(identifier, exact)
        if known:
            assert group.read is not None
            group.read += 1
        elif self.added:
            group.read = self.ordinal(identifier)
        group.last = identifier

    def lag(self, group: Group, exact: bool) -> int | None:
        """
        Tell how many entries a group has not read; None: not known.
        """
        if not self.added or (exact and not self.order):
            return 0
        if exact and group.last < self.first and self.deleted < self.first:
            return len(self.order)
        known = group.read is not None and not self.gaps_from(group.last, exact)
        if exact:
            known = known and group.last >= self.first
        if known:
            assert group.read is not None
            return self.added - group.read
        read = self.ordinal(group.last)
        return None if read is None else self.added - read

    # ---------------------------------------------------------------------------------------------------- references

    def referenced(self, identifier: Identifier) -> bool:
        """
        Tell whether a group has not read an entry, or not acknowledged it.
        """
        return any(identifier > group.last or identifier in group.pending for group in self.groups.values())

    def forget(self, identifier: Identifier) -> None:
        """
        Drop an entry from what is pending in every group.
        """
        for group in self.groups.values():
            group.pending.pop(identifier, None)

    def next_identifier(self, now: int, time: int | None = None) -> Identifier | None:
        """
        Make an identifier for a new entry; None: there is none left.

        Args:
            now: milliseconds
            time: the first half, where it was asked for
        """
        last_time, last_sequence = self.last
        if time is None:
            time = max(now, last_time)
            if time == last_time and last_sequence == LARGEST:
                return None if time == LARGEST else (time + 1, 0)
        if time < last_time or (time == last_time and last_sequence == LARGEST):
            return None
        if time == last_time:
            return time, last_sequence + 1
        return time, 0

    def __iter__(self) -> Iterator[Identifier]:
        return iter(self.order)
