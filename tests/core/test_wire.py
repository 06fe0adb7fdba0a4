"""
Commands are encoded as lists of strings, byte-exact, and what has no obvious bytes is refused.
"""

from __future__ import annotations

import decimal
import enum
from typing import Any

import pytest
from hiredis import pack_command
from hypothesis import given
from hypothesis import strategies as st

from coredis._core import wire
from coredis._core.command import Command, Constant
from coredis._core.packing import LONG_WORD, MOST_WORDS
from coredis._core.wire import encode, encode_value
from tests.support.resp import commands_in, encode_command


def words(*arguments: object, encoding: str = "utf-8") -> list[bytes]:
    """
    Encode a command and parse it again with the tests' own parser.
    """
    (command,) = commands_in(encode(arguments, encoding))
    return command


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", b"text"),
        ("\u00e9\u4e2d\U0001f600", "\u00e9\u4e2d\U0001f600".encode()),
        ("", b""),
        (b"", b""),
        (b"\x00\xff\r\n", b"\x00\xff\r\n"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcd")[::2], b"ac"),
        (0, b"0"),
        (-1, b"-1"),
        (2**70, b"1180591620717411303424"),
        (1.0, b"1.0"),
        (0.1 + 0.2, b"0.30000000000000004"),
        (1e300, b"1e+300"),
        (5e-324, b"5e-324"),
        (-0.0, b"-0.0"),
        (enum.IntEnum("Number", {"THREE": 3})(3), b"3"),
        (enum.StrEnum("Word", {"HI": "hi"})("hi"), b"hi"),
    ],
)
def test_a_value_is_encoded(value: object, expected: bytes) -> None:
    """
    Alone and among others.
    """
    assert [b"SET", b"k", expected] == words("SET", "k", value)


@pytest.mark.parametrize("value", [True, False, None, [], (), {}, {1}, object(), 1j, decimal.Decimal(1), range(3)])
def test_a_value_without_obvious_bytes_is_refused(value: object) -> None:
    """
    The message names the argument.
    """
    with pytest.raises(TypeError, match=r"argument 2 of 'SET'.*got"):
        encode(("SET", "k", value))


def test_a_subclass_of_a_plain_type_counts_as_that() -> None:
    """
    Its own ideas of text are not asked for.
    """

    class Loud(str):
        def __str__(self) -> str:
            return "LOUD"

    class Precise(float):
        def __repr__(self) -> str:
            return "precise"

    assert [b"SET", b"quiet", b"1.5"] == words("SET", Loud("quiet"), Precise(1.5))


