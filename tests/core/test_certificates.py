"""
Pins of public keys: how they are written, and that they are those that openssl computes.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest

from coredis._core.certificates import pin_of, read_pins

DIGEST = hashlib.sha256(b"a key").digest()


def openssl(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, timeout=60, check=True).stdout


@pytest.mark.parametrize(
    "key",
    [
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        ["-newkey", "rsa:2048"],
        ["-newkey", "ed25519"],
    ],
    ids=lambda key: key[-1],
)
@pytest.mark.parametrize("subject", ["/CN=short", "/O=" + "long" * 15 + "/OU=" + "longer" * 10 + "/CN=" + "x" * 60])
def test_the_key_of_a_certificate(tmp_path: Path, key: list[str], subject: str) -> None:
    """
    Whatever kind of key it is, and however long the names before it.
    """
    openssl(tmp_path, "req", "-x509", *key, "-nodes", "-keyout", "key", "-out", "pem", "-days", "2", "-subj", subject)
    public = openssl(tmp_path, "pkey", "-in", "key", "-pubout", "-outform", "DER")

    assert hashlib.sha256(public).digest() == pin_of(ssl.PEM_cert_to_DER_cert((tmp_path / "pem").read_text()))


def test_a_certificate_of_the_first_version(tmp_path: Path) -> None:
    """
    It does not say its version, so the key comes one place earlier.
    """
    openssl(tmp_path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "request", "-subj", "/CN=old")
    openssl(tmp_path, "x509", "-req", "-in", "request", "-signkey", "key", "-out", "pem", "-days", "2")
    text = openssl(tmp_path, "x509", "-in", "pem", "-noout", "-text")
    public = openssl(tmp_path, "pkey", "-in", "key", "-pubout", "-outform", "DER")

    assert b"Version: 1" in text or b"Version: 3" in text  # later versions of openssl write the third
    assert hashlib.sha256(public).digest() == pin_of(ssl.PEM_cert_to_DER_cert((tmp_path / "pem").read_text()))


@pytest.mark.parametrize(
    "given",
    [
        DIGEST,
        DIGEST.hex(),
        DIGEST.hex().upper(),
        DIGEST.hex(":"),
        base64.b64encode(DIGEST).decode(),
    ],
    ids=repr,
)
def test_ways_to_write_a_digest(given: str | bytes) -> None:
    """
    As openssl, browsers and Python print it.
    """
    assert {DIGEST} == read_pins("pins", [given])


def test_several() -> None:
    """
    A second one is for the next key, or for another node.
    """
    assert 2 == len(read_pins("pins", (bytes([number]) * 32 for number in range(2))))
    assert frozenset() == read_pins("pins", None)


@pytest.mark.parametrize(
    "given",
    ["ab" * 32, b"x" * 32, [b"x" * 31], ["ab" * 31], ["zz" * 32], ["not base64!"], [""], [None], [7], []],
    ids=repr,
)
def test_what_is_no_digest(given: object) -> None:
    """
    It is refused by the name of the argument.
    """
    with pytest.raises((TypeError, ValueError), match=r"^pins: "):
        read_pins("pins", given)  # type: ignore[arg-type]
