# Generated from tests/_async/test_streams_reading.py by scripts/generate.py: edit that file, not this one.
"""
XREAD on real servers: what is new on one or more streams, now or after a while.

Streams that are read together share a hash tag, so that the tests hold on a cluster as well.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coredis.exceptions import WrongTypeError
from coredis.tokens import PureToken
from coredis.types import StreamEntry
from tests.support.blocking import Redis, sleep, spawn, text
from tests.support.servers import Server, requires


def entry(redis: Redis[Any], identifier: str, value: str) -> StreamEntry[Any]:
    """
    An entry with one field, as this client returns it.
    """
    return StreamEntry(text(redis, identifier), {text(redis, "f"): text(redis, value)})


class TestReading:
    def test_several_streams(self, redis: Redis[Any]) -> None:
        """
        Entries come by stream, in order, from those streams that have any.
        """
        redis.xadd("{s}a", {"f": "1"}, identifier="1-0")
        redis.xadd("{s}a", {"f": "2"}, identifier="2-0")
        redis.xadd("{s}b", {"f": "3"}, identifier="3-0")

        found = redis.xread({"{s}b": 0, "{s}absent": "0", "{s}a": b"0-0"})

        assert found == {
            text(redis, "{s}b"): (entry(redis, "3-0", "3"),),
            text(redis, "{s}a"): (entry(redis, "1-0", "1"), entry(redis, "2-0", "2")),
        }
        assert [text(redis, "{s}b"), text(redis, "{s}a")] == [*found]

    def test_after(self, redis: Redis[Any]) -> None:
        """
        Reading goes on after an identifier or an entry, at most so far.
        """
        for number in (1, 2, 3, 4):
            redis.xadd("s", {"f": number}, identifier=f"{number}-0")

        ((first,),) = (redis.xread({"s": 0}, count=1) or {}).values()
        rest = redis.xread({b"s": first}, count=2)

        assert rest == {text(redis, "s"): (entry(redis, "2-0", "2"), entry(redis, "3-0", "3"))}

    def test_nothing(self, redis: Redis[Any]) -> None:
        """
        None says that there is nothing.
        """
        redis.xadd("s", {"f": "1"}, identifier="1-0")

        assert redis.xread({"s": "1-0"}) is None
        assert redis.xread({"s": "$", "{s}absent": 0}) is None
        assert redis.xread({"s": PureToken.NEW_ID}, block=1) is None

    def test_from_a_time_on(self, redis: Redis[Any]) -> None:
        """
        A time includes that millisecond's first entry.
        """
        for identifier in ("1714979289122-9", "1714979289123-0", "1714979289124-0"):
            redis.xadd("s", {"f": "v"}, identifier=identifier)

        found = redis.xread({"s": datetime(2024, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)})

        assert [text(redis, "1714979289123-0"), text(redis, "1714979289124-0")] == [
            item.identifier for item in (found or {})[text(redis, "s")]
        ]

    def test_last_entry(self, redis: Redis[Any], server: Server) -> None:
        """
        The identifier + is the last entry there is.
        """
        requires(server, "redis-7.4", "valkey-8.0", feature="XREAD from +")
        redis.xadd("s", {"f": "1"}, identifier="1-0")
        redis.xadd("s", {"f": "2"}, identifier="2-0")

        assert redis.xread({"s": "+", "{s}absent": "+"}) == {text(redis, "s"): (entry(redis, "2-0", "2"),)}

    def test_wrong_type(self, redis: Redis[Any]) -> None:
        """
        One key that is no stream spoils the whole read.
        """
        redis.set("{s}x", "y")
        redis.xadd("s", {"f": "1"}, identifier="1-0")

        with pytest.raises(WrongTypeError):
            redis.xread({"s": 0, "{s}x": 0})


class TestBlocking:
    @pytest.mark.parametrize("block", [0, 20_000, timedelta(seconds=20)])
    def test_waiting(self, client: Redis[bytes], block: int | timedelta) -> None:
        """
        A read waits until there is something, for ever with 0, while the client goes on with other things.
        """
        reader = spawn(lambda: client.xread({"{s}a": "$", "{s}b": "$"}, block=block))
        sleep(0.1)
        assert not reader.done
        client.xadd("{s}b", {"f": "1"}, identifier="1-0")

        found = reader.join()

        assert found == {b"{s}b": (StreamEntry(b"1-0", {b"f": b"1"}),)}

    def test_giving_up(self, redis: Redis[Any]) -> None:
        """
        None says that the time is over.
        """
        assert redis.xread({"s": "$"}, block=10) is None
        assert redis.xread({"s": "$"}, block=timedelta(milliseconds=10)) is None

    def test_nothing_to_wait_for(self, redis: Redis[Any]) -> None:
        """
        What is there is returned at once.
        """
        redis.xadd("s", {"f": "1"}, identifier="1-0")

        assert redis.xread({"s": 0}, block=0) == {text(redis, "s"): (entry(redis, "1-0", "1"),)}
