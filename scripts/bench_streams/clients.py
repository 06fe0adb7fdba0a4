"""
Which clients there are: their environment, their driver, and their event loop.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Client(NamedTuple):
    """
    One column of the tables.

    Attributes:
        name: of the column
        environment: where it is installed, see ``environments``
        driver: the module of ``drivers``
        package: what the driver imports
        flavour: ``"async"`` or ``"blocking"``
        uvloop: run on uvloop
        kind: ``"ours"``, ``"peer"``, ``"floor"``: the least of a client, see ``floor``, or ``"limit"``: what this machine can
            do, without a client
    """

    name: str
    environment: str
    driver: str
    package: str
    flavour: str
    uvloop: bool = False
    kind: str = "peer"


OURS_ASYNC: Final = "coredis-async"
OURS_BLOCKING: Final = "coredis-sync"
COREDIS6: Final = "coredis6-async"

CLIENTS: Final = {
    client.name: client
    for client in (
        Client(OURS_ASYNC, "peers", "coredis_async", "coredis", "async", kind="ours"),
        Client(f"{OURS_ASYNC}-uv", "peers", "coredis_async", "coredis", "async", uvloop=True, kind="ours"),
        Client(OURS_BLOCKING, "peers", "coredis_blocking", "coredis.sync", "blocking", kind="ours"),
        Client("redis-async", "peers", "redis_async", "redis", "async"),
        Client("redis-async-uv", "peers", "redis_async", "redis", "async", uvloop=True),
        Client("valkey-async", "peers", "redis_async", "valkey", "async"),
        Client("glide-async", "peers", "glide_async", "glide", "async"),
        Client(COREDIS6, "coredis6", "coredis_async", "coredis", "async"),
        Client(f"{COREDIS6}-uv", "coredis6", "coredis_async", "coredis", "async", uvloop=True),
        Client("redis-sync", "peers", "redis_blocking", "redis", "blocking"),
        Client("valkey-sync", "peers", "redis_blocking", "valkey", "blocking"),
        Client("glide-sync", "peers", "glide_blocking", "glide_sync", "blocking"),
        Client("floor-async", "peers", "floor_async", "bench_streams.floor.aio", "async", kind="floor"),
        Client("floor-async-uv", "peers", "floor_async", "bench_streams.floor.aio", "async", uvloop=True, kind="floor"),
        Client("floor-sync", "peers", "floor_blocking", "bench_streams.floor.blocking", "blocking", kind="floor"),
        Client("limit-async", "peers", "limit_async", "hiredis", "async", kind="limit"),
        Client("limit-sync", "peers", "limit_blocking", "hiredis", "blocking", kind="limit"),
    )
}

#: What ``--against FOLDER`` adds: the code of another checkout, measured like a peer.
BASE: Final = tuple(
    CLIENTS[name]._replace(name=name.replace("coredis", "base"), kind="peer") for name in (OURS_ASYNC, OURS_BLOCKING)
)


def floor_of(client: Client) -> str:
    """
    Name the floor below a client: of the same flavour, on the same event loop.
    """
    return next(
        other.name
        for other in CLIENTS.values()
        if other.kind == "floor" and (other.flavour, other.uvloop) == (client.flavour, client.uvloop)
    )
