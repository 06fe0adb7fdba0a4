# Generated from coredis/_async/sentinel.py by scripts/generate.py: edit that file, not this one.
"""
Sentinels: find the primary and the replicas of a service, and make clients that follow them through failovers.

The clients are ordinary ones; what is special about them is where their connections come from, see ``sentinel_sources``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import AnyStr, Generic, Literal, Self, Unpack, cast, overload

from coredis._sync.connection import resolve_tls
from coredis._sync.redis import Redis
from coredis._sync.sentinel_sources import PrimarySource, ReplicaSource, Sentinels
from coredis._core import options as checks
from coredis._core import url as urls
from coredis._core.certificates import read_pins
from coredis._core.config import ConnectionOptions, check_integer
from coredis._core.options import RedisOptions, SentinelOptions
from coredis._core.secrets import hidden
from coredis._core.sentinel import ASK_SECONDS, Ledger, View
from coredis._core.topology import AddressMap, address_reader
from coredis.exceptions import PrimaryNotFoundError, ReplicaNotFoundError, SentinelError
from coredis.typing import StringT


class Sentinel(Generic[AnyStr]):
    """
    Some sentinels, and what they watch.

    Attributes:
        service: the service meant when none is named; None: there is no such one
    """

    @overload
    def __init__(
        self: Sentinel[bytes],
        sentinels: Iterable[tuple[str, int]],
        min_other_sentinels: int = ...,
        sentinel_kwargs: SentinelOptions | None = ...,
        decode_responses: Literal[False] = ...,
        *,
        db: int = ...,
        service: StringT | None = ...,
        address_map: AddressMap | None = ...,
        **options: Unpack[RedisOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Sentinel[str],
        sentinels: Iterable[tuple[str, int]],
        min_other_sentinels: int = ...,
        sentinel_kwargs: SentinelOptions | None = ...,
        *,
        decode_responses: Literal[True],
        db: int = ...,
        service: StringT | None = ...,
        address_map: AddressMap | None = ...,
        **options: Unpack[RedisOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        sentinels: Iterable[tuple[str, int]],
        min_other_sentinels: int = ...,
        sentinel_kwargs: SentinelOptions | None = ...,
        *,
        decode_responses: bool,
        db: int = ...,
        service: StringT | None = ...,
        address_map: AddressMap | None = ...,
        **options: Unpack[RedisOptions],
    ) -> None: ...

    def __init__(
        self,
        sentinels: Iterable[tuple[str, int]],
        min_other_sentinels: int = 0,
        sentinel_kwargs: SentinelOptions | None = None,
        decode_responses: bool = False,
        *,
        db: int = 0,
        service: StringT | None = None,
        address_map: AddressMap | None = None,
        **options: Unpack[RedisOptions],
    ) -> None:
        """
        Nothing is connected yet.

        Args:
            sentinels: host and port of each that is to be asked; one that answers suffices
            min_other_sentinels: do not believe a sentinel that knows fewer others: it may be cut off
            sentinel_kwargs: how to reach the sentinels themselves and as whom: ``username``, ``password``, the ``ssl`` options,
                ``connect_timeout`` and ``stream_timeout`` (1 second each by default) and so on. They share no credentials with
                the servers. Their TLS is that of the servers unless some ``ssl`` option stands here; ``ssl=False`` turns it off
            decode_responses: the clients made here give text as ``str``
            db: number of the database
            service: the service meant when none is named
            address_map: where to connect instead of where the sentinels say that a server is, behind NAT for example: a mapping
                from (host, port) to (host, port), or a function. It is not applied to the sentinels themselves
            options: of the clients made here; those of ``Redis``

        Raises:
            TypeError, ValueError: an argument is wrong, or some exclude each other
            OSError: a certificate or key file is unusable
        """
        if service is not None:
            checks.check_service(service)
        self.service = service
        self._db = db
        self._decode_responses = decode_responses
        self._options = options
        for name in ("username", "password"):
            if name in options:
                options[name] = hidden(options[name])  # type: ignore[literal-required]
        if options.get("ssl_pinned_sha256") is not None:
            options["ssl_pinned_sha256"] = tuple(read_pins("ssl_pinned_sha256", options["ssl_pinned_sha256"]))
        self._min_others = check_integer("min_other_sentinels", min_other_sentinels, 0, 1_000_000)
        self._reach = _reach(sentinels, checks.sentinel_options(sentinel_kwargs, options))
        self._mapped = address_reader(address_map, partial(SentinelError, temporary=False))
        self._make(None, {})  # for its checks: mistakes are to be found here
        self._sentinels = self._group()

    @overload
    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        decode_responses: Literal[False] = ...,
        address_map: AddressMap | None = ...,
        **options: Unpack[RedisOptions],
    ) -> Sentinel[bytes]: ...

    @overload
    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        decode_responses: Literal[True],
        address_map: AddressMap | None = ...,
        **options: Unpack[RedisOptions],
    ) -> Sentinel[str]: ...

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        decode_responses: bool = False,
        address_map: AddressMap | None = None,
        **options: Unpack[RedisOptions],
    ) -> Sentinel[bytes] | Sentinel[str]:
        """
        Make one from a URL: ``sentinel://``, or ``sentinels://`` for TLS with sentinels and servers.

        Args:
            url: ``sentinel://user:password@host:port,host:port/service/db?option=value``. The hosts are the sentinels; user,
                password and options are for the servers. Options for the sentinels themselves are called ``sentinel_...``, as
                in ``sentinel_password=value``; ``min_other_sentinels`` is one too
            decode_responses: the clients made here give text as ``str``, unless the URL says
            address_map: as in the constructor
            options: of the clients made here; the URL wins

        Raises:
            ValueError: an unknown scheme or parameter, or a bad value
        """
        parsed = urls.parse_sentinel(hidden(url))
        arguments = {"decode_responses": decode_responses, **options, **parsed.options}
        made = cls(
            parsed.sentinels,
            parsed.min_other_sentinels,
            parsed.sentinel_options or None,
            service=parsed.service,
            address_map=address_map,
            **arguments,
        )  # type: ignore[call-overload]
        return cast("Sentinel[bytes] | Sentinel[str]", made)

    # ------------------------------------------------------------------------------------------------------ clients

    def primary_for(
        self, service: StringT | None = None, *, db: int | None = None, **options: Unpack[RedisOptions]
    ) -> Redis[AnyStr]:
        """
        Make a client of a service's primary, whichever server that is at the moment.

        It asks the sentinels at every connect, and about once a second while it is used; a server that was demoted is left. A
        command that was refused, or not sent, is sent to the new primary within its ``stream_timeout``.

        Args:
            service: as the sentinels call it
            db: number of the database, unless it is that of the constructor
            options: of ``Redis``, where they are not those of the constructor

        Raises:
            ValueError: no service is named here, nor was one in the constructor
        """
        client = self._make(db, options)
        client.follow(PrimarySource(self._named(service), self._group()))
        return client

    def replica_for(
        self, service: StringT | None = None, *, db: int | None = None, **options: Unpack[RedisOptions]
    ) -> Redis[AnyStr]:
        """
        Make a client of a service's replicas: each of its connections leads to any that answers, and to the primary while
        there is none. Replicas are behind their primary, a little or more.

        Args, Raises:
            as ``primary_for``
        """
        client = self._make(db, options)
        client.follow(ReplicaSource(self._named(service), self._group()))
        return client

    # ----------------------------------------------------------------------------------------------------- questions

    def discover_primary(self, service: StringT | None = None) -> tuple[str, int]:
        """
        Ask where a service's primary is.

        Returns:
            host and port, as the sentinels tell them or the address map does

        Raises:
            PrimaryNotFoundError: no sentinel answers, or none names one that is up
        """
        view = self._ask(self._named(service), reachable=True)
        return view.primary.host, view.primary.port

    def discover_replicas(self, service: StringT | None = None) -> list[tuple[str, int]]:
        """
        Ask where a service's replicas are.

        Returns:
            host and port of each that answers, those in touch with the primary first; empty when there is none

        Raises:
            ReplicaNotFoundError: no sentinel answers
        """
        try:
            view = self._ask(self._named(service), reachable=False)
        except PrimaryNotFoundError as error:
            raise ReplicaNotFoundError(str(error), temporary=error.temporary) from error
        return [(replica.host, replica.port) for replica in view.replicas]

    # ------------------------------------------------------------------------------------------- opening and closing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """
        Close the connections that the questions asked here have opened. The clients made here are closed on their own.
        """
        self._sentinels.close()

    def __del__(self) -> None:
        sentinels = getattr(self, "_sentinels", None)  # absent when the constructor refused its arguments
        channels = [] if sentinels is None else list(sentinels.channels())
        for channel in channels:
            channel.close_from_finalizer()
        if channels:  # last, because a warning may be an exception
            warnings.warn(
                f"unclosed {self!r}: use it in a with block, or call close()",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )

    def __repr__(self) -> str:
        places = ", ".join(str(each.address) for each in getattr(self, "_reach", ()))
        return f"<{type(self).__name__} {places}>"

    def __reduce__(self) -> str:
        raise TypeError(f"a {type(self).__name__} holds connections and is not pickled; make one where it is used")

    # ------------------------------------------------------------------------------------------------------- inside

    def _named(self, service: StringT | None) -> StringT:
        if service is None:
            service = self.service
        if service is None:
            raise ValueError("service: expected a name, here or when the Sentinel is made")
        checks.check_service(service)
        return service

    def _group(self) -> Sentinels:
        return Sentinels(self._reach, self._min_others, self._mapped)

    def _make(self, db: int | None, options: RedisOptions) -> Redis[AnyStr]:
        arguments: RedisOptions = {**self._options, **options}
        if arguments.get("unix_socket_path") is not None:
            raise ValueError("unix_socket_path: sentinels tell host and port of a server")
        db = self._db if db is None else db
        # Its host is never used: a source says where to connect.
        return cast("Redis[AnyStr]", Redis(db=db, decode_responses=self._decode_responses, **arguments))

    def _ask(self, service: StringT, *, reachable: bool) -> View:
        view, _ = self._sentinels.ask(service, Ledger(), self._sentinels.closings, math.inf, reachable=reachable)
        return view


def _reach(sentinels: Iterable[tuple[str, int]], given: SentinelOptions) -> list[ConnectionOptions]:
    """
    Put together how connections to each sentinel are opened.
    """
    tls = resolve_tls(
        checks.tls_options(
            given.get("ssl", False),
            given.get("ssl_context"),
            given.get("ssl_keyfile"),
            given.get("ssl_certfile"),
            given.get("ssl_ca_certs"),
            given.get("ssl_check_hostname", True),
            given.get("ssl_cert_reqs", "required"),
        )
    )
    pins = (
        None if given.get("ssl_pinned_sha256") is None else read_pins("ssl_pinned_sha256", given["ssl_pinned_sha256"])
    )
    return [
        checks.connection_options(
            address.host,
            address.port,
            0,
            unix_socket_path=None,
            username=hidden(given.get("username")),
            password=hidden(given.get("password")),
            credential_provider=given.get("credential_provider"),
            client_name=given.get("client_name"),
            protocol=given.get("protocol", 3),
            times=checks.times(
                given.get("connect_timeout", ASK_SECONDS), given.get("stream_timeout", ASK_SECONDS), None
            ),
            socket_keepalive=given.get("socket_keepalive", True),
            tls=tls,
            pins=pins,
        )
        for address in checks.sentinel_addresses(sentinels)
    ]
