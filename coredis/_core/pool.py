"""
Decide which connection serves whom; the pool in ``_async/pool.py`` does what is decided.

Two kinds of use. *Shared*: ordinary commands; where one connection can carry those of many callers (``multiplexed``) they all
get the same one. *Exclusive*: blocking commands and transactions hold a connection alone. Without multiplexing every use is
exclusive. Idle connections are given out last in, first out, so that surplus ones grow old and can be recognised.

Every borrower has a ticket, and what it holds, be it a connection or the right to open one, is found under it. So a
borrower that is cancelled or interrupted at any point can give back whatever it had by then, without knowing how far it
came.

No I/O and no lock: the caller serialises access. Only ``idle`` may be used without that: whoever takes a connection from there,
in one step, has it, and may put it back later. So nothing here relies on what is in it for longer than a statement, and what
counts against the limit is known apart from it.
"""

from __future__ import annotations

import enum
from collections import deque
from contextlib import suppress
from typing import Final, Generic, TypeVar

C = TypeVar("C")  # a connection
W = TypeVar("W")  # whatever wakes a waiting caller

#: Of a list, see ``PoolState.idle``.
LAST: Final = slice(-1, None)


class Verdict(enum.Enum):
    """
    What to do when no connection is at hand.
    """

    OPEN = "open a new connection, then call opened or failed"
    WAIT = "wait until woken, then ask again"


