"""
The parser turns any bytes, however they are cut, into replies or a ``ProtocolError``, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from hiredis import PushNotification, Reader
from hypothesis import given, settings
from hypothesis import strategies as st

from coredis._core import headers, parser
from coredis._core.parser import ErrorLine, Parser
from coredis.exceptions import ProtocolError
from tests.support.strikes import strike


def parse(*pieces: bytes, most: int = 1_000_000) -> list[object]:
    """
    Feed pieces one by one, taking replies after each.
    """
    reading = Parser()
    replies: list[object] = []
    for piece in pieces:
        reading.feed([piece])
        reading.take(replies, most)
    return replies


def plain(value: object) -> object:
    """
    Make a reply comparable: error lines become their text, with a mark.
    """
    if isinstance(value, ErrorLine):
        return ("error", str(value))
    if isinstance(value, PushNotification):
        return ("push", [plain(item) for item in value])
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def outcome(*pieces: bytes) -> object:
    """
    Give what pieces are parsed to, in a comparable form.
    """
    try:
        return plain(parse(*pieces))
    except ProtocolError as error:
        return type(error)


GOOD = {
    "simple string": (b"+OK\r\n", [b"OK"]),
    "simple string that begins like an attribute": (b"+|1\r\n", [b"|1"]),
    "simple string that begins like a blob error": (b"+!1\r\n", [b"!1"]),
    "integers": (b":0\r\n:-7\r\n", [0, -7]),
    "string": (b"$5\r\nab\r\nc\r\n", [b"ab\r\nc"]),
    "empty string": (b"$0\r\n\r\n", [b""]),
    "nil string": (b"$-1\r\n", [None]),
    "nil array": (b"*-1\r\n", [None]),
    "nil": (b"_\r\n", [None]),
    "booleans": (b"#t\r\n#f\r\n", [True, False]),
    "double": (b",1.5\r\n", [1.5]),
    "array": (b"*2\r\n$1\r\na\r\n*0\r\n", [[b"a", []]]),
    "map": (b"%1\r\n+k\r\n:1\r\n", [{b"k": 1}]),
    "set": (b"~2\r\n:1\r\n:2\r\n", [[1, 2]]),
    "push": (b">2\r\n+invalidate\r\n*0\r\n", [("push", [b"invalidate", []])]),
    "push between replies": (b":1\r\n>1\r\n+p\r\n:2\r\n", [1, ("push", [b"p"]), 2]),
    "verbatim string": (b"=7\r\ntxt:abc\r\n", [b"abc"]),
    "error": (b"-ERR no\r\n", [("error", "ERR no")]),
    "error with bytes that are no text": (b"-ERR \xff\r\n", [("error", "ERR \ufffd")]),
    "nested errors": (b"*2\r\n-ERR a\r\n*1\r\n-MOVED 1 h:1\r\n", [[("error", "ERR a"), [("error", "MOVED 1 h:1")]]]),
    "blob error": (b"!7\r\nERR bad\r\n", [("error", "ERR bad")]),
    "blob error of two lines": (b"!8\r\nERR a\r\nb\r\n:1\r\n", [("error", "ERR a  b"), 1]),
    "blob error inside": (b"*2\r\n:1\r\n!5\r\nERR x\r\n:3\r\n", [[1, ("error", "ERR x")], 3]),
    "blob error without text": (b"!-1\r\n", [("error", "ERR")]),
    "attribute": (b"|1\r\n+ttl\r\n:3600\r\n+OK\r\n", [b"OK"]),
    "attribute between replies": (b":1\r\n|1\r\n+a\r\n*1\r\n$1\r\nx\r\n:2\r\n:3\r\n", [1, 2, 3]),
    "attribute inside": (b"*2\r\n:1\r\n|1\r\n+a\r\n:9\r\n:2\r\n:3\r\n", [[1, 2], 3]),
    "attribute inside of an attribute": (b"|1\r\n+a\r\n|1\r\n+b\r\n:1\r\n:2\r\n:3\r\n", [3]),
    "attribute of an error": (b"|1\r\n+a\r\n:1\r\n-ERR x\r\n", [("error", "ERR x")]),
    "attribute of a push": (b"|1\r\n+a\r\n:1\r\n>1\r\n+p\r\n:1\r\n", [("push", [b"p"]), 1]),
    "empty attribute": (b"|0\r\n:1\r\n", [1]),
    "two attributes": (b"|0\r\n|1\r\n+a\r\n_\r\n:1\r\n", [1]),
    "payload like an attribute": (b"$13\r\n\n|1\r\n+a\r\n:2\r\n\r\n:1\r\n", [b"\n|1\r\n+a\r\n:2\r\n", 1]),
    "payload like a blob error": (b"$9\r\n\r\n!3\r\nabc\r\n:1\r\n", [b"\r\n!3\r\nabc", 1]),
    "payload like a header": (b"*2\r\n$20\r\n\r\n$999999999999999\r\n\r\n:1\r\n", [[b"\r\n$999999999999999\r\n", 1]]),
    "markdown": (b"$15\r\na\n|b|c|\n|-|-|\n!\r\n:1\r\n", [b"a\n|b|c|\n|-|-|\n!", 1]),
}

BAD = {
    "string longer than any": b"$9223372036854775807\r\n",
    "string of a terabyte": b"$1000000000000\r\n",
    "string beyond 64 bits": b"$9223372036854775808\r\n",
    "string of more digits than a number has": b"$" + b"9" * 28 + b"\r\n",
    "string of endless digits": b"$" + b"9" * 40,
    "string of letters": b"$abc\r\n",
    "string of less than nothing": b"$-2\r\n",
    "string with an underscore": b"$1_0\r\n",
    "string with a sign": b"$ +3\r\n",
    "array of less than nothing": b"*-2\r\n",
    "array beyond memory": b"*4294967295\r\n",
    "array within memory, hardly": b"*100000000\r\n",
    "map": b"%100000000\r\n",
    "set": b"~100000000\r\n",
    "push": b">100000000\r\n",
    "attribute": b"|100000000\r\n",
    "blob error": b"!1000000000000\r\n",
    "verbatim string": b"=1000000000000\r\n",
    "inside an array": b"*2\r\n:1\r\n$1000000000000\r\n",
    "after other replies": b":1\r\n:2\r\n*100000000\r\n",
    "inside an attribute": b"|1\r\n+a\r\n$1000000000000\r\n",
    "too deep": b"*1\r\n" * 2000 + b":1\r\n",
    "unknown type": b"@x\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n",
    "an array for a key": b"%1\r\n*1\r\n:1\r\n:2\r\n",
    "an array for a key of an attribute": b"|1\r\n*1\r\n:1\r\n:2\r\n:3\r\n",
    "an empty line": b"\r\n",
    "an integer of 5000 digits": b":" + b"1" * 5000 + b"\r\n",
    "a boolean that is none": b"#x\r\n",
    "a double that is none": b",1.2.3\r\n",
    "a string that goes on after its end": b"$3\r\nabcXY",
    "a string followed by a type": b"$3\r\nabcX+",
    "an empty string that goes on": b"$0\r\n\r*",
    "a string of an array that goes on": b"*2\r\n:1\r\n$3\r\nabcXY",
    "a string that goes on, the array as well": b"*2\r\n$3\r\nabcXY",
    "a verbatim string that goes on": b"=7\r\ntxt:abcXY",
    "a string that goes on inside an attribute": b"|1\r\n+a\r\n$3\r\nabcXY",
    "an endless line": b"+" + b"x" * (parser.MAX_LINE_BYTES + 1),
    "an endless error": b"-" + b"x" * (parser.MAX_LINE_BYTES + 1),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_type_is_read(name: str) -> None:
    """
    One piece holds all the bytes.
    """
    wire, expected = GOOD[name]

    assert expected == plain(parse(wire))


@pytest.mark.parametrize("name", GOOD)
def test_cut_at_any_byte_the_replies_are_the_same(name: str) -> None:
    """
    Two pieces, three, or one for each byte make no difference.
    """
    wire, expected = GOOD[name]

    assert expected == plain(parse(*(wire[at : at + 1] for at in range(len(wire)))))
    for cut in range(1, len(wire)):
        assert expected == plain(parse(wire[:cut], wire[cut:])), cut
        assert expected == plain(parse(wire[:cut], wire[cut : cut + 1], *filter(None, [wire[cut + 1 :]]))), cut


def test_all_together_cut_at_any_byte() -> None:
    """
    What one reply leaves behind does not disturb the next one.
    """
    wire = b"".join(wire for wire, _ in GOOD.values())
    expected = [reply for _, replies in GOOD.values() for reply in replies]

    for cut in range(1, len(wire)):
        assert expected == plain(parse(wire[:cut], wire[cut:])), cut


@settings(max_examples=200, deadline=None)
@given(
    order=st.lists(st.sampled_from(sorted(GOOD)), min_size=1, max_size=8),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    together=st.integers(1, 4),
    most=st.integers(1, 3),
)
def test_replies_in_any_order_cut_anywhere(order: list[str], sizes: list[int], together: int, most: int) -> None:
    """
    The same holds for any sequence of replies, several pieces at a time, and replies taken little by little.
    """
    wire = b"".join(GOOD[name][0] for name in order)
    pieces = []
    while wire:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(wire[:size])
        wire = wire[size:]
    reading = Parser()
    replies: list[object] = []

    while pieces:
        batch, pieces = pieces[:together], pieces[together:]
        reading.feed(batch)
        assert [] == batch
        reading.take(replies, most)
    for _ in range(100):
        reading.take(replies, most)

    assert [reply for name in order for reply in GOOD[name][1]] == plain(replies)


@pytest.mark.parametrize("name", BAD)
def test_garbage_is_a_protocol_error(name: str) -> None:
    """
    Absurd sizes are noticed when their header is there, not when memory or patience ends.
    """
    with pytest.raises(ProtocolError, match="invalid reply") as caught:
        parse(BAD[name])

    assert caught.value.may_have_run
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("name", [name for name, wire in BAD.items() if len(wire) < 100])
def test_garbage_cut_at_any_byte_is_a_protocol_error(name: str) -> None:
    """
    A header that arrives in parts is seen through as well.
    """
    wire = BAD[name]

    assert outcome(*(wire[at : at + 1] for at in range(len(wire)))) is ProtocolError
    for cut in range(1, len(wire)):
        assert outcome(wire[:cut], wire[cut:]) is ProtocolError, cut
        assert outcome(b":1\r\n" + wire[:cut], wire[cut:]) is ProtocolError, cut


LARGE = [b"*67108865", b"*4294967295", b"%99999999", b"~100000000", b">100000000", b"|100000000"]
LARGE_STRINGS = [b"$536870913", b"$9223372036854775807", b"=1000000000000", b"!1000000000000"]


@pytest.mark.parametrize("header", LARGE + LARGE_STRINGS)
@pytest.mark.parametrize("before", [b":1\r\n", b"*2\r\n$3\r\nabc\r\n", b"$5\r\n\r\n*1\r\r\n", b"*1\r\n" * 5], ids=repr)
def test_an_absurd_header_in_the_middle_of_a_piece(before: bytes, header: bytes) -> None:
    """
    It is noticed at once, whatever comes after it in the same piece or in others.
    """
    wire = before + header + b"\r\n:2\r\n$3\r\nabc\r\n"

    for cut in range(1, len(wire)):
        assert outcome(wire[:cut], wire[cut:]) is ProtocolError, cut
    reading = Parser()
    reading.feed([wire[:3], wire[3:], b":1\r\n"])
    with pytest.raises(ProtocolError, match="invalid reply"):
        reading.take([], 10)


@pytest.mark.parametrize("header", LARGE)
def test_an_absurd_header_deep_in_a_piece(header: bytes) -> None:
    """
    An aggregate is noticed wherever it is: hiredis would make a list of that size, and freeing it takes seconds.
    """
    with pytest.raises(ProtocolError):
        parse(b"$5\r\nhello\r\n" * 5000 + header + b"\r\n" + b":1\r\n" * 1000)


@pytest.mark.parametrize("header", LARGE + LARGE_STRINGS)
def test_payload_like_an_absurd_header(header: bytes) -> None:
    """
    Between other payload, a value may say anything.
    """
    value = (b"\r\n" + header + b"\r\n") * 3
    wire = b"*2\r\n$%d\r\n%b\r\n:1\r\n:2\r\n" % (len(value), value)

    for cut in range(1, len(wire)):
        assert [[value, 1], 2] == parse(wire[:cut], wire[cut:]), cut


def test_replies_before_garbage_are_read() -> None:
    """
    Damage ends the connection for those who come after it; what came before is in order.
    """
    for garbage in (b"?\r\n", b"*100000000\r\n:1\r\n", b"|1\r\n*1\r\n:1\r\n:2\r\n", b"!x\r\n"):
        reading = Parser()
        replies: list[object] = []
        reading.feed([b":1\r\n|1\r\n+a\r\n:0\r\n:2\r\n" + garbage])

        reading.take(replies, 1)
        reading.take(replies, 1)
        assert [1, 2] == replies
        for _ in range(2):
            with pytest.raises(ProtocolError, match="invalid reply"):
                reading.take(replies, 1)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b":1\r\n$3\r\nabcXY", [1]),
        (b":1\r\n:2\r\n*2\r\n$3\r\nabcXY", [1, 2]),
        (b":1\r\n:2\r\n*2\r\n:3\r\n$3\r\nabcXY", [1, 2]),
        (b"|1\r\n+a\r\n:0\r\n:1\r\n$3\r\nabcXY", [1]),
        (b"$2\r\n\r\n\r\n$3\r\nabcXY+OK\r\n", [b"\r\n"]),
        (b":1\r\n$3\r\nabcXY+OK\r\n:2\r\n", [1]),
        (b":1\r\n*2\r\n$3\r\nabcXY+OK\r\n:2\r\n", [1]),
        (b"$3\r\nabcXY+OK\r\n", []),
        (b"*3\r\n:1\r\n$3\r\nabcXY$1\r\na\r\n", []),
        (b"$3\r\nabcX\n:1\r\n", []),
    ],
    ids=repr,
)
def test_replies_before_a_string_that_goes_on(wire: bytes, expected: list[object]) -> None:
    """
    The one that holds the string is not handed out, those before it are.
    """
    reading = Parser()
    replies: list[object] = []

    reading.feed([wire])
    with pytest.raises(ProtocolError, match="a string without its end"):
        reading.take(replies, 10)

    assert expected == replies
    with pytest.raises(ProtocolError, match="a string without its end"):
        reading.take(replies, 10)
    assert expected == replies


@pytest.mark.parametrize("kind", [b"+", b"-"])
def test_an_endless_line_in_small_pieces(kind: bytes) -> None:
    """
    The limit counts all pieces of the line.
    """
    reading = Parser()
    reading.feed([kind])
    reading.take([], 1)

    with pytest.raises(ProtocolError, match="a line without an end"):
        for _ in range(parser.MAX_LINE_BYTES // 1024 + 1):
            reading.feed([b"x" * 1024])
            reading.take([], 1)


def test_a_long_line_within_the_limit_is_read() -> None:
    """
    Whether in one piece or in many.
    """
    line = b"x" * 60_000

    assert [line, 1] == parse(b"+" + line + b"\r\n:1\r\n")
    assert [line, 1] == parse(b"+", *[line[at : at + 1000] for at in range(0, len(line), 1000)], b"\r\n:1\r\n")


def test_a_value_at_the_limit_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The limit itself is allowed, one byte more is not.
    """
    monkeypatch.setattr(headers, "MAX_BULK_BYTES", 1_234_567_890)

    assert [] == parse(b"$1234567890\r\n")
    with pytest.raises(ProtocolError, match="1234567890"):
        parse(b"$1234567891\r\n")


