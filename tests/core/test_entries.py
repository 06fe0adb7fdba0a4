"""
Entries whose names come again and again are encoded as all others are, and named as they are when something is wrong.
"""

from __future__ import annotations

import enum
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coredis
from coredis._core import entries, replies, wire
from coredis._core.batches import Batches
from coredis._core.command import Command
from coredis._core.commands import streams as build
from coredis._core.entries import FEW_FIELDS, PATIENCE, REST, PlainAddition
from coredis._core.packing import LONG_WORD, MOST_NAMES, KnownNames
from coredis._core.wire import encode
from coredis.sync import Redis
from coredis.tokens import PureToken

T = TypeVar("T")

text = st.text(max_size=5) | st.sampled_from(["\0", "a\0b", "\r\n", "\u00e9", "x" * LONG_WORD, "\u00e9" * LONG_WORD])
data = st.binary(max_size=5) | st.just(b"x" * LONG_WORD)
values = text | data | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | data.map(bytearray)


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What others have added makes no difference.
    """
    for names in entries.names_known:
        names.ready.clear()
        monkeypatch.setattr(names, "_seen", [None] * MOST_NAMES)


def addition(key: Any, fields: Any) -> Command[bytes | None]:
    """
    Build a plain XADD.
    """
    return build.add(replies.raw(), key, fields, None, False, None, None, None, None, None, None, None)


def words(key: Any, fields: dict[Any, Any]) -> tuple[Any, ...]:
    """
    Give the words of it.
    """
    return ("XADD", key, "*", *itertools.chain.from_iterable(fields.items()))


def payloads(key: Any, entries: list[Any], encoding: str = "utf-8") -> list[bytes]:
    """
    Encode the entries of a batch.
    """
    command = build.add(replies.raw(), key, build.LATER, None, False, None, None, None, None, None, None, None)
    given: Batches[bytes] = Batches(command, encoding)
    given.absorb(entries)
    assert given.refused is None
    return given.outstanding[0].payloads


def outcomes(key: Any, fields: dict[Any, Any], encoding: str = "utf-8") -> Iterator[object]:
    """
    Encode an addition when its names are new, when they come again, and when all is ready; an error as its text.
    """
    for _ in range(3):
        try:
            yield addition(key, fields).encoded(encoding)
        except Exception as error:
            yield f"{error!r}"


@given(
    text | data,
    st.dictionaries(text, values, min_size=1, max_size=FEW_FIELDS + 1)
    | st.dictionaries(data, values, min_size=1, max_size=3)
    | st.dictionaries(text | data | st.integers(), values, min_size=1, max_size=3),
)
def test_an_addition_is_encoded_as_any_command(key: Any, fields: dict[Any, Any]) -> None:
    """
    Whatever is in it, and however often it comes.
    """
    assert [encode(words(key, fields))] * 3 == [*outcomes(key, fields)]


@given(st.dictionaries(text | data, values, min_size=1, max_size=FEW_FIELDS + 1), text | data)
def test_an_entry_of_a_batch_is_encoded_as_any_command(fields: dict[Any, Any], key: Any) -> None:
    """
    After the words that are the same for all.
    """
    assert [encode(words(key, fields))] * 3 == payloads(key, [fields] * 3)


@pytest.mark.parametrize("count", [1, 2, FEW_FIELDS - 1, FEW_FIELDS, FEW_FIELDS + 1])
@pytest.mark.parametrize(
    "value", ["a", "\u00e9", b"\xff", 7, -(2**70), 0.5, bytearray(b"a"), "x" * 5000, b"x" * 50_000]
)
def test_a_kind_of_value_may_be_anywhere(value: Any, count: int) -> None:
    """
    Among words of another kind, too.
    """
    for position, other in itertools.product({0, count // 2, count - 1}, ("v", b"v", 1, "\u00e9")):
        fields: dict[str, Any] = {f"name{number}": other for number in range(count)}
        fields[f"name{position}"] = value

        assert [encode(words("s", fields))] * 3 == [*outcomes("s", fields)]


def test_a_batch_is_encoded_in_another_encoding() -> None:
    """
    As an addition alone.
    """
    fields = {"\u00e9": "\u00e8", "b": 1}

    assert [encode(words("s", fields), "latin-1")] * 3 == payloads("s", [fields] * 3, "latin-1")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_used(encoding: str) -> None:
    """
    For the key, the names and the values.
    """
    fields = {"\u00e9": "\u00e8", "b": 1}

    expected = [encode(words("\u00e0", fields), encoding)] * 3
    assert expected == [*outcomes("\u00e0", fields, encoding)]


@pytest.mark.parametrize(
    "wrong",
    [True, None, float("nan"), float("inf"), [], object, 1j, "\ud800", 10**5000, memoryview(b"")],
    ids=lambda wrong: type(wrong).__name__,
)
@pytest.mark.parametrize("other", ["a", b"a", 1, "\u00e9"])
def test_an_error_is_the_same(wrong: Any, other: Any) -> None:
    """
    It names the parameter, however often the names have come.
    """
    if type(wrong) is memoryview:
        wrong.release()
    with Redis() as client:
        said = []
        for fields in ({"a": other, "b": wrong}, {"a": wrong, "b": other}):
            for _ in range(3):
                with pytest.raises((TypeError, ValueError)) as caught:
                    client.pipeline().xadd("s", fields)
                said.append(str(caught.value))
                addition("s", {"a": "x", "b": "y"}).encoded("utf-8")
    if type(wrong) in (int, memoryview):  # what Python itself refuses has no name
        return
    assert "field_values['b'] of 'XADD'" in said[0] and "field_values['a'] of 'XADD'" in said[3]
    assert [said[0]] * 3 == said[:3] and [said[3]] * 3 == said[3:]


@pytest.mark.parametrize("key", [None, True, [], "\ud800"])
def test_a_wrong_key_is_named(key: Any) -> None:
    """
    However often the names have come.
    """
    with Redis() as client:
        for _ in range(3):
            with pytest.raises((TypeError, ValueError), match="key of 'XADD'"):
                client.pipeline().xadd(key, {"a": 1})


def test_a_value_too_large_for_the_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As in any command.
    """
    monkeypatch.setattr(wire, "MAX_VALUE_BYTES", LONG_WORD)
    for value in ("x" * (LONG_WORD + 1), b"x" * (LONG_WORD + 1), "\u00e9" * LONG_WORD):
        assert all("at most 512 MiB for argument 4 of 'XADD'" in str(said) for said in outcomes("s", {"a": value}))


