"""
What the application hands in: functions to call, and iterables to take from.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Sized
from itertools import islice
from typing import Any, Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
#: Several of something, one after the other.
Series: TypeAlias = Iterable[T] | AsyncIterable[T]

SERIES: Final = (Iterable, AsyncIterable)  # the same, to ask for


async def call(function: Callable[[T], object], argument: T) -> None:
    """
    Call a function of the application, which may be a coroutine function. The twin just calls it.
    """
    result = function(argument)
    if inspect.isawaitable(result):
        await result


def awaited(function: F) -> F:
    """
    Let it be told of a function that gives a coroutine of others that it is a coroutine function. The twin leaves it as it is.
    """
    mark: Callable[[F], F] | None = getattr(inspect, "markcoroutinefunction", None)  # since Python 3.12
    if mark is not None:
        return mark(function)
    function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    return function


class Feed(Generic[T]):
    """
    Takes from an iterable of the application, which may never end, and may be an asynchronous one. The twin knows plain ones.

    Attributes:
        held: what was taken, in order; whoever deals with it deletes it from the list
        whole: all items are there already, so none is slow in coming
        ended: there is no more
        failure: what the iterable raised instead of going on
    """

    __slots__ = ("_items", "_plain", "ended", "failure", "held", "whole")

    def __init__(self, items: Series[T]) -> None:
        self._items = aiter(items) if isinstance(items, AsyncIterable) else None
        self._plain = None if isinstance(items, AsyncIterable) else iter(items)
        self.held: list[T] = []
        self.whole = isinstance(items, Sized)
        self.ended = False
        self.failure: Exception | None = None

    async def take(self, most: int) -> None:
        """
        Take some more items, as many as there are and at most so many.
        """
        before = len(self.held)
        try:
            if self._plain is not None:
                self.held.extend(islice(self._plain, most))
                self.ended = len(self.held) - before < most
            elif self._items is not None:
                for _ in range(most):
                    self.held.append(await anext(self._items))
        except StopAsyncIteration:
            self.ended = True
        except Exception as error:
            self.failure, self.ended = error, True
