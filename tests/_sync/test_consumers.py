# Generated from tests/_async/test_consumers.py by scripts/generate.py: edit that file, not this one.
"""
A consumer on its own: where it begins, what it gives, when it ends, what it refuses.
"""

from __future__ import annotations

from typing import Any

import pytest

from coredis._sync.patterns import engine, leaving
from coredis.exceptions import CommandSyntaxError, WrongTypeError
from tests._sync.streams import calls, servers
from tests.support.blocking import Consumer, GroupConsumer, Redis, connect, gather, sleep, spawn, text
from tests.support.servers import Server


def fill(redis: Redis[Any], stream: str, first: int, last: int) -> None:
    """
    Add entries 1-0, 2-0, ... with their number as the only field.
    """
    for number in range(first, last + 1):
        redis.xadd(stream, {"number": number}, identifier=f"{number}-0")


def drain(consumer: Consumer[Any]) -> list[tuple[str, str]]:
    """
    Iterate to the end; give streams and identifiers as text.
    """
    return [(as_text(stream), as_text(entry.identifier)) for stream, entry in consumer]


def as_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_begins_after_the_last_entry(redis: Redis[Any]) -> None:
    """
    Entries added before the first read are not given, later ones are.
    """
    fill(redis, "a", 1, 3)
    consumer = redis.xconsumer(["a"])

    assert consumer.get_entry() == (None, None)
    fill(redis, "a", 4, 5)

    assert [("a", "4-0"), ("a", "5-0")] == drain(consumer)


BEGINNING = {"parameters": {"a": {"identifier": "0-0"}, "b": {"identifier": "0-0"}}}


