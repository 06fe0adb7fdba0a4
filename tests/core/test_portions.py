"""
How many entries a consumer asks for, so that a read stays within a number of bytes.
"""

from __future__ import annotations

import math

import pytest

from coredis._core.consumer.portions import Portions


def test_at_first_nothing_is_known() -> None:
    """
    As many as the buffer is for.
    """
    assert 100 == Portions(100, 1000, 9000).count(1, 1)


def test_small_entries() -> None:
    """
    They change nothing.
    """
    portions = Portions(100, 1000, 9000)
    portions.received(100, 1000, 1)

    assert 100 == portions.count(1, 1)


def test_large_entries() -> None:
    """
    As many as are expected to fit, of all streams together, and at least one.
    """
    portions = Portions(100, 1000, 9000)
    portions.received(10, 2000, 1)

    assert [5, 2, 1, 1] == [portions.count(streams, streams) for streams in (1, 2, 5, 9)]


def test_a_rise_counts_at_once_and_a_fall_slowly() -> None:
    """
    Half of the entries may be large.
    """
    portions = Portions(100, 1000, 9000)
    counts = []
    for size in (10, 500, 10, 10):
        portions.received(1, size, 1)
        counts.append(portions.count(1, 1))

    assert [100, 2, 2, 3] == counts


def test_nothing_says_nothing() -> None:
    """
    An empty reply has no entries whose size could be learned.
    """
    portions = Portions(100, 1000, 9000)
    portions.received(0, 5, 1)

    assert 100 == portions.count(1, 1)


def test_no_more_than_half_of_what_is_cut() -> None:
    """
    Where that is less than what a read is not expected to exceed: otherwise one reply after another would be cut.
    """
    portions = Portions(100, 9000, 1000)
    portions.received(10, 1000, 1)

    assert [5, 1] == [portions.count(streams, streams) for streams in (1, 9)]


def test_a_single_entry_is_never_too_large() -> None:
    """
    Several are, when they are more than a reply may have.
    """
    portions = Portions(100, 1000, 9000)

    assert [math.inf, 9000, 9000] == [portions.limit(count) for count in (1, 2, 100)]


def test_after_a_cut() -> None:
    """
    Half as many, down to one; and twice as many again after each that was not cut.
    """
    portions = Portions(100, 1000, 9000)
    counts = []
    for _ in range(8):
        portions.cut(portions.count(1, 1))
        counts.append(portions.count(1, 1))
    for _ in range(8):
        portions.received(1, 10, 1)
        counts.append(portions.count(1, 1))

    assert [50, 25, 12, 6, 3, 1, 1, 1, 2, 4, 8, 16, 32, 64, 100, 100] == counts


def test_of_one_stream_it_is_known_before_it_is_asked() -> None:
    """
    Whatever has been learned: of small entries, of large ones, from a cut and after it, and where nothing is cut.
    """
    portions = Portions(100, 1000, 9000)
    found = [portions.alone]
    for size in (10, 5000, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10):
        portions.received(10, size * 10, 1)
        assert portions.alone == (portions.count(1, 1), portions.limit(portions.count(1, 1)))
        found.append(portions.alone)
    for _ in range(3):
        portions.cut(4)
        assert portions.alone == (portions.count(1, 1), portions.limit(portions.count(1, 1)))
        portions.received(1, 10, 1)
        found.append(portions.alone)
    portions.never_cut()

    assert {(100, 9000), (1, math.inf), (4, 9000)} <= set(found)
    assert (4, math.inf) == portions.alone


def test_all_streams_are_asked_where_that_is_not_much() -> None:
    """
    Whatever they have.
    """
    portions = Portions(25, 10**9, 10**9)
    portions.received(1000, 100, 40)

    assert [1, 40] == [portions.streams(known) for known in (1, 40)]


def test_of_many_streams_some_are_asked_at_a_time() -> None:
    """
    As many as have about as much as one reply should have; at least one.
    """
    assert 100 == Portions(10, 10**9, 10**9).streams(10_000)
    assert 1 == Portions(5000, 10**9, 10**9).streams(10_000)


