"""
Tokens are understood however they are written, and sent as plain bytes.
"""

from __future__ import annotations

import pytest

from coredis.tokens import PureToken, TokenT, choose


@pytest.mark.parametrize(
    "value",
    [
        PureToken.APPROXIMATELY,
        "~",
        b"~",
        "APPROXIMATELY",
        PureToken.EQUAL,
        "=",
        b"=",
        "EQUAL",
    ],
)
def test_a_sign_has_a_name(value: TokenT) -> None:
    """
    Either can be given.
    """
    word = choose("trim_operator", value, PureToken.EQUAL, PureToken.APPROXIMATELY)

    assert bytes is type(word)
    assert word == (b"~" if value in (PureToken.APPROXIMATELY, "APPROXIMATELY") else b"=")


@pytest.mark.parametrize("value", [PureToken.MINID, "MINID", b"MINID", "minid", b"MinId"])
def test_case_makes_no_difference(value: TokenT) -> None:
    """
    Nor does it matter which of the words it is.
    """
    word = choose("trim_strategy", value, PureToken.MAXLEN, PureToken.MINID)

    assert (bytes, b"MINID") == (type(word), word)


@pytest.mark.parametrize("value", ["MAXLEN", b"MAXLEN", PureToken.MAXLEN, "", b"", "x", 1, None, [], ["SYNC"]])
def test_another_token_is_refused(value: TokenT) -> None:
    """
    Although it is one somewhere else.
    """
    with pytest.raises(ValueError, match=r"flush_type: expected one of SYNC, ASYNC, got"):
        choose("flush_type", value, PureToken.SYNC, PureToken.ASYNC)


@pytest.mark.parametrize("token", PureToken)
def test_every_token_can_be_chosen(token: PureToken) -> None:
    """
    As itself, and as it is mostly written.
    """
    for value in (token, bytes(token), bytes(token).decode(), token.name):
        word = choose("argument", value, token)

        assert (bytes, bytes(token)) == (type(word), word)
