# Generated from tests/_async/test_consumer_faults.py by scripts/generate.py: edit that file, not this one.
"""
Consumers whose calls are cancelled or interrupted, whose connection breaks, whose server or group goes away.
"""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest

from coredis.sync import RetryPolicy
from coredis._runtime import blocking as rt
from coredis.exceptions import ConnectionError, ConnectionLostError, ProtocolError, StreamConsumerGroupError
from tests._sync.streams import clients_of, servers
from tests.support.blocking import Interrupted, Redis, connect, interrupted_after, sleep, spawn
from tests.support.proxy import FaultProxy
from tests.support.scripted import Close, ScriptedServer, Silence, Step
from tests.support.servers import Server


def identifiers(consumer: Any) -> list[bytes]:
    return [entry.identifier for _, entry in consumer]


def fill(redis: Redis[Any], stream: str, first: int, last: int) -> None:
    for number in range(first, last + 1):
        redis.xadd(stream, {"number": number}, identifier=f"{number}-0")


def expected(first: int, last: int) -> list[bytes]:
    return [b"%d-0" % number for number in range(first, last + 1)]


@pytest.mark.parametrize("mode", ["alone", "group", "noack"])
def test_cancelled_reads_lose_nothing(server: Server, mode: str) -> None:
    """
    120 entries at random moments, read with calls that are cancelled (interrupted) after 50 ms, through a proxy of 2 ms: all of
    them arrive once and in order, on at most three connections.
    """
    total = 120
    with FaultProxy(server.address, latency=0.002) as proxy:
        with connect(server) as producer, connect(proxy) as client:
            if mode == "alone":
                consumer: Any = client.xconsumer(["a"], timeout=5000, a={"identifier": 0})
            else:
                consumer = client.xconsumer(
                    ["a"], group="g", consumer="c", timeout=5000, auto_acknowledge=mode == "noack"
                )
            consumer.__enter__()

            def produce() -> None:
                chance = random.Random(5)
                for number in range(1, total + 1):
                    sleep(chance.uniform(0.02, 0.08))
                    producer.xadd("a", {"number": number}, identifier=f"{number}-0")

            producing = spawn(produce)
            seen: list[bytes] = []
            while len(seen) < total:
                try:
                    _, entry = interrupted_after(0.05, consumer.get_entry)
                except Interrupted:
                    continue
                assert entry is not None, f"nothing for 5 s after {len(seen)} entries"
                seen.append(entry.identifier)
            producing.join()
            consumer.close()

            assert expected(1, total) == seen
            assert proxy.accepted <= 3


