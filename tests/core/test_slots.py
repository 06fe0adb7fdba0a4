"""
Keys and their slots, against the specification's own numbers and a second implementation of its checksum.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core.slots import SLOTS, hash_tag, key_slot


def crc16(data: bytes) -> int:
    """
    Compute the checksum bit by bit: polynomial 0x1021, beginning with 0, nothing reflected.
    """
    register = 0
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return register


@pytest.mark.parametrize(
    ("key", "slot"),
    [(b"123456789", 0x31C3), (b"", 0), (b"foo", 12182), (b"bar", 5061), (b"hello", 866), (b"somekey", 11058)],
)
def test_reference_vectors(key: bytes, slot: int) -> None:
    """
    The check value of the specification, and what CLUSTER KEYSLOT answers.
    """
    assert slot % SLOTS == key_slot(key)


@given(st.binary(max_size=40).filter(lambda key: b"{" not in key))
def test_slots_are_the_checksum_modulo_their_number(key: bytes) -> None:
    """
    For any bytes without a hash tag.
    """
    assert crc16(key) % SLOTS == key_slot(key)


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        (b"{user1000}.following", b"user1000"),
        (b"foo{}{bar}", b"foo{}{bar}"),
        (b"foo{{bar}}zap", b"{bar"),
        (b"foo{bar}{zap}", b"bar"),
        (b"foo{bar", b"foo{bar"),
        (b"foo}bar{", b"foo}bar{"),
        (b"}a{b}c", b"b"),
        (b"{a}", b"a"),
        (b"{}", b"{}"),
        (b"plain", b"plain"),
    ],
)
def test_hash_tags(key: bytes, tag: bytes) -> None:
    """
    The examples of the specification, and the corners around them.
    """
    assert tag == hash_tag(key)


@given(st.binary(min_size=1, max_size=20).filter(lambda tag: b"}" not in tag), st.binary(), st.binary())
def test_keys_with_the_same_tag_share_a_slot(tag: bytes, before: bytes, after: bytes) -> None:
    """
    Whatever stands around it, as long as no brace opens before it.
    """
    before = before.replace(b"{", b"")

    assert crc16(tag) % SLOTS == key_slot(before + b"{" + tag + b"}" + after)