def test_when_they_have_nothing_all_are_asked_soon() -> None:
    """
    A rise counts at once, a fall by halves; and where there is nothing at all it takes few reads until all are asked, however
    many would be expected.
    """
    portions = Portions(1000, 10**9, 10**9)
    asked = []
    for each in (0, 0, 0, 0, 0, 10, 1, 1, 0, 0):
        asked.append(portions.streams(10_000))
        portions.received(each * asked[-1], 100, asked[-1])
    asked.append(portions.streams(10_000))

    assert [1, 8, 64, 512, 4096, 10_000, 100, 200, 400, 3200, 10_000] == asked


def test_what_is_pending_and_what_is_new_are_different_things() -> None:
    """
    A member that has just been made has nothing pending, and a backlog of the group.
    """
    portions = Portions(1000, 10**9, 10**9)
    asked = []
    for _ in range(6):
        asked.append(portions.streams(10_000, pending=True))
        portions.received(0, 100, asked[-1], pending=True)

    assert [1, 8, 64, 512, 4096, 10_000] == asked
    assert 1 == portions.streams(10_000)


class TestReadingAhead:
    """
    What one read has brought is held while the next one is under way.
    """

    def test_few_streams_are_asked_for_half(self) -> None:
        """
        All of them, so that their entries come in turns; at least one entry.
        """
        portions = Portions(25, 10**9, 10**9, ahead=True)

        assert [1, 31] == [portions.streams(known) for known in (1, 31)]
        assert [12, 12] == [portions.count(streams, streams) for streams in (1, 31)]
        assert 1 == Portions(1, 10**9, 10**9, ahead=True).count(1, 1)

    def test_the_bytes_are_those_of_both(self) -> None:
        """
        Half of them for what is held, half for what is under way.
        """
        for ahead, count in ((False, 100), (True, 50)):
            portions = Portions(1000, 1000, 10**9, ahead=ahead)
            portions.received(10, 100, 1)
            assert count == portions.count(1, 1)

    def test_half_of_many_streams_are_asked_for_everything(self) -> None:
        """
        At most half of them, or as many as have half of what one reply should have.
        """
        portions = Portions(20, 10**9, 10**9, ahead=True)

        assert [16, 20, 25, 25] == [portions.streams(known) for known in (32, 40, 100, 1000)]
        assert [20, 20] == [portions.count(streams, known) for streams, known in ((16, 32), (25, 1000))]

    def test_many_streams_with_little_are_all_asked(self) -> None:
        """
        For half, as they may have more by then; and if they do it is half of them again.
        """
        portions = Portions(20, 10**9, 10**9, ahead=True)
        asked = []
        for each in (4, 0, 1, 10, 20):
            number = portions.streams(40)
            asked.append((number, portions.count(number, 40)))
            portions.received(each * number, 100, number)

        assert [(20, 20), (20, 20), (40, 10), (40, 10), (20, 20)] == asked

    @pytest.mark.parametrize(
        ("most", "count", "held", "beside"), [(10, 5, 5, 5), (10, 10, 5, 5), (10, 5, 10, 0), (9, 4, 4, 4), (1, 1, 1, 1)]
    )
    def test_beside_what_is_held(self, most: int, count: int, held: int, beside: int) -> None:
        """
        Together they are no more than may be held, but where that is one: it has been given when the next one comes.
        """
        assert beside == Portions(most, 10**9, 10**9, ahead=True).beside(count, held)

    def test_what_is_cut(self) -> None:
        """
        The next read asks for half as many, whichever way it asks.
        """
        portions = Portions(20, 10**9, 10**9, ahead=True)
        portions.cut(portions.count(1, 1))
        assert 5 == portions.count(1, 1)

        portions = Portions(20, 10**9, 10**9, ahead=True)
        portions.cut(portions.count(16, 32))
        assert 10 == portions.count(16, 32) == portions.count(32, 32)
