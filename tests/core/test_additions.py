"""
When an XADD whose outcome is unknown may be sent again, and how its entry is recognised.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._core import additions, replies
from coredis._core.additions import Addition, Producers, Turn
from coredis._core.command import Command
from coredis._core.commands import streams as build

MEMORY = {b"length": 1, b"idmp-duration": 100, b"idmp-maxsize": 100}


def addition(key: Any = "s", fields: Any = None, **options: Any) -> Command[Any]:
    """
    Build an XADD.
    """
    given: dict[str, Any] = dict.fromkeys(
        ("identifier", "idmpauto", "idmp", "trim_strategy", "threshold", "trim_operator", "limit", "condition")
    )
    return build.add(replies.raw(), key, fields or {"f": "v"}, nomkstream=False, **(given | options))


def begun(producers: Producers, now: float = 0.0, **options: Any) -> Turn:
    """
    Count one addition of a producer.
    """
    command = addition(**({"idmp": ("p", "i")} | options))
    assert isinstance(command, Addition)
    return producers.begin(command, "utf-8", now)


@pytest.mark.parametrize("identifier", [None, "*", "5-*"])
def test_an_identifier_of_the_servers_is_no_protection(identifier: str | None) -> None:
    """
    A second attempt would get another one.
    """
    command = addition(identifier=identifier)

    assert not isinstance(command, Addition)
    assert not command.idempotent


@pytest.mark.parametrize(
    "options", [{"identifier": "5-1"}, {"identifier": 5}, {"idmp": ("p", "i")}, {"idmpauto": "p"}], ids=str
)
def test_what_is_recognised_may_be_sent_again(options: dict[str, Any]) -> None:
    """
    By an identifier given in full, or by the server's memory.
    """
    command = addition(**options)

    assert type(command) is Addition
    assert command.idempotent


@pytest.mark.parametrize(("age", "remembered"), [(0.0, True), (79.9, True), (80.0, False), (99.0, False), (1e6, False)])
def test_not_when_the_server_is_about_to_forget(age: float, remembered: bool) -> None:
    """
    A fifth of the time is left for the way.
    """
    turn = begun(Producers(), 1000.0)

    assert remembered is turn.remembered(MEMORY, 1000.0 + age)


@pytest.mark.parametrize(("seconds", "remembered"), [(1, False), (5, True), (86_400, True)])
def test_each_stream_has_a_time_of_its_own(seconds: int, remembered: bool) -> None:
    """
    It is the server's answer that counts, as a map or as a list.
    """
    for information in (MEMORY | {b"idmp-duration": seconds}, [b"idmp-duration", seconds, b"idmp-maxsize", 100]):
        assert remembered is begun(Producers(), 10.0).remembered(information, 12.0)


@pytest.mark.parametrize(("others", "remembered"), [(0, True), (79, True), (80, False), (500, False)])
def test_not_when_the_producer_has_added_so_many_others(others: int, remembered: bool) -> None:
    """
    The server remembers so many of each producer.
    """
    producers = Producers()
    for number in range(30):
        begun(producers, idmp=("p", f"before {number}"))
    turn = begun(producers)
    for number in range(others):
        begun(producers, idmp=(b"p", f"after {number}"))

    assert remembered is turn.remembered(MEMORY, 0.0)


def test_others_are_those_of_the_same_producer_and_stream() -> None:
    """
    Nobody else pushes out what it has added.
    """
    producers = Producers()
    turn = begun(producers)
    for number in range(100):
        begun(producers, idmp=("q", f"{number}"))
        begun(producers, key="t", idmp=("p", f"{number}"))

    assert turn.remembered(MEMORY, 0.0)


def test_a_memory_of_one() -> None:
    """
    It holds as long as nothing else is added.
    """
    producers = Producers()
    turn = begun(producers)
    memory = MEMORY | {b"idmp-maxsize": 1}

    assert turn.remembered(memory, 0.0)
    begun(producers, idmp=("p", "other"))
    assert not turn.remembered(memory, 0.0)


def test_a_server_that_remembers_nothing() -> None:
    """
    It does not tell of a memory, so there is none.
    """
    assert not begun(Producers()).remembered({b"length": 1}, 0.0)


def test_only_so_many_producers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Of those that are not counted any more nothing is sent again.
    """
    monkeypatch.setattr(additions, "MAX_PRODUCERS", 3)
    producers = Producers()
    turns = [begun(producers, idmp=(f"p{number}", "i")) for number in range(5)]

    assert [False, False, False, True, True] == [turn.remembered(MEMORY, 0.0) for turn in turns]


@pytest.mark.parametrize(("identifier", "complete"), [("5-1", b"5-1"), (5, b"5-0"), (b"7", b"7-0")])
def test_one_entry_is_asked_for(identifier: Any, complete: bytes) -> None:
    """
    An identifier without a sequence number would be a range of them.
    """
    command = addition(identifier=identifier)
    assert isinstance(command, Addition)

    assert ("XRANGE", "s", complete, complete) == command.entry_question().arguments


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], None),
        ([[b"5-1", [b"f", b"1", b"f", b"0.5"]]], b"5-1"),
        ([[b"5-1", [b"f", b"0.5", b"f", b"1"]]], None),
        ([[b"5-1", [b"f", b"1"]]], None),
        ([[b"5-1", [b"f", b"1", b"f", b"0.5", b"g", b""]]], None),
    ],
)
def test_an_entry_is_ours_when_all_its_fields_are(entries: list[Any], expected: bytes | None) -> None:
    """
    In the order given, as they were encoded.
    """
    command = addition(fields=[("f", 1), (b"f", 0.5)], identifier="5-1", trim_strategy="MAXLEN", threshold=9)
    assert isinstance(command, Addition)

    assert expected == command.in_entries(entries, "utf-8")
