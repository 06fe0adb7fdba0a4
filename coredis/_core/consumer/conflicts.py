"""
Tell whether another session reads under the name of this one: then each takes the other's entries for its own.

The server does not say who was given an entry, only under which name. But a session knows what it asked for. Before it has
asked for new entries, nothing that is delivered to its name can be its own. After that it has one read of a stream outstanding,
and what a lost reply had was delivered at one moment, after the read was sent; so pending entries that were delivered at
different moments, or before, and that this session has not got, were delivered to somebody else.

An earlier session that was killed looks the same as long as the server goes on serving its connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..identifiers import parse

#: What still counts as one moment (milliseconds): Redis 7.0 looks at the clock for each entry of a reply.
TOLERANCE: Final = 100


def delivered_since(last: bytes | None, began: bytes) -> bool:
    """
    Tell whether entries of the backlog were delivered after a session had begun, and before it asked for any.

    Args:
        last: the identifier of the last of them; None: there are none
        began: the last that had been delivered to anybody in the group when the session began
    """
    return last is not None and parse(last) > parse(began)


def not_of_one_read(idle: Iterable[int], age: float) -> bool:
    """
    Tell whether entries of one stream cannot all be those of a reply that was lost.

    Args:
        idle: milliseconds since each was delivered, by the same clock at the same moment
        age: seconds since the lost read was sent
    """
    moments = list(idle)
    return bool(moments) and max(moments) - min(min(moments), age * 1000) > TOLERANCE
