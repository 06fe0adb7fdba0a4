"""
What the application hands in: functions to call, and iterables to take from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from itertools import islice
from typing import Any, Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
#: Several of something, one after the other.
Series: TypeAlias = Iterable[T]

SERIES: Final = (Iterable,)  # the same, to ask for


def call(function: Callable[[T], object], argument: T) -> None:
    """
    Call a function of the application. The twin awaits what it returns.
    """
    function(argument)


def awaited(function: F) -> F:
    """
    Leave a function as it is. The twin lets it be told that it is a coroutine function.
    """
    return function


class Feed(Generic[T]):
    """
    Takes from an iterable of the application, which may never end. The twin takes from asynchronous ones as well.

    Attributes:
        held: what was taken, in order; whoever deals with it deletes it from the list
        whole: all items are there already, so none is slow in coming
        ended: there is no more
        failure: what the iterable raised instead of going on
    """

    __slots__ = ("_items", "ended", "failure", "held", "whole")

    def __init__(self, items: Series[T]) -> None:
        self._items = iter(items)
        self.held: list[T] = []
        self.whole = isinstance(items, Sized)
        self.ended = False
        self.failure: Exception | None = None

    def take(self, most: int) -> None:
        """
        Take some more items, as many as there are and at most so many.
        """
        before = len(self.held)
        try:
            # Interrupted inside of the iterable, the list has what it gave before.
            self.held.extend(islice(self._items, most))
            self.ended = len(self.held) - before < most
        except Exception as error:
            self.failure, self.ended = error, True
