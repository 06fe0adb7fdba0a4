# Generated from tests/_async/test_streams_groups.py by scripts/generate.py: edit that file, not this one.
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
from tests.support.blocking import Redis, sleep, spawn, text
from tests.support.servers import Server, requires


def entry(redis: Redis[Any], number: int) -> StreamEntry[Any]:
    """
    An entry of ``fill``, as this client returns it.
    """
    return StreamEntry(text(redis, f"{number}-0"), {text(redis, "f"): text(redis, str(number))})


def fill(redis: Redis[Any], count: int, key: str = "s") -> None:
    """
    Add entries 1-0, 2-0 and so on, for a group that begins with the first.
    """
    for number in range(1, count + 1):
        redis.xadd(key, {"f": number}, identifier=f"{number}-0")
    redis.xgroup_create(key, "g", 0, mkstream=True)


class TestReading:
    def test_new_entries(self, redis: Redis[Any]) -> None:
        """
        Every entry is delivered to one consumer of the group; None says that there is nothing new.
        """
        fill(redis, 3)
        name = text(redis, "s")

        assert redis.xreadgroup("g", "c1", {"s": ">"}, count=2) == {name: (entry(redis, 1), entry(redis, 2))}
        assert redis.xreadgroup(b"g", b"c2", {b"s": b">"}) == {name: (entry(redis, 3),)}
        assert redis.xreadgroup("g", "c1", {"s": ">"}) is None
        assert redis.xreadgroup("g", "c1", {"s": ">"}, block=1) is None

    def test_history(self, redis: Redis[Any]) -> None:
        """
        Any other identifier reads what this consumer has pending, and the stream is there even when that is nothing.
        """
        fill(redis, 3)
        name = text(redis, "s")
        (first, *_) = (redis.xreadgroup("g", "c", {"s": ">"}) or {})[name]

        assert redis.xreadgroup("g", "c", {"s": first}) == {name: (entry(redis, 2), entry(redis, 3))}
        assert redis.xreadgroup("g", "c", {"s": 0}, count=1, block=0) == {name: (entry(redis, 1),)}
        assert redis.xreadgroup("g", "c", {"s": "3-0"}) == {name: ()}
        assert redis.xreadgroup("g", "other", {"s": "0-0"}) == {name: ()}

    def test_both_at_once(self, redis: Redis[Any]) -> None:
        """
        One read may ask for new entries of one stream and pending ones of another.
        """
        fill(redis, 1, "{s}a")
        fill(redis, 1, "{s}b")
        redis.xreadgroup("g", "c", {"{s}b": ">"})

        found = redis.xreadgroup("g", "c", {"{s}a": ">", "{s}b": 0})

        assert found == {text(redis, "{s}a"): (entry(redis, 1),), text(redis, "{s}b"): (entry(redis, 1),)}

    def test_deleted_entries(self, redis: Redis[Any]) -> None:
        """
        A pending entry that was deleted is still listed, and says so.
        """
        fill(redis, 3)
        redis.xreadgroup("g", "c", {"s": ">"})
        redis.xdel("s", "2-0")

        entries = (redis.xreadgroup("g", "c", {"s": 0}) or {})[text(redis, "s")]

        assert [False, True, False] == [item.deleted for item in entries]
        assert entries[1] == (text(redis, "2-0"), {}, None, None)
        assert redis.xack("s", "g", entries) == 3

    def test_repeated_names(self, redis: Redis[Any]) -> None:
        """
        Repeated names survive here as well.
        """
        redis.xgroup_create("s", "g", mkstream=True)
        redis.xadd("s", [("f", "1"), ("f", "2")])

        ((item,),) = (redis.xreadgroup("g", "c", {"s": ">"}) or {}).values()

        assert [text(redis, "1"), text(redis, "2")] == [value for _, value in item.pairs]

    def test_noack(self, redis: Redis[Any]) -> None:
        """
        With NOACK nothing becomes pending.
        """
        fill(redis, 2)

        redis.xreadgroup("g", "c", {"s": ">"}, noack=True)

        assert redis.xpending("s", "g") == StreamPending(0, None, None, {})

    def test_claim(self, redis: Redis[Any], server: Server) -> None:
        """
        With CLAIM entries that were idle for long come first, with idle time and deliveries, and then new ones.
        """
        requires(server, "redis-8.4", feature="XREADGROUP CLAIM")
        fill(redis, 2)
        redis.xreadgroup("g", "c1", {"s": ">"}, count=1)
        sleep(0.02)

        found = redis.xreadgroup("g", "c2", {"s": ">"}, claim=timedelta(milliseconds=5))
        ((old, new),) = (found or {}).values()

        assert (old.identifier, old.delivered) == (text(redis, "1-0"), 1)
        assert old.idle is not None
        assert 5 <= old.idle < 60_000
        assert new == (*entry(redis, 2)[:2], 0, 0)
        assert redis.xreadgroup("g", "c1", {"s": ">"}, claim=60_000) is None

    def test_no_group(self, redis: Redis[Any]) -> None:
        """
        One missing group fails the whole read, and nothing is delivered.
        """
        fill(redis, 1)
        redis.xadd("{s}t", {"f": "v"})

        with pytest.raises(StreamConsumerGroupError):
            redis.xreadgroup("g", "c", {"s": ">", "{s}t": ">"})
        with pytest.raises(StreamConsumerGroupError):
            redis.xreadgroup("g", "c", {"absent": ">"})

        assert (redis.xpending("s", "g")).pending == 0


