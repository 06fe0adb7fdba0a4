"""
Large strings are followed from header to header, and come to the same as if every byte had been looked at.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from unittest.mock import Mock

import pytest

from coredis._core import headers, parser
from coredis._core.parser import Parser
from coredis._core.session import OversizedReplyError, Request, Session
from coredis.exceptions import ProtocolError
from tests.core.test_fuzz import POISON
from tests.core.test_parser import LARGE, LARGE_STRINGS, plain
from tests.support.strikes import strike

#: What large means in these tests, so that all cuts can be tried.
LENGTH = 60
#: Payload that would be something else if it were looked at.
PAYLOAD = (b"\r\n|1\r\n!3\r\n$999999999999\r\n*99999999\r\n>9\r\n$100\r\n" * 3)[:LENGTH]


def string(payload: bytes) -> bytes:
    """
    Encode a string.
    """
    return b"$%d\r\n%s\r\n" % (len(payload), payload)


def entry(number: int, *values: bytes) -> bytes:
    """
    Encode an entry of a stream.
    """
    fields = b"".join(string(b"f") + string(value) for value in values)
    return b"*2\r\n" + string(b"%d-1" % number) + b"*%d\r\n" % (2 * len(values)) + fields


LONG = bytes(range(256)) * 2
ENTRIES = entry(1, PAYLOAD * 2) + entry(2, PAYLOAD, b"v") + entry(3, b"v", LONG) + entry(4, PAYLOAD + b"\r\n")
WIRES = {
    "RESP2": b"*1\r\n*2\r\n" + string(b"s") + b"*4\r\n" + ENTRIES,
    "RESP3": b"%1\r\n" + string(b"s") + b"*4\r\n" + ENTRIES,
    "a string": string(LONG),
    "several": string(LONG) + b":1\r\n" + string(LONG) + b"+OK\r\n-ERR no\r\n" + string(LONG) + b"_\r\n",
    "a message between": string(LONG) + b">2\r\n+message\r\n" + string(LONG) + string(LONG),
    "a message inside": b"*2\r\n" + string(LONG) + b">1\r\n+p\r\n" + string(LONG),
    "an attribute inside": b"*2\r\n" + string(LONG) + b"|1\r\n+k\r\n" + string(LONG) + string(LONG) + b":1\r\n",
    "a blob error inside": b"*3\r\n" + string(LONG) + b"!5\r\nERR x\r\n" + string(LONG) + b":1\r\n",
    "a message with an attribute": b"|1\r\n+k\r\n" + string(LONG) + b">2\r\n+p\r\n" + string(LONG),
    "of any length": b"*6\r\n"
    + b"".join(string(b"x" * length) for length in (58, 59, 60, 99, 100, 101))
    + string(LONG),
}
REPLIES = {
    "several": 7,
    "a message between": 2,
    "a message inside": 2,
    "a blob error inside": 2,
    "an attribute inside": 2,
    "of any length": 2,
    "a message with an attribute": 0,
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What counts as large is small.
    """
    monkeypatch.setattr(headers, "_LARGE_STRING_BYTES", LENGTH)
    monkeypatch.setattr(parser, "_FOLLOWED_PIECE_BYTES", LENGTH)


def hand_over(session: Session, piece: bytes) -> tuple[list[Request], int]:
    """
    Hand received bytes to a session as a channel does that receives into memory, and overwrite that.

    Returns:
        which requests are complete, and how many bytes were not copied
    """
    buffer = bytearray(piece)
    parts = [memoryview(buffer)]
    complete = session.follow(parts)
    left = b"".join(parts)
    buffer[:] = b"@" * len(buffer)
    if left:
        complete += session.receive([left])
    return complete, len(piece) - len(left)


def conversation(wire: bytes, cuts: Iterable[int], waiting: int, follow: bool = True) -> object:
    """
    Receive bytes in parts, and give what the requests got, the messages, and what ended the connection, if anything did.
    """
    session = Session()
    requests = [Request(1) for _ in range(waiting)]
    for request in requests:
        session.expect(request)
    ended: object = None
    begin = 0
    try:
        for end in [*cuts, len(wire)]:
            if follow:
                hand_over(session, wire[begin:end])
            else:
                session.receive([wire[begin:end]])
            begin = end
    except ProtocolError as error:
        ended = type(error)
    return [plain(request.replies) for request in requests], [plain(push) for push in session.pushes], ended


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, Iterable[int], int], object]:
    """
    Give ``conversation`` without following anything.
    """
    followed = headers.follow_strings

    def run(wire: bytes, cuts: Iterable[int], waiting: int) -> object:
        with monkeypatch.context() as patched:
            patched.setattr(parser, "follow_strings", lambda *_: 0)
            result = conversation(wire, cuts, waiting, follow=False)
        assert headers.follow_strings is followed
        return result

    return run


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("more", [0, 1, 2, 97])
def test_cut_at_any_byte_the_replies_are_the_same(
    name: str, more: int, looked_at: Callable[[bytes, Iterable[int], int], object]
) -> None:
    """
    Once or twice, whatever is between the strings.
    """
    wire, waiting = WIRES[name], REPLIES.get(name, 1)
    expected = looked_at(wire, (), waiting)
    assert expected[2] is None and [] not in expected[0]  # type: ignore[index]

    for cut in range(1, len(wire)):
        cuts = [cut] if not more else [cut, min(cut + more, len(wire) - 1)]
        cuts = sorted({*cuts})
        assert expected == conversation(wire, cuts, waiting), cuts
        assert expected == conversation(wire, cuts, waiting, follow=False), cuts


