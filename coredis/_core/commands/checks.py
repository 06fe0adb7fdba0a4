"""
Checks of single arguments that many commands share.

Each check takes the name of the parameter (for the message) and what the caller gave, and returns what to send. A wrong
value is a ``ValueError``, a wrong type a ``TypeError``; both name the parameter and the value. ``bool`` is never a number:
``True`` where a count is wanted is a mistake, and a ``ValueError``. ``None`` means "not given" everywhere in this library, so
callers ask for it themselves; 0 is a value like any other.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from ...typing import StringT

T = TypeVar("T")

#: The largest number that servers read as an integer: signed, 64 bits.
LARGEST_INTEGER: Final = 2**63 - 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
# To write these as unions where they are asked for would make the unions anew each time.
TEXT: Final = (str, bytes)
_SINGLE: Final = (str, bytes, bytearray, memoryview, int, float)


def whole_number(name: str, value: int, minimum: int = -LARGEST_INTEGER - 1, maximum: int = LARGEST_INTEGER) -> int:
    """
    Check a whole number against its bounds, both included.
    """
    if type(value) is int and minimum <= value <= maximum:
        return value
    if isinstance(value, bool):
        raise ValueError(f"{name}: expected a whole number, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {type(value).__name__} ({value!r})") from None
    if number < minimum:
        raise ValueError(f"{name}: expected at least {minimum}, got {number}")
    if number > maximum:
        raise ValueError(f"{name}: expected at most {maximum}, got {number}")
    return number


def positive_integer(name: str, value: int) -> int:
    """
    Check a whole number of at least 1.
    """
    return whole_number(name, value, 1)


def natural_integer(name: str, value: int) -> int:
    """
    Check a whole number of at least 0.
    """
    return whole_number(name, value, 0)


def milliseconds(name: str, value: int | timedelta, minimum: int = 0) -> int:
    """
    Read a span of time as whole milliseconds.

    A fraction counts as a whole: rounding half a millisecond down to 0 would turn a short wait into an endless one.

    Args:
        name: of the parameter
        value: milliseconds, or a ``timedelta``
        minimum: the least that is allowed, in milliseconds
    """
    if isinstance(value, timedelta):
        value = -(-value // _MILLISECOND)
    return whole_number(name, value, minimum)


def seconds(name: str, value: int | timedelta, minimum: int = 0, maximum: int = LARGEST_INTEGER) -> int:
    """
    Read a span of time as whole seconds; a fraction counts as a whole.

    Args:
        name: of the parameter
        value: seconds, or a ``timedelta``
        minimum: the least that is allowed, in seconds
        maximum: the most that is allowed, in seconds
    """
    if isinstance(value, timedelta):
        value = -(-value // _SECOND)
    return whole_number(name, value, minimum, maximum)


def unix_milliseconds(name: str, value: int | datetime) -> int:
    """
    Read a moment as milliseconds since the epoch.

    Args:
        name: of the parameter
        value: milliseconds since the epoch, or a ``datetime``; one without a time zone is local time, as everywhere in
            Python. Microseconds are cut off
    """
    if isinstance(value, datetime):
        value = (value.astimezone(UTC) - _EPOCH) // _MILLISECOND
    return whole_number(name, value, 0)


def unix_seconds(name: str, value: int | datetime) -> int:
    """
    Read a moment as seconds since the epoch.

    Args:
        name: of the parameter
        value: seconds since the epoch, or a ``datetime``; one without a time zone is local time. Fractions are cut off
    """
    if isinstance(value, datetime):
        value = (value.astimezone(UTC) - _EPOCH) // _SECOND
    return whole_number(name, value, 0)


def string(name: str, value: StringT) -> StringT:
    """
    Check a name: str or bytes, empty ones included (servers accept those).
    """
    if not isinstance(value, TEXT):
        raise TypeError(f"{name}: expected str or bytes, got {type(value).__name__} ({value!r})")
    return value


def several(name: str, values: T | Iterable[T]) -> tuple[T, ...]:
    """
    Read one or more values, consuming an iterator once.

    Args:
        name: of the parameter
        values: an iterable, or a single value: str and bytes count as one value, not as an iterable of characters

    Raises:
        ValueError: there is none
        TypeError: not an iterable and not a value either
    """
    items: tuple[T, ...]
    if type(values) is list or type(values) is tuple:  # mostly
        items = tuple(values)
    elif isinstance(values, _SINGLE):
        items = (values,)  # type: ignore[assignment]
    else:
        try:
            items = tuple(values)  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(f"{name}: expected several values, got {type(values).__name__} ({values!r})") from None
    if not items:
        raise ValueError(f"{name}: expected at least one value, got none")
    return items