def test_a_read_ahead_that_breaks_off_may_have_been_executed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It fails while nobody waits for it. What it may have been given is asked for before new entries all the same.
    """
    start = rt.Channel.start
    reads: list[bytes] = []

    def breaking(channel: Any, payload: bytes, *arguments: Any) -> Any:
        started = start(channel, payload, *arguments)
        if b"XREADGROUP" in payload:
            reads.append(payload)
            if len(reads) == 2:
                channel.close()
                raise ConnectionLostError("broken off", may_have_run=True)
        return started

    monkeypatch.setattr(rt.Channel, "start", breaking)
    with connect(server) as client:
        consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=3, prefetch=True, timeout=500)
        fill(client, "a", 1, 9)

        assert expected(1, 9) == [(consumer.get_entry())[1].identifier for _ in range(9)]
        assert b">" in reads[1]
        assert b">" not in reads[2]
        assert 1 == consumer.statistics.recovered
        consumer.close()


def test_a_lost_reply_is_recovered(server: Server, proxy: FaultProxy) -> None:
    """
    A reply of XREADGROUP that is lost with its connection: its entries come before new ones, once and in order.
    """
    with connect(proxy) as client:
        consumer = client.xconsumer(["a", "b"], group="g", consumer="c", buffer_size=2)
        for stream in ("a", "b"):
            fill(client, stream, 1, 9)
        seen = [(consumer.get_entry())[1] for _ in range(6)]
        proxy.swallow(command="XREADGROUP")
        entries = [entry for _, entry in consumer]

        given = [entry.identifier for entry in [*seen, *entries] if entry is not None]
        assert sorted([*expected(1, 9), *expected(1, 9)]) == sorted(given)
        assert 1 == consumer.statistics.reconnects == consumer.statistics.recovered
        assert 0 == consumer.statistics.possibly_lost


def test_a_lost_first_reply_is_recovered(server: Server, proxy: FaultProxy) -> None:
    """
    The very first reply is lost: what was pending before this session is not given, what was in the reply is.
    """
    with connect(proxy) as client:
        fill(client, "a", 1, 3)
        assert expected(1, 3) == identifiers(client.xconsumer(["a"], group="g", consumer="c"))
        fill(client, "a", 4, 8)
        consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9)
        with consumer:
            proxy.swallow(command="XREADGROUP")

            assert expected(4, 8) == identifiers(consumer)


def test_a_lost_reply_without_acknowledgement_is_counted(proxy: FaultProxy) -> None:
    """
    With ``auto_acknowledge`` a lost reply cannot be had again: it is counted, and reading goes on.
    """
    with connect(proxy) as client:
        fill(client, "a", 1, 4)
        consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=1, auto_acknowledge=True)
        with consumer:
            proxy.swallow(command="XREADGROUP")

            assert expected(3, 4) == identifiers(consumer)
            assert 1 == consumer.statistics.possibly_lost


def test_a_reply_cut_anywhere(proxy: FaultProxy) -> None:
    """
    A connection that breaks in the middle of a reply, wherever: nothing is lost and nothing is given twice.
    """
    with connect(proxy) as client:
        for cut in (1, 5, 17, 40, 80, 120):
            client.flushall()
            fill(client, "a", 1, 6)
            consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=2)
            with consumer:
                proxy.cut_after(cut, command="XREADGROUP")

                assert expected(1, 6) == identifiers(consumer)


def test_alone_goes_on_where_it_was(proxy: FaultProxy) -> None:
    """
    A consumer without a group reads again from its position after a lost reply.
    """
    with connect(proxy) as client:
        fill(client, "a", 1, 6)
        consumer = client.xconsumer(["a"], buffer_size=1, a={"identifier": 0})
        with consumer:
            assert expected(1, 2) == [(consumer.get_entry())[1].identifier for _ in range(2)]  # type: ignore[union-attr]
            proxy.swallow(command="XREAD")

            assert expected(3, 6) == identifiers(consumer)


def test_killed_connections_are_not_noticed(server: Server, client: Redis[Any]) -> None:
    """
    CLIENT KILL while waiting: the consumer reconnects and the wait goes on.
    """
    consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=4000)
    consumer.add_stream("b")
    reading = spawn(consumer.get_entry)
    for _ in range(3):
        killed = 0
        while not killed:
            for each in servers(client):
                for who in each.client_list():
                    if who["cmd"] == "xreadgroup" and "b" in str(who["flags"]):
                        killed += each.client_kill(identifier=int(who["id"]))
        sleep(0.05)
    fill(client, "a", 1, 1)

    _, entry = reading.join()
    assert entry is not None
    assert b"1-0" == entry.identifier
    assert consumer.statistics.reconnects >= 1
    consumer.close()


def test_a_dead_peer_is_noticed(server: Server, proxy: FaultProxy) -> None:
    """
    A connection that carries nothing any more is given up after slice and grace, and the entries taken by its phantom are read.
    """
    with connect(proxy, stream_timeout=0.5) as client, connect(server) as producer:
        consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=10000, block_slice=200)
        with consumer:
            fill(producer, "a", 1, 1)
            assert (consumer.get_entry())[1] is not None
            reading = spawn(consumer.get_entry)
            sleep(0.1)
            proxy.blackhole()
            fill(producer, "a", 2, 2)
            sleep(0.3)
            proxy.heal()

            _, entry = reading.join()
            assert entry is not None
            assert b"2-0" == entry.identifier


def test_server_restart(start_server: Any) -> None:
    """
    A server that dies and comes back with its data: reading goes on with no action of the application.
    """
    server = start_server(appendonly="yes", appendfsync="always")
    with connect(server, retry_policy=RetryPolicy(retries=20, max_delay=0.2)) as client:
        consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=8000)
        with consumer:
            fill(client, "a", 1, 1)
            assert (consumer.get_entry())[1] is not None
            reading = spawn(consumer.get_entry)
            sleep(0.1)
            server.kill()
            server.restart()
            with connect(server) as producer:
                fill(producer, "a", 2, 2)

            _, entry = reading.join()
            assert entry is not None
            assert b"2-0" == entry.identifier


def test_server_gone(start_server: Any) -> None:
    """
    A server that stays away is an error when the time is up; the consumer can be used again later.
    """
    server = start_server()
    with connect(server) as client:
        consumer = client.xconsumer(["a"], timeout=300)
        consumer.get_entry()
        server.kill()

        with pytest.raises(ConnectionError):
            consumer.get_entry()
        server.restart()
        with connect(server) as producer:
            fill(producer, "a", 1, 1)

        _, entry = consumer.get_entry()
        assert entry is not None


def test_all_of_the_time_is_used(start_server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """
    Who waits for so long has the server tried until then, however long the next pause would be; and it is told why, once.
    """
    server = start_server()
    with connect(server) as client:
        consumer = client.xconsumer(["a"], timeout=900)
        consumer.get_entry()
        server.kill()
        began = rt.now()

        with caplog.at_level(logging.INFO, "coredis.streams"), pytest.raises(ConnectionError):
            consumer.get_entry()

        assert rt.now() - began >= 0.9
        (told,) = [record.getMessage() for record in caplog.records if "interrupted" in record.getMessage()]
        assert str(server.port) in told


@pytest.mark.parametrize(("timeout", "most"), [(None, 2), (100, 1)])
def test_a_server_that_accepts_and_says_nothing(timeout: int | None, most: int) -> None:
    """
    Who does not wait for entries is not kept for longer than for a command, and who waits not when the time is up, but for the
    try that is under way.
    """
    with ScriptedServer(lambda command: Silence(), handshake_in_script=True) as deaf:
        with Redis(deaf.host, deaf.port, connect_timeout=0.3, stream_timeout=0.5) as client:
            with pytest.raises(ConnectionError):
                client.xconsumer(["a"], a={"identifier": 0}, timeout=timeout).get_entry()

        assert 1 <= deaf.accepted <= most


def test_a_second_try_has_no_more_time_than_the_call() -> None:
    """
    The first connection is closed, and the next one is never answered: ``connect_timeout`` is for the first try of a call.
    """
    answers: list[bytes] = []

    def script(command: list[bytes]) -> Step:
        answers.append(command[0])
        return Close() if len(answers) == 1 else Silence()

    with ScriptedServer(script, handshake_in_script=True) as server:
        with Redis(server.host, server.port, connect_timeout=60) as client:
            began = rt.now()
            with pytest.raises(ConnectionError):
                client.xconsumer(["a"], a={"identifier": 0}, timeout=300).get_entry()

        assert rt.now() - began < 30
        assert 2 <= server.accepted


@pytest.mark.parametrize("timeout", [None, 200])
def test_server_never_there(start_server: Any, timeout: int | None) -> None:
    """
    A server that cannot be reached from the start is an error, soon, with and without a group.
    """
    server = start_server()
    server.kill()
    with connect(server) as client:
        with pytest.raises(ConnectionError):
            client.xconsumer(["a"], timeout=timeout, a={"identifier": 0}).get_entry()
        with pytest.raises(ConnectionError):
            client.xconsumer(["a"], group="g", consumer="c", timeout=timeout).get_entry()


def test_a_demoted_server(start_server: Any) -> None:
    """
    A server that becomes a replica while a member waits, and a primary again: the wait goes on.
    """
    server = start_server()
    with connect(server) as client:
        consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=8000)
        with consumer:
            fill(client, "a", 1, 1)
            assert (consumer.get_entry())[1] is not None
            reading = spawn(consumer.get_entry)
            sleep(0.1)
            client.replicaof("127.0.0.1", 1)
            sleep(0.2)
            client.replicaof()
            fill(client, "a", 2, 2)

            _, entry = reading.join()
            assert entry is not None
            assert b"2-0" == entry.identifier


@pytest.mark.parametrize("event", ["delete", "flush", "destroy", "rename"])
def test_a_vanished_group_is_made_again(client: Redis[Any], event: str) -> None:
    """
    The stream or its group goes away while the consumer waits: the group is made again and reading goes on, counted.
    """
    fill(client, "a", 1, 3)
    consumer = client.xconsumer(["a"], group="g", consumer="c", timeout=4000)
    for _ in range(3):
        _, entry = consumer.get_entry()
        assert entry is not None
    reading = spawn(consumer.get_entry)
    sleep(0.1)
    if event == "delete":
        client.delete(["a"])
    elif event == "flush":
        client.flushall()
    elif event == "destroy":
        client.xgroup_destroy("a", "g")
    else:
        client.rename("a", "{a}b")
    sleep(0.2)
    client.xadd("a", {"number": 9}, identifier="9-0")

    _, entry = reading.join()
    assert entry is not None
    assert b"9-0" == entry.identifier
    assert 1 == consumer.statistics.groups_recreated
    consumer.close()


def test_a_stream_made_anew_with_smaller_identifiers(client: Redis[Any]) -> None:
    """
    The stream is deleted and begins again below where the group was: nothing of the new one is skipped.
    """
    fill(client, "a", 100, 101)
    consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=9)
    assert expected(100, 101) == identifiers(consumer)
    client.delete(["a"])
    fill(client, "a", 1, 3)

    assert expected(1, 3) == identifiers(consumer)


def test_a_vanished_group_without_auto_create(client: Redis[Any]) -> None:
    """
    Without ``auto_create`` a vanished group is an error, once for each call.
    """
    client.xgroup_create("a", "g", "0", mkstream=True)
    consumer = client.xconsumer(["a"], group="g", consumer="c", auto_create=False)
    consumer.get_entry()
    client.xgroup_destroy("a", "g")

    with pytest.raises(StreamConsumerGroupError):
        consumer.get_entry()


def test_closing_the_client_closes_its_consumers(server: Server) -> None:
    """
    A consumer that was never entered leaves nothing open when its client is closed.
    """
    client = connect(server)
    consumer = client.xconsumer(["a"], timeout=20)
    consumer.get_entry()

    client.close()


def test_a_dropped_consumer_leaves_nothing(client: Redis[Any]) -> None:
    """
    A consumer that is neither entered nor closed is cleaned up with itself.
    """
    consumer = client.xconsumer(["a"])
    consumer.get_entry()

    del consumer
    left: list[Any] = [1]
    for _ in range(100):
        left = [who for who in clients_of(client) if who["cmd"] == "xread"]
        if not left:
            break
        sleep(0.01)
    assert [] == left


def test_only_the_vanished_group_begins_again(proxy: FaultProxy) -> None:
    """
    One of two streams vanishes in the middle of a backlog: the other goes on where it was, nothing twice and nothing left.
    """
    with connect(proxy) as client:
        for stream in ("a", "b"):
            fill(client, stream, 1, 10)
        first = client.xconsumer(["a", "b"], group="g", consumer="c", buffer_size=20)
        assert 20 == len(identifiers(first))
        consumer = client.xconsumer(["a", "b"], group="g", consumer="c", start_from_backlog=True, buffer_size=1)
        seen = [(consumer.get_entry()) for _ in range(6)]
        client.delete(["b"])
        fill(client, "a", 11, 12)
        fill(client, "b", 21, 22)
        proxy.reset_all()

        seen += [item for item in consumer]
        given = [entry.identifier for stream, entry in seen if stream == b"a" and entry is not None]
        assert expected(1, 12) == given
        assert (
            expected(21, 22)
            == [entry.identifier for stream, entry in seen if stream == b"b" and entry is not None][-2:]
        )
        assert 1 == consumer.statistics.groups_recreated


def test_closing_the_client_ends_a_waiting_read(server: Server) -> None:
    """
    A consumer that waits while its client is closed gets an error, and nothing stays open.
    """
    client = connect(server)
    consumer = client.xconsumer(["a"], timeout=20_000)
    consumer.add_stream("b")
    reading = spawn(consumer.get_entry)
    sleep(0.2)

    client.close()

    with pytest.raises(ConnectionError):
        reading.join()


@pytest.mark.parametrize("decode", [False, True])
def test_other_encodings(server: Server, decode: bool) -> None:
    """
    Names beyond ASCII in another encoding: the group is found, and its backlog read.
    """
    with connect(server, encoding="latin-1", decode_responses=decode) as client:
        fill(client, "f\u00fcr", 1, 2)
        consumer = client.xconsumer(["f\u00fcr"], group="gr\u00fcn", consumer="\u00e9", buffer_size=3)
        assert 2 == len(identifiers(consumer))

        again = client.xconsumer(
            ["f\u00fcr"], group="gr\u00fcn", consumer="\u00e9", start_from_backlog=True, auto_create=False
        )

        assert 2 == len(identifiers(again))


def test_a_reply_that_makes_no_sense(client: Redis[Any]) -> None:
    """
    A well-formed reply of the wrong shape is an error of the protocol, given after a few attempts, and not for ever after.
    """
    with ScriptedServer(lambda command: b"*1\r\n:5\r\n") as server:
        with connect(server, retry_policy=RetryPolicy(retries=1)) as stranger:
            consumer = stranger.xconsumer(["a"], a={"identifier": 0})

            with pytest.raises(ProtocolError):
                consumer.get_entry()


UNREADABLE = {
    "a stream that was not asked for": b"*1\r\n*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$6\r\ncanary\r\n",
    "a field without a value": b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*1\r\n$6\r\ncanary\r\n",
    "no identifier": b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$6\r\ncanary\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n",
    "a map in the place of an entry": b"%1\r\n$1\r\na\r\n*1\r\n%1\r\n$6\r\ncanary\r\n:1\r\n",
    "a map in the place of entries": b"%1\r\n$1\r\na\r\n%1\r\n$6\r\ncanary\r\n:1\r\n",
    "idle for ever": b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*4\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$6\r\ncanary\r\n,inf\r\n:1\r\n",
    "an identifier of more than 64 bits": b"*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$22\r\n99999999999999999999-0\r\n"
    b"*2\r\n$1\r\nf\r\n$6\r\ncanary\r\n",
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_handed_over_where_it_is_nowhere_else(reply: bytes) -> None:
    """
    With ``auto_acknowledge`` the server is done with the entries, so the error has them; its message does not. What comes
    after is read as ever.
    """
    good = UNREADABLE["a field without a value"].replace(b"*1\r\n$6\r\ncanary\r\n", b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n")
    answers = [reply, good]

    def answer(command: list[bytes]) -> bytes:
        return (
            answers.pop(0)
            if command[0] == b"XREADGROUP"
            else b"*0\r\n"
            if command[0] in (b"XINFO", b"XPENDING")
            else b"+OK\r\n"
        )

    with ScriptedServer(answer) as server:
        with connect(server) as client:
            consumer = client.xconsumer(["a"], group="g", consumer="c", auto_acknowledge=True, timeout=5000)
            with pytest.raises(ProtocolError) as caught:
                consumer.get_entry()
            _, entry = consumer.get_entry()

    assert "canary" in repr(caught.value.replies)
    assert "canary" not in str(caught.value)
    assert {b"f": b"v"} == entry.field_values
    assert 1 == consumer.statistics.possibly_lost


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize(
    "options", [{"a": {"identifier": 0}}, {"group": "g", "consumer": "c"}], ids=["alone", "in a group"]
)
def test_what_cannot_be_read_and_is_still_there(reply: bytes, options: dict[str, Any]) -> None:
    """
    The error has nothing that the server does not have.
    """

    def answer(command: list[bytes]) -> bytes:
        return reply if b"XREAD" in command[0] else b"*0\r\n" if command[0] in (b"XINFO", b"XPENDING") else b"+OK\r\n"

    with ScriptedServer(answer) as server:
        with connect(server, retry_policy=RetryPolicy(retries=1, base_delay=0.001)) as client:
            consumer = client.xconsumer(["a"], **options)
            with pytest.raises(ProtocolError) as caught:
                consumer.get_entry()

    assert caught.value.replies is None
    assert "canary" not in str(caught.value)


def test_a_blocking_command_has_its_own_time(server: Server) -> None:
    """
    Waiting for a connection, or losing one, takes nothing from the time a blocking command may take.
    """
    with connect(server, stream_timeout=0.3, max_connections=2) as client:
        client.ping()
        first = spawn(lambda: client.blpop(["a"], timeout=1))
        sleep(0.2)

        assert client.xread({"s": "0-0"}, block=1500) is None
        assert first.join() is None


def test_a_reply_that_is_there_is_not_late(server: Server) -> None:
    """
    A process that was stopped for a while finds the reply and the time of it over: the reply counts, even when something else
    ended the waiting first.
    """
    with connect(server) as client:
        fill(client, "a", 1, 1)
        with client.xconsumer(["a"], group="g", consumer="c", timeout=10_000, prefetch=True) as consumer:
            consumer.get_entry()
            fill(client, "a", 2, 2)
            sleep(0.05)
            (reader,) = consumer._readers.values()
            reader.deadline = 0.0
            consumer._alarm.ring()

            _, entry = consumer.get_entry()

        assert b"2-0" == entry.identifier
        assert (0, 0) == (consumer.statistics.reconnects, consumer.statistics.recovered)
