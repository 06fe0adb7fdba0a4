"""
Socket and TLS settings that both halves share.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from coredis._core.config import TLSOptions
from coredis._runtime import sockets
from tests.support.certificates import Certificates


def test_keepalive_can_be_left_out() -> None:
    """
    Small writes leave at once in any case.
    """
    with socket.socket() as plain:
        sockets.prepare(plain, False)

        assert 1 == plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert 0 == plain.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_dead_peers_are_looked_for() -> None:
    """
    With the times that the module says, where the platform has them.
    """
    with socket.socket() as plain:
        sockets.prepare(plain, True)

        assert 1 == plain.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        for name, expected in (
            ("TCP_KEEPIDLE", sockets.KEEPALIVE_IDLE_SECONDS),
            ("TCP_KEEPINTVL", sockets.KEEPALIVE_INTERVAL_SECONDS),
            ("TCP_KEEPCNT", sockets.KEEPALIVE_PROBES),
            ("TCP_USER_TIMEOUT", sockets.USER_TIMEOUT_MILLISECONDS),
        ):
            if hasattr(socket, name):
                assert expected == plain.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))


def test_a_platform_may_lack_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is there is set.
    """
    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT"):
        monkeypatch.delattr(socket, name, raising=False)
    with socket.socket() as plain:
        sockets.prepare(plain, True)

        assert 1 == plain.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_unix_sockets_are_left_alone() -> None:
    """
    They have none of these options.
    """
    with socket.socket(socket.AF_UNIX) as plain:
        sockets.prepare(plain, True)


def test_tls_verifies_everything() -> None:
    """
    And speaks no version below 1.2.
    """
    context = sockets.tls_context(TLSOptions())

    assert (True, ssl.CERT_REQUIRED) == (context.check_hostname, context.verify_mode)
    assert ssl.TLSVersion.TLSv1_2 <= context.minimum_version


@pytest.mark.parametrize(
    ("options", "check_hostname", "verify_mode"),
    [
        (TLSOptions(check_hostname=False), False, ssl.CERT_REQUIRED),
        (TLSOptions(verify="optional"), False, ssl.CERT_OPTIONAL),
        (TLSOptions(verify="none"), False, ssl.CERT_NONE),
    ],
)
def test_tls_verifies_less_when_told_so(options: TLSOptions, check_hostname: bool, verify_mode: ssl.VerifyMode) -> None:
    """
    Nothing else changes.
    """
    context = sockets.tls_context(options)

    assert (check_hostname, verify_mode) == (context.check_hostname, context.verify_mode)
    assert ssl.TLSVersion.TLSv1_2 <= context.minimum_version


def test_only_the_given_authorities_are_trusted(certificates: Certificates) -> None:
    """
    Those of the system are not added to them.
    """
    context = sockets.tls_context(TLSOptions(ca_certs=certificates.authority))

    assert 1 == len(context.get_ca_certs())


def test_a_client_certificate_is_loaded(certificates: Certificates) -> None:
    """
    With its key.
    """
    sockets.tls_context(TLSOptions(keyfile=certificates.client.key, certfile=certificates.client.certificate))


@pytest.mark.parametrize("name", ["ca_certs", "certfile"])
def test_a_file_that_is_missing(name: str, tmp_path: Path) -> None:
    """
    It is noticed when the client is made, and the message says which.
    """
    missing = str(tmp_path / "missing.pem")

    with pytest.raises(FileNotFoundError, match=f"ssl_{name}: {missing}"):
        sockets.tls_context(TLSOptions(**{name: missing}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ca_certs", "certfile"])
def test_a_file_that_is_unusable(name: str, tmp_path: Path) -> None:
    """
    OpenSSL says what, we say which.
    """
    unusable = tmp_path / "unusable.pem"
    unusable.write_text("no certificate")

    with pytest.raises(ssl.SSLError, match=f"ssl_{name}: {unusable}"):
        sockets.tls_context(TLSOptions(**{name: str(unusable)}))  # type: ignore[arg-type]


def test_nobody_is_asked_for_a_passphrase(certificates: Certificates, tmp_path: Path) -> None:
    """
    OpenSSL would ask on the terminal, where nobody may be.
    """
    key = tmp_path / "locked.key"
    lock = ("openssl", "pkey", "-in", certificates.client.key, "-aes256", "-passout", "pass:x", "-out", str(key))
    subprocess.run(lock, check=True, capture_output=True, timeout=60)

    with pytest.raises(ValueError, match=r"^ssl_keyfile: .*passphrase"):
        sockets.tls_context(TLSOptions(keyfile=str(key), certfile=certificates.client.certificate))
