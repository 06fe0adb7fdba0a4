"""
What becomes of an entry that was delivered too often: which ones are meant, and what is written about them.
"""

from __future__ import annotations

from typing import AnyStr, Final, Generic, NamedTuple

from ...types import DeadLetter, StreamEntry
from .held import Key
from .reads import Membership, Words

#: The names of what is said of a dead letter, before the fields of the entry itself.
STREAM: Final = b"dead-letter-stream"
IDENTIFIER: Final = b"dead-letter-identifier"
GROUP: Final = b"dead-letter-group"
CONSUMER: Final = b"dead-letter-consumer"
DELIVERIES: Final = b"dead-letter-deliveries"
ERROR: Final = b"dead-letter-error"

#: How many errors of entries that failed here are remembered, to be told if the entry is given up.
MOST_ERRORS: Final = 1000


class Suspect(NamedTuple, Generic[AnyStr]):
    """
    An entry that may have been delivered too often.

    Attributes:
        key: stream and identifier, encoded
        item: stream and entry, as the application gets them
        deliveries: how often it had been delivered before; None: not known (any more), to be asked
        tried: it has been given up, but it is not known whether that was done; if it is not pending any more, it was
        excused: how many of its deliveries may have been in replies that this session has lost
        failed: giving it up has ended in an error; entries that can be served come before the next try
    """

    key: Key
    item: tuple[AnyStr, StreamEntry[AnyStr]]
    deliveries: int | None
    tried: bool = False
    failed: bool = False
    excused: int = 0


def fields(letter: DeadLetter[AnyStr], key: Key, membership: Membership) -> Words:
    """
    Write the fields of a dead letter: where it comes from, then its own fields as they were.
    """
    about: Words = (
        *(STREAM, key[0], IDENTIFIER, key[1], GROUP, membership.group, CONSUMER, membership.consumer),
        *(DELIVERIES, letter.deliveries, ERROR, letter.error),
    )
    return (*about, *(text for pair in letter.entry.pairs for text in pair))


class Errors:
    """
    The class of the last error of each entry that failed here.
    """

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[Key, str] = {}

    def note(self, key: Key, error: BaseException) -> None:
        """
        Remember what happened to an entry.
        """
        self._names.pop(key, None)
        self._names[key] = type(error).__name__
        if len(self._names) > MOST_ERRORS:
            del self._names[next(iter(self._names))]

    def forget(self, name: bytes, identifiers: tuple[bytes, ...]) -> None:
        """
        Forget entries that were processed after all.
        """
        for identifier in identifiers:
            self._names.pop((name, identifier), None)

    def name(self, key: Key) -> str:
        """
        Give the class of the last error; empty when nothing is known.
        """
        return self._names.get(key, "")
