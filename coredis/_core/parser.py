"""
Turn received bytes into replies, in whatever pieces they come: hiredis does the work, this module closes the gaps it leaves
open. (Most pieces are whole replies and need less than that: see ``whole``.)

The gaps, each measured on hiredis 3.5 (see the tests): an attribute frame (``|``) comes out as a reply of its own and would
shift every later reply by one; a blob error (``!``) is taken for garbage; headers announcing absurd sizes make it wait for
ever or allocate; a simple string without an end is buffered for ever. Attributes are dropped, blob errors become errors, the
others a ``ProtocolError``. After any error the parser must not be used again.

Cost on the usual path: a few searches at memory speed per received piece, one of them slowed down by each array in it, and a
look at its first line. Text with lines that begin like something special (a Markdown table) costs one search more. Only what
looks like a whole header, or like its beginning at the end of a piece, is examined further, each in constant time: nothing is
copied or searched twice. Large strings are followed from one header to the next, as long as there is little else: what is in
them is neither searched nor, where it was received into memory that is used again, copied before hiredis does.

What remains: a string's absurd header that is neither in the first kilobyte of a piece nor at its end is not noticed. Nothing
is allocated for it; the wait ends with the time of the request or at ``MAX_REPLY_BYTES``. And hiredis does not look at the two
bytes after a string: whatever they are, they are taken for its end. It is noticed here in a small piece, and where it is the
end of what was received. Deep in a large piece it is not: to follow every header in Python would take ten times as long as
parsing does. The value is what its length says all the same, and if the length was wrong, what comes next is hardly ever valid.

Two properties matter to callers. Parsing yields bytes only, so an undecodable value cannot disturb the framing. And each step
that moves received data from one place to the next is a single call into C: a signal handler that raises (Ctrl-C) runs only
between byte codes, after a call or a backward jump, so nothing received gets lost in between.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Final

import hiredis

from ..exceptions import ProtocolError
from .command import Reply
from .headers import (
    BULKS,
    HEADER_TYPES,
    LONGEST_HEADER,
    MAX_ELEMENTS,
    SHORT_HEADER,
    candidates,
    check_header,
    follow_strings,
    is_ordinary,
    last_header,
    needs_care,
)

MAX_REPLY_BYTES: Final = 1024 * 1024 * 1024  # received without completing a reply
MAX_LINE_BYTES: Final = 64 * 1024  # of a simple string, an error or a header

NEED_DATA: Final = object()  # None and False are replies, so "not yet" needs a value of its own
_SPECIALS: Final = b"|!"
_LINE_FEED: Final = 10
_TINY_PIECE_BYTES: Final = 128  # up to here all headers are followed
SMALL_PIECE_BYTES: Final = 256
# What hiredis keeps of its memory when that is empty: by itself, and between large strings.
_USUALLY_KEPT_BYTES: Final = 16 * 1024
_KEPT_BYTES: Final = 1024 * 1024
_FREED_BYTES: Final = 4 * 1024 * 1024  # see ``_keep_freed_memory``
_FOLLOWED_PIECE_BYTES: Final = 16 * 1024  # from here on strings may fill most of a piece, and be worth to be followed


class ErrorLine(Exception):
    """
    An error reply as the server sent it; ``errors.from_line`` tells what it means.

    It has no Python code of its own, so that making one cannot be interrupted.
    """


class Parser:
    """
    Incremental: feed pieces as they arrive, take replies as they complete.

    Interrupted in the middle, either can be called again, ``feed`` with the same list, and goes on where it was.

    Attributes:
        empty: what was fed has all become replies: the next byte begins one
        missing: the next so many bytes, as far as is known, are the rest of a string and its end
    """

    __slots__ = (
        "_aligned",
        "_buffered",
        "_failure",
        "_keeping",
        "_line",
        "_line_ended",
        "_line_length",
        "_offset",
        "_reader",
        "_ready",
        "_special",
        "_type_alone",
        "empty",
        "missing",
    )

    def __init__(self) -> None:
        self._reader = new_reader()
        self._ready: list[Reply] = []  # parsed ahead of ``take``, on the careful path only
        self._special: _Special | None = None  # an attribute or a blob error that is still arriving
        self._offset = 0  # how much of the first piece is fed, while ``feed`` is at it
        self._aligned = True  # the next byte begins an item, perhaps inside of a reply
        self._line_ended = True  # the last byte fed was the end of a line
        self._type_alone = False  # the last byte fed was the first of a line
        self._line = b""  # how an item's first line begins that has no end yet
        self._line_length = 0  # bytes of that line so far
        self._failure: ProtocolError | None = None  # what is wrong with what was fed last
        self._buffered = 0  # bytes fed since a reply was last completed
        self._keeping = False  # hiredis does not give memory back
        self.empty = True
        self.missing = 0

    def feed(self, pieces: list[bytes]) -> None:
        """
        Take the received pieces out of the list, one after the other, oldest first. None may be empty.

        When they cannot be part of a valid reply, ``take`` says so after the replies that came before.
        """
        if self._failure is not None:
            return
        if self.empty and len(pieces) == 1 and len(pieces[0]) < SMALL_PIECE_BYTES:
            piece = pieces[0]
            if is_ordinary(piece) and self._buffered <= MAX_REPLY_BYTES:
                size = len(piece)
                # No call between these statements, so nothing can interrupt here.
                self.empty = self._aligned = False
                self._line_ended = True
                self._buffered += size
                del pieces[0]
                self._reader.feed(piece, 0, size)
                return
        self.empty = False
        if self._keeping:
            self._keep_memory(False)
        try:
            if self._special is not None:
                self._complete_special(self._special)  # in case an interruption came before
            while pieces:
                piece = pieces[0]
                size = len(piece)
                if (
                    (self.missing or (self._aligned and size >= _FOLLOWED_PIECE_BYTES))
                    and self._special is None
                    and not self._offset
                    and (end := follow_strings(piece, self.missing, size, []))
                ):
                    self._advance(pieces, size, end - size)
                elif self._special is not None or needs_care(piece, self._line_ended):
                    self._feed_carefully(pieces, candidates(piece, self._offset, self._line_ended))
                elif header := last_header(piece):  # as after every few pieces of a large reply
                    self._feed_carefully(pieces, (header,))
                else:
                    if self._aligned and size < _TINY_PIECE_BYTES and not self._offset:
                        self._check_strings(pieces)
                    self._advance(pieces, size)
            if self._buffered > MAX_REPLY_BYTES:
                raise ProtocolError("invalid reply: larger than 1 GiB", may_have_run=True)
        except ProtocolError as error:
            self._failure = error.with_traceback(None)
            self.missing = 0

    def follow(self, parts: list[memoryview]) -> bool | None:
        """
        Take the received parts out of the list if they are known to be large strings for the greater part. They are neither
        copied nor searched; their memory may be used again.

        Returns:
            whether there may be something to ``take``; None: something else may be in the first one, and it is not taken, so
            feed a copy of it
        """
        part = parts[0]
        size = len(part)
        if self._buffered + size > MAX_REPLY_BYTES:
            return None
        end = self.missing
        if end <= size:
            if not (end or self._aligned) or self._special is not None or self._failure is not None:
                return None
            cuts: list[int] = []
            end = follow_strings(part, end, size, cuts)
            if not end:
                return None
            if cuts:
                # Each string goes by itself: what hiredis has no use for yet, it moves when it has read what comes before, and
                # its memory grows by copying.
                parts[:1] = [part[start:stop] for start, stop in zip([0, *cuts], [*cuts, size], strict=True)]
                self._keep_memory(True)
                try:
                    for _ in cuts:
                        self._feed_part(parts, 0)
                        self._ready += iter(self._reader.gets, NEED_DATA)
                except Exception as error:
                    self._failure = _invalid(error)
                    return True
        self._feed_part(parts, end - size)
        if end == size:
            self._keep_memory(False)
            return True
        return bool(self._ready)

    def _feed_part(self, parts: list[memoryview], missing: int) -> None:
        """
        Feed the first part, and take it out of the list. It ends with an item, or so many bytes of a string are missing.
        """
        part = parts[0]
        size = len(part)
        # No call between these statements, so nothing can interrupt here.
        self.missing = missing
        self._line = b""
        self._line_length = 0
        self._type_alone = self.empty = self._aligned = False  # the latter two are known again after the next ``take``
        self._line_ended = not missing
        self._buffered += size
        del parts[0]
        self._reader.feed(part)  # type: ignore[arg-type]  # it takes any memory

    def _keep_memory(self, keep: bool) -> None:
        """
        Tell hiredis whether to keep its memory when that is empty: between large strings it has use for it at once.
        """
        if keep is not self._keeping:
            if keep:
                _keep_freed_memory()
            self._reader.setmaxbuf(_KEPT_BYTES if keep else _USUALLY_KEPT_BYTES)
            self._keeping = keep

    def take(self, into: list[Reply], most: int) -> None:
        """
        Append complete replies to a list, as many as there are and at most so many.

        Raises:
            ProtocolError: there are fewer, and what follows them is no valid reply
        """
        if self._ready:
            count = min(most, len(self._ready))
            # No call between these statements, so nothing can interrupt here.
            into += self._ready[:count]
            del self._ready[:count]
            most -= count
            self._buffered = 0
        before = len(into)
        self._parse(into, most)
        if not self._line_ended:
            self._check_end(into, before)
        taken = len(into) - before
        large = self._buffered > _KEPT_BYTES
        if taken:
            self._buffered = 0
        if self._failure is not None and taken < most:
            raise self._failure
        self._aligned = self._special is None and self._between_items()
        # After the last reply hiredis was not asked again, so it cannot have begun the next one.
        self.empty = 0 < most == taken and self._aligned and not self._ready and self._failure is None
        if self.empty and large:
            # hiredis gives memory back when it is fed again, and a connection may be idle for a long time.
            self._reader = new_reader()
            self._keeping = False

    def exhausted(self) -> bool:
        """
        Tell whether certainly nothing can be taken, and nothing is wrong with what was fed.
        """
        return self._aligned and self._failure is None and not self._ready and not self._reader.has_data()

    def _parse(self, into: list[Reply], most: int) -> None:
        try:
            into.extend(islice(iter(self._reader.gets, NEED_DATA), most))
        except Exception as error:
            raise _invalid(error) from None

    def _between_items(self) -> bool:
        """
        Tell, all being parsed, whether the next byte begins an item. (hiredis consumes a type byte at once, alone as well.)
        """
        return self._line_ended and not self._reader.has_data()

    def _check_strings(self, pieces: list[bytes]) -> None:
        """
        Follow the headers of a first piece that begins with one, and refuse a string that something else follows.

        Raises:
            ProtocolError: there is one; what comes before it is fed
        """
        piece = pieces[0]
        at = 0
        while (end := piece.find(b"\r\n", at)) >= 0:
            start = at
            at = end + 2
            if piece[start] in BULKS and piece[start + 1 : end].isdigit():
                at += int(piece[start + 1 : end])
                after = piece[at : at + 2]
                if not b"\r\n".startswith(after):
                    if start:
                        self._advance(pieces, start)
                    raise ProtocolError("invalid reply: a string without its end", may_have_run=True)
                at += 2

    def _check_end(self, taken: list[Reply], before: int) -> None:
        """
        Find out, all being parsed and the last byte being no line feed, whether that should have been one.

        What hiredis consumes ends with a line, or it is a type byte. If not, a string was followed by something else.

        Args:
            taken: from a position on, the replies that came out of what was fed; one with such a string is removed
        """
        if self._type_alone or self._failure is not None or self._reader.has_data():
            return
        self._failure = ProtocolError("invalid reply: a string without its end", may_have_run=True)
        # Nothing is parsed after this, so that reader may be asked in this way: between two replies a number is the next one.
        asked, self._reader = self._reader, new_reader()
        asked.feed(b":0\r\n")
        with suppress(Exception):  # an item that was not asked for yet was garbage
            if asked.gets() == 0 and len(taken) > before:
                del taken[-1]

    def _advance(self, pieces: list[bytes], end: int, missing: int = 0) -> None:
        """
        Feed the first piece from where it stands up to a position, and take it out of the list at its end.

        Args:
            missing: so many bytes after that are known to be the rest of a string
        """
        piece = pieces[0]
        size = len(piece)
        start = self._offset
        length = end - start
        if self._aligned or self._line:
            line, line_length = self._follow_line(piece, start, end)
        else:
            line, line_length = b"", 0
        alone = self._line_ended if length == 1 else piece[end - 2] == _LINE_FEED
        # No call between these statements, so nothing can interrupt here.
        self.missing = missing
        self._line = line
        self._line_length = line_length
        self._type_alone = alone
        self._line_ended = piece[end - 1] == _LINE_FEED
        self._buffered += length
        self._aligned = False  # known again after the next ``take``
        if end < size:
            self._offset = end
        else:
            self._offset = 0
            del pieces[0]
        self._reader.feed(piece, start, length)

    # ------------------------------------------------------------------------------------------------------- limits

    def _follow_line(self, piece: bytes, start: int, stop: int) -> tuple[bytes, int]:
        """
        Refuse an absurd header or an endless line where an item begins.

        Returns:
            how the line begins and its length so far, if its end is not there
        """
        line, length = (b"", 0) if self._aligned else (self._line, self._line_length)
        end = piece.find(b"\n", start, min(stop, start + MAX_LINE_BYTES))
        if end < 0:
            line = (line + piece[start : min(stop, start + LONGEST_HEADER)])[:LONGEST_HEADER]
            length += stop - start
            if length > (LONGEST_HEADER if line[0] in HEADER_TYPES else MAX_LINE_BYTES):
                raise ProtocolError("invalid reply: a line without an end", may_have_run=True)
            return line, length
        if length + end - start >= SHORT_HEADER:
            check_header(line + piece[start : end + 1])
        return b"", 0

    # -------------------------------------------------------------------------------- what hiredis cannot do itself

    def _feed_carefully(self, pieces: list[bytes], positions: Iterable[int]) -> None:
        """
        Feed the first piece, in which something special may begin at one of these positions.

        These are certain type bytes at the beginning of a line. Whether one is a type byte or payload shows once
        everything before it is fed and parsed: hiredis leaves a string unconsumed until all of it is there, so data left over
        means payload. Replies completed on the way are kept for ``take``.
        """
        count = len(pieces)
        piece = pieces[0]
        if self._special is not None:
            self._feed_special(pieces, self._special)
            if len(pieces) < count:
                return
        for position in positions:
            if position < self._offset:
                continue  # it was inside of something special
            if position > self._offset:
                self._advance(pieces, position)
            self._parse(self._ready, MAX_ELEMENTS)
            if not self._line_ended:
                self._check_end(self._ready, 0)
            self._aligned = self._between_items()
            if self._aligned and piece[position] in _SPECIALS:
                self._special = _Special(piece[position])
                self._feed_special(pieces, self._special)
                if len(pieces) < count:
                    return
        self._advance(pieces, len(piece))

    def _feed_special(self, pieces: list[bytes], special: _Special) -> None:
        """
        Feed lines of the first piece to an attribute or a blob error until that is complete or the piece ends.
        """
        piece = pieces[0]
        size = len(piece)
        end = 0
        while self._special is not None and end < size:
            start = self._offset
            end = piece.find(b"\n", start) + 1 or size
            line = special.in_disguise(piece[start:end])
            # No call between these statements, so nothing can interrupt here.
            special.begun = True
            special.pieces = [line]
            if end < size:
                self._offset = end
            else:
                self._offset = 0
                del pieces[0]
            self._complete_special(special)

    def _complete_special(self, special: _Special) -> None:
        """
        Put in the place of an attribute or a blob error what stands for it, once all of it is there.
        """
        replacement = special.replacement()
        if replacement is not None:
            # No call between these statements, so nothing can interrupt here.
            self._aligned = self._line_ended = True
            self._special = None
            self._reader.feed(replacement)


class _Special:
    """
    An attribute or a blob error in the making.

    It is parsed beside the stream, line by line (it ends with a line, so its end shows exactly), as the map or string that it
    resembles.
    """

    __slots__ = ("_parser", "_type", "_values", "begun", "pieces")

    def __init__(self, type_byte: int) -> None:
        self._type = type_byte
        self._parser = Parser()
        self._values: list[Reply] = []
        self.pieces: list[bytes] = []  # taken out of the stream, not parsed yet
        self.begun = False  # the first of its bytes was taken

    def in_disguise(self, line: bytes) -> bytes:
        """
        Give a line of it as a line of the map or string that it resembles.
        """
        if self.begun:
            return line
        return (b"%" if self._type == ord("|") else b"$") + line[1:]

    def replacement(self) -> bytes | None:
        """
        Tell what the stream should have held instead; None: it is not complete yet.
        """
        self._parser.feed(self.pieces)
        if not self._values:
            self._parser.take(self._values, 1)
        if not self._values:
            return None
        if self._type == ord("|"):
            return b""
        text: bytes = self._values[0] if isinstance(self._values[0], bytes) else b"ERR"
        return b"-" + text.replace(b"\r", b" ").replace(b"\n", b" ") + b"\r\n"


def _invalid(error: Exception) -> ProtocolError:
    """
    Translate what hiredis raises: for garbage its ``ProtocolError``, for an unhashable map key ``TypeError``, for an absurd
    array ``MemoryError``.
    """
    return ProtocolError(f"invalid reply ({type(error).__name__})", may_have_run=True)


def new_reader() -> hiredis.Reader:
    return hiredis.Reader(
        notEnoughData=NEED_DATA, replyError=ErrorLine, protocolError=hiredis.ProtocolError, errors="backslashreplace"
    )


@functools.cache
def _keep_freed_memory() -> None:
    """
    Let the memory of large values be used again.

    The C library of Linux gives memory back to the system when 128 KiB of it are free at the end of its heap, so after each
    reply with large values; then every page that the next one needs costs a page fault, and these take as long as all the
    rest. It raises that limit by itself to twice the size of a block that it had mapped when that is freed: so do values of
    more than 128 KiB, but not those of a little less. This block is never touched, so it takes no memory itself.
    """
    bytes(_FREED_BYTES)
