"""
The buffer of a consumer: entries are served once, in order, and it is known which ones have been.
"""

from __future__ import annotations

from itertools import islice, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core.consumer.buffer import Buffer
from coredis.types import StreamEntry


def entries(*numbers: int) -> list[StreamEntry[str]]:
    """
    Make entries.
    """
    return [StreamEntry(f"{number}-0", {"n": str(number)}) for number in numbers]


def buffer(streams: str, *numbers: int) -> Buffer[str]:
    """
    Make a buffer; one stream is that of all entries.
    """
    return Buffer(repeat(streams) if len(streams) == 1 else list(streams), entries(*numbers))


def names(items: list[tuple[str, StreamEntry[str]]]) -> list[str]:
    """
    Write (stream, entry) in short.
    """
    return [f"{stream}{entry.identifier[:-2]}" for stream, entry in items]


@pytest.mark.parametrize("streams", ["a", "aba"])
def test_serving(streams: str) -> None:
    """
    What is taken is served, and the rest waits.
    """
    filled = buffer(streams, 1, 2, 3)
    wanted = [f"{stream}{number}" for stream, number in zip(streams * (3 // len(streams)), "123", strict=True)]

    assert (3, wanted, []) == (len(filled), names(filled.waiting()), names(filled.served()))
    assert wanted[:1] == names([next(filled.rest)])
    assert (2, wanted[1:], wanted[:1]) == (len(filled), names(filled.waiting()), names(filled.served()))
    assert wanted[1:] == names(list(filled.rest))
    assert (0, [], wanted) == (len(filled), names(filled.waiting()), names(filled.served()))


def test_more_comes_after_what_waits() -> None:
    """
    In order, each with its stream; where nothing comes nothing changes.
    """
    filled = buffer("a", 1, 2)
    next(filled.rest)

    assert ["a2", "b3", "c4"] == names(list(filled.followed_by("bc", entries(3, 4)).rest))
    assert filled is filled.followed_by([], [])
    list(filled.rest)
    assert ["b3", "b4"] == names(list(filled.followed_by(repeat("b"), entries(3, 4)).rest))


def test_who_has_the_buffer_before_takes_nothing_twice() -> None:
    """
    A loop may go on with its iterator when more has come: each entry is given once, by whichever of them.
    """
    first = buffer("a", 1, 2, 3, 4)
    second = first.followed_by("bb", entries(5, 6))
    third = second.followed_by("c", entries(7))

    assert ["a1", "a2", "a3"] == names([next(first.rest), next(third.rest), next(second.rest)])
    assert (4, ["a4", "b5", "b6", "c7"]) == (len(third), names(third.waiting()))
    assert (True, True, True) == (bool(first), bool(second), bool(third))
    assert ["a4"] == names(list(first.rest))
    assert (False, True, True) == (bool(first), bool(second), bool(third))
    assert ["b5", "b6"] == names(list(second.rest))
    assert (False, False, True) == (bool(first), bool(second), bool(third))
    assert (1, ["a1", "a2", "a3", "a4", "b5", "b6"]) == (len(third), names(third.served()))
    assert ["c7"] == names(list(third.followed_by("d", []).rest))


def test_who_has_the_buffer_before_gets_nothing_of_what_was_discarded() -> None:
    """
    Its lists are emptied, and those of what it has followed.
    """
    first = buffer("a", 1, 2)
    second = first.followed_by("b", entries(3))
    for each in second.lists():
        each.clear()

    assert ([], [], 0, False) == (list(first.rest), list(second.rest), len(second), bool(second))


@given(st.integers(0, 6), st.sampled_from(["a", "aba"]))
def test_what_waits(served: int, streams: str) -> None:
    """
    Is what has not been served, whatever has been asked before, and of whatever buffer.
    """
    first = buffer(streams, 1, 2, 3)
    second = first.followed_by(repeat("b"), entries(1, 2, 3))
    everything = second.waiting()
    for number in range(served + 1):
        if number:
            next(second.rest)
        left = everything[number:]
        for stream in "abc":
            for identifier in ("1-0", "2-0", "3-0", "4-0"):
                there = any((stream, identifier) == (name, entry.identifier) for name, entry in left)
                assert there is second.waits(stream, identifier)


def test_an_empty_one() -> None:
    """
    It has nothing to give.
    """
    empty: Buffer[str] = Buffer((), [])

    assert not empty
    assert (0, [], [], []) == (len(empty), list(empty.rest), empty.waiting(), empty.served())
    assert ["a1"] == names(list(empty.followed_by(repeat("a"), entries(1)).rest))


@given(st.integers(0, 6), st.lists(st.booleans(), min_size=6, max_size=6), st.sampled_from(["a", "abcdef"]))
def test_leaving_some_out(served: int, gone: list[bool], streams: str) -> None:
    """
    Only what still waits can be left out; what was served stays known.
    """
    filled = buffer(streams, 1, 2, 3, 4, 5, 6)
    everything = names(filled.waiting())
    given = names(list(islice(filled.rest, served)))

    left = filled.without(gone[: 6 - served])

    kept = [name for name, left_out in zip(everything[served:], gone, strict=False) if not left_out]
    assert given == names(left.served())
    assert (len(kept), kept) == (len(left), names(left.waiting()))
    assert kept == names(list(left.rest))
