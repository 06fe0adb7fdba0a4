# Generated from coredis/_async/cluster.py by scripts/generate.py: edit that file, not this one.
"""
The client of a cluster: how it is made, and everything it can do.
"""

from __future__ import annotations

import ssl as tls
from collections.abc import Iterable
from typing import AnyStr, Literal, Unpack, cast, overload

from coredis._sync.adding import StreamProducer
from coredis._sync.cluster_node import ClusterNode
from coredis._sync.cluster_pipeline import ClusterPipeline
from coredis._sync.clusters import ClusterClient
from coredis._sync.connection import resolve_tls
from coredis._sync.nodes import Nodes
from coredis._sync.patterns.host import ConsumerHost
from coredis._sync.scan import ScanIterators
from coredis._core import options
from coredis._core import url as urls
from coredis._core.cluster_options import ClusterOptions, seeds
from coredis._core.command import Command
from coredis._core.config import check_boolean, check_integer
from coredis._core.replies import server as replies
from coredis._core.retry import RetryPolicy
from coredis._core.secrets import hidden
from coredis._core.topology import AddressMap, address_reader
from coredis.credentials import CredentialProvider
from coredis.types import InfoValue
from coredis.typing import Node, PathT, StringT

DEFAULT_MAX_CONNECTIONS = 64


