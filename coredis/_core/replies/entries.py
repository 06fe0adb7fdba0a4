"""
Make ``StreamEntry`` objects from replies: the inner loop of every stream reader.

An entry comes as ``[identifier, [name, value, name, value, ...]]`` in both protocols. Nearly always all entries of a reply
have the same number of fields, no name occurs twice and nothing was deleted. For that case there is one comprehension per
number of fields, which takes less than half the time of a loop that looks at each entry; whatever does not fit (it fails to
unpack, or a dict came out too short) is read again by the loop, which takes everything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import AnyStr

from ...exceptions import InvalidResponse
from ...types import DeletedFields, RepeatedFields, StreamEntry
from ..command import Reply

# Beyond this many fields the loop is as good, and there is no end to the numbers a stream may hold.
_MOST_FIELDS = 32

_field_values = itemgetter(1)


def utf8(reply: bytes) -> str:
    """
    Decode text; what cannot be decoded stays bytes. It is known here, so that entries are decoded without a call for each word.
    """
    try:
        return reply.decode()
    except UnicodeDecodeError:
        return reply  # type: ignore[return-value]


def read_entries(reply: Reply, text: Callable[[Reply], AnyStr]) -> tuple[StreamEntry[AnyStr], ...]:
    """
    Read a list of entries.

    Args:
        reply: the list
        text: makes text from bytes; ``bytes`` itself where it is left alone

    Raises:
        InvalidResponse: an entry with a name that has no value
    """
    if not reply:
        return ()
    first = _field_values(reply[0])
    if first and len(first) <= 2 * _MOST_FIELDS:
        count = len(first) // 2
        for wrap in _wrappers(text):
            try:
                made: list[StreamEntry[AnyStr]] = _comprehension(count, wrap)(reply, text, tuple.__new__, StreamEntry)
            except UnicodeDecodeError:
                continue  # Not all of it is text.
            except (TypeError, ValueError):
                break  # Not uniform after all: deleted entries, claimed ones, or several numbers of fields.
            if sum(map(len, map(_field_values, made))) == count * len(made):
                return tuple(made)
            break
    return tuple([read_entry(item, text) for item in reply])


def read_entry(reply: Reply, text: Callable[[Reply], AnyStr]) -> StreamEntry[AnyStr]:
    """
    Read one entry of any kind: with repeated names, deleted, or claimed with its idle time and delivery count.
    """
    identifier, flat, *claim = reply
    # Early previews of CLAIM sent the two numbers as text.
    idle, delivered = (int(claim[0]), int(claim[1])) if len(claim) == 2 else (None, None)
    fields: dict[AnyStr, AnyStr]
    if flat is None:
        fields = DeletedFields()
    elif len(flat) % 2:
        raise InvalidResponse("an entry of a stream has a field without a value")
    else:
        words: Iterable[AnyStr] = iter(flat if text is bytes else list(map(text, flat)))
        pairs = tuple(zip(words, words, strict=True))
        fields = dict(pairs)
        if len(fields) < len(pairs):
            fields = RepeatedFields(pairs)
    return StreamEntry(text(identifier), fields, idle, delivered)


def _wrappers(text: Callable[[Reply], object]) -> tuple[str, ...]:
    """
    Tell how source says what a word becomes, the fastest way first.
    """
    return ("{}",) if text is bytes else ("{}.decode()", "text({})") if text is utf8 else ("text({})",)


@functools.cache
def _comprehension(fields: int, wrap: str) -> Callable[..., Reply]:
    """
    Write the comprehension for entries with this many fields. Nothing of a reply gets into its source.
    """
    names = [(f"name{number}", f"value{number}") for number in range(fields)]
    unpack = "".join(f"{name}, {value}, " for name, value in names)
    display = ", ".join(f"{wrap.format(name)}: {wrap.format(value)}" for name, value in names)
    entry = f"new(entry, ({wrap.format('identifier')}, {{{display}}}, None, None))"
    source = f"lambda reply, text, new, entry: [{entry} for identifier, ({unpack}) in reply]"
    function: Callable[..., Reply] = eval(source, {"__builtins__": {}})
    return function
