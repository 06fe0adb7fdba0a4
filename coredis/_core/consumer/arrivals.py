"""
Read the reply to a consumer's read: entries to hand out, where each stream stands now, and what was found deleted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain, repeat, zip_longest
from operator import itemgetter
from typing import AnyStr, Final, Generic, NamedTuple, TypeVar

from ...exceptions import ProtocolError
from ...types import StreamEntry
from .. import identifiers
from ..command import Reply
from ..identifiers import parse
from ..replies import Replies
from ..replies.entries import read_alike
from .cursors import Cursor
from .held import Key

T = TypeVar("T")
_NOTHING: Final = object()
# Of the last entry alone: it is where the next read goes on. Looking at each would cost as much as making an entry of it.
is_identifier: Final = re.compile(rb"[0-9]{1,20}-[0-9]{1,20}").fullmatch
_MANY: Final = 4  # identifiers from which on it is faster to look at all of them together
_SHORT: Final = 20  # two halves that are together so short cannot be too large
_PARTS: Final = 2  # of an entry: identifier, fields
_first: Final = itemgetter(0)
_last: Final = itemgetter(-1)


class Arrivals(NamedTuple, Generic[AnyStr]):
    """
    What a reply brought.

    The entries come one stream after the other in turns, so that a busy one does not keep the others waiting; those of one
    stream come in order.

    Attributes:
        streams: of each entry its stream; one stream repeated without end where there is only one
        entries: in the order in which they are served
        last: for each stream asked for: the identifier of its last entry, or None when there was none. Entries that were
            taken over do not count: they say nothing of where the group stands
        deleted: for streams where a pending entry no longer exists: the identifiers to acknowledge away
        keys: stream and identifier of each entry; empty unless the consumer keeps account of what it holds
        suppressed: how many entries were left out because the consumer holds them
        claimed: how many of the entries were taken over from others (or left by this consumer itself before)
        counts: for each stream that had any: how many entries came, whatever became of them
    """

    streams: Iterable[AnyStr]
    entries: list[StreamEntry[AnyStr]]
    last: dict[bytes, bytes | None]
    deleted: dict[bytes, list[bytes]]
    keys: list[Key]
    suppressed: int
    claimed: int
    counts: dict[bytes, int]

    def items(self) -> list[tuple[AnyStr, StreamEntry[AnyStr]]]:
        """
        Give (stream, entry) of each entry.
        """
        return list(zip(self.streams, self.entries, strict=False))


class Found(NamedTuple):
    """
    What a reply has, before entries are made of it.

    Attributes:
        raw: the entries, as they were parsed, of each stream that has any
        last: as of ``Arrivals``
        counts: as of ``Arrivals``
        claimed: how many came with how long they lay there, so that they may have been taken over
    """

    raw: dict[bytes, list[Reply]]
    last: dict[bytes, bytes | None]
    counts: dict[bytes, int]
    claimed: int


def look(answers: Iterable[Reply], cursors: Mapping[bytes, Cursor]) -> Found:
    """
    See what replies of XREAD or XREADGROUP have: enough to know where the next read goes on.

    Args:
        answers: the replies, in the shape of either protocol; None: nothing
        cursors: the streams that were asked for, by name

    Raises:
        ProtocolError: a stream that was not asked for, or no identifier where the next read is to go on
    """
    answers = list(answers)
    if len(answers) == 1 and isinstance(answers[0], dict) and len(answers[0]) >= _MANY:
        together = _look_together(answers[0], cursors)
        if together is not None:
            return together
    last: dict[bytes, bytes | None] = dict.fromkeys(cursors)
    found: dict[bytes, list[Reply]] = {}
    known: list[bytes] = []
    counts: dict[bytes, int] = {}
    claimed = 0
    for reply in answers:
        for name, raw in reply.items() if isinstance(reply, dict) else reply or ():
            if name not in cursors:
                raise ProtocolError("a reply for a stream that was not asked for", may_have_run=True)
            if not raw:
                continue
            counts[name] = len(raw)
            latest = raw[-1]
            if len(latest) > 2:
                # With CLAIM: what was taken over comes first, and says for how long it lay there.
                new = [item for item in raw if not int(item[2])]
                claimed += len(raw) - len(new)
                latest = new[-1] if new else None
            if latest is not None:
                last[name] = latest[0]
                known.append(latest[0])
            found[name] = raw
    if len(known) < _MANY or not identifiers.surely_all_valid(known):
        for identifier in known:
            checked(identifier)
    return Found(found, last, counts, claimed)


def _look_together(found: dict[bytes, list[Reply]], cursors: Mapping[bytes, Cursor]) -> Found | None:
    """
    As ``look``, at many streams at a time with nothing special about them, which takes a third of the time; None: there is.
    """
    if not (found.keys() <= cursors.keys() and all(found.values())):
        return None
    latest = list(map(_last, found.values()))
    if set(map(len, latest)) != {_PARTS}:
        return None
    known = list(map(_first, latest))
    if not identifiers.surely_all_valid(known):
        return None
    last: dict[bytes, bytes | None] = dict.fromkeys(cursors)
    last.update(zip(found, known, strict=True))
    return Found(found, last, dict(zip(found, map(len, found.values()), strict=True)), 0)


def make(seen: Found, replies: Replies[AnyStr], held: Container[Key] | None = None) -> Arrivals[AnyStr]:
    """
    Make entries of what replies have.

    Args:
        seen: that
        replies: how this client wants its text
        held: what the consumer has already, where it keeps account of that

    Raises:
        ProtocolError: no identifier where one is sent back to the server
    """
    if held is None and not seen.claimed:
        raw, streams = in_order(seen, replies)
        entries = replies.alike(raw)
        if entries is not None:  # so none was deleted, either
            return Arrivals(streams, entries, seen.last, {}, [], 0, 0, seen.counts)
    return make_apart(seen, replies, held)


def make_apart(seen: Found, replies: Replies[AnyStr], held: Container[Key] | None = None) -> Arrivals[AnyStr]:
    """
    As ``make``, one stream after the other: the entries of each have other names, or there is something special about them.
    """
    found, last, counts, claimed = seen
    kept = dict(found)
    deleted: dict[bytes, list[bytes]] = {}
    for name, raw in found.items():
        gone = [checked(item[0]) for item in raw if item[1] is None]
        if gone:
            deleted[name] = gone
            kept[name] = [item for item in raw if item[1] is not None]
    return _arrivals(kept, replies, held, last, deleted, claimed, counts)


def in_order(seen: Found, replies: Replies[AnyStr]) -> tuple[list[Reply], list[AnyStr] | repeat[AnyStr]]:
    """
    Put what replies have in the order in which it is served.

    Returns:
        the entries, as they were parsed, and of each its stream; one stream repeated without end where there is only one
    """
    queues = list(seen.raw.values())
    raw = queues[0] if len(queues) == 1 else _in_turns(queues)
    return raw, _streams(list(map(replies.text, seen.raw)), queues)


def names_in_order(seen: Found) -> list[bytes] | repeat[bytes]:
    """
    Give the name of the stream of each entry, as ``in_order``.
    """
    return _streams(list(seen.raw), list(seen.raw.values()))


def read(
    answers: Iterable[Reply],
    cursors: Mapping[bytes, Cursor],
    replies: Replies[AnyStr],
    held: Container[Key] | None = None,
) -> Arrivals[AnyStr]:
    """
    Read replies of XREAD or XREADGROUP: ``look``, and ``make``.
    """
    return make(look(answers, cursors), replies, held)


def alone(
    reply: Reply, name: bytes, replies: Replies[AnyStr], most: float = math.inf
) -> tuple[list[StreamEntry[AnyStr]], bytes] | None:
    """
    Read the reply to a read of one stream, as ``read``; None: there are no entries, or more than so many, or there is something
    special about them.

    Returns:
        the entries, and the identifier of the last one

    Raises:
        Exception: what reading a reply of a strange shape may raise
    """
    if not reply or len(reply) != 1:
        return None
    if isinstance(reply, dict):
        raw = reply.get(name)
    else:
        ((found, raw),) = reply
        if found != name:
            return None
    if not raw or len(raw) > most:
        return None
    latest = raw[-1]
    if len(latest) != 2:
        return None
    entries = read_alike(raw, replies.text)
    if entries is None:
        return None
    last = latest[0]
    if len(last) > _SHORT or not is_identifier(last):
        checked(last)
    return entries, last


def read_claims(
    answers: Iterable[Reply], cursors: Mapping[bytes, Cursor], replies: Replies[AnyStr], held: Container[Key]
) -> tuple[Arrivals[AnyStr], dict[bytes, bytes]]:
    """
    Read the replies of XAUTOCLAIM, one for each stream.

    Returns:
        what they brought (``deleted`` has what the server has removed by itself), and where to go on looking

    Raises:
        ProtocolError: no identifier where to go on looking, or of what was removed
    """
    following: dict[bytes, bytes] = {}
    deleted: dict[bytes, list[bytes]] = {}
    found: dict[bytes, list[Reply]] = {}
    counts: dict[bytes, int] = {}
    claimed = 0
    for name, (position, raw, *gone) in zip(cursors, answers, strict=True):
        following[name] = checked(position)
        if gone and gone[0]:
            deleted[name] = list(map(checked, gone[0]))
        if raw:
            claimed += len(raw)
            counts[name] = len(raw)
            found[name] = raw
    return _arrivals(found, replies, held, {}, deleted, claimed, counts), following


def checked(identifier: Reply) -> bytes:
    """
    Give back an identifier that is sent to the server again.

    Raises:
        ProtocolError: it is none
        ValueError: it has more than 64 bits
    """
    if not is_identifier(identifier):
        raise ProtocolError("an entry without an identifier", may_have_run=True)
    if len(identifier) > _SHORT:
        parse(identifier)
    return identifier  # type: ignore[no-any-return]


def _arrivals(
    found: dict[bytes, list[Reply]],
    replies: Replies[AnyStr],
    held: Container[Key] | None,
    last: dict[bytes, bytes | None],
    deleted: dict[bytes, list[bytes]],
    claimed: int,
    counts: dict[bytes, int],
) -> Arrivals[AnyStr]:
    """
    Order what was found, and leave out what is held.
    """
    suppressed = 0
    keys: list[list[Key]] = []
    queues: list[list[StreamEntry[AnyStr]]] = []
    for name, raw in found.items():
        if held is not None:
            kept = [item for item in raw if (name, item[0]) not in held]
            suppressed += len(raw) - len(kept)
            keys.append([(name, item[0]) for item in kept])
            raw = kept
        queues.append(list(replies.entries(raw)))
    return Arrivals(
        _streams(list(map(replies.text, found)), queues),
        _in_turns(queues),
        last,
        deleted,
        _in_turns(keys),
        suppressed,
        max(0, claimed - suppressed),  # what is held and not new was taken over from ourselves
        counts,
    )


def _in_turns(queues: Sequence[list[T]]) -> list[T]:
    """
    Put several lists into one, in turns.
    """
    if len(set(map(len, queues))) == 1:
        return list(chain.from_iterable(zip(*queues, strict=True)))
    together = chain.from_iterable(zip_longest(*queues, fillvalue=_NOTHING))
    return [item for item in together if item is not _NOTHING]  # type: ignore[misc]


def _streams(names: list[AnyStr], queues: Sequence[list[T]]) -> list[AnyStr] | repeat[AnyStr]:
    """
    Say for each item of lists that are put into one in turns which of them it is from.
    """
    if len(names) == 1:
        return repeat(names[0])
    if len(set(map(len, queues))) == 1:
        return names * len(queues[0])
    return _in_turns([[name] * len(queue) for name, queue in zip(names, queues, strict=True)])