def test_what_only_claims_to_be_equal_is_not() -> None:
    """
    Names are told apart by what is sent, not by their own idea of equality.
    """

    class Loose(str):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, str) and self.lower() == other.lower()

        def __hash__(self) -> int:
            return hash(self.lower())

    class Long(str):
        def __len__(self) -> int:
            return 100

    class Word(enum.StrEnum):
        A = "a"

    for _ in range(3):
        addition("s", {"a": 1, "maxlen": 1}).encoded("utf-8")
        addition("s", {"MAXLEN": "1"}).encoded("utf-8")
    for name in (Loose("A"), Long("a"), Word.A, PureToken.MAXLEN, b"a", 1.5):
        for fields in ({name: "1"}, {name: "1", Loose("MAXLEN"): Long("2")}):
            expected = encode(words("s", {bytes(n) if n is PureToken.MAXLEN else n: v for n, v in fields.items()}))
            assert [expected] * 3 == [*outcomes("s", fields)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["some", "other", b"some", "\u00e9", "x" * LONG_WORD, bytearray(b"some")]),
            st.sampled_from(
                [
                    ("one", "two"),
                    ("two", "one"),
                    ("one", "\u00e9"),
                    (b"one", b"two"),
                    ("one", b"two"),
                    ("one", "x" * LONG_WORD),
                ]
            ),
            st.booleans(),
            values,
            values,
        ),
        min_size=10,
    )
)
def test_whatever_comes_before_makes_no_difference(
    additions: list[tuple[Any, tuple[Any, Any], bool, Any, Any]],
) -> None:
    """
    Neither the same key and names, the same objects or others that equal them, nor some of them.
    """
    for key, names, others, *values in additions:
        if others:
            key, *names = [word[:1] + word[1:] for word in (key, *names)]  # type: ignore[assignment]
        fields = dict(zip(names, values, strict=True))
        assert encode(words(key, fields)) == addition(key, fields).encoded("utf-8")
        assert [encode(words(key, fields))] == payloads(key, [fields])


