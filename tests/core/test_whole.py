"""
A piece that is one reply and nothing else is read at once, and comes to the same as if it had arrived in parts.
"""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from coredis._core import whole
from coredis._core.parser import NEED_DATA, Parser
from coredis._core.session import Request, Session
from coredis._core.whole import WholeReplies
from coredis.exceptions import ProtocolError
from tests.core.test_parser import LARGE, LARGE_STRINGS, outcome, parse


@pytest.mark.parametrize(
    ("piece", "reply"),
    [
        (b"+PONG\r\n", b"PONG"),
        (b":12\r\n", 12),
        (b":300\r\n", 300),
        (b"_\r\n", None),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"$0\r\n\r\n", b""),
        (b"$15\r\n1700000000000-0\r\n", b"1700000000000-0"),
        (b"$3\r\n|1!\r\n", b"|1!"),
        (b"$4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
        *((b"$%d\r\n%b\r\n" % (length, b"x" * length), b"x" * length) for length in range(1, 248)),
    ],
)
def test_a_piece_that_is_one_short_reply_is_read_at_once(piece: bytes, reply: object) -> None:
    """
    It is what it would have been otherwise.
    """
    assert reply == WholeReplies(Parser()).whole(piece)
    assert [reply] == parse(piece)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            b"",
            b"\r\n",
            b"+\r\n",
            b":\r\n",
            b":1\r",
            b"+OK",
            b"+OK\r\n:1\r\n",
            b"+a\nb\r\n",
            b"-ERR\r\n",
            b"_\n\r\n",
            b"#t\r\n",
            b"\n\r\n",
            b"\n:1\r\n",
            b"\n$7\r\n1234567\r\n\r\n",
        ),
        *(
            b":-1\r\n",
            b":+1\r\n",
            b":1_0\r\n",
            b":01\r\n",
            b":00\r\n",
            b": 1\r\n",
            b":9999999999999999999\r\n",
            b"$-2\r\n",
            b"$3\r\nabc",
        ),
        *(
            b"$1_0\r\n0123456789\r\n",
            b"$+3\r\nabc\r\n",
            b"$03\r\nabc\r\n",
            b"$2\r\nabc\r\n",
            b"$4\r\nabc\r\n",
            b"$3\r\nab\r\n",
        ),
        *(b"$4\r\n+OK\r\n\r\n", b"$0\r\n+OK\r\n", b"!3\r\nERR\r\n", b"$300\r\n" + b"x" * 300 + b"\r\n"),
    ],
)
def test_any_other_piece_is_not(piece: bytes) -> None:
    """
    What is longer, damaged or less common is left to hiredis.
    """
    assert NEED_DATA is WholeReplies(Parser()).whole(piece)


@pytest.mark.parametrize(
    "piece",
    [
        *(b"*0\r\n", b"%0\r\n", b"*1\r\n$-1\r\n", b"*3\r\n:-12\r\n_\r\n-ERR x\r\n", b"*1\r\n$0\r\n\r\n"),
        *(b"%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n5-1\r\n*2\r\n$1\r\nf\r\n$6\r\n\r\n|1\r\n\r\n",),
        *(b"*1\r\n$%d\r\n%s\r\n" % (length, b"\r" * length) for length in (1, 9, 10, 59, 99)),
    ],
)
def test_a_small_piece_that_is_one_array_is_read_at_once(piece: bytes) -> None:
    """
    With a reader of its own, which is used again.
    """
    reading = WholeReplies(Parser())
    (reply,) = parse(piece)

    for _ in range(2):
        assert repr(reply) == repr(reading.whole(piece))
    assert outcome(piece) == outcome(piece[:1], piece[1:])


@pytest.mark.parametrize(
    "piece",
    [
        *(
            b"*1\r\n",
            b"*1\r\n:1\r\n:2\r\n",
            b"*1\r\n*1\r\n",
            b"*1\r\n:1\r\n*1\r\n:2\r\n",
            b"*1\r\n:1\r",
            b"*12345678\r\n",
        ),
        *(b"*1\r\n$0\r\n", b"*1\r\n$2\r\na\r\n\r\n", b"*1\r\n$1\r\nab\r\n", b"*1\r\n$01\r\na\r\n", b"*1\r\n$1\r\naXX"),
        *(
            b"*1\r\n$100\r\n" + b"x" * 100 + b"\r\n",
            b"*1\r\n!3\r\nERR\r\n",
            b"|1\r\n+k\r\n+v\r\n*0\r\n",
            b">1\r\n+a\r\n",
        ),
        *(b"*1\r\n:01\r\n", b"%1\r\n*0\r\n:1\r\n", b"*\r\n", b"*1\r\n@\r\n"),
    ],
)
def test_any_other_array_is_not(piece: bytes) -> None:
    """
    Several, incomplete, damaged, special: they take the general way, and the reader does not keep anything of them.
    """
    reading = WholeReplies(Parser())

    assert NEED_DATA is reading.whole(piece)
    assert [b"a"] == reading.whole(b"*1\r\n+a\r\n")


