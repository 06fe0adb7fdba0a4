"""
Make certificates for TLS tests with the openssl command line.

One authority signs a good server certificate, one for another host, one that has expired, and a client's; another one is
signed by nobody but itself.
A second authority, which nobody should trust, can be had by calling ``make_certificates`` on another folder.
"""

from __future__ import annotations

import datetime
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_AUTHORITY: Final = (
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
)
# Strict verifiers (Python 3.13 and later) insist on the two key identifiers.
_LEAF: Final = (
    "basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName={names}\n"
)
_HERE: Final = "IP:127.0.0.1,DNS:localhost"


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    The paths of a certificate and of its private key.
    """

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Certificates:
    """
    Everything signed by one authority, ``self_signed`` apart.
    """

    authority: str
    good: Certificate
    wrong_host: Certificate
    expired: Certificate
    self_signed: Certificate
    client: Certificate


def make_certificates(folder: Path) -> Certificates:
    """
    Make an authority and its certificates in an existing folder.

    Raises:
        FileNotFoundError: there is no openssl command
        subprocess.CalledProcessError: openssl refused, with its words in ``stderr``
    """
    _openssl(
        folder, "req", "-x509", *_KEY, "-keyout", "authority.key", "-out", "authority.pem", "-days", "30",
        "-subj", "/CN=coredis test authority", *(word for line in _AUTHORITY for word in ("-addext", line)),
    )  # fmt: skip
    _openssl(
        folder, "req", "-x509", *_KEY, "-keyout", "self.key", "-out", "self.pem", "-days", "30",
        "-subj", "/CN=coredis self-signed", "-addext", f"subjectAltName={_HERE}",
    )  # fmt: skip
    return Certificates(
        authority=str(folder / "authority.pem"),
        good=_issue(folder, "good", _HERE),
        wrong_host=_issue(folder, "wrong", "DNS:wrong.example"),
        expired=_issue(folder, "expired", _HERE, expired=True),
        self_signed=Certificate(str(folder / "self.pem"), str(folder / "self.key")),
        client=_issue(folder, "client", "DNS:client.example"),
    )


def _issue(folder: Path, name: str, names: str, *, expired: bool = False) -> Certificate:
    (folder / f"{name}.ext").write_text(_LEAF.format(names=names))
    _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN=coredis {name}")
    sign = (
        "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext",
        "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
    )  # fmt: skip
    if not expired:
        _openssl(folder, *sign, "-days", "30")
    else:
        try:
            _openssl(folder, *sign, "-days", "-1")
        except subprocess.CalledProcessError:
            # Later versions of openssl refuse negative days and take dates instead.
            now = datetime.datetime.now(datetime.UTC)
            dates = [f"{now - datetime.timedelta(days=days):%Y%m%d%H%M%SZ}" for days in (2, 1)]
            _openssl(folder, *sign, "-not_before", dates[0], "-not_after", dates[1])
    return Certificate(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
