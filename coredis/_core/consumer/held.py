"""
Know what a member of a group holds: entries that were fetched and are not acknowledged, in the buffer or with the application.

It is needed where entries change hands. What is held must not be taken for the lost part of a reply, nor be taken over by
this consumer from itself; and its lease, the idle time that the server counts, is renewed.

A lease runs from when the read that brought the entry was sent, not from when its reply was looked at: that may be much
later. A renewal asks for entries that have been idle at least as long as that less half of the time that others wait before
they take over. Ours have been idle for longer, for no read waits for more than a quarter of it. One that somebody else has
taken over meanwhile was touched when it had been idle for the whole of that time, so it has been idle for less: it is not
stolen back, without asking who has it.

An entry that was handed back for later than others wait stays here, and its lease is renewed, until the rest of the delay is no
longer than that: an idle time below zero cannot be set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import NamedTuple, TypeAlias

Key: TypeAlias = tuple[bytes, bytes]  # stream and identifier


class Renewal(NamedTuple):
    """
    Leases to renew with one XCLAIM.

    Attributes:
        name: the stream
        min_idle: milliseconds that the entries must have been idle
        identifiers: of the entries
    """

    name: bytes
    min_idle: int
    identifiers: tuple[bytes, ...]


class Ripe(NamedTuple):
    """
    Entries whose delay has become short enough to be left to the server.

    Attributes:
        name: the stream
        until: when the delay is over (monotonic seconds)
        leases: of the entries, by identifier
    """

    name: bytes
    until: float
    leases: dict[bytes, float]


class Held:
    """
    What one consumer holds.

    Attributes:
        leases: when each entry was asked for or last renewed, by stream and identifier (monotonic seconds)
        lost: those that others have taken over
        postponed: of the entries that were handed back for later, when they may be taken over (monotonic seconds)
    """

    __slots__ = ("_let_go", "leases", "lost", "postponed")

    def __init__(self) -> None:
        self.leases: dict[Key, float] = {}
        self.lost: set[Key] = set()
        self.postponed: dict[Key, float] = {}
        self._let_go: set[Key] = set()

    def __contains__(self, key: object) -> bool:
        """
        Tell whether an entry must not be delivered: it is held, or was until a read that is outstanding was sent.
        """
        return key in self.leases or key in self._let_go

    def let_go(self, name: bytes, identifiers: Iterable[bytes], outstanding: bool) -> None:
        """
        Drop entries that were acknowledged or handed back.

        Args:
            name: the stream
            identifiers: of the entries
            outstanding: a read that may have pending entries is under way; its reply may still have these
        """
        keys = [(name, identifier) for identifier in identifiers]
        if outstanding:
            self._let_go.update(keys)
        deque(map(self.leases.pop, keys, repeat(None)), 0)  # a loop, without the cost of one
        if self.postponed:
            deque(map(self.postponed.pop, keys, repeat(None)), 0)
        self.lost.difference_update(keys)

    def settled(self, names: Iterable[bytes]) -> None:
        """
        No read of these streams that was sent before an entry was let go is outstanding any more.
        """
        if self._let_go:
            streams = set(names)
            self._let_go.difference_update([key for key in list(self._let_go) if key[0] in streams])

    def forget(self, name: bytes, outstanding: bool) -> None:
        """
        Forget what is held of one stream: its group was made anew, and knows nothing of it.

        Args:
            name: the stream
            outstanding: as ``let_go``: the old group may have answered that read
        """
        if not outstanding:
            self.settled((name,))
        self.let_go(name, [identifier for stream, identifier in list(self.leases) if stream == name], outstanding)

    def postpone(self, name: bytes, leases: Mapping[bytes, float], until: float) -> None:
        """
        Keep entries that were handed back for later.

        Args:
            name: the stream
            leases: of the entries, by identifier
            until: when they may be taken over (monotonic seconds)
        """
        keys = {(name, identifier): touched for identifier, touched in leases.items()}
        self.postponed |= dict.fromkeys(keys, until)
        self.leases |= keys

    def ripe(self, now: float, idle: int) -> list[Ripe]:
        """
        Say which of these can be left to the server.

        Args:
            now: monotonic seconds
            idle: milliseconds after which others take over
        """
        together: dict[tuple[bytes, float], dict[bytes, float]] = {}
        for (name, identifier), until in list(self.postponed.items()):
            if until - now <= idle / 1000:
                lease = self.leases.get((name, identifier), now)
                together.setdefault((name, until), {})[identifier] = lease
        return [Ripe(name, until, leases) for (name, until), leases in together.items()]

    def due(self, now: float, age: float) -> bool:
        """
        Tell whether a lease is older than so many seconds.
        """
        return now - min(self.leases.values(), default=now) >= age

    def renewals(self, now: float, age: float, idle: int) -> list[Renewal]:
        """
        Say which leases to renew.

        Args:
            now: monotonic seconds
            age: of leases that are due, in seconds
            idle: milliseconds after which others take over
        """
        together: dict[tuple[bytes, float], list[bytes]] = {}
        for (name, identifier), touched in list(self.leases.items()):
            if now - touched >= age:
                together.setdefault((name, touched), []).append(identifier)
        return [
            Renewal(name, max(0, int((now - touched) * 1000) - idle // 2), tuple(identifiers))
            for (name, touched), identifiers in together.items()
        ]

    def renewed(self, renewal: Renewal, kept: Iterable[bytes], since: float) -> None:
        """
        Record the answer to a renewal: which of the entries are still ours, since when it was asked (monotonic seconds).
        Those that are not were acknowledged without telling us, or taken over by others.
        """
        still = set(kept)
        for identifier in renewal.identifiers:
            key = (renewal.name, identifier)
            ours = identifier in still
            # It may have been let go meanwhile. No call after the question, so nothing can happen in between.
            if key in self.leases:
                if ours:
                    self.leases[key] = since
                else:  # lost before it is dropped: an interruption leaves it in one of the two
                    self.lost.add(key)
                    self.leases.pop(key, None)
                    self.postponed.pop(key, None)

    def clear(self) -> None:
        """
        Forget everything.
        """
        self.leases.clear()
        self.postponed.clear()
        self.lost.clear()
        self._let_go.clear()
