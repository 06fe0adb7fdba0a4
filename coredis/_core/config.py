"""
How to reach a server and introduce ourselves to it: plain values, checked when a client is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ..credentials import CredentialProvider

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
        return f"{self.host}:{self.port}"


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
        ask_role: find out whether the server is a primary or a replica
    """

    db: int = 0
    client_name: str | None = None
    protocol: Literal[2, 3] = 3
    ask_role: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """
    All that opening a connection takes.

    Attributes:
        address: where the server listens
        tls: a ready ``ssl.SSLContext``, what to make one of, or None for plain text
        credentials: asked at every connect; None when the server wants none
    """

    address: TCPAddress | UnixAddress
    identity: Identity
    times: Times
    tls: TLSOptions | ssl.SSLContext | None = None
    credentials: CredentialProvider | None = field(default=None, repr=False)
    keepalive: bool = True


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
