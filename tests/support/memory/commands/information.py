"""
XINFO: what there is to know of streams, groups and consumers.
"""

from __future__ import annotations

from tests.support.memory.commands.streams import entry
from tests.support.memory.commands.table import Call, command, text
from tests.support.memory.identifiers import integer, show
from tests.support.memory.replies import Pairs, Refused, Reply
from tests.support.memory.stream import Consumer, Group, Stream


def _stream(call: Call) -> Stream:
    stream = call.stream(call.words[2])
    if stream is None:
        raise Refused("ERR no such key")
    return stream


@command("XINFO STREAM", -3)
def describe_stream(call: Call) -> Reply:
    stream = _stream(call)
    options = call.words[3:]
    if options and (options[0].upper() != b"FULL" or len(options) == 2 or len(options) > 3):
        raise Refused("ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.")
    full = bool(options)
    count = 10
    if len(options) == 3:
        if options[1].upper() != b"COUNT":
            raise Refused("ERR syntax error")
        count = max(0, integer(options[2]))
    nodes = (len(stream.order) + 99) // 100
    facts: list[tuple[bytes, Reply]] = [
        (b"length", len(stream.order)),
        (b"radix-tree-keys", nodes),
        (b"radix-tree-nodes", nodes + 1),
        (b"last-generated-id", show(stream.last)),
        (b"max-deleted-entry-id", show(stream.deleted)),
        (b"entries-added", stream.added),
        (b"recorded-first-entry-id", show(stream.first)),
    ]
    if call.personality.idmp:
        facts += [
            (b"idmp-duration", stream.duration),
            (b"idmp-maxsize", stream.most),
            (b"pids-tracked", len(stream.producers)),
            (b"iids-tracked", sum(map(len, stream.producers.values()))),
            (b"iids-added", stream.remembered),
            (b"iids-duplicates", stream.repeated),
        ]
    if full:
        facts += [
            (b"entries", [entry(stream, identifier) for identifier in stream.order[: count or None]]),
            (b"groups", [_full_group(call, stream, group, count) for _, group in sorted(stream.groups.items())]),
        ]
    else:
        facts += [
            (b"groups", len(stream.groups)),
            (b"first-entry", entry(stream, stream.first) if stream.order else None),
            (b"last-entry", entry(stream, stream.newest) if stream.order else None),
        ]
    return Pairs(facts)


def _full_group(call: Call, stream: Stream, group: Group, count: int) -> Reply:
    pending = sorted(group.pending.items())[: count or None]
    return Pairs(
        [
            (b"name", group.name),
            (b"last-delivered-id", show(group.last)),
            (b"entries-read", group.read),
            (b"lag", stream.lag(group, call.personality.exact_lag)),
            (b"pel-count", len(group.pending)),
            (b"pending", [[show(at), one.consumer.name, one.delivered, one.deliveries] for at, one in pending]),
            (b"consumers", [_full_consumer(call, group, one, count) for _, one in sorted(group.consumers.items())]),
        ]
    )


def _full_consumer(call: Call, group: Group, consumer: Consumer, count: int) -> Reply:
    owned = group.owned(consumer)
    facts: list[tuple[bytes, Reply]] = [(b"name", consumer.name), (b"seen-time", consumer.seen)]
    if call.personality.modern:
        facts.append((b"active-time", consumer.active))
    facts.append((b"pel-count", len(owned)))
    rows: list[Reply] = []
    for identifier in owned[: count or None]:
        pending = group.pending[identifier]
        rows.append([show(identifier), pending.delivered, pending.deliveries])
    facts.append((b"pending", rows))
    return Pairs(facts)


@command("XINFO GROUPS", 3)
def describe_groups(call: Call) -> Reply:
    stream = _stream(call)
    return [
        Pairs(
            [
                (b"name", group.name),
                (b"consumers", len(group.consumers)),
                (b"pending", len(group.pending)),
                (b"last-delivered-id", show(group.last)),
                (b"entries-read", group.read),
                (b"lag", stream.lag(group, call.personality.exact_lag)),
            ]
        )
        for _, group in sorted(stream.groups.items())
    ]


@command("XINFO CONSUMERS", 4)
def describe_consumers(call: Call) -> Reply:
    stream = _stream(call)
    key, name = call.words[2:4]
    group = stream.groups.get(name)
    if group is None:
        raise Refused(f"NOGROUP No such consumer group '{text(name)}' for key name '{text(key)}'")
    now = call.server.now
    rows: list[Reply] = []
    for _, consumer in sorted(group.consumers.items()):
        facts: list[tuple[bytes, Reply]] = [
            (b"name", consumer.name),
            (b"pending", len(group.owned(consumer))),
            (b"idle", now - consumer.seen),
        ]
        if call.personality.modern:
            facts.append((b"inactive", -1 if consumer.active < 0 else now - consumer.active))
        rows.append(Pairs(facts))
    return rows
