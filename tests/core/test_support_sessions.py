"""
What the simulation holds against a consumer that was given an entry twice.
"""

from __future__ import annotations

import pytest

from coredis.types import StreamEntry
from tests.support.memory.server import Event
from tests.support.simulation.sessions import Journal, Session, Violation

ENTRY = StreamEntry(b"1-0", {b"n": b"1"})


def delivered(connection: int) -> Event:
    """
    The server delivers the entry.
    """
    return Event("delivered", b"s", identifier=(1, 0), connection=connection, pending=True)


@pytest.mark.parametrize(
    ("before", "between", "well"),
    [
        ([1], [], False),
        ([1], [2, 1], True),
        ([1, 2], [1], True),  # taken over while it was waiting in the buffer
        ([2, 1], [1], False),
        ([1, 2, 1], [], False),
    ],
)
def test_an_entry_may_come_again_if_another_one_had_it_since_it_was_delivered(
    before: list[int], between: list[int], well: bool
) -> None:
    """
    Whoever had it before that does not count.

    Args:
        before: on whose connections it is delivered until it is given
        between: and until it is given once more
        well: whether that is right
    """
    journal = Journal()
    journal.owners = {1: "mine", 2: "other"}
    session = Session("mine", b"c", 0, 0, backlog=False, takes_over=True)
    journal.events += [Event("added", b"s", identifier=(1, 0), fields=(b"n", b"1")), *map(delivered, before)]
    session.give(journal, b"s", ENTRY)
    journal.events += map(delivered, between)

    if well:
        session.give(journal, b"s", ENTRY)
    else:
        with pytest.raises(Violation, match="came twice"):
            session.give(journal, b"s", ENTRY)
