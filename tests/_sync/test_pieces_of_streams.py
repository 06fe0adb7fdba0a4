# Generated from tests/_async/test_pieces_of_streams.py by scripts/generate.py: edit that file, not this one.
"""
Large replies of several streams to a consumer without a group: entries are made some at a time, in the order in which they are
served.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis._core.consumer import pieces
from coredis._core.consumer.pieces import PIECE
from coredis.exceptions import ProtocolError
from tests.support.blocking import Redis, connect
from tests.support.scripted import ScriptedServer
from tests.support.servers import Server

#: So many entries have these streams; "quiet" has none.
ENTRIES = {"a": PIECE + 70, "b": PIECE // 2, "c": PIECE - 1, "d": 1, "quiet": 0}
_turns = zip_longest(*[[(name, number + 1) for number in range(count)] for name, count in ENTRIES.items()])
#: The order in which they are served.
ORDER = [item for turn in _turns for item in turn if item is not None]
PREFETCH = pytest.mark.parametrize("prefetch", [False, True], ids=["", "ahead"])
#: Of entries whose names are the same, of entries whose names are those of their stream, and of any.
KINDS = pytest.mark.parametrize("kind", ["alike", "by stream", "mixed"])


def fields(kind: str, stream: str, number: int) -> dict[str, int]:
    """
    Give the fields of an entry.
    """
    if kind == "mixed" and number == PIECE // 3:
        return {"another": number, "and more": 1}
    return {f"number of {stream}" if kind == "by stream" else "number": number}


def fill(client: Redis[Any], kind: str = "alike") -> None:
    """
    Add what the streams have.
    """
    pipeline = client.pipeline(transaction=False)
    for stream, count in ENTRIES.items():
        for number in range(1, count + 1):
            pipeline.xadd(stream, fields(kind, stream, number), identifier=f"{number}-0")
    pipeline.execute()


def reading(client: Redis[Any], prefetch: bool = False, starts: dict[str, Any] | None = None) -> Any:
    """
    Give a consumer that receives all there is in one reply, or in two.
    """
    parameters: Any = {name: {"identifier": "0-0" if starts is None else starts[name]} for name in ENTRIES}
    return client.xconsumer(list(ENTRIES), parameters=parameters, buffer_size=2 * PIECE - 1, prefetch=prefetch)


def served(stream: Any, entry: Any) -> tuple[str, int]:
    """
    Tell which one it is, as text or as bytes.
    """
    return _text(stream), int(entry.identifier[:-2])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.decode()


def take(consumer: Any, count: int) -> list[tuple[str, int]]:
    """
    Read so many entries.
    """
    return [served(*consumer.get_entry()) for _ in range(count)]


def reached(given: list[tuple[str, int]]) -> dict[str, str]:
    """
    Say where the application stands when it has got these.
    """
    return dict.fromkeys(ENTRIES, "0-0") | {name: f"{number}-0" for name, number in given}


def standing(consumer: Any) -> dict[str, str]:
    """
    Give where the consumer says that it stands.
    """
    return {name: _text(position) for name, position in consumer.positions.items()}


@KINDS
@PREFETCH
@pytest.mark.parametrize("decode", [False, True], ids=["raw", "text"])
def test_where_the_application_stands(server: Server, kind: str, prefetch: bool, decode: bool) -> None:
    """
    Is where it is after each entry, and the entries come in turns.
    """
    given: list[tuple[str, int]] = []
    with connect(server, decode_responses=decode) as client:
        fill(client, kind)
        with reading(client, prefetch) as consumer:
            for stream, entry in consumer:
                given.append(served(stream, entry))
                assert reached(given) == standing(consumer)

    if prefetch:  # two replies have them, each with turns of its own
        for name in ENTRIES:
            assert [item for item in ORDER if item[0] == name] == [item for item in given if item[0] == name]
    else:
        assert ORDER == given


@KINDS
@PREFETCH
@pytest.mark.parametrize("first", [1, PIECE - 1, PIECE, PIECE + 20, 2 * PIECE + 30])
def test_whoever_begins_there(client: Redis[Any], kind: str, prefetch: bool, first: int) -> None:
    """
    Gets the rest.
    """
    fill(client, kind)
    with reading(client, prefetch) as consumer:
        given = take(consumer, first)
        with reading(client, starts=consumer.positions) as another:
            given += [served(stream, entry) for stream, entry in another]

    assert sorted(ORDER) == sorted(given)


@PREFETCH
@pytest.mark.parametrize("first", [0, 1, PIECE, PIECE + 20])
def test_several_at_a_time(client: Redis[Any], prefetch: bool, first: int) -> None:
    """
    Are all that was received.
    """
    fill(client)
    with reading(client, prefetch) as consumer:
        given = take(consumer, first)
        batch = [served(*item) for item in consumer.get_entries()]
        assert prefetch or batch == ORDER[first:]
        assert reached(given + batch) == standing(consumer)
        given += batch
        given += [served(*item) for item in consumer.drain()]
        assert reached(given) == standing(consumer)
        given += [served(stream, entry) for stream, entry in consumer]

    assert sorted(ORDER) == sorted(given)


@PREFETCH
@pytest.mark.parametrize("first", [0, 1, PIECE - 1, PIECE, PIECE + 20])
def test_some_at_a_time(client: Redis[Any], prefetch: bool, first: int) -> None:
    """
    In the middle of what was made: the application stands where it stands, before all of it is served and after that.
    """
    fill(client)
    with reading(client, prefetch) as consumer:
        given = take(consumer, first)
        while batch := consumer.get_entries(7):
            given += [served(*item) for item in batch]
            assert reached(given) == standing(consumer)

    assert sorted(ORDER) == sorted(given)


@PREFETCH
@pytest.mark.parametrize("ending", ["close", "stop", "leave"])
@pytest.mark.parametrize("first", [1, PIECE - 1, PIECE, PIECE + 20])
def test_after_the_end(client: Redis[Any], prefetch: bool, ending: str, first: int) -> None:
    """
    The application stands where it stood, and goes on to stand after what is served yet.
    """
    fill(client)
    consumer = reading(client, prefetch)
    if ending == "leave":
        with consumer:
            given = take(consumer, first)
    else:
        given = take(consumer, first)
        if ending == "close":
            consumer.close()
        else:
            consumer.stop()
    assert reached(given) == standing(consumer)
    for stream, entry in consumer:
        given.append(served(stream, entry))
        assert reached(given) == standing(consumer)
    consumer.close()


@pytest.mark.parametrize("start", ["0-0", "1-0", f"{PIECE}-0"])
def test_a_stream_that_is_added_again(client: Redis[Any], start: str) -> None:
    """
    In the middle of a reply of which all of its own was served: it begins where it is to begin.
    """
    fill(client)
    with reading(client) as consumer:
        given = take(consumer, PIECE + 20)
        consumer.remove_stream("d")
        consumer.add_stream("d", start)
        assert reached(given) | {"d": start} == standing(consumer)


@pytest.mark.parametrize(("kind", "made"), [("alike", PIECE), ("by stream", sum(ENTRIES.values()))])
def test_only_some_are_made(client: Redis[Any], kind: str, made: int) -> None:
    """
    Where their names are the same. Where they are not, making those of a stream at a time takes half as long.
    """
    fill(client, kind)
    with reading(client) as consumer:
        take(consumer, 1)
        assert made == consumer.statistics.delivered


@PREFETCH
@pytest.mark.parametrize("decode", [False, True], ids=["raw", "text"])
@pytest.mark.parametrize("first", [PIECE // 2, PIECE])
def test_entries_that_cannot_be_made(
    server: Server, prefetch: bool, decode: bool, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In the middle of a reply: it is an error, and reading goes on after what was made.
    """
    make = pieces.Pieces.make

    def fail(self: Any, *given: Any) -> Any:
        if self.made >= PIECE:
            raise LookupError
        return make(self, *given)

    with connect(server, decode_responses=decode) as client:
        fill(client)
        with reading(client, prefetch) as consumer:
            given = take(consumer, first)
            with monkeypatch.context() as patch:
                patch.setattr(pieces.Pieces, "make", fail)
                with pytest.raises(ProtocolError, match="LookupError"):
                    consumer.get_entries()
            assert reached(given) == standing(consumer)
            given += [served(stream, entry) for stream, entry in consumer]

    assert sorted(ORDER) == sorted(given)


