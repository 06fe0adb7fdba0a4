"""
The parts of the benchmark's floor that need no server: what it sends, and what it makes of replies.
"""

from __future__ import annotations

from typing import Any

import pytest
from bench_streams import resp
from bench_streams.floor import entries, requests
from bench_streams.floor.reads import MANY_STREAMS, Reads

FIELDS = {"sensor": "sensor-0001", "value": "1.001", "seq": "000000001"}


@pytest.mark.parametrize("fields", [FIELDS, {"x": "1", "y": "", "z": "2" * (requests.LONG_WORD - 1)}], ids=str)
def test_short_addition(fields: dict[str, Any]) -> None:
    """
    Three short texts are packed by the template, into what any encoder sends.
    """
    words = [word for pair in fields.items() for word in pair]

    assert resp.encode("XADD", "key", "*", *words) == requests.short_addition("key", fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "1", "b": "2"},
        {"a": "1", "b": "2", "c": "3", "d": "4"},
        {"a": "1", "b": b"2", "c": "3"},
        {"a": "1", "b": "2", "c": "\u00fc"},
        {"a": "1", "b": "2", "c": "3" * requests.LONG_WORD},
        {"\u00fc": "1", "b": "2", "c": "3"},
        {"payload": b"x" * 5000},
    ],
    ids=lambda fields: repr(fields)[:30],
)
def test_any_addition(fields: dict[str, Any]) -> None:
    """
    What the template does not fit is not packed by it, and encoded all the same.
    """
    words = [word for pair in fields.items() for word in pair]

    assert requests.short_addition("key", fields) is None
    assert resp.encode("XADD", "key", "*", *words) == requests.any_addition("key", fields)


def test_additions_among_other_commands() -> None:
    """
    What is encoded already stays in its place.
    """
    first, last = resp.encode("PING"), resp.encode("XADD", "key", "*", "a", b"1")

    assert first + last == requests.additions([first, ("key", {"a": b"1"})])


@pytest.mark.parametrize("identifiers", [[b"1-0"], [b"1-0", b"2-0"], [b"9-0", b"10-0"]], ids=str)
def test_acknowledgement(identifiers: list[bytes]) -> None:
    """
    Whether the identifiers are of the same length or not.
    """
    assert resp.encode("XACK", "key", "group", *identifiers) == requests.acknowledgement("key", "group", identifiers)


def test_reading() -> None:
    """
    Each read is its beginning and where the streams stand.
    """
    beginning = requests.reading(("a", "b"), 5, "group", "one", True, 100)
    words = ("XREADGROUP", "GROUP", "group", "one", "COUNT", 5, "BLOCK", 100, "NOACK", "STREAMS", "a", "b", ">", ">")

    assert resp.encode(*words) == requests.read(beginning, [b">", b">"])


@pytest.mark.parametrize(("prefetch", "count"), [(False, 10), (True, 5)])
def test_reads_fill_the_buffer_and_no_more(prefetch: bool, count: int) -> None:
    """
    What a read under way may bring counts as well, so with one under way while entries are served each brings half as many.
    """
    reads = Reads(("key",), buffer_size=9, prefetch=prefetch)

    assert (resp.encode("XREAD", "COUNT", count, "STREAMS", "key", "0-0"), 1) == reads.following()


def test_half_of_many_streams_are_asked_for_all_that_the_buffer_takes() -> None:
    """
    In turns, and there is nothing more when neither half has anything.
    """
    keys = tuple(map(str, range(MANY_STREAMS)))
    reads = Reads(keys, buffer_size=9, prefetch=True)
    middle = MANY_STREAMS // 2
    halves = [keys[:middle], keys[middle:]]

    for half in halves * 2:
        assert (resp.encode("XREAD", "COUNT", 10, "STREAMS", *half, *["0-0"] * middle), 1) == reads.following()
    ended = []
    for reply in (None, [[b"0", [[b"1-0", [b"a", b"1"]]]]], None, None):
        reads.note(reply)
        ended.append(reads.ended)
    assert [False, False, False, True] == ended
    assert (
        resp.encode("XREAD", "COUNT", 10, "STREAMS", *halves[0], "1-0", *["0-0"] * (middle - 1)),
        1,
    ) == reads.following()


def test_reads_go_on_and_acknowledge() -> None:
    """
    After an entry, and with what is held sent in front, once.
    """
    alone, grouped = Reads(("key",)), Reads(("key",), group="group", consumer="one")
    alone.note([[b"key", [[b"1-0", [b"a", b"1"]], [b"2-0", [b"a", b"1"]]]]])
    plain = grouped.following()
    grouped.hold((b"1-0", b"2-0"))

    assert (resp.encode("XREAD", "COUNT", 1, "STREAMS", "key", "2-0"), 1) == alone.following()
    assert (resp.encode("XACK", "key", "group", "1-0", "2-0") + plain[0], 2) == grouped.following()
    assert plain == grouped.following()


@pytest.mark.parametrize("numbers", [(3, 3), (1, 1), (3, 1), (1, 3, 2)], ids=str)
def test_entries(numbers: tuple[int, ...]) -> None:
    """
    Of three fields, of another number, and of different ones.
    """
    raw: list[Any] = []
    expected = []
    for identifier, number in enumerate(numbers):
        fields = {b"name%d" % field: b"%d" % field for field in range(number)}
        raw.append([b"%d-0" % identifier, [word for pair in fields.items() for word in pair]])
        expected.append((b"%d-0" % identifier, fields))

    assert expected == entries.entries(raw)
    assert {b"key": expected} == entries.streams([[b"key", raw]])
    assert [(b"key", entry) for entry in expected] == entries.items([[b"key", raw]])
    assert [(b"key", entry) for entry in expected] == [
        item for piece in entries.pieces([[b"key", raw]]) for item in piece
    ]