def test_names_with_a_null_character_are_kept_apart() -> None:
    """
    Though it is what joins names.
    """
    alike: tuple[dict[str, Any], ...] = ({"a": 1, "b": 2}, {"a\0b": 1}, {"a\0b": 1, "c": 2}, {"a": 1, "b\0c": 2})
    for fields in alike * 3:
        assert encode(words("s", fields)) == addition("s", fields).encoded("utf-8")


def test_what_changes_afterwards_does_not_matter() -> None:
    """
    A producer may use one dictionary again and again.
    """
    fields: dict[Any, Any] = {"a": 1, "b": "two"}
    expected = words("s", fields)
    with Redis() as client:
        handles = [client.pipeline().xadd("s", fields) for _ in range(3)]
    fields["a"] = 3
    fields["c"] = 4
    del fields["b"]

    for handle in handles:
        assert encode(expected) == handle.command.encoded("utf-8")


def test_the_command_is_like_any_other() -> None:
    """
    For those who route it, send it again or tell of it.
    """
    _, _, command = (addition("s", {"a": 1, "b": "two"}) for _ in range(3))

    assert type(command) is PlainAddition
    assert ("XADD", "s", "*", "a", 1, "b", "two") == command.arguments
    assert ("XADD", (1,), False, False, None, ()) == (
        command.name,
        tuple(command.keys),
        command.readonly,
        command.idempotent,
        command.block,
        command.requires,
    )
    assert "<Command XADD with 6 arguments>" == repr(command)
    assert b"1-0" == command.convert(b"1-0")
    assert "XADD: unexpected reply (TypeError)" == str(command.unexpected(TypeError()))


def test_a_dictionary_that_was_emptied_meanwhile() -> None:
    """
    By another thread. The server says what is wrong, as with any command.
    """
    command = entries.plain_addition("s", {}, bytes)

    assert encode(("XADD", "s", "*")) == command.encoded("utf-8")


def change(meanwhile: Callable[[], object], point: int, function: Callable[[], T]) -> T:
    """
    Run a function and do something at the n-th point where Python can let another thread run, counted from 0.
    """
    reached = 0
    within = (str(Path(coredis.__file__).parent), "<string>")  # what is written while it runs included

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal reached
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(within):
            reached += 1
            if reached == point + 1:
                meanwhile()

    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        return function()
    finally:
        sys.setprofile(previous)


@pytest.mark.parametrize("how", ["other order", "many more", "none"])
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_another_thread_changes_a_dictionary_meanwhile(how: str, many: bool, known: bool) -> None:
    """
    It is added as it was before or as it was afterwards, and no value under the name of another.
    """
    before: dict[Any, Any] = {"a": "of a", "b": "of b"}
    after = {
        "other order": {"b": "of b", "a": "of a"},
        "many more": {**before, **{f"{number}": number for number in range(FEW_FIELDS)}},
        "none": {},
    }[how]
    for _ in range(3 * known):
        addition("s", before).encoded("utf-8")
        payloads("s", [before])
    possible = [[encode(words("s", fields))] for fields in (before, after)[: 1 if how == "none" else 2]]
    seen = []
    for point in range(60):
        fields = dict(before)

        def other(fields: dict[Any, Any] = fields) -> None:
            fields.clear()
            fields.update(after)

        def add(fields: dict[Any, Any] = fields) -> list[bytes]:
            return payloads("s", [fields]) if many else [addition("s", fields).encoded("utf-8")]

        try:
            made = change(other, point, add)
        except (AssertionError, ValueError):
            assert how == "none"
            continue
        assert made in possible
        seen.append(made)
    assert seen[-1] == possible[0] and (how == "none" or possible[1] in seen)


class Elusive(str):
    """
    A name that is not found again where it was put.
    """

    _numbers = itertools.count()

    def __hash__(self) -> int:
        return next(self._numbers)


