"""
XREAD and XREADGROUP, waiting included.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.memory.blocked import Blocked
from tests.support.memory.commands.streams import entry
from tests.support.memory.commands.table import Call, command, text
from tests.support.memory.identifiers import Identifier, before, exact, integer
from tests.support.memory.replies import NO_ARRAY, ByStream, Refused, Reply
from tests.support.memory.stream import Consumer, Group, Pending, Stream

_SUFFIX = " in XREADGROUP with GROUP option"


@dataclass(slots=True)
class Read:
    """
    What a read asks for.

    Attributes:
        after: for each key an identifier; None: what nobody in the group has seen
        count: the most entries of each stream; 0: all
        block: milliseconds; 0: for ever; None: not at all
        claim: take over what has been pending for so many milliseconds
    """

    group: bytes | None = None
    consumer: bytes = b""
    count: int = 0
    block: int | None = None
    no_pending: bool = False
    claim: int | None = None
    keys: list[bytes] = field(default_factory=list)
    after: list[Identifier | None] = field(default_factory=list)


@command("XREAD", -4)
def read(call: Call) -> Reply | Blocked:
    return _run(call, _parse(call, in_group=False))


@command("XREADGROUP", -7)
def read_group(call: Call) -> Reply | Blocked:
    return _run(call, _parse(call, in_group=True))


def _parse(call: Call, in_group: bool) -> Read:
    asked = Read()
    words = call.words[1:]
    only = "option is only supported by XREADGROUP. You called XREAD instead."
    while True:
        word = words[0].upper()
        if word == b"STREAMS":
            break
        if word == b"BLOCK" and len(words) > 1:
            asked.block = integer(words[1], "ERR timeout is not an integer or out of range")
            if asked.block < 0:
                raise Refused("ERR timeout is negative")
            del words[:2]
        elif word == b"COUNT" and len(words) > 1:
            asked.count = max(0, integer(words[1]))
            del words[:2]
        elif word == b"GROUP" and len(words) > 2:
            if not in_group:
                raise Refused(f"ERR The GROUP {only}")
            asked.group, asked.consumer = words[1:3]
            del words[:3]
        elif word == b"NOACK":
            if not in_group:
                raise Refused(f"ERR The NOACK {only}")
            asked.no_pending = True
            del words[0]
        elif word == b"CLAIM" and len(words) > 1 and call.personality.claim:
            asked.claim = integer(words[1], "ERR min-idle-time is not an integer or out of range")
            if asked.claim < 0:
                raise Refused("ERR min-idle-time must be a positive integer")
            del words[:2]
        else:
            raise Refused("ERR syntax error")
        if not words:
            raise Refused("ERR syntax error")
    del words[0]
    if not words or len(words) % 2:
        raise Refused(_unbalanced(call))
    if in_group and asked.group is None:
        raise Refused("ERR Missing GROUP option for XREADGROUP")
    asked.keys, identifiers = words[: len(words) // 2], words[len(words) // 2 :]
    for key, identifier in zip(asked.keys, identifiers, strict=True):
        asked.after.append(_after(call, asked, key, identifier))
    return asked


def _unbalanced(call: Call) -> str:
    name = text(call.words[0]).lower()
    if not call.personality.modern:
        return f"ERR Unbalanced {name.upper()} list of streams: for each stream key an ID or '$' must be specified."
    if not call.personality.deletion:
        return f"ERR Unbalanced '{name}' list of streams: for each stream key an ID or '$' must be specified."
    special = "'>'" if name == "xreadgroup" else "'+', or '$'"
    return f"ERR Unbalanced '{name}' list of streams: for each stream key an ID, {special} must be specified."


def _after(call: Call, asked: Read, key: bytes, identifier: bytes) -> Identifier | None:
    stream = call.stream(key)
    if asked.group is not None and (stream is None or asked.group not in stream.groups):
        call.group(key, asked.group, _SUFFIX)
    if identifier == b">":
        if asked.group is None:
            raise Refused(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
            )
        return None
    if identifier == b"$" or (identifier == b"+" and call.personality.latest):
        if asked.group is not None:
            raise Refused(
                "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
                "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
            )
        if stream is None:
            return 0, 0
        if identifier == b"+" and stream.order:
            return before(stream.newest if call.personality.latest_existing else stream.last)
        return stream.last
    return exact(identifier)


def _run(call: Call, asked: Read) -> Reply | Blocked:
    reply = _attempt(call, asked)
    if reply is not None:
        return reply
    if asked.block is None or call.in_transaction:
        return NO_ARRAY
    until = None if asked.block == 0 else call.server.now + asked.block
    return Blocked(call.words, asked.keys, until, lambda: _again(call, asked), lambda: _claimable_at(call, asked))


def _again(call: Call, asked: Read) -> Reply | None:
    """
    Try once more, for somebody who waits.
    """
    if asked.group is None:
        for key in asked.keys:
            if isinstance(call.server.get(call.database, key), bytes):
                return None  # whoever reads without a group goes on waiting for the stream
        return _attempt(call, asked, waited=True)
    for key in asked.keys:
        value = call.server.get(call.database, key)
        if not call.personality.old_waiting:
            call.stream(key)
            call.group(key, asked.group, _SUFFIX)
        elif not isinstance(value, Stream):
            raise Refused("UNBLOCKED the stream key no longer exists")
        elif asked.group not in value.groups:
            raise Refused("NOGROUP the consumer group this client was blocked on no longer exists")
    return _attempt(call, asked, waited=True)


def _attempt(call: Call, asked: Read, waited: bool = False) -> Reply | None:
    found = ByStream()
    # Redis 7.0 answers whoever waits as soon as something was added, though it be gone already.
    careless = waited and call.personality.old_waiting
    for key, after in zip(asked.keys, asked.after, strict=True):
        stream = call.stream(key)
        if asked.group is None:
            assert after is not None
            if stream is not None and (stream.last if careless else stream.newest) > after:
                identifiers = stream.following(after)[: asked.count or None]
                found.append((key, [entry(stream, identifier) for identifier in identifiers]))
            continue
        assert stream is not None
        group = stream.groups[asked.group]
        if after is not None:
            entries = _history(call, asked, stream, group, after)
        else:
            entries = _new(call, asked, key, stream, group)
            if entries is None and careless and stream.last > group.last:
                entries = []
        if entries is not None:
            found.append((key, entries))
    return found or None


def _asking(call: Call, asked: Read, group: Group, gets: bool) -> Consumer | None:
    """
    Find the consumer and note that it asks; None: it does not exist, and getting nothing does not make it.
    """
    if asked.consumer not in group.consumers and not gets and not call.personality.modern:
        return None
    consumer = group.consumer(asked.consumer, call.server.now)
    consumer.seen = call.server.now
    return consumer


def _history(call: Call, asked: Read, stream: Stream, group: Group, after: Identifier) -> Reply:
    consumer = _asking(call, asked, group, gets=True)
    entries = []
    owned = [identifier for identifier in group.owned(consumer) if identifier > after]
    for identifier in owned[: asked.count or None]:
        if identifier in stream.entries:
            pending = group.pending[identifier]
            pending.deliver(pending.consumer, call.server.now)
            pending.deliveries += 1
        entries.append(entry(stream, identifier))
    return entries


def _new(call: Call, asked: Read, key: bytes, stream: Stream, group: Group) -> Reply | None:
    now = call.server.now
    claimable = [] if asked.claim is None else _claimable(stream, group, now - asked.claim)[: asked.count or None]
    left = asked.count - len(claimable) if asked.count else None
    fresh = stream.following(group.last)[:left]
    consumer = _asking(call, asked, group, gets=bool(claimable or fresh))
    if not claimable and not fresh:
        return None
    assert consumer is not None
    entries: list[Reply] = []
    for identifier in claimable:
        pending = group.pending[identifier]
        idle, deliveries = now - pending.delivered, pending.deliveries
        pending.deliver(consumer, now)
        pending.deliveries += 1
        call.note("delivered", key, group=group.name, consumer=asked.consumer, identifier=identifier, pending=True)
        entries.append([*entry(stream, identifier), idle, deliveries])
    for identifier in fresh:
        stream.record(group, identifier, call.personality.modern)
        if not asked.no_pending:
            group.pending[identifier] = Pending(consumer, now)
        call.note(
            "delivered",
            key,
            group=group.name,
            consumer=asked.consumer,
            identifier=identifier,
            pending=not asked.no_pending,
        )
        entries.append(entry(stream, identifier) if asked.claim is None else [*entry(stream, identifier), 0, 0])
    if claimable or not asked.no_pending:
        consumer.active = now
    return entries


def _claimable(stream: Stream, group: Group, latest: int) -> list[Identifier]:
    """
    List what was last delivered by then and still exists, longest idle first.
    """
    idle = [
        (pending.delivered, pending.order, identifier)
        for identifier, pending in group.pending.items()
        if pending.delivered <= latest and identifier in stream.entries
    ]
    return [identifier for _, _, identifier in sorted(idle)]


def _claimable_at(call: Call, asked: Read) -> int | None:
    """
    When something becomes claimable, for somebody who waits with CLAIM.
    """
    if asked.claim is None or asked.group is None:
        return None
    times = []
    for key in asked.keys:
        stream = call.server.get(call.database, key)
        group = stream.groups.get(asked.group) if isinstance(stream, Stream) else None
        if group is not None:
            assert isinstance(stream, Stream)
            times += [
                pending.delivered + asked.claim
                for identifier, pending in group.pending.items()
                if identifier in stream.entries
            ]
    return min(times, default=None)
