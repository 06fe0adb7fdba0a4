"""
When to look for entries of others, and where to go on looking.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core.consumer.claims import BEGINNING, CLEANING_INTERVAL, NEVER, Takeover


def test_a_fresh_consumer_looks_at_once() -> None:
    """
    What was handed back does not wait for the timer.
    """
    takeover = Takeover(5000)

    assert {b"a", b"b"} == takeover.due((b"a", b"b"), 0.0)
    assert b"0-0" == takeover.position(b"a")


@pytest.mark.parametrize(("idle", "seconds"), [(100, 1.0), (2000, 1.0), (60_000, 30.0)])
def test_the_next_look_is_half_of_the_idle_time_later(idle: int, seconds: float) -> None:
    """
    But never less than a second.
    """
    takeover = Takeover(idle)

    takeover.scanned({b"a": b"0-0"}, 10.0, 0.5)

    assert 10.0 + seconds == takeover.earliest((b"a",))
    assert set() == takeover.due((b"a",), 10.0 + seconds - 0.001)
    assert {b"a"} == takeover.due((b"a",), 10.0 + seconds)


@given(chance=st.floats(0, 1), idle=st.integers(100, 10**7))
def test_jitter_is_a_fifth(chance: float, idle: int) -> None:
    """
    To either side, so that members that were started together do not look together.
    """
    takeover = Takeover(idle)
    interval = max(1.0, idle / 2000)

    takeover.scanned({b"a": b"0-0"}, 0.0, chance)

    assert 0.799 * interval <= takeover.earliest((b"a",)) <= 1.201 * interval


def test_a_look_that_is_not_over_goes_on_at_once() -> None:
    """
    Where it left off.
    """
    takeover = Takeover(5000)

    takeover.scanned({b"a": b"7-0", b"b": b"0-0"}, 10.0, 0.5)

    assert {b"a"} == takeover.due((b"a", b"b"), 10.0)
    assert b"7-0" == takeover.position(b"a")
    takeover.scanned({b"a": b"0-0"}, 10.1, 0.5)
    assert set() == takeover.due((b"a", b"b"), 10.2)


def test_streams_have_their_own_time() -> None:
    """
    One that was looked through does not put off the others: they may be elsewhere, or new.
    """
    takeover = Takeover(5000)

    takeover.scanned({b"a": b"0-0"}, 10.0, 0.5)

    assert {b"b"} == takeover.due((b"a", b"b"), 10.0)
    assert 10.0 > takeover.earliest((b"a", b"b"))


def test_a_forgotten_stream() -> None:
    """
    It is looked for no more, and afresh if it comes again.
    """
    takeover = Takeover(5000)
    takeover.scanned({b"a": b"7-0", b"b": b"0-0"}, 10.0, 0.5)

    takeover.forget((b"a", b"c"))

    assert set() == takeover.due((b"b",), 10.0)
    assert b"0-0" == takeover.position(b"a")


def test_where_the_server_takes_over_itself() -> None:
    """
    Only what was deleted is looked for: rarely, and with an idle time that nothing has.
    """
    takeover = Takeover(5000)
    assert 5000 == takeover.scan_idle
    takeover.native = True

    takeover.scanned({b"a": b"0-0"}, 0.0, 0.5)

    assert NEVER == takeover.scan_idle > 10**15
    assert CLEANING_INTERVAL == takeover.earliest((b"a",))


def test_a_new_session_begins_afresh() -> None:
    """
    It looks at once, from the beginning.
    """
    takeover = Takeover(5000)
    takeover.scanned({b"a": b"7-0"}, 0.0, 0.5)
    takeover.scanned({b"b": b"0-0"}, 0.0, 0.5)

    takeover.reset()

    assert ({b"a", b"b"}, b"0-0") == (takeover.due((b"a", b"b"), 0.0), takeover.position(b"a"))


def test_where_the_next_entry_is() -> None:
    """
    It is asked for in the middle of a look, once for each part of it; where there is none the look is at its end.
    """
    takeover = Takeover(10_000)
    assert {} == takeover.unsure([b"a", b"b"])

    takeover.scanned({b"a": b"5-0", b"b": b"7-0"}, 100.0, 0.5)
    assert {b"a": b"5-0", b"b": b"7-0"} == takeover.unsure([b"a", b"b"])

    takeover.found(b"a", b"90-0", 100.0, 0.5)
    takeover.found(b"b", None, 100.0, 0.5)
    assert {} == takeover.unsure([b"a", b"b"])
    assert [b"90-0", BEGINNING] == [takeover.position(name) for name in (b"a", b"b")]
    assert {b"a"} == takeover.due([b"a", b"b"], 100.0)

    takeover.scanned({b"a": b"95-0"}, 100.0, 0.5)
    assert {b"a": b"95-0"} == takeover.unsure([b"a", b"b"])


def test_where_only_what_was_deleted_is_removed_nothing_is_asked() -> None:
    """
    Nothing is taken over there.
    """
    takeover = Takeover(10_000)
    takeover.native = True
    takeover.scanned({b"a": b"5-0"}, 100.0, 0.5)

    assert {} == takeover.unsure([b"a"])
