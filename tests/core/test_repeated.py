"""
Reads of one stream, and acknowledgements, are made and encoded in a shorter way, and come to the same as any other command.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from coredis._core import repeated, replies
from coredis._core.command import Command
from coredis._core.commands import stream_groups, streams
from coredis._core.repeated import PlainRead
from coredis._core.wire import encode

RAW = replies.raw()
COUNTS = (None, 1, 100, 1000)
BLOCKS = (None, 0, 1, 2500)
NAMES: tuple[Any, ...] = ("s", b"s", "", "größe", b"\xff\r\n", "x" * 5000, "$", "STREAMS")
IDENTIFIERS: tuple[Any, ...] = ("0", b"0", "1700000000000-0", b"1700000000000-12")


def read(named: Any, count: Any = None, block: Any = None) -> Command[Any]:
    """
    Build XREAD.
    """
    return streams.read(RAW, named, count, block, None, None)


def read_group(
    named: Any, count: Any = None, block: Any = None, group: Any = "g", consumer: Any = "c", noack: bool = False
) -> Command[Any]:
    """
    Build XREADGROUP.
    """
    return stream_groups.read(RAW, group, consumer, named, count, block, noack, None, None, None)


def told(command: Command[Any]) -> tuple[Any, ...]:
    """
    Give all that is known of a command.
    """
    position = command.keys[0]
    return (
        *(command.encoded("utf-8"), command.encoded("latin-1") if "größe" in command.arguments else None, command.name),
        *(list(command.keys), command.word(position), command.readonly, command.idempotent, command.block),
        *(command.requires, command.convert, repr(command)),
    )


@pytest.mark.parametrize("build", [read, read_group])
@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_it_comes_to_the_same(build: Callable[..., Command[Any]], name: Any) -> None:
    """
    As a mapping that is no dict, which goes the other way.
    """
    for count, block, identifier in itertools.product(COUNTS, BLOCKS, IDENTIFIERS):
        for _ in range(2):
            command = build({name: identifier}, count, block)
            other = build(MappingProxyType({name: identifier}), count, block)

            assert (True, False) == (isinstance(command, PlainRead), isinstance(other, PlainRead))
            assert told(other) == told(command)
            assert command.encoded("utf-8") == encode(command.arguments)


@pytest.mark.parametrize("noack", [False, True])
@pytest.mark.parametrize("names", [("g", "c"), (b"g", "c"), ("c", "g"), ("größe", b"\xff"), ("g" * 3000, "c")])
@pytest.mark.parametrize("identifier", [">", b">", "0", "5-1"])
def test_of_a_group_it_comes_to_the_same(noack: bool, names: tuple[Any, Any], identifier: Any) -> None:
    """
    With any names of group and consumer, which are not mixed up.
    """
    for _ in range(2):
        command = read_group({"s": identifier}, 5, None, *names, noack)
        other = read_group(MappingProxyType({"s": identifier}), 5, None, *names, noack)

        assert (True, False) == (isinstance(command, PlainRead), isinstance(other, PlainRead))
        assert told(other) == told(command)


@pytest.mark.parametrize(
    "named",
    [{}, {"a": "0", "b": "0"}, {"s": "$"}, {"s": "+"}, {"s": 5}, {"s": "5-"}, {5: "0"}, {"s": None}, {"s": "²"}],
)
def test_what_is_unusual_goes_the_other_way(named: Any) -> None:
    """
    Whether that is allowed or not.
    """
    try:
        command = read(named)
    except (TypeError, ValueError):
        return
    assert not isinstance(command, PlainRead)


@pytest.mark.parametrize("wrong", [True, 0, -1, 2**63, 1.0, "1"])
def test_what_equals_a_right_number_is_refused(wrong: Any) -> None:
    """
    However often the right one was used.
    """
    for build in (read, read_group):
        build({"s": "0"}, 1)
        with pytest.raises((TypeError, ValueError), match="count"):
            build({"s": "0"}, wrong)


def test_a_name_that_cannot_be_encoded_is_named() -> None:
    """
    When the command is encoded, as for any other.
    """
    for command in (read({"\ud800": "0"}), read_group({"s": "0"}, group="\ud800"), read_group({"\ud800": ">"})):
        with pytest.raises(UnicodeEncodeError, match=f"of '{command.name}'"):
            command.encoded("utf-8")


@pytest.mark.parametrize("key", [*NAMES, b"s\r\n"], ids=repr)
@pytest.mark.parametrize(
    "identifiers",
    [
        b"5-1",
        "5-1",
        5,
        [b"5-1"],
        [b"5-1", b"6-1"],
        ["5-1", b"16-1"],
        [b"5-1", b"55-11"] * 100,
        [b"%d-7" % n for n in range(99)],
    ],
    ids=repr,
)
def test_an_acknowledgement_comes_to_the_same(key: Any, identifiers: Any) -> None:
    """
    However many there are, and of whatever length.
    """
    for group in ("g", b"g", "größe"):
        for _ in range(2):
            command = stream_groups.acknowledge(key, group, identifiers)
            other = Command(command.arguments, command.convert, (1,), idempotent=True)

            assert told(other) == told(command)
            assert command.encoded("utf-8") == encode(command.arguments)
    with pytest.raises(UnicodeEncodeError, match="of 'XACK'"):
        stream_groups.acknowledge("\ud800", "g", identifiers).encoded("utf-8")


def test_what_is_kept_is_limited() -> None:
    """
    Numbers and names may come from outside.
    """
    kept = repeated.Beginnings()
    for number in range(2 * repeated.MOST_BEGINNINGS + 1):
        assert kept.keep((number,), ("XREAD", "COUNT", b"%d" % number, "STREAMS"), 2)
    assert 1 == len(kept)
    assert kept.keep(("long",), ("XREAD", "x" * repeated.LONGEST_BEGINNING, "STREAMS"), 2)
    assert 1 == len(kept)


def test_text_and_bytes_are_never_compared() -> None:
    """
    They have the same hash where they say the same, and Python can be told that comparing them is an error.
    """
    script = (
        "from tests.core.test_repeated import read_group, stream_groups\n"
        "for group in ('g', b'g'):\n"
        "    for name in ('s', b's'):\n"
        "        read_group({'s': '0'}, group=group, consumer=name)\n"
        "        stream_groups.acknowledge(name, group, [b'1-0'])\n"
    )
    subprocess.run([sys.executable, "-bb", "-c", script], cwd=Path(__file__).parents[2], timeout=60, check=True)
