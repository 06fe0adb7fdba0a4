"""
Consumer groups: making and removing them, acknowledging, and listing what is pending.
"""

from __future__ import annotations

from tests.support.memory.commands.streams import policy_and_identifiers, remove
from tests.support.memory.commands.table import Call, command, text
from tests.support.memory.identifiers import FIRST, bound, exact, integer, show
from tests.support.memory.replies import NO_ARRAY, OK, Refused, Reply
from tests.support.memory.stream import Group, Stream

_NO_KEY = (
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to "
    "create an empty stream automatically."
)


def _existing(call: Call, stream: Stream | None = None) -> tuple[Stream, Group]:
    key, name = call.words[2:4]
    stream = call.stream(key)
    if stream is None:
        raise Refused(_NO_KEY)
    group = stream.groups.get(name)
    if group is None:
        raise Refused(f"NOGROUP No such consumer group '{text(name)}' for key name '{text(key)}'")
    return stream, group


def _options(call: Call) -> tuple[bool, int | None]:
    make, read = False, None
    options = call.words[5:]
    creating = call.words[1].upper() == b"CREATE"
    while options:
        option = options.pop(0).upper()
        if option == b"MKSTREAM" and creating:
            make = True
        elif option == b"ENTRIESREAD" and options:
            read = integer(options.pop(0))
            if read < -1:
                raise Refused("ERR value for ENTRIESREAD must be positive or -1")
        else:
            name = text(call.words[1])
            raise Refused(f"ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP.")
    return make, None if read == -1 else read


@command("XGROUP CREATE", -5)
def create(call: Call) -> Reply:
    key, name, start = call.words[2:5]
    make, read = _options(call)
    stream = call.stream(key)
    if stream is None and not make:
        raise Refused(_NO_KEY)
    if start == b"$":
        last = FIRST if stream is None else stream.last
    else:
        last = exact(start)
    if stream is None:
        stream = Stream()
        call.server.put(call.database, key, stream)
    if name in stream.groups:
        raise Refused("BUSYGROUP Consumer Group name already exists")
    if read is not None and call.personality.exact_lag:
        read = min(read, stream.added)
    stream.groups[name] = Group(name, last, read)
    call.note("created", key, group=name, identifier=last)
    return OK


@command("XGROUP SETID", -5)
def set_identifier(call: Call) -> Reply:
    _, read = _options(call)
    stream, group = _existing(call)
    start = call.words[4]
    if start == b"$":
        group.last = stream.last
    else:
        group.last = bound(start, end=False) if start in (b"-", b"+") else exact(start)
    if read is not None and call.personality.exact_lag:
        read = min(read, stream.added)
    group.read = read
    return OK


@command("XGROUP DESTROY", 4)
def destroy(call: Call) -> Reply:
    key, name = call.words[2:4]
    stream = call.stream(key)
    if stream is None:
        raise Refused(_NO_KEY)
    if stream.groups.pop(name, None) is None:
        return 0
    call.note("destroyed", key, group=name)
    call.server.wake(call.database, key)
    return 1


@command("XGROUP CREATECONSUMER", 5)
def create_consumer(call: Call) -> Reply:
    _, group = _existing(call)
    if call.words[4] in group.consumers:
        return 0
    group.consumer(call.words[4], call.server.now)
    return 1


@command("XGROUP DELCONSUMER", 5)
def delete_consumer(call: Call) -> Reply:
    _, group = _existing(call)
    consumer = group.consumers.pop(call.words[4], None)
    if consumer is None:
        return 0
    owned = group.owned(consumer)
    for identifier in owned:
        del group.pending[identifier]
    return len(owned)


@command("XACK", -4)
def acknowledge(call: Call) -> Reply:
    key, name = call.words[1:3]
    stream = call.stream(key)
    group = None if stream is None else stream.groups.get(name)
    if group is None:
        return 0
    identifiers = [exact(word) for word in call.words[3:]]
    return sum(_acknowledge(call, key, group, identifier) for identifier in identifiers)


def _acknowledge(call: Call, key: bytes, group: Group, identifier: tuple[int, int]) -> bool:
    pending = group.pending.pop(identifier, None)
    if pending is None:
        return False
    call.note("acknowledged", key, group=group.name, consumer=pending.consumer.name, identifier=identifier)
    return True


@command("XACKDEL", -6, has=lambda personality: personality.deletion)
def acknowledge_and_delete(call: Call) -> Reply:
    key, name = call.words[1:3]
    policy, identifiers = policy_and_identifiers(call.words[3:])
    stream = call.stream(key)
    group = None if stream is None else stream.groups.get(name)
    codes: list[Reply] = []
    for identifier in identifiers:
        if stream is None or group is None or not _acknowledge(call, key, group, identifier):
            codes.append(-1)
        elif policy == b"ACKED" and stream.referenced(identifier):
            codes.append(2)
        else:
            if policy == b"DELREF":
                stream.forget(identifier)
            remove(call, key, stream, identifier)
            codes.append(1)
    return codes


@command("XPENDING", -3)
def list_pending(call: Call) -> Reply:
    words = call.words[3:]
    if words and not 3 <= len(words) <= 6:
        raise Refused("ERR syntax error")
    if not words:
        _, group = call.group(*call.words[1:3])
        return _summary(group)
    idle = 0
    if words[0].upper() == b"IDLE":
        idle = integer(words[1])
        if len(words) < 5:
            raise Refused("ERR syntax error")
        del words[:2]
    count = max(0, integer(words[2]))
    start, end = bound(words[0], end=False), bound(words[1], end=True)
    _, group = call.group(*call.words[1:3])
    shown: list[Reply] = []
    for identifier, pending in sorted(group.pending.items()):
        waited = call.server.now - pending.delivered
        if len(shown) >= count or not start <= identifier <= end or (idle and waited < idle):
            continue
        if len(words) > 3 and pending.consumer.name != words[3]:
            continue
        shown.append([show(identifier), pending.consumer.name, waited, pending.deliveries])
    return shown


def _summary(group: Group) -> Reply:
    if not group.pending:
        return [0, None, None, NO_ARRAY]
    counts: dict[bytes, int] = {}
    for pending in group.pending.values():
        counts[pending.consumer.name] = counts.get(pending.consumer.name, 0) + 1
    identifiers = sorted(group.pending)
    return [
        len(identifiers),
        show(identifiers[0]),
        show(identifiers[-1]),
        [[name, b"%d" % count] for name, count in sorted(counts.items())],
    ]
