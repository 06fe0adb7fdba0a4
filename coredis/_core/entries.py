"""
Entries as producers add them: a dictionary of fields, the same names again and again, and no options.

For names that come again everything but the key and the values is ready (see ``packing.KnownNames``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import AnyStr, Final

from ..typing import KeyT, StringT, ValueT
from .command import Command, Reply, T_co
from .packing import EntryPacker, KnownNames, entry_packer
from .wire import convert as to_bytes
from .wire import decode, encode, head

#: Up to here it is faster to make a new tuple for each field, from here on to make a list of all.
FEW_FIELDS: Final = 16

#: Who meets so many names in vain, none of them for the second time, does not look for the next so many: it takes time.
PATIENCE: Final = 1024
REST: Final = 4096


def _unchanged(name: bytes) -> bytes:
    return name


#: Of text and of bytes. Apart: to have them compared is what Python can be told to complain about.
names_known: Final[tuple[KnownNames[str], KnownNames[bytes]]] = KnownNames(str.encode), KnownNames(_unchanged)


def _nothing(*words: object) -> None:
    """
    Leave an entry without fields, which another thread has emptied, to others.
    """


def _packers(whole: bool) -> list[EntryPacker]:
    """
    Give functions for entries by the number of fields, as of ``entry_packer``.
    """
    packers: list[EntryPacker] = [_nothing]
    packers += [partial(_pack_first, packers, count, whole) for count in range(1, FEW_FIELDS + 1)]
    return packers


def _pack_first(packers: list[EntryPacker], count: int, whole: bool, *words: object) -> bytes | None:
    """
    Pack the first entry of so many fields, and leave in the place of this what packs all others.
    """
    met = rested = 0

    def meet(known: KnownNames[AnyStr], names: tuple[AnyStr, ...]) -> None:
        nonlocal met
        met = 0 if known.meet(names) else met + 1
        if met >= PATIENCE:
            met = 0
            packers[count] = rest

    def rest(*words: object) -> bytes | None:
        nonlocal rested
        rested += 1
        if rested >= REST:
            rested = 0
            packers[count] = pack
        return None

    text, data = names_known
    pack = packers[count] = entry_packer(
        count, whole, (text.ready.get, partial(meet, text)), (data.ready.get, partial(meet, data)), to_bytes, head
    )
    return pack(*words)


class PlainAddition(Command[T_co]):
    """
    XADD without options, the fields in a dictionary, not many of them.

    Of no other command so many are made: it is encoded from what was given, and its words are there for who asks. For the
    same reason ``plain_addition`` makes it: Python makes a long way of it to an ``__init__``.
    """

    __slots__ = ("_fields", "_key")

    _fields: dict[StringT, ValueT]
    _key: KeyT

    keys = (1,)
    readonly = False
    idempotent = False
    block = None
    requires = ()

    __init__ = object.__init__

    @property
    def arguments(self) -> tuple[ValueT, ...]:  # type: ignore[override]
        """
        The words to send.
        """
        # Text and not bytes: commands that are text throughout are encoded faster.
        words: tuple[ValueT, ...] = "XADD", self._key, "*"
        return sum(self._fields.items(), words)

    def word(self, position: int) -> ValueT:
        """
        Give one of the words. Of this command it is the key that is asked for.
        """
        return self._key if position == 1 else self.arguments[position]

    def encoded(self, encoding: str) -> bytes:
        """
        Give what is to be sent.

        Args:
            encoding: for ``str``

        Raises:
            TypeError, ValueError, UnicodeEncodeError: as ``encode``
        """
        if encoding == "utf-8":
            fields = self._fields
            try:
                payload = addition_packers[len(fields)](self._key, fields)
                if payload is not None:
                    return payload
            except (LookupError, TypeError, ValueError):
                pass  # a wrong word, which is named on the other way
        return encode(self.arguments, encoding)


def plain_addition(key: KeyT, fields: dict[StringT, ValueT], convert: Callable[[Reply], T_co]) -> PlainAddition[T_co]:
    """
    Make the command.

    Args:
        key: of the stream
        fields: one at least, not more than ``FEW_FIELDS``; nobody else changes them
        convert: makes the result from the reply
    """
    made: PlainAddition[T_co] = PlainAddition()
    made.convert = convert
    made._key = key
    made._fields = fields
    return made


class PackedAddition(PlainAddition[T_co]):
    """
    The same, encoded when it was made.
    """

    __slots__ = ("_payload",)

    _payload: bytes

    @property
    def arguments(self) -> tuple[ValueT, ...]:  # type: ignore[override]
        """
        The words that are sent.
        """
        return decode(self._payload)

    def encoded(self, encoding: str) -> bytes:
        """
        Give what is to be sent: it was encoded as the client does it.
        """
        return self._payload


# By the number of fields: for plain additions, and for fields alone.
addition_packers: Final = _packers(True)
field_packers: Final = _packers(False)
