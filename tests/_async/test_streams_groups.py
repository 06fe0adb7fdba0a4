"""
Consumer groups on real servers: delivering, acknowledging, claiming, and the groups themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coredis.exceptions import (
    ReplyError,
    ResponseError,
    StreamConsumerGroupError,
    StreamDuplicateConsumerGroupError,
    UnblockedError,
)
from coredis.tokens import PureToken
from coredis.types import StreamEntry, StreamPending
from tests.support.aio import Redis, sleep, spawn, text
from tests.support.servers import Server, requires


def entry(redis: Redis[Any], number: int) -> StreamEntry[Any]:
    """
    An entry of ``fill``, as this client returns it.
    """
    return StreamEntry(text(redis, f"{number}-0"), {text(redis, "f"): text(redis, str(number))})


async def fill(redis: Redis[Any], count: int, key: str = "s") -> None:
    """
    Add entries 1-0, 2-0 and so on, for a group that begins with the first.
    """
    for number in range(1, count + 1):
        await redis.xadd(key, {"f": number}, identifier=f"{number}-0")
    await redis.xgroup_create(key, "g", 0, mkstream=True)


class TestReading:
    async def test_new_entries(self, redis: Redis[Any]) -> None:
        """
        Every entry is delivered to one consumer of the group; None says that there is nothing new.
        """
        await fill(redis, 3)
        name = text(redis, "s")

        assert await redis.xreadgroup("g", "c1", {"s": ">"}, count=2) == {name: (entry(redis, 1), entry(redis, 2))}
        assert await redis.xreadgroup(b"g", b"c2", {b"s": b">"}) == {name: (entry(redis, 3),)}
        assert await redis.xreadgroup("g", "c1", {"s": ">"}) is None
        assert await redis.xreadgroup("g", "c1", {"s": ">"}, block=1) is None

    async def test_history(self, redis: Redis[Any]) -> None:
        """
        Any other identifier reads what this consumer has pending, and the stream is there even when that is nothing.
        """
        await fill(redis, 3)
        name = text(redis, "s")
        (first, *_) = (await redis.xreadgroup("g", "c", {"s": ">"}) or {})[name]

        assert await redis.xreadgroup("g", "c", {"s": first}) == {name: (entry(redis, 2), entry(redis, 3))}
        assert await redis.xreadgroup("g", "c", {"s": 0}, count=1, block=0) == {name: (entry(redis, 1),)}
        assert await redis.xreadgroup("g", "c", {"s": "3-0"}) == {name: ()}
        assert await redis.xreadgroup("g", "other", {"s": "0-0"}) == {name: ()}

    async def test_both_at_once(self, redis: Redis[Any]) -> None:
        """
        One read may ask for new entries of one stream and pending ones of another.
        """
        await fill(redis, 1, "{s}a")
        await fill(redis, 1, "{s}b")
        await redis.xreadgroup("g", "c", {"{s}b": ">"})

        found = await redis.xreadgroup("g", "c", {"{s}a": ">", "{s}b": 0})

        assert found == {text(redis, "{s}a"): (entry(redis, 1),), text(redis, "{s}b"): (entry(redis, 1),)}

    async def test_deleted_entries(self, redis: Redis[Any]) -> None:
        """
        A pending entry that was deleted is still listed, and says so.
        """
        await fill(redis, 3)
        await redis.xreadgroup("g", "c", {"s": ">"})
        await redis.xdel("s", "2-0")

        entries = (await redis.xreadgroup("g", "c", {"s": 0}) or {})[text(redis, "s")]

        assert [False, True, False] == [item.deleted for item in entries]
        assert entries[1] == (text(redis, "2-0"), {}, None, None)
        assert await redis.xack("s", "g", entries) == 3

    async def test_repeated_names(self, redis: Redis[Any]) -> None:
        """
        Repeated names survive here as well.
        """
        await redis.xgroup_create("s", "g", mkstream=True)
        await redis.xadd("s", [("f", "1"), ("f", "2")])

        ((item,),) = (await redis.xreadgroup("g", "c", {"s": ">"}) or {}).values()

        assert [text(redis, "1"), text(redis, "2")] == [value for _, value in item.pairs]

    async def test_noack(self, redis: Redis[Any]) -> None:
        """
        With NOACK nothing becomes pending.
        """
        await fill(redis, 2)

        await redis.xreadgroup("g", "c", {"s": ">"}, noack=True)

        assert await redis.xpending("s", "g") == StreamPending(0, None, None, {})

    async def test_claim(self, redis: Redis[Any], server: Server) -> None:
        """
        With CLAIM entries that were idle for long come first, with idle time and deliveries, and then new ones.
        """
        requires(server, "redis-8.4", feature="XREADGROUP CLAIM")
        await fill(redis, 2)
        await redis.xreadgroup("g", "c1", {"s": ">"}, count=1)
        await sleep(0.02)

        found = await redis.xreadgroup("g", "c2", {"s": ">"}, claim=timedelta(milliseconds=5))
        ((old, new),) = (found or {}).values()

        assert (old.identifier, old.delivered) == (text(redis, "1-0"), 1)
        assert old.idle is not None
        assert 5 <= old.idle < 60_000
        assert new == (*entry(redis, 2)[:2], 0, 0)
        assert await redis.xreadgroup("g", "c1", {"s": ">"}, claim=60_000) is None

    async def test_no_group(self, redis: Redis[Any]) -> None:
        """
        One missing group fails the whole read, and nothing is delivered.
        """
        await fill(redis, 1)
        await redis.xadd("{s}t", {"f": "v"})

        with pytest.raises(StreamConsumerGroupError):
            await redis.xreadgroup("g", "c", {"s": ">", "{s}t": ">"})
        with pytest.raises(StreamConsumerGroupError):
            await redis.xreadgroup("g", "c", {"absent": ">"})

        assert (await redis.xpending("s", "g")).pending == 0


class TestBlocking:
    async def test_waiting(self, client: Redis[bytes]) -> None:
        """
        A read waits for ever with 0, while the client goes on with other things.
        """
        await fill(client, 0)
        reader = spawn(lambda: client.xreadgroup("g", "c", {"s": ">"}, count=10, block=0))
        await sleep(0.1)
        assert not reader.done
        await client.xadd("s", {"f": "1"}, identifier="1-0")

        assert await reader.join() == {b"s": (entry(client, 1),)}

    async def test_stream_goes_away(self, client: Redis[bytes]) -> None:
        """
        When the stream goes away the wait ends with an error.
        """
        await fill(client, 0)
        reader = spawn(lambda: client.xreadgroup("g", "c", {"s": ">"}, block=20_000))
        await sleep(0.1)
        await client.delete(["s"])

        with pytest.raises((StreamConsumerGroupError, UnblockedError)):  # the latter from Redis 7.0
            await reader.join()


class TestAcknowledging:
    async def test_xack(self, redis: Redis[Any]) -> None:
        """
        Acknowledging counts what was pending.
        """
        await fill(redis, 3)
        (entries,) = (await redis.xreadgroup("g", "c", {"s": ">"}) or {}).values()

        assert await redis.xack("s", "g", entries[0]) == 1
        assert await redis.xack("s", b"g", ["1-0", b"2-0", 3, "9-9"]) == 2
        assert await redis.xack("absent", "g", "1-0") == 0
        assert await redis.xlen("s") == 3

    async def test_xackdel(self, redis: Redis[Any], server: Server) -> None:
        """
        For each entry it is told what happened to it.
        """
        requires(server, "redis-8.2", feature="XACKDEL")
        await fill(redis, 4)
        await redis.xgroup_create("s", "other", 0)
        await redis.xreadgroup("g", "c", {"s": ">"}, count=3)

        assert await redis.xackdel("s", "g", ["1-0", "4-0"]) == (1, -1)
        assert await redis.xackdel("s", "g", "2-0", PureToken.ACKED) == (2,)
        assert await redis.xackdel("s", "g", ["3-0"], condition="delref") == (1,)
        assert await redis.xackdel("absent", "g", [1, 2]) == (-1, -1)
        assert (entry(redis, 2), entry(redis, 4)) == await redis.xrange("s")


class TestPending:
    async def test_summary(self, redis: Redis[Any]) -> None:
        """
        The summary counts by consumer, in numbers.
        """
        await fill(redis, 3)
        assert await redis.xpending("s", "g") == StreamPending(0, None, None, {})
        await redis.xreadgroup("g", "c1", {"s": ">"}, count=2)
        await redis.xreadgroup("g", "c2", {"s": ">"})
        await redis.xgroup_createconsumer("s", "g", "c3")

        assert await redis.xpending("s", "g") == StreamPending[Any](
            3, text(redis, "1-0"), text(redis, "3-0"), {text(redis, "c1"): 2, text(redis, "c2"): 1}
        )

    async def test_range(self, redis: Redis[Any]) -> None:
        """
        A range lists entries, all or those of one consumer, or those idle for long.
        """
        await fill(redis, 4)
        await redis.xreadgroup("g", "c1", {"s": ">"}, count=3)
        await redis.xreadgroup("g", "c1", {"s": "2-0"})
        await redis.xreadgroup("g", "c2", {"s": ">"})

        everything = await redis.xpending("s", "g", "-", "+", 10)
        assert [
            (text(redis, f"{number}-0"), deliveries) for number, deliveries in ((1, 1), (2, 1), (3, 2), (4, 1))
        ] == [(item.identifier, item.delivered) for item in everything]
        assert all(0 <= item.idle < 60_000 for item in everything)
        assert everything[3].consumer == text(redis, "c2")
        assert len(await redis.xpending("s", "g", 2, "(4-0", 10)) == 2
        assert len(await redis.xpending("s", "g", "-", "+", 1, consumer="c1")) == 1
        assert await redis.xpending("s", "g", "-", "+", 10, idle=timedelta(minutes=1)) == ()
        assert await redis.xpending("s", "g", "-", "+", 10, consumer="nobody") == ()

    async def test_no_group(self, redis: Redis[Any]) -> None:
        """
        No group is an error, not an empty result.
        """
        with pytest.raises(StreamConsumerGroupError):
            await redis.xpending("s", "g")


class TestClaiming:
    async def test_xclaim(self, redis: Redis[Any]) -> None:
        """
        Claimed entries are returned and belong to the claimer; those delivered too recently are not.
        """
        await fill(redis, 3)
        await redis.xreadgroup("g", "c1", {"s": ">"})

        assert await redis.xclaim("s", "g", "c2", 0, ["1-0", 2, "9-9"]) == (entry(redis, 1), entry(redis, 2))
        assert await redis.xclaim("s", "g", "c2", timedelta(minutes=1), [entry(redis, 3)]) == ()
        assert await redis.xclaim("s", "g", "c2", 60_000, "3-0", justid=True) == ()
        assert await redis.xclaim("s", "g", "c2", 0, "3-0", justid=True) == (text(redis, "3-0"),)
        assert (await redis.xpending("s", "g")).consumers == {text(redis, "c2"): 3}
        assert [2, 2, 1] == [item.delivered for item in await redis.xpending("s", "g", "-", "+", 10)]

    async def test_xclaim_options(self, redis: Redis[Any]) -> None:
        """
        Idle time and deliveries may be set, and entries that are not pending be forced.
        """
        await fill(redis, 3)
        ago = datetime.now(UTC) - timedelta(minutes=5)

        await redis.xclaim("s", "g", "c", 0, "1-0", idle=timedelta(minutes=10), retrycount=7, force=True)
        await redis.xclaim("s", "g", "c", 0, "2-0", time=ago, retrycount=0, force=True, justid=True, lastid="2-0")
        assert await redis.xclaim("s", "g", "c", 0, "3-0") == ()

        first, second = await redis.xpending("s", "g", "-", "+", 10)
        assert (first.delivered, second.delivered) == (7, 0)
        assert 600_000 <= first.idle < 660_000
        assert 299_000 <= second.idle < 360_000
        assert await redis.xreadgroup("g", "c", {"s": ">"}) == {text(redis, "s"): (entry(redis, 3),)}

    async def test_xclaim_deleted(self, redis: Redis[Any]) -> None:
        """
        Entries that were deleted are not claimed, and no longer pending after that.
        """
        await fill(redis, 2)
        await redis.xreadgroup("g", "c1", {"s": ">"})
        await redis.xdel("s", "1-0")

        assert await redis.xclaim("s", "g", "c2", 0, ["1-0", "2-0"]) == (entry(redis, 2),)
        assert (await redis.xpending("s", "g")).pending == 1

    async def test_xautoclaim(self, redis: Redis[Any]) -> None:
        """
        Looking through what is pending returns where to go on, what was claimed, and what had been deleted.
        """
        await fill(redis, 4)
        await redis.xreadgroup("g", "c1", {"s": ">"})
        await redis.xdel("s", "2-0")

        assert await redis.xautoclaim("s", "g", "c2", 0, 0, count=1) == (text(redis, "2-0"), (entry(redis, 1),), ())
        assert await redis.xautoclaim("s", "g", "c2", 0, "2-0") == (
            text(redis, "0-0"),
            (entry(redis, 3), entry(redis, 4)),
            (text(redis, "2-0"),),
        )
        assert await redis.xautoclaim("s", "g", "c3", timedelta(minutes=1), "0-0") == (text(redis, "0-0"), (), ())

    async def test_xautoclaim_identifiers(self, redis: Redis[Any]) -> None:
        """
        With JUSTID there are identifiers only.
        """
        await fill(redis, 2)
        await redis.xreadgroup("g", "c1", {"s": ">"})

        assert await redis.xautoclaim("s", "g", "c2", 0, "(1-0", justid=True) == (
            text(redis, "0-0"),
            (text(redis, "2-0"),),
        )
        assert await redis.xautoclaim("s", "g", "c2", 60_000, "-", justid=True) == (text(redis, "0-0"), ())


class TestGroups:
    async def test_create(self, redis: Redis[Any]) -> None:
        """
        A group begins at the end unless told otherwise; 0 is the beginning.
        """
        await redis.xadd("s", {"f": "1"}, identifier="1-0")

        assert await redis.xgroup_create("s", "end") is True
        assert await redis.xgroup_create("s", b"beginning", 0) is True
        assert await redis.xgroup_create("s", "time", datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)) is True
        assert await redis.xgroup_create("made", "g", PureToken.NEW_ID, mkstream=True) is True
        assert await redis.xreadgroup("end", "c", {"s": ">"}) is None
        for group in ("beginning", "time"):
            assert await redis.xreadgroup(group, "c", {"s": ">"}) == {text(redis, "s"): (entry(redis, 1),)}

    async def test_create_twice(self, redis: Redis[Any]) -> None:
        """
        The second attempt is refused in a way that can be told from a missing group.
        """
        await redis.xgroup_create("s", "g", mkstream=True)

        with pytest.raises(StreamDuplicateConsumerGroupError):
            await redis.xgroup_create("s", b"g", "0")

    async def test_no_stream(self, redis: Redis[Any]) -> None:
        """
        A stream is not made unless asked for.
        """
        with pytest.raises(ResponseError, match="requires the key to exist"):
            await redis.xgroup_create("s", "g")
        assert await redis.exists(["s"]) == 0

    async def test_setid(self, redis: Redis[Any]) -> None:
        """
        A group can be moved, and told how much it has read.
        """
        await fill(redis, 3)

        assert await redis.xgroup_setid("s", "g") is True
        assert await redis.xreadgroup("g", "c", {"s": ">"}) is None
        assert await redis.xgroup_setid("s", "g", "2-0", entriesread=2) is True
        assert (await redis.xinfo_groups("s"))[0][text(redis, "lag")] == 1
        assert await redis.xgroup_setid("s", "g", 0) is True
        assert len((await redis.xreadgroup("g", "c", {"s": ">"}) or {})[text(redis, "s")]) == 3
        assert await redis.xgroup_setid("s", "g", "-", entriesread=-1) is True
        with pytest.raises(StreamConsumerGroupError):
            await redis.xgroup_setid("s", "absent")

    async def test_destroy(self, redis: Redis[Any]) -> None:
        """
        Removing tells whether there was one.
        """
        await fill(redis, 1)

        assert await redis.xgroup_destroy("s", "g") == 1
        assert await redis.xgroup_destroy("s", "g") == 0

    async def test_consumers(self, redis: Redis[Any]) -> None:
        """
        Consumers are added and removed, with the number of entries that they had pending.
        """
        await fill(redis, 2)

        assert await redis.xgroup_createconsumer("s", "g", "c") is True
        assert await redis.xgroup_createconsumer("s", "g", b"c") is False
        await redis.xreadgroup("g", "c", {"s": ">"})
        assert await redis.xgroup_delconsumer("s", "g", "c") == 2
        assert await redis.xgroup_delconsumer("s", "g", "c") == 0
        for command in (redis.xgroup_createconsumer, redis.xgroup_delconsumer):
            with pytest.raises(StreamConsumerGroupError):
                await command("s", "absent", "c")
            with pytest.raises(ReplyError):
                await command("absent", "g", "c")

    async def test_empty_names(self, redis: Redis[Any]) -> None:
        """
        Groups and consumers may have empty names.
        """
        await redis.xadd("s", {"f": "1"}, identifier="1-0")
        await redis.xgroup_create("s", "", 0)

        assert await redis.xreadgroup("", b"", {"s": ">"}) == {text(redis, "s"): (entry(redis, 1),)}
        assert (await redis.xpending("s", b"")).consumers == {text(redis, ""): 1}

    async def test_help(self, redis: Redis[Any]) -> None:
        """
        The server explains its subcommands.
        """
        lines = await redis.xgroup_help()

        assert any(line.startswith(text(redis, "CREATE ")) for line in lines)
