"""
The reply to a consumer's read, in the shape of either protocol, becomes entries in the order in which they are served.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core.consumer.arrivals import Arrivals, alone, look, read, read_claims
from coredis._core.consumer.cursors import Cursor
from coredis._core.replies import decoded, raw
from coredis.exceptions import InvalidResponse, ProtocolError, RedisError

CURSORS = {name: Cursor(name, name.decode(), None) for name in (b"a", b"b", b"c")}
MANY = {b"%d" % number: Cursor(b"%d" % number, str(number), None) for number in range(9)}


def entries(*numbers: int) -> list[object]:
    """
    Make entries as the server sends them.
    """
    return [[b"%d-0" % number, [b"n", b"%d" % number]] for number in numbers]


def shaped(streams: dict[bytes, object], protocol: int) -> object:
    """
    Give the reply the shape of a protocol.
    """
    return streams if protocol == 3 else [[name, found] for name, found in streams.items()]


def served(arrivals: Arrivals[bytes]) -> list[tuple[bytes, bytes]]:
    """
    Give stream and identifier of each entry in order.
    """
    return [(stream, entry.identifier) for stream, entry in arrivals.items()]


@pytest.mark.parametrize("protocol", [2, 3])
def test_one_stream(protocol: int) -> None:
    """
    Its entries come in order, and the last of them is where it stands.
    """
    found = read([shaped({b"a": entries(1, 2, 3)}, protocol)], CURSORS, raw())

    assert [(b"a", b"1-0"), (b"a", b"2-0"), (b"a", b"3-0")] == served(found)
    assert {b"n": b"2"} == found.items()[1][1].field_values
    assert {b"a": b"3-0", b"b": None, b"c": None} == found.last
    assert {} == found.deleted


@pytest.mark.parametrize("protocol", [2, 3])
def test_several_streams_take_turns(protocol: int) -> None:
    """
    A busy one does not keep the others waiting, and the order within each is kept.
    """
    found = read([shaped({b"a": entries(1, 2, 3, 4), b"b": entries(5), b"c": entries(6, 7)}, protocol)], CURSORS, raw())

    assert [
        (b"a", b"1-0"),
        (b"b", b"5-0"),
        (b"c", b"6-0"),
        (b"a", b"2-0"),
        (b"c", b"7-0"),
        (b"a", b"3-0"),
        (b"a", b"4-0"),
    ] == served(found)
    assert {b"a": b"4-0", b"b": b"5-0", b"c": b"7-0"} == found.last


@pytest.mark.parametrize("reply", [None, {}, [], {b"a": []}, [[b"a", []]]])
def test_nothing(reply: object) -> None:
    """
    Every stream asked for has nothing, whether it is mentioned or not.
    """
    assert ([], {b"a": None, b"b": None, b"c": None}, {}) == read([reply], CURSORS, raw())[1:4]


@pytest.mark.parametrize("protocol", [2, 3])
def test_entries_that_no_longer_exist(protocol: int) -> None:
    """
    They are pending in the group and deleted from the stream: named, counted as read, and not served.
    """
    history = [[b"1-0", None], *entries(2), [b"3-0", None]]

    found = read([shaped({b"a": history, b"b": [[b"4-0", None]]}, protocol)], CURSORS, raw())

    assert [(b"a", b"2-0")] == served(found)
    assert {b"a": b"3-0", b"b": b"4-0", b"c": None} == found.last
    assert {b"a": [b"1-0", b"3-0"], b"b": [b"4-0"]} == found.deleted


@pytest.mark.parametrize("protocol", [2, 3])
def test_text_is_decoded_and_names_for_bookkeeping_are_not(protocol: int) -> None:
    """
    What cannot be decoded stays bytes, and no entry is lost for it.
    """
    reply = shaped({b"a": [[b"1-0", [b"f", "\u00e9".encode()]], [b"2-0", [b"f", b"\xff"]]]}, protocol)

    found = read([reply], CURSORS, decoded("utf-8"))

    assert [("a", "1-0"), ("a", "2-0")] == [(stream, entry.identifier) for stream, entry in found.items()]
    assert [{"f": "\u00e9"}, {"f": b"\xff"}] == [entry.field_values for _, entry in found.items()]
    assert b"2-0" == found.last[b"a"]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_stream_nobody_asked_for(protocol: int) -> None:
    """
    The reply is not for this read, so the connection cannot be trusted.
    """
    with pytest.raises(ProtocolError, match="not asked for") as caught:
        read([shaped({b"canary": entries(1)}, protocol)], CURSORS, raw())

    assert caught.value.may_have_run
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("identifier", [b"1", b"x-1", b"1-", b"-1", b"", b"1-1-1", b"1-1\n", b">", b"9" * 21 + b"-1"])
@pytest.mark.parametrize("before", [0, 2])
def test_an_entry_without_an_identifier(identifier: bytes, before: int) -> None:
    """
    Nobody could say where to go on after it.
    """
    reply = [*([b"%d-0" % number, [b"f", b"v"]] for number in range(1, before + 1)), [identifier, [b"f", b"v"]]]

    with pytest.raises(ProtocolError, match="identifier") as caught:
        read([{b"a": reply}], CURSORS, raw())

    assert caught.value.may_have_run
    sound = [[b"7-0", [b"f", b"v"]]]
    with pytest.raises(ProtocolError, match="identifier"):
        read([dict.fromkeys(MANY, sound) | {b"5": reply}], MANY, raw())
    assert dict.fromkeys(MANY, b"7-0") == read([dict.fromkeys(MANY, sound)], MANY, raw()).last


@pytest.mark.parametrize("identifier", [7, None, [b"1-0"], "1-0"])
def test_an_identifier_that_is_no_text(identifier: object) -> None:
    """
    What the caller makes an error of the protocol of, as of any other strange shape.
    """
    with pytest.raises(TypeError):
        read([{b"a": [[identifier, [b"f", b"v"]]]}], CURSORS, raw())
    with pytest.raises(TypeError):
        read([{b"%d" % number: [[identifier, [b"f", b"v"]]] for number in range(9)}], MANY, raw())


@pytest.mark.parametrize("identifier", [b"%d-0" % 2**64, b"0-%d" % 2**64, b"9" * 20 + b"-" + b"9" * 20])
def test_an_identifier_that_is_too_large(identifier: bytes) -> None:
    """
    Each half has 64 bits.
    """
    with pytest.raises(ValueError):
        read([{b"a": [[identifier, [b"f", b"v"]]]}], CURSORS, raw())
    with pytest.raises(ValueError):
        read([{b"%d" % number: [[identifier, [b"f", b"v"]]] for number in range(9)}], MANY, raw())
    largest = b"%d-%d" % (2**64 - 1, 2**64 - 1)
    assert largest == read([{b"a": [[largest, [b"f", b"v"]]]}], CURSORS, raw()).last[b"a"]


@pytest.mark.parametrize("fields", [[b"f"], [b"f", b"v", b"g"]])
def test_a_field_without_a_value(fields: list[bytes]) -> None:
    """
    No server sends it; it is an error of the library, not of Python.
    """
    with pytest.raises(InvalidResponse) as caught:
        read([{b"a": [[b"1-0", fields]]}], CURSORS, raw())

    assert isinstance(caught.value, RedisError)


def test_repeated_fields_are_kept() -> None:
    """
    A stream entry is a list of pairs in truth.
    """
    found = read([{b"a": [[b"1-0", [b"f", b"1", b"f", b"2"]]]}], CURSORS, raw())

    assert {b"f": b"2"} == dict(found.items()[0][1].field_values)


def test_reading_changes_no_cursor() -> None:
    """
    Recording is another step, made when the entries are safe.
    """
    before = {name: repr(cursor) for name, cursor in CURSORS.items()}

    read([{b"a": entries(1)}], CURSORS, raw())

    assert before == {name: repr(cursor) for name, cursor in CURSORS.items()}


def claimed(*numbers: int, idle: int = 5000, delivered: int = 1) -> list[object]:
    """
    Make entries as XREADGROUP CLAIM sends those of others, or new ones with ``idle=0, delivered=0``.
    """
    return [[b"%d-0" % number, [b"n", b"%d" % number], idle, delivered] for number in numbers]


@pytest.mark.parametrize("protocol", [2, 3])
def test_claimed_entries_do_not_say_where_the_group_stands(protocol: int) -> None:
    """
    They come first and are older or newer than what was read here; only new ones move the cursor.
    """
    reply = {b"a": [*claimed(8, 9), *claimed(3, 4, idle=0, delivered=0)], b"b": claimed(7)}

    found = read([shaped(reply, protocol)], CURSORS, raw(), set())

    assert {b"a": b"4-0", b"b": None, b"c": None} == found.last
    assert 3 == found.claimed
    assert [(b"a", b"8-0"), (b"b", b"7-0"), (b"a", b"9-0"), (b"a", b"3-0"), (b"a", b"4-0")] == served(found)
    assert (5000, 1) == found.items()[0][1][2:]


def test_held_entries_are_left_out() -> None:
    """
    They were delivered already; they still say where the stream stands.
    """
    found = read([{b"a": entries(1, 2, 3)}, {b"b": entries(1)}], CURSORS, raw(), {(b"a", b"3-0"), (b"b", b"1-0")})

    assert [(b"a", b"1-0"), (b"a", b"2-0")] == served(found)
    assert ({b"a": b"3-0", b"b": b"1-0", b"c": None}, 2) == (found.last, found.suppressed)


def test_held_entries_are_not_counted_as_claimed() -> None:
    """
    Taking over from oneself is none.
    """
    held = {(b"a", b"8-0")}

    assert 1 == read([{b"a": claimed(8, 9)}], CURSORS, raw(), held).claimed
    assert 1 == read_claims([[b"0-0", entries(8, 9)]], {b"a": CURSORS[b"a"]}, raw(), held)[0].claimed


def test_without_an_account_there_are_no_keys() -> None:
    """
    Who does not keep account of what he holds does not pay for it.
    """
    assert [] == read([{b"a": entries(1)}], CURSORS, raw()).keys


def test_replies_to_looking() -> None:
    """
    One for each stream: where to go on, what was taken over, what the server removed.
    """
    answers = [[b"9-0", entries(1, 2), [b"5-0"]], [b"0-0", [], []]]
    asked = {name: CURSORS[name] for name in (b"a", b"c")}

    found, following = read_claims(answers, asked, raw(), {(b"a", b"2-0")})

    assert [(b"a", b"1-0")] == served(found)
    assert ([(b"a", b"1-0")], 1, {b"a": [b"5-0"]}, {}) == (found.keys, found.suppressed, found.deleted, found.last)
    assert {b"a": b"9-0", b"c": b"0-0"} == following


@pytest.mark.parametrize("identifier", [b"1", b"x-1", b"", b"9" * 21 + b"-1", b"9" * 20 + b"-1", None, 1, [b"1-0"]])
def test_what_is_sent_back_is_an_identifier(identifier: object) -> None:
    """
    Where to go on looking, and what is to be acknowledged away: nothing else ever gets into a command.
    """
    asked = {b"a": CURSORS[b"a"]}
    for answer in ([identifier, [], []], [b"0-0", [], [b"1-0", identifier]]):
        with pytest.raises((ProtocolError, TypeError, ValueError)):
            read_claims([answer], asked, raw(), set())
    with pytest.raises((ProtocolError, TypeError, ValueError)):
        read([{b"a": [[identifier, None], *entries(1)]}], CURSORS, raw())


def test_a_reply_to_looking_that_is_not_for_it() -> None:
    """
    As many replies as streams.
    """
    with pytest.raises(ValueError):
        read_claims([[b"0-0", []]], CURSORS, raw(), set())


@given(
    streams=st.dictionaries(st.sampled_from(sorted(CURSORS)), st.sets(st.integers(1, 20)).map(sorted)),
    held=st.sets(st.tuples(st.sampled_from(sorted(CURSORS)), st.integers(1, 20).map(lambda number: b"%d-0" % number))),
    protocol=st.sampled_from((2, 3)),
)
def test_keys_belong_to_items(streams: dict[bytes, list[int]], held: set[tuple[bytes, bytes]], protocol: int) -> None:
    """
    Whatever is left out and however the streams take turns: the n-th key is of the n-th item, each comes once, and each
    stream's in order.
    """
    reply = shaped({name: entries(*numbers) for name, numbers in streams.items()}, protocol)

    found = read([reply], CURSORS, raw(), held)

    assert served(found) == list(found.keys)
    for name, numbers in streams.items():
        mine = [b"%d-0" % number for number in numbers if (name, b"%d-0" % number) not in held]
        assert mine == [identifier for stream, identifier in found.keys if stream == name]
    assert sum(map(len, streams.values())) == len(found.items()) + found.suppressed


@given(
    streams=st.dictionaries(st.sampled_from(sorted(MANY)), st.lists(st.integers(1, 2**64 - 1), max_size=3), min_size=3),
    new=st.booleans(),
)
def test_many_streams_are_seen_as_few_are(streams: dict[bytes, list[int]], new: bool) -> None:
    """
    They are looked at together where nothing is special about them.
    """
    found = {name: entries(*numbers) if new else claimed(*numbers) for name, numbers in streams.items()}

    together = look([found], MANY)

    one_by_one = [look([{name: raw}], {name: MANY[name]}) for name, raw in found.items()]
    assert {name: last for one in one_by_one for name, last in one.last.items()} == {
        name: together.last[name] for name in found
    }
    assert {name: count for one in one_by_one for name, count in one.counts.items()} == together.counts
    assert {name: raw for name, raw in found.items() if raw} == together.raw
    assert sum(one.claimed for one in one_by_one) == together.claimed
    assert {together.last[name] for name in MANY.keys() - found.keys()} <= {None}


def test_many_streams_nobody_asked_for() -> None:
    """
    One of them is enough.
    """
    with pytest.raises(ProtocolError, match="not asked for"):
        look([dict.fromkeys(MANY, entries(1)) | {b"canary": entries(1)}], MANY)


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_stream_alone(protocol: int) -> None:
    """
    What comes of it is what comes of reading several.
    """
    reply = shaped({b"a": entries(1, 2, 3)}, protocol)

    short = alone(reply, b"a", raw())

    assert short is not None
    assert (read([reply], CURSORS, raw()).entries, b"3-0") == short
    assert short == alone(reply, b"a", raw(), 3)
    assert alone(reply, b"a", raw(), 2) is None


@pytest.mark.parametrize(
    "reply",
    [
        None,
        {},
        [],
        {b"a": []},
        {b"canary": entries(1)},
        {b"a": entries(1), b"b": entries(1)},
        {b"a": [[b"1-0", None]]},
        {b"a": [*entries(1), [b"2-0", None]]},
        {b"a": claimed(1, 2)},
        {b"a": [*entries(1), [b"2-0", [b"other", b"2"]]]},
        {b"a": [*entries(1), [b"2-0", [b"n"]]]},
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_a_stream_that_is_not_plain(reply: object, protocol: int) -> None:
    """
    It is left to who reads everything.
    """
    assert alone(shaped(reply, protocol) if isinstance(reply, dict) else reply, b"a", raw()) is None


@pytest.mark.parametrize("reply", [7, {b"a": 7}, {b"a": [7]}, [b"a"], {b"a": [[b"x", [b"f", b"v"]]]}])
def test_a_stream_alone_in_a_strange_shape(reply: object) -> None:
    """
    What reading it raises is told where everything is read.
    """
    with pytest.raises((ProtocolError, TypeError, ValueError)):
        alone(reply, b"a", raw())
    with pytest.raises((ProtocolError, TypeError, ValueError, AttributeError)):
        read([reply], CURSORS, raw())
