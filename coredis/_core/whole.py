"""
Read received pieces that are whole replies and nothing else, at once: so are most, and that saves half of the work, or more.

What is not that simple is left alone: it is for ``parser``, which takes anything, and says what hiredis leaves open. Whichever
of the two reads a piece, the same comes of it.

A piece that is one array or map from end to end, as reads of streams nearly always bring, is parsed before it is searched: had
it an absurd header the reply would not be complete, and only then is the piece fed and searched. Until then hiredis has made a
list of the announced size and freed it again. Its memory was never touched, but it takes some nanoseconds for each element
(nested headers within the limits do the same). A push inside of a reply is searched for all the same: hiredis touches the
memory of that.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

import hiredis

from .command import Reply
from .headers import AGGREGATES, common_items, may_be_special
from .parser import NEED_DATA, SMALL_PIECE_BYTES, Parser, new_reader

_NO_TYPE: Final = ord("\n")  # nothing begins with it
_SIMPLE_STRING: Final = ord("+")
_INTEGER: Final = ord(":")
_ZERO: Final = ord("0")
_LONGEST_INTEGER: Final = 19  # with its type byte: one of this length fits into 64 bits, whatever its digits
_number: Final = re.compile(rb":(0|[1-9]\d{0,17})\r\n").match
#: The header of a string and where its content is, by the length of all of it, from the header to its end.
_STRING_OF: Final = {
    len(header) + length + 2: (header, slice(len(header), -2))
    for length in range(SMALL_PIECE_BYTES)
    if len(header := b"$%d\r\n" % length) + length + 2 < SMALL_PIECE_BYTES
}
#: Longer than any piece, so none begins like this, garbage neither.
_NO_STRING: Final = b"$" * SMALL_PIECE_BYTES, slice(0)
#: Whole replies that come often.
_COMMON_REPLIES: Final[dict[bytes, Reply]] = {
    b"+OK\r\n": b"OK",
    b"+PONG\r\n": b"PONG",
    **dict.fromkeys((b"_\r\n", b"$-1\r\n", b"*-1\r\n")),
    **{b":%d\r\n" % number: number for number in range(128)},
}
_COMMON_BYTES: Final = max(map(len, _COMMON_REPLIES))


class WholeReplies:
    """
    Reads pieces that a parser need not be fed. While that is in the middle of a reply, there are none.

    It has a reader of its own: an interruption leaves that behind, dirty perhaps, and nothing that has been received, so each
    method can be called again with the same piece.
    """

    __slots__ = ("_parser", "_reader")

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._reader: hiredis.Reader | None = None  # made when it is needed; None as well while it is in use

    def whole(self, piece: bytes, alone: bool = False) -> Reply:
        """
        Read a piece that is one reply and nothing else.

        Args:
            piece: what was received
            alone: no more replies than one are to come

        Returns:
            the reply, and the piece is done with; ``NEED_DATA``: feed it, it is not that simple
        """
        size = len(piece)
        if self._parser.empty and size < SMALL_PIECE_BYTES:
            if size <= _COMMON_BYTES and (reply := _COMMON_REPLIES.get(piece, NEED_DATA)) is not NEED_DATA:
                return reply
            header, content = _STRING_OF.get(size, _NO_STRING)
            if piece.startswith(header) and piece.endswith(b"\r\n"):
                return piece[content]
            kind = piece[0] if size else _NO_TYPE
            if kind in AGGREGATES:
                return NEED_DATA if common_items()(piece) is None else self._parsed(piece)
            if piece.endswith(b"\r\n") and (line := piece[1:-2]).isalnum():
                if kind == _SIMPLE_STRING:
                    return line
                if kind == _INTEGER and line.isdigit() and len(line) < _LONGEST_INTEGER:
                    if line[0] == _ZERO and len(line) > 1:
                        return NEED_DATA  # hiredis refuses it
                    return int(line)
        elif alone:
            return self.large(piece)
        return NEED_DATA

    def counted(self, piece: bytes, counts: int) -> list[Reply] | None:
        """
        Read a large piece that is so many integers, as commands ahead of a read are answered, and one array or map after them.

        Returns:
            the replies, and the piece is done with; None: feed it, it is not that simple
        """
        if not self._parser.empty:
            return None
        at = 0
        numbers: list[Reply] = []
        for _ in range(counts):
            number = _number(piece, at)
            if number is None:
                return None
            numbers.append(int(number[1]))
            at = number.end()
        reply = self.large(piece[at:]) if at < len(piece) else NEED_DATA
        return None if reply is NEED_DATA else [*numbers, reply]

    def several(self, piece: bytes, most: int) -> list[Reply] | None:
        """
        Read a piece that is some replies and nothing else, none of them an array or a map: as commands are answered that were
        sent together.

        Args:
            piece: what was received
            most: so many replies are to come at least

        Returns:
            the replies, and the piece is done with; None: feed it, it is not that simple
        """
        if (
            not self._parser.empty
            or not piece.endswith(b"\r\n")
            # A string that something else follows is noticed in a small piece.
            or (len(piece) < SMALL_PIECE_BYTES and b"$" in piece)
            or b"*" in piece
            or b"%" in piece
            or b">" in piece
            or b"|" in piece
            or b"!" in piece
            or b"~" in piece
            or b"=" in piece
        ):
            return None
        reader, self._reader = self._reader or new_reader(), None
        replies: list[Reply] = []
        try:
            reader.feed(piece)
            replies.extend(islice(iter(reader.gets, NEED_DATA), most))
        except Exception:  # whatever it is, it comes again where it is told
            return None
        if reader.has_data():
            return None
        self._reader = reader
        return replies or None

    def large(self, piece: bytes) -> Reply:
        """
        As ``whole``, of a large piece, when no more replies than one are to come.

        What seems to be one array or map is not searched for absurd headers first: with one the reply would not be complete,
        and then the piece is fed, which looks for it. What hiredis fills the announced memory for, or does not know, is
        searched for.
        """
        if not self._parser.empty or piece[0] not in b"*%" or not piece.endswith(b"\r\n") or may_be_special(piece):
            return NEED_DATA
        return self._parsed(piece)

    def _parsed(self, piece: bytes) -> Reply:
        """
        Parse a piece that is one reply. ``NEED_DATA``: it is not one reply, or not a valid one.
        """
        reader, self._reader = self._reader or new_reader(), None
        try:
            reader.feed(piece)
            reply = reader.gets()
        except Exception:  # whatever it is, it comes again where it is told
            return NEED_DATA
        if reply is NEED_DATA or reader.has_data():
            return NEED_DATA
        self._reader = reader
        return reply
