"""
The session pairs the k-th reply with the k-th command, whatever happens to those who wait.
"""

from __future__ import annotations

import math
from functools import partial

import pytest
from hiredis import PushNotification

from coredis._core import session
from coredis._core.parser import ErrorLine
from coredis._core.session import OversizedReplyError, RefusedError, Request, Session
from coredis.exceptions import ConnectionLostError, ConnectTimeoutError, ProtocolError
from tests.support.strikes import strike

PUSH = b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n"


def expecting(*numbers: int) -> tuple[Session, list[Request]]:
    """
    Make a session with requests of so many commands each.
    """
    paired = Session()
    requests = [Request(number) for number in numbers]
    for request in requests:
        paired.expect(request)
    return paired, requests


def test_replies_reach_their_requests_in_order() -> None:
    """
    One piece may hold the replies of several requests.
    """
    paired, requests = expecting(1, 2, 1)

    complete = paired.receive([b":1\r\n:2\r\n:3\r\n:4\r\n"])

    assert requests == complete
    assert [[1], [2, 3], [4]] == [request.outcome() for request in requests]


def test_a_request_that_has_some_of_its_replies_gets_the_rest_alone() -> None:
    """
    As many as it has commands may come then, and most of them are for others.
    """
    paired, requests = expecting(3, 1, 1)

    assert [] == paired.receive([b":1\r\n:2\r\n"])
    assert requests == paired.receive([b":3\r\n:4\r\n:5\r\n"])
    assert [[1, 2, 3], [4], [5]] == [request.outcome() for request in requests]


def test_messages_among_the_replies_of_many_requests() -> None:
    """
    In whatever pieces, each reply reaches its own, and each message is kept.
    """
    wire = b":1\r\n" + PUSH + b":2\r\n:3\r\n" + PUSH + PUSH + b":4\r\n:5\r\n"
    for cut in range(1, len(wire)):
        paired, requests = expecting(1, 2, 1, 1)

        complete = paired.receive([wire[:cut]]) + paired.receive([wire[cut:]])

        assert requests == complete
        assert [[1], [2, 3], [4], [5]] == [request.outcome() for request in requests]
        assert 3 == len(paired.pushes)


def test_a_request_is_complete_with_its_last_reply() -> None:
    """
    Until then it is not done, and nothing is complete.
    """
    paired, (request,) = expecting(2)

    assert [] == paired.receive([b":1\r\n$3\r\nab"])
    assert not request.done()
    assert [request] == paired.receive([b"c\r\n"])
    assert request.done()
    assert [1, b"abc"] == request.outcome()


def test_an_error_reply_is_a_reply() -> None:
    """
    It is handed over like any other and disturbs nobody.
    """
    paired, (first, second) = expecting(1, 1)

    paired.receive([b"-ERR no\r\n:2\r\n"])

    assert isinstance(first.outcome()[0], ErrorLine)
    assert [2] == second.outcome()


def test_nil_and_false_are_replies() -> None:
    """
    They are not mistaken for nothing having arrived.
    """
    paired, (request,) = expecting(4)

    assert [request] == paired.receive([b"_\r\n#f\r\n$-1\r\n*-1\r\n"])
    assert [None, False, None, None] == request.outcome()


def test_an_abandoned_request_keeps_its_place() -> None:
    """
    Nobody waits for it any more; its late reply still goes to it alone.
    """
    paired, requests = expecting(1, 1)
    second = requests[1]
    del requests

    paired.receive([b"+late\r\n+mine\r\n"])

    assert [b"mine"] == second.outcome()
    assert 0 == len(paired.pending)


@pytest.mark.parametrize("cut", range(1, len(PUSH) * 3 + 8, 5))
def test_out_of_band_messages_are_no_replies(cut: int) -> None:
    """
    Before, between and after replies they are put aside, however the bytes are cut.
    """
    wire = PUSH + b":1\r\n" + PUSH + b":2\r\n" + PUSH
    paired, (first, second) = expecting(1, 1)

    paired.receive([wire[:cut]])
    paired.receive([wire[cut:]])

    assert ([1], [2]) == (first.outcome(), second.outcome())
    assert [[b"invalidate", [b"k"]]] * 3 == paired.pushes
    assert {PushNotification} == set(map(type, paired.pushes))


