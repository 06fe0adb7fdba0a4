"""
Commands that come again and again, alike but for their last words: what comes before these is kept encoded.

A read of one stream with the usual options, and an acknowledgement. A general command takes longer to make and to encode than
all the rest of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ..typing import StringT, ValueT
from .command import Command, Reply, T_co
from .packing import heads
from .wire import encode

#: So many beginnings are kept at a time: names and counts may come from outside, and never be the same.
MOST_BEGINNINGS: Final = 256
#: None longer than that is.
LONGEST_BEGINNING: Final = 1024


class Beginning(NamedTuple):
    """
    How a command begins.

    Attributes:
        words: the words
        payload: the same, encoded as UTF-8, without the end of the last one; before them how many words there are in all, if
            that is always the same
        block: seconds the server may take
    """

    words: tuple[ValueT, ...]
    payload: bytes
    block: float | None


class Beginnings(dict[tuple[object, ...], Beginning]):
    """
    How commands begin, by what that is made of, all of it of exactly its type. Threads may share it.
    """

    def keep(
        self, key: tuple[object, ...], words: tuple[ValueT, ...], following: int | None, block: float | None = None
    ) -> Beginning | None:
        """
        Encode a beginning, and keep it.

        Args:
            key: what it is made of
            words: its words
            following: how many follow; None: that is not always the same
            block: seconds the server may take

        Returns:
            None: it cannot be encoded as UTF-8
        """
        try:
            whole = encode(words)
        except (TypeError, ValueError):
            return None
        payload = whole[whole.index(b"\r\n") : -2]
        if following is not None:
            payload = b"*%d%b" % (len(words) + following, payload)
        made = Beginning(words, payload, block)
        if len(payload) <= LONGEST_BEGINNING:
            if len(self) >= MOST_BEGINNINGS:
                self.clear()
            self[key] = made
        return made


class PlainRead(Command[T_co]):
    """
    A read of one stream that is encoded from what was given, and its words are there for who asks. As of plain additions there
    are many, and so ``plain_read`` makes it.
    """

    __slots__ = ("_beginning", "_identifier", "_key")

    _beginning: Beginning
    _identifier: bytes
    _key: StringT

    readonly = True
    idempotent = True
    requires = ()

    __init__ = object.__init__

    @property
    def arguments(self) -> tuple[ValueT, ...]:  # type: ignore[override]
        """
        The words to send.
        """
        return *self._beginning.words, self._key, self._identifier

    @property
    def keys(self) -> tuple[int]:  # type: ignore[override]
        """
        Where the key is.
        """
        return (len(self._beginning.words),)

    def encoded(self, encoding: str) -> bytes:
        """
        Give what is to be sent.

        Args:
            encoding: for ``str``

        Raises:
            TypeError, ValueError, UnicodeEncodeError: as ``encode``
        """
        if encoding == "utf-8":
            key, identifier = self._key, self._identifier
            try:
                name = key if type(key) is bytes else key.encode()  # type: ignore[union-attr]
                return b"".join(
                    (self._beginning[1], _heads[len(name)], name, _heads[len(identifier)], identifier, b"\r\n")
                )
            except (IndexError, ValueError):
                pass  # a long name, or a wrong one, which is named on the other way
        return encode(self.arguments, encoding)


class PlainGroupRead(PlainRead[T_co]):
    """
    XREADGROUP. Never idempotent: new entries are delivered once, and reading pending ones counts as a delivery of each.
    """

    __slots__ = ()

    readonly = False
    idempotent = False


def plain_read(
    kind: type[PlainRead[T_co]], beginning: Beginning, key: StringT, identifier: bytes, convert: Callable[[Reply], T_co]
) -> PlainRead[T_co]:
    """
    Make the command.

    Args:
        kind: which
        beginning: what comes before the key
        key: of the stream, exactly ``str`` or bytes
        identifier: where to begin, checked
        convert: makes the result from the reply
    """
    made: PlainRead[T_co] = kind()
    made.convert = convert
    made.block = beginning[2]
    made._beginning = beginning
    made._key = key
    made._identifier = identifier
    return made


class PlainAcknowledgement(Command[T_co]):
    """
    XACK, encoded from what was given. Made by ``plain_acknowledgement``, as a read is.
    """

    __slots__ = ("_beginning", "_identifiers")

    _beginning: Beginning
    _identifiers: tuple[bytes, ...]

    keys = (1,)
    readonly = False
    idempotent = True
    block = None
    requires = ()

    __init__ = object.__init__

    @property
    def arguments(self) -> tuple[ValueT, ...]:  # type: ignore[override]
        """
        The words to send.
        """
        return *self._beginning.words, *self._identifiers

    def encoded(self, encoding: str) -> bytes:
        """
        Give what is to be sent.

        Args:
            encoding: for ``str``

        Raises:
            TypeError, ValueError, UnicodeEncodeError: as ``encode``
        """
        identifiers, beginning = self._identifiers, self._beginning
        if encoding == "utf-8":
            count, size = len(identifiers), len(identifiers[0])
            head = _heads[size]
            packed = head + head.join(identifiers)
            # One step for all, if they are of the same length: then, none having a ``$``, these are in the right places.
            step = len(head) + size
            if len(packed) == count * step and (count == 1 or packed[2::step] == b"$" * count):
                return b"*%d%b%b\r\n" % (count + len(beginning[0]), beginning[1], packed)
        return encode(self.arguments, encoding)


def plain_acknowledgement(
    beginning: Beginning, identifiers: tuple[bytes, ...], convert: Callable[[Reply], T_co]
) -> PlainAcknowledgement[T_co]:
    """
    Make the command.

    Args:
        beginning: what comes before the identifiers
        identifiers: one at least, checked
        convert: makes the result from the reply
    """
    made: PlainAcknowledgement[T_co] = PlainAcknowledgement()
    made.convert = convert
    made._beginning = beginning
    made._identifiers = identifiers
    return made


_heads: Final = heads()
