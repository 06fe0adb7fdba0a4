"""
Batches of entries: what is sent together, what is sent again, and what is known of each entry.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core import replies
from coredis._core.additions import Addition
from coredis._core.batches import REMEMBERED_ENTRIES, Batch, Batches
from coredis._core.commands import streams as build
from coredis._core.commands.streams import FEW_FIELDS
from coredis._core.parser import ErrorLine
from coredis._core.session import Request
from coredis._core.transaction import CHUNK_BYTES, CHUNK_COMMANDS
from coredis._core.wire import encode
from coredis.exceptions import ConnectionLostError, MovedError


def batches_of(entries: list[Any], producer: str | None = None) -> Batches[bytes]:
    """
    Encode entries completely.
    """
    command = build.add(replies.raw(), "s", build.LATER, None, False, producer, None, None, None, None, None, None)
    batches: Batches[bytes] = Batches(command, "utf-8")
    held = list(entries)
    while held and batches.refused is None:
        batches.absorb(held)
        if held and batches.refused is None:
            batches.outstanding[-1].begun = True  # so that the next one begins
    for batch in batches.outstanding:
        batch.begun = False
    return batches


def answered(batch: Batch, *answers: object, sent: bool = True) -> None:
    """
    Have a batch sent and some of its replies come; not sent: the channel ended while it waited for that.
    """
    batch.begun = True
    batch.request = Request(len(batch.payloads))
    batch.request.sent = sent
    batch.request.failure = None if sent else ConnectionLostError("gone")
    batch.request.replies += answers


numbers = [{"n": number} for number in range(3)]


@given(
    st.lists(
        st.lists(
            st.tuples(st.text(max_size=3), st.binary(max_size=3) | st.integers() | st.text(max_size=3)), min_size=1
        ),
        min_size=1,
    )
)
def test_an_entry_is_encoded_as_a_command(entries: list[Any]) -> None:
    """
    Though its constant words are packed once only.
    """
    expected = [encode(("XADD", "s", b"*", *[word for pair in entry for word in pair])) for entry in entries]

    assert expected == [payload for batch in batches_of(entries).outstanding for payload in batch.payloads]


@pytest.mark.parametrize("count", [1, FEW_FIELDS, FEW_FIELDS + 1, 100])
def test_an_entry_may_have_any_number_of_fields(count: int) -> None:
    """
    A mapping of them is encoded like pairs.
    """
    pairs = [(f"name{number}", number) for number in range(count)]
    (batch,) = batches_of([dict(pairs), pairs]).outstanding

    expected = encode(("XADD", "s", "*", *[word for pair in pairs for word in pair]))
    assert [expected, expected] == batch.payloads


@pytest.mark.parametrize("replies", [[b"1-1"], [None], [b"1-1", None, b"1-2"]])
def test_identifiers_are_what_was_answered(replies: list[Any]) -> None:
    """
    There is none of an entry that was not to make the stream.
    """
    batches = batches_of(numbers[: len(replies)])
    answered(batches.outstanding[0], *replies)

    assert batches.settle()
    assert tuple(replies) == batches.outcome().identifiers


def test_batches_are_bounded() -> None:
    """
    In entries, in bytes, and in what the server remembers of a producer.
    """
    many = batches_of([{"n": 1}] * (CHUNK_COMMANDS + 1)).outstanding
    large = batches_of([{"n": b"x" * CHUNK_BYTES}] * 3).outstanding
    remembered = batches_of([{"n": 1}] * 70, "producer").outstanding

    assert [CHUNK_COMMANDS, 1] == [len(batch.payloads) for batch in many]
    assert [1, 1, 1] == [len(batch.payloads) for batch in large]
    assert [REMEMBERED_ENTRIES, REMEMBERED_ENTRIES, 6] == [len(batch.payloads) for batch in remembered]


def test_all_from_the_first_refused_one_on_is_sent_again() -> None:
    """
    What was added before it is settled, and the batches behind are kept as they are.
    """
    batches = batches_of([{"n": number} for number in range(CHUNK_COMMANDS + 2)])
    first, second = batches.outstanding
    answered(first, *[b"1-1"] * 998, ErrorLine("TRYAGAIN later"), ErrorLine("TRYAGAIN later"))
    answered(second, ErrorLine("TRYAGAIN later"), ErrorLine("TRYAGAIN later"))

    assert not batches.settle()
    error = batches.conclude()

    assert "TRYAGAIN later" == str(error)
    assert 998 == batches.settled
    assert [first.payloads[998:], second.payloads] == [batch.payloads for batch in batches.outstanding]


def test_nothing_is_sent_again_behind_an_added_one() -> None:
    """
    The order of the stream is that of the entries.
    """
    batches = batches_of(numbers)
    answered(batches.outstanding[0], b"1-1", ErrorLine("LOADING wait"), b"1-2")

    assert batches.conclude() is None
    batches.give_up([])

    assert (b"1-1", None, b"1-2") == batches.outcome().identifiers
    assert (1,) == batches.outcome().not_added


def test_what_may_have_been_added_is_not_sent_again() -> None:
    """
    Unless the server remembers it.
    """
    for producer, again in ((None, False), ("producer", True)):
        batches = batches_of(numbers, producer)
        assert again == isinstance(batches.command, Addition)
        batches.failure = ConnectionLostError("gone", may_have_run=True)
        answered(batches.outstanding[0], b"1-1")

        assert again == (batches.conclude() is not None)
        batches.give_up([])
        assert ((b"1-1", None, None), (1, 2)) == (batches.outcome().identifiers, batches.outcome().unknown)


def test_what_was_not_sent_is_sent_again() -> None:
    """
    Nothing has happened to it.
    """
    batches = batches_of(numbers)
    batches.failure = ConnectionLostError("gone", may_have_run=True)
    answered(batches.outstanding[0], b"1-1", sent=False)

    assert batches.conclude() is not None
    assert 2 == len(batches.outstanding[0].payloads)


def test_doubt_outlasts_a_later_refusal() -> None:
    """
    An attempt that may have been executed is not undone by one that was refused.
    """
    batches = batches_of(numbers, "producer")
    batches.failure = ConnectionLostError("gone", may_have_run=True)
    answered(batches.outstanding[0])
    assert batches.conclude() is not None
    batches.failure = None
    answered(batches.outstanding[0], *[ErrorLine("OOM no")] * 3)

    assert batches.conclude() is not None  # as after the first loss: the server may remember them
    batches.give_up([])

    assert (0, 1, 2) == batches.outcome().unknown


def test_the_latest_failure_decides() -> None:
    """
    After MOVED to a node that is not there it is the connection that failed, and the redirect is not followed once more.
    """
    batches = batches_of(numbers)
    answered(batches.outstanding[0], *[ErrorLine("MOVED 1 127.0.0.1:1")] * 3)
    assert isinstance(batches.conclude(), MovedError)
    batches.failure = failure = ConnectionLostError("nobody is there")

    assert failure is batches.conclude()
    batches.give_up([])

    assert [failure] * 3 == list(batches.outcome().errors.values())


def test_a_redirect_is_followed_in_doubt() -> None:
    """
    What is told is the doubt, and what decides where to go is the redirect.
    """
    batches = batches_of(numbers, "producer")
    batches.failure = ConnectionLostError("gone", may_have_run=True)
    answered(batches.outstanding[0])
    assert batches.conclude() is not None
    batches.failure = None
    answered(batches.outstanding[0], *[ErrorLine("MOVED 1 127.0.0.1:1")] * 3)

    assert isinstance(batches.conclude(), MovedError)
    assert [ConnectionLostError] * 3 == list(map(type, batches.outstanding[0].errors))


def test_an_unexpected_reply_is_no_identifier() -> None:
    """
    What the server did is unknown then.
    """
    command = build.add(replies.decoded("utf-8"), "s", build.LATER, None, False, *[None] * 7)  # type: ignore[arg-type]
    batches: Batches[str] = Batches(command, "utf-8")
    batches.absorb([{"n": 1}, {"n": 2}])
    answered(batches.outstanding[0], b"1-1", 7)

    assert not batches.settle()
    assert batches.conclude() is None
    batches.give_up([])

    assert (("1-1", None), (1,)) == (batches.outcome().identifiers, batches.outcome().unknown)
