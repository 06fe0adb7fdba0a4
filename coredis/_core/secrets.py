"""
Text that must not be seen: it works as usual, and its ``repr`` hides it.

Error reporters show the local variables of a traceback by their ``repr``. So that no password gets into a log that way, every
function that a password passes through holds it in one of these.
"""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class HiddenText(str):
    """
    A ``str`` that does not show itself.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class HiddenBytes(bytes):
    """
    ``bytes`` that do not show themselves.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


def hidden(value: T) -> T:
    """
    Hide a ``str`` or ``bytes``; anything else stays as it is.
    """
    if isinstance(value, str):
        return HiddenText(value)  # type: ignore[return-value]
    if isinstance(value, bytes):
        return HiddenBytes(value)  # type: ignore[return-value]
    return value
