"""
Which of the 16384 slots of a cluster a key belongs to.

Specification: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

SLOTS: Final = 16384


def key_slot(key: bytes) -> int:
    """
    Compute the slot of a key, or of its hash tag when it has one.
    """
    # CRC16 in its variant XMODEM, as the specification's appendix has it, is what BinHex uses, so C code is at hand.
    return crc_hqx(hash_tag(key), 0) % SLOTS


def hash_tag(key: bytes) -> bytes:
    """
    Give the part of a key that decides its slot: what stands between the first ``{`` and the first ``}`` after it, unless
    that is nothing; else all of it.
    """
    begin = key.find(b"{")
    if begin < 0:
        return key
    end = key.find(b"}", begin + 1)
    return key[begin + 1 : end] if end > begin + 1 else key
