"""
The grammar of stream identifiers: read them, compare them, and check them where a command takes one.

An identifier is two unsigned 64-bit numbers, ``milliseconds-sequence``; the second may be left out and then is 0 (at the end
of a range: the largest). They order as numbers: as text ``"10-0"`` would come before ``"9-0"``.
Each place in a command has its own special identifiers. The servers answer all mistakes with the same sentence, which they
also use for options that they do not know, so mistakes are found here, where the parameter and its value can be named.
(https://redis.io/docs/latest/develop/data-types/streams/#entry-ids)

The checks return what to send: always bytes, of text just as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ..types import IdentifierT, PositionT, StreamEntry
from ..typing import StringT
from .commands.checks import TEXT, several, unix_milliseconds

#: The largest value of each half.
LARGEST: Final = 2**64 - 1

_GRAMMAR: Final = re.compile(rb"([0-9]{1,20})(?:-([0-9]{1,20}))?")
#: Halves so short cannot be too large, so one match is the whole check. Practically every identifier is one of these.
surely_valid: Final = re.compile(rb"[0-9]{1,19}(?:-[0-9]{1,19})?").fullmatch
#: And this is one as a server writes it.
_as_servers_write: Final = re.compile(rb"(?:0|[1-9][0-9]{0,18})-(?:0|[1-9][0-9]{0,18})").fullmatch
#: Many of them, with a space before each and after the last one.
_all_surely_valid: Final = re.compile(rb"(?: [0-9]{1,19}+-[0-9]{1,19}+)++ ").fullmatch
_all_as_servers_write: Final = re.compile(rb"(?: (?:0|[1-9][0-9]{0,18}+)-(?:0|[1-9][0-9]{0,18}+))++ ").fullmatch
_BYTES: Final = frozenset({bytes})
_DIGITS: Final = b"0123456789"


def parse(identifier: StringT | int) -> tuple[int, int]:
    """
    Read an identifier as two numbers, which compare as identifiers do.

    Raises:
        ValueError: it is not one
    """
    if isinstance(identifier, int):
        return _numbers("identifier", b"%d" % identifier, identifier)
    return _numbers("identifier", _bytes("identifier", identifier), identifier)


def render(numbers: tuple[int, int]) -> str:
    """
    Write two numbers as an identifier.
    """
    return f"{numbers[0]}-{numbers[1]}"


def before(milliseconds: int) -> bytes:
    """
    Give the largest identifier before a time, so that reading after it starts with that time's first entry.
    """
    return b"%d-%d" % (milliseconds - 1, LARGEST) if milliseconds else b"0-0"


# ----------------------------------------------------------------------------------------- identifiers of entries


def entry(name: str, identifier: IdentifierT) -> bytes:
    """
    Check the identifier of one entry.

    Args:
        name: of the parameter
        identifier: ``5-1``, ``5`` for ``5-0``, or a ``StreamEntry``
    """
    return _check(name, identifier)


def entries(name: str, identifiers: IdentifierT | Iterable[IdentifierT]) -> tuple[bytes, ...]:
    """
    Check the identifiers of one or more entries.
    """
    if type(identifiers) is bytes or isinstance(identifiers, StreamEntry):  # It is a tuple, too.
        return (_check(name, identifiers),)
    items: tuple[IdentifierT, ...] = several(name, identifiers)
    if len(items) == 1:
        return (_check(name, items[0]),)
    if _BYTES.issuperset(map(type, items)) and surely_all_valid(items):  # type: ignore[arg-type]
        return items  # type: ignore[return-value]
    return tuple([_check(name, identifier) for identifier in items])


def plain(identifiers: tuple[IdentifierT, ...]) -> bytes | None:
    """
    Give the identifier of a single entry as it came from a server; None: it is something else, which may be as good.
    """
    if len(identifiers) == 1:
        (only,) = identifiers
        if type(only) is StreamEntry:
            identifier = only.identifier
            if type(identifier) is bytes and _as_servers_write(identifier):
                return identifier
    return None


def canonical(name: str, identifiers: tuple[IdentifierT, ...]) -> tuple[bytes, ...]:
    """
    Check the identifiers of entries, and write them as servers do.
    """
    if len(identifiers) == 1:  # the application goes from entry to entry
        only: object = identifiers[0]
        if type(only) is StreamEntry:
            only = only.identifier
        if type(only) is str:
            only = only.encode("ascii", "replace")
        if type(only) is bytes and _as_servers_write(only):
            return (only,)
        return (b"%d-%d" % parse(entry(name, identifiers[0])),)
    texts: tuple[object, ...] = identifiers
    if not _BYTES.issuperset(map(type, texts)):
        found = [one.identifier if isinstance(one, StreamEntry) else one for one in identifiers]
        texts = tuple([one.encode("ascii", "replace") if type(one) is str else one for one in found])
        if not _BYTES.issuperset(map(type, texts)):
            texts = ()
    if texts and (_alike(texts, True) or _all_as_servers_write(_together(texts))):  # type: ignore[arg-type]
        return texts  # type: ignore[return-value]
    return tuple([b"%d-%d" % parse(entry(name, identifier)) for identifier in identifiers])


def threshold(name: str, identifier: PositionT) -> bytes:
    """
    Check the identifier below which entries are trimmed (MINID); a time means entries older than that.
    """
    return _check(name, _as_time(name, identifier))


# -------------------------------------------------------------------------------------------- places in a stream


def addition(name: str, identifier: PositionT | None) -> bytes:
    """
    Check the identifier of an entry to add (XADD).

    Args:
        name: of the parameter
        identifier: complete, ``*`` or None for automatic, ``5-*`` or a time for an automatic sequence number in that
            millisecond
    """
    if identifier is None:
        return b"*"
    if isinstance(identifier, datetime):
        return b"%d-*" % unix_milliseconds(name, identifier)
    if isinstance(identifier, TEXT):
        text = _bytes(name, identifier)
        if text == b"*":
            return text
        if text.endswith(b"-*"):
            _numbers(name, text[:-2] + b"-0", identifier)
            return text
    checked = _check(name, identifier)
    if checked.strip(b"0") in (b"", b"-"):
        raise ValueError(f"{name}: expected an identifier greater than 0-0, got {identifier!r}")
    return checked


def bound(name: str, identifier: PositionT) -> bytes:
    """
    Check one end of a range.

    Args:
        name: of the parameter
        identifier: ``-`` and ``+`` for the smallest and the largest, ``(5-1`` to exclude it, or a time: as a start that
            millisecond's first entry, as an end its last
    """
    identifier = _as_time(name, identifier)
    if isinstance(identifier, TEXT):
        text = _bytes(name, identifier)
        if text in (b"-", b"+"):
            return text
        if text.startswith(b"("):
            _numbers(name, text[1:], identifier)
            return text
    return _check(name, identifier)


def position(name: str, identifier: PositionT) -> bytes:
    """
    Check where XREAD starts: after this identifier.

    Args:
        name: of the parameter
        identifier: ``$`` for what is added from now on, ``+`` for the last entry, or a time: entries from then on
    """
    if isinstance(identifier, TEXT):
        text = _bytes(name, identifier)
        if text in (b"$", b"+"):
            return text
        if text == b">":
            raise ValueError(f"{name}: '>' has a meaning in consumer groups only (xreadgroup); say '$' for new entries")
    return _after(name, identifier)


def group_position(name: str, identifier: PositionT) -> bytes:
    """
    Check where XREADGROUP starts.

    Args:
        name: of the parameter
        identifier: ``>`` for entries nobody in the group has seen, anything else for the consumer's own pending entries
            after it
    """
    if isinstance(identifier, TEXT):
        text = _bytes(name, identifier)
        if text == b">":
            return text
        if text in (b"$", b"+"):
            raise ValueError(f"{name}: {identifier!r} has no meaning in a consumer group; say '>' for new entries")
    return _after(name, identifier)


def group_start(name: str, identifier: PositionT | None) -> bytes:
    """
    Check after which entry a new consumer group starts: ``$`` or None for the last one there is, or a time.
    """
    if identifier is None:
        return b"$"
    if isinstance(identifier, TEXT) and _bytes(name, identifier) == b"$":
        return b"$"
    return _after(name, identifier)


def group_move(name: str, identifier: PositionT | None) -> bytes:
    """
    Check where a consumer group is moved to: as where it starts, and ``-`` or ``+``.
    """
    if isinstance(identifier, TEXT):
        text = _bytes(name, identifier)
        if text in (b"-", b"+"):
            return text
    return group_start(name, identifier)


# ------------------------------------------------------------------------------------------------------- helpers


def _bytes(name: str, identifier: StringT) -> bytes:
    if isinstance(identifier, str):
        # Not ASCII is no identifier either way; this keeps it from becoming an encoding error.
        return identifier.encode("ascii", "replace")
    if isinstance(identifier, bytes):
        return bytes(identifier)  # a token of ours is a kind of bytes
    raise TypeError(f"{name}: expected an identifier as str, bytes or int, got {type(identifier).__name__}")


def surely_all_valid(identifiers: Sequence[bytes]) -> bool:
    """
    Tell whether all of them are complete and certainly fit into 64 bits; False: they have to be looked at one by one.

    Raises:
        TypeError: one is not bytes
    """
    return _alike(identifiers, False) or _all_surely_valid(_together(identifiers)) is not None


def _alike(identifiers: Sequence[bytes], as_servers_write: bool) -> bool:
    """
    Tell whether many identifiers, all with their halves in the same places, are complete and certainly fit into 64 bits, in a
    tenth of the time; False: they have to be looked at otherwise.

    Args:
        identifiers: some
        as_servers_write: and no half begins with a zero that is not all of it

    Raises:
        TypeError: one is not bytes
    """
    count = len(identifiers)
    together = b" ".join(identifiers)
    size, middle = together.find(b" "), together.find(b"-")
    if not (0 < middle < 20 and 1 < size - middle <= 20):
        return False
    step = size + 1
    if (
        len(together) != count * step - 1
        or together.translate(None, _DIGITS) != b"- " * (count - 1) + b"-"
        or together[middle::step] != b"-" * count
        or together[size::step] != b" " * (count - 1)
    ):
        return False
    return not as_servers_write or not (
        (middle > 1 and b"0" in together[::step]) or (size - middle > 2 and b"0" in together[middle + 1 :: step])
    )


def _together(identifiers: Sequence[bytes]) -> bytes:
    """
    Write many identifiers as one text with spaces around each, which is matched in a third of the time; empty where one of them
    has a space itself.
    """
    text = b" %b " % b" ".join(identifiers)
    return text if text.count(b" ") == len(identifiers) + 1 else b""


def _check(name: str, identifier: object) -> bytes:
    """
    Check a plain identifier and give it back as what can be sent.
    """
    if type(identifier) is bytes and surely_valid(identifier):
        return identifier  # The usual case: straight from an entry.
    if isinstance(identifier, StreamEntry):
        identifier = identifier.identifier
    if isinstance(identifier, bool):
        raise ValueError(f"{name}: expected an identifier, got {identifier!r}")
    # _bytes refuses whatever else it may be.
    text = b"%d" % identifier if isinstance(identifier, int) else _bytes(name, identifier)  # type: ignore[arg-type]
    if not surely_valid(text):
        _numbers(name, text, identifier)
    return text


def _numbers(name: str, text: bytes, given: object) -> tuple[int, int]:
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError(f"{name}: expected a stream identifier as '1700000000000-0' here, got {given!r}")
    numbers = int(match[1]), int(match[2] or 0)
    if max(numbers) > LARGEST:
        raise ValueError(f"{name}: both numbers of an identifier have 64 bits, got {given!r}")
    return numbers


def _as_time(name: str, identifier: PositionT) -> IdentifierT:
    return unix_milliseconds(name, identifier) if isinstance(identifier, datetime) else identifier


def _after(name: str, identifier: PositionT) -> bytes:
    if isinstance(identifier, datetime):
        return before(unix_milliseconds(name, identifier))
    return _check(name, identifier)
