"""
Identifiers of entries as the server in memory reads them: pairs (milliseconds, sequence), compared as such.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tests.support.memory.replies import Refused

Identifier: TypeAlias = tuple[int, int]

LARGEST: Final = 2**64 - 1
FIRST: Final[Identifier] = (0, 0)
LAST: Final[Identifier] = (LARGEST, LARGEST)
INVALID: Final = "ERR Invalid stream ID specified as stream command argument"


def show(identifier: Identifier) -> bytes:
    """
    Spell an identifier out.
    """
    return b"%d-%d" % identifier


def after(identifier: Identifier) -> Identifier | None:
    """
    Give the next identifier; None after the last.
    """
    time, sequence = identifier
    if sequence < LARGEST:
        return time, sequence + 1
    return None if time == LARGEST else (time + 1, 0)


def before(identifier: Identifier) -> Identifier | None:
    """
    Give the identifier before; None before the first.
    """
    time, sequence = identifier
    if sequence:
        return time, sequence - 1
    return None if time == 0 else (time - 1, LARGEST)


def exact(text: bytes, sequence: int = 0) -> Identifier:
    """
    Read an identifier of which the sequence may be missing.

    Raises:
        Refused: it is none
    """
    parts = text.split(b"-")
    if len(parts) > 2 or not all(part.isdigit() for part in parts):
        raise Refused(INVALID)
    time = int(parts[0])
    if len(parts) == 2:
        sequence = int(parts[1])
    if time > LARGEST or sequence > LARGEST:
        raise Refused(INVALID)
    return time, sequence


def bound(text: bytes, end: bool) -> Identifier:
    """
    Read one end of a range: ``-``, ``+``, an identifier, or ``(`` and an identifier that is not part of it.

    Raises:
        Refused: it is none
    """
    exclusive = text.startswith(b"(")
    if exclusive:
        text = text[1:]
    elif text == b"-":
        return FIRST
    elif text == b"+":
        return LAST
    identifier = exact(text, LARGEST if end else 0)
    if exclusive:
        moved = before(identifier) if end else after(identifier)
        if moved is None:
            raise Refused(f"ERR invalid {'end' if end else 'start'} ID for the interval")
        identifier = moved
    return identifier


def integer(text: bytes, message: str = "ERR value is not an integer or out of range") -> int:
    """
    Read a whole number of 64 bits.

    Raises:
        Refused: it is none, with this message
    """
    digits = text[1:] if text.startswith(b"-") else text
    if not digits.isdigit() or (len(digits) > 1 and digits.startswith(b"0")):
        raise Refused(message)
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise Refused(message)
    return number