class TestBlocking:
    def test_waiting(self, client: Redis[bytes]) -> None:
        """
        A read waits for ever with 0, while the client goes on with other things.
        """
        fill(client, 0)
        reader = spawn(lambda: client.xreadgroup("g", "c", {"s": ">"}, count=10, block=0))
        sleep(0.1)
        assert not reader.done
        client.xadd("s", {"f": "1"}, identifier="1-0")

        assert reader.join() == {b"s": (entry(client, 1),)}

    def test_stream_goes_away(self, client: Redis[bytes]) -> None:
        """
        When the stream goes away the wait ends with an error.
        """
        fill(client, 0)
        reader = spawn(lambda: client.xreadgroup("g", "c", {"s": ">"}, block=20_000))
        sleep(0.1)
        client.delete(["s"])

        with pytest.raises((StreamConsumerGroupError, UnblockedError)):  # the latter from Redis 7.0
            reader.join()


class TestAcknowledging:
    def test_xack(self, redis: Redis[Any]) -> None:
        """
        Acknowledging counts what was pending.
        """
        fill(redis, 3)
        (entries,) = (redis.xreadgroup("g", "c", {"s": ">"}) or {}).values()

        assert redis.xack("s", "g", entries[0]) == 1
        assert redis.xack("s", b"g", ["1-0", b"2-0", 3, "9-9"]) == 2
        assert redis.xack("absent", "g", "1-0") == 0
        assert redis.xlen("s") == 3

    def test_xackdel(self, redis: Redis[Any], server: Server) -> None:
        """
        For each entry it is told what happened to it.
        """
        requires(server, "redis-8.2", feature="XACKDEL")
        fill(redis, 4)
        redis.xgroup_create("s", "other", 0)
        redis.xreadgroup("g", "c", {"s": ">"}, count=3)

        assert redis.xackdel("s", "g", ["1-0", "4-0"]) == (1, -1)
        assert redis.xackdel("s", "g", "2-0", PureToken.ACKED) == (2,)
        assert redis.xackdel("s", "g", ["3-0"], condition="delref") == (1,)
        assert redis.xackdel("absent", "g", [1, 2]) == (-1, -1)
        assert (entry(redis, 2), entry(redis, 4)) == redis.xrange("s")