def test_out_of_band_messages_among_the_replies_of_one_request() -> None:
    """
    The replies that they stood in for are found in the same piece.
    """
    paired, (request,) = expecting(3)

    assert [request] == paired.receive([PUSH + PUSH + b":1\r\n" + PUSH + b":2\r\n:3\r\n"])
    assert [1, 2, 3] == request.outcome()


def test_out_of_band_messages_arrive_while_nothing_is_pending() -> None:
    """
    That is no error.
    """
    paired = Session()

    assert [] == paired.receive([PUSH * 3])
    assert 3 == len(paired.pushes)


@pytest.mark.parametrize("pending", [0, 1])
def test_a_flood_of_out_of_band_messages_ends_the_connection(pending: int) -> None:
    """
    Unread ones are bounded, with a request pending or without.
    """
    paired, _ = expecting(*[1] * pending)
    paired.receive([PUSH * session.MAX_PUSHES])

    with pytest.raises(ProtocolError, match="1024 unread"):
        paired.receive([PUSH])


@pytest.mark.parametrize("wire", [b":1\r\n", PUSH + b":1\r\n", b"-ERR no\r\n", b"|0\r\n+x\r\n", b"_\r\n"])
def test_a_reply_nobody_asked_for_is_a_protocol_error(wire: bytes) -> None:
    """
    After it, no reply could be trusted to be the right one.
    """
    with pytest.raises(ProtocolError, match="no command asked for"):
        Session().receive([wire])


def test_an_error_nobody_asked_for_is_told() -> None:
    """
    It is how a server says that it wants no connection.
    """
    with pytest.raises(RefusedError, match="DENIED protected mode"):
        Session().receive([b"-DENIED protected mode\r\n"])


def test_one_reply_too_many_is_a_protocol_error() -> None:
    """
    The requests before it have their replies.
    """
    paired, (request,) = expecting(1)

    with pytest.raises(ProtocolError, match="no command asked for"):
        paired.receive([b":1\r\n:2\r\n"])

    assert [1] == request.outcome()


def test_the_end_fails_what_is_pending() -> None:
    """
    Each failure says whether this very request may have run; replies that came are kept.
    """
    paired, (answered, half, unsent) = expecting(1, 2, 1)
    answered.sent = half.sent = True
    paired.receive([b":1\r\n:2\r\n"])

    failed = paired.end(ConnectionLostError("gone"))

    assert [half, unsent] == failed
    assert [1] == answered.outcome()
    with pytest.raises(ConnectionLostError, match="gone") as sent:
        half.outcome()
    with pytest.raises(ConnectionLostError, match="gone") as not_sent:
        unsent.outcome()
    assert (True, False) == (sent.value.may_have_run, not_sent.value.may_have_run)
    assert [2] == half.replies


def test_each_waiter_gets_an_exception_of_its_own() -> None:
    """
    A shared one would collect the tracebacks of all.
    """
    paired, requests = expecting(1, 1)
    cause = OSError("reset")
    failure = ConnectionLostError("gone")
    failure.__cause__ = cause
    paired.end(failure)
    raised = []

    for request in requests:
        with pytest.raises(ConnectionLostError) as caught:
            request.outcome()
        raised.append(caught.value)

    assert raised[0] is not raised[1]
    assert failure not in raised
    assert [cause, cause] == [error.__cause__ for error in raised]


def test_after_the_end_nothing_is_accepted() -> None:
    """
    The refusal names the failure and says that nothing was sent.
    """
    paired = Session()
    paired.end(ConnectionLostError("gone", may_have_run=True))

    with pytest.raises(ConnectionLostError, match="gone") as caught:
        paired.expect(Request(1))

    assert not caught.value.may_have_run


def test_the_first_failure_counts() -> None:
    """
    Closing after a failure does not hide it.
    """
    paired, (request,) = expecting(1)

    paired.end(ProtocolError("garbage"))
    paired.end(ConnectTimeoutError("other"))

    with pytest.raises(ProtocolError, match="garbage"):
        request.outcome()


