# Generated from tests/_async/test_streams_entries.py by scripts/generate.py: edit that file, not this one.
"""
Entries of streams on real servers: adding, deleting, trimming, and reading ranges.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coredis.exceptions import ResponseError, WrongTypeError
from coredis.tokens import PureToken
from coredis.types import RepeatedFields, StreamEntry
from tests.support.blocking import Redis, text
from tests.support.servers import Server, requires

MOMENT = datetime(2024, 5, 6, 7, 8, 9, 123_999, tzinfo=UTC)


def entry(redis: Redis[Any], identifier: str, **fields: str) -> StreamEntry[Any]:
    """
    An entry as this client returns it.
    """
    return StreamEntry(text(redis, identifier), {text(redis, name): text(redis, fields[name]) for name in fields})


def fill(redis: Redis[Any], key: str, count: int) -> None:
    """
    Add entries 1-0, 2-0 and so on.
    """
    for number in range(1, count + 1):
        redis.xadd(key, {"f": number}, identifier=f"{number}-0")


class TestAdding:
    def test_identifier(self, redis: Redis[Any]) -> None:
        """
        The identifier is returned, chosen here or by the server.
        """
        assert redis.xadd("s", {"f": "v"}, identifier="5-1") == text(redis, "5-1")
        assert redis.xadd("s", {"f": "v"}, identifier="5-*") == text(redis, "5-2")
        assert redis.xadd("s", {"f": "v"}, identifier=6) == text(redis, "6-0")
        assert redis.xadd("s", {"f": "v"}, identifier=MOMENT) == text(redis, "1714979289123-0")
        automatic = redis.xadd("s", {"f": "v"}, identifier=PureToken.AUTO_ID)

        last = (redis.xrevrange("s", count=1))[0]
        assert last.identifier == automatic
        assert abs((last.timestamp - datetime.now(UTC)).total_seconds()) < 60
        assert redis.xlen("s") == 5

    def test_identifier_too_small(self, redis: Redis[Any]) -> None:
        """
        Identifiers only grow.
        """
        redis.xadd("s", {"f": "v"}, identifier="5-1")

        with pytest.raises(ResponseError, match="equal or smaller"):
            redis.xadd("s", {"f": "v"}, identifier="5-1")

    def test_fields(self, redis: Redis[Any]) -> None:
        """
        Fields keep their order; text, binary data and numbers are stored.
        """
        fields: dict[str | bytes, Any] = {
            "text": "é",
            "bytes": bytearray(b"b"),
            "number": -7,
            "fraction": 0.1 + 0.2,
            "": "",
        }
        redis.xadd("s", fields)

        (stored,) = redis.xrange("s")

        expected = [("text", "é"), ("bytes", "b"), ("number", "-7"), ("fraction", "0.30000000000000004"), ("", "")]
        assert [(text(redis, name), text(redis, value)) for name, value in expected] == [*stored.field_values.items()]
        assert type(stored.field_values) is dict

    def test_any_bytes(self, client: Redis[bytes]) -> None:
        """
        Nothing in a key, name or value disturbs the protocol.
        """
        nasty = bytes(range(256)) + b"\r\n*1\r\n$8\r\nFLUSHALL\r\n"
        client.xadd(nasty, {nasty: nasty})

        assert [{nasty: nasty}] == [item.field_values for item in client.xrange(nasty)]

    def test_repeated_names(self, redis: Redis[Any]) -> None:
        """
        A name may occur more than once, and survives being copied to another stream.
        """
        redis.xadd("s", [("f", "1"), ("g", "x"), ("f", "2")])
        (first,) = redis.xrange("s")
        redis.xadd("t", first.field_values)
        (second,) = redis.xrange("t")

        pairs = [("f", "1"), ("g", "x"), ("f", "2")]
        assert [(text(redis, name), text(redis, value)) for name, value in pairs] == [*second.pairs]
        assert isinstance(second.field_values, RepeatedFields)
        assert second.field_values == {text(redis, "f"): text(redis, "2"), text(redis, "g"): text(redis, "x")}

    def test_nomkstream(self, redis: Redis[Any]) -> None:
        """
        None says that there was no stream to add to.
        """
        assert redis.xadd("s", {"f": "v"}, nomkstream=True) is None
        assert redis.exists(["s"]) == 0
        redis.xadd("s", {"f": "v"}, identifier="1-1")
        assert redis.xadd("s", {"f": "v"}, identifier="2-1", nomkstream=True) == text(redis, "2-1")

    @pytest.mark.parametrize("strategy", [PureToken.MAXLEN, "maxlen", b"MAXLEN"])
    def test_maxlen(self, client: Redis[bytes], strategy: PureToken | str | bytes) -> None:
        """
        Adding trims to a length; the token is a token or its word.
        """
        fill(client, "s", 5)

        client.xadd("s", {"f": "6"}, identifier="6-0", trim_strategy=strategy, threshold=2)

        assert [b"5-0", b"6-0"] == [item.identifier for item in client.xrange("s")]

    def test_minid(self, redis: Redis[Any]) -> None:
        """
        Adding trims to a smallest identifier, exactly or about.
        """
        fill(redis, "s", 5)

        redis.xadd("s", {"f": "6"}, identifier="6-0", trim_strategy="MINID", threshold="4", trim_operator="=")
        assert redis.xlen("s") == 3
        redis.xadd(
            "s", {"f": "7"}, identifier="7-0", trim_strategy="MINID", threshold=7, trim_operator="~", limit=10
        )
        assert redis.xlen("s") == 4  # All are in one node, which goes or stays as a whole.

    def test_wrong_type(self, redis: Redis[Any]) -> None:
        """
        What is no stream is left alone.
        """
        redis.set("s", "x")

        with pytest.raises(WrongTypeError):
            redis.xadd("s", {"f": "v"})


class TestIdempotentProducers:
    def test_same_identifier(self, redis: Redis[Any], server: Server) -> None:
        """
        The second attempt adds nothing and returns the first one's identifier.
        """
        requires(server, "redis-8.6", feature="XADD IDMP")
        first = redis.xadd("s", {"f": "1"}, idmp=("producer", "message-1"))
        second = redis.xadd("s", {"f": "2"}, idmp=(b"producer", b"message-1"))
        other = redis.xadd("s", {"f": "3"}, idmp=("another", "message-1"), identifier="*")

        assert first == second != other
        assert redis.xlen("s") == 2

    def test_same_fields(self, redis: Redis[Any], server: Server) -> None:
        """
        With IDMPAUTO the server goes by the fields.
        """
        requires(server, "redis-8.6", feature="XADD IDMPAUTO")
        first = redis.xadd("s", {"f": "1", "g": "2"}, idmpauto="producer")
        second = redis.xadd("s", {"g": "2", "f": "1"}, idmpauto="producer")
        other = redis.xadd("s", {"f": "2"}, idmpauto="producer")

        assert first == second != other

    def test_all_options(self, redis: Redis[Any], server: Server) -> None:
        """
        All options go together in one command.
        """
        requires(server, "redis-8.6", feature="XADD IDMP")
        fill(redis, "s", 3)

        added = redis.xadd(
            "s",
            {"f": "v"},
            nomkstream=True,
            idmp=("producer", "message"),
            trim_strategy="MAXLEN",
            threshold=1,
            trim_operator="~",
            limit=0,
            condition="DELREF",
        )

        assert (redis.xrange("s"))[-1].identifier == added


class TestDeleting:
    def test_xdel(self, redis: Redis[Any]) -> None:
        """
        Deleting counts what was there.
        """
        fill(redis, "s", 4)
        kept, *others = redis.xrange("s")

        assert redis.xdel("s", others[:2]) == 2
        assert redis.xdel("s", [2, "3", b"4-0"]) == 1
        assert redis.xdel("s", "9-9") == 0
        assert redis.xdel("absent", "1-0") == 0
        assert redis.xrange("s") == (kept,)

    def test_xdelex(self, redis: Redis[Any], server: Server) -> None:
        """
        For each entry it is told what happened to it.
        """
        requires(server, "redis-8.2", feature="XDELEX")
        fill(redis, "s", 5)
        redis.xgroup_create("s", "g", 0)
        redis.xreadgroup("g", "c", {"s": ">"}, count=3)
        redis.xack("s", "g", ["1-0", "2-0"])

        assert redis.xdelex("s", ["1-0", "3-0", "4-0"], "ACKED") == (1, 2, 2)
        assert redis.xdelex("s", ["2-0", "9-9"], PureToken.KEEPREF) == (1, -1)
        assert redis.xdelex("s", "3-0", condition="DELREF") == (1,)
        assert (redis.xpending("s", "g")).pending == 0
        assert redis.xdelex("s", "4-0") == (1,)
        assert redis.xdelex("absent", [1, 2]) == (-1, -1)

    def test_xtrim(self, redis: Redis[Any]) -> None:
        """
        Trimming counts what it removed.
        """
        fill(redis, "s", 10)

        assert redis.xtrim("s", "MAXLEN", 8) == 2
        assert redis.xtrim("s", PureToken.MINID, "4-0", PureToken.EQUAL) == 1
        assert redis.xtrim("s", b"MINID", datetime(2024, 5, 6, tzinfo=UTC), "~", 3) == 0
        assert redis.xtrim("s", "MAXLEN", 0) == 7
        assert redis.xtrim("absent", "MAXLEN", 1) == 0
        assert redis.exists(["s"]) == 1

    def test_xtrim_about(self, redis: Redis[Any]) -> None:
        """
        With ~ only whole nodes are removed, and not more than the limit.
        """
        redis.config_set({"stream-node-max-entries": 10})
        fill(redis, "s", 55)

        assert redis.xtrim("s", "MAXLEN", 5, "~", limit=10) == 10
        assert redis.xtrim("s", "MAXLEN", 5, "~", limit=0) == 40

    def test_xtrim_acknowledged(self, redis: Redis[Any], server: Server) -> None:
        """
        With ACKED what a group has not acknowledged stays.
        """
        requires(server, "redis-8.2", feature="XTRIM ACKED")
        fill(redis, "s", 4)
        redis.xgroup_create("s", "g", 0)
        redis.xreadgroup("g", "c", {"s": ">"}, count=2)
        redis.xack("s", "g", "1-0")

        assert redis.xtrim("s", "MAXLEN", 0, condition="ACKED") == 1
        assert redis.xtrim("s", "MINID", "3-0", condition=PureToken.DELREF) == 1
        assert (redis.xpending("s", "g")).pending == 0


class TestRanges:
    def test_all(self, redis: Redis[Any]) -> None:
        """
        Without ends a range is everything.
        """
        fill(redis, "s", 3)
        everything = tuple([entry(redis, f"{number}-0", f=str(number)) for number in (1, 2, 3)])

        assert everything == redis.xrange("s")
        assert everything == redis.xrange("s", "-", "+")
        assert everything[::-1] == redis.xrevrange("s")
        assert everything[::-1] == redis.xrevrange("s", "+", "-")

    def test_ends(self, client: Redis[bytes]) -> None:
        """
        Ends are included unless a bracket says otherwise.
        """
        fill(client, "s", 5)

        def numbers(entries: tuple[StreamEntry[bytes], ...]) -> list[int]:
            return [int(item.field_values[b"f"]) for item in entries]

        assert numbers(client.xrange("s", 2, "4")) == [2, 3, 4]
        assert numbers(client.xrange("s", "(2-0", b"(4-0")) == [3]
        assert numbers(client.xrange("s", start="4")) == [4, 5]
        assert numbers(client.xrange("s", end=2)) == [1, 2]
        assert numbers(client.xrange("s", count=2)) == [1, 2]
        assert numbers(client.xrange("s", 4, 2)) == []
        assert numbers(client.xrevrange("s", "(5-0", 2)) == [4, 3, 2]
        assert numbers(client.xrevrange("s", 4, count=2)) == [4, 3]
        assert numbers(client.xrange("s", 0, 0)) == []

    def test_numbers_and_not_text(self, client: Redis[bytes]) -> None:
        """
        10 comes after 9.
        """
        fill(client, "s", 11)

        entries = client.xrange("s", 9)

        assert [b"9-0", b"10-0", b"11-0"] == [item.identifier for item in entries]

    def test_times(self, client: Redis[bytes]) -> None:
        """
        A time is a whole millisecond: its first entry as a start, its last as an end.
        """
        for identifier in ("1714979289122-7", "1714979289123-0", "1714979289123-9", "1714979289124-0"):
            client.xadd("s", {"f": "v"}, identifier=identifier)

        entries = client.xrange("s", MOMENT, MOMENT)

        assert [b"1714979289123-0", b"1714979289123-9"] == [item.identifier for item in entries]
        assert entries[0].timestamp == MOMENT.replace(microsecond=123_000)

    def test_absent(self, redis: Redis[Any]) -> None:
        """
        What is not there has no entries.
        """
        assert redis.xrange("absent") == ()
        assert redis.xrevrange("absent") == ()
        assert redis.xlen("absent") == 0


@pytest.mark.parametrize("fields", [{"a": "b"}, {str(number): "b" for number in range(17)}], ids=["few", "many"])
def test_what_a_server_refuses_comes_of_nothing_else(client: Redis[Any], fields: dict[str, str]) -> None:
    """
    An addition that takes the longer way has no error of the shorter way behind its own.
    """
    client.set("text", "value")

    with pytest.raises(ResponseError, match="WRONGTYPE") as refused:
        client.xadd("text", fields)
    with pytest.raises(ValueError, match="field_values") as wrong:
        client.xadd("text", {})

    assert refused.value.__context__ is None
    assert wrong.value.__context__ is None
