"""
Recognise a server by its public key: read pins, and take the key out of a certificate.

A pin is the SHA-256 of the certificate's SubjectPublicKeyInfo (https://www.rfc-editor.org/rfc/rfc7469#section-2.4). It stays
the same when a certificate is renewed for the same key. The certificate has been parsed by OpenSSL before it gets here, so its
form is in order; only as much of it is read as lies before the key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final

_DIGEST_BYTES: Final = 32
_VERSION: Final = 0xA0  # the tag of a certificate's first field, which may be missing
_BEFORE_KEY: Final = 5  # serial number, algorithm, issuer, validity, subject


def read_pins(name: str, given: Iterable[str | bytes] | None) -> frozenset[bytes]:
    """
    Check the public keys a server may have.

    Args:
        name: of the argument
        given: SHA-256 digests: 64 hexadecimal digits (colons between them are fine), base64, or 32 bytes. None: any key

    Raises:
        TypeError, ValueError: none at all, or what is no such digest
    """
    if given is None:
        return frozenset()
    if isinstance(given, str | bytes):
        raise TypeError(f"{name}: expected several digests, got {given!r}")
    pins = frozenset(_digest(name, each) for each in given)
    if not pins:
        raise ValueError(f"{name}: expected at least one digest, got none; leave it out to accept any key")
    return pins


def pin_of(certificate: bytes) -> bytes:
    """
    Compute the pin of a certificate in its binary form (DER); of none it is empty.
    """
    if not certificate:
        return b""  # TLS can do without, where both sides allow it
    start, _ = _content(certificate, 0)  # the certificate
    start, _ = _content(certificate, start)  # what is signed of it
    fields = _BEFORE_KEY + (certificate[start] == _VERSION)
    for _ in range(fields):
        _, start = _content(certificate, start)
    _, end = _content(certificate, start)
    import hashlib  # it takes longer to load than all else here, and few have pins

    return hashlib.sha256(certificate[start:end]).digest()


def _digest(name: str, given: str | bytes) -> bytes:
    if not isinstance(given, str | bytes):
        raise TypeError(f"{name}: expected str or bytes, got {given!r}")
    digest = given
    if isinstance(given, str):
        text = given.replace(":", "")
        try:
            digest = bytes.fromhex(text) if len(text) == 2 * _DIGEST_BYTES else base64.b64decode(given, validate=True)
        except (ValueError, binascii.Error):
            digest = b""
    if len(digest) != _DIGEST_BYTES:
        raise ValueError(f"{name}: expected a SHA-256 digest, in hexadecimal, base64 or as 32 bytes, got {given!r}")
    return bytes(digest)  # type: ignore[arg-type]


def _content(encoded: bytes, start: int) -> tuple[int, int]:
    """
    Tell where the content of an item begins and ends; its tag is one byte, its length one or, if large, several more.
    """
    length = encoded[start + 1]
    begin = start + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(encoded[begin : begin + size], "big")
        begin += size
    return begin, begin + length
