"""
Random commands for streams and groups, from a seed: mostly sensible, sometimes not.
"""

from __future__ import annotations

from random import Random
from typing import Final, TypeAlias

from tests.support.memory.personality import Personality

Words: TypeAlias = tuple[bytes, ...]

_KEYS: Final = (b"s", b"s", b"s", b"t", b"t", b"absent", b"text")
_GROUPS: Final = (b"g", b"g", b"g", b"h", b"nobody")
_CONSUMERS: Final = (b"a", b"a", b"b", b"c")
_HOUR: Final = 3_600_000


class Sequence:
    """
    Makes commands one after the other.

    Args:
        seed: the same one makes the same commands
        personality: what the servers have
    """

    def __init__(self, seed: int, personality: Personality) -> None:
        self._random = Random(seed)
        self._personality = personality
        self._last = 0
        self._queueing = False  # inside a transaction
        self._makers = [
            (30, self._add),
            (5, self._delete),
            (3, self._trim),
            (8, self._list),
            (8, self._read),
            (26, self._read_group),
            (12, self._acknowledge),
            (8, self._claim),
            (6, self._claim_idle),
            (8, self._pending),
            (12, self._group),
            (9, self._information),
            (2, self._set_identifier),
            (3, self._keys),
            (5, self._with_policy),
            (3, self._idempotent),
            (2, self._nonsense),
        ]

    def next(self) -> Words:
        """
        Make a command.
        """
        weights = [weight for weight, _ in self._makers]
        while True:
            (_, make), *_ = self._random.choices(self._makers, weights)
            if (words := make()) is not None:
                return words

    def waiting(self) -> Words:
        """
        Make a read that may wait.
        """
        key, block = self._key(), (b"BLOCK", b"0")
        if self._chance(0.3):
            return b"XREAD", *block, b"STREAMS", key, self._pick(b"$", b"0", self._identifier())
        options = block + self._maybe(0.5, b"COUNT", b"2") + self._maybe(0.3, b"NOACK")
        return b"XREADGROUP", b"GROUP", self._group_name(), self._consumer(), *options, b"STREAMS", key, b">"

    # ------------------------------------------------------------------------------------------------------ pieces

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _pick(self, *choices: bytes) -> bytes:
        return self._random.choice(choices)

    def _maybe(self, probability: float, *words: bytes) -> Words:
        return words if self._chance(probability) else ()

    def _key(self) -> bytes:
        return self._pick(*_KEYS)

    def _group_name(self) -> bytes:
        return self._pick(*_GROUPS)

    def _consumer(self) -> bytes:
        return self._pick(*_CONSUMERS)

    def _identifier(self) -> bytes:
        number = self._random.randint(max(0, self._last - 12), self._last + 1)
        return b"%d" % number + self._maybe_sequence()

    def _maybe_sequence(self) -> bytes:
        return b"-%d" % self._random.choice((0, 0, 0, 1)) if self._chance(0.7) else b""

    def _identifiers(self) -> Words:
        return tuple(self._identifier() for _ in range(self._random.randint(1, 4)))

    def _count(self, probability: float = 0.6) -> Words:
        return self._maybe(probability, b"COUNT", b"%d" % self._random.choice((1, 2, 3, 10)))

    # ---------------------------------------------------------------------------------------------------- commands

    def _add(self) -> Words:
        options = self._maybe(0.05, b"NOMKSTREAM") + self._maybe(0.08, b"MAXLEN", b"%d" % self._random.randint(0, 20))
        options += self._maybe(0.03, b"MAXLEN", b"~", b"5") + self._maybe(0.03, b"MINID", self._identifier())
        if self._chance(0.9):
            self._last += self._random.choice((0, 1, 1, 1, 2))
        which = self._random.random()
        identifier = b"%d-%d" % (self._last, self._random.choice((0, 1, 5))) if which < 0.8 else b"%d-*" % self._last
        if which > 0.97:
            identifier = self._identifier()
        fields = (b"n", b"%d" % self._random.randrange(100), *self._maybe(0.2, b"n", b""), *self._maybe(0.02, b"odd"))
        return b"XADD", self._key(), *options, identifier, *fields

    def _delete(self) -> Words:
        return b"XDEL", self._key(), *self._identifiers()

    def _trim(self) -> Words:
        how = self._pick(b"MAXLEN", b"MINID")
        threshold = b"%d" % self._random.randint(3, 30) if how == b"MAXLEN" else self._identifier()
        return b"XTRIM", self._key(), how, *self._maybe(0.2, b"="), *self._maybe(0.2, b"~"), threshold

    def _list(self) -> Words:
        if self._chance(0.2):
            return b"XLEN", self._key()
        start = self._pick(b"-", self._identifier(), b"(" + self._identifier())
        end = self._pick(b"+", self._identifier(), b"(" + self._identifier())
        count = self._count(0.4) + self._maybe(0.05, b"COUNT", b"0")
        if self._chance(0.5):
            return b"XRANGE", self._key(), start, end, *count
        return b"XREVRANGE", self._key(), end, start, *count

    def _read(self) -> Words:
        keys = self._some_keys()
        identifiers = [self._pick(b"0", b"$", self._identifier()) for _ in keys] + list(self._maybe(0.03, b"0"))
        if self._personality.latest and self._chance(0.1):
            identifiers[0] = b"+"
        return b"XREAD", *self._count(), b"STREAMS", *keys, *identifiers

    def _some_keys(self) -> Words:
        return self._random.choice(((b"s",), (b"s",), (b"t",), (b"s", b"t"), (b"t", b"s"), (self._key(),)))

    def _read_group(self) -> Words:
        keys = self._some_keys()
        if self._chance(0.65):
            identifiers = tuple(b">" for _ in keys)
            claim = self._maybe(0.3 * self._personality.claim, b"CLAIM", self._idle())
        else:
            identifiers, claim = tuple(self._pick(b"0", self._identifier()) for _ in keys), ()
        options = self._count() + self._maybe(0.2, b"NOACK") + claim
        return (
            b"XREADGROUP", b"GROUP", self._group_name(), self._consumer(), *options, b"STREAMS", *keys, *identifiers,
        )  # fmt: skip

    def _acknowledge(self) -> Words:
        return b"XACK", self._key(), self._group_name(), *self._identifiers()

    def _idle(self) -> bytes:
        # Nothing in between: what has been idle for some milliseconds depends on the machine.
        return self._pick(b"0", b"%d" % _HOUR)

    def _claim(self) -> Words:
        options = self._maybe(0.4, b"IDLE", b"%d" % (2 * _HOUR)) + self._maybe(0.2, b"RETRYCOUNT", b"7")
        options += self._maybe(0.2, b"FORCE") + self._maybe(0.3, b"JUSTID") + self._maybe(0.03, b"NONSENSE")
        options += self._maybe(0.05, b"LASTID", self._identifier())
        return (
            b"XCLAIM", self._key(), self._group_name(), self._consumer(), self._idle(), *self._identifiers(), *options,
        )  # fmt: skip

    def _claim_idle(self) -> Words:
        options = self._count() + self._maybe(0.3, b"JUSTID") + self._maybe(0.03, b"COUNT", b"0")
        start = self._pick(b"0", b"-", self._identifier(), b"(" + self._identifier())
        return (
            b"XAUTOCLAIM", self._key(), self._group_name(), self._consumer(), self._idle(), start, *options,
        )  # fmt: skip

    def _pending(self) -> Words:
        base = (b"XPENDING", self._key(), self._group_name())
        if self._chance(0.3):
            return base
        start, end = self._pick(b"-", self._identifier()), self._pick(b"+", self._identifier())
        idle = self._maybe(0.3, b"IDLE", self._idle())
        return *base, *idle, start, end, b"%d" % self._random.randint(0, 9), *self._maybe(0.4, self._consumer())

    def _group(self) -> Words:
        key, group = self._key(), self._group_name()
        start = self._pick(b"0", b"$", self._identifier())
        which = self._random.random()
        if which < 0.6:
            return (
                b"XGROUP", b"CREATE", key, self._pick(b"g", b"h"), start, *self._maybe(0.5, b"MKSTREAM"),
                *self._maybe(0.05, b"ENTRIESREAD", b"2"),
            )  # fmt: skip
        if which < 0.7:
            return b"XGROUP", b"SETID", key, group, start
        if which < 0.8:
            return b"XGROUP", b"CREATECONSUMER", key, group, self._consumer()
        if which < 0.9:
            return b"XGROUP", b"DELCONSUMER", key, group, self._consumer()
        return b"XGROUP", b"DESTROY", key, group

    def _information(self) -> Words:
        key = self._key()
        which = self._random.randrange(4)
        if which == 0:
            return b"XINFO", b"STREAM", key
        if which == 1:
            return b"XINFO", b"STREAM", key, b"FULL", *self._count(0.4)
        if which == 2:
            return b"XINFO", b"GROUPS", key
        return b"XINFO", b"CONSUMERS", key, self._group_name()

    def _set_identifier(self) -> Words:
        self._last += 3
        return b"XSETID", self._key(), b"%d-0" % self._last, *self._maybe(0.2, b"ENTRIESADDED", b"90")

    def _keys(self) -> Words:
        which = self._random.randrange(6)
        if which == 0:
            return b"DEL", self._pick(b"t", b"text", b"absent"), b"absent"
        if which == 1:
            return b"SET", b"text", b"%d" % self._random.randrange(100)
        if which == 2:
            return b"GET", self._key()
        if which == 3:
            return b"EXISTS", self._key(), self._key()
        if which == 4:
            return b"TYPE", self._key()
        self._queueing = not self._queueing
        return (b"MULTI" if self._queueing else self._pick(b"EXEC", b"EXEC", b"DISCARD"),)

    def _with_policy(self) -> Words | None:
        if not self._personality.deletion:
            return None
        policy = self._maybe(0.7, self._pick(b"KEEPREF", b"DELREF", b"ACKED"))
        identifiers = self._identifiers()
        counted = (b"IDS", b"%d" % len(identifiers), *identifiers)
        if self._chance(0.4):
            return b"XDELEX", self._key(), *policy, *counted
        return b"XACKDEL", self._key(), self._group_name(), *policy, *counted

    def _idempotent(self) -> Words | None:
        if not self._personality.idmp:
            return None
        field = self._pick(b"x", b"y")
        if self._chance(0.3):
            return b"XCFGSET", self._pick(b"s", b"i"), b"IDMP-MAXSIZE", self._pick(b"2", b"3")
        how = (
            (b"IDMPAUTO", b"p")
            if self._chance(0.3)
            else (b"IDMP", self._pick(b"p", b"q"), self._pick(b"1", b"2", b"3"))
        )
        return b"XADD", b"i", *how, b"*", field, b"1"

    def _nonsense(self) -> Words:
        return self._random.choice(
            (
                (b"XNOTHING", b"a"),
                (b"XADD", b"s"),
                (b"XADD", b"s", b"0-0", b"a", b"b"),
                (b"XADD", b"s", b"MAXLEN", b"1", b"LIMIT", b"5", b"99-*", b"a", b"b"),
                (b"XACK", b"s", b"g", b"abc"),
                (b"XGROUP", b"NOTHING"),
                (b"XGROUP", b"CREATE", b"s", b"g", b"-"),
                (b"XREADGROUP", b"GROUP", b"g", b"a", b"STREAMS", b"s", b"$"),
                (b"XREADGROUP", b"COUNT", b"1", b"COUNT", b"1", b"STREAMS", b"s", b">"),
                (b"XPENDING", b"s", b"g", b"-", b"+"),
                (b"XCLAIM", b"s", b"g", b"a", b"x", b"1"),
            )
        )
