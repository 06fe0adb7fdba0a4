"""
Taking over what is pending for another consumer.
"""

from __future__ import annotations

from tests.support.memory.commands.streams import entry
from tests.support.memory.commands.table import Call, command, text
from tests.support.memory.identifiers import FIRST, Identifier, bound, exact, integer, show
from tests.support.memory.replies import Refused, Reply
from tests.support.memory.stream import Pending


@command("XCLAIM", -6)
def claim(call: Call) -> Reply:
    key, name = call.words[1:3]
    stream, group = call.group(key, name)
    now = call.server.now
    least = max(0, integer(call.words[4], "ERR Invalid min-idle-time argument for XCLAIM"))
    words = call.words[5:]
    identifiers = [exact(words.pop(0))]
    while words:
        try:
            identifiers.append(exact(words[0]))
        except Refused:
            break
        del words[0]
    delivered, deliveries = now, -1
    force = only_identifiers = False
    last = FIRST
    while words:
        option = words.pop(0).upper()
        if option == b"FORCE":
            force = True
        elif option == b"JUSTID":
            only_identifiers = True
        elif option in (b"IDLE", b"TIME", b"RETRYCOUNT") and words:
            number = integer(words.pop(0), f"ERR Invalid {text(option)} option argument for XCLAIM")
            if option == b"RETRYCOUNT":
                deliveries = number
            else:
                delivered = now - number if option == b"IDLE" else number
        elif option == b"LASTID" and words:
            last = exact(words.pop(0))
        else:
            raise Refused(f"ERR Unrecognized XCLAIM option '{text(call.words[len(call.words) - len(words) - 1])}'")
    if not 0 <= delivered <= now:
        delivered = now
    group.last = max(group.last, last)
    if call.personality.modern:  # else it is made when it gets something
        group.consumer(call.words[3], now).seen = now
    claimed: list[Reply] = []
    for identifier in identifiers:
        pending = group.pending.get(identifier)
        if identifier not in stream.entries:
            group.pending.pop(identifier, None)
            continue
        if (pending is None and not force) or (pending is not None and least and now - pending.delivered < least):
            continue
        consumer = group.consumer(call.words[3], now)
        if pending is None:
            pending = group.pending[identifier] = Pending(consumer, now)
        pending.deliver(consumer, delivered)
        if deliveries >= 0:
            pending.deliveries = deliveries
        elif not only_identifiers:
            pending.deliveries += 1
        consumer.active = now
        if not only_identifiers:
            call.note("delivered", key, group=name, consumer=consumer.name, identifier=identifier, pending=True)
        claimed.append(show(identifier) if only_identifiers else entry(stream, identifier))
    return claimed


@command("XAUTOCLAIM", -6)
def claim_idle(call: Call) -> Reply:
    key, name = call.words[1:3]
    least = max(0, integer(call.words[4], "ERR Invalid min-idle-time argument for XAUTOCLAIM"))
    start = bound(call.words[5], end=False)
    count, only_identifiers = 100, False
    options = call.words[6:]
    while options:
        option = options.pop(0).upper()
        if option == b"COUNT" and options:
            count = integer(options.pop(0), "ERR COUNT must be > 0")
            if count < 1:
                raise Refused("ERR COUNT must be > 0")
        elif option == b"JUSTID":
            only_identifiers = True
        else:
            raise Refused("ERR syntax error")
    stream, group = call.group(key, name)
    now = call.server.now
    if call.personality.modern:  # else it is made when it gets something
        group.consumer(call.words[3], now).seen = now
    waiting = [identifier for identifier in sorted(group.pending) if identifier >= start]
    attempts = count * 10
    claimed: list[Reply] = []
    gone: list[Reply] = []
    following: Identifier = FIRST
    for position, identifier in enumerate(waiting):
        if position == attempts or count == 0:
            following = identifier
            break
        pending = group.pending[identifier]
        if identifier not in stream.entries:
            del group.pending[identifier]
            gone.append(show(identifier))
            count -= 1
            continue
        if least and now - pending.delivered < least:
            continue
        consumer = group.consumer(call.words[3], now)
        pending.deliver(consumer, now)
        if not only_identifiers:
            pending.deliveries += 1
            call.note("delivered", key, group=name, consumer=consumer.name, identifier=identifier, pending=True)
        consumer.active = now
        claimed.append(show(identifier) if only_identifiers else entry(stream, identifier))
        count -= 1
    return [show(following), claimed, gone]
