"""
The client of one server: how it is made, and everything it can do.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, AnyStr, Literal, Unpack, cast, overload

from coredis._async.adding import StreamProducer
from coredis._async.connection import resolve_tls
from coredis._async.patterns.host import ConsumerHost
from coredis._async.scan import ScanIterators
from coredis._async.single import SingleClient
from coredis._core import options
from coredis._core.config import check_boolean, check_integer
from coredis._core.options import RedisOptions
from coredis._core.retry import RetryPolicy
from coredis._core.secrets import hidden
from coredis.typing import PathT

if TYPE_CHECKING:
    import ssl as tls

    from coredis._async.pipeline import Pipeline
    from coredis.credentials import CredentialProvider

DEFAULT_MAX_CONNECTIONS = 64


@functools.cache
def _pipelines() -> type[Pipeline[Any]]:
    """
    Give the class of pipelines: who uses none does not wait for it, and who uses many does not have it looked for each time.
    """
    from coredis._async.pipeline import Pipeline

    return Pipeline


class Redis(StreamProducer[AnyStr], ConsumerHost[AnyStr], ScanIterators[AnyStr], SingleClient[AnyStr]):
    """
    A client of one Redis or Valkey server.

    Use it in a ``with`` block, or make it, use it (the first command connects) and ``close()`` it. Text comes as ``bytes``, or
    as ``str`` with ``decode_responses=True``; what cannot be decoded stays ``bytes``.
    """

    @overload
    def __init__(
        self: Redis[bytes],
        host: str = ...,
        port: int = ...,
        db: int = ...,
        *,
        decode_responses: Literal[False] = ...,
        **options: Unpack[RedisOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Redis[str],
        host: str = ...,
        port: int = ...,
        db: int = ...,
        *,
        decode_responses: Literal[True],
        **options: Unpack[RedisOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        host: str = ...,
        port: int = ...,
        db: int = ...,
        *,
        decode_responses: bool,
        **options: Unpack[RedisOptions],
    ) -> None: ...

    def __init__(
        self,
        host: str = "localhost",
        port: int = 6379,
        db: int = 0,
        *,
        unix_socket_path: PathT | None = None,
        username: str | None = None,
        password: str | None = None,
        credential_provider: CredentialProvider | None = None,
        client_name: str | None = None,
        decode_responses: bool = False,
        encoding: str = "utf-8",
        protocol: Literal[2, 3] = 3,
        connect_timeout: float | None = 5.0,
        stream_timeout: float | None = 5.0,
        pool_timeout: float | None = 5.0,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        socket_keepalive: bool = True,
        ssl: bool = False,
        ssl_context: tls.SSLContext | None = None,
        ssl_keyfile: PathT | None = None,
        ssl_certfile: PathT | None = None,
        ssl_ca_certs: PathT | None = None,
        ssl_check_hostname: bool = True,
        ssl_cert_reqs: Literal["required", "optional", "none"] = "required",
        ssl_pinned_sha256: Iterable[str | bytes] | None = None,
        retry_policy: RetryPolicy = RetryPolicy(),
    ) -> None:
        """
        Nothing is connected yet.

        Args:
            host: name or address; looked up at every connect
            port: 1 to 65535
            db: number of the database
            unix_socket_path: connect to this socket instead of host and port
            username: None for the server's default user
            password: never shown by any repr or message; None where the user needs none
            credential_provider: asked for username and password at every connect, instead of the two above
            client_name: shown by CLIENT LIST
            decode_responses: give text as ``str``
            encoding: of ``str``, in both directions
            protocol: RESP version; 3 falls back to 2 where the server knows no other
            connect_timeout: seconds for a connect, TLS and handshake included; None: no limit
            stream_timeout: seconds for one ordinary command, its retries included; None: no limit. It never applies to a
                blocking command
            pool_timeout: seconds to wait for a free connection; None: no limit
            max_connections: the most connections at a time; consumers' own connections do not count
            socket_keepalive: let the kernel look for dead peers
            ssl: use TLS; certificate and host name are verified
            ssl_context: use TLS with a context of your own, which says all there is to say
            ssl_keyfile: path of the client's private key
            ssl_certfile: path of the client's certificate
            ssl_ca_certs: path of the authorities to trust instead of the system's
            ssl_check_hostname: False accepts a certificate for another host; warns
            ssl_cert_reqs: anything but ``"required"`` lets others pose as the server; warns
            ssl_pinned_sha256: accept only these public keys, whoever vouches for them: SHA-256 of the certificate's
                SubjectPublicKeyInfo, in hexadecimal, base64 or as 32 bytes. Looked at before anything is sent, beside the
                other checks, also with an ``ssl_context``
            retry_policy: how failed commands are tried again; one that may have run and is not idempotent
                only if it says so

        Raises:
            TypeError, ValueError: an argument is wrong, or some exclude each other
            OSError: a certificate or key file is unusable
        """
        username, password = hidden(username), hidden(password)
        if not isinstance(retry_policy, RetryPolicy):
            raise TypeError(f"retry_policy: expected RetryPolicy, got {type(retry_policy).__name__}")
        connection = options.connection_options(
            host,
            port,
            db,
            unix_socket_path=unix_socket_path,
            username=username,
            password=password,
            credential_provider=credential_provider,
            client_name=client_name,
            protocol=protocol,
            times=options.times(connect_timeout, stream_timeout, pool_timeout),
            socket_keepalive=socket_keepalive,
            tls=resolve_tls(
                options.tls_options(
                    ssl, ssl_context, ssl_keyfile, ssl_certfile, ssl_ca_certs, ssl_check_hostname, ssl_cert_reqs
                )
            ),
            pins=ssl_pinned_sha256,
        )
        super().__init__(
            connection,
            max_connections=check_integer("max_connections", max_connections, 1, 1_000_000),
            encoding=options.check_encoding(encoding),
            decode_responses=check_boolean("decode_responses", decode_responses),
            retry_policy=retry_policy,
        )

    @overload
    @classmethod
    def from_url(
        cls, url: str, db: int | None = ..., *, decode_responses: Literal[False] = ..., **options: Unpack[RedisOptions]
    ) -> Redis[bytes]: ...

    @overload
    @classmethod
    def from_url(
        cls, url: str, db: int | None = ..., *, decode_responses: Literal[True], **options: Unpack[RedisOptions]
    ) -> Redis[str]: ...

    @overload
    @classmethod
    def from_url(
        cls, url: str, db: int | None = ..., *, decode_responses: bool, **options: Unpack[RedisOptions]
    ) -> Redis[bytes] | Redis[str]: ...

    @classmethod
    def from_url(
        cls, url: str, db: int | None = None, *, decode_responses: bool = False, **options: Unpack[RedisOptions]
    ) -> Redis[bytes] | Redis[str]:
        """
        Make a client from a URL: ``redis://``, ``rediss://`` (TLS) or ``unix://``.

        Args:
            url: ``redis://user:password@host:port/db?option=value``; options are the names of the constructor's arguments
            db: number of the database, unless the URL says one
            decode_responses: give text as ``str``, unless the URL says
            options: further arguments of the constructor; the URL wins

        Raises:
            ValueError: an unknown scheme or parameter, or a bad value
        """
        from coredis._core import url as urls  # who has no URL does not wait for it

        url = hidden(url)
        if "username" in options:
            options["username"] = hidden(options["username"])
        if "password" in options:
            options["password"] = hidden(options["password"])
        arguments = {"decode_responses": decode_responses, **options, **urls.parse(url)}
        if db is not None:
            arguments.setdefault("db", db)
        return cast("Redis[bytes] | Redis[str]", cls(**arguments))  # type: ignore[call-overload]

    def pipeline(self, transaction: bool = True, *, raise_on_error: bool = True) -> Pipeline[AnyStr]:
        """
        Make a pipeline: queue commands, send them at once.

        Args:
            transaction: execute all or none, with nothing of others in between (MULTI/EXEC)
            raise_on_error: raise the first error after all results are known; False leaves errors to the handles
        """
        return _pipelines()(self, transaction, raise_on_error)
