"""
Entries that a stream does not take twice: what makes it safe to send an XADD again whose outcome is unknown.

Two kinds. *Identified*: the caller chose the identifier, so the server refuses a second entry, and whether the first one is
there shows by looking. *Remembered*: the server knows what a producer has added (IDMP, IDMPAUTO) and answers with the first
entry, but it forgets: after a time that each stream sets, and when the producer has added so many others. Beyond either, a
second attempt would make a second entry, so there is none and the caller learns that the outcome is unknown.

No I/O and no clock: the client asks the server and tells the time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..exceptions import RedisError
from ..typing import ValueT
from .command import Command, Reply, Requirement
from .replies.shapes import pairs
from .wire import encode_value

T_co = TypeVar("T_co", covariant=True)

# How much of the server's memory may be used up: the rest is for the way of the second attempt, and for others under way.
_SAFE_SHARE: Final = 0.8
MAX_PRODUCERS: Final = 10_000  # counted at a time; beyond, counting begins anew and what is under way is not repeated


class Addition(Command[T_co]):
    """
    An XADD that can be told from another one with the same fields.

    Attributes:
        producer: who adds, if the server remembers it
        identifier: the position in ``arguments`` of an identifier that was chosen in full; 0 if the server remembers
    """

    __slots__ = ("identifier", "producer")

    def __init__(
        self,
        arguments: tuple[ValueT, ...],
        convert: Callable[[Reply], T_co],
        *,
        producer: ValueT | None,
        identifier: int,
        requires: tuple[Requirement, ...] = (),
    ) -> None:
        super().__init__(arguments, convert, keys=(1,), idempotent=True, requires=requires)
        self.producer = producer
        self.identifier = identifier

    def memory_question(self) -> Command[Any]:
        """
        Ask how long the stream remembers what a producer has added.
        """
        return Command(("XINFO", "STREAM", self.arguments[1]), _unchanged, keys=(2,), readonly=True)

    def entry_question(self) -> Command[Any]:
        """
        Ask for the entry with the chosen identifier.
        """
        chosen = self.arguments[self.identifier]
        assert isinstance(chosen, bytes)
        complete = chosen if b"-" in chosen else chosen + b"-0"
        return Command(("XRANGE", self.arguments[1], complete, complete), _unchanged, keys=(1,), readonly=True)

    def in_entries(self, entries: Reply, encoding: str) -> bytes | None:
        """
        Find this addition in the answer to ``entry_question``.

        Returns:
            its identifier, or None: there is no such entry, or one with other fields
        """
        if not entries:
            return None
        identifier, fields = entries[0]
        own = [encode_value(word, "", encoding) for word in self.arguments[self.identifier + 1 :]]
        return identifier if fields == own else None


class Turn:
    """
    The place of one addition among those of its producer.
    """

    __slots__ = ("_began", "_count", "_number")

    def __init__(self, count: _Count, now: float) -> None:
        self._began = now
        self._count = count
        self._number = next(count.numbers)

    def remembered(self, information: Reply, now: float) -> bool:
        """
        Tell whether the server surely remembers the addition, if it has ever got it.

        Args:
            information: the answer to ``memory_question``
            now: the time in seconds, as at the beginning
        """
        told = dict(pairs(information))
        seconds, identifiers = told.get(b"idmp-duration", 0), told.get(b"idmp-maxsize", 0)
        # Asking takes a number, too: a producer that asks much is taken for a busier one, which is on the safe side.
        others = math.inf if self._count.forgotten else next(self._count.numbers) - self._number - 1
        return bool(now - self._began < _SAFE_SHARE * seconds and others < _SAFE_SHARE * identifiers)


class Producers:
    """
    How much each producer has added through one client. Threads may share it: each step is a single call into C.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[bytes, bytes], _Count] = {}

    def begin(self, addition: Addition[Any], encoding: str, now: float, entries: int = 1) -> Turn:
        """
        Count an addition that is about to be sent for the first time.

        Args:
            addition: one that the server remembers
            encoding: for ``str``
            now: the time in seconds
            entries: how many of this kind are sent together; the turn is that of the first
        """
        assert addition.producer is not None
        stream = encode_value(addition.arguments[1], "key", encoding)
        key = stream, encode_value(addition.producer, "producer", encoding)
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= MAX_PRODUCERS:
                forgotten, self._counts = self._counts, {}
                for old in list(forgotten.values()):
                    old.forgotten = True
            count = self._counts.setdefault(key, _Count())
        turn = Turn(count, now)
        for _ in range(1, entries):
            next(count.numbers)
        return turn


class _Count:
    __slots__ = ("forgotten", "numbers")

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.forgotten = False  # later additions are counted elsewhere


class StillUnknown(Exception):
    """
    An addition must not be sent again.

    Attributes:
        outcome: what is known of it
    """

    def __init__(self, outcome: RedisError) -> None:
        super().__init__()
        self.outcome = outcome


def _unchanged(reply: Reply) -> Reply:
    return reply
