"""
Make ``StreamEntry`` objects from replies: the inner loop of every stream reader.

An entry comes as ``[identifier, [name, value, name, value, ...]]`` in both protocols. Nearly always all entries of a reply
have the same names, no name occurs twice and nothing was deleted. For that case there is a comprehension, which takes less
than half the time of a loop that looks at each entry. It compares the names with those of the first entry and uses those
instead: they are hashed and decoded once, take no memory for each entry, and cannot repeat. For names that have come before
there is one of their own. Where only the number of fields is the same another comprehension makes each entry of its own names.
Whatever does not fit (it fails to unpack, has another name, or makes a dict that is too short) is read again by the next one,
and at last by the loop, which takes everything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from itertools import repeat
from operator import itemgetter
from types import CodeType, FunctionType
from typing import Any, AnyStr, Final, TypeAlias

from ...exceptions import InvalidResponse
from ...types import DeletedFields, RepeatedFields, StreamEntry
from ..command import Reply

# Beyond this many fields the loop is as good, and there is no end to the numbers a stream may hold.
_MOST_FIELDS = 32
#: So many makers are kept at a time, none for longer names: these come from outside, and may be others every time.
_MOST_MAKERS: Final = 256
_LONGEST_NAMES: Final = 1024
_CLAIMED_PARTS: Final = 4  # identifier, fields, idle time, delivery count
#: Makes entries of a reply, all of them with the same names.
Maker: TypeAlias = Callable[[Reply], list[StreamEntry[Any]]]
# What stands for names in the code of a comprehension; not the same text, since nothing compares text with bytes here.
_NAME: Final = "name of field {}"
_TEXT: Final = "text of field {}"
_makers: Final[dict[tuple[Reply, ...], tuple[Maker, ...]]] = {}
_met: Final[set[tuple[Reply, ...]]] = set()  # names that have come once
_new: Final = tuple.__new__
_first: Final = itemgetter(0)
_second: Final = itemgetter(1)


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
    Read a list of entries, as ``read_list``.
    """
    if not reply:
        return ()
    if len(reply) > 1:
        return tuple(read_list(reply, text))
    alone = _read_plain(reply[0], text)
    return (read_entry(reply[0], text) if alone is None else alone,)


def read_list(reply: Reply, text: Callable[[Reply], AnyStr]) -> list[StreamEntry[AnyStr]]:
    """
    Read a list of entries.

    Args:
        reply: the list
        text: makes text from bytes; ``bytes`` itself where it is left alone

    Raises:
        InvalidResponse: an entry with a name that has no value
    """
    alike = _read_claimed(reply, text) if len(reply[0]) == _CLAIMED_PARTS else read_alike(reply, text)
    if alike is not None:
        return alike
    first = reply[0][1]
    if first and len(first) <= 2 * _MOST_FIELDS:
        for wrap in _wrappers(text):
            try:
                made: list[StreamEntry[AnyStr]] = _comprehension(len(first) // 2, wrap)(
                    reply, text, tuple.__new__, StreamEntry, len, _unlike
                )
            except UnicodeDecodeError:
                continue  # Not all of it is text.
            except (TypeError, ValueError):
                break  # Not uniform after all: deleted entries, claimed ones, or several numbers of fields.
            return made
    return [read_entry(item, text) for item in reply]


def read_alike(reply: Reply, text: Callable[[Reply], AnyStr]) -> list[StreamEntry[AnyStr]] | None:
    """
    Read entries that have the same names in the same order; None: they have not, or something else is special about them.
    """
    if not reply:
        return []
    if len(reply) == 1:
        alone = _read_plain(reply[0], text)
        return None if alone is None else [alone]
    try:
        names = (text, *reply[0][1][::2])
        makers = _makers.get(names)
        if makers is None:
            makers = _find_makers(names)
    except TypeError:
        return None
    for make in makers:
        try:
            return make(reply)
        except UnicodeDecodeError:
            continue  # Not all of it is text.
        except (TypeError, ValueError):
            return None
    return None


