"""
What the application hands in: functions to call, and iterables to take from; and the loop in which it takes what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from functools import partial
from itertools import chain, cycle, islice, repeat, starmap
from typing import Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")
#: Several of something, one after the other.
Series: TypeAlias = Iterable[T]

SERIES: Final = (Iterable,)  # the same, to ask for


def call(function: Callable[[T], object], argument: T) -> None:
    """
    Call a function of the application. The twin awaits what it returns.
    """
    function(argument)


def loop(given: Iterator[T], following: Callable[[], Iterator[T] | None]) -> Iterator[T]:
    """
    Give what a loop of the application goes through: no step is a call of Python for as long as there is something to serve,
    for ``__next__`` takes half as long as making an entry does. The twin goes through ``given``, as its steps are awaited.

    Args:
        given: one item for each call
        following: gives what serves the next few; None: there is nothing more
    """
    served = _Served(following)
    # What is raised, by a signal handler too, comes out of a generator that is made for this one call: making it runs no code
    # yet. A chain ends for good when an error comes from where it gets its parts, and whoever goes on with it would take that
    # for the end. And a generator refuses the second of two threads that share a loop; a part in C that calls Python is pulled
    # from under the first one. It gives nothing itself: resumed for each item, it would take longer than all the rest.
    ended = iter(partial(getattr, served, "ended"), True)
    return chain.from_iterable(starmap(getattr, zip(repeat(served), cycle(("asked", "rest")), ended, strict=False)))


class _Served(Generic[T]):
    """
    What a loop goes through, a few items at a time, until it has ended.

    Attributes:
        rest: the items that were asked for last
        ended: there were none
    """

    __slots__ = ("_following", "ended", "rest")

    def __init__(self, following: Callable[[], Iterator[T] | None]) -> None:
        self._following = following
        self.rest: Iterator[T] = iter(())
        self.ended = False

    @property
    def asked(self) -> Iterator[T]:
        """
        Nothing, and when that has been gone through, the next few are in ``rest``.
        """
        rest = self._following()
        if rest is None:
            self.ended = True
        else:
            self.rest = rest
        yield from ()


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