class RedisCluster(StreamProducer[AnyStr], ConsumerHost[AnyStr], ScanIterators[AnyStr], ClusterClient[AnyStr]):
    """
    A client of a Redis or Valkey cluster.

    Use it in a ``with`` block, or make it, use it (the first command connects) and ``close()`` it. Text comes as ``bytes``, or
    as ``str`` with ``decode_responses=True``; what cannot be decoded stays ``bytes``.
    """

    @overload
    def __init__(
        self: RedisCluster[bytes],
        host: str | None = ...,
        port: int | None = ...,
        *,
        decode_responses: Literal[False] = ...,
        **options: Unpack[ClusterOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: RedisCluster[str],
        host: str | None = ...,
        port: int | None = ...,
        *,
        decode_responses: Literal[True],
        **options: Unpack[ClusterOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        host: str | None = ...,
        port: int | None = ...,
        *,
        decode_responses: bool,
        **options: Unpack[ClusterOptions],
    ) -> None: ...

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        startup_nodes: Iterable[Node | tuple[str, int]] | None = None,
        address_map: AddressMap | None = None,
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
        max_connections_per_node: bool = False,
        non_atomic_cross_slot: bool = True,
        read_from_replicas: bool = False,
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
            host: one node of the cluster, name or address; looked up at every connect
            port: of that node; 7000 if only the host is given
            startup_nodes: more nodes that may be asked what the cluster looks like, as ``{"host": ..., "port": ...}`` or
                (host, port). One that answers is enough
            address_map: where to connect instead of where a node says it is, behind NAT for example: a mapping from
                (host, port) to (host, port), or a function. It is not applied to the startup nodes
            username: None for the servers' default user
            password: never shown by any repr or message; None where the user needs none
            credential_provider: asked for username and password at every connect, instead of the two above
            client_name: shown by CLIENT LIST
            decode_responses: give text as ``str``
            encoding: of ``str``, in both directions
            protocol: RESP version; 3 falls back to 2 where the server knows no other
            connect_timeout: seconds for a connect, TLS and handshake included; None: no limit
            stream_timeout: seconds for one ordinary command, its redirects and retries included; None: no limit. A failover
                that takes less is no error. It never applies to a blocking command
            pool_timeout: seconds to wait for a free connection; None: no limit
            max_connections: the most connections at a time, shared out evenly among the nodes in use, each of which may have
                one at least; consumers' own connections do not count
            max_connections_per_node: that many for each node instead
            non_atomic_cross_slot: split DEL, EXISTS, MGET, MSET, TOUCH and UNLINK whose keys are in several slots, which are
                then not atomic; False: such a command is a ``ClusterCrossSlotError``, as any other one is
            read_from_replicas: let replicas answer commands that change nothing; they may lag behind
            socket_keepalive: let the kernel look for dead peers
            ssl: use TLS for all nodes; certificate and host name are verified
            ssl_context: use TLS with a context of your own, which says all there is to say
            ssl_keyfile: path of the client's private key
            ssl_certfile: path of the client's certificate
            ssl_ca_certs: path of the authorities to trust instead of the system's
            ssl_check_hostname: False accepts a certificate for another host; warns
            ssl_cert_reqs: anything but ``"required"`` lets others pose as the server; warns
            ssl_pinned_sha256: accept only nodes with these public keys, whoever vouches for them: SHA-256 of the certificate's
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
        found = seeds(host, port, startup_nodes)
        connection = options.connection_options(
            found[0].host,
            found[0].port,
            0,
            unix_socket_path=None,
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
        nodes = Nodes(
            found,
            connection,
            max_connections=check_integer("max_connections", max_connections, 1, 1_000_000),
            per_node=check_boolean("max_connections_per_node", max_connections_per_node),
            replicas=check_boolean("read_from_replicas", read_from_replicas),
            mapped=address_reader(address_map),
        )
        super().__init__(
            nodes,
            connection.times,
            encoding=options.check_encoding(encoding),
            decode_responses=check_boolean("decode_responses", decode_responses),
            retry_policy=retry_policy,
            replicas=read_from_replicas,
            split=check_boolean("non_atomic_cross_slot", non_atomic_cross_slot),
        )

    @overload
    @classmethod
    def from_url(
        cls, url: str, *, decode_responses: Literal[False] = ..., **options: Unpack[ClusterOptions]
    ) -> RedisCluster[bytes]: ...

    @overload
    @classmethod
    def from_url(
        cls, url: str, *, decode_responses: Literal[True], **options: Unpack[ClusterOptions]
    ) -> RedisCluster[str]: ...

    @overload
    @classmethod
    def from_url(
        cls, url: str, *, decode_responses: bool, **options: Unpack[ClusterOptions]
    ) -> RedisCluster[bytes] | RedisCluster[str]: ...

    @classmethod
    def from_url(
        cls, url: str, *, decode_responses: bool = False, **options: Unpack[ClusterOptions]
    ) -> RedisCluster[bytes] | RedisCluster[str]:
        """
        Make a client from the URL of one node: ``redis://`` or ``rediss://`` (TLS).

        Args:
            url: ``redis://user:password@host:port?option=value``; options are the names of the constructor's arguments
            decode_responses: give text as ``str``, unless the URL says
            options: further arguments of the constructor; the URL wins

        Raises:
            ValueError: an unknown scheme or parameter, a bad value, or a database other than 0
        """
        url = hidden(url)
        if "username" in options:
            options["username"] = hidden(options["username"])
        if "password" in options:
            options["password"] = hidden(options["password"])
        parsed = urls.parse(url, urls.CLUSTER_PARAMETERS)
        if "unix_socket_path" in parsed:
            raise ValueError("url: a cluster has no Unix socket; expected redis:// or rediss://")
        if parsed.pop("db", 0) != 0:
            raise ValueError("url: a cluster has database 0 only")
        arguments = {"decode_responses": decode_responses, **options, **parsed}
        return cast("RedisCluster[bytes] | RedisCluster[str]", cls(**arguments))  # type: ignore[call-overload]

    def pipeline(self, transaction: bool = False, *, raise_on_error: bool = True) -> ClusterPipeline[AnyStr]:
        """
        Make a pipeline: queue commands, send them to all their nodes at once.

        Args:
            transaction: execute all or none, with nothing of others in between (MULTI/EXEC); all keys must be in one slot
            raise_on_error: raise the first error after all results are known; False leaves errors to the handles
        """
        return ClusterPipeline(self, transaction, raise_on_error)

    def info(self, *sections: StringT) -> dict[str, dict[str, InfoValue]]:  # type: ignore[override]
        """
        Get facts and statistics of every primary.

        Args:
            sections: such as ``"memory"``; the server's default ones if not given, ``"everything"`` for all

        Returns:
            by the address of the node, as ``"host:port"``, what ``info`` of a client of one server gives

        Source: https://redis.io/docs/latest/commands/info/
        """
        return self.on_primaries(Command(("INFO", *sections), replies.info, idempotent=True))

    # ------------------------------------------------------------------------------------------------------- nodes

    def primaries(self) -> tuple[ClusterNode[AnyStr], ...]:
        """
        Give the nodes that serve slots, ordered by their lowest slot, to talk to one in particular.
        """
        topology = self.topology()
        return tuple(ClusterNode(self, shard.primary, shard.ranges, False) for shard in topology.shards)

    def replicas(self) -> tuple[ClusterNode[AnyStr], ...]:
        """
        Give the replicas, in the order of their primaries.
        """
        topology = self.topology()
        return tuple(
            ClusterNode(self, replica, shard.ranges, True) for shard in topology.shards for replica in shard.replicas
        )

    def all_nodes(self) -> tuple[ClusterNode[AnyStr], ...]:
        """
        Give the primaries and then the replicas.
        """
        primaries: tuple[ClusterNode[AnyStr], ...] = self.primaries()
        replicas: tuple[ClusterNode[AnyStr], ...] = self.replicas()
        return primaries + replicas
