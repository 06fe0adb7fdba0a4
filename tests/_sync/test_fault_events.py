# Generated from tests/_async/test_fault_events.py by scripts/generate.py: edit that file, not this one.
"""
What a server can do to a read that waits: what is got over without a word, and what is told, once and as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from coredis.exceptions import (
    AuthenticationFailureError,
    AuthorizationError,
    OutOfMemoryError,
    RedisError,
    ReplicationError,
    RequestTimeoutError,
    StreamConsumerGroupError,
    WrongTypeError,
)
from tests._sync.faulting import calls, expected, fill, identifiers, reader
from tests._sync.waiting import until
from tests.support.blocking import Redis, connect, sleep, spawn
from tests.support.servers import Server

#: What is done while a read waits; ``{id}`` is the number of its connection.
PASSING: dict[str, Iterable[str]] = {
    "DEL": ["DEL a"],
    "UNLINK": ["UNLINK a"],
    "RENAME": ["RENAME a b"],
    "FLUSHALL": ["FLUSHALL"],
    "XGROUP DESTROY": ["XGROUP DESTROY a g"],
    "another key": ["SET c 1", "RENAME c d"],
    "UNBLOCK": ["CLIENT UNBLOCK {id} TIMEOUT"],
    "UNBLOCK ERROR": ["CLIENT UNBLOCK {id} ERROR"],
    "KILL": ["CLIENT KILL ID {id}"],
    "REPLICAOF": ["REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"],
}
VANISHING = ("DEL", "UNLINK", "RENAME", "FLUSHALL", "XGROUP DESTROY")


def run(server: Server, *commands: str) -> None:
    for command in commands:
        server.command(*command.split(" "))


def consumer_of(client: Redis[Any], mode: str, **options: Any) -> Any:
    options = {"timeout": 20_000, **options}
    if mode == "alone":
        return client.xconsumer(["a"], a={"identifier": 0}, **options)
    return client.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=mode == "noack", **options)


def raised_by(function: Any, kind: type[RedisError]) -> RedisError:
    with pytest.raises(kind) as caught:
        function()
    return caught.value


@pytest.mark.parametrize("mode", ["alone", "group", "noack"])
def test_what_is_got_over(server: Server, client: Redis[Any], mode: str) -> None:
    """
    Each event strikes a read that waits, and then an entry is added: it is given, once, and nothing is told.
    """
    consumer = consumer_of(client, mode)
    with consumer:
        for number, (event, commands) in enumerate(PASSING.items(), 1):
            reading = spawn(consumer.get_entry)
            waiting = reader(server)
            run(server, *[command.format(id=waiting) for command in commands])
            reader(server)
            assert not reading.done, event
            fill(client, "a", number, number)

            _, entry = reading.join()
            assert entry is not None, event
            assert b"%d-0" % number == entry.identifier, event
            if mode == "group":
                assert 1 == consumer.ack("a", entry), event

        statistics = consumer.statistics
        assert len(PASSING) == statistics.delivered
        # Killed; demoted, where that is an error; and as often as the server is still found to be a replica after that.
        assert 1 <= statistics.reconnects <= 5
        if mode != "alone":
            assert len(VANISHING) == statistics.groups_recreated
        if mode == "noack":
            assert 1 == statistics.possibly_lost  # killed; what was demoted had answered
        else:
            assert 0 == statistics.possibly_lost


@pytest.mark.parametrize("mode", ["alone", "group"])
def test_something_else_in_its_place(server: Server, client: Redis[Any], mode: str) -> None:
    """
    A key of another type where the stream was is told once in each call; when a stream is there again, it is read.
    """
    consumer = consumer_of(client, mode, block_slice=50)
    with consumer:
        fill(client, "a", 1, 1)
        consumer.get_entry()
        reading = spawn(consumer.get_entry)
        reader(server)
        run(server, "CONFIG RESETSTAT", "SET a text")

        raised_by(reading.join, WrongTypeError)
        assert calls(server, "xread" if mode == "alone" else "xreadgroup") <= 4
        raised_by(consumer.get_entry, WrongTypeError)
        run(server, "DEL a")
        fill(client, "a", 2, 3)

        assert b"2-0" == (consumer.get_entry())[1].identifier
        assert b"3-0" == (consumer.get_entry())[1].identifier


def test_a_group_that_is_not_made_again(server: Server, client: Redis[Any]) -> None:
    """
    With ``recover_group="raise"`` a group that vanishes is told once; the next call makes it again and goes on.
    """
    consumer = consumer_of(client, "group", recover_group="raise")
    with consumer:
        for number, event in enumerate(VANISHING, 1):
            reading = spawn(consumer.get_entry)
            reader(server)
            run(server, *PASSING[event])
            raised_by(reading.join, StreamConsumerGroupError)
            fill(client, "a", number, number)

            assert b"%d-0" % number == (consumer.get_entry())[1].identifier, event
        assert len(VANISHING) == consumer.statistics.groups_recreated


@pytest.mark.parametrize("mode", ["alone", "group", "noack"])
def test_a_right_that_is_taken_away(server: Server, client: Redis[Any], mode: str) -> None:
    """
    A reader that may read no more is told so, once in each call and on its old connection; what came meanwhile is read
    when it may again, once.
    """
    run(server, "ACL SETUSER ann on >secret ~* +@all")
    with connect(server, username="ann", password="secret") as ann:
        consumer = consumer_of(ann, mode)
        with consumer:
            reading = spawn(consumer.get_entry)
            reader(server)
            run(server, "CONFIG RESETSTAT", "ACL SETUSER ann -xreadgroup -xread")
            fill(client, "a", 1, 1)
            seen = []
            try:
                seen.append((reading.join())[1].identifier)  # an older server checks only what is sent
            except AuthorizationError:
                pass
            assert isinstance(raised_by(consumer.get_entry, AuthorizationError), AuthorizationError)
            assert calls(server, "xread" if mode == "alone" else "xreadgroup") <= 4
            assert b"PONG" == ann.ping()
            fill(client, "a", 2, 2)
            run(server, "ACL SETUSER ann +xreadgroup +xread")

            while len(seen) < 2:
                seen.append((consumer.get_entry())[1].identifier)
            assert expected(1, 2) == seen
            assert 0 == consumer.statistics.reconnects


@pytest.mark.parametrize("mode", ["alone", "group"])
def test_a_user_who_is_deleted(server: Server, client: Redis[Any], mode: str) -> None:
    """
    A deleted user loses the connection and is told that the password is refused, after one attempt; made anew, it goes on.
    """
    run(server, "ACL SETUSER ann on >secret ~* +@all")
    with connect(server, username="ann", password="secret") as ann:
        consumer = consumer_of(ann, mode)
        with consumer:
            reading = spawn(consumer.get_entry)
            reader(server)
            run(server, "CONFIG RESETSTAT", "ACL DELUSER ann")
            fill(client, "a", 1, 1)

            raised_by(reading.join, AuthenticationFailureError)
            assert calls(server, "hello") + calls(server, "auth") <= 5
            run(server, "ACL SETUSER ann on >secret ~* +@all")

            assert b"1-0" == (consumer.get_entry())[1].identifier


def test_no_memory(server: Server, client: Redis[Any]) -> None:
    """
    A server without memory refuses new entries, at once and as such; what is there is read and acknowledged, and a group
    that vanishes meanwhile is made again when there is memory.
    """
    fill(client, "a", 1, 3)
    consumer = consumer_of(client, "group", buffer_size=1)
    with consumer:
        consumer.get_entry()
        run(server, "CONFIG RESETSTAT", "CONFIG SET maxmemory 1")

        raised_by(lambda: client.xadd("a", {"number": 4}), OutOfMemoryError)
        assert 1 == calls(server, "xadd")
        assert b"2-0" == (consumer.get_entry())[1].identifier
        assert b"3-0" == (consumer.get_entry())[1].identifier
        assert 3 == consumer.ack("a", "1-0", "2-0", "3-0")

        reading = spawn(consumer.get_entry)
        reader(server)
        run(server, "XGROUP DESTROY a g")
        until(lambda: calls(server, "xgroup|create") >= 2)
        assert not reading.done
        run(server, "CONFIG SET maxmemory 0")
        fill(client, "a", 4, 4)

        assert b"4-0" == (reading.join())[1].identifier
        assert 1 == consumer.statistics.groups_recreated


def test_too_few_replicas(server: Server, client: Redis[Any]) -> None:
    """
    A server that lacks replicas takes no writes, to which reads in a group and acknowledgements belong: they are tried
    again with growing pauses until it has them.
    """
    fill(client, "a", 1, 1)
    with connect(server, stream_timeout=0.2) as impatient, connect(server, stream_timeout=60) as patient:
        consumer = consumer_of(patient, "group", block_slice=50)
        with consumer:
            _, first = consumer.get_entry()
            reading = spawn(consumer.get_entry)
            reader(server)
            run(server, "CONFIG SET min-replicas-to-write 1", "CONFIG RESETSTAT")
            acknowledging = spawn(lambda: consumer.ack("a", first))
            with pytest.raises((ReplicationError, RequestTimeoutError)):  # the latter when time ends during an attempt
                fill(impatient, "a", 9, 9)
            until(lambda: calls(server, "xreadgroup") >= 3 and calls(server, "xack") >= 2)
            assert not (reading.done or acknowledging.done)
            assert calls(server, "xreadgroup") <= 40
            run(server, "CONFIG SET min-replicas-to-write 0")
            fill(client, "a", 2, 2)

            assert b"2-0" == (reading.join())[1].identifier
            assert 1 == acknowledging.join()
            assert 0 == consumer.statistics.reconnects


def test_loading(server: Server, client: Redis[Any]) -> None:
    """
    A server that loads its data refuses everything until it has it; nobody is told.
    """
    with client.pipeline(transaction=False) as pipeline:
        for number in range(2000):
            pipeline.set(f"key{number}", number)
    fill(client, "a", 1, 2)
    consumer = consumer_of(client, "group", block_slice=20)
    with consumer:
        assert expected(1, 2) == [(consumer.get_entry())[1].identifier for _ in range(2)]
        reading = spawn(consumer.get_entry)
        reader(server)
        run(server, "CONFIG SET key-load-delay 100", "CONFIG SET loading-process-events-interval-bytes 1024")
        run(server, "CONFIG RESETSTAT")
        with server.connect() as raw:
            raw.send(b"DEBUG RELOAD\r\n")
            sleep(0.1)
            assert 0 == client.xack("a", "g", ["9-0"])
            assert raw.receive() is not None
        assert b"errorstat_LOADING" in server.command("INFO", "errorstats")  # type: ignore[operator]
        fill(client, "a", 3, 3)

        assert b"3-0" == (reading.join())[1].identifier
        assert 2 == consumer.ack("a", "1-0", "2-0")
        assert [] == identifiers(client.xconsumer(["a"], group="g", consumer="other"))
