"""
Adding, deleting, trimming and listing entries.
"""

from __future__ import annotations

import hashlib

from tests.support.memory.commands.table import Call, command, text
from tests.support.memory.identifiers import FIRST, LAST, Identifier, bound, exact, integer, show
from tests.support.memory.replies import NO_ARRAY, OK, Refused, Reply
from tests.support.memory.stream import Stream

_NODE = 100  # entries in a node of the real servers; trimming with ~ removes whole nodes
_POLICIES = (b"KEEPREF", b"DELREF", b"ACKED")


class Trimming:
    """
    What XADD and XTRIM say of trimming.
    """

    def __init__(self) -> None:
        self.strategy = b""
        self.approximate = False
        self.most = 0
        self.least: Identifier = FIRST
        self.limit: int | None = None
        self.policy = b"KEEPREF"
        self.policy_given = False

    def option(self, words: list[bytes], call: Call) -> bool:
        """
        Take one option off the words; False: it is none of ours.
        """
        word = words[0].upper()
        if word in (b"MAXLEN", b"MINID") and len(words) > 1:
            if self.strategy:
                raise Refused("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
            del words[0]
            self.strategy = word
            self.approximate = words[0] == b"~"
            if words[0] in (b"~", b"=") and len(words) > 1:
                del words[0]
            if word == b"MAXLEN":
                self.most = integer(words.pop(0))
                if self.most < 0:
                    raise Refused("ERR The MAXLEN argument must be >= 0.")
            else:
                self.least = exact(words.pop(0))
            return True
        if word == b"LIMIT" and len(words) > 1:
            del words[0]
            self.limit = integer(words.pop(0))
            if self.limit < 0:
                raise Refused("ERR The LIMIT argument must be >= 0.")
            return True
        if word in _POLICIES and call.personality.deletion and not self.policy_given:
            self.policy, self.policy_given = words.pop(0).upper(), True
            return True
        return False

    def check(self) -> None:
        """
        Refuse what does not go together.
        """
        if self.limit is not None and not self.strategy:
            raise Refused("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
        if self.limit is not None and not self.approximate:
            raise Refused("ERR syntax error, LIMIT cannot be used without the special ~ option")

    def run(self, call: Call, key: bytes, stream: Stream) -> int:
        """
        Trim; tell how many entries are gone.
        """
        if not self.strategy:
            return 0
        if self.strategy == b"MAXLEN":
            surplus = stream.order[: max(0, len(stream.order) - self.most)]
        else:
            surplus = [identifier for identifier in stream.order if identifier < self.least]
        if self.approximate and len(surplus) < len(stream.order):
            surplus = surplus[: len(surplus) // _NODE * _NODE]
        removed = 0
        for identifier in surplus:
            if self.policy == b"ACKED" and stream.referenced(identifier):
                continue
            if self.policy == b"DELREF":
                stream.forget(identifier)
            stream.trim(identifier)
            call.note("removed", key, identifier=identifier)
            call.server.tracking.changed(key)
            removed += 1
        return removed


@command("XADD", -5)
def add(call: Call) -> Reply:
    key, words = call.words[1], call.words[2:]
    trimming = Trimming()
    create = True
    producer = once = None
    while words:
        word = words[0].upper()
        if word == b"*":
            break
        if word == b"NOMKSTREAM":
            create = False
            del words[0]
        elif word in (b"IDMP", b"IDMPAUTO") and call.personality.idmp:
            if producer is not None:
                raise Refused("ERR syntax error, IDMP/IDMPAUTO specified multiple times")
            del words[0]
            producer = words.pop(0)
            once = words.pop(0) if word == b"IDMP" else b""
        elif not trimming.option(words, call):
            break
    trimming.check()
    wanted = words.pop(0) if words else b""
    time = identifier = None
    if wanted.endswith(b"-*") and wanted[:-2].isdigit():
        time = exact(wanted[:-2])[0]
    elif wanted != b"*":
        identifier = exact(wanted)
    if producer is not None and wanted != b"*":
        raise Refused("ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs")
    if len(words) < 2 or len(words) % 2:
        raise Refused("ERR wrong number of arguments for 'xadd' command")
    if identifier == FIRST:
        raise Refused("ERR The ID specified in XADD must be greater than 0-0")
    stream = call.stream(key)
    if stream is None:
        if not create:
            return None
        stream = Stream()
    if stream.last == LAST:
        raise Refused("ERR The stream has exhausted the last possible ID, unable to add more items")
    if producer is not None:
        assert once is not None
        once = once or _content(words)
        known = stream.producers.get(producer, {}).get(once)
        if known is not None and call.server.now <= known[0] + stream.duration * 1000:
            stream.repeated += 1
            return show(known)
    if identifier is None:
        identifier = stream.next_identifier(call.server.now, time)
    if identifier is None or identifier <= stream.last:
        raise Refused("ERR The ID specified in XADD is equal or smaller than the target stream top item")
    if not stream.added and call.stream(key) is None:
        call.server.put(call.database, key, stream)
    stream.append(identifier, words)
    if producer is not None:
        assert once is not None
        _remember(stream, producer, once, identifier)
    call.note("added", key, identifier=identifier, fields=tuple(words))
    trimming.run(call, key, stream)
    call.touch(key)
    return show(identifier)


def _content(words: list[bytes]) -> bytes:
    pairs = sorted(zip(words[::2], words[1::2], strict=True))
    return hashlib.sha256(repr(pairs).encode()).digest()


def _remember(stream: Stream, producer: bytes, once: bytes, identifier: Identifier) -> None:
    known = stream.producers.setdefault(producer, {})
    known.pop(once, None)
    known[once] = identifier
    stream.remembered += 1
    while len(known) > stream.most:
        del known[next(iter(known))]


@command("XTRIM", -4)
def trim(call: Call) -> Reply:
    key, words = call.words[1], call.words[2:]
    trimming = Trimming()
    while words:
        if not trimming.option(words, call):
            raise Refused("ERR syntax error")
    if not trimming.strategy:
        raise Refused("ERR syntax error, XTRIM must be called with a trimming strategy")
    trimming.check()
    stream = call.stream(key)
    return 0 if stream is None else trimming.run(call, key, stream)


@command("XDEL", -3)
def delete(call: Call) -> Reply:
    stream = call.stream(call.words[1])
    if stream is None:
        return 0
    identifiers = [exact(word) for word in call.words[2:]]
    return sum(remove(call, call.words[1], stream, identifier) for identifier in identifiers)


def remove(call: Call, key: bytes, stream: Stream, identifier: Identifier) -> bool:
    """
    Delete an entry; False: there is none.
    """
    if not stream.remove(identifier):
        return False
    call.note("removed", key, identifier=identifier)
    call.server.tracking.changed(key)
    return True


def policy_and_identifiers(words: list[bytes]) -> tuple[bytes, list[Identifier]]:
    """
    Read ``[KEEPREF | DELREF | ACKED] IDS n id ...``, of XDELEX and XACKDEL.
    """
    words = list(words)
    policy = b"KEEPREF"
    identifiers: list[Identifier] | None = None
    while words:
        word = words.pop(0).upper()
        if word in _POLICIES:
            policy = word
        elif word == b"IDS" and words and identifiers is None:
            number = integer(words.pop(0), "ERR Number of IDs must be a positive integer")
            if number < 1:
                raise Refused("ERR Number of IDs must be a positive integer")
            if number > len(words):
                raise Refused("ERR The `numids` parameter must match the number of arguments")
            identifiers = [exact(given) for given in words[:number]]
            del words[:number]
        else:
            raise Refused("ERR syntax error")
    if identifiers is None:
        raise Refused("ERR syntax error")
    return policy, identifiers


@command("XDELEX", -5, has=lambda personality: personality.deletion)
def delete_with_policy(call: Call) -> Reply:
    key = call.words[1]
    policy, identifiers = policy_and_identifiers(call.words[2:])
    stream = call.stream(key)
    return [-1 if stream is None else _delete(call, key, stream, policy, identifier) for identifier in identifiers]


def _delete(call: Call, key: bytes, stream: Stream, policy: bytes, identifier: Identifier) -> int:
    if policy == b"ACKED" and stream.referenced(identifier):
        return 2
    if policy == b"DELREF":
        stream.forget(identifier)
    return 1 if remove(call, key, stream, identifier) else -1


@command("XLEN", 2)
def length(call: Call) -> Reply:
    stream = call.stream(call.words[1])
    return 0 if stream is None else len(stream.order)


@command("XRANGE", -4)
def ascending(call: Call) -> Reply:
    return _range(call, call.words[2], call.words[3], backwards=False)


@command("XREVRANGE", -4)
def descending(call: Call) -> Reply:
    return _range(call, call.words[3], call.words[2], backwards=True)


def _range(call: Call, start_word: bytes, end_word: bytes, backwards: bool) -> Reply:
    start, end = bound(start_word, end=False), bound(end_word, end=True)
    count = None
    options = call.words[4:]
    while options:
        if options.pop(0).upper() != b"COUNT" or not options:
            raise Refused("ERR syntax error")
        count = max(0, integer(options.pop(0)))
    stream = call.stream(call.words[1])
    if stream is None:
        return []
    if count == 0:
        return NO_ARRAY
    identifiers = stream.between(start, end)
    if backwards:
        identifiers.reverse()
    return [entry(stream, identifier) for identifier in identifiers[:count]]


def entry(stream: Stream, identifier: Identifier) -> Reply:
    """
    Show an entry; one that does not exist has no fields.
    """
    fields = stream.entries.get(identifier)
    return [show(identifier), NO_ARRAY if fields is None else fields]


@command("XSETID", -3)
def set_identifier(call: Call) -> Reply:
    identifier = exact(call.words[2])
    added = deleted = None
    options = call.words[3:]
    while options:
        option = options.pop(0).upper()
        if option == b"ENTRIESADDED" and options:
            added = integer(options.pop(0))
            if added < 0:
                raise Refused("ERR entries_added must be positive")
        elif option == b"MAXDELETEDID" and options:
            deleted = exact(options.pop(0))
            if identifier < deleted:
                raise Refused("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
        else:
            raise Refused("ERR syntax error")
    stream = call.stream(call.words[1])
    if stream is None:
        raise Refused("ERR no such key")
    if identifier < stream.deleted and call.personality.modern:
        raise Refused("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    if stream.order:
        if identifier < stream.newest:
            raise Refused("ERR The ID specified in XSETID is smaller than the target stream top item")
        if added is not None and added < len(stream.order):
            raise Refused("ERR The entries_added specified in XSETID is smaller than the target stream length")
    stream.last = identifier
    stream.added = stream.added if added is None else added
    if deleted is not None and deleted != FIRST:
        stream.deleted = deleted
    return OK


@command("XCFGSET", -2, has=lambda personality: personality.idmp)
def configure(call: Call) -> Reply:
    options = call.words[2:]
    if not options:
        raise Refused("ERR At least one parameter must be specified")
    given: dict[bytes, int] = {}
    while options:
        option = options.pop(0).upper()
        largest, unit = {b"IDMP-DURATION": (86400, "seconds"), b"IDMP-MAXSIZE": (10000, "entries")}.get(option, (0, ""))
        if not largest or not options:
            raise Refused("ERR syntax error")
        if option in given:
            raise Refused(f"ERR {text(option)} specified multiple times")
        given[option] = integer(options.pop(0))
        if not 1 <= given[option] <= largest:
            raise Refused(f"ERR {text(option)} must be between 1 and {largest} {unit}")
    stream = call.stream(call.words[1])
    if stream is None:
        raise Refused("ERR no such key")
    wanted = given.get(b"IDMP-DURATION", stream.duration), given.get(b"IDMP-MAXSIZE", stream.most)
    if wanted != (stream.duration, stream.most):
        stream.duration, stream.most = wanted
        stream.producers.clear()
    return OK