def test_a_reply_may_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Many small items that never complete a reply end at a limit.
    """
    monkeypatch.setattr(parser, "MAX_REPLY_BYTES", 1000)
    reading = Parser()
    reading.feed([b"*60000000\r\n"])

    with pytest.raises(ProtocolError, match="larger than"):
        for _ in range(300):
            reading.feed([b":1\r\n"])
            reading.take([], 1)


def test_complete_replies_do_not_count_against_that_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was received before the last reply is forgotten.
    """
    monkeypatch.setattr(parser, "MAX_REPLY_BYTES", 1000)

    assert [b"x" * 100] * 50 == parse(*[b"$100\r\n" + b"x" * 100 + b"\r\n"] * 50)


@pytest.mark.parametrize("error", [MemoryError, TypeError, RecursionError, OverflowError, SystemError, UnicodeError])
def test_any_exception_is_a_protocol_error(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever the C parser stumbles over, what follows cannot be trusted; its words are not repeated.
    """

    class Stumbling:
        def feed(self, data: bytes, offset: int, length: int) -> None: ...

        def has_data(self) -> bool:
            return False

        def gets(self) -> object:
            raise error("canary")

    monkeypatch.setattr(parser, "new_reader", Stumbling)

    with pytest.raises(ProtocolError, match=rf"\({error.__name__}\)$") as caught:
        parse(b":1\r\n")

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "wire",
    [
        b"@canary\r\n",
        b"canary\r\n",
        b"$canary\r\n",
        b":canary\r\n",
        b"+" + b"canary" * 20_000,
        b"%1\r\n*1\r\n+canary\r\n+canary\r\n",
        b"|1\r\n*1\r\n+canary\r\n+canary\r\n",
        b"*2\r\n+canary\r\n$99999999999999\r\n",
    ],
)
def test_no_message_shows_payload(wire: bytes) -> None:
    """
    Payload may be a secret, and an error message goes into logs.
    """
    with pytest.raises(ProtocolError) as caught:
        parse(wire)

    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class CountingReader:
    """
    A hiredis reader that notes what is fed to it.
    """

    fed: ClassVar[list[int]] = []

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.gets = reader.gets
        self.has_data = reader.has_data

    def feed(self, data: bytes, offset: int = 0, length: int = -1) -> None:
        """
        Note the number of bytes and pass them on.
        """
        self.fed.append(length if length >= 0 else len(data) - offset)
        self.reader.feed(data, offset, length)


def in_pieces(wire: bytes, size: int) -> list[bytes]:
    """
    Cut as a socket would.
    """
    return [wire[at : at + size] for at in range(0, len(wire), size)]


MEBIBYTE = 1024 * 1024
TEXTS = {
    "table": b"| a | b |\n",
    "table of numbers": b"|1|2|\r\n",
    "bars": b"\n|",
    "exclamation marks": b"\n!",
    "numbers without an end": b"\n|1\n",
    "too many digits": b"\n!" + b"1" * 21 + b"\r\n",
}
HOSTILE = {
    "attribute": b"\r\n|1\r\n",
    "attributes without a gap": b"|0\r\n",
    "blob error": b"!5\r\n\r\n",
    "nil blob error": b"\r\n!-1\r\n",
    "header": b"\r\n$999999999999\r\n|1\r\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_not_examined_line_by_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Lines that begin like something special but are no headers go the usual way, whatever their number.
    """
    value = TEXTS[name] * (MEBIBYTE // len(TEXTS[name])) + b"."
    wire = b"$%d\r\n%b\r\n:1\r\n" % (len(value), value)
    careful: list[int] = []
    examine = headers.candidates

    def count(piece: bytes, start: int, begins_line: bool) -> Iterator[int]:
        for position in examine(piece, start, begins_line):
            careful.append(position)
            yield position

    monkeypatch.setattr(parser, "candidates", count)

    assert [value, 1] == parse(wire)
    assert [] == careful
    pieces = in_pieces(wire, 65_536)
    assert [value, 1] == parse(*pieces)
    assert len(careful) <= len(pieces)  # a piece may end where a header could begin


@pytest.mark.parametrize("size", [2 * MEBIBYTE, 65_536, 65_537], ids=["whole", "even", "odd"])
@pytest.mark.parametrize("name", HOSTILE)
def test_payload_full_of_headers_costs_each_byte_once(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The candidates of a piece are looked for once, and no byte is fed again; what follows the value is still seen.
    """
    value = HOSTILE[name] * (MEBIBYTE // len(HOSTILE[name]))
    wire = b"$%d\r\n%b\r\n|1\r\n+a\r\n:7\r\n:1\r\n!5\r\nERR x\r\n" % (len(value), value)
    pieces = in_pieces(wire, size)
    searched: list[int] = []
    examine = headers.candidates
    make = parser.new_reader

    def count(piece: bytes, start: int, begins_line: bool) -> Iterator[int]:
        searched.append(len(piece) - start)
        return examine(piece, start, begins_line)

    monkeypatch.setattr(parser, "candidates", count)
    monkeypatch.setattr(parser, "new_reader", lambda: CountingReader(make()))
    monkeypatch.setattr(CountingReader, "fed", [])

    assert [value, 1, ("error", "ERR x")] == plain(parse(*pieces))
    assert sum(searched) <= len(wire) + 1000  # the few more are of the attribute and the blob error themselves
    assert sum(CountingReader.fed) <= len(wire) + 1000


@pytest.mark.parametrize("kind", [b"|1\r\n+a\r\n$%d\r\n%b\r\n:1\r\n", b"!%d\r\n%b\r\n:1\r\n"])
def test_special_replies_full_of_lines_cost_each_byte_once(kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The same holds for lines inside of an attribute or a blob error.
    """
    value = b"ERR" + b"\r\n|1\r\n" * 10_000
    wire = kind % (len(value), value)
    searched: list[int] = []
    examine = headers.candidates

    def count(piece: bytes, start: int, begins_line: bool) -> Iterator[int]:
        searched.append(len(piece) - start)
        return examine(piece, start, begins_line)

    monkeypatch.setattr(parser, "candidates", count)

    for pieces in ([wire], in_pieces(wire, 1021)):
        searched.clear()
        assert 1 == parse(*pieces)[-1]
        assert sum(searched) <= 2 * len(wire)


@pytest.mark.parametrize(
    "special", [b"|1\n", b"|x\r\n", b"|\r\n", b"|" + b"1" * 21 + b"\r\n", b"!x\r\n", b"!+1\r\n", b"! 1\r\n"]
)
def test_special_replies_without_a_valid_header_are_garbage(special: bytes) -> None:
    """
    What does not look like a header goes to hiredis, which refuses it.
    """
    wire = b":1\r\n" + special + b"+a\r\n:1\r\n:2\r\n"

    for cut in range(1, len(wire)):
        assert outcome(wire[:cut], wire[cut:]) is ProtocolError, cut


def test_values_stay_bytes() -> None:
    """
    Bytes that are no text come through, and so does what follows them.
    """
    assert [b"\xff\xfe", [b"\xed\xa0\x80"], 1] == parse(b"$2\r\n\xff\xfe\r\n*1\r\n$3\r\n\xed\xa0\x80\r\n:1\r\n")


def test_no_more_is_taken_than_asked_for() -> None:
    """
    The rest stays for the next time, in order, on the careful path as well.
    """
    reading = Parser()
    first: list[object] = []
    rest: list[object] = []
    reading.feed([b":1\r\n:2\r\n|0\r\n:3\r\n:4\r\n"])

    reading.take(first, 1)
    reading.take(rest, 2)
    reading.take(rest, 2)

    assert ([1], [2, 3, 4]) == (first, rest)


@pytest.mark.parametrize(
    "wire",
    [
        b":1\r\n+two\r\n$3\r\nabc\r\n",
        b"|1\r\n+k\r\n*2\r\n:1\r\n$3\r\n\n|a\r\n:1\r\n!7\r\nERR\n|!x\r\n$4\r\na\n|b\r\n*1\r\n|1\r\n+z\r\n:4\r\n:2\r\n",
        b"*1\r\n$12345678\r\n",
    ],
    ids=["plain", "special", "header"],
)
def test_interrupted_anywhere_nothing_is_lost(wire: bytes) -> None:
    """
    A signal handler that raises, at any point and for any cut, changes no reply: the calls are made again.
    """
    expected = plain(parse(wire))

    for cut in range(1, len(wire), 7):
        for point in range(500):
            reading = Parser()
            replies: list[object] = []
            pieces = [wire[:cut]]

            def read(reading: Parser = reading, pieces: list[bytes] = pieces, into: list[object] = replies) -> None:
                reading.feed(pieces)
                reading.take(into, 10)

            struck = strike(point, read)
            read()
            pieces.append(wire[cut:])
            struck = struck or strike(point, read)
            read()

            assert expected == plain(replies), (cut, point)
            assert [] == pieces
            if not struck:
                break


@pytest.mark.parametrize(
    ("data", "taken", "exhausted"),
    [
        (b"", 0, True),
        (b"+OK\r\n", 1, True),
        (b"|1\r\n+k\r\n+v\r\n+OK\r\n", 1, True),
        (b"!3\r\nERR\r\n", 1, True),
        (b"+OK\r\n:1\r\n", 1, False),
        (b"+OK\r\n:1", 1, False),
        (b"+OK\r\n:", 1, False),
        (b"+OK\r\n|1\r\n", 1, False),
        (b"+OK\r\n!3\r\nERR\r\n", 1, False),
        (b"+OK\r\n*99999999\r\n", 1, False),
        (b"+OK\r\n$3\r\nab", 1, False),
        (b"+OK\r\n", 0, False),
    ],
)
def test_exhausted_means_that_nothing_is_left(data: bytes, taken: int, exhausted: bool) -> None:
    """
    Neither a reply nor the beginning of one, nor anything that is wrong.
    """
    parser = Parser()
    replies: list[object] = []
    if data:
        parser.feed([data])
    if taken:
        parser.take(replies, taken)

    assert taken == len(replies)
    assert exhausted == parser.exhausted()


@pytest.mark.parametrize(
    "piece",
    [
        *(b"*1\r\n:1\r\n", b"%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n5-1\r\n*2\r\n+f\r\n$0\r\n\r\n", b":1\r\n:2\r\n"),
        *(b"*2\r\n_\r\n-ERR x\r\n", b"*1\r\n+a\n|1\r\n", b"*1\r\n$3\r\n\n|1\r\n", b"*2\r\n:1\r\n"),
    ],
)
def test_a_small_piece_of_common_items_is_not_searched(piece: bytes) -> None:
    """
    It comes to the same as if it had arrived in two pieces, which are.
    """
    assert headers.is_ordinary(piece)
    assert outcome(piece) == outcome(piece[:1], piece[1:])


@pytest.mark.parametrize(
    "piece",
    [
        *(b"*1\r\n$0\r\n", b"*1\r\n$2\r\na\r\n\r\n", b"*1\r\n$1\r\nab\r\n", b"*1\r\n:1", b"*1\r\n:1\r", b"*1\r\n\r\n"),
        *(b"*1\r\n|1\r\n+k\r\n+v\r\n:1\r\n", b"*1\r\n!3\r\nERR\r\n", b"*12345678\r\n", b"*1\r\n=5\r\ntxt:a\r\n"),
        *(b"*1\r\n$-1\r\n", b">2\r\n+a\r\n+b\r\n", b"*1\r\n$4\r\n\r\n\r\n\r\n", b"*1\r\n$+1\r\na\r\n"),
    ],
)
def test_any_other_small_piece_is(piece: bytes) -> None:
    """
    What is special, cut off or wrong takes the general way.
    """
    assert not headers.is_ordinary(piece)