class PoolState(Generic[C, W]):
    """
    Who has which connection.

    Attributes:
        limit: the most connections at a time, those being opened included
        known: those that count against it, wherever they are: idle, leased, shared, or taken from ``idle``
        idle: those nobody uses, always the same list. To take one without a lock is
            ``connection, idle[LAST] = idle[-1] if idle else None, ()``: there is no call in it, and it is one line, so not even
            what traces lines lets anybody else get in between
        shared: the connection that carries everybody's ordinary commands
        waiting: whom to wake when something changes, by the number of their arrival, with their tickets
        overtaken: tickets of those who were woken in vain and have nothing yet: newcomers leave them what becomes free
    """

    __slots__ = (
        "_arrived",
        "idle",
        "known",
        "leased",
        "limit",
        "multiplexed",
        "opening",
        "overtaken",
        "retired",
        "shared",
        "waiting",
    )

    def __init__(self, limit: int, *, multiplexed: bool) -> None:
        self.limit = limit
        self.multiplexed = multiplexed
        self.shared: C | None = None
        self.known: dict[C, None] = {}
        self.idle: list[C] = []
        self.leased: dict[object, C] = {}  # by ticket
        self.opening: dict[object, bool] = {}  # by ticket: is it for exclusive use?
        self.retired: set[C] = set()  # was shared, takes no new commands, still has callers
        self.waiting: deque[tuple[int, W, object]] = deque()
        self.overtaken: set[object] = set()
        self._arrived = 0

    def connections(self) -> list[C]:
        """
        Every connection the pool knows.
        """
        # All of these, because ``forget`` may have been interrupted.
        return [*dict.fromkeys((*self.known, *self.idle, *self.leased.values(), *self.retired))]

    @property
    def size(self) -> int:
        """
        Connections that count against the limit.
        """
        return len(self.opening) + len(self.known)

    def request(self, ticket: object, exclusive: bool, spare: bool = False, waited: bool = False) -> C | Verdict:
        """
        Ask for a connection.

        Args:
            ticket: of the borrower
            exclusive: nobody else may use it meanwhile
            spare: nobody uses the shared connection at the moment, so it may be leased when there is no other
            waited: they have been in line before
        """
        exclusive = exclusive or not self.multiplexed
        self.overtaken.discard(ticket)
        if not exclusive:
            if self.shared is not None:
                return self.shared
            if False in self.opening.values():
                return Verdict.WAIT  # somebody opens the shared one already
        spare = exclusive and spare and self.shared is not None
        # Whoever releases a connection and asks for the next at once is always faster than those who must wake up first. These
        # may lose once, which saves switching between threads for each command, and not for ever.
        if self.overtaken and not waited and len(self.overtaken) >= len(self.idle) + self.limit - self.size + spare:
            return Verdict.WAIT
        idle = self.idle
        # No call between these statements, so nothing can interrupt here.
        found, idle[LAST] = idle[-1] if idle else None, ()
        if found is not None:
            self.known[found] = None
            if exclusive:
                self.leased[ticket] = found
            else:
                self.shared = found
            return found
        if self.size < self.limit:
            self.opening[ticket] = exclusive
            return Verdict.OPEN
        if spare and self.shared is not None:
            connection, self.shared = self.shared, None
            self.leased[ticket] = connection
            return connection
        if waited:
            self.overtaken.add(ticket)
        return Verdict.WAIT

    def line_up(self, waiter: W, ticket: object, arrival: int | None) -> int:
        """
        Put somebody in line, whom ``Verdict.WAIT`` has told to wait.

        Args:
            waiter: what wakes them
            ticket: of the borrower
            arrival: their number when they have been in line before, and what they were woken for went to somebody else: they
                stand before all who came later, or those who keep coming could keep them waiting for ever

        Returns:
            the number of their arrival
        """
        if arrival is None:
            self._arrived += 1
            arrival = self._arrived
        place = len(self.waiting)
        while place and self.waiting[place - 1][0] > arrival:
            place -= 1
        self.waiting.insert(place, (arrival, waiter, ticket))
        return arrival

    def leave(self, waiter: W) -> bool:
        """
        Take somebody out of the line; False: they have been woken.
        """
        for position, (_, other, _) in enumerate(self.waiting):
            if other is waiter:
                del self.waiting[position]
                return True
        return False

    def lend_idle(self, ticket: object, exclusive: bool) -> C | None:
        """
        Lease an idle connection, as ``request`` would; None: ask that.
        """
        idle = self.idle
        if len(idle) <= len(self.overtaken) or (self.multiplexed and not exclusive):
            return None
        # No call between these statements, so nothing can interrupt here.
        found, idle[LAST] = idle[-1] if idle else None, ()
        if found is not None:
            self.known[found] = None
            self.leased[ticket] = found
        return found

    def opened(self, ticket: object, connection: C) -> None:
        """
        Record a connection that was opened after ``Verdict.OPEN``.
        """
        exclusive = self.opening.get(ticket, True)
        # No call between these statements, so nothing can interrupt here.
        self.known[connection] = None
        if exclusive:
            self.leased[ticket] = connection
        else:
            self.shared = connection
        self.opening.pop(ticket, None)

    def surrender(self, ticket: object) -> C | None:
        """
        Take back what a borrower holds: a place in the line, the right to open a connection, or a leased one, which is then to
        be closed.
        """
        if self.waiting:
            self.waiting = deque([entry for entry in self.waiting if entry[2] is not ticket])
        self.overtaken.discard(ticket)
        self.opening.pop(ticket, None)
        held = self.leased.get(ticket)
        if ticket in self.leased:
            # No call between these statements, so nothing can interrupt here.
            del self.leased[ticket]
            if held in self.known:
                del self.known[held]
        return held

    def give_back(self, connection: C, ticket: object = None) -> bool:
        """
        Take back a leased connection that is fit for the next borrower; False: it is not leased.

        Args:
            connection: which one
            ticket: of its borrower; None: to be looked for
        """
        if ticket is None:
            ticket = next((found for found, leased in self.leased.items() if leased is connection), None)
        if ticket not in self.leased:
            return False
        del self.leased[ticket]
        self.idle.append(connection)
        return True

    def retire(self, connection: C) -> None:
        """
        Give out the shared connection no more; those who use it go on.
        """
        if self.shared is connection:
            self.retired.add(connection)
            # No call between these statements, so nothing can interrupt here.
            self.shared = None
            if connection in self.known:
                del self.known[connection]

    def forget(self, connection: C) -> None:
        """
        Drop a connection that is closed.
        """
        if self.shared is connection:
            self.shared = None
        self.known.pop(connection, None)  # first: what an interruption leaves elsewhere takes no room
        self.leased = {ticket: leased for ticket, leased in self.leased.items() if leased is not connection}
        self.retired.discard(connection)
        if connection in self.idle:
            with suppress(ValueError):  # somebody has just taken it
                self.idle.remove(connection)