@pytest.mark.parametrize("name", WIRES)
def test_byte_by_byte_the_replies_are_the_same(
    name: str, looked_at: Callable[[bytes, Iterable[int], int], object]
) -> None:
    """
    And so in the smallest parts there are.
    """
    wire, waiting = WIRES[name], REPLIES.get(name, 1)

    assert looked_at(wire, (), waiting) == conversation(wire, range(1, len(wire)), waiting)


@pytest.mark.parametrize("seed", range(4))
def test_damage_is_noticed_as_without_following(
    seed: int, looked_at: Callable[[bytes, Iterable[int], int], object]
) -> None:
    """
    What is wrong with a conversation comes to the same, in the same parts.
    """
    chance = random.Random(seed)
    broken = 0
    for _ in range(1500):
        name = chance.choice([*WIRES])
        wire, waiting = WIRES[name], REPLIES.get(name, 1)
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(wire))
            kind = chance.randrange(4)
            if kind == 0:
                wire = wire[:at] + chance.choice([*POISON, b"%1\r\n*0\r\n"]) + wire[at:]
            elif kind == 1:
                wire = wire[:at] + wire[at + chance.randint(1, 3) :]
            elif kind == 2:
                wire = wire[:at] + chance.randbytes(1) + wire[at + 1 :]
            else:
                end = wire.find(b"\r\n", at) + chance.randint(0, 1)
                wire = wire[:end] + chance.choice([b"x", b"\n", b"\r"]) + wire[end + 1 :]
        cuts = sorted({chance.randrange(1, max(2, len(wire))) for _ in range(chance.randint(0, 4))})
        expected = looked_at(wire, cuts, waiting)
        broken += expected[2] is not None  # type: ignore[index]

        assert expected == conversation(wire, cuts, waiting), (name, wire, cuts)

    assert broken > 100


@pytest.mark.parametrize("header", [*LARGE, *LARGE_STRINGS, b"$536870913", b"|99999999", b"!536870913"])
@pytest.mark.parametrize("cut", range(12))
def test_an_absurd_header_after_a_large_string_is_refused(header: bytes, cut: int) -> None:
    """
    As soon as it is there, before anything is made for it.
    """
    wire = string(LONG) + header + b"\r\n"
    cuts = [100, len(wire) - cut] if cut else [100]

    assert ProtocolError is conversation(b"*3\r\n" + wire, cuts, 1)[2]  # type: ignore[index]


def test_nothing_is_searched_or_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As long as there are hardly any but large strings.
    """
    monkeypatch.setattr(parser, "needs_care", None)
    monkeypatch.setattr(parser, "last_header", None)
    wire = WIRES["RESP3"]
    for cut in (wire.index(PAYLOAD) + 1, wire.index(LONG), wire.index(LONG) + len(LONG), len(wire)):
        session, request = Session(), Request(1)
        session.expect(request)
        for piece in filter(None, (wire[:cut], wire[cut:])):
            complete, taken = hand_over(session, piece)
            assert len(piece) == taken

        assert [request] == complete


@pytest.mark.parametrize(
    ("wire", "followed"),
    [
        (b"*99\r\n" + b":1\r\n" * 40, False),
        (b"*99\r\n" + string(b"short") * 40 + string(LONG), False),
        (b"*99\r\n" + string(b"short") * 10 + string(LONG), True),
        (b"*99\r\n" + string(LONG) + string(b"short") * 10, True),
        (b"*99\r\n" + string(LONG) + b"$5\r\nsh", False),
    ],
)
def test_many_short_strings_are_not_followed(wire: bytes, followed: bool) -> None:
    """
    To go from one to the next would take longer than searching; a few among large ones do not matter.
    """
    session, request = Session(), Request(1)
    session.expect(request)

    assert followed is (hand_over(session, wire)[1] == len(wire))


def test_strings_of_medium_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Some are followed, and more are searched.
    """
    monkeypatch.setattr(headers, "_LARGE_STRING_BYTES", 1000)
    some = string(b"x" * 500) * headers._MEDIUM_STRINGS
    for wire, followed in (
        (b"*99\r\n" + some, True),
        (b"*99\r\n" + some + string(b"x" * 500), False),
        (b"*99\r\n" + some + string(b"x" * 1000) + some, True),
    ):
        session, request = Session(), Request(1)
        session.expect(request)
        assert followed is (hand_over(session, wire)[1] == len(wire))


