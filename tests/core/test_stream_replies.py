"""
Results of the stream commands from recorded replies: RESP2 and RESP3, raw and decoded.

What is fed to the parser are the bytes of real servers, so the shapes are those that the parser makes of them.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core import replies
from coredis._core.replies import Replies, entries
from coredis.exceptions import InvalidResponse
from coredis.types import (
    DeletedFields,
    RepeatedFields,
    StreamConsumerPending,
    StreamEntry,
    StreamGroupPending,
    StreamPending,
    StreamPendingExt,
)

RAW = replies.raw()
DECODED = replies.decoded("utf-8")


def encode(value: object, protocol: int) -> bytes:
    """
    Write a reply as a server would: maps as flat arrays and nothing as a null bulk string in RESP2.
    """
    if value is None:
        return b"_\r\n" if protocol == 3 else b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, str | bytes):
        data = value.encode() if isinstance(value, str) else value
        return b"$%d\r\n%b\r\n" % (len(data), data)
    if isinstance(value, dict):
        parts = [encode(part, protocol) for item in value.items() for part in item]
        return (b"%%%d\r\n" % len(value) if protocol == 3 else b"*%d\r\n" % len(parts)) + b"".join(parts)
    assert isinstance(value, list)
    return b"*%d\r\n" % len(value) + b"".join(encode(part, protocol) for part in value)


def parsed(data: bytes) -> Any:
    """
    Parse the bytes of one reply.
    """
    reader = hiredis.Reader(notEnoughData=...)
    reader.feed(data)
    reply = reader.gets()
    assert reply is not ...
    return reply


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def received(request: pytest.FixtureRequest) -> Callable[[object], Any]:
    """
    Make of a value what the parser makes of it in either protocol.
    """
    return lambda value: parsed(encode(value, request.param))


def entry(identifier: str, *words: str) -> list[object]:
    return [identifier, list(words)]


class TestEntries:
    def test_plain(self, received: Callable[[object], Any]) -> None:
        """
        Entries have their fields in order, as plain dicts.
        """
        reply = received([entry("1-1", "a", "1"), entry("1-2", "a", "2"), entry("1-10", "b", "3")])

        raw = RAW.entries(reply)
        decoded = DECODED.entries(reply)

        assert raw == (
            (b"1-1", {b"a": b"1"}, None, None),
            (b"1-2", {b"a": b"2"}, None, None),
            (b"1-10", {b"b": b"3"}, None, None),
        )
        assert decoded == (
            ("1-1", {"a": "1"}, None, None),
            ("1-2", {"a": "2"}, None, None),
            ("1-10", {"b": "3"}, None, None),
        )
        assert {type(item) for item in (*raw, *decoded)} == {StreamEntry}
        assert {type(item.field_values) for item in (*raw, *decoded)} == {dict}

    @pytest.mark.parametrize("fields", [1, 2, 3, 31, 32, 33, 40])
    def test_number_of_fields(self, received: Callable[[object], Any], fields: int) -> None:
        """
        Any number of fields is read, in order.
        """
        words = [f"w{number}" for number in range(2 * fields)]
        reply = received([entry(f"{number}-0", *words) for number in range(3)])

        entries = DECODED.entries(reply)

        assert [list(zip(words[::2], words[1::2], strict=True))] * 3 == [
            list(item.field_values.items()) for item in entries
        ]
        assert [item.identifier for item in entries] == ["0-0", "1-0", "2-0"]

    def test_different_numbers_of_fields(self, received: Callable[[object], Any]) -> None:
        """
        Entries need not be alike.
        """
        reply = received([entry("1-0", "a", "1"), entry("2-0", "a", "1", "b", "2"), entry("3-0", "c", "3")])

        entries = DECODED.entries(reply)

        assert [{"a": "1"}, {"a": "1", "b": "2"}, {"c": "3"}] == [item.field_values for item in entries]

    @pytest.mark.parametrize("others", [0, 1])
    def test_repeated_names(self, received: Callable[[object], Any], others: int) -> None:
        """
        A name that occurs more than once loses nothing, whether all entries or only some are like that.
        """
        reply = received(
            [entry("1-0", "f", "1", "f", "2", "", "e"), *[entry("2-0", "a", "1", "b", "2", "c", "")] * others]
        )

        repeated, *plain = RAW.entries(reply)

        assert repeated.field_values == {b"f": b"2", b"": b"e"}
        assert repeated.pairs == ((b"f", b"1"), (b"f", b"2"), (b"", b"e"))
        assert isinstance(repeated.field_values, RepeatedFields)
        assert [type(item.field_values) for item in plain] == [dict] * others

    @given(
        st.lists(
            st.lists(
                st.tuples(st.sampled_from([b"a", b"b", b"\xff", b"\xfe"]), st.sampled_from([b"1", b"\xff"])), max_size=3
            )
        ),
        st.lists(st.sampled_from([[], [0, 0], [31, 1], [b"7", b"2"]]), max_size=2),
    )
    def test_many_are_read_like_each(self, fields: list[list[tuple[bytes, bytes]]], claims: list[list[object]]) -> None:
        """
        However alike they are, claimed or not, and whatever can be decoded: together entries are what each is alone. Names that
        become the same text are no exception.
        """
        claim = cycle(claims or [[]])
        reply = [
            [b"%d-0" % number, [word for pair in pairs for word in pair], *next(claim)]
            for number, pairs in enumerate(fields)
        ]

        for text in (RAW, DECODED, replies.decoded("ascii"), Replies(lambda word: word.decode("ascii", "replace"))):
            together = text.entries(reply)
            alone = [text.entries([item])[0] for item in reply]

            assert alone == list(together)
            assert [item.pairs for item in alone] == [item.pairs for item in together]
            assert [type(item.field_values) for item in alone] == [type(item.field_values) for item in together]

    def test_deleted(self) -> None:
        """
        A pending entry whose body is gone says so and does not disturb the others; its body is an array that is null.
        """
        for data in (
            b"*2\r\n*2\r\n$3\r\n1-0\r\n*-1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            b"*2\r\n*2\r\n$3\r\n1-0\r\n_\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            b"*2\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n*2\r\n$3\r\n1-0\r\n_\r\n",
        ):
            gone, there = sorted(DECODED.entries(parsed(data)))

            assert tuple(gone) == ("1-0", {}, None, None)
            assert (gone.deleted, there.deleted) == (True, False)
            assert there.field_values == {"b": "2"}

    def test_a_number_for_an_identifier(self) -> None:
        """
        No server says so. Of one entry alone it is what it is of several: not as many zeros as it says, which may be terabytes.
        """
        reply = [[2**50, [b"a", b"1"]]]

        assert RAW.entries(reply) == RAW.entries(reply * 2)[:1]

    def test_claimed(self, received: Callable[[object], Any]) -> None:
        """
        Entries of XREADGROUP with CLAIM tell idle time and deliveries; an early server sent these as text.
        """
        reply = received([["1-0", ["a", "1"], 31, 1], ["4-0", ["a", "4"], 0, 0], ["5-0", ["a", "5"], "7", "2"]])

        assert DECODED.entries(reply) == (
            StreamEntry("1-0", {"a": "1"}, 31, 1),
            StreamEntry("4-0", {"a": "4"}, 0, 0),
            StreamEntry("5-0", {"a": "5"}, 7, 2),
        )

    def test_none(self) -> None:
        """
        No entries are an empty tuple; COUNT 0 once made some servers answer with nothing at all.
        """
        assert RAW.entries(parsed(b"*0\r\n")) == ()
        assert RAW.entries(parsed(b"*-1\r\n")) == ()
        assert RAW.entries(parsed(b"_\r\n")) == ()

    def test_without_fields(self, received: Callable[[object], Any]) -> None:
        """
        An entry without fields cannot be added, but would be no problem.
        """
        (item,) = RAW.entries(received([["1-0", []]]))

        assert (item.field_values, item.deleted) == ({}, False)

    @pytest.mark.parametrize("words", [["f"], ["f", "v", "g"]])
    def test_name_without_a_value(self, received: Callable[[object], Any], words: list[str]) -> None:
        """
        A field without a value is no entry of any server.
        """
        with pytest.raises(InvalidResponse):
            RAW.entries(received([["1-0", words]]))

    def test_undecodable(self, received: Callable[[object], Any]) -> None:
        """
        What cannot be decoded stays bytes; the entry is not lost.
        """
        (item,) = DECODED.entries(received([["1-0", [b"\xff", "é"]]]))

        assert repr(item.pairs) == repr(((b"\xff", "é"),))

    def test_optional(self, received: Callable[[object], Any]) -> None:
        """
        A single entry may be absent.
        """
        assert DECODED.optional_entry(received(entry("1-0", "a", "1"))) == StreamEntry("1-0", {"a": "1"})
        assert DECODED.optional_entry(received(None)) is None


class TestStreams:
    RESP2 = b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"
    RESP3 = b"%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"

    @pytest.mark.parametrize("data", [RESP2, RESP3], ids=["RESP2", "RESP3"])
    def test_entries_by_stream(self, data: bytes) -> None:
        """
        Both protocols give entries by stream.
        """
        assert RAW.streams(parsed(data)) == {b"s": (StreamEntry(b"1-1", {b"a": b"1"}),)}
        assert DECODED.streams(parsed(data)) == {"s": (StreamEntry("1-1", {"a": "1"}),)}

    @pytest.mark.parametrize("data", [b"*-1\r\n", b"_\r\n"], ids=["RESP2", "RESP3"])
    def test_nothing(self, data: bytes) -> None:
        """
        Nothing to read is None.
        """
        assert RAW.streams(parsed(data)) is None

    @pytest.mark.parametrize(
        "data", [b"*1\r\n*2\r\n$1\r\ns\r\n*0\r\n", b"%1\r\n$1\r\ns\r\n*0\r\n"], ids=["RESP2", "RESP3"]
    )
    def test_no_entries(self, data: bytes) -> None:
        """
        A history with nothing pending has its stream, without entries; so has an entry that was deleted before a blocked
        reader of Redis 7.0 got it.
        """
        assert DECODED.streams(parsed(data)) == {"s": ()}

    @given(
        st.dictionaries(
            st.sampled_from([b"a", b"b", b"c", b"d"]),
            st.lists(
                st.sampled_from(
                    [[b"f", b"1"], [b"f", b"2"], [b"g", b"3"], [b"f", b"4", b"f", b"5"], [b"f", b"\xff"], [], None]
                ),
                max_size=3,
            ),
        ),
        st.booleans(),
    )
    def test_several_are_read_like_each(self, streams: dict[bytes, list[list[bytes] | None]], pairs: bool) -> None:
        """
        Whether their entries are made together, because they are alike, or not.
        """
        reply = {
            name: [[b"%d-0" % number, words] for number, words in enumerate(entries)]
            for name, entries in streams.items()
        }

        for text in (RAW, DECODED):
            read = text.streams([[name, entries] for name, entries in reply.items()] if pairs else reply)

            assert read is not None
            assert {text.text(name): text.entries(entries) for name, entries in reply.items()} == read
            assert [[type(entry.field_values) for entry in text.entries(entries)] for entries in reply.values()] == [
                [type(entry.field_values) for entry in entries] for entries in read.values()
            ]


class TestPending:
    def test_summary(self, received: Callable[[object], Any]) -> None:
        """
        The counts of the consumers come as text and become numbers.
        """
        reply = received([3, "1-0", "2-0", [["c1", "2"], ["c2", "1"]]])

        assert DECODED.pending_summary(reply) == StreamPending(3, "1-0", "2-0", {"c1": 2, "c2": 1})
        assert RAW.pending_summary(reply) == (3, b"1-0", b"2-0", {b"c1": 2, b"c2": 1})

    @pytest.mark.parametrize("data", [b"*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n", b"*4\r\n:0\r\n_\r\n_\r\n_\r\n"])
    def test_empty_summary(self, data: bytes) -> None:
        """
        Nothing pending has no identifiers and no consumers.
        """
        assert DECODED.pending_summary(parsed(data)) == StreamPending(0, None, None, {})

    def test_entries(self, received: Callable[[object], Any]) -> None:
        """
        Each pending entry tells who holds it; one that was handed back has no owner.
        """
        reply = received([["1-0", "c1", 120, 1], ["2-0", "", -1, 2**63 - 1]])

        assert DECODED.pending_entries(reply) == (
            StreamPendingExt("1-0", "c1", 120, 1),
            StreamPendingExt("2-0", "", -1, 2**63 - 1),
        )
        assert DECODED.pending_entries(received([])) == ()

    def test_autoclaim(self, received: Callable[[object], Any]) -> None:
        """
        Where to go on, what was claimed and what was deleted; Redis 6.2 did not tell the last.
        """
        reply = received(["0-0", [entry("3-0", "c", "3")], ["2-0"]])

        assert DECODED.autoclaimed(reply) == ("0-0", (StreamEntry("3-0", {"c": "3"}),), ("2-0",))
        assert RAW.autoclaimed(received(["0-0", [], []])) == (b"0-0", (), ())
        assert RAW.autoclaimed(received(["0-0", []])) == (b"0-0", (), ())
        assert DECODED.autoclaimed_identifiers(received(["4-0", ["3-0"], []])) == ("4-0", ("3-0",))


FULL = {
    "length": 2,
    "radix-tree-keys": 1,
    "radix-tree-nodes": 2,
    "last-generated-id": "2-0",
    "max-deleted-entry-id": "0-0",
    "entries-added": 2,
    "recorded-first-entry-id": "1-0",
    "idmp-duration": 100,
    "something-new": ["x", 1],
    "entries": [entry("1-0", "a", "1"), entry("2-0", "f", "1", "f", "2")],
    "groups": [
        {
            "name": "g",
            "last-delivered-id": "2-0",
            "entries-read": None,
            "lag": 0,
            "pel-count": 2,
            "nacked-count": 1,
            "pending": [["1-0", "c", 1700000000000, 1], ["2-0", "", 0, 3]],
            "consumers": [
                {
                    "name": "c",
                    "seen-time": 1700000000000,
                    "active-time": -1,
                    "pel-count": 1,
                    "pending": [["1-0", 1700000000000, 1]],
                }
            ],
        }
    ],
}


class TestInformation:
    def test_stream(self, received: Callable[[object], Any]) -> None:
        """
        All fields are kept by name, known or not, and identifiers are text of the client's kind.
        """
        reply = received(
            {
                "length": 1,
                "last-generated-id": "1-0",
                "groups": 2,
                "iids-duplicates": 3,
                "new": "x",
                "first-entry": entry("1-0", "a", "1"),
                "last-entry": None,
            }
        )

        assert RAW.stream_information(reply) == {
            "length": 1,
            "last-generated-id": b"1-0",
            "groups": 2,
            "iids-duplicates": 3,
            "new": b"x",
            "first-entry": StreamEntry(b"1-0", {b"a": b"1"}),
            "last-entry": None,
            "entries": None,
        }

    def test_full(self, received: Callable[[object], Any]) -> None:
        """
        The full form has its groups and their consumers with what is pending.
        """
        information = DECODED.stream_information(received(FULL))

        assert information == {
            **FULL,
            "entries": (StreamEntry("1-0", {"a": "1"}), StreamEntry("2-0", RepeatedFields([("f", "1"), ("f", "2")]))),
            "groups": (
                {
                    **FULL["groups"][0],  # type: ignore[index]
                    "pending": (StreamGroupPending("1-0", "c", 1700000000000, 1), StreamGroupPending("2-0", "", 0, 3)),
                    "consumers": (
                        {
                            "name": "c",
                            "seen-time": 1700000000000,
                            "active-time": -1,
                            "pel-count": 1,
                            "pending": (StreamConsumerPending("1-0", 1700000000000, 1),),
                        },
                    ),
                },
            ),
            "first-entry": None,
            "last-entry": None,
        }

    def test_names_as_bytes(self, received: Callable[[object], Any]) -> None:
        """
        Names may be asked for as bytes, as they once were; what is not there is a KeyError either way.
        """
        information: Any = RAW.stream_information(received(FULL))

        assert information[b"length"] == 2
        assert information[b"groups"][0][b"consumers"][0][b"name"] == b"c"
        for name in ("nothing", b"nothing", 5):
            with pytest.raises(KeyError):
                information[name]

    def test_groups_and_consumers(self, received: Callable[[object], Any]) -> None:
        """
        The names in these follow the client like any text.
        """
        reply = received([{"name": "g", "consumers": 0, "last-delivered-id": "0-0", "entries-read": None, "lag": 0}])

        assert RAW.information(reply) == (
            {b"name": b"g", b"consumers": 0, b"last-delivered-id": b"0-0", b"entries-read": None, b"lag": 0},
        )
        assert DECODED.information(reply) == (
            {"name": "g", "consumers": 0, "last-delivered-id": "0-0", "entries-read": None, "lag": 0},
        )
        assert DECODED.information(received([])) == ()


class TestTypes:
    def test_entry_is_a_tuple_of_four(self) -> None:
        """
        An entry compares with, and unpacks to, four values.
        """
        item = StreamEntry("1-0", {"a": "1"})
        identifier, field_values, idle, delivered = item

        assert tuple(item) == item == ("1-0", {"a": "1"}, None, None)
        assert (identifier, field_values, idle, delivered) == ("1-0", {"a": "1"}, None, None)
        assert StreamEntry._fields == ("identifier", "field_values", "idle", "delivered")
        assert repr(item) == "StreamEntry(identifier='1-0', field_values={'a': '1'}, idle=None, delivered=None)"

    @pytest.mark.parametrize("identifier", ["1714979289123-5", b"1714979289123-5", "1714979289123"])
    def test_timestamp(self, identifier: Any) -> None:
        """
        The time of an entry is in its identifier.
        """
        assert datetime(2024, 5, 6, 7, 8, 9, 123_000, UTC) == StreamEntry(identifier, {}).timestamp

    def test_timestamp_that_is_none(self) -> None:
        """
        Producers may choose identifiers that are no time.
        """
        with pytest.raises(OverflowError):
            _ = StreamEntry("18446744073709551615-0", {}).timestamp

    def test_repeated_fields(self) -> None:
        """
        Repeated fields are the dict of last values for everybody else, and their pairs for each other.
        """
        fields = RepeatedFields([("f", "1"), ("g", "x"), ("f", "2")])

        assert fields == {"f": "2", "g": "x"}
        assert fields != {"f": "1", "g": "x"}
        assert fields == RepeatedFields(fields.pairs)
        assert fields != RepeatedFields([("f", "2"), ("g", "x")])
        assert list(fields) == ["f", "g"]
        assert repr(fields) == "RepeatedFields((('f', '1'), ('g', 'x'), ('f', '2')))"

    def test_pairs_of_a_plain_entry(self) -> None:
        """
        Every entry has its pairs, whether names repeat or not.
        """
        assert StreamEntry("1-0", {"a": "1", "b": "2"}).pairs == (("a", "1"), ("b", "2"))
        assert StreamEntry("1-0", DeletedFields()).pairs == ()

    @pytest.mark.parametrize("fields", [{"a": "1"}, RepeatedFields([("f", "1"), ("f", "2")]), DeletedFields()])
    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
    def test_copies(self, fields: dict[str, str], duplicate: Callable[[Any], Any]) -> None:
        """
        Entries can be copied and sent to another process, whatever their fields are.
        """
        item = StreamEntry("1-0", fields)
        other = duplicate(item)

        assert (item, item.pairs, item.deleted, type(item.field_values)) == (
            other,
            other.pairs,
            other.deleted,
            type(other.field_values),
        )

    def test_printing_a_deleted_entry(self) -> None:
        """
        A deleted entry shows that it is one.
        """
        assert "field_values=DeletedFields()" in repr(StreamEntry[bytes](b"1-0", DeletedFields()))


@pytest.mark.parametrize("converters", [RAW, DECODED], ids=["raw", "decoded"])
def test_fast_and_slow_agree(converters: Replies[Any]) -> None:
    """
    Reading entries all at once gives what reading them one by one gives.
    """
    alike = [entry(f"{number}-0", "a", str(number), "b", "") for number in range(50)]
    one_by_one = [converters.optional_entry(parsed(encode(item, 3))) for item in alike]

    assert tuple(one_by_one) == converters.entries(parsed(encode(alike, 3)))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("binary", [None, 0, 1, 2])
def test_words_are_decoded_one_by_one(encoding: str, binary: int | None) -> None:
    """
    However entries are read: what cannot be decoded stays bytes, in the midst of text.
    """
    words: list[Any] = [b"1-1", "näme".encode(encoding), "välue".encode(encoding)]
    expected: list[Any] = ["1-1", "näme", "välue"]
    if binary is not None:
        words[binary] = b"\xff\xfe"
        expected[binary] = b"\xff\xfe" if encoding == "utf-8" else "ÿþ"
    whole = [[b"0-1", [b"a", b"b"]], [words[0], words[1:]]]

    entries = replies.decoded(encoding).entries(whole)

    assert (StreamEntry("0-1", {"a": "b"}), StreamEntry(expected[0], {expected[1]: expected[2]})) == entries


class TestNamesThatAreKept:
    """
    What makes entries of the same names is kept for the next reply, however often and whatever comes in between.
    """

    @pytest.fixture(autouse=True)
    def nothing_kept(self) -> Iterator[None]:
        """
        What others have read makes no difference.
        """
        made_by_others, met_by_others = dict(entries._makers), set(entries._met)
        entries._makers.clear()
        entries._met.clear()
        yield
        entries._makers.clear()
        entries._makers.update(made_by_others)
        entries._met.clear()
        entries._met.update(met_by_others)

    def test_names_like_those_that_stand_for_them(self) -> None:
        """
        Where they come in another order, too.
        """
        names = [form.format(number).encode() for form in (entries._NAME, entries._TEXT) for number in (1, 0, 2)]
        item = [b"1-0", [word for name in names for word in (name, name.upper())]]

        for _ in range(3):
            raw, decoded = RAW.entries([item, item]), DECODED.entries([item, item])
            assert [{name: name.upper() for name in names}] * 2 == [entry.field_values for entry in raw]
            assert [{name.decode(): name.decode().upper() for name in names}] * 2 == [
                entry.field_values for entry in decoded
            ]

    def test_no_more_than_so_many(self) -> None:
        """
        Names that are others every time do not fill the memory, nor do long ones.
        """
        for number in range(3 * entries._MOST_MAKERS):
            item = [b"1-0", [b"%d" % number, b"value"]]
            for _ in range(1 + number % 2):
                assert ({b"%d" % number: b"value"},) * 2 == tuple(e.field_values for e in RAW.entries([item, item]))
        assert 0 < len(entries._makers) <= entries._MOST_MAKERS
        assert 0 < len(entries._met) <= entries._MOST_MAKERS

        entries._makers.clear()
        entries._met.clear()
        item = [b"1-0", [b"x" * 2000, b"value"]]
        for _ in range(3):
            assert ({b"x" * 2000: b"value"},) * 2 == tuple(e.field_values for e in RAW.entries([item, item]))
        assert not (entries._makers or entries._met)

    @pytest.mark.parametrize("names", [(b"a",), (b"a", b"a")], ids=["plain", "repeated"])
    def test_from_the_second_time_on(self, names: tuple[bytes, ...]) -> None:
        """
        Code is made for names that come again, not for such as are others every time.
        """
        item = [b"1-0", [word for name in names for word in (name, b"value")]]
        given = [RAW.entries([item, item])]
        before = dict(entries._makers)
        given += [RAW.entries([item, item]), RAW.entries([item, item])]

        assert given[0] == given[1] == given[2]
        assert (len(names) - 1, 1) == (len(before), len(entries._makers))
        assert not entries._met

    def test_nobody_is_kept_alive(self) -> None:
        """
        Text in another encoding is made by somebody's own function.
        """
        item = [b"1-0", [b"name", b"value"]]
        for _ in range(3):
            assert ({"name": "value"},) * 2 == tuple(
                e.field_values for e in replies.decoded("ascii").entries([item, item])
            )
        assert not (entries._makers or entries._met)
