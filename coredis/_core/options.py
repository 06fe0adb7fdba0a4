"""
Check the arguments a client is made with, and sort them into what the parts of it need.
"""

from __future__ import annotations

import codecs
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from ..credentials import CredentialProvider, UserPassCredentialProvider
from ..typing import PathT
from .callers import levels_to_user
from .config import (
    ConnectionOptions,
    Identity,
    TCPAddress,
    Times,
    TLSOptions,
    UnixAddress,
    check_boolean,
    check_integer,
    check_path,
    check_seconds,
    check_secret,
)
from .retry import RetryPolicy

if TYPE_CHECKING:
    from ssl import SSLContext


class RedisOptions(TypedDict, total=False):
    """
    What a client can be told beyond where the server is and whether to decode. See the client's constructor.
    """

    unix_socket_path: PathT | None
    username: str | None
    password: str | None
    credential_provider: CredentialProvider | None
    client_name: str | None
    encoding: str
    protocol: Literal[2, 3]
    connect_timeout: float | None
    stream_timeout: float | None
    pool_timeout: float | None
    max_connections: int
    socket_keepalive: bool
    ssl: bool
    ssl_context: SSLContext | None
    ssl_keyfile: PathT | None
    ssl_certfile: PathT | None
    ssl_ca_certs: PathT | None
    ssl_check_hostname: bool
    ssl_cert_reqs: Literal["required", "optional", "none"]
    ssl_pinned_sha256: Iterable[str | bytes] | None
    retry_policy: RetryPolicy


class SentinelOptions(TypedDict, total=False):
    """
    How to reach sentinels, and as whom. The meanings are those of a client's options; the time limits are shorter.
    """

    username: str | None
    password: str | None
    credential_provider: CredentialProvider | None
    client_name: str | None
    protocol: Literal[2, 3]
    connect_timeout: float | None
    stream_timeout: float | None
    socket_keepalive: bool
    ssl: bool
    ssl_context: SSLContext | None
    ssl_keyfile: str | None
    ssl_certfile: str | None
    ssl_ca_certs: str | None
    ssl_check_hostname: bool
    ssl_cert_reqs: Literal["required", "optional", "none"]
    ssl_pinned_sha256: Iterable[str | bytes] | None


def sentinel_options(given: Mapping[str, object] | None, servers: Mapping[str, object]) -> SentinelOptions:
    """
    Check how sentinels are to be reached.

    TLS is what it is for the servers, unless something is said of it: nobody should have it on half of the way unawares.

    Raises:
        TypeError: an option that sentinels do not have
    """
    options = dict(given or {})
    known = SentinelOptions.__optional_keys__
    for name in options:
        if name not in known:
            raise TypeError(f"sentinel_kwargs: unknown option {name!r}; known are {', '.join(sorted(known))}")
    if not any(name.startswith("ssl") for name in options):
        options |= {name: value for name, value in servers.items() if name.startswith("ssl")}
    return cast(SentinelOptions, options)


def sentinel_addresses(sentinels: Iterable[tuple[str, int]]) -> list[TCPAddress]:
    """
    Check where sentinels listen.

    Raises:
        TypeError, ValueError: none, or not a host and a port each
    """
    addresses: list[TCPAddress] = []
    for each in [sentinels] if isinstance(sentinels, str | bytes) else sentinels:
        if isinstance(each, str | bytes) or len(each) != 2:
            raise TypeError(f"sentinels: expected pairs of host and port, got {each!r}")
        host, port = each
        if not isinstance(host, str) or not host:
            raise ValueError(f"sentinels: expected a name or address, got {host!r}")
        addresses.append(TCPAddress(host, check_integer("sentinels: port", port, 1, 65535)))
    if not addresses:
        raise ValueError("sentinels: expected at least one")
    return list(dict.fromkeys(addresses))


def check_service(service: object) -> None:
    """
    Check the name of a service.

    Raises:
        TypeError, ValueError: not a name
    """
    if not isinstance(service, str | bytes):
        raise TypeError(f"service: expected a name, got {service!r}")
    if not service:
        raise ValueError("service: expected a name, got an empty one")