@pytest.mark.parametrize(
    ("wire", "complete"),
    [
        (string(LONG * 2) + string(b"x" * 500) + b":1\r\n" + string(b"y" * 500), 3),
        (b"*2\r\n:0\r\n" + string(LONG * 2) + string(b"x" * 500), 1),
        (b"*2\r\n" + string(LONG * 2) + string(LONG * 3) + string(b"x" * 500), 1),
        (string(LONG * 2) + string(LONG * 3) + string(LONG * 2), 2),
    ],
)
def test_what_is_complete_is_handed_out_before_the_rest_comes(
    wire: bytes, complete: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever length the string has that is still arriving.
    """
    monkeypatch.setattr(headers, "_LARGE_STRING_BYTES", 1000)
    session = Session()
    requests = [Request(1) for _ in range(complete + 1)]
    for request in requests:
        session.expect(request)

    assert ([], 100) == hand_over(session, wire[:100])
    assert (requests[:-1], len(wire) - 110) == hand_over(session, wire[100:-10])
    assert ([requests[-1]], 10) == hand_over(session, wire[-10:])


@pytest.mark.parametrize("name", ["RESP3", "several", "a message between"])
def test_interrupted_anywhere_nothing_is_lost(name: str) -> None:
    """
    What was not taken is given again, as a channel does, and every reply reaches its request.
    """
    wire, waiting = WIRES[name], REPLIES.get(name, 1)
    expected = conversation(wire, (), waiting, follow=False)
    for cut in (150, 300, 520, len(wire) - 1):
        for point in range(300):
            session = Session()
            requests = [Request(1) for _ in range(waiting)]
            for request in requests:
                session.expect(request)
            struck = False
            for piece in (wire[:cut], wire[cut:]):
                parts = [memoryview(bytearray(piece))]
                struck |= strike(point, lambda session=session, parts=parts: session.follow(parts))  # type: ignore[misc]
                left = [b"".join(parts)] if parts else []
                session.receive(left)

            found = [plain(request.replies) for request in requests], [plain(push) for push in session.pushes], None
            assert expected == found, (cut, point)
            if not struck:
                break
        assert 5 < point < 290


@pytest.mark.parametrize(
    ("before", "wire", "expected"),
    [
        (
            b":0\r\n",
            string(LONG) + b":1\r\n|1\r\n+k\r\n:0\r\n:2\r\n" + string(LONG) + b"!3\r\nERR\r\n:3\r\n",
            [0, LONG, 1, 2, LONG, ("error", "ERR"), 3],
        ),
        (b"$7\r\n", b"$900\r\nx\r\n$12345678\r\n" + LONG, [b"$900\r\nx"]),
    ],
)
def test_interrupted_anywhere_in_a_piece_that_is_searched(before: bytes, wire: bytes, expected: list[object]) -> None:
    """
    It is not followed from its beginning if that was fed before.
    """
    for point in range(300):
        reading = Parser()
        pieces, replies = [wire], list[object]()
        reading.feed([before])
        reading.take(replies, 9)

        struck = strike(point, lambda reading=reading, pieces=pieces: reading.feed(pieces))  # type: ignore[misc]
        reading.feed(pieces)
        reading.take(replies, 9)

        assert (expected, 0) == (plain(replies), reading.missing), point
        if not struck:
            break
    assert 10 < point < 290


@pytest.mark.parametrize("garbage", [b"%1\r\n*0\r\n", b"*01\r\n", b"*1\r\n$01\r\n1\r\n"])
def test_garbage_between_large_strings(
    garbage: bytes, looked_at: Callable[[bytes, Iterable[int], int], object]
) -> None:
    """
    What comes before it is handed out, though it was received in one part with it.
    """
    wire = string(LONG) + garbage + string(LONG) + b":1\r\n" + string(LONG)[:100]

    assert looked_at(wire, (), 3) == conversation(wire, (), 3) == ([[LONG], [], []], [], ProtocolError)


@pytest.mark.parametrize("payload", [b"+OK\r\n", b"*1\r\n+OK\r\n", b":1\r\n" * 90], ids=["short", "array", "long"])
def test_payload_that_is_copied_is_no_reply(payload: bytes) -> None:
    """
    Whatever it looks like, and whichever way it comes after the beginning of a string.
    """
    session, first, second = Session(), Request(1), Request(1)
    session.expect(first)
    session.expect(second)
    hand_over(session, b"$%d\r\n" % (2 * len(payload) + len(LONG)) + LONG)
    session.receive([payload])
    hand_over(session, payload + b"\r\n:7\r\n")

    assert ([LONG + 2 * payload], [7]) == (first.replies, second.replies)


def test_what_follows_counts() -> None:
    """
    Against the limit of a reply, and as something that has arrived.
    """
    session, request = Session(), Request(1)
    session.expect(request)
    session.measured, session.max_size = True, 1000
    hand_over(session, b"*9\r\n" + string(LONG))
    hand_over(session, string(LONG)[:100])

    assert (2, len(b"*9\r\n" + string(LONG)) + 100) == (session.received, session.size)
    with pytest.raises(OversizedReplyError):
        hand_over(session, string(LONG)[100:] + b"$" * 1)


def test_a_reply_may_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    However it is received.
    """
    monkeypatch.setattr(parser, "MAX_REPLY_BYTES", 2000)
    session, request = Session(), Request(1)
    session.expect(request)
    hand_over(session, b"*99\r\n" + string(LONG))

    with pytest.raises(ProtocolError, match="larger"):
        for _ in range(4):
            hand_over(session, string(LONG))


def test_replies_that_never_end_with_a_piece_may_be_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What belongs to one that was handed out does not count against the limit of the next one.
    """
    monkeypatch.setattr(parser, "MAX_REPLY_BYTES", 2000)
    session = Session()
    requests = [Request(1) for _ in range(9)]
    for request in requests:
        session.expect(request)
    wire = string(LONG) * 9

    for begin in range(0, len(wire), 600):
        hand_over(session, wire[begin : begin + 600])

    assert [[LONG]] * 9 == [request.replies for request in requests]


def test_hiredis_gives_memory_back_after_large_strings() -> None:
    """
    It keeps it only until nothing is missing any more.
    """
    reading = Parser()
    usual = reading._reader.getmaxbuf()
    wire = b"*2\r\n" + string(LONG) + string(LONG)
    for end in (len(wire), len(wire) - 5):
        reading.follow([memoryview(wire[:end])])
        assert (usual if end == len(wire) else parser._KEPT_BYTES) == reading._reader.getmaxbuf()
        reading.take([], 1)
    reading.feed([wire[-5:] + b"*1\r\n" + string(LONG)])
    assert usual == reading._reader.getmaxbuf() == parser._USUALLY_KEPT_BYTES


@pytest.mark.parametrize("together", [True, False])
def test_memory_of_a_large_reply_is_not_kept_until_the_next_one(
    together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    hiredis would keep all of it on an idle connection; but what it has already of a reply that is not complete it keeps.
    """
    monkeypatch.setattr(parser, "_KEPT_BYTES", 1000)
    reading, replies = Parser(), list[object]()
    wire = string(LONG * 2)
    for piece in (wire[:-5], wire[-5:] + b"$3\r\nab"):
        reader = reading._reader
        reading.feed([piece])
        reading.take(replies, 2)
        assert reader is reading._reader
    reading.feed([b"c\r\n"])
    reading.take(replies, 1)
    assert reader is reading._reader  # it was small

    for part in (wire,) if together else (wire[:-5], wire[-5:]):
        assert reader is reading._reader
        reading.follow([memoryview(part)])
        reading.take(replies, 1)

    assert reader is not reading._reader
    reading.feed([b":1\r\n"])
    reading.take(replies, 1)
    assert [LONG * 2, b"abc", LONG * 2, 1] == replies


def test_an_exception_between_large_strings_is_a_protocol_error() -> None:
    """
    Even one that hiredis raises only once.
    """
    reading = Parser()
    reading._reader = Mock(gets=Mock(side_effect=[MemoryError, parser.NEED_DATA]))

    assert reading.follow([memoryview(string(LONG) + string(LONG)[:100])])
    with pytest.raises(ProtocolError, match="MemoryError"):
        reading.take([], 1)


def test_half_of_an_end_is_left_to_the_general_way() -> None:
    """
    What is not its other half would be taken for the beginning of an item.
    """
    assert 0 == headers.follow_strings(b"+:1\r\n", 1, 5, [])
    assert 5 == headers.follow_strings(b"+:1\r\n", 0, 5, [])