def _find_makers(key: tuple[Reply, ...]) -> tuple[Maker, ...]:
    """
    Give what makes entries with these names, one after the other to be tried. Nothing does where names repeat, or where there
    are none or too many. When names come again what makes entries of them is kept, with the names as constants: the next reply
    is likely to have them, too. Making that takes longer than most replies do.

    Args:
        key: what makes text from bytes, and the names
    """
    text, *names = key
    texts = names if text is bytes else list(map(text, names))
    # Another ``text`` belongs to one client, which nothing here should keep alive.
    lasting = (text is bytes or text is utf8) and sum(map(len, names)) <= _LONGEST_NAMES
    makers: tuple[Maker, ...] = ()
    if 0 < len(names) <= _MOST_FIELDS and len(set(texts)) == len(texts):
        if not (lasting and key in _met):
            if lasting:
                if len(_met) >= _MOST_MAKERS:
                    _met.clear()
                _met.add(key)
            given = (text, _new, StreamEntry, _unlike, *names, *texts)
            return tuple([functools.partial(_alike_given(len(names), wrap), *given) for wrap in _wrappers(text)])
        makers = tuple([_alike(wrap, text, names, texts) for wrap in _wrappers(text)])
    if lasting:
        if len(_makers) >= _MOST_MAKERS:
            _makers.clear()
        _makers[key] = makers
        _met.discard(key)
    return makers


def _read_claimed(reply: Reply, text: Callable[[Reply], AnyStr]) -> list[StreamEntry[AnyStr]] | None:
    """
    Read entries that all come with an idle time and a delivery count, as ``read_alike`` reads others.
    """
    if set(map(len, reply)) != {_CLAIMED_PARTS}:
        return None
    alike = read_alike([item[:2] for item in reply], text)
    if alike is None:
        return None
    idle, delivered = (map(int, map(itemgetter(place), reply)) for place in (2, 3))
    parts = zip(map(_first, alike), map(_second, alike), idle, delivered, strict=True)
    return list(map(tuple.__new__, repeat(StreamEntry), parts))


def _unlike() -> Reply:
    """
    End a comprehension that an entry does not fit.
    """
    raise ValueError


def read_entry(reply: Reply, text: Callable[[Reply], AnyStr]) -> StreamEntry[AnyStr]:
    """
    Read one entry of any kind: with repeated names, deleted, or claimed with its idle time and delivery count.
    """
    plain = _read_plain(reply, text)
    if plain is not None:
        return plain
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


