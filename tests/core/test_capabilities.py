"""
Which options a server has by its own account, and which commands hold their connection.
"""

from __future__ import annotations

import pytest

from coredis._core.capabilities import documented_tokens, holds_connection

ARGUMENTS = [
    {b"name": b"key", b"type": b"key"},
    {b"name": b"nomkstream", b"token": b"NOMKSTREAM"},
    {
        b"name": b"trim",
        b"type": b"block",
        b"arguments": [
            {b"name": b"strategy", b"arguments": [{b"name": b"maxlen", b"token": b"MAXLEN"}]},
            {b"name": b"limit", b"token": b"limit"},
        ],
    },
]
DOCUMENTATION = {b"summary": b"Appends", b"token": b"TOP", b"arguments": ARGUMENTS}


def flat(value: object) -> object:
    """
    Turn the shape of RESP3 into that of RESP2: maps become lists of names and values.
    """
    if isinstance(value, dict):
        return [item for pair in value.items() for item in (pair[0], flat(pair[1]))]
    return [flat(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("shape", [lambda value: value, flat], ids=["resp3", "resp2"])
def test_tokens_are_collected_at_any_depth(shape: object) -> None:
    """
    In upper case, in the shape of either protocol.
    """
    reply = shape({b"xadd": DOCUMENTATION})  # type: ignore[operator]

    assert {"TOP", "NOMKSTREAM", "MAXLEN", "LIMIT"} == documented_tokens(reply, "XADD")


@pytest.mark.parametrize("reply", [{}, [], {b"xlen": {b"arguments": []}}, [b"xlen", [b"arguments", []]]])
def test_an_unknown_command_has_no_tokens(reply: object) -> None:
    """
    That is not the same as having none: None tells it.
    """
    assert documented_tokens(reply, "XADD") is None


def test_a_command_without_options_has_none() -> None:
    """
    It is known all the same.
    """
    assert frozenset() == documented_tokens({b"xlen": {b"summary": b"x"}}, "XLEN")


def test_subcommands_count() -> None:
    """
    A container command documents them inside.
    """
    reply = {b"xinfo": {b"subcommands": {b"xinfo|stream": {b"arguments": [{b"token": b"FULL"}]}}}}

    assert {"FULL"} == documented_tokens(reply, "XINFO")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("BLPOP", "k", 0), True),
        (("blpop", "k", 0), True),
        ((b"BLPOP", "k", 0), True),
        (("BZPOPMIN", "k", 0), True),
        (("WAIT", 1, 0), True),
        (("GET", "BLPOP"), False),
        (("XREAD", "BLOCK", 0, "STREAMS", "s", "0"), True),
        ((b"xread", b"COUNT", 1, b"block", 0, b"STREAMS", "s", "0"), True),
        (("XREAD", "COUNT", 1, "STREAMS", "BLOCK", "0"), False),
        (("XREAD", "STREAMS", "s", "0"), False),
        (("XREADGROUP", "GROUP", "g", "c", "BLOCK", 5, "STREAMS", "s", ">"), True),
        (("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"), False),
        (("XADD", "s", "*", "BLOCK", "1"), False),
        ((b"\xff",), False),
        (("PING",), False),
    ],
)
def test_which_words_may_block(words: tuple[object, ...], expected: bool) -> None:
    """
    Only reads of streams depend on their options.
    """
    assert expected is holds_connection(words)


@pytest.mark.parametrize("given", ["GROUP", "COUNT"])
def test_a_group_may_be_named_like_an_option(given: str) -> None:
    """
    Names are not options; taken for one, a read that does not block only gets a connection of its own.
    """
    assert not holds_connection(("XREADGROUP", "GROUP", given, "c", "STREAMS", "s", ">"))