@pytest.mark.parametrize("failing", [False, True])
def test_no_reply_is_kept(client: Redis[Any], failing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Once its entries have been made, though what was made before is still to be served, or once they cannot be made.
    """
    fill(client)
    make = pieces.Pieces.make

    def fail(self: Any, *given: Any) -> Any:
        if self.made:
            raise LookupError
        return make(self, *given)

    with reading(client) as consumer:
        take(consumer, PIECE // 2)
        assert kept()
        if failing:
            with monkeypatch.context() as patch:
                patch.setattr(pieces.Pieces, "make", fail)
                with suppress(ProtocolError):  # not pytest, which keeps the error, and so the frames it came through
                    assert not consumer.get_entries(1)
        else:
            consumer.get_entries(1)
        gc.collect()
        assert not kept()


def kept() -> int:
    """
    Count the replies that there are.
    """
    return sum(type(found) is pieces.Pieces for found in gc.get_objects())


@pytest.mark.parametrize("at", [PIECE, PIECE + 1, 2 * PIECE])
@pytest.mark.parametrize("strange", [b"_\r\n", b"*0\r\n", b":5\r\n", b"*2\r\n+1-0\r\n*1\r\n+n\r\n"])
def test_a_strange_entry(strange: bytes, at: int) -> None:
    """
    Wherever in a reply it is, it is an error at some time, nothing comes twice, and everything is read in the end.
    """
    streams = [b"x", b"y", b"z"]
    last = PIECE
    asked = 0

    def answer(command: list[bytes]) -> bytes:
        nonlocal asked
        if command[0] != b"XREAD":
            return b"+OK\r\n"
        asked += 1
        parts: list[bytes] = []
        for name, position in zip(streams, command[-3:], strict=True):
            first = int(position.removesuffix(b"-0")) + 1
            entries = [b"*2\r\n+%d-0\r\n*2\r\n+n\r\n+v\r\n" % number for number in range(first, last + 1)]
            if asked == 1 and name == streams[(at - 1) % len(streams)]:
                entries[(at - 1) // len(streams)] = strange
            if entries:
                parts.append(b"*2\r\n+%b\r\n*%d\r\n%b" % (name, len(entries), b"".join(entries)))
        return b"*%d\r\n%b" % (len(parts), b"".join(parts)) if parts else b"*-1\r\n"

    given: list[tuple[bytes, bytes]] = []
    failures = 0
    with ScriptedServer(answer) as server:
        with connect(server, retry_policy=RetryPolicy(retries=0)) as client:
            starts: Any = {name.decode(): {"identifier": "0-0"} for name in streams}
            consumer = client.xconsumer(streams, buffer_size=last, **starts)
            while True:
                try:
                    stream, entry = consumer.get_entry()
                except ProtocolError:
                    failures += 1
                    latest = dict.fromkeys(streams, b"0-0") | dict(given)
                    assert latest == consumer.positions
                    continue
                if entry is None:
                    break
                given.append((stream, entry.identifier))

    assert failures == 1
    assert sorted((name, b"%d-0" % number) for name in streams for number in range(1, last + 1)) == sorted(given)
