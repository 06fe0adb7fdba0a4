"""
Pack the words of ordinary commands: not many, and none of them long.

hiredis prints the length of every word anew, and wants to know first what kind of word each is. Here the lengths are ready, and
there is one function for each number of words that names them one by one: it takes half the time. Where all words are ASCII,
as in most commands, they are joined as text and encoded together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, AnyStr, Final, Generic, TypeAlias

Packer: TypeAlias = Callable[[tuple[Any, ...]], bytes | None]
EntryPacker: TypeAlias = Callable[..., bytes | None]

#: Words from this length on have no header ready.
LONG_WORD: Final = 2048
#: Beyond this many words there are no functions.
MOST_WORDS: Final = 40
#: For so many different names of fields something is kept at a time; a power of two.
MOST_NAMES: Final = 256


@functools.cache
def _heads() -> tuple[list[str], list[bytes]]:
    """
    Make what comes before a word, the end of what was before included, by the length of the word.
    """
    texts = [f"\r\n${length}\r\n" for length in range(LONG_WORD)]
    return texts, [text.encode() for text in texts]


def heads() -> list[bytes]:
    """
    Give what comes before a word, the end of what was before included, by the length of the word.
    """
    return _heads()[1]


def packer(count: int, convert: Callable[[object], bytes]) -> Packer:
    """
    Write the function for so many words. Nothing of a command gets into its source.

    Args:
        count: how many
        convert: makes bytes from anything but bytes

    Returns:
        it takes the words; of a long one it gives None or raises an ``IndexError``
    """
    words = [f"word{number}" for number in range(count)]
    all_text = " and ".join([f"type({word}) is text" for word in words])
    packed = "".join([f"{{texts[len({word})]}}{{{word}}}" for word in words])
    joined = "".join([f"heads[len({_converted(word)})], {word}, " for word in words])
    # Only the last word is looked at: there a long value nearly always is. One elsewhere is an error, which takes longer.
    pack: Packer = _compiled(
        "\n".join(
            [
                "def make(texts, heads, data, text, number, convert, join):",
                " def pack(words):",
                f"  {', '.join(words)}, = words",
                f"  if {all_text}:",
                f"   if len({words[-1]}) >= {LONG_WORD}: return None",
                f"   if (packed := f'*{count}{packed}\\r\\n').isascii(): return packed.encode()",
                f"  elif type({words[-1]}) is data or type({words[-1]}) is text:",
                f"   if len({words[-1]}) >= {LONG_WORD}: return None",
                f"  elif type({words[-1]}) is not number: return None",
                f"  return join((b'*{count}', {joined}b'\\r\\n'))",
                " return pack",
            ]
        )
    )(*_heads(), bytes, str, int, convert, b"".join)
    return pack


class KnownNames(Generic[AnyStr]):
    """
    The names of fields that are ready to be sent, with their heads.

    Names may come from outside and never be the same, so they are not made ready at first sight, and not many are kept.
    Threads may share it: each change is a single call into C.

    Args:
        encode: makes bytes of a name

    Attributes:
        ready: by the names of the fields of an entry, all of them of exactly this type, because others may claim to equal
            them: that in front of each value, as text if it is ASCII, and as bytes
    """

    __slots__ = ("_encode", "_seen", "ready")

    def __init__(self, encode: Callable[[AnyStr], bytes]) -> None:
        self._encode: Callable[[AnyStr], bytes] = encode
        self.ready: dict[tuple[AnyStr, ...], tuple[tuple[str, ...], tuple[bytes, ...]]] = {}
        # Hashes, which do not keep alive what was long; each has its place, where it stays until another takes that.
        self._seen: list[int | None] = [None] * MOST_NAMES

    def meet(self, names: tuple[AnyStr, ...]) -> bool:
        """
        Make names ready that come for the second time within a while; False: they do not, or cannot be made ready.
        """
        known = hash(names)
        place = known & (MOST_NAMES - 1)
        if self._seen[place] != known or sum(map(len, names)) >= LONG_WORD:
            self._seen[place] = known
            return False
        try:
            others = tuple([b"\r\n$%d\r\n%b" % (len(name), name) for name in map(self._encode, names)])
        except UnicodeEncodeError:
            return False  # the error is raised where all words are encoded
        texts = tuple([part.decode() for part in others]) if all(map(bytes.isascii, others)) else ()
        if len(self.ready) >= MOST_NAMES:
            self.ready.clear()
        self.ready[names] = texts, others
        return True


@functools.cache
def _entry_packer(count: int, whole: bool) -> Callable[..., EntryPacker]:
    """
    Write what makes the functions for entries of so many fields. Nothing of a command gets into its source.

    Most entries come from the same line of a program as the one before, so their key and names are the same objects. Then
    nothing about these has to be found out again: in front of the first value comes all that is before it.
    """
    names, values, parts = ([f"{kind}{number}" for number in range(count)] for kind in ("name", "value", "part"))
    subjects = ["key", *names] if whole else names
    arguments = ", ".join(["key", "fields"] if whole else ["fields"])
    otherwise = ", ".join([*(["key"] if whole else []), *values, "others"])
    start, middle = (f"*{3 + 2 * count}\\r\\n$4\\r\\nXADD", "\\r\\n$1\\r\\n*") if whole else ("", "")
    all_text = " and ".join([f"type({value}) is text" for value in values])
    fields = "".join(
        [f"{{{part}}}{{texts[len({value})]}}{{{value}}}" for part, value in zip(parts, values, strict=True)]
    )
    # Only the last word is looked at: there a long value nearly always is. One elsewhere is an error, which takes longer.
    attempt = f"if len({values[-1]}) < {LONG_WORD} and (packed := f'{fields}\\r\\n').isascii(): return packed.encode()"
    ready = {
        word: f"heads[size] if (size := len({_converted(word)})) < {LONG_WORD} else head(size), {word}, "
        for word in ("key", *values)
    }
    joined = "".join([f"{part}, {ready[value]}" for part, value in zip(parts, values, strict=True)])
    if whole:
        joined = f"b'{start}', {ready['key']}b'{middle}', {joined}"
    return _compiled(
        "\n".join(
            [
                "def make(texts, heads, head, data, text, number, long, convert, join, get, meet, get_data, meet_data):",
                f" latest = (heads,) * {len(subjects) + count + 1}",
                " missed = None",
                f" def pack({arguments}):",
                "  nonlocal latest, missed",
                # No tuples of both, and still each value is the one of this name, whoever changes them meanwhile.
                f"  {', '.join(names)}, = fields",
                f"  {'; '.join([f'{value} = fields[{name}]' for name, value in zip(names, values, strict=True)])}",
                f"  {', '.join([f'latest_{subject}' for subject in subjects])}, {', '.join(parts)}, others = latest",
                f"  if not ({' and '.join([f'{subject} is latest_{subject}' for subject in subjects])}):",
                f"   if {' and '.join([f'type({name}) is text' for name in names])}:",
                f"    known = get(({', '.join(names)},))",
                f"    if known is None: return meet(({', '.join(names)},))",
                f"   elif {' and '.join([f'type({name}) is data' for name in names])}:",
                f"    known = get_data(({', '.join(names)},))",
                f"    if known is None: return meet_data(({', '.join(names)},))",
                "   else: return None",
                "   ascii, others = known",
                *(
                    [
                        f"   if not ascii or type(key) is not text or len(key) >= {LONG_WORD}: return otherwise({otherwise})",
                        f"   {', '.join(parts)}, = ascii",
                        f"   part0 = f'{start}{{texts[len(key)]}}{{key}}{middle}{{part0}}'",
                    ]
                    if whole
                    else [f"   if not ascii: return otherwise({otherwise})", f"   {', '.join(parts)}, = ascii"]
                ),
                # Not at the first sight: of many streams that take turns each would be remembered for the next one.
                f"   if {subjects[0]} is missed: latest = ({', '.join([*subjects, *parts])}, others)",
                f"   missed = {subjects[0]}",
                "  try:",
                f"   if {all_text}:",
                f"    {attempt}",
                "   else:",
                *[f"    if type({value}) is number: {value} = f'{{{value}}}'" for value in values],
                f"    if {all_text}:",
                f"     {attempt}",
                "  except long: pass",
                f"  return otherwise({otherwise})",
                f" def otherwise({otherwise}):",
                f"  {', '.join(parts)}, = others",
                f"  return join(({joined}b'\\r\\n'))",
                " return pack",
            ]
        )
    )


def entry_packer(
    count: int,
    whole: bool,
    text_names: tuple[Callable[..., Any], Callable[..., None]],
    data_names: tuple[Callable[..., Any], Callable[..., None]],
    convert: Callable[[object], bytes],
    head: Callable[[int], bytes],
) -> EntryPacker:
    """
    Make the function for entries of so many fields.

    Args:
        count: how many
        whole: pack a plain XADD, and not just the fields to follow what comes before them
        text_names: what finds names that are ready (see ``KnownNames``), and what is told of others, if they are text
        data_names: the same if they are bytes
        convert: makes bytes from anything but bytes
        head: makes what comes before a long word, the end of what was before included

    Returns:
        it takes the key, if ``whole``, and a dictionary of so many fields, and gives None if their names are not ready; of
        fields alone the end of what was before is part. If they change meanwhile, it raises what Python raises then
    """
    texts, heads = _heads()
    return _entry_packer(count, whole)(
        *(texts, heads, head, bytes, str, int, IndexError, convert, b"".join),
        *text_names,
        *data_names,
    )


def _converted(word: str) -> str:
    """
    Write what turns a word into bytes.
    """
    return f"{word} := {word} if type({word}) is data else {word}.encode() if type({word}) is text else convert({word})"


def _compiled(source: str) -> Callable[..., Any]:
    """
    Compile what defines ``make``.
    """
    scope: dict[str, Any] = {"__builtins__": {}, "len": len, "type": type}
    exec(source, scope)
    made: Callable[..., Any] = scope["make"]
    return made