ENTRIES = b"".join(b"*2\r\n$5\r\n%03d-1\r\n*2\r\n$1\r\nf\r\n$9\r\n\r\n*1\r\n-!|\r\n" % number for number in range(100))


@pytest.mark.parametrize("begin", [b"*1\r\n*2\r\n$1\r\ns\r\n*100\r\n", b"%1\r\n$1\r\ns\r\n*100\r\n"])
def test_a_large_piece_that_is_one_array_is_read_at_once(begin: bytes) -> None:
    """
    Where no other reply is expected; with a reader of its own, which is used again.
    """
    piece = begin + ENTRIES
    fed = Parser()
    reading = WholeReplies(fed)
    (reply,) = parse(piece[:300], piece[300:])

    assert NEED_DATA is reading.whole(piece)
    for _ in range(2):
        assert reply == reading.whole(piece, True)
    fed.feed([piece[:2000], piece[2000:]])
    replies: list[object] = []
    fed.take(replies, 2)
    assert [reply] == replies


@pytest.mark.parametrize(
    "piece",
    [
        *(b"*101\r\n" + ENTRIES, b"*99\r\n" + ENTRIES, b"*100\r\n" + ENTRIES[:-1], b"*100\r\n" + ENTRIES + b"*1\r\n"),
        *(b"*102\r\n" + ENTRIES + header + b"\r\n:1\r\n" for header in (*LARGE, *LARGE_STRINGS, b"|1", b"!3", b"@")),
        *(header + b"\r\n" + ENTRIES for header in (*LARGE, *LARGE_STRINGS, b"|50", b">100", b"$%d" % len(ENTRIES))),
        b"*101\r\n" + ENTRIES + b"!3\r\nERR\r\n",
    ],
    ids=lambda piece: repr(piece[:12] + b"..." + piece[-12:]),
)
def test_any_other_large_piece_is_not(piece: bytes) -> None:
    """
    Several replies, incomplete, absurd, special: what comes of it is what comes of smaller pieces.
    """
    reading = WholeReplies(Parser())

    assert NEED_DATA is reading.whole(piece, True)
    assert [b"a"] == reading.whole(b"*1\r\n+a\r\n")
    assert repr(outcome(piece)) == repr(outcome(piece[:7], piece[7:]))


