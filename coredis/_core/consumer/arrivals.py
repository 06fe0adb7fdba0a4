"""
Read the reply to a consumer's read: entries to hand out, where each stream stands now, and what was found deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, repeat, zip_longest
from typing import AnyStr, Final, Generic, NamedTuple

from ...exceptions import ProtocolError
from ...types import StreamEntry
from ..command import Reply
from ..replies import Replies
from .cursors import Cursor

_NOTHING: Final = object()


class Arrivals(NamedTuple, Generic[AnyStr]):
    """
    What a reply brought.

    Attributes:
        items: (stream, entry), in the order in which they are served: one stream after the other in turns, so that a busy
            one does not keep the others waiting; entries of one stream in order
        last: for each stream asked for: the identifier of its last entry, or None when there was none
        deleted: for streams where a pending entry no longer exists: the identifiers to acknowledge away
    """

    items: list[tuple[AnyStr, StreamEntry[AnyStr]]]
    last: dict[bytes, bytes | None]
    deleted: dict[bytes, list[bytes]]


def read(reply: Reply, cursors: Mapping[bytes, Cursor], replies: Replies[AnyStr]) -> Arrivals[AnyStr]:
    """
    Read a reply of XREAD or XREADGROUP.

    Args:
        reply: in the shape of either protocol; None: nothing
        cursors: the streams that were asked for, by name
        replies: how this client wants its text

    Raises:
        ProtocolError: a stream that was not asked for
    """
    last: dict[bytes, bytes | None] = dict.fromkeys(cursors)
    deleted: dict[bytes, list[bytes]] = {}
    queues: list[list[tuple[AnyStr, StreamEntry[AnyStr]]]] = []
    for name, raw in reply.items() if isinstance(reply, dict) else reply or ():
        if name not in cursors:
            raise ProtocolError("a reply for a stream that was not asked for", may_have_run=True)
        if not raw:
            continue
        last[name] = raw[-1][0]
        gone = [item[0] for item in raw if item[1] is None]
        if gone:
            deleted[name] = gone
            raw = [item for item in raw if item[1] is not None]
        queues.append(list(zip(repeat(replies.text(name)), replies.entries(raw))))
    if len(queues) == 1:
        return Arrivals(queues[0], last, deleted)
    in_turns = chain.from_iterable(zip_longest(*queues, fillvalue=_NOTHING))
    return Arrivals([item for item in in_turns if item is not _NOTHING], last, deleted)  # type: ignore[misc]
