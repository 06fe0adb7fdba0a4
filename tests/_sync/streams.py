# Generated from tests/_async/streams.py by scripts/generate.py: edit that file, not this one.
"""
What tests of consumers do to streams from outside, and ask about them.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.blocking import Interrupted, Redis, RedisCluster, interrupted_after, sleep

#: So long has nothing been idle here, unless a test says so.
HOUR = 3_600_000
#: ``claim_idle`` of a consumer that takes over what a test has made old, and nothing else.
MINUTE = 60_000


def fill(client: Redis[Any], stream: str, first: int, last: int) -> None:
    """
    Add entries ``first-0`` to ``last-0``.
    """
    for number in range(first, last + 1):
        client.xadd(stream, {"number": number}, identifier=f"{number}-0")


def numbered(first: int, last: int) -> list[bytes]:
    """
    Give the identifiers of these.
    """
    return [b"%d-0" % number for number in range(first, last + 1)]


def identifiers(consumer: Any) -> list[bytes]:
    """
    Read until there is nothing.
    """
    return [entry.identifier for _, entry in consumer]


def take(consumer: Any, count: int = 1) -> list[bytes]:
    """
    Read so many entries, or as many as there are.
    """
    taken: list[bytes] = []
    for _ in range(count):
        _, entry = consumer.get_entry()
        if entry is not None:
            taken.append(entry.identifier)
    return taken


def deliver(client: Redis[Any], member: str, first: int, last: int, stream: str = "a") -> None:
    """
    Add entries and deliver them to a member of group ``g``.
    """
    client.xgroup_create(stream, "g", "$", mkstream=True)
    fill(client, stream, first, last)
    client.xreadgroup("g", member, {stream: ">"})


def grow_old(client: Redis[Any], member: str, first: int, last: int, stream: str = "a", **options: Any) -> None:
    """
    Have pending entries be a member's, and idle for an hour.
    """
    identifiers = numbered(first, last)
    assert tuple(identifiers) == client.xclaim(
        stream, "g", member, 0, identifiers, **{"idle": HOUR, "justid": True, **options}
    )


def hold_longer(consumer: Any, seconds: float) -> None:
    """
    Have a consumer hold what it holds for so much longer, without having looked at it since.
    """
    consumer._held.leases.update({key: since - seconds for key, since in consumer._held.leases.items()})
    consumer._lookout.until -= seconds


def pending(client: Redis[Any], stream: str = "a") -> dict[bytes, tuple[bytes, int]]:
    """
    Give the owner and the delivery count of each pending entry of group ``g``.
    """
    found = client.xpending(stream, "g", "-", "+", 1000)
    return {entry.identifier: (entry.consumer, entry.delivered) for entry in found}


def idle(client: Redis[Any], stream: str = "a") -> dict[bytes, int]:
    """
    Give the milliseconds for which each pending entry of group ``g`` has been idle.
    """
    return {entry.identifier: entry.idle for entry in client.xpending(stream, "g", "-", "+", 1000)}


def servers(client: Any) -> tuple[Any, ...]:
    """
    Give clients of the single servers: the client itself, or the primaries of its cluster.
    """
    return client.primaries() if isinstance(client, RedisCluster) else (client,)


def clients_of(client: Any) -> list[Any]:
    """
    List the connections of all servers.
    """
    return [each for server in servers(client) for each in server.client_list()]


def waiting_clients(client: Any) -> list[Any]:
    """
    Give the connections on which a read waits at the server, or for the server to tell that there is something to read.
    """
    return [
        each
        for each in clients_of(client)
        if "b" in str(each["flags"]) or ("t" in str(each["flags"]) and str(each["cmd"]).startswith("xread"))
    ]


def until_it_waits(client: Redis[Any]) -> None:
    """
    Wait until a consumer waits.
    """
    for _ in range(2000):
        if waiting_clients(client):
            return
        sleep(0.002)
    raise AssertionError("nobody waits")


def leave_waiting(client: Redis[Any], consumer: Any) -> None:
    """
    Break off a call of a consumer whose read waits at the server, and goes on waiting.
    """
    for _ in range(200):
        if waiting_clients(client):
            return
        with pytest.raises(Interrupted):
            interrupted_after(0.05, consumer.get_entry)
    raise AssertionError("its read does not wait")


def calls(client: Any, *commands: str) -> int:
    """
    Say how often these commands have been executed, by all servers together.
    """
    total = 0
    for server in servers(client):
        statistics: Any = server.info("commandstats")
        total += sum(int(statistics.get(f"cmdstat_{command}", {"calls": 0})["calls"]) for command in commands)
    return total