def test_an_absurd_push_in_a_large_piece_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    hiredis would fill the memory that it announces.
    """
    monkeypatch.setattr(whole, "new_reader", Mock(side_effect=AssertionError))
    reading = WholeReplies(Parser())

    assert NEED_DATA is reading.whole(b"*101\r\n" + ENTRIES + b">12345678\r\n:1\r\n", True)
    with pytest.raises(AssertionError):
        reading.whole(b"*101\r\n" + ENTRIES + b"~12345678\r\n:1\r\n", True)


WHOLE = b"*100\r\n" + ENTRIES


@pytest.mark.parametrize(
    "pieces",
    [
        *((WHOLE,), (WHOLE, WHOLE), (WHOLE[:500], WHOLE[500:]), (WHOLE[:500], WHOLE[500:] + WHOLE, WHOLE)),
        *((WHOLE + WHOLE, WHOLE), (WHOLE + WHOLE[:500], WHOLE[500:], WHOLE)),
        *((b"|1\r\n+k\r\n+v\r\n" + WHOLE, WHOLE), (WHOLE, b">1\r\n+push\r\n", WHOLE), (b">1\r\n+push\r\n" + WHOLE,)),
    ],
    ids=lambda pieces: "+".join(str(len(piece)) for piece in pieces),
)
@pytest.mark.parametrize("waiting", [1, 2, 3])
def test_a_session_gives_large_replies_to_whom_they_belong(pieces: tuple[bytes, ...], waiting: int) -> None:
    """
    However they come, and however many requests are waiting.
    """
    session = Session()
    (reply,) = parse(WHOLE)
    requests = [Request(1) for _ in range(waiting)]
    for request in requests:
        session.expect(request)
    complete: list[Request] = []
    for piece in pieces:
        try:
            complete += session.receive([piece])
        except ProtocolError:  # more than were asked for
            complete += session.complete
            break

    assert requests[: len(complete)] == complete
    assert len(complete) == min(waiting, b"".join(pieces).count(b"*100\r\n"))
    assert all(request.replies == [reply] for request in complete)


@pytest.mark.parametrize(
    "begun",
    [b"*1\r\n", b"*2\r\n+a\r\n", b"$7\r\n", b"|1\r\n", b"!4\r\n", b"+O", b":1\r\n*1\r\n", b"+OK\r\n:1\r\n", b"@"],
)
def test_what_has_begun_is_no_reply_by_itself(begun: bytes) -> None:
    """
    A piece that follows the beginning of a reply belongs to it, whatever it looks like.
    """
    fed = Parser()
    reading = WholeReplies(fed)
    fed.feed([begun])
    try:
        fed.take([], 1)
    except ProtocolError:
        pass

    assert NEED_DATA is reading.whole(b"+OK\r\n")


COUNTED = b":100\r\n:0\r\n*1\r\n*2\r\n$1\r\ns\r\n" + WHOLE


def test_counts_before_a_large_reply_are_read_at_once() -> None:
    """
    As when acknowledgements go ahead of a read: it is what it would have been otherwise.
    """
    assert parse(COUNTED) == WholeReplies(Parser()).counted(COUNTED, 2)
    assert parse(WHOLE) == WholeReplies(Parser()).counted(WHOLE, 0)


@pytest.mark.parametrize(
    "piece",
    [
        *(COUNTED[:-1], COUNTED[:-2], COUNTED + b":1\r\n", COUNTED + WHOLE, COUNTED + b">1\r\n+push\r\n"),
        *(b":1\r\n" + COUNTED, COUNTED[6:], b"+1\r\n" + COUNTED[6:], b"-ERR\r\n" + COUNTED[6:], b"_\r\n" + COUNTED[6:]),
        *(b":01\r\n" + COUNTED[6:], b":-1\r\n" + COUNTED[6:], b":9999999999999999999\r\n" + COUNTED[6:]),
        *(
            b":\r\n" + COUNTED[6:],
            b":1\n" + COUNTED[6:],
            b":1\r\n:1\r\n$3\r\nabc\r\n",
            b":1\r\n:1\r\n-ERR\r\n",
            b":1\r\n:1\r\n",
        ),
        *(b":1\r\n:1\r\n" + header + b"\r\n" + WHOLE for header in LARGE + LARGE_STRINGS),
    ],
    ids=lambda piece: repr(piece[:20] + piece[-8:]),
)
def test_other_counts_are_not(piece: bytes) -> None:
    """
    What is damaged, cut, less common or not alone is left to the general way.
    """
    fed = Parser()
    reading = WholeReplies(fed)

    assert reading.counted(piece, 2) is None
    fed.feed([COUNTED[:30]])
    assert reading.counted(COUNTED, 2) is None


@pytest.mark.parametrize("cut", [*range(1, 60), len(COUNTED) - 2, len(COUNTED) - 1, len(COUNTED)])
@pytest.mark.parametrize("more", [0, 1])
def test_a_session_gives_counts_and_reads_to_whom_they_belong(cut: int, more: int) -> None:
    """
    However they come, with another request waiting or not, and an error in place of a count.
    """
    for wire in (
        COUNTED,
        b"-ERR no\r\n" + COUNTED[6:],
        b">1\r\n+push\r\n" + COUNTED,
        COUNTED[:6] + b">1\r\n+push\r\n" + COUNTED[6:],
    ):
        session = Session()
        requests = [Request(3), *[Request(1) for _ in range(more)]]
        for request in requests:
            session.expect(request)
        complete = [done for piece in (wire[:cut], wire[cut:]) if piece for done in session.receive([piece])]

        assert [requests[0]] == complete
        assert parse(COUNTED)[1:] == requests[0].replies[1:]
        assert len(session.pushes) == wire.count(b">")
        assert len(session.pending) == more
