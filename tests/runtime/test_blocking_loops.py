"""
What a blocking loop of the application goes through: nothing in Python while there is something to serve, whatever happens.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from itertools import islice
from types import FrameType

import pytest

from coredis._runtime.blocking.application import loop


class Source:
    """
    Gives a few items at a time, or raises.
    """

    def __init__(self, *given: list[int] | BaseException | None) -> None:
        self._given = iter(given)

    def following(self) -> Iterator[int] | None:
        """
        Give the next few; None: there are none.
        """
        some = next(self._given)
        if isinstance(some, BaseException):
            raise some
        return None if some is None else iter(some)


def test_it_ends_where_there_is_nothing_more() -> None:
    """
    Not where there happens to be nothing in between; and for good.
    """
    source = Source([1, 2], [], [3], None, [4])
    items = loop(iter(()), source.following)

    assert [1, 2, 3] == list(items)
    assert [] == list(items)
    assert [4] == list(islice(loop(iter(()), source.following), 1))


@pytest.mark.parametrize("error", [ConnectionError(), KeyboardInterrupt(), StopAsyncIteration()], ids=repr)
def test_it_goes_on_after_an_error(error: BaseException) -> None:
    """
    However often that is raised, and whatever has come before.
    """
    items = loop(iter(()), Source(error, [1, 2], error, error, [3], None).following)
    found: list[int] = []
    raised = 0
    while True:
        try:
            for item in items:
                found.append(item)
        except type(error):
            raised += 1
            continue
        break

    assert ([1, 2, 3], 3) == (found, raised)


def test_serving_takes_no_python() -> None:
    """
    Only the question for more does.
    """
    items = loop(iter(()), Source(list(range(100)), [100], None).following)
    assert 0 == next(items)
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        served = list(islice(items, 99))
    finally:
        sys.setprofile(None)

    assert (list(range(1, 100)), []) == (served, called)
    assert [100] == list(items)


def test_a_second_thread_is_refused_while_the_first_one_asks() -> None:
    """
    It cannot end the loop for the first one, which gets what it has asked for.
    """
    asking, go_on = threading.Event(), threading.Event()

    def following() -> Iterator[int]:
        asking.set()
        go_on.wait(10)
        return iter([1, 2])

    found: list[int] = []
    items = loop(iter(()), following)
    first = threading.Thread(target=lambda: found.extend(islice(items, 2)))
    first.start()
    asking.wait(10)
    for _ in range(3):
        with pytest.raises(ValueError, match="generator already executing"):
            next(items)
    go_on.set()
    first.join()

    assert [1, 2] == found