@pytest.mark.parametrize(
    "kind", [BEGINNING, {"group": "g", "consumer": "c"}, {"group": "g", "consumer": "c", "ack_buffer": 9}]
)
@pytest.mark.parametrize("timeout", [0, 500])
def test_reading_on_goes_straight(
    redis: Redis[Any], kind: dict[str, Any], timeout: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    After the first read, with nothing else to see to, the next one is sent and its reply is taken, and no more.
    """
    consumer = redis.xconsumer(["a", "b"], buffer_size=2, timeout=timeout, **kind)
    fill(redis, "a", 1, 7)
    fill(redis, "b", 1, 1)
    found = [consumer.get_entry()]

    def prepare() -> None:
        raise AssertionError("a detour")

    monkeypatch.setattr(consumer, "_prepare", prepare)
    for _ in range(7):
        if "group" in kind:
            consumer.ack(*found[-1])
        found.append(consumer.get_entry())

    order = [f"{as_text(stream)}{as_text(entry.identifier)}" for stream, entry in found]
    assert ["a1-0", "b1-0", "a2-0", "a3-0", "a4-0", "a5-0", "a6-0", "a7-0"] == order
    consumer.close()


@pytest.mark.parametrize("most", [1, 2, 5])
def test_reading_on_with_little_room(redis: Redis[Any], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Though fewer may be fetched than the buffer is for: fewer are asked for, and there is no more to see to.
    """
    consumer = redis.xconsumer(["a"], group="g", consumer="c", buffer_size=9, max_unacked=most)
    fill(redis, "a", 1, 7)
    stream, entry = consumer.get_entry()
    found = [entry]

    def prepare() -> None:
        raise AssertionError("a detour")

    monkeypatch.setattr(consumer, "_prepare", prepare)
    for _ in range(6):
        consumer.ack(stream, entry)
        stream, entry = consumer.get_entry()
        found.append(entry)

    assert [f"{number}-0" for number in range(1, 8)] == [as_text(each.identifier) for each in found]
    consumer.close()


def test_begins_at_the_beginning_of_an_absent_stream(redis: Redis[Any]) -> None:
    """
    A stream that does not exist yet is read from its first entry.
    """
    with redis.xconsumer(["a"]) as consumer:
        fill(redis, "a", 1, 2)

        assert [("a", "1-0"), ("a", "2-0")] == drain(consumer)


def test_entries_have_the_type_of_the_client(redis: Redis[Any]) -> None:
    """
    Stream, identifier, names and values come raw or decoded, as the client is told.
    """
    redis.xadd("a", {"name": "value"}, identifier="1-0")
    consumer = redis.xconsumer(["a"], a={"identifier": "0-0"})

    stream, entry = consumer.get_entry()

    assert text(redis, "a") == stream
    assert (text(redis, "1-0"), {text(redis, "name"): text(redis, "value")}, None, None) == entry


@pytest.mark.parametrize("identifier", ["0-0", b"0", 0, "1-0", "$"])
def test_identifier_by_keyword(client: Redis[Any], identifier: Any) -> None:
    """
    Each stream can be told where to begin.
    """
    fill(client, "a", 1, 2)
    consumer = client.xconsumer(["a"], a={"identifier": identifier})

    expected = {"$": []}.get(identifier, [("a", "2-0")] if identifier == "1-0" else [("a", "1-0"), ("a", "2-0")])

    assert expected == drain(consumer)


def test_identifier_by_mapping(client: Redis[Any]) -> None:
    """
    Streams whose names are not Python names, or are those of parameters, are told by a mapping.
    """
    for stream in ("orders:eu", "timeout", b"\xff"):
        client.xadd(stream, {"a": 1}, identifier="1-0")
    streams: list[str | bytes] = ["orders:eu", "timeout", b"\xff"]

    consumer = client.xconsumer(streams, parameters={stream: {"identifier": 0} for stream in streams})

    assert {b"orders:eu", b"timeout", b"\xff"} == {stream for stream, _ in consumer}


def test_dollar_is_resolved_once(client: Redis[Any]) -> None:
    """
    What is added between two reads is not skipped by a consumer that began at ``$``.
    """
    fill(client, "a", 1, 1)
    consumer = client.xconsumer(["a"], a={"identifier": "$"})
    drain(consumer)
    fill(client, "a", 2, 2)
    drain(consumer)
    fill(client, "a", 3, 3)

    assert [("a", "3-0")] == drain(consumer)


def test_buffer_size_is_what_is_fetched_beyond_one(client: Redis[Any]) -> None:
    """
    A read asks for ``buffer_size + 1`` entries of each stream, and what is buffered is served before the next read.
    """
    fill(client, "a", 1, 7)
    consumer = client.xconsumer(["a"], buffer_size=2, a={"identifier": 0})
    client.config_resetstat()

    assert 7 == len(drain(consumer))

    assert 4 == calls(client, "xread")  # 3 + 3 + 1 entries, then none


def test_several_streams_share_the_reading(redis: Redis[Any]) -> None:
    """
    A busy stream does not keep the others waiting, and each stream's entries come in order.
    """
    fill(redis, "busy", 1, 50)
    fill(redis, "quiet", 1, 2)
    consumer = redis.xconsumer(["busy", "quiet"], buffer_size=9, busy={"identifier": 0}, quiet={"identifier": 0})

    given = drain(consumer)

    assert {("quiet", "1-0"), ("quiet", "2-0")} <= set(given[:5])
    assert [f"{number}-0" for number in range(1, 51)] == [
        identifier for stream, identifier in given if stream == "busy"
    ]


def test_the_wait_is_the_applications(client: Redis[Any]) -> None:
    """
    ``timeout`` is kept however short the slices are in which the server is asked to wait, and an entry ends the wait.
    """
    consumer = client.xconsumer(["a"], timeout=400, block_slice=50)
    consumer.get_entry()

    def add() -> None:
        sleep(0.2)
        client.xadd("a", {"a": 1})

    adding = spawn(add)
    stream, _ = consumer.get_entry()

    assert b"a" == stream
    adding.join()
    assert (None, None) == consumer.get_entry()


def test_unblocking_does_not_end_the_iteration(client: Redis[Any]) -> None:
    """
    CLIENT UNBLOCK, with and without an error, is not "nothing is there": the wait goes on.
    """
    consumer = client.xconsumer(["a"], timeout=3000)
    consumer.add_stream("b")
    reading = spawn(consumer.get_entry)

    for reason in ("TIMEOUT", "ERROR"):
        unblocked = False
        while not unblocked:
            for server in servers(client):
                for who in server.client_list():
                    if who["cmd"] == "xread" and "b" in str(who["flags"]):
                        unblocked = server.client_unblock(int(who["id"]), reason)
        sleep(0.02)
    fill(client, "a", 1, 1)

    stream, entry = reading.join()
    assert (b"a", b"1-0") == (stream, entry.identifier if entry else None)
    consumer.close()


@pytest.mark.parametrize("timeout", [None, 0, -1])
def test_without_a_timeout_nothing_waits(client: Redis[Any], timeout: int | None) -> None:
    """
    None, 0 and less are alike: the server is asked once and never told to wait.
    """
    consumer = Consumer(client, ["a"], timeout=timeout)

    assert consumer.get_entry() == (None, None)
    assert [] == drain(consumer)


def test_entering_again_begins_afresh(client: Redis[Any]) -> None:
    """
    Leaving the block forgets position and buffer.
    """
    fill(client, "a", 1, 5)
    consumer = client.xconsumer(["a"], buffer_size=10, a={"identifier": "2-0"})
    for _ in range(2):
        with consumer:
            _, entry = consumer.get_entry()
            assert entry is not None
            assert b"3-0" == entry.identifier


def test_add_stream(redis: Redis[Any]) -> None:
    """
    A stream added is read from then on, one that is there already is not added.
    """
    fill(redis, "a", 1, 1)
    fill(redis, "b", 1, 1)
    consumer = redis.xconsumer(["a"], a={"identifier": 0})

    assert consumer.add_stream("b", "0-0")
    assert not consumer.add_stream(b"b")
    assert {"a", "b"} == consumer.streams
    assert {("a", "1-0"), ("b", "1-0")} == set(drain(consumer))


def test_repeated_field_names_are_kept(client: Redis[Any]) -> None:
    """
    A consumer gives every pair of an entry that repeats a name.
    """
    client.xadd("a", [("x", 1), ("x", 2)])
    consumer = client.xconsumer(["a"], a={"identifier": 0})

    _, entry = consumer.get_entry()

    assert entry is not None
    assert ((b"x", b"1"), (b"x", b"2")) == entry.pairs


def test_the_same_stream_as_text_and_bytes_is_one(client: Redis[Any]) -> None:
    """
    Names are compared as they are encoded.
    """
    consumer = client.xconsumer(["a", b"a"], a={"identifier": 0})
    fill(client, "a", 1, 1)

    assert 1 == len(consumer.streams)
    assert [("a", "1-0")] == drain(consumer)


def test_wrong_type(client: Redis[Any]) -> None:
    """
    A key that is no stream is the server's error, given once and not retried.
    """
    client.set("a", 1)

    with pytest.raises(WrongTypeError):
        client.xconsumer(["a"]).get_entry()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"streams": []}, "streams"),
        ({"streams": [1]}, "streams"),
        ({"streams": {"a": "0-0"}}, "parameters="),
        ({"streams": ["a"], "buffer_size": -1}, "buffer_size"),
        ({"streams": ["a"], "buffer_size": True}, "buffer_size"),
        ({"streams": ["a"], "timeout": "1"}, "timeout"),
        ({"streams": ["a"], "block_slice": 0}, "block_slice"),
        ({"streams": ["a"], "a": {"identifier": "x"}}, "a['identifier']"),
        ({"streams": ["a"], "a": {"identifier": ">"}}, "a['identifier']"),
        ({"streams": ["a"], "a": {"identifier": "+"}}, "a['identifier']"),
        ({"streams": ["a"], "a": {"identifer": "0"}}, "a: expected"),
        ({"streams": ["a"], "bufer_size": 5}, "bufer_size"),
        ({"streams": ["a"], "parameters": {"b": {"identifier": "0"}}}, "parameters['b']"),
        ({"streams": ["a"], "group": "g"}, "group"),
        ({"streams": ["a"], "consumer": "c"}, "consumer"),
        ({"streams": ["a"], "group": "g", "consumer": "c", "a": {"identifier": "$"}}, "a['identifier']"),
        ({"streams": ["a"], "group": "g", "consumer": "c", "group_start": ">"}, "group_start"),
        ({"streams": ["a"], "group": 1, "consumer": "c"}, "group"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, Any], named: str) -> None:
    """
    A wrong argument is an error when the consumer is made, naming it.
    """
    with pytest.raises((ValueError, TypeError, CommandSyntaxError)) as raised:
        Redis().xconsumer(**arguments)

    assert named in str(raised.value)