def test_received_counts_arrivals() -> None:
    """
    A part of a reply is a sign of life too.
    """
    paired, _ = expecting(1)

    paired.receive([b"$3\r\n"])
    paired.receive([b"ab"])

    assert 2 == paired.received


def test_interrupted_anywhere_every_reply_reaches_its_request() -> None:
    """
    A signal handler that raises at any point loses no reply, moves none, and lets no request seem done that is not.
    """
    wire = b":1\r\n" + PUSH + b"+a\r\n" + PUSH + b"|1\r\n+k\r\n:0\r\n:2\r\n!5\r\nERR x\r\n$3\r\n\n|b\r\n" + PUSH
    expected = ["[1]", "[b'a', 2]", "[ErrorLine('ERR x'), b'\\n|b']"]

    for cut in (1, 5, 14, 30, 40, 60, 70, 80, len(wire)):
        for point in range(1000):
            paired, requests = expecting(1, 2, 2)
            pieces = [wire[:cut]]

            def read(paired: Session = paired, pieces: list[bytes] = pieces) -> None:
                paired.receive(pieces)

            struck = strike(point, read)
            done = [repr(request.replies) if request.done() else None for request in requests]
            assert all(found in (None, wanted) for found, wanted in zip(done, expected, strict=True)), (cut, point)
            read()
            if wire[cut:]:
                pieces.append(wire[cut:])
                struck = struck or strike(point, read)
                read()

            assert expected == [repr(request.replies) for request in requests], (cut, point)
            assert (0, 3, []) == (len(paired.pending), len(paired.pushes), pieces), (cut, point)
            if not struck:
                break


def test_interrupted_anywhere_a_short_reply_reaches_its_request() -> None:
    """
    It is read with a reader of its own, and nothing of an interrupted attempt is left in that.
    """
    for point in range(200):
        paired, (first, second) = expecting(1, 1)
        pieces = [b"*1\r\n$1\r\na\r\n"]

        struck = strike(point, partial(paired.receive, pieces))
        if pieces:
            assert not first.done()
            paired.receive(pieces)
        paired.receive([b"%1\r\n$1\r\nb\r\n*0\r\n"])

        assert ([[b"a"]], [{b"b": []}]) == (first.replies, second.replies), point
        assert not (paired.pending or pieces), point
        if not struck:
            break


def test_interrupted_anywhere_the_replies_of_a_pipeline_reach_it() -> None:
    """
    All of them come in one piece, for one request or for the first of two.
    """
    for numbers in ((3,), (3, 1)):
        for point in range(200):
            paired, requests = expecting(*numbers)
            pieces = [b":1\r\n+two\r\n:3\r\n"]

            struck = strike(point, partial(paired.receive, pieces))
            if not requests[0].done():
                paired.receive(pieces)

            assert [1, b"two", 3] == requests[0].outcome(), point
            assert (requests[1:], []) == (paired.pending, pieces), point
            if not struck:
                break