class TestPending:
    def test_summary(self, redis: Redis[Any]) -> None:
        """
        The summary counts by consumer, in numbers.
        """
        fill(redis, 3)
        assert redis.xpending("s", "g") == StreamPending(0, None, None, {})
        redis.xreadgroup("g", "c1", {"s": ">"}, count=2)
        redis.xreadgroup("g", "c2", {"s": ">"})
        redis.xgroup_createconsumer("s", "g", "c3")

        assert redis.xpending("s", "g") == StreamPending[Any](
            3, text(redis, "1-0"), text(redis, "3-0"), {text(redis, "c1"): 2, text(redis, "c2"): 1}
        )

    def test_range(self, redis: Redis[Any]) -> None:
        """
        A range lists entries, all or those of one consumer, or those idle for long.
        """
        fill(redis, 4)
        redis.xreadgroup("g", "c1", {"s": ">"}, count=3)
        redis.xreadgroup("g", "c1", {"s": "2-0"})
        redis.xreadgroup("g", "c2", {"s": ">"})

        everything = redis.xpending("s", "g", "-", "+", 10)
        assert [
            (text(redis, f"{number}-0"), deliveries) for number, deliveries in ((1, 1), (2, 1), (3, 2), (4, 1))
        ] == [(item.identifier, item.delivered) for item in everything]
        assert all(0 <= item.idle < 60_000 for item in everything)
        assert everything[3].consumer == text(redis, "c2")
        assert len(redis.xpending("s", "g", 2, "(4-0", 10)) == 2
        assert len(redis.xpending("s", "g", "-", "+", 1, consumer="c1")) == 1
        assert redis.xpending("s", "g", "-", "+", 10, idle=timedelta(minutes=1)) == ()
        assert redis.xpending("s", "g", "-", "+", 10, consumer="nobody") == ()

    def test_no_group(self, redis: Redis[Any]) -> None:
        """
        No group is an error, not an empty result.
        """
        with pytest.raises(StreamConsumerGroupError):
            redis.xpending("s", "g")


class TestClaiming:
    def test_xclaim(self, redis: Redis[Any]) -> None:
        """
        Claimed entries are returned and belong to the claimer; those delivered too recently are not.
        """
        fill(redis, 3)
        redis.xreadgroup("g", "c1", {"s": ">"})

        assert redis.xclaim("s", "g", "c2", 0, ["1-0", 2, "9-9"]) == (entry(redis, 1), entry(redis, 2))
        assert redis.xclaim("s", "g", "c2", timedelta(minutes=1), [entry(redis, 3)]) == ()
        assert redis.xclaim("s", "g", "c2", 60_000, "3-0", justid=True) == ()
        assert redis.xclaim("s", "g", "c2", 0, "3-0", justid=True) == (text(redis, "3-0"),)
        assert (redis.xpending("s", "g")).consumers == {text(redis, "c2"): 3}
        assert [2, 2, 1] == [item.delivered for item in redis.xpending("s", "g", "-", "+", 10)]

    def test_xclaim_options(self, redis: Redis[Any]) -> None:
        """
        Idle time and deliveries may be set, and entries that are not pending be forced.
        """
        fill(redis, 3)
        ago = datetime.now(UTC) - timedelta(minutes=5)

        redis.xclaim("s", "g", "c", 0, "1-0", idle=timedelta(minutes=10), retrycount=7, force=True)
        redis.xclaim("s", "g", "c", 0, "2-0", time=ago, retrycount=0, force=True, justid=True, lastid="2-0")
        assert redis.xclaim("s", "g", "c", 0, "3-0") == ()

        first, second = redis.xpending("s", "g", "-", "+", 10)
        assert (first.delivered, second.delivered) == (7, 0)
        assert 600_000 <= first.idle < 660_000
        assert 299_000 <= second.idle < 360_000
        assert redis.xreadgroup("g", "c", {"s": ">"}) == {text(redis, "s"): (entry(redis, 3),)}

    def test_xclaim_deleted(self, redis: Redis[Any]) -> None:
        """
        Entries that were deleted are not claimed, and no longer pending after that.
        """
        fill(redis, 2)
        redis.xreadgroup("g", "c1", {"s": ">"})
        redis.xdel("s", "1-0")

        assert redis.xclaim("s", "g", "c2", 0, ["1-0", "2-0"]) == (entry(redis, 2),)
        assert (redis.xpending("s", "g")).pending == 1

    def test_xautoclaim(self, redis: Redis[Any]) -> None:
        """
        Looking through what is pending returns where to go on, what was claimed, and what had been deleted.
        """
        fill(redis, 4)
        redis.xreadgroup("g", "c1", {"s": ">"})
        redis.xdel("s", "2-0")

        assert redis.xautoclaim("s", "g", "c2", 0, 0, count=1) == (text(redis, "2-0"), (entry(redis, 1),), ())
        assert redis.xautoclaim("s", "g", "c2", 0, "2-0") == (
            text(redis, "0-0"),
            (entry(redis, 3), entry(redis, 4)),
            (text(redis, "2-0"),),
        )
        assert redis.xautoclaim("s", "g", "c3", timedelta(minutes=1), "0-0") == (text(redis, "0-0"), (), ())

    def test_xautoclaim_identifiers(self, redis: Redis[Any]) -> None:
        """
        With JUSTID there are identifiers only.
        """
        fill(redis, 2)
        redis.xreadgroup("g", "c1", {"s": ">"})

        assert redis.xautoclaim("s", "g", "c2", 0, "(1-0", justid=True) == (
            text(redis, "0-0"),
            (text(redis, "2-0"),),
        )
        assert redis.xautoclaim("s", "g", "c2", 60_000, "-", justid=True) == (text(redis, "0-0"), ())


