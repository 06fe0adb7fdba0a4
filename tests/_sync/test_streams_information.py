# Generated from tests/_async/test_streams_information.py by scripts/generate.py: edit that file, not this one.
"""
What real servers tell about streams, and the settings of a stream.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coredis.exceptions import ResponseError, StreamConsumerGroupError
from coredis.types import RepeatedFields, StreamEntry
from tests.support.blocking import Redis, text
from tests.support.servers import Server, requires

#: The fields that all servers since Redis 7.0 send, in both forms.
FIELDS = {
    "length",
    "radix-tree-keys",
    "radix-tree-nodes",
    "last-generated-id",
    "max-deleted-entry-id",
    "entries-added",
    "recorded-first-entry-id",
    "groups",
}


class TestStream:
    def test_short(self, redis: Redis[Any]) -> None:
        """
        The short form has the first and the last entry; identifiers are text of the client's kind.
        """
        for number in (1, 2, 3):
            redis.xadd("s", [("f", number), ("f", "x")], identifier=f"{number}-0")
        redis.xdel("s", "2-0")
        redis.xgroup_create("s", "g")

        information: Any = redis.xinfo_stream("s")

        expected = {
            "length": 2,
            "last-generated-id": text(redis, "3-0"),
            "max-deleted-entry-id": text(redis, "2-0"),
            "entries-added": 3,
            "recorded-first-entry-id": text(redis, "1-0"),
            "groups": 1,
            "entries": None,
        }
        assert expected == {name: information[name] for name in expected}
        f = text(redis, "f")
        assert information["first-entry"] == StreamEntry[Any](
            text(redis, "1-0"), RepeatedFields[Any]([(f, text(redis, "1")), (f, text(redis, "x"))])
        )
        assert information["last-entry"].identifier == text(redis, "3-0")
        assert set(information) >= FIELDS

    def test_empty(self, redis: Redis[Any]) -> None:
        """
        An empty stream has neither first nor last entry.
        """
        redis.xgroup_create("s", "g", mkstream=True)

        information: Any = redis.xinfo_stream("s")

        assert (information["length"], information["first-entry"], information["last-entry"]) == (0, None, None)
        assert information["last-generated-id"] == text(redis, "0-0")

    def test_full(self, redis: Redis[Any]) -> None:
        """
        The full form has entries, groups, consumers and what is pending.
        """
        for number in (1, 2, 3):
            redis.xadd("s", {"f": number}, identifier=f"{number}-0")
        redis.xgroup_create("s", "g", 0)
        redis.xreadgroup("g", "c", {"s": ">"}, count=2)

        information: Any = redis.xinfo_stream("s", full=True)

        assert set(information) >= FIELDS
        assert [text(redis, f"{number}-0") for number in (1, 2, 3)] == [
            item.identifier for item in information["entries"]
        ]
        assert (information["first-entry"], information["last-entry"]) == (None, None)
        (group,) = information["groups"]
        assert (group["name"], group["last-delivered-id"]) == (text(redis, "g"), text(redis, "2-0"))
        assert (group["entries-read"], group["lag"], group["pel-count"]) == (2, 1, 2)
        assert [(text(redis, f"{number}-0"), text(redis, "c"), 1) for number in (1, 2)] == [
            (item.identifier, item.consumer, item.delivered) for item in group["pending"]
        ]
        (consumer,) = group["consumers"]
        assert (consumer["name"], consumer["pel-count"]) == (text(redis, "c"), 2)
        delivered = consumer["pending"][0].delivery_time
        assert delivered > 1_600_000_000_000
        # In milliseconds, both; a server looks at its clock for each of them, in an order of its own.
        assert abs(consumer["seen-time"] - delivered) < 60_000
        assert [(text(redis, f"{number}-0"), 1) for number in (1, 2)] == [
            (item.identifier, item.delivered) for item in consumer["pending"]
        ]

    def test_count(self, redis: Redis[Any]) -> None:
        """
        The full form is limited to ten of each unless told otherwise; 0 is all.
        """
        for number in range(1, 13):
            redis.xadd("s", {"f": number}, identifier=f"{number}-0")

        assert len((redis.xinfo_stream("s", full=True))["entries"] or ()) == 10
        assert len((redis.xinfo_stream("s", full=True, count=3))["entries"] or ()) == 3
        assert len((redis.xinfo_stream("s", full=True, count=0))["entries"] or ()) == 12

    def test_nothing_is_dropped(self, client: Redis[bytes]) -> None:
        """
        Every field that the server sends is there.
        """
        client.xadd("s", {"f": "v"})

        for form in ((), ("FULL",)):
            sent: Any = client.execute_command("XINFO", "STREAM", "s", *form)
            kept = client.xinfo_stream("s", full=bool(form))
            assert {name.decode() for name in sent} <= set(kept)

    def test_idempotent_producers(self, redis: Redis[Any], server: Server) -> None:
        """
        Newer servers tell about idempotent producers.
        """
        requires(server, "redis-8.6", feature="XADD IDMP")
        for _ in range(2):
            redis.xadd("s", {"f": "v"}, idmp=("producer", "message"))

        information: Any = redis.xinfo_stream("s")

        assert (information["pids-tracked"], information["iids-tracked"]) == (1, 1)
        assert (information["iids-added"], information["iids-duplicates"]) == (1, 1)

    def test_absent(self, redis: Redis[Any]) -> None:
        """
        An absent stream is an error.
        """
        with pytest.raises(ResponseError, match="no such key"):
            redis.xinfo_stream("s")
        with pytest.raises(ResponseError, match="no such key"):
            redis.xinfo_groups("s")


class TestGroupsAndConsumers:
    def test_groups(self, redis: Redis[Any]) -> None:
        """
        Each group is a dict whose names are text like any other.
        """
        for number in (1, 2, 3):
            redis.xadd("s", {"f": "v"}, identifier=f"{number}-0")
        assert redis.xinfo_groups("s") == ()
        redis.xgroup_create("s", "a", 0)
        redis.xgroup_create("s", "b", "2-0")  # in the middle, so the server cannot tell what is before and after
        redis.xreadgroup("a", "c", {"s": ">"}, count=1)

        first, second = redis.xinfo_groups("s")

        names = ("name", "consumers", "pending", "last-delivered-id", "entries-read", "lag")
        assert [text(redis, "a"), 1, 1, text(redis, "1-0"), 1, 2] == [first[text(redis, name)] for name in names]
        assert [text(redis, "b"), 0, 0, text(redis, "2-0"), None, None] == [second[text(redis, name)] for name in names]

    def test_consumers(self, redis: Redis[Any]) -> None:
        """
        So is each consumer.
        """
        redis.xadd("s", {"f": "v"})
        redis.xgroup_create("s", "g", 0)
        assert redis.xinfo_consumers("s", "g") == ()
        redis.xreadgroup("g", "c", {"s": ">"})

        consumers: Any = redis.xinfo_consumers("s", b"g")
        (consumer,) = consumers

        assert (consumer[text(redis, "name")], consumer[text(redis, "pending")]) == (text(redis, "c"), 1)
        assert 0 <= consumer[text(redis, "idle")] < 60_000
        with pytest.raises(StreamConsumerGroupError):
            redis.xinfo_consumers("s", "absent")

    def test_help(self, redis: Redis[Any]) -> None:
        """
        The server explains its subcommands.
        """
        lines = redis.xinfo_help()

        assert any(line.startswith(text(redis, "CONSUMERS ")) for line in lines)


class TestSettings:
    def test_xsetid(self, redis: Redis[Any]) -> None:
        """
        The last identifier can be set, and the counters with it.
        """
        redis.xadd("s", {"f": "v"}, identifier="1-0")

        assert redis.xsetid("s", "5-1") is True
        assert redis.xsetid("s", 7, entriesadded=9, maxdeletedid="6-0") is True

        information: Any = redis.xinfo_stream("s")
        assert (information["last-generated-id"], information["entries-added"]) == (text(redis, "7-0"), 9)
        assert information["max-deleted-entry-id"] == text(redis, "6-0")
        with pytest.raises(ResponseError, match="smaller"):
            redis.xsetid("s", 0)

    def test_xcfgset(self, redis: Redis[Any], server: Server) -> None:
        """
        How long producers are remembered can be set, both limits at once or one.
        """
        requires(server, "redis-8.6", feature="XCFGSET")
        redis.xadd("s", {"f": "v"})

        assert redis.xcfgset("s", timedelta(minutes=2), 50) is True
        information: Any = redis.xinfo_stream("s")
        assert (information["idmp-duration"], information["idmp-maxsize"]) == (120, 50)
        assert redis.xcfgset("s", idmp_maxsize=60) is True
        assert redis.xcfgset("s", idmp_duration=60) is True
        information = redis.xinfo_stream("s")
        assert (information["idmp-duration"], information["idmp-maxsize"]) == (60, 60)
        with pytest.raises(ResponseError, match="no such key"):
            redis.xcfgset("absent", 60)