LARGE = b"%1\r\n$1\r\ns\r\n*50\r\n" + b"*2\r\n$3\r\n5-1\r\n*2\r\n$1\r\nf\r\n$4\r\n\r\n:1\r\n" * 50


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What counts as large is small, so that all cuts can be tried.
    """
    monkeypatch.setattr(session, "SMALL_PIECE_BYTES", 40)
    monkeypatch.setattr(session, "_SHORT_WORD_BYTES", 20)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("most", [3, 64])
@pytest.mark.parametrize("after", [b"", PUSH, b"*1\r\n:1\r\n"], ids=["alone", "a message", "another one"])
def test_the_pieces_of_a_large_reply(monkeypatch: pytest.MonkeyPatch, most: int, after: bytes) -> None:
    """
    However many there are, and whatever follows in the last one: they come to the same.
    """
    monkeypatch.setattr(session, "_HELD_PIECES", most)
    whole, (alone,) = expecting(1)
    whole.receive([LARGE])
    for size in (*range(20, 120), 400, 1000):
        wire = LARGE + after
        paired, (first, *_) = expecting(*[1] * (1 + after.startswith(b"*")))
        for begin in range(0, len(wire), size):
            paired.receive([wire[begin : begin + size]])
        assert alone.replies == first.replies
        assert int(after == PUSH) == len(paired.pushes)
        assert not paired.pending
        assert not paired._held


@pytest.mark.usefixtures("small")
def test_a_request_that_joins_while_a_large_reply_comes() -> None:
    """
    Its reply is its own.
    """
    for cut in range(1, len(LARGE)):
        paired, (first,) = expecting(1)
        paired.receive([LARGE[:cut]])
        second = Request(1)
        paired.expect(second)

        assert [first] == paired.receive([LARGE[cut:]])
        assert [second] == paired.receive([b":7\r\n"])
        assert [7] == second.replies


@pytest.mark.usefixtures("small")
def test_what_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Pieces that end inside of a short word, up to a number of bytes and of pieces; what has an end is parsed.
    """
    monkeypatch.setattr(session, "_HELD_BYTES", 300)
    monkeypatch.setattr(session, "_HELD_PIECES", 3)

    def held(*cuts: int, wire: bytes = LARGE, most: float = math.inf) -> list[int]:
        paired, _ = expecting(1)
        paired.max_size = most
        sizes = []
        for begin, end in zip((0, *cuts), cuts, strict=False):
            paired.receive([wire[begin:end]])
            sizes.append(sum(map(len, paired._held)))
        return sizes

    first = LARGE.index(b"*50") + 45
    cuts = [at for at in range(first, len(LARGE)) if not LARGE[:at].endswith(b"\n")]
    assert [cuts[0], cuts[50], cuts[100], 0] == held(cuts[0], cuts[50], cuts[100], cuts[150])
    assert [cuts[0], 0] == held(cuts[0], next(at for at in cuts if at > 300))
    assert [cuts[0], 0] == held(cuts[0], cuts[50], most=cuts[50] - 1)
    assert [0] == held(LARGE.index(b"\n", first) + 1)
    assert [0] == held(100, wire=b"*2\r\n$300\r\n" + b"x" * 300)


@pytest.mark.usefixtures("small")
def test_nothing_is_held_back_from_one_of_several() -> None:
    """
    A reply that is complete is not kept waiting for the next one.
    """
    paired, (first, second) = expecting(1, 1)

    assert [first] == paired.receive([LARGE + LARGE[:90]])
    assert [second] == paired.receive([LARGE[90:]])
    assert first.replies == second.replies


@pytest.mark.usefixtures("small")
def test_what_is_held_back_counts() -> None:
    """
    A reply that grows too large ends the connection, held back or not; and garbage is found when it is parsed.
    """
    paired, _ = expecting(1)
    paired.measured, paired.max_size = True, 500
    with pytest.raises(OversizedReplyError):
        for begin in range(0, len(LARGE), 50):
            paired.receive([LARGE[begin : begin + 50]])
    paired, _ = expecting(1)
    paired.receive([LARGE[:100]])
    with pytest.raises(ProtocolError):
        paired.receive([LARGE[100:200] + b"\r\n@\r\n" + LARGE[200:]])


@pytest.mark.usefixtures("small")
def test_interrupted_anywhere_the_pieces_of_a_large_reply_are_kept() -> None:
    """
    They can be given again, and nothing is lost or comes twice.
    """
    whole, (alone,) = expecting(1)
    whole.receive([LARGE])
    for cuts in ((90, 300), (90, 91), (300, len(LARGE) - 1)):
        for point in range(400):
            paired, (first,) = expecting(1)
            struck = False
            for begin, end in zip((0, *cuts), (*cuts, len(LARGE)), strict=True):
                pieces = [LARGE[begin:end]]
                struck |= strike(point, partial(paired.receive, pieces))
                if pieces or not first.done():
                    paired.receive(pieces)
            assert alone.replies == first.replies, (cuts, point)
            assert not (paired.pending or paired._held), (cuts, point)
            if not struck:
                break


def test_what_came_before_something_invalid_is_handed_out() -> None:
    """
    Even the replies of a request that will never be complete.
    """
    paired, (first, second, third) = expecting(1, 2, 3)

    with pytest.raises(ProtocolError):
        paired.receive([b":1\r\n:2\r\n:3\r\n:4\r\n@\r\n"])

    assert ([1], [2, 3], [4]) == (first.replies, second.replies, third.replies)
    assert [first, second] == paired.complete
