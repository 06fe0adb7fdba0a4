"""
How many entries a member of a group may still fetch.
"""

from __future__ import annotations

import math

from coredis._core.consumer.allowance import Allowance


def test_no_limit() -> None:
    """
    Without one there is always room.
    """
    allowance = Allowance(None)
    allowance.fetched = 10**9

    assert math.inf == allowance.room(None)
    assert not allowance.paused


def test_what_is_not_acknowledged_takes_room() -> None:
    """
    Fetched less settled; none left is a pause.
    """
    allowance = Allowance(3)
    allowance.fetched = 5
    allowance.settled = 3

    assert 1 == allowance.room(None)
    assert not allowance.paused

    allowance.fetched = 6

    assert 0 == allowance.room(None)
    assert allowance.paused


def test_what_is_held_is_known() -> None:
    """
    Where every entry is known, what was counted does not matter.
    """
    allowance = Allowance(3)
    allowance.fetched = 100

    assert 1 == allowance.room(2)


def test_the_server_knows_better() -> None:
    """
    What was acknowledged by other means makes room, and the server may be asked again at once when that is used up.
    """
    allowance = Allowance(3)
    allowance.fetched = 3
    allowance.recounted(1, 10.0)

    assert 2 == allowance.room(None)
    assert allowance.recount_due(10.0)


def test_the_server_is_not_asked_all_the_time() -> None:
    """
    When it knew nothing new, a second passes; what earlier lives left pending takes no room.
    """
    allowance = Allowance(3)
    allowance.fetched = 3
    allowance.recounted(100, 10.0)

    assert 0 == allowance.room(None)
    assert not allowance.recount_due(10.9)
    assert allowance.recount_due(11.0)


def test_it_is_told_once() -> None:
    """
    Until half of the room was there again, so that one acknowledged now and then does not fill the log.
    """
    allowance = Allowance(4)
    allowance.fetched = 4
    allowance.room(None)

    assert allowance.tell()
    allowance.settled = 2
    allowance.room(None)
    assert not allowance.tell()
    allowance.settled = 3
    allowance.room(None)
    assert allowance.tell()


def test_beginning_afresh() -> None:
    """
    Nothing is fetched yet.
    """
    allowance = Allowance(1)
    allowance.fetched = 1
    allowance.room(None)
    allowance.reset()

    assert not allowance.paused
    assert 1 == allowance.room(None)
