"""
Where the keys stand in commands given word by word, as servers tell.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._core.command import Command
from coredis._core.keyspecs import UNKNOWN, Keyspec, find_positions, read_keyspec


def information(
    flags: list[bytes], first: int, last: int, step: int, subcommands: list[Any] | None = None
) -> list[Any]:
    """
    Make the reply to COMMAND INFO about one command.
    """
    return [[b"name", 2, flags, first, last, step, [b"@fast"], [], [], subcommands or []]]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (information([b"readonly", b"fast"], 1, 1, 1), Keyspec(1, 1, 1, False, True)),
        (information([b"write"], 1, -1, 2), Keyspec(1, -1, 2, False, False)),
        (information([b"readonly", b"movablekeys"], 0, 0, 0), Keyspec(0, 0, 0, True, True)),
        (information([], 0, 0, 0, [[b"object|help", 2]]), Keyspec(0, 0, 0, True, False)),
        ([[b"ping", -1, {b"fast"}, 0, 0, 0]], Keyspec(0, 0, 0, False, False)),
        ([None], UNKNOWN),
    ],
)
def test_what_is_known_by_name(reply: Any, expected: Keyspec) -> None:
    """
    Of commands with keys in fixed places, in others, in subcommands, and of commands that the server does not know.
    """
    assert expected == read_keyspec(reply)


@pytest.mark.parametrize(
    ("spec", "count", "expected"),
    [
        (Keyspec(1, 1, 1, False, True), 2, (1,)),
        (Keyspec(1, 1, 1, False, True), 1, ()),
        (Keyspec(1, -1, 1, False, True), 4, (1, 2, 3)),
        (Keyspec(1, -1, 2, False, True), 5, (1, 3)),
        (Keyspec(1, -2, 1, False, True), 4, (1, 2)),
        (Keyspec(2, 3, 1, False, True), 5, (2, 3)),
        (UNKNOWN, 5, ()),
    ],
)
def test_fixed_places(spec: Keyspec, count: int, expected: tuple[int, ...]) -> None:
    """
    Counted from the beginning or the end, in steps; a command that is too short has none.
    """
    assert expected == spec.positions(count)


def test_keys_that_the_server_found() -> None:
    """
    Each is where it stands, also twice, in whatever type it was given.
    """
    command: Command[Any] = Command(("EVAL", "x", 3, "a", b"b", "a", 5), lambda reply: reply)

    assert (3, 4, 5) == find_positions(command, [b"a", b"b", b"a"], "utf-8")
    assert (6,) == find_positions(command, [b"5"], "utf-8")
    assert () == find_positions(command, [b"elsewhere"], "utf-8")
