"""
Know which dead connections a server may go on serving.

A connection that is given up with a read outstanding may be over for this end alone. Then the server goes on waiting for
entries on its behalf, or the read is still on its way there. What it is given once the entries of the lost reply have been
recovered is pending for this consumer, and nobody has seen it. So the next connection to that server has it closed before it
reads anything; what it had been given by then is recovered with the rest.

Where that cannot be made sure of (a proxy in between, no right to do it), it is in doubt until its read must have ended by
itself. What this consumer has received meanwhile may come after something that it was given, so all of that is looked through
then. The doubt is about streams, not about a place: they may have moved.
"""

from __future__ import annotations

import math
from collections.abc import Container, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from ..command import Reply
from ..identifiers import parse
from ..parser import ErrorLine
from .cursors import Cursor, Kind, Phase, Plan
from .held import Key
from .reads import PAGE

#: So many dead connections are kept apart; of more, some are taken for one.
MOST: Final = 4


@dataclass(slots=True, eq=False)
class Phantom:
    """
    One of these connections.

    Attributes:
        server: where it is
        client: its number at the server, and its address; None: not known, or it is not to be closed (any more)
        floors: the last identifier that had been received of each stream of which it asks for new entries
        until: when it is done with at last (monotonic seconds)
        sure: it was given something after these identifiers
    """

    server: Hashable
    client: tuple[int, str] | None
    floors: dict[bytes, bytes]
    until: float
    sure: bool = False

    def recovered(self, plan: Plan, cursors: Mapping[bytes, Cursor]) -> None:
        """
        Record that the server has closed it ahead of a read. What is pending in the streams that are recovered with that, or
        after it, is all there is; what streams are left are looked through at once. If another one has been taken for it since
        that was sent, it is in doubt as before. May be recorded again.

        Args:
            plan: what that read asked for
            cursors: of the streams that are read there
        """
        if self.client is None:
            return
        asked = {cursor.name for cursor in plan.cursors()} if plan.kind is Kind.HISTORY else ()
        for name in list(self.floors):
            cursor = cursors.get(name)
            if name in asked or (cursor is not None and cursor.phase is Phase.HISTORY and not cursor.busy):
                self.floors.pop(name, None)
        self.until = -math.inf


def leave_behind(
    phantoms: list[Phantom], plan: Plan, server: Hashable, client: tuple[int, str] | None, until: float
) -> None:
    """
    Note what is left of a connection that is given up.

    Args:
        phantoms: those there are
        plan: its outstanding read; what had been pending before may be asked for twice, and leaves nothing
        server: where it is
        client: its number and address; None: not known
        until: when it is done with at last (monotonic seconds)
    """
    if plan.kind is Kind.HISTORY:
        return
    floors: dict[bytes, bytes] = {}
    if plan.kind is Kind.NEW:  # what a late look for entries to take over finds is left to the next one
        floors = {cursor.name: cursor.floor for cursor in plan.cursors() if cursor.phase is not Phase.AFTER}
    phantoms.append(Phantom(server, client, floors, until))
    kept = list(phantoms)  # somebody else may be closing the consumer
    if len(kept) > MOST:
        # Not the first one, whose time would never come where a connection is lost again and again.
        _, older, newer, *_ = kept
        for name, floor in older.floors.items():
            newer.floors[name] = min(floor, newer.floors.get(name, floor), key=parse)
        newer.client = None  # with only one of them closed, the other would be in doubt still
        newer.until = max(older.until, newer.until)
        newer.sure |= older.sure
        done_with(phantoms, older)


def done_with(phantoms: list[Phantom], phantom: Phantom) -> None:
    """
    Forget one of these connections, if it is there.
    """
    phantoms[:] = [each for each in phantoms if each is not phantom]


def look_through(
    name: bytes, after: bytes, pending: Reply, received: Container[Key] | None, refused: bool
) -> Phantom | None:
    """
    See whether anything is pending in a stream that has not been received.

    Args:
        name: of the stream
        after: what comes after this identifier was asked for
        pending: the answer
        received: what has been received after that, and is not known to be acknowledged
        refused: the server has refused part of what was asked together with that

    Returns:
        what is to be done yet; None: all of it has been received

    Raises:
        TypeError, ValueError: the answer has a strange shape
    """
    sure = False
    if isinstance(pending, ErrorLine):
        sure = not refused  # we may not ask: all of it is to be read again
    else:
        for identifier, *_ in pending:
            if received is None or (name, identifier) not in received:
                sure = True
                break
            after = identifier
        if not sure and len(pending) < PAGE:
            return None
        parse(after)
    return Phantom(None, None, {name: after}, -math.inf, sure)
