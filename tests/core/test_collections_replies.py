"""
Replies about collections: RESP2 and RESP3 give the same, raw and decoded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import Any

import pytest

from coredis._core import replies
from coredis._core.replies import collections
from coredis.exceptions import InvalidResponse
from coredis.types import ScoredMember

raw = replies.raw()
decoded = replies.decoded("utf-8")
A, B = ScoredMember("a", 1.0), ScoredMember("b", inf)

# (converter of a client that decodes, reply in RESP2, reply in RESP3, result)
SHAPES: list[tuple[str, Any, Any, Any, Any]] = [
    ("list", decoded.text_list, [b"a", b"b"], [b"a", b"b"], ["a", "b"]),
    ("set", decoded.text_set, [b"a", b"b"], [b"a", b"b"], {"a", "b"}),
    ("map", decoded.text_map, [b"a", b"1", b"b", b"2"], {b"a": b"1", b"b": b"2"}, {"a": "1", "b": "2"}),
    ("empty map", decoded.text_map, [], {}, {}),
    ("scores", decoded.scored_members, [b"a", b"1", b"b", b"inf"], [[b"a", 1.0], [b"b", inf]], (A, B)),
    ("no scores", decoded.scored_members, [], [], ()),
    ("SET", decoded.stored(False), b"OK", b"OK", True),
    ("SET NX", decoded.stored(False), None, None, False),
    ("SET GET", decoded.stored(True), b"v", b"v", "v"),
    ("SET GET of nothing", decoded.stored(True), None, None, None),
    ("LPOP", decoded.popped(None), b"a", b"a", "a"),
    ("LPOP of nothing", decoded.popped(None), None, None, None),
    ("LPOP 2", decoded.popped(2), [b"a"], [b"a"], ["a"]),
    ("LPOP 2 of nothing", decoded.popped(2), None, None, None),
    ("SPOP", decoded.taken_from_set(None), b"a", b"a", "a"),
    ("SPOP 0", decoded.taken_from_set(0), [], [], set()),
    ("SRANDMEMBER", decoded.set_sample(None), None, None, None),
    ("SRANDMEMBER 2", decoded.set_sample(2), [b"a", b"b"], [b"a", b"b"], {"a", "b"}),
    ("SRANDMEMBER -2", decoded.set_sample(-2), [b"a", b"a"], [b"a", b"a"], ("a", "a")),
    ("HRANDFIELD", decoded.hash_sample(None, False), b"a", b"a", "a"),
    ("HRANDFIELD 1", decoded.hash_sample(1, False), [b"a"], [b"a"], ("a",)),
    ("HRANDFIELD 1 WITHVALUES", decoded.hash_sample(1, True), [b"a", b"1"], [[b"a", b"1"]], {"a": "1"}),
    (
        "HRANDFIELD -2 WITHVALUES",
        decoded.hash_sample(-2, True),
        [b"a", b"1", b"a", b"1"],
        [[b"a", b"1"], [b"a", b"1"]],
        (("a", "1"), ("a", "1")),
    ),
    ("ZRANGE", decoded.members_with(False), [b"a"], [b"a"], ("a",)),
    ("ZRANGE WITHSCORES", decoded.members_with(True), [b"a", b"1"], [[b"a", 1.0]], (A,)),
    ("ZPOPMIN", decoded.popped_with_score(None), [b"a", b"1"], [b"a", 1.0], A),
    ("ZPOPMIN of nothing", decoded.popped_with_score(None), [], [], None),
    ("ZPOPMIN 2", decoded.popped_with_score(2), [b"a", b"1", b"b", b"inf"], [[b"a", 1.0], [b"b", inf]], (A, B)),
    ("ZRANDMEMBER", decoded.sorted_set_sample(None, False), b"a", b"a", "a"),
    ("ZRANDMEMBER 1", decoded.sorted_set_sample(1, False), [b"a"], [b"a"], ("a",)),
    ("ZRANDMEMBER 1 WITHSCORES", decoded.sorted_set_sample(1, True), [b"a", b"1"], [[b"a", 1.0]], (A,)),
    ("ZADD", collections.count_or_score(False), 1, 1, 1),
    ("ZADD INCR", collections.count_or_score(True), b"1.5", 1.5, 1.5),
    ("ZADD NX INCR", collections.count_or_score(True), None, None, None),
    ("ZMSCORE", collections.optional_numbers, [b"1", None], [1.0, None], (1.0, None)),
    ("ZRANK", collections.rank_with(False), 0, 0, 0),
    ("ZRANK WITHSCORE", collections.rank_with(True), [0, b"1"], [0, 1.0], (0, 1.0)),
    ("ZRANK WITHSCORE of nothing", collections.rank_with(True), None, None, None),
    ("LPOS", collections.positions(None), None, None, None),
    ("LPOS COUNT", collections.positions(0), [1, 2], [1, 2], [1, 2]),
    ("BLPOP", decoded.key_and_element, [b"k", b"a"], [b"k", b"a"], ("k", "a")),
    ("BLPOP timeout", decoded.key_and_element, None, None, None),
    ("LMPOP", decoded.key_and_elements, [b"k", [b"a"]], [b"k", [b"a"]], ("k", ["a"])),
    ("LMPOP of nothing", decoded.key_and_elements, None, None, None),
    ("BZPOPMIN", decoded.key_member_score, [b"k", b"a", b"1"], [b"k", b"a", 1.0], ("k", "a", 1.0)),
    ("BZPOPMIN timeout", decoded.key_member_score, None, None, None),
    ("ZMPOP", decoded.key_and_scored_members, [b"k", [[b"a", b"1"]]], [b"k", [[b"a", 1.0]]], ("k", (A,))),
    ("ZMPOP of nothing", decoded.key_and_scored_members, None, None, None),
    ("SCAN", decoded.key_page, [b"7", [b"a"]], [b"7", [b"a"]], (7, ("a",))),
    ("HSCAN", decoded.hash_page(False), [b"0", [b"a", b"1"]], [b"0", [b"a", b"1"]], (0, {"a": "1"})),
    ("HSCAN NOVALUES", decoded.hash_page(True), [b"0", [b"a"]], [b"0", [b"a"]], (0, ("a",))),
    ("HSCAN items", decoded.field_value_items, [b"0", [b"a", b"1"]], [b"0", [b"a", b"1"]], (0, (("a", "1"),))),
    ("SSCAN", decoded.set_page, [b"0", [b"a"]], [b"0", [b"a"]], (0, {"a"})),
    ("ZSCAN", decoded.scored_page, [b"0", [b"a", b"1"]], [b"0", [b"a", b"1"]], (0, (A,))),
]


@pytest.mark.parametrize(
    ("convert", "resp2", "resp3", "expected"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
def test_shape(convert: Any, resp2: Any, resp3: Any, expected: Any) -> None:
    """
    Both protocols give the same result, of the same type.
    """
    assert expected == convert(resp2)
    assert expected == convert(resp3)
    assert type(expected) is type(convert(resp2))


def test_raw() -> None:
    """
    Without decoding all text is bytes.
    """
    assert {b"a": b"1"} == raw.text_map({b"a": b"1"})
    assert (ScoredMember(b"a", 1.0),) == raw.scored_members([[b"a", 1.0]])
    assert {b"a"} == raw.text_set([b"a"])


def test_text_that_cannot_be_decoded_stays_bytes() -> None:
    """
    One bad value spoils nothing else.
    """
    mixed: dict[object, object] = {"a": b"\xff"}

    assert mixed == decoded.text_map({b"a": b"\xff"})


def test_moments() -> None:
    """
    A negative time says that there is none.
    """
    assert datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) == collections.moment_in_seconds(1)
    assert datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC) == collections.moment_in_milliseconds(1)
    assert collections.moment_in_seconds(-1) is None
    assert collections.moment_in_milliseconds(-2) is None


def test_binary_is_never_decoded() -> None:
    """
    What DUMP gives goes back to RESTORE as it is.
    """
    assert b"\xff" == collections.binary(b"\xff")
    assert collections.binary(None) is None


@pytest.mark.parametrize("reply", [None, b"0", [], [b"0"], {}])
def test_strange_pages(reply: object) -> None:
    """
    A page of another shape is an error of the server, not an endless iteration.
    """
    with pytest.raises(InvalidResponse):
        decoded.key_page(reply)
