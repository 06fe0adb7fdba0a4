"""
Which commands a user must be allowed for each thing a consumer can do: docs/groups.md has the same table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from coredis._async.patterns import pruning
from coredis.exceptions import RedisError
from tests._async.streams import (
    HOUR,
    MINUTE,
    deliver,
    fill,
    grow_old,
    hold_longer,
    identifiers,
    numbered,
    pending,
    take,
)
from tests.support.aio import Redis, connect
from tests.support.servers import Server

GROUPS_PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "groups.md"
GROUP: Final[dict[str, Any]] = {"group": "g", "consumer": "c"}


async def alone(client: Redis[Any], admin: Redis[Any]) -> None:
    await fill(admin, "a", 1, 2)
    async with client.xconsumer(["a", "b"], a={"identifier": "0"}) as consumer:
        assert numbered(1, 2) == await identifiers(consumer)


async def member(client: Redis[Any], admin: Redis[Any]) -> None:
    await deliver(admin, "c", 1, 1)
    await fill(admin, "a", 2, 3)
    async with client.xconsumer(["a"], **GROUP, start_from_backlog=True, auto_create=False) as consumer:
        assert numbered(1, 3) == await identifiers(consumer)


async def acknowledging(client: Redis[Any], admin: Redis[Any]) -> None:
    await deliver(admin, "c", 1, 2)
    await admin.xdel("a", ["1-0"])
    async with client.xconsumer(["a"], **GROUP, start_from_backlog=True, ack_buffer=5) as consumer:
        assert [b"2-0"] == await identifiers(consumer)
        await consumer.ack("a", "2-0")
    assert {} == await pending(admin)


async def creating(client: Redis[Any], admin: Redis[Any]) -> None:
    await fill(admin, "a", 1, 2)
    async with client.xconsumer(["a"], **GROUP) as consumer:
        assert numbered(1, 2) == await identifiers(consumer)
        await admin.xgroup_destroy("a", "g")
        await fill(admin, "a", 3, 3)
        assert [b"3-0"] == await identifiers(consumer)


async def deleting(client: Redis[Any], admin: Redis[Any]) -> None:
    await deliver(admin, "c", 1, 1)
    await client.xconsumer(["a"], **GROUP, ack="delete").ack("a", "1-0")
    assert 0 == await admin.xlen("a")


async def counting(client: Redis[Any], admin: Redis[Any]) -> None:
    await admin.xgroup_create("a", "g", "0", mkstream=True)
    await fill(admin, "a", 1, 3)
    async with client.xconsumer(["a"], **GROUP, max_unacked=1) as consumer:
        for number in range(1, 4):
            assert numbered(number, number) == await take(consumer)
            await admin.xack("a", "g", [f"{number}-0"])


async def taking_over(client: Redis[Any], admin: Redis[Any]) -> None:
    await deliver(admin, "dead", 1, 30)
    await grow_old(admin, "dead", 20, 20)
    async with client.xconsumer(["a"], **GROUP, claim_idle=MINUTE) as consumer:
        assert [b"20-0"] == await take(consumer)
        hold_longer(consumer, MINUTE)
        await consumer.renew()


async def handing_back(client: Redis[Any], admin: Redis[Any]) -> None:
    await deliver(admin, "c", 1, 1)
    assert 1 == await client.xconsumer(["a"], **GROUP).nack("a", "1-0")
    [left] = await admin.xpending("a", "g", "-", "+", 1)
    assert left.idle >= HOUR


async def giving_up(client: Redis[Any], admin: Redis[Any]) -> None:
    await deliver(admin, "c", 1, 1)
    consumer = client.xconsumer(["a"], **GROUP, start_from_backlog=True, max_deliveries=1, dead_letter="dead")
    assert [] == await identifiers(consumer)
    assert 1 == await admin.xlen("dead")
    await consumer.close()


async def deleting_members(client: Redis[Any], admin: Redis[Any]) -> None:
    await admin.xgroup_create("a", "g", "0", mkstream=True)
    await admin.xgroup_createconsumer("a", "g", "gone")
    assert [b"gone"] == await client.xconsumer(["a"], **GROUP).prune(0)


#: By the row of the table.
SCENARIOS: Final[dict[str, Callable[[Redis[Any], Redis[Any]], Any]]] = {
    "`Consumer`": alone,
    "`GroupConsumer`": member,
    "`ack`, deleted entries": acknowledging,
    "`auto_create`": creating,
    '`ack="delete"`': deleting,
    "`max_unacked`": counting,
    "`claim_idle`": taking_over,
    "`nack`, `close(release=True)`": handing_back,
    "`max_deliveries`": giving_up,
    "`prune`": deleting_members,
}


def table() -> dict[str, list[str]]:
    """
    Read the table in the documentation: what is needed for each row, besides what every consumer of a group needs.
    """
    page = GROUPS_PAGE.read_text()
    section = page[page.index("## Rights") :]
    rows = dict(re.findall(r"^\| (`.*?) \| (.*?) \|$", section, re.MULTILINE))
    return {what: re.findall(r"`(\+[a-z|]+)`", rights) for what, rights in rows.items()}


async def run(server: Server, admin: Redis[Any], what: str, rights: list[str]) -> set[bytes]:
    """
    Do something as a user with these rights.

    Returns:
        which commands were refused
    """
    await admin.flushall()
    await admin.acl_deluser(["eve"])
    await admin.acl_setuser("eve", "on", ">secret", "resetkeys", "~*", "-@all", *rights)
    await admin.execute_command("ACL", "LOG", "RESET")
    async with connect(server, username="eve", password="secret") as client:
        try:
            await SCENARIOS[what](client, admin)
        except (RedisError, AssertionError):
            pass  # the log tells more
    log: Any = await admin.execute_command("ACL", "LOG", 100)
    await admin.acl_deluser(["eve"])
    return {
        dict(zip(entry[::2], entry[1::2], strict=True) if isinstance(entry, list) else entry)[b"object"]
        for entry in log
    }


@pytest.mark.parametrize("what", SCENARIOS)
async def test_what_is_said_to_be_needed(
    server: Server, client: Redis[Any], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is enough, and nothing of it is too much: what is missing is refused.
    """
    monkeypatch.setattr(pruning, "SHORTEST_IDLE", 0)
    rights = table()
    basis = [] if what == "`Consumer`" else rights["`GroupConsumer`"]
    needed = [*rights[what], *(right for right in basis if right not in rights[what])]
    optional = {b"command|docs", b"client|setinfo", b"client|kill", b"client|unblock"}

    assert set() == await run(server, client, what, needed) - optional
    for right in rights[what]:
        refused = await run(server, client, what, [other for other in needed if other != right])
        assert right[1:].encode() in {name.lower() for name in refused}
