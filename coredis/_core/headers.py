"""
Look at the headers in received bytes, without parsing what they announce.

Two questions. Is there anything that hiredis must not see as it is (an attribute, a blob error, a header that announces absurd
sizes)? And where do large strings end, so that nobody needs to look at what is in them? ``parser`` says why it has to know.
All of these are functions of bytes; none keeps anything.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from typing import Final

from ..exceptions import ProtocolError

MAX_BULK_BYTES: Final = 512 * 1024 * 1024  # the largest value a server stores by default (proto-max-bulk-len)
MAX_ELEMENTS: Final = 64 * 1024 * 1024  # of one aggregate; far above any reply, below what exhausts memory

AGGREGATES: Final = b"*%~>|"
BULKS: Final = b"$=!"
HEADER_TYPES: Final = BULKS + AGGREGATES
_COMMON_TYPES: Final = frozenset([b"*", b"%", b"+", b":", b"_", b"-"])
_SHORT_AGGREGATE: Final = 8  # a type byte and seven digits, which are within the limits
_SPECIAL_HEADER: Final = rb"[|!]-?(?:\d{1,20}\r\n|\d{0,20}\r?\Z)"  # or how one begins, at the end of a piece
_SPECIAL_LINE: Final = re.compile(rb"\n(?=" + _SPECIAL_HEADER + rb")")  # only looks ahead: one may follow another
_LARGE_HEADER: Final = rb"[$=*%~>]\d{8,20}\r\n"
_CAREFUL_FIRST: Final = re.compile(_SPECIAL_HEADER + rb"|" + _LARGE_HEADER)
_CAREFUL_LINE: Final = re.compile(rb"\n(?=" + _SPECIAL_HEADER + rb"|" + _LARGE_HEADER + rb")")
_LARGE_PIECE_BYTES: Final = 4096  # from here on it pays to look first where the lines are
LONGEST_HEADER: Final = 32  # longer than any number a header can hold
SHORT_HEADER: Final = 10  # a type byte, seven digits, CR and LF: a header of this length is within the limits
_LARGE_STRING_BYTES: Final = 8 * 1024
_MEDIUM_STRINGS: Final = 8  # so many strings in a row that are neither short nor large: searching costs less
# For an aggregate hiredis makes a list of the announced size at once, and freeing it takes seconds: all of a piece is
# searched. For a string it only waits, and there are many of them, so the search ends after a kilobyte. Each kind
# has a pattern of its own because one that begins with a certain byte is searched for several times as fast, and the digits are
# written out because a repetition is counted before it is given up.
_STRING_SEARCH_BYTES: Final = 1024
_LARGE: Final = [
    (kind, re.compile(re.escape(kind) + rb"\d" * 8), _STRING_SEARCH_BYTES if kind in BULKS else sys.maxsize)
    for kind in (b"*", b"$", b">", b"~", b"%", b"=")
]


@functools.cache
def common_items() -> Callable[[bytes], object]:
    """
    Give what matches bytes that are whole and common items with right and short headers, and nothing else.
    """
    return re.compile(f"{_common_item()}++".encode(), re.DOTALL).fullmatch


def _common_item() -> str:
    """
    Give what matches one whole and common item with a right and short header.

    That a string is as long as its header says is beyond regular expressions, so each length is spelled out, digit by digit.
    It takes a quarter of the time of following the headers, and some milliseconds to compile, once.
    """

    def strings(digits: str) -> str:
        length = int(digits)
        whole = rf"\r\n.{{{length}}}\r\n"
        longer = [f"{digit}{strings(digits + digit)}" for digit in "0123456789"] if len(digits) < 2 and length else []
        return "(?:" + "|".join([whole, *longer]) + ")" if longer else whole

    lengths = "|".join(digit + strings(digit) for digit in "1234567890")
    strings_first = rf"\$(?:{lengths})|[*%]\d{{1,7}}+\r\n|[*$]-1\r\n|:-?\d{{1,18}}+\r\n"
    return rf"(?:{strings_first}|_\r\n|[+-][^\r\n]{{0,255}}+\r\n)"


@functools.cache
def _large_string(begin: bytes) -> Callable[[bytes | memoryview, int, int], re.Match[bytes] | None]:
    """
    Give what matches some common items and the header of a longer string after them, or nothing more, after these bytes.
    """
    return re.compile(begin + rf"{_common_item()}{{0,32}}(?:\$([1-9]\d{{2,8}})\r\n|\Z)".encode(), re.DOTALL).match


def follow_strings(piece: bytes | memoryview, at: int, size: int, cuts: list[int]) -> int:
    """
    Follow the items of what was received, most of which has to be large strings: from one header to the next, so that
    nobody needs to look at what is in them.

    Args:
        piece: what was received
        at: where the rest of a string with its end ends in it, or after it; 0: it begins with an item
        size: how much was received
        cuts: gets where large strings begin, and where one of any length does that is not complete

    Returns:
        where the last item ends, perhaps after the piece, if it is a string; 0: there is something else in it
    """
    medium = 0
    if at < 2:
        if at:
            return 0  # the string lacks half of its end, which happens rarely
        found = _large_string(b"")(piece, 0, size)
    elif at > size:
        return at
    else:
        found = _large_string(b"\r\n")(piece, at - 2, size)
    while found is not None:
        if found[1] is None:
            return size
        length = int(found[1])
        at = found.end() + length + 2
        if length >= _LARGE_STRING_BYTES:
            medium = 0
            if length > MAX_BULK_BYTES:
                break
        elif medium == _MEDIUM_STRINGS:
            break
        else:
            medium += 1
        if (length >= _LARGE_STRING_BYTES or at > size) and found.start(1) > 1:
            cuts.append(found.start(1) - 1)
        if at > size:
            return at
        found = _large_string(b"\r\n")(piece, at - 2, size)
    return 0


def is_ordinary(piece: bytes) -> bool:
    """
    Tell whether a small piece that begins with a reply has only whole and common items, whose headers are right and short.

    Strings with the end of a line in them are left to the general way. What is wrong otherwise, hiredis notices.
    """
    lines = piece.split(b"\r\n")
    if lines.pop():
        return False
    following = iter(lines)
    for line in following:
        kind = line[:1]
        if kind == b"$":
            text = next(following, None)
            if text is None or line != b"$%d" % len(text):
                return False
        elif kind not in _COMMON_TYPES or (kind in AGGREGATES and len(line) > _SHORT_AGGREGATE):
            return False
    return True


def may_be_special(piece: bytes) -> bool:
    """
    Tell whether there may be something in a piece that hiredis does not know, or fills memory for: an attribute, a blob error,
    a push, or an absurd header at its beginning.
    """
    if _CAREFUL_FIRST.match(piece) is not None:
        return True
    # The search for one byte is many times as fast as that for two, and rarely finds any.
    if (b"|" in piece and b"\n|" in piece) or (b"!" in piece and b"\n!" in piece):
        return True
    return b">" in piece and b"\n>" in piece


def needs_care(piece: bytes, begins_line: bool) -> bool:
    """
    Tell whether an attribute, a blob error or an absurd header may begin in a piece, before its last line.
    """
    if begins_line and _CAREFUL_FIRST.match(piece) is not None:
        return True
    part = piece if len(piece) < _LARGE_PIECE_BYTES else _with_lines(piece)
    # The search for one byte is many times as fast as that for two, and rarely finds any.
    lines = (b"|" in part and b"\n|" in part) or (b"!" in part and b"\n!" in part)
    if lines and _SPECIAL_LINE.search(part) is not None:
        return True
    if len(part) > SHORT_HEADER:
        # Where a line begins its first byte was looked at above. It is left out here, for it is nearly always a type byte, and
        # perhaps the only one of its kind: the map around the reply to XREAD, say.
        start = 1 if begins_line and part is piece else 0
        for kind, pattern, most in _LARGE:
            found = part.find(kind, start)
            if found >= 0 and pattern.search(part, found, most) is not None:
                return True
    return False


def _with_lines(piece: bytes) -> bytes:
    """
    Leave away from a large piece what comes before its first line and after the beginning of its last one.

    In the middle of a large value that is nearly all, and what remains is searched for eight bytes.
    """
    first = piece.find(b"\n")
    if first < 0:
        return b""
    end = piece.rfind(b"\n") + LONGEST_HEADER
    return piece if end - first > len(piece) // 2 else piece[first:end]


def candidates(piece: bytes, start: int, begins_line: bool) -> Iterator[int]:
    """
    Find where attributes, blob errors or absurd headers may begin, from a position on, in order.
    """
    if start == 0 and begins_line and _CAREFUL_FIRST.match(piece) is not None:
        yield 0
    last = 0
    for found in _CAREFUL_LINE.finditer(piece, max(start - 1, 0)):
        last = found.end()
        yield last
    header = last_header(piece)
    if header > last:
        yield header


def last_header(piece: bytes) -> int:
    """
    Where the last line of a piece begins if it may be an absurd header, or the first part of one; else 0.
    """
    start = piece.rfind(b"\n", 0, -1) + 1
    if 0 < start and piece[start] in HEADER_TYPES:
        if piece.endswith(b"\n") and len(piece) - start <= SHORT_HEADER:
            return 0
        digits = piece[start + 1 : start + LONGEST_HEADER].rstrip()
        return start if not digits or digits.isdigit() else 0
    return 0


def check_header(line: bytes) -> None:
    """
    Refuse a header that announces more than any reply has; anything but a header passes.
    """
    limit = MAX_BULK_BYTES if line[0] in BULKS else MAX_ELEMENTS if line[0] in AGGREGATES else 0
    digits = line[1:].strip()
    if limit and digits.isdigit() and (len(digits) > 20 or int(digits) > limit):
        raise ProtocolError(f"invalid reply: a header announces more than {limit}", may_have_run=True)
