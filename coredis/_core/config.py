"""
How to reach a server and introduce ourselves to it: plain values, checked when a client is made.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ..credentials import CredentialProvider
from ..typing import PathT

if TYPE_CHECKING:
    import ssl

GRACE_SECONDS: Final = 1.0  # the least that a late reply to a blocking command is waited for beyond its BLOCK


@dataclass(frozen=True, slots=True)
class TCPAddress:
    """
    A host (name or address, resolved at every connect) and a port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """
    The path of a Unix domain socket.
    """

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class TLSOptions:
    """
    What a TLS context is made of, when none is given ready made.

    Attributes:
        keyfile, certfile: of the client's own certificate, paths
        ca_certs: path of the authorities to trust; None: the system's
        check_hostname: the certificate must be for the host we connect to
        verify: "required", "optional" or "none"; anything but "required" is no protection against an impostor
    """

    keyfile: str | None = None
    certfile: str | None = None
    ca_certs: str | None = None
    check_hostname: bool = True
    verify: Literal["required", "optional", "none"] = "required"


@dataclass(frozen=True, slots=True)
class Times:
    """
    Time limits in seconds; None is no limit.

    Attributes:
        connect: all of a connect: name look-up, TCP, TLS and handshake
        request: one ordinary command with its retries; never applied to a blocking one
        pool: waiting for a free connection
    """

    connect: float | None = 5.0
    request: float | None = 5.0
    pool: float | None = 5.0

    @property
    def grace(self) -> float:
        """
        How long after its BLOCK a blocking command may still be answered.
        """
        return max(GRACE_SECONDS, self.request or 0.0)


@dataclass(frozen=True, slots=True)
class Identity:
    """
    How a connection introduces itself.

    Attributes:
        db: number of the database
        client_name: shown by CLIENT LIST
        protocol: the RESP version to ask for
        readonly: a replica of a cluster shall answer reads
        ask_role: find out whether the server is a primary or a replica
    """

    db: int = 0
    client_name: str | None = None
    protocol: Literal[2, 3] = 3
    readonly: bool = False
    ask_role: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """
    All that opening a connection takes.

    Attributes:
        address: where the server listens
        tls: a ready ``ssl.SSLContext``, what to make one of, or None for plain text
        credentials: asked at every connect; None when the server wants none
        pins: with TLS, the SHA-256 digests of the public keys that are accepted; empty: any
    """

    address: TCPAddress | UnixAddress
    identity: Identity
    times: Times
    tls: TLSOptions | ssl.SSLContext | None = None
    credentials: CredentialProvider | None = field(default=None, repr=False)
    keepalive: bool = True
    pins: frozenset[bytes] = frozenset()


def check_seconds(name: str, value: float | None) -> float | None:
    """
    Check a time limit.

    Raises:
        TypeError, ValueError: not a positive number of seconds
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected seconds as a number or None, got {value!r}")
    if not 0 < value < 1e9:
        raise ValueError(f"{name}: expected more than 0 seconds, got {value}")
    return float(value)


def check_integer(name: str, value: int, low: int, high: int) -> int:
    """
    Check a whole number.

    Raises:
        TypeError, ValueError: not one, or outside of the limits
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low} to {high}, got {value}")
    return value


def check_boolean(name: str, value: bool) -> bool:
    """
    Check a switch: text as "no" would count as yes.

    Raises:
        TypeError: neither True nor False
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return value


def check_path(name: str, value: PathT | None) -> str | None:
    """
    Check the path of a file or socket.

    Raises:
        TypeError, ValueError: not one, or an empty one
    """
    if value is None:
        return None
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str):
        raise TypeError(f"{name}: expected a path as str or pathlib.Path, got {value!r}")
    if not path or "\0" in path:
        raise ValueError(f"{name}: expected the path of a file, got {path!r}")
    return path


def check_secret(name: str, value: str | None) -> None:
    """
    Check a username or password, without ever showing it.

    Raises:
        TypeError, ValueError: not text, or text that cannot be sent
    """
    if value is None:
        return
    if not isinstance(value, str | bytes):
        raise TypeError(f"{name}: expected str, got {type(value).__name__}")
    try:
        value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError:
        raise ValueError(f"{name}: has characters that UTF-8 cannot express") from None
