"""
Check the arguments that only a client of a cluster is made with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from ..credentials import CredentialProvider
from ..typing import Node, PathT
from .config import TCPAddress, check_integer
from .retry import RetryPolicy
from .topology import AddressMap

if TYPE_CHECKING:
    from ssl import SSLContext

DEFAULT_PORT: Final = 7000  # of a startup node, as in the tutorials of Redis Cluster


class ClusterOptions(TypedDict, total=False):
    """
    What a client of a cluster can be told beyond one host and whether to decode. See the client's constructor.
    """

    startup_nodes: Iterable[Node | tuple[str, int]] | None
    address_map: AddressMap | None
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
    max_connections_per_node: bool
    non_atomic_cross_slot: bool
    read_from_replicas: bool
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


def seeds(
    host: str | None, port: int | None, startup_nodes: Iterable[Node | tuple[str, int]] | None
) -> tuple[TCPAddress, ...]:
    """
    Collect the nodes that are asked first.

    Args:
        host, port: one of them; the port is 7000 unless given
        startup_nodes: others, as ``{"host": ..., "port": ...}`` or (host, port)

    Raises:
        TypeError, ValueError: none at all, or what is no node
    """
    found = []
    if host is not None:
        found.append(_address("host", host, "port", DEFAULT_PORT if port is None else port))
    elif port is not None:
        raise ValueError("port: needs a host")
    if startup_nodes is not None:
        if isinstance(startup_nodes, str | bytes | Mapping):
            raise TypeError(f"startup_nodes: expected several nodes, got {startup_nodes!r}")
        for node in startup_nodes:
            try:
                pair = (node["host"], node["port"]) if isinstance(node, Mapping) else tuple(node)
                of_host, of_port = pair
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"startup_nodes: expected host and port, got {node!r}") from None
            found.append(_address("startup_nodes", of_host, "startup_nodes", of_port))
    if not found:
        raise ValueError("host: give it, or startup_nodes")
    return tuple(dict.fromkeys(found))


def _address(host_name: str, host: object, port_name: str, port: object) -> TCPAddress:
    if not isinstance(host, str) or not host or any(letter <= " " for letter in host):
        raise ValueError(f"{host_name}: expected a name or address, got {host!r}")
    return TCPAddress(host, check_integer(port_name, port, 1, 65535))  # type: ignore[arg-type]