def test_a_name_that_cannot_be_looked_up() -> None:
    """
    It is sent as it is.
    """
    fields = {Elusive("a"): "v"}

    assert encode(("XADD", "s", "*", "a", "v")) == addition("s", fields).encoded("utf-8")
    assert [encode(("XADD", "s", "*", "a", "v"))] == payloads("s", [fields])
    with Redis().pipeline() as pipeline:
        assert ("XADD", "s", "*", "a", "v") == pipeline.xadd("s", fields).command.arguments
        pipeline.reset()


def test_names_that_come_once_leave_nothing_behind() -> None:
    """
    They may come from outside, and there is no end to them.
    """
    names = KnownNames(str.encode)
    for number in range(10 * MOST_NAMES):
        names.meet((f"name{number}", "other"))

    assert {} == names.ready
    assert MOST_NAMES == len(names._seen)


def test_not_all_names_are_kept() -> None:
    """
    Those that come twice are, as long as they are not too many or too long.
    """
    names = KnownNames(str.encode)
    for number in range(10 * MOST_NAMES):
        for _ in range(2):
            assert (f"name{number}",) not in names.ready
            names.meet((f"name{number}",))
        assert (f"name{number}",) in names.ready
        assert len(names.ready) <= MOST_NAMES
    for _ in range(3):
        names.meet(("x" * LONG_WORD,))
        names.meet(("\ud800",))
    assert ("x" * LONG_WORD,) not in names.ready and ("\ud800",) not in names.ready


@pytest.mark.parametrize("new", [str, lambda number: str(number).encode()])
def test_who_meets_new_names_all_the_time_does_not_look_for_them(new: Any) -> None:
    """
    And looks again after a while.
    """
    packers = entries._packers(False)
    steady = {"a": 1, "b": 2}
    assert packers[2](steady) is None
    assert packers[2](steady) is None
    payload = packers[2](steady)
    assert payload is not None

    for number in range(PATIENCE):
        assert payload == packers[2](steady)
        assert packers[2]({new(number): 1, new(-number - 1): 2}) is None

    for _ in range(REST):
        assert packers[2](steady) is None
    assert payload == packers[2](steady)


def test_threads_may_add_at_the_same_time() -> None:
    """
    Also while functions are made and forgotten.
    """

    def work(thread: int) -> None:
        for number in range(4 * MOST_NAMES):
            fields = {f"name{(number // 3 + thread) % (2 * MOST_NAMES)}": number, "other": "x"}
            assert encode(words("s", fields)) == addition("s", fields).encoded("utf-8")

    with ThreadPoolExecutor(4) as pool:
        assert [None] * 4 == list(pool.map(work, range(4)))
    assert len(entries.names_known[0].ready) <= MOST_NAMES + 4


def test_fields_of_a_batch_come_after_all_else() -> None:
    """
    Whatever else the command has, and however the fields are given.
    """
    command = build.add(replies.raw(), b"s", build.LATER, None, True, None, None, "MAXLEN", 7, "~", None, None)
    some: Batches[bytes] = Batches(command, "utf-8")
    given: list[Any] = [{"a": 1, "b": "two"}, {b"a": b"x"}, [("a", 1), ("a", 2)], {"\u00e9": "\u00e9"}] * 3
    some.absorb(held := list(given))
    start = ("XADD", b"s", "NOMKSTREAM", "MAXLEN", "~", 7, "*")

    assert [] == held
    assert [
        encode((*start, *itertools.chain.from_iterable(one.items() if isinstance(one, dict) else one))) for one in given
    ] == some.outstanding[0].payloads


@pytest.mark.parametrize("wrong", [True, None, float("nan"), [], "\ud800"], ids=lambda wrong: type(wrong).__name__)
def test_a_wrong_value_in_a_batch_is_named(wrong: Any) -> None:
    """
    However often the names have come.
    """
    command = build.add(replies.raw(), "s", build.LATER, None, False, None, None, None, None, None, None, None)
    some: Batches[bytes] = Batches(command, "utf-8")
    some.absorb(held := [*[{"a": "x", "b": 1}] * 3, {"a": 1, "b": wrong}, {"a": 1, "b": 1}])

    assert 2 == len(held) and 3 == len(some.outstanding[0].payloads)
    assert "the value of field 'b' of entries[3]" in str(some.refused)