def test_bool_is_refused_with_advice() -> None:
    """
    Nobody can know whether 1, true or True is meant.
    """
    with pytest.raises(TypeError, match=r"bool.*say 0 or 1"):
        encode(("SET", "k", True))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_is_refused(value: float) -> None:
    """
    No command takes these as numbers; where a command does, its builder spells them.
    """
    with pytest.raises(ValueError, match="finite"):
        encode(("SET", "k", value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_itself(value: float) -> None:
    """
    It is encoded as the shortest text that does.
    """
    (_, _, text) = words("SET", "k", value)

    assert value == float(text)
    assert repr(value).encode() == text


@pytest.mark.parametrize("value", ["\ud800", "a\udcff"])
def test_text_that_is_no_unicode_is_refused(value: str) -> None:
    """
    Half a surrogate pair has no UTF-8.
    """
    with pytest.raises(UnicodeEncodeError):
        encode(("SET", "k", value))


def test_an_encoding_is_used_for_text() -> None:
    """
    Bytes are left alone, and what the encoding cannot express is refused.
    """
    assert [b"SET", b"\xe9", "\u00e9".encode()] == words("SET", "\u00e9", "\u00e9".encode(), encoding="latin-1")
    with pytest.raises(UnicodeEncodeError):
        encode(("SET", "k", "\u4e2d"), "latin-1")


@pytest.mark.parametrize(
    "value",
    [word := "x" * (LONG_WORD + 1), word.encode(), bytearray(len(word)), memoryview(word.encode()), 10**LONG_WORD],
)
@pytest.mark.parametrize("others", [(), (1.5,)])
def test_a_value_too_large_for_the_server_is_refused(
    value: object, others: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The server would close the connection, and all who share it would suffer.
    """
    monkeypatch.setattr(wire, "MAX_VALUE_BYTES", LONG_WORD)

    with pytest.raises(ValueError, match=rf"argument 2 of b?'SET'.*got {LONG_WORD + 1} bytes"):
        encode(("SET", "k", value, *others))


def test_many_values_may_be_larger_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The limit is for each.
    """
    monkeypatch.setattr(wire, "MAX_VALUE_BYTES", 10)

    assert [b"MSET", *[b"x" * 10] * 5] == words("MSET", *["x" * 10] * 5)


@pytest.mark.parametrize(
    "payload", [b"\r\n", b"*1\r\n$8\r\nFLUSHALL\r\n", b"$5\r\n", b"\x00", b"|1\r\n", b" ", b"a b", b"'", b'"']
)
def test_payload_cannot_become_protocol(payload: bytes) -> None:
    """
    A length goes before every word, so no content ends it.
    """
    assert [b"SET", payload, payload] == words("SET", payload, payload.decode())


@given(st.lists(st.one_of(st.binary(), st.text(), st.integers()), min_size=1))
def test_any_words_arrive_as_they_are(arguments: list[bytes | str | int]) -> None:
    """
    The same bytes come from an encoder written independently.
    """
    expected = [value if isinstance(value, bytes) else str(value).encode() for value in arguments]

    assert encode_command(*expected) == encode(tuple(arguments))


@pytest.mark.parametrize("value", ["a", "\u00e9", b"a", b"\xff", 7, -(2**63), 0.5, bytearray(b"a")])
@pytest.mark.parametrize("count", [1, 2, MOST_WORDS - 1, MOST_WORDS, MOST_WORDS + 1, 3 * MOST_WORDS])
def test_a_kind_of_word_may_be_anywhere(value: Any, count: int) -> None:
    """
    How many there are, of which kind and where, makes a difference to how they are packed, but none to what is sent.
    """
    encoded = str(value).encode() if isinstance(value, str | int | float) else bytes(value)
    for position in {0, count // 2, count - 1}:
        arguments: list[object] = ["word"] * count
        expected = [b"word"] * count
        arguments[position], expected[position] = value, encoded

        assert encode_command(*expected) == encode(tuple(arguments))


@pytest.mark.parametrize("word", ["x", b"x", "\u00e9"])
@pytest.mark.parametrize("length", [0, 1, 9, 10, 999, 1000, LONG_WORD - 1, LONG_WORD, LONG_WORD + 1, 10_000])
def test_a_word_of_any_length_may_be_anywhere(word: str | bytes, length: int) -> None:
    """
    The lengths of short ones are written beforehand.
    """
    value = word * length
    for arguments in ((value, "k", "v"), ("SET", value, "v"), ("SET", "k", value), ("SET", b"k", value)):
        expected = [item if isinstance(item, bytes) else item.encode() for item in arguments]

        assert encode_command(*expected) == encode(arguments)


def test_a_command_gives_what_is_to_be_sent() -> None:
    """
    One that is always the same has it ready, and says the same.
    """
    command: Command[object] = Command(("SET", "k", "\u00e9"), bytes)

    assert encode(("SET", "k", "\u00e9"), "latin-1") == command.encoded("latin-1")
    assert (
        encode(("PING",)) == Command(("PING",), bytes).encoded("utf-8") == Constant(("PING",), bytes).encoded("utf-8")
    )


def test_a_single_value_says_where_it_belongs() -> None:
    """
    Builders name the parameter instead of a position.
    """
    with pytest.raises(TypeError, match="field 'f'"):
        encode_value(None, "field 'f'")


def test_no_value_is_shown_in_a_message() -> None:
    """
    Payload may be a secret.
    """
    with pytest.raises(TypeError) as caught:
        encode(("SET", "k", ["canary"]))

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", ["x" * 40_000, "ü" * 40_000, b"\r\n" * 20_000])
def test_a_large_value_is_packed_like_a_small_one(value: str | bytes) -> None:
    """
    However it is packed, the bytes are the same.
    """
    assert pack_command(("SET", "kéy", value)) == encode(("SET", "kéy", value))
    assert pack_command(("SET", "7", value)) == encode(("SET", 7, value))
    assert pack_command(("SET", "7", "ü", value)) == encode(("SET", 7, "ü", value))


def test_large_text_that_cannot_be_encoded_is_named() -> None:
    """
    As a small one.
    """
    with pytest.raises(UnicodeEncodeError, match="argument 2 of 'SET'"):
        encode(("SET", "k", "\ud800" * 40_000))