def connection_options(
    host: str,
    port: int,
    db: int,
    *,
    unix_socket_path: PathT | None,
    username: str | None,
    password: str | None,
    credential_provider: CredentialProvider | None,
    client_name: str | None,
    protocol: int,
    times: Times,
    socket_keepalive: bool,
    tls: TLSOptions | SSLContext | None,
    pins: Iterable[str | bytes] | None,
) -> ConnectionOptions:
    """
    Put together how connections are opened.

    Raises:
        TypeError, ValueError: an argument is wrong, or two of them exclude each other
    """
    address: TCPAddress | UnixAddress
    path = check_path("unix_socket_path", unix_socket_path)
    if path is not None:
        if tls is not None:
            raise ValueError("unix_socket_path: TLS is for host and port only")
        address = UnixAddress(path)
    else:
        if not isinstance(host, str) or not host or any(letter <= " " for letter in host):
            raise ValueError(f"host: expected a name or address, got {host!r}")
        address = TCPAddress(host, check_integer("port", port, 1, 65535))
    if pins is not None and tls is None:
        raise ValueError("ssl_pinned_sha256: needs ssl=True, an ssl_context or a rediss:// URL")
    if credential_provider is not None:
        if username is not None or password is not None:
            raise ValueError("credential_provider: give either it, or username and password")
        if not callable(getattr(credential_provider, "get_credentials", None)):
            raise TypeError("credential_provider: expected an object with a method get_credentials()")
    elif username is not None or password is not None:
        check_secret("username", username)
        check_secret("password", password)
        # A username alone is that of a user who needs no password (`nopass`).
        credential_provider = UserPassCredentialProvider(username, password)
    if type(protocol) is not int or protocol not in (2, 3):
        raise ValueError(f"protocol: expected 2 or 3, got {protocol!r}")
    if client_name is not None:
        if not isinstance(client_name, str):
            raise TypeError(f"client_name: expected str, got {client_name!r}")
        if not client_name or any(not "!" <= letter <= "~" for letter in client_name):
            # The rule of CLIENT SETNAME (https://redis.io/docs/latest/commands/client-setname/).
            raise ValueError(f"client_name: expected printable characters without spaces, got {client_name!r}")
    return ConnectionOptions(
        address=address,
        identity=Identity(check_integer("db", db, 0, 2**31 - 1), client_name, 2 if protocol == 2 else 3),
        times=times,
        tls=tls,
        credentials=credential_provider,
        keepalive=check_boolean("socket_keepalive", socket_keepalive),
        pins=_read_pins(pins),
    )


def _read_pins(given: Iterable[str | bytes] | None) -> frozenset[bytes]:
    if given is None:
        return frozenset()
    from .certificates import read_pins  # who pins nothing does not wait for hashlib

    return read_pins("ssl_pinned_sha256", given)


def times(connect: float | None, request: float | None, pool: float | None) -> Times:
    """
    Check the time limits, in seconds.
    """
    return Times(
        connect=check_seconds("connect_timeout", connect),
        request=check_seconds("stream_timeout", request),
        pool=check_seconds("pool_timeout", pool),
    )


def tls_options(
    ssl: bool,
    ssl_context: SSLContext | None,
    keyfile: PathT | None,
    certfile: PathT | None,
    ca_certs: PathT | None,
    check_hostname: bool,
    verify: str,
) -> TLSOptions | SSLContext | None:
    """
    Decide about TLS: a context is complete, single settings need ``ssl=True``.

    Raises:
        TypeError, ValueError: settings without TLS or beside a context, or wrong ones
    """
    if verify not in ("required", "optional", "none"):
        raise ValueError(f"ssl_cert_reqs: expected required, optional or none, got {verify!r}")
    settings = TLSOptions(
        check_path("ssl_keyfile", keyfile),
        check_path("ssl_certfile", certfile),
        check_path("ssl_ca_certs", ca_certs),
        check_boolean("ssl_check_hostname", check_hostname),
        verify,  # type: ignore[arg-type]
    )
    check_boolean("ssl", ssl)
    if ssl_context is not None:
        if not callable(getattr(ssl_context, "wrap_socket", None)):
            raise TypeError(f"ssl_context: expected ssl.SSLContext, got {ssl_context!r}")
        if settings != TLSOptions():
            # Ignoring them would mean less protection than somebody believes in, or an identity that is not shown.
            raise ValueError("ssl_...: make these settings in the ssl_context")
        return ssl_context
    if not ssl:
        if settings != TLSOptions():
            raise ValueError("ssl_...: these settings need ssl=True or a rediss:// URL")
        return None
    if keyfile is not None and certfile is None:
        raise ValueError("ssl_keyfile: needs ssl_certfile too")
    if verify != "required" or not check_hostname:
        warnings.warn(
            "TLS without complete verification: anybody on the way can pose as the server",
            UserWarning,
            stacklevel=levels_to_user(),
        )
    return settings


def check_encoding(encoding: str) -> str:
    """
    Check the name of an encoding and give its usual form.

    Raises:
        TypeError: not a name
        ValueError: unknown, or one that spells the commands themselves in other bytes than the server knows
    """
    if not isinstance(encoding, str):
        raise TypeError(f"encoding: expected the name of one, got {encoding!r}")
    try:
        name = codecs.lookup(encoding).name
        spelled = "PING 0".encode(name)
    except LookupError:
        raise ValueError(f"encoding: unknown encoding {encoding!r}") from None
    if spelled != b"PING 0":
        raise ValueError(f"encoding: expected one that contains ASCII, as utf-8 or latin-1 do, got {encoding!r}")
    return name
