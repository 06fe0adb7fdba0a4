"""
What each stream command sends, and what it refuses to send.

The methods themselves are called, on a client that hands back the command instead of executing it; what is compared are the
words as they go over the wire.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import hiredis
import pytest

from coredis._async.commands.stream_groups import StreamGroupCommands
from coredis._async.commands.streams import StreamCommands
from coredis._core import replies, wire
from coredis._core.command import Command, Requirement
from coredis._core.commands.streams import FEW_FIELDS
from coredis.exceptions import CommandSyntaxError
from coredis.tokens import PureToken
from coredis.types import RepeatedFields, StreamEntry

R = TypeVar("R")

MOMENT = datetime(2024, 5, 6, 7, 8, 9, 123_999, tzinfo=UTC)


class Recorder(StreamCommands[bytes], StreamGroupCommands[bytes]):
    """
    A client that sends nothing and returns what it would have sent.
    """

    replies = replies.raw()

    async def issue(self, command: Command[R]) -> R:
        return command  # type: ignore[return-value]


client = Recorder()


def built(call: Coroutine[Any, Any, object]) -> Command[object]:
    """
    Run a method to its end, which waits for nothing.
    """
    try:
        call.send(None)
    except StopIteration as done:
        command: Command[object] = done.value
        return command
    raise AssertionError("the method waited for something")


def words(command: Command[object]) -> list[bytes]:
    """
    Read back what goes over the wire.
    """
    reader = hiredis.Reader()
    reader.feed(wire.encode(command.arguments))
    sent: list[bytes] = reader.gets()
    return sent


def keys(command: Command[object]) -> list[bytes]:
    sent = words(command)
    return [sent[position] for position in command.keys]


Case = tuple[Coroutine[Any, Any, object], str]


def cases() -> list[Case]:
    """
    Every command with every option: a call, and the words it sends.
    """
    entry = StreamEntry(b"5-1", {b"f": b"v"})
    second = timedelta(seconds=1)
    fields = {"f": "v"}
    return [
        # XADD
        (client.xadd("s", {"f": "v"}), "XADD s * f v"),
        (client.xadd(b"s", {b"f": b"v", b"g": 1}), "XADD s * f v g 1"),
        (client.xadd("s", [("f", 1), ("f", 2.5)]), "XADD s * f 1 f 2.5"),
        (client.xadd("s", iter([("f", 1)])), "XADD s * f 1"),
        (client.xadd("s", RepeatedFields([("f", "1"), ("f", "2")])), "XADD s * f 1 f 2"),
        (client.xadd("s", fields, identifier="5-1"), "XADD s 5-1 f v"),
        (client.xadd("s", fields, identifier="5-*"), "XADD s 5-* f v"),
        (client.xadd("s", fields, identifier=5), "XADD s 5 f v"),
        (client.xadd("s", fields, identifier=PureToken.AUTO_ID), "XADD s * f v"),
        (client.xadd("s", fields, identifier=MOMENT), "XADD s 1714979289123-* f v"),
        (client.xadd("s", fields, nomkstream=True), "XADD s NOMKSTREAM * f v"),
        (client.xadd("s", fields, idmp=("p", "i")), "XADD s IDMP p i * f v"),
        (client.xadd("s", fields, idmpauto=b"p"), "XADD s IDMPAUTO p * f v"),
        (client.xadd("s", fields, trim_strategy="MAXLEN", threshold=0), "XADD s MAXLEN 0 * f v"),
        (client.xadd("s", fields, trim_strategy="maxlen", threshold="7"), "XADD s MAXLEN 7 * f v"),
        (
            client.xadd("s", fields, trim_strategy=PureToken.MINID, threshold=0, trim_operator=PureToken.EQUAL),
            "XADD s MINID = 0 * f v",
        ),
        (
            client.xadd("s", fields, trim_strategy=b"MINID", threshold=entry, trim_operator="~", limit=0),
            "XADD s MINID ~ 5-1 LIMIT 0 * f v",
        ),
        (client.xadd("s", fields, condition="KEEPREF"), "XADD s KEEPREF * f v"),
        (client.xadd("s", fields, condition=b"DelRef"), "XADD s DELREF * f v"),
        (
            client.xadd(
                "s",
                fields,
                identifier="*",
                nomkstream=True,
                idmp=("p", "i"),
                trim_strategy="MAXLEN",
                threshold=10,
                trim_operator="~",
                limit=100,
                condition=PureToken.ACKED,
            ),
            "XADD s NOMKSTREAM ACKED IDMP p i MAXLEN ~ 10 LIMIT 100 * f v",
        ),
        # XDEL, XDELEX, XTRIM
        (client.xdel("s", ["5-1", 6, entry]), "XDEL s 5-1 6 5-1"),
        (client.xdel("s", "5-1"), "XDEL s 5-1"),
        (client.xdelex("s", ["5-1", "6-1"]), "XDELEX s IDS 2 5-1 6-1"),
        (client.xdelex("s", entry, "KEEPREF"), "XDELEX s KEEPREF IDS 1 5-1"),
        (client.xdelex("s", entry, PureToken.DELREF), "XDELEX s DELREF IDS 1 5-1"),
        (client.xdelex("s", entry, condition=b"acked"), "XDELEX s ACKED IDS 1 5-1"),
        (client.xtrim("s", "MAXLEN", 10), "XTRIM s MAXLEN 10"),
        (client.xtrim("s", "MAXLEN", 10, "="), "XTRIM s MAXLEN = 10"),
        (client.xtrim("s", "MINID", MOMENT, "~", 5), "XTRIM s MINID ~ 1714979289123 LIMIT 5"),
        (client.xtrim("s", "MINID", "5-1", condition="DELREF"), "XTRIM s MINID 5-1 DELREF"),
        (client.xtrim("s", "MAXLEN", 5, condition="KEEPREF"), "XTRIM s MAXLEN 5 KEEPREF"),
        (client.xtrim("s", "MAXLEN", 5, condition=PureToken.ACKED), "XTRIM s MAXLEN 5 ACKED"),
        # XLEN, XRANGE, XREVRANGE
        (client.xlen("s"), "XLEN s"),
        (client.xrange("s"), "XRANGE s - +"),
        (client.xrange("s", "(5-1", "+", 3), "XRANGE s (5-1 + COUNT 3"),
        (client.xrange("s", 0, MOMENT), "XRANGE s 0 1714979289123"),
        (client.xrevrange("s"), "XREVRANGE s + -"),
        (client.xrevrange("s", "9", entry, count=1), "XREVRANGE s 9 5-1 COUNT 1"),
        # XREAD
        (client.xread({"s": "$"}), "XREAD STREAMS s $"),
        (client.xread({"s": PureToken.NEW_ID}), "XREAD STREAMS s $"),
        (client.xread({"s": "+"}), "XREAD STREAMS s +"),
        (client.xread({b"s": entry, b"t": 0}), "XREAD STREAMS s t 5-1 0"),
        (client.xread({"s": MOMENT}), "XREAD STREAMS s 1714979289122-18446744073709551615"),
        (client.xread({"s": 0}, block=0), "XREAD BLOCK 0 STREAMS s 0"),
        (
            client.xread({"s": 0}, count=2, block=1500, max_count=5, max_size=1000),
            "XREAD COUNT 2 MAXCOUNT 5 MAXSIZE 1000 BLOCK 1500 STREAMS s 0",
        ),
        # XREADGROUP
        (client.xreadgroup("g", "c", {"s": ">"}), "XREADGROUP GROUP g c STREAMS s >"),
        (client.xreadgroup(b"g", b"c", {b"s": 0, b"t": ">"}), "XREADGROUP GROUP g c STREAMS s t 0 >"),
        (
            client.xreadgroup(
                "g", "c", {"s": ">"}, count=2, block=second, noack=True, max_count=5, max_size=1000, claim=second
            ),
            "XREADGROUP GROUP g c COUNT 2 MAXCOUNT 5 MAXSIZE 1000 BLOCK 1000 CLAIM 1000 NOACK STREAMS s >",
        ),
        (client.xreadgroup("g", "c", {"s": ">"}, claim=0), "XREADGROUP GROUP g c CLAIM 0 STREAMS s >"),
        # XACK, XACKDEL, XNACK
        (client.xack("s", "g", [entry, "6-1"]), "XACK s g 5-1 6-1"),
        (client.xackdel("s", "g", ["5-1"]), "XACKDEL s g IDS 1 5-1"),
        (client.xackdel("s", "g", ["5-1", 6], "KEEPREF"), "XACKDEL s g KEEPREF IDS 2 5-1 6"),
        (client.xackdel("s", "g", "5-1", PureToken.DELREF), "XACKDEL s g DELREF IDS 1 5-1"),
        (client.xackdel("s", "g", "5-1", b"ACKED"), "XACKDEL s g ACKED IDS 1 5-1"),
        (client.xnack("s", "g", PureToken.SILENT, ["5-1"]), "XNACK s g SILENT IDS 1 5-1"),
        (client.xnack("s", "g", "FAIL", entry, retrycount=0), "XNACK s g FAIL IDS 1 5-1 RETRYCOUNT 0"),
        (
            client.xnack("s", "g", "FATAL", ["5-1", "6"], retrycount=3, force=True),
            "XNACK s g FATAL IDS 2 5-1 6 RETRYCOUNT 3 FORCE",
        ),
        # XPENDING
        (client.xpending("s", "g"), "XPENDING s g"),
        (client.xpending("s", "g", "-", "+", 10), "XPENDING s g - + 10"),
        (client.xpending("s", "g", 0, "(9", 10, second, "c"), "XPENDING s g IDLE 1000 0 (9 10 c"),
        (client.xpending("s", "g", "-", "+", 1, consumer=""), "XPENDING s g - + 1 "),
        # XCLAIM, XAUTOCLAIM
        (client.xclaim("s", "g", "c", 0, "5-1"), "XCLAIM s g c 0 5-1"),
        (client.xclaim("s", "g", "c", second, [entry, 6], justid=True), "XCLAIM s g c 1000 5-1 6 JUSTID"),
        (
            client.xclaim("s", "g", "c", 1, "5-1", idle=second, retrycount=0, force=True, justid=True, lastid="9-9"),
            "XCLAIM s g c 1 5-1 IDLE 1000 RETRYCOUNT 0 FORCE JUSTID LASTID 9-9",
        ),
        (client.xclaim("s", "g", "c", 1, "5-1", time=MOMENT), "XCLAIM s g c 1 5-1 TIME 1714979289123"),
        (client.xclaim("s", "g", "c", 1, "5-1", time=7), "XCLAIM s g c 1 5-1 TIME 7"),
        (client.xautoclaim("s", "g", "c", 10, "0-0"), "XAUTOCLAIM s g c 10 0-0"),
        (client.xautoclaim("s", "g", "c", second, 0, 5, justid=True), "XAUTOCLAIM s g c 1000 0 COUNT 5 JUSTID"),
        (client.xautoclaim("s", "g", "c", 0, "(5"), "XAUTOCLAIM s g c 0 (5"),
        # XGROUP
        (client.xgroup_create("s", "g"), "XGROUP CREATE s g $"),
        (client.xgroup_create("s", "g", 0, True, 0), "XGROUP CREATE s g 0 MKSTREAM ENTRIESREAD 0"),
        (client.xgroup_create("s", "g", PureToken.NEW_ID, entriesread=-1), "XGROUP CREATE s g $ ENTRIESREAD -1"),
        (client.xgroup_setid("s", "g"), "XGROUP SETID s g $"),
        (client.xgroup_setid("s", "g", 0, 2), "XGROUP SETID s g 0 ENTRIESREAD 2"),
        (client.xgroup_setid("s", "g", "-"), "XGROUP SETID s g -"),
        (client.xgroup_destroy("s", "g"), "XGROUP DESTROY s g"),
        (client.xgroup_createconsumer("s", "g", "c"), "XGROUP CREATECONSUMER s g c"),
        (client.xgroup_delconsumer("s", "g", "c"), "XGROUP DELCONSUMER s g c"),
        (client.xgroup_help(), "XGROUP HELP"),
        # XINFO
        (client.xinfo_stream("s"), "XINFO STREAM s"),
        (client.xinfo_stream("s", full=True), "XINFO STREAM s FULL"),
        (client.xinfo_stream("s", True, 0), "XINFO STREAM s FULL COUNT 0"),
        (client.xinfo_groups("s"), "XINFO GROUPS s"),
        (client.xinfo_consumers("s", "g"), "XINFO CONSUMERS s g"),
        (client.xinfo_help(), "XINFO HELP"),
        # XSETID, XCFGSET
        (client.xsetid("s", "5-1"), "XSETID s 5-1"),
        (client.xsetid("s", 5, 0, "4-0"), "XSETID s 5 ENTRIESADDED 0 MAXDELETEDID 4-0"),
        (client.xcfgset("s", timedelta(minutes=1)), "XCFGSET s IDMP-DURATION 60"),
        (client.xcfgset("s", idmp_maxsize=10_000), "XCFGSET s IDMP-MAXSIZE 10000"),
        (client.xcfgset("s", 86_400, 1), "XCFGSET s IDMP-DURATION 86400 IDMP-MAXSIZE 1"),
    ]


class TestWords:
    def test_every_command(self) -> None:
        """
        Each call sends exactly these words.
        """
        for call, expected in cases():
            assert expected.encode().split(b" ") == words(built(call))

    def test_keys(self) -> None:
        """
        The keys are where the command says, and nothing else is.
        """
        for call, expected in cases():
            command = built(call)
            there = [word for word in expected.split(" ") if word in ("s", "t")]
            assert there == [key.decode() for key in keys(command)], expected

    def test_streams_called_like_words(self) -> None:
        """
        Keys are found by position, so nothing is confused by a group, a consumer or a stream named STREAMS.
        """
        command = built(client.xreadgroup("STREAMS", "STREAMS", {"STREAMS": ">", "COUNT": "5-1"}, count=1))

        assert keys(command) == [b"STREAMS", b"COUNT"]
        assert list(command.keys) == [7, 8]

    def test_order_of_streams(self) -> None:
        """
        Streams are asked for in the order of the mapping, which is the order in which they are served.
        """
        command = built(client.xread({name: number for number, name in enumerate("zyx")}))

        assert words(command)[2:] == [b"z", b"y", b"x", b"0", b"1", b"2"]

    @pytest.mark.parametrize("off", [False, None])
    def test_flags_that_are_off(self, off: bool) -> None:
        """
        A flag that is off sends nothing.
        """
        assert words(built(client.xadd("s", {"f": "v"}, nomkstream=off))) == b"XADD s * f v".split()
        assert words(built(client.xgroup_create("s", "g", mkstream=off))) == b"XGROUP CREATE s g $".split()
        assert words(built(client.xinfo_stream("s", full=off))) == b"XINFO STREAM s".split()
        assert words(built(client.xclaim("s", "g", "c", 0, 5, force=off, justid=off))) == b"XCLAIM s g c 0 5".split()  # type: ignore[call-overload]

    def test_any_content(self) -> None:
        """
        Names and values are sent byte for byte, empty ones included.
        """
        command = built(client.xadd(b"\x00\r\n", [("", b"*1\r\n$8\r\nFLUSHALL\r\n"), ("é", "")]))

        assert words(command) == [b"XADD", b"\x00\r\n", b"*", b"", b"*1\r\n$8\r\nFLUSHALL\r\n", "é".encode(), b""]

    @pytest.mark.parametrize("count", [1, 2, FEW_FIELDS - 1, FEW_FIELDS, FEW_FIELDS + 1, 100])
    def test_any_number_of_fields(self, count: int) -> None:
        """
        They are sent in their order, in a mapping as in pairs.
        """
        pairs = [(f"name{number}", str(number)) for number in range(count)]
        expected = [b"XADD", b"s", b"*", *[word.encode() for pair in pairs for word in pair]]

        assert expected == words(built(client.xadd("s", dict(pairs))))
        assert expected == words(built(client.xadd("s", pairs)))


class TestAttributes:
    @pytest.mark.parametrize(
        ("block", "seconds"),
        [(None, None), (0, math.inf), (1, 0.001), (1500, 1.5), (timedelta(seconds=2), 2.0), (timedelta(0), math.inf)],
    )
    def test_block(self, block: int | timedelta | None, seconds: float | None) -> None:
        """
        How long the server may take travels with the command: None for not at all, for ever for 0.
        """
        assert seconds == built(client.xread({"s": 0}, block=block)).block
        assert seconds == built(client.xreadgroup("g", "c", {"s": ">"}, block=block)).block

    def test_short_waits_do_not_become_endless(self) -> None:
        """
        Half a millisecond is rounded up: 0 would mean for ever.
        """
        command = built(client.xread({"s": 0}, block=timedelta(microseconds=500)))

        assert (command.block, words(command)[2]) == (0.001, b"1")

    @pytest.mark.parametrize(
        "call",
        [
            lambda: client.xlen("s"),
            lambda: client.xrange("s"),
            lambda: client.xrevrange("s"),
            lambda: client.xread({"s": 0}),
            lambda: client.xpending("s", "g"),
            lambda: client.xpending("s", "g", "-", "+", 1),
            lambda: client.xinfo_stream("s"),
            lambda: client.xinfo_groups("s"),
            lambda: client.xinfo_consumers("s", "g"),
        ],
    )
    def test_readonly(self, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """
        Reading changes nothing, so it may be repeated and sent to a replica.
        """
        command = built(call())

        assert (command.readonly, command.idempotent) == (True, True)

    @pytest.mark.parametrize(
        "call",
        [
            lambda: client.xack("s", "g", "5"),
            lambda: client.xdel("s", "5"),
            lambda: client.xdelex("s", "5"),
            lambda: client.xtrim("s", "MINID", "5"),
            lambda: client.xclaim("s", "g", "c", 0, "5", justid=True),
            lambda: client.xgroup_setid("s", "g", "5"),
            lambda: client.xgroup_destroy("s", "g"),
            lambda: client.xgroup_createconsumer("s", "g", "c"),
            lambda: client.xcfgset("s", 100),
            lambda: client.xadd("s", {"f": "v"}, idmp=("p", "i")),
            lambda: client.xadd("s", {"f": "v"}, idmpauto="p"),
            lambda: client.xadd("s", {"f": "v"}, identifier="5-1"),
        ],
    )
    def test_may_be_repeated(self, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """
        These leave the same state when they run twice.
        """
        command = built(call())

        assert (command.readonly, command.idempotent) == (False, True)

    @pytest.mark.parametrize(
        "call",
        [
            lambda: client.xadd("s", {"f": "v"}),
            lambda: client.xadd("s", {"f": "v"}, identifier="5-*"),
            lambda: client.xadd("s", {"f": "v"}, identifier=MOMENT),
            lambda: client.xackdel("s", "g", "5"),
            lambda: client.xnack("s", "g", "SILENT", "5"),
            lambda: client.xtrim("s", "MAXLEN", 5),
            lambda: client.xclaim("s", "g", "c", 0, "5"),
            lambda: client.xautoclaim("s", "g", "c", 0, "0"),
            lambda: client.xautoclaim("s", "g", "c", 0, "0", justid=True),
            lambda: client.xreadgroup("g", "c", {"s": ">"}),
            lambda: client.xreadgroup("g", "c", {"s": "0"}),
            lambda: client.xgroup_create("s", "g"),
            lambda: client.xgroup_setid("s", "g"),
            lambda: client.xgroup_setid("s", "g", "+"),
            lambda: client.xgroup_delconsumer("s", "g", "c"),
            lambda: client.xsetid("s", "5"),
            lambda: client.xread({"s": "$"}),
        ],
    )
    def test_must_not_be_repeated(self, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """
        These deliver, count, add, or mean something else the second time.
        """
        assert not built(call()).idempotent

    @pytest.mark.parametrize(
        ("call", "requirements"),
        [
            (lambda: client.xadd("s", {"f": "v"}, trim_strategy="MINID", threshold=1), []),
            (lambda: client.xadd("s", {"f": "v"}, condition="ACKED"), [("XADD", "ACKED", "Redis 8.2")]),
            (lambda: client.xadd("s", {"f": "v"}, idmp=("p", "i")), [("XADD", "IDMP", "Redis 8.6")]),
            (lambda: client.xadd("s", {"f": "v"}, idmpauto="p"), [("XADD", "IDMPAUTO", "Redis 8.6")]),
            (
                lambda: client.xadd("s", {"f": "v"}, idmpauto="p", condition="delref"),
                [("XADD", "DELREF", "Redis 8.2"), ("XADD", "IDMPAUTO", "Redis 8.6")],
            ),
            (lambda: client.xtrim("s", "MAXLEN", 1), []),
            (lambda: client.xtrim("s", "MAXLEN", 1, condition="KEEPREF"), [("XTRIM", "KEEPREF", "Redis 8.2")]),
            (lambda: client.xdelex("s", 1), [("XDELEX", None, "Redis 8.2")]),
            (lambda: client.xackdel("s", "g", 1), [("XACKDEL", None, "Redis 8.2")]),
            (lambda: client.xnack("s", "g", "FAIL", 1), [("XNACK", None, "Redis 8.8")]),
            (lambda: client.xcfgset("s", 1), [("XCFGSET", None, "Redis 8.6")]),
            (lambda: client.xreadgroup("g", "c", {"s": ">"}), []),
            (lambda: client.xreadgroup("g", "c", {"s": ">"}, claim=1), [("XREADGROUP", "CLAIM", "Redis 8.4")]),
            (lambda: client.xread({"s": 0}, max_count=1), [("XREAD", "MAXCOUNT", "Redis 8.10")]),
            (lambda: client.xreadgroup("g", "c", {"s": 0}, max_size=1), [("XREADGROUP", "MAXSIZE", "Redis 8.10")]),
        ],
    )
    def test_requirements(
        self, call: Callable[[], Coroutine[Any, Any, object]], requirements: list[tuple[str, str | None, str]]
    ) -> None:
        """
        What not every server has says since when there is any.
        """
        assert tuple(Requirement(*requirement) for requirement in requirements) == built(call()).requires

    def test_requirement_of_the_last_entry(self) -> None:
        """
        The identifier ``+`` is an option that the server's documentation does not show; its error tells.
        """
        (requirement,) = built(client.xread({"s": "+"})).requires

        assert requirement == Requirement("XREAD", "+", "Redis 7.4 or Valkey 8.0", "ERR Invalid stream ID")


class TestRefusals:
    """
    Mistakes are found before anything is sent, and named.
    """

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda wrong: client.xrange("s", count=wrong), "count"),
            (lambda wrong: client.xrevrange("s", count=wrong), "count"),
            (lambda wrong: client.xread({"s": 0}, count=wrong), "count"),
            (lambda wrong: client.xread({"s": 0}, max_count=wrong), "max_count"),
            (lambda wrong: client.xread({"s": 0}, max_size=wrong), "max_size"),
            (lambda wrong: client.xreadgroup("g", "c", {"s": 0}, count=wrong), "count"),
            (lambda wrong: client.xreadgroup("g", "c", {"s": 0}, max_count=wrong), "max_count"),
            (lambda wrong: client.xreadgroup("g", "c", {"s": 0}, max_size=wrong), "max_size"),
            (lambda wrong: client.xpending("s", "g", "-", "+", wrong), "count"),
            (lambda wrong: client.xautoclaim("s", "g", "c", 0, 0, count=wrong), "count"),
            (lambda wrong: client.xcfgset("s", wrong), "idmp_duration"),
            (lambda wrong: client.xcfgset("s", idmp_maxsize=wrong), "idmp_maxsize"),
        ],
    )
    @pytest.mark.parametrize("wrong", [0, -1, True, 2**70])
    def test_counts(self, call: Callable[[int], Coroutine[Any, Any, object]], name: str, wrong: int) -> None:
        """
        A count is at least 1: servers read 0 and less as "no limit" here and as an error there.
        """
        with pytest.raises(ValueError, match=f"^{name}: .*{wrong}"):
            built(call(wrong))

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda wrong: client.xadd("s", {"f": 1}, trim_strategy="MAXLEN", threshold=wrong), "threshold"),
            (
                lambda wrong: client.xadd(
                    "s", {"f": 1}, trim_strategy="MAXLEN", threshold=1, trim_operator="~", limit=wrong
                ),
                "limit",
            ),
            (lambda wrong: client.xtrim("s", "MAXLEN", wrong), "threshold"),
            (lambda wrong: client.xtrim("s", "MAXLEN", 1, "~", wrong), "limit"),
            (lambda wrong: client.xread({"s": 0}, block=wrong), "block"),
            (lambda wrong: client.xreadgroup("g", "c", {"s": ">"}, block=wrong), "block"),
            (lambda wrong: client.xreadgroup("g", "c", {"s": ">"}, claim=wrong), "claim"),
            (lambda wrong: client.xclaim("s", "g", "c", wrong, 5), "min_idle_time"),
            (lambda wrong: client.xclaim("s", "g", "c", 0, 5, idle=wrong), "idle"),
            (lambda wrong: client.xclaim("s", "g", "c", 0, 5, time=wrong), "time"),
            (lambda wrong: client.xclaim("s", "g", "c", 0, 5, retrycount=wrong), "retrycount"),
            (lambda wrong: client.xautoclaim("s", "g", "c", wrong, 0), "min_idle_time"),
            (lambda wrong: client.xpending("s", "g", "-", "+", 1, idle=wrong), "idle"),
            (lambda wrong: client.xnack("s", "g", "FAIL", 5, retrycount=wrong), "retrycount"),
            (lambda wrong: client.xinfo_stream("s", full=True, count=wrong), "count"),
            (lambda wrong: client.xsetid("s", 5, entriesadded=wrong), "entriesadded"),
        ],
    )
    @pytest.mark.parametrize("wrong", [-1, True, 2**70])
    def test_quantities(self, call: Callable[[int], Coroutine[Any, Any, object]], name: str, wrong: int) -> None:
        """
        What may be 0 may not be less.
        """
        with pytest.raises(ValueError, match=f"^{name}: .*{wrong}"):
            built(call(wrong))

    @pytest.mark.parametrize("wrong", [-2, False, 2**63])
    def test_entries_read(self, wrong: int) -> None:
        """
        ENTRIESREAD may be -1, for unknown.
        """
        with pytest.raises(ValueError, match=r"^entriesread: "):
            built(client.xgroup_create("s", "g", entriesread=wrong))
        with pytest.raises(ValueError, match=r"^entriesread: "):
            built(client.xgroup_setid("s", "g", entriesread=wrong))

    @pytest.mark.parametrize("wrong", [1.5, "5", b"5", None, []])
    def test_no_numbers(self, wrong: Any) -> None:
        """
        Other types are no numbers, even where they look like one.
        """
        with pytest.raises(TypeError, match=r"^min_idle_time: "):
            built(client.xclaim("s", "g", "c", wrong, 5))

    def test_negative_times(self) -> None:
        """
        No time span is negative.
        """
        with pytest.raises(ValueError, match=r"^block: "):
            built(client.xread({"s": 0}, block=timedelta(seconds=-1)))

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda: client.xadd("s", {"f": 1}, identifier="abc"), "identifier"),
            (lambda: client.xadd("s", {"f": 1}, identifier="$"), "identifier"),
            (lambda: client.xadd("s", {"f": 1}, trim_strategy="MINID", threshold="-"), "threshold"),
            (lambda: client.xadd("s", {"f": 1}, trim_strategy="MAXLEN", threshold="many"), "threshold"),
            (lambda: client.xdel("s", ["5", "5-"]), "identifiers"),
            (lambda: client.xdelex("s", ["*"]), "identifiers"),
            (lambda: client.xtrim("s", "MINID", "+"), "threshold"),
            (lambda: client.xrange("s", "$"), "start"),
            (lambda: client.xrange("s", "-", ">"), "end"),
            (lambda: client.xrevrange("s", "+", "(("), "start"),
            (lambda: client.xread({"s": ">"}), "streams"),
            (lambda: client.xreadgroup("g", "c", {"s": "$"}), "streams"),
            (lambda: client.xreadgroup("g", "c", {"s": "1-18446744073709551616"}), "streams"),
            (lambda: client.xack("s", "g", ["-1"]), "identifiers"),
            (lambda: client.xack("s", "g", [-1]), "identifiers"),
            (lambda: client.xackdel("s", "g", [">"]), "identifiers"),
            (lambda: client.xnack("s", "g", "FAIL", ["+"]), "identifiers"),
            (lambda: client.xclaim("s", "g", "c", 0, ["-"]), "identifiers"),
            (lambda: client.xclaim("s", "g", "c", 0, 5, lastid="$"), "lastid"),
            (lambda: client.xautoclaim("s", "g", "c", 0, "$"), "start"),
            (lambda: client.xpending("s", "g", "x", "+", 1), "start"),
            (lambda: client.xpending("s", "g", "-", "*", 1), "end"),
            (lambda: client.xgroup_create("s", "g", "+"), "identifier"),
            (lambda: client.xgroup_setid("s", "g", ">"), "identifier"),
            (lambda: client.xsetid("s", "*"), "identifier"),
            (lambda: client.xsetid("s", 5, maxdeletedid="-"), "maxdeletedid"),
        ],
    )
    def test_identifiers(self, call: Callable[[], Coroutine[Any, Any, object]], name: str) -> None:
        """
        Every parameter that takes identifiers checks them for its own place.
        """
        with pytest.raises(ValueError, match=f"^{name}"):
            built(call())

    @pytest.mark.parametrize(
        "call",
        [
            lambda: client.xdel("s", []),
            lambda: client.xdelex("s", ()),
            lambda: client.xack("s", "g", iter([])),
            lambda: client.xackdel("s", "g", set()),
            lambda: client.xnack("s", "g", "FAIL", []),
            lambda: client.xclaim("s", "g", "c", 0, []),
        ],
    )
    def test_no_identifiers(self, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """
        At least one identifier is needed.
        """
        with pytest.raises(ValueError, match=r"^identifiers: expected at least one"):
            built(call())

    @pytest.mark.parametrize(
        ("call", "arguments"),
        [
            (lambda: client.xadd("s", {"f": 1}, trim_strategy="MAXLEN"), {"trim_strategy", "threshold"}),
            (lambda: client.xadd("s", {"f": 1}, threshold=5), {"trim_strategy", "threshold"}),
            (lambda: client.xadd("s", {"f": 1}, trim_operator="~"), {"trim_strategy", "trim_operator", "limit"}),
            (lambda: client.xadd("s", {"f": 1}, limit=1), {"trim_strategy", "trim_operator", "limit"}),
            (
                lambda: client.xadd("s", {"f": 1}, trim_strategy="MAXLEN", threshold=0, limit=5),
                {"limit", "trim_operator"},
            ),
            (lambda: client.xadd("s", {"f": 1}, idmp=("p", "i"), idmpauto="p"), {"idmp", "idmpauto"}),
            (lambda: client.xadd("s", {"f": 1}, idmp=("p", "i"), identifier="5-1"), {"idmp", "identifier"}),
            (lambda: client.xadd("s", {"f": 1}, idmpauto="p", identifier="5-*"), {"idmpauto", "identifier"}),
            (lambda: client.xtrim("s", "MAXLEN", 1, limit=0), {"limit", "trim_operator"}),
            (lambda: client.xtrim("s", "MAXLEN", 1, "=", 5), {"limit", "trim_operator"}),
            (lambda: client.xread({"s": 0}, count=5, max_count=4), {"count", "max_count"}),
            (lambda: client.xreadgroup("g", "c", {"s": ">"}, count=5, max_count=4), {"count", "max_count"}),
            (lambda: client.xpending("s", "g", count=1), {"start", "end", "count"}),  # type: ignore[call-overload]
            (lambda: client.xpending("s", "g", "-", "+"), {"start", "end", "count"}),  # type: ignore[call-overload]
            (lambda: client.xpending("s", "g", 0, count=1), {"start", "end", "count"}),  # type: ignore[call-overload]
            (lambda: client.xpending("s", "g", idle=1), {"idle", "consumer"}),  # type: ignore[call-overload]
            (lambda: client.xpending("s", "g", consumer="c"), {"idle", "consumer"}),  # type: ignore[call-overload]
            (lambda: client.xclaim("s", "g", "c", 0, 5, idle=1, time=1), {"idle", "time"}),
            (lambda: client.xinfo_stream("s", count=1), {"count", "full"}),
            (lambda: client.xcfgset("s"), {"idmp_duration", "idmp_maxsize"}),
        ],
    )
    def test_arguments_that_do_not_go_together(
        self, call: Callable[[], Coroutine[Any, Any, object]], arguments: set[str]
    ) -> None:
        """
        The error names the arguments.
        """
        with pytest.raises(CommandSyntaxError) as caught:
            built(call())

        assert arguments == caught.value.arguments

    @pytest.mark.parametrize("call", [client.xread, lambda streams: client.xreadgroup("g", "c", streams)])
    @pytest.mark.parametrize(
        ("streams", "error"),
        [
            ({}, ValueError),
            ({"s": 0, b"s": 0}, ValueError),
            ({"é": 0, "é".encode(): 0}, ValueError),
            ({1: 0}, TypeError),
            (["s"], TypeError),
            ("s", TypeError),
            ({"s": None}, TypeError),
        ],
    )
    def test_streams(
        self, call: Callable[[Any], Coroutine[Any, Any, object]], streams: Any, error: type[Exception]
    ) -> None:
        """
        There must be a stream to read, each is asked for once, and names are names.
        """
        with pytest.raises(error, match=r"^streams"):
            built(call(streams))

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({}, ValueError),
            ([], ValueError),
            (iter(()), ValueError),
            ("fv", TypeError),
            (None, TypeError),
            (5, TypeError),
            (["fv"], ValueError),
            ([("f", "v", "w")], ValueError),
        ],
    )
    def test_fields(self, fields: Any, error: type[Exception]) -> None:
        """
        An entry has at least one field, and fields are pairs.
        """
        with pytest.raises(error, match=r"^field_values: "):
            built(client.xadd("s", fields))

    @pytest.mark.parametrize("value", [None, True, ["v"], object()])
    def test_values(self, value: Any) -> None:
        """
        Only what has obvious bytes can be stored.
        """
        with pytest.raises(TypeError, match="argument 4 of 'XADD'"):
            words(built(client.xadd("s", {"f": value})))

    @pytest.mark.parametrize("producer", [("p", ""), (b"", "i"), "pi", ("p",), ("p", "i", "j")])
    def test_idempotent_producers(self, producer: Any) -> None:
        """
        Producer and identifier are two words, neither of them empty.
        """
        with pytest.raises(ValueError, match=r"^idmp: "):
            built(client.xadd("s", {"f": 1}, idmp=producer))

    def test_automatic_producer(self) -> None:
        """
        Nor is the producer of IDMPAUTO, which is a name.
        """
        with pytest.raises(ValueError, match=r"^idmpauto: "):
            built(client.xadd("s", {"f": 1}, idmpauto=""))
        with pytest.raises(TypeError, match=r"^idmpauto: "):
            built(client.xadd("s", {"f": 1}, idmpauto=7))  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda: client.xadd("s", {"f": 1}, trim_strategy="LENGTH", threshold=1), "trim_strategy"),
            (lambda: client.xtrim("s", "MAXLEN", 1, "<"), "trim_operator"),
            (lambda: client.xtrim("s", "MAXLEN", 1, condition="NOREF"), "condition"),
            (lambda: client.xadd("s", {"f": 1}, condition=PureToken.FAIL), "condition"),
            (lambda: client.xdelex("s", 1, "x"), "condition"),
            (lambda: client.xackdel("s", "g", 1, "x"), "condition"),
            (lambda: client.xnack("s", "g", "LOUD", 1), "mode"),
        ],
    )
    def test_tokens(self, call: Callable[[], Coroutine[Any, Any, object]], name: str) -> None:
        """
        Words that are not among those allowed are refused.
        """
        with pytest.raises(ValueError, match=f"^{name}: expected one of"):
            built(call())

    @pytest.mark.parametrize("wrong", [0, 86_401, timedelta(days=2)])
    def test_memory_of_producers(self, wrong: int | timedelta) -> None:
        """
        The limits of XCFGSET are known.
        """
        with pytest.raises(ValueError, match=r"^idmp_duration: "):
            built(client.xcfgset("s", wrong))
        with pytest.raises(ValueError, match=r"^idmp_maxsize: "):
            built(client.xcfgset("s", idmp_maxsize=10_001))

    @pytest.mark.parametrize("name", [None, 5, object()])
    def test_names(self, name: Any) -> None:
        """
        Groups and consumers have names.
        """
        with pytest.raises(TypeError, match=r"^group: "):
            built(client.xack("s", name, 5))
        with pytest.raises(TypeError, match=r"^consumer: "):
            built(client.xreadgroup("g", name, {"s": ">"}))
        with pytest.raises(TypeError, match=r"^groupname: "):
            built(client.xgroup_create("s", name))


def test_every_method() -> None:
    """
    The cases above leave out no method: a method is called as its command.
    """
    sent = {tuple(words(built(call))[:2]) for call, _ in cases()}
    called = {
        b"_".join(pair).lower().decode() if pair[0] in (b"XGROUP", b"XINFO") else pair[0].lower().decode()
        for pair in sent
    }

    methods = {
        name for family in (StreamCommands, StreamGroupCommands) for name in vars(family) if name.startswith("x")
    }
    assert methods == called
