"""
Acknowledgements as workers send them that do not wait for each: of one entry, of the same stream and group as those before.
"""

from __future__ import annotations

from typing import Final

from ..types import IdentifierT, StreamEntry
from ..typing import KeyT, Parameters, StringT
from .packing import LONG_WORD
from .wire import encode

_DIGITS: Final = b"0123456789"
_DASH: Final = ord("-")
_END: Final = b"\r\n"
_MOST_BYTES: Final = 21
#: What comes before an identifier, the end of what was before included, by its length.
_heads: Final = [b"\r\n$%d\r\n" % length for length in range(_MOST_BYTES + 1)]
_NO_IDENTIFIER: Final = b"\r\n$0\r\n\r\n"

# A key, a group and what is sent before an identifier. They are nearly always the same objects as before; whoever gives others
# that equal them has them encoded.
_latest: tuple[object, object, bytes] = (_heads, _heads, b"")


def acknowledgement(key: KeyT, group: StringT, identifiers: IdentifierT | Parameters[IdentifierT]) -> bytes | None:
    """
    Encode XACK of one entry, with an identifier in full. None: it is something else, or wrong.
    """
    global _latest
    identifier: object = identifiers
    if type(identifiers) is list or type(identifiers) is tuple:
        identifier = identifiers[0] if len(identifiers) == 1 else None
    if type(identifier) is not bytes:
        if type(identifier) is StreamEntry:
            identifier = identifier.identifier
        if type(identifier) is str:
            identifier = identifier.encode("ascii", "replace")
        if type(identifier) is not bytes:
            return None
    size = len(identifier)
    # No half of something so short can be too large.
    if size > _MOST_BYTES or identifier.strip(_DIGITS) != b"-" or identifier[0] == _DASH or identifier[-1] == _DASH:
        return None
    latest_key, latest_group, start = _latest
    if key is not latest_key or group is not latest_group:
        if not (type(key) is str or type(key) is bytes) or not (type(group) is str or type(group) is bytes):
            return None
        try:
            start = encode(("XACK", key, group, b"")).removesuffix(_NO_IDENTIFIER)
        except ValueError:
            return None
        if len(start) < LONG_WORD:
            _latest = key, group, start
    return b"".join((start, _heads[size], identifier, _END))
