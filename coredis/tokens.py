"""
The words of the command language that callers may have to name.

Wherever a method takes a token, the plain word does as well: ``PureToken.MAXLEN``, ``"MAXLEN"``, ``"maxlen"`` and
``b"MAXLEN"`` are the same.
"""

from __future__ import annotations

import enum
from typing import Final, TypeAlias


class PureToken(bytes, enum.Enum):
    """
    Words that stand for themselves. Comparing with str or bytes ignores case.
    """

    # Streams: identifiers
    AUTO_ID = b"*"
    NEW_ID = b"$"
    # Streams: trimming
    MAXLEN = b"MAXLEN"
    MINID = b"MINID"
    EQUAL = b"="
    APPROXIMATELY = b"~"
    # Streams: what happens to references of an entry that is removed
    KEEPREF = b"KEEPREF"
    DELREF = b"DELREF"
    ACKED = b"ACKED"
    # Streams: how an entry is handed back (XNACK)
    SILENT = b"SILENT"
    FAIL = b"FAIL"
    FATAL = b"FATAL"
    # Streams: flags, which the methods take as booleans
    NOMKSTREAM = b"NOMKSTREAM"
    MKSTREAM = b"MKSTREAM"
    NOACK = b"NOACK"
    FORCE = b"FORCE"
    JUSTID = b"JUSTID"
    FULL = b"FULL"
    # Expiry and existence conditions
    NX = b"NX"
    XX = b"XX"
    GT = b"GT"
    LT = b"LT"
    # Lists and sorted sets
    LEFT = b"LEFT"
    RIGHT = b"RIGHT"
    BEFORE = b"BEFORE"
    AFTER = b"AFTER"
    BYSCORE = b"BYSCORE"
    BYLEX = b"BYLEX"
    SUM = b"SUM"
    MIN = b"MIN"
    MAX = b"MAX"
    # Flushing
    SYNC = b"SYNC"
    ASYNC = b"ASYNC"
    # Clients
    TIMEOUT = b"TIMEOUT"
    ERROR = b"ERROR"
    NORMAL = b"NORMAL"
    REPLICA = b"REPLICA"
    PUBSUB = b"PUBSUB"
    MASTER = b"MASTER"
    WRITE = b"WRITE"
    ALL = b"ALL"
    ON = b"ON"
    OFF = b"OFF"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            other = other.encode(errors="replace")
        return isinstance(other, bytes) and bytes(self).upper() == other.upper()

    def __hash__(self) -> int:
        return hash(bytes(self).upper())

    def __repr__(self) -> str:
        return f"PureToken.{self.name}"


#: What a method takes where it wants a token.
TokenT: TypeAlias = PureToken | str | bytes

# Text, "~" and "APPROXIMATELY" alike, is not in one dictionary with bytes: of the same hash, the two would be compared, about
# which Python can be told to complain.
_BY_BYTES: Final = {bytes(token): token for token in PureToken}
_BY_TEXT: Final = {word: token for token in PureToken for word in (bytes(token).decode(), token.name)}


def choose(argument: str, value: TokenT, *allowed: PureToken) -> bytes:
    """
    Read a token given by the caller.

    Args:
        argument: the name of the parameter, for the message
        value: what the caller gave
        allowed: what it may be

    Returns:
        the word to send

    Raises:
        ValueError: none of those
    """
    # As it is mostly written: to compare with a token costs ten times as much.
    given = _BY_TEXT.get(value) if type(value) is str else _BY_BYTES.get(value) if type(value) is bytes else value
    for token in allowed:
        if token is given:
            return token[:]  # plain bytes, as below, in half the time
    for token in allowed:
        if token == value or token.name == value:
            return bytes(token)
    words = ", ".join(bytes(token).decode() for token in allowed)
    raise ValueError(f"{argument}: expected one of {words}, got {value!r}")