def test_two_readers_of_one_consumer(client: Redis[Any]) -> None:
    """
    A second task or thread that reads while one is waiting gets a clear error; the first one goes on.
    """
    consumer = client.xconsumer(["a"], timeout=2000)
    reading = spawn(consumer.get_entry)
    sleep(0.1)

    with pytest.raises(RuntimeError, match="another task or thread"):
        consumer.get_entry()
    fill(client, "a", 1, 1)

    assert b"a" == (reading.join())[0]


def test_a_consumer_has_its_own_connection(server: Server) -> None:
    """
    While a consumer waits, the client's commands go on, however few connections it may have.
    """
    with connect(server, max_connections=1) as small:
        consumer = small.xconsumer(["a"], timeout=5000)
        reading = spawn(consumer.get_entry)
        gather(*[small.ping] * 3)
        small.xadd("a", {"a": 1})

        assert b"a" == (reading.join())[0]


def test_kinds(client: Redis[Any]) -> None:
    """
    ``xconsumer`` makes the kind of consumer its arguments ask for.
    """
    assert Consumer is type(client.xconsumer(["a"]))
    assert GroupConsumer is type(client.xconsumer(["a"], group="g", consumer="c"))


def test_closing_while_another_task_connects(start_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Closing does not wait for ever; whoever is still connecting then asks for nothing any more, and leaves no connection.
    """
    monkeypatch.setattr(engine, "CLOSING_SECONDS", 0.05)
    monkeypatch.setattr(leaving, "CLOSING_SECONDS", 0.05)
    with connect(start_server()) as redis:
        consumer = redis.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=True, timeout=5000)
        with consumer:
            redis.client_pause(600)
            reading = spawn(consumer.get_entry)
            sleep(0.1)
            consumer.close()
            assert (None, None) == reading.join()
        fill(redis, "a", 1, 1)

        with consumer:
            _, entry = consumer.get_entry()

        assert entry is not None
        assert "1-0" == as_text(entry.identifier)
