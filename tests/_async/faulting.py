"""
What the fault tests share: entries with known identifiers, and a look at the server from outside.

The server is asked on a connection of the tests' own, so that nothing here depends on the client under test.
"""

from __future__ import annotations

import re
from typing import Any

from tests._async.waiting import until
from tests.support.aio import Redis
from tests.support.servers import Server


async def fill(redis: Redis[Any], stream: str, first: int, last: int) -> None:
    """
    Add the entries ``first``-0 to ``last``-0.
    """
    for number in range(first, last + 1):
        await redis.xadd(stream, {"number": number}, identifier=f"{number}-0")


def expected(first: int, last: int) -> list[bytes]:
    """
    Give the identifiers of these entries.
    """
    return [b"%d-0" % number for number in range(first, last + 1)]


async def identifiers(consumer: Any) -> list[bytes]:
    """
    Iterate to the end.
    """
    return [entry.identifier async for _, entry in consumer]


def readers(server: Server) -> list[int]:
    """
    Give the numbers of the connections on which a consumer waits for entries.
    """
    listed = server.command("CLIENT", "LIST")
    assert isinstance(listed, bytes)
    return [
        int(line.split(b" ", 1)[0].removeprefix(b"id="))
        for line in listed.splitlines()
        if b" cmd=xread" in line and b"b" in line.partition(b" flags=")[2].split(b" ", 1)[0]
    ]


async def reader(server: Server) -> int:
    """
    Wait until a consumer waits, and give the number of its connection.
    """
    found: list[int] = []

    def look() -> bool:
        found[:] = readers(server)
        return bool(found)

    await until(look)
    return found[0]


def calls(server: Server, command: str) -> int:
    """
    Count how often a command was called or refused, since the statistics were reset or the server started.
    """
    told = server.command("INFO", "commandstats")
    assert isinstance(told, bytes)
    found = re.search(rb"cmdstat_%s:calls=(\d+),.*?rejected_calls=(\d+)" % re.escape(command.lower().encode()), told)
    return 0 if found is None else int(found[1]) + int(found[2])


def connections(server: Server) -> int:
    """
    Count the connections that clients have to the server, this one left out.
    """
    told = server.command("INFO", "clients")
    assert isinstance(told, bytes)
    found = re.search(rb"connected_clients:(\d+)", told)
    assert found is not None
    return int(found[1]) - 1