class TestGroups:
    def test_create(self, redis: Redis[Any]) -> None:
        """
        A group begins at the end unless told otherwise; 0 is the beginning.
        """
        redis.xadd("s", {"f": "1"}, identifier="1-0")

        assert redis.xgroup_create("s", "end") is True
        assert redis.xgroup_create("s", b"beginning", 0) is True
        assert redis.xgroup_create("s", "time", datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)) is True
        assert redis.xgroup_create("made", "g", PureToken.NEW_ID, mkstream=True) is True
        assert redis.xreadgroup("end", "c", {"s": ">"}) is None
        for group in ("beginning", "time"):
            assert redis.xreadgroup(group, "c", {"s": ">"}) == {text(redis, "s"): (entry(redis, 1),)}

    def test_create_twice(self, redis: Redis[Any]) -> None:
        """
        The second attempt is refused in a way that can be told from a missing group.
        """
        redis.xgroup_create("s", "g", mkstream=True)

        with pytest.raises(StreamDuplicateConsumerGroupError):
            redis.xgroup_create("s", b"g", "0")

    def test_no_stream(self, redis: Redis[Any]) -> None:
        """
        A stream is not made unless asked for.
        """
        with pytest.raises(ResponseError, match="requires the key to exist"):
            redis.xgroup_create("s", "g")
        assert redis.exists(["s"]) == 0

    def test_setid(self, redis: Redis[Any]) -> None:
        """
        A group can be moved, and told how much it has read.
        """
        fill(redis, 3)

        assert redis.xgroup_setid("s", "g") is True
        assert redis.xreadgroup("g", "c", {"s": ">"}) is None
        assert redis.xgroup_setid("s", "g", "2-0", entriesread=2) is True
        assert (redis.xinfo_groups("s"))[0][text(redis, "lag")] == 1
        assert redis.xgroup_setid("s", "g", 0) is True
        assert len((redis.xreadgroup("g", "c", {"s": ">"}) or {})[text(redis, "s")]) == 3
        assert redis.xgroup_setid("s", "g", "-", entriesread=-1) is True
        with pytest.raises(StreamConsumerGroupError):
            redis.xgroup_setid("s", "absent")

    def test_destroy(self, redis: Redis[Any]) -> None:
        """
        Removing tells whether there was one.
        """
        fill(redis, 1)

        assert redis.xgroup_destroy("s", "g") == 1
        assert redis.xgroup_destroy("s", "g") == 0

    def test_consumers(self, redis: Redis[Any]) -> None:
        """
        Consumers are added and removed, with the number of entries that they had pending.
        """
        fill(redis, 2)

        assert redis.xgroup_createconsumer("s", "g", "c") is True
        assert redis.xgroup_createconsumer("s", "g", b"c") is False
        redis.xreadgroup("g", "c", {"s": ">"})
        assert redis.xgroup_delconsumer("s", "g", "c") == 2
        assert redis.xgroup_delconsumer("s", "g", "c") == 0
        for command in (redis.xgroup_createconsumer, redis.xgroup_delconsumer):
            with pytest.raises(StreamConsumerGroupError):
                command("s", "absent", "c")
            with pytest.raises(ReplyError):
                command("absent", "g", "c")

    def test_empty_names(self, redis: Redis[Any]) -> None:
        """
        Groups and consumers may have empty names.
        """
        redis.xadd("s", {"f": "1"}, identifier="1-0")
        redis.xgroup_create("s", "", 0)

        assert redis.xreadgroup("", b"", {"s": ">"}) == {text(redis, "s"): (entry(redis, 1),)}
        assert (redis.xpending("s", b"")).consumers == {text(redis, ""): 1}

    def test_help(self, redis: Redis[Any]) -> None:
        """
        The server explains its subcommands.
        """
        lines = redis.xgroup_help()

        assert any(line.startswith(text(redis, "CREATE ")) for line in lines)
