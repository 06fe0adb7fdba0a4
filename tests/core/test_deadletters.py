"""
What is written about an entry that is given up.
"""

from __future__ import annotations

from coredis._core.consumer.deadletters import MOST_ERRORS, Errors, fields
from coredis._core.consumer.reads import Membership
from coredis._core.replies import decoded, raw
from coredis.types import DeadLetter

MEMBER = Membership(b"g", b"c", False)


def test_fields() -> None:
    """
    Where it comes from, then its own fields as they were: all pairs of a repeated name, in order.
    """
    (entry,) = raw().entries([[b"5-1", [b"f", b"1", b"g", b"2", b"f", b"3"]]])
    letter = DeadLetter(b"a", entry, "g", "c", 7, "ValueError")

    assert (
        *(b"dead-letter-stream", b"a", b"dead-letter-identifier", b"5-1"),
        *(b"dead-letter-group", b"g", b"dead-letter-consumer", b"c"),
        *(b"dead-letter-deliveries", 7, b"dead-letter-error", "ValueError"),
        *(b"f", b"1", b"g", b"2", b"f", b"3"),
    ) == fields(letter, (b"a", b"5-1"), MEMBER)


def test_fields_of_decoded_text() -> None:
    """
    What could not be decoded is still bytes, and goes as it came.
    """
    (entry,) = decoded("utf-8").entries([[b"5-1", [b"f", b"\xff", "\u00e9".encode(), b"v"]]])

    assert ("f", b"\xff", "\u00e9", "v") == fields(DeadLetter("a", entry, "g", "c", 1, ""), (b"a", b"5-1"), MEMBER)[12:]


def test_the_last_error_is_remembered() -> None:
    """
    Its class alone: its text may quote what is secret.
    """
    errors = Errors()
    errors.note((b"a", b"1-0"), ValueError("secret"))
    errors.note((b"a", b"1-0"), KeyError("secret"))

    assert ["KeyError", ""] == [errors.name((b"a", identifier)) for identifier in (b"1-0", b"2-0")]


def test_errors_are_forgotten() -> None:
    """
    When the entry was processed after all.
    """
    errors = Errors()
    errors.note((b"a", b"1-0"), ValueError())

    errors.forget(b"a", (b"1-0", b"2-0"))

    assert "" == errors.name((b"a", b"1-0"))


def test_errors_are_bounded() -> None:
    """
    The oldest one is forgotten first; one that happens again is young.
    """
    errors = Errors()
    for number in range(MOST_ERRORS):
        errors.note((b"a", b"%d-0" % number), ValueError())
    errors.note((b"a", b"0-0"), KeyError())

    errors.note((b"b", b"1-0"), TypeError())

    names = [errors.name(key) for key in ((b"a", b"0-0"), (b"a", b"1-0"), (b"a", b"2-0"), (b"b", b"1-0"))]
    assert ["KeyError", "", "ValueError", "TypeError"] == names
