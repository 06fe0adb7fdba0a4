"""
Read the reply to a consumer's read: entries to hand out, where each stream stands now, and what was found deleted.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from itertools import chain, repeat, zip_longest
from typing import AnyStr, Final, Generic, NamedTuple

from ...exceptions import ProtocolError
from ...types import StreamEntry
from ..command import Reply
from ..replies import Replies
from .cursors import Cursor
from .held import Key

_NOTHING: Final = object()
# Of the last entry alone: it is where the next read goes on. Looking at each would cost as much as making an entry of it.
_identifier: Final = re.compile(rb"[0-9]{1,20}-[0-9]{1,20}").fullmatch


class Arrivals(NamedTuple, Generic[AnyStr]):
    """
    What a reply brought.

    Attributes:
        items: (stream, entry), in the order in which they are served: one stream after the other in turns, so that a busy
            one does not keep the others waiting; entries of one stream in order
        last: for each stream asked for: the identifier of its last entry, or None when there was none. Entries that were
            taken over do not count: they say nothing of where the group stands
        deleted: for streams where a pending entry no longer exists: the identifiers to acknowledge away
        keys: stream and identifier of each item; empty unless the consumer keeps account of what it holds
        suppressed: how many entries were left out because the consumer holds them
        claimed: how many of the items were taken over from others (or left by this consumer itself before)
        counts: for each stream that had any: how many entries came, whatever became of them
    """

    items: list[tuple[AnyStr, StreamEntry[AnyStr]]]
    last: dict[bytes, bytes | None]
    deleted: dict[bytes, list[bytes]]
    keys: list[Key] = []
    suppressed: int = 0
    claimed: int = 0
    counts: dict[bytes, int] = {}


def read(
    answers: Iterable[Reply],
    cursors: Mapping[bytes, Cursor],
    replies: Replies[AnyStr],
    held: Container[Key] | None = None,
) -> Arrivals[AnyStr]:
    """
    Read replies of XREAD or XREADGROUP.

    Args:
        answers: the replies, in the shape of either protocol; None: nothing
        cursors: the streams that were asked for, by name
        replies: how this client wants its text
        held: what the consumer has already, where it keeps account of that

    Raises:
        ProtocolError: a stream that was not asked for, or no identifier where the next read is to go on
    """
    last: dict[bytes, bytes | None] = dict.fromkeys(cursors)
    deleted: dict[bytes, list[bytes]] = {}
    found: dict[bytes, list[Reply]] = {}
    counts: dict[bytes, int] = {}
    claimed = 0
    for name, raw in chain.from_iterable(map(_by_stream, answers)):
        if name not in cursors:
            raise ProtocolError("a reply for a stream that was not asked for", may_have_run=True)
        if not raw:
            continue
        counts[name] = len(raw)
        if len(raw[0]) > 2:
            # With CLAIM: what was taken over comes first, and says for how long it lay there.
            new = [item for item in raw if not int(item[2])]
            claimed += len(raw) - len(new)
            latest = new[-1:]
        else:
            latest = raw[-1:]
        for item in latest:
            if not _identifier(item[0]):
                raise ProtocolError("an entry without an identifier", may_have_run=True)
            last[name] = item[0]
        gone = [item[0] for item in raw if item[1] is None]
        if gone:
            deleted[name] = gone
            raw = [item for item in raw if item[1] is not None]
        found[name] = raw
    return _in_turns(found, replies, held, last, deleted, claimed)._replace(counts=counts)


def read_claims(
    answers: Iterable[Reply], cursors: Mapping[bytes, Cursor], replies: Replies[AnyStr], held: Container[Key]
) -> tuple[Arrivals[AnyStr], dict[bytes, bytes]]:
    """
    Read the replies of XAUTOCLAIM, one for each stream.

    Returns:
        what they brought (``deleted`` has what the server has removed by itself), and where to go on looking
    """
    following: dict[bytes, bytes] = {}
    deleted: dict[bytes, list[bytes]] = {}
    found: dict[bytes, list[Reply]] = {}
    counts: dict[bytes, int] = {}
    claimed = 0
    for name, (position, raw, *gone) in zip(cursors, answers, strict=True):
        following[name] = position
        if gone and gone[0]:
            deleted[name] = gone[0]
        if raw:
            claimed += len(raw)
            counts[name] = len(raw)
            found[name] = raw
    return _in_turns(found, replies, held, {}, deleted, claimed)._replace(counts=counts), following


def _by_stream(reply: Reply) -> Iterable[tuple[bytes, Reply]]:
    return reply.items() if isinstance(reply, dict) else reply or ()


def _in_turns(
    found: dict[bytes, list[Reply]],
    replies: Replies[AnyStr],
    held: Container[Key] | None,
    last: dict[bytes, bytes | None],
    deleted: dict[bytes, list[bytes]],
    claimed: int,
) -> Arrivals[AnyStr]:
    """
    Order what was found, and leave out what is held.
    """
    suppressed = 0
    key_queues: list[list[Key]] = []
    queues: list[list[tuple[AnyStr, StreamEntry[AnyStr]]]] = []
    for name, raw in found.items():
        if held is not None:
            kept = [item for item in raw if (name, item[0]) not in held]
            suppressed += len(raw) - len(kept)
            key_queues.append([(name, item[0]) for item in kept])
            raw = kept
        queues.append(list(zip(repeat(replies.text(name)), replies.entries(raw))))
    claimed = max(0, claimed - suppressed)  # what is held and not new was taken over from ourselves
    if len(queues) == 1:
        return Arrivals(queues[0], last, deleted, key_queues[0] if key_queues else [], suppressed, claimed)
    items = [item for item in chain.from_iterable(zip_longest(*queues, fillvalue=_NOTHING)) if item is not _NOTHING]
    keys = [key for key in chain.from_iterable(zip_longest(*key_queues, fillvalue=_NOTHING)) if key is not _NOTHING]
    return Arrivals(items, last, deleted, keys, suppressed, claimed)  # type: ignore[arg-type]