def _read_plain(reply: Reply, text: Callable[[Reply], AnyStr]) -> StreamEntry[AnyStr] | None:
    """
    Read one entry with nothing special about it; None: there is.
    """
    if len(reply) != 2 or not (words := reply[1]):
        return None
    size = len(words)
    identifier: AnyStr = reply[0]  # which ``bytes`` leaves alone; of a number it would make so many zeros
    if text is not bytes:
        words = list(map(text, words))
        identifier = text(identifier)
    if size % 2 or size > 2 * _MOST_FIELDS:
        fields: dict[AnyStr, AnyStr] = dict(zip(words[::2], words[1::2], strict=False))
    else:
        fields = _fields(size // 2)(*words)
    if 2 * len(fields) < size:  # a name occurs twice, or has no value
        return None
    return _new(StreamEntry, (identifier, fields, None, None))


def _wrappers(text: Callable[[Reply], object]) -> tuple[str, ...]:
    """
    Tell how source says what a word becomes, the fastest way first.
    """
    return ("{}",) if text is bytes else ("{}.decode()", "text({})") if text is utf8 else ("text({})",)


@functools.cache
def _fields(count: int) -> Callable[..., Reply]:
    """
    Write what makes a dict of the words of so many fields. Nothing of a reply gets into its source.
    """
    numbers = range(count)
    words = ", ".join(f"name{number}, value{number}" for number in numbers)
    display = ", ".join(f"name{number}: value{number}" for number in numbers)
    return _compiled(f"lambda {words}: {{{display}}}")


def _alike(wrap: str, text: Callable[[Reply], AnyStr], names: list[bytes], texts: list[AnyStr]) -> Maker:
    """
    Make the comprehension for entries with these names, which are constants of its code.
    """
    constants: dict[object, object] = {}
    for number, (name, as_text) in enumerate(zip(names, texts, strict=True)):
        constants |= {_NAME.format(number).encode(): name, _TEXT.format(number): as_text}
    scope = {"__builtins__": {}, "text": text, "new": _new, "entry": StreamEntry, "unlike": _unlike}
    return FunctionType(_with_constants(_alike_template(len(names), wrap), constants), scope)


def _with_constants(code: CodeType, constants: dict[object, object]) -> CodeType:
    """
    Put others in the place of constants of a code.
    """

    def other(constant: object) -> object:
        if isinstance(constant, CodeType):
            return _with_constants(constant, constants)
        return tuple(map(other, constant)) if isinstance(constant, tuple) else constants.get(constant, constant)

    return code.replace(co_consts=tuple(map(other, code.co_consts)))


@functools.cache
def _alike_template(fields: int, wrap: str) -> CodeType:
    """
    Write the comprehension for entries with the same names, so many, and put others in the place of these.
    """
    numbers = range(fields)
    names = [repr(_NAME.format(number).encode()) for number in numbers]
    texts = [repr(_TEXT.format(number)) for number in numbers]
    return _compiled(f"lambda reply: {_alike_source(names, texts, wrap)}").__code__


@functools.cache
def _alike_given(fields: int, wrap: str) -> Callable[..., Reply]:
    """
    Write the comprehension for entries with the same names, so many, that is given these.
    """
    names = [f"first{number}" for number in range(fields)]
    texts = [f"text{number}" for number in range(fields)]
    given = ", ".join(["text", "new", "entry", "unlike", *names, *texts, "reply"])
    return _compiled(f"lambda {given}: {_alike_source(names, texts, wrap)}")


def _alike_source(names: list[str], texts: list[str], wrap: str) -> str:
    """
    Write the comprehension for entries with the same names. Nothing of a reply gets into its source.

    Args:
        names: what stands for the names of the first entry
        texts: what stands for these as text
        wrap: how source says what a word becomes
    """
    numbers = range(len(names))
    unpack = "".join(f"name{number}, value{number}, " for number in numbers)
    same = " and ".join(f"name{number} == {name}" for number, name in enumerate(names))
    display = ", ".join(f"{text}: {wrap.format(f'value{number}')}" for number, text in enumerate(texts))
    made = f"new(entry, ({wrap.format('identifier')}, {{{display}}}, None, None)) if {same} else unlike()"
    return f"[{made} for identifier, ({unpack}) in reply]"


@functools.cache
def _comprehension(fields: int, wrap: str) -> Callable[..., Reply]:
    """
    Write the comprehension for entries with this many fields. Nothing of a reply gets into its source.
    """
    names = [(f"name{number}", f"value{number}") for number in range(fields)]
    unpack = "".join(f"{name}, {value}, " for name, value in names)
    display = ", ".join(f"{wrap.format(name)}: {wrap.format(value)}" for name, value in names)
    made = f"new(entry, ({wrap.format('identifier')}, made, None, None))"
    entry = f"{made} if size(made := {{{display}}}) == {fields} else unlike()"
    return _compiled(f"lambda reply, text, new, entry, size, unlike: [{entry} for identifier, ({unpack}) in reply]")


def _compiled(source: str) -> Callable[..., Reply]:
    function: Callable[..., Reply] = eval(source, {"__builtins__": {}})
    return function
