# Generated from tests/_async/test_cancellation.py by scripts/generate.py: edit that file, not this one.
"""
Calls that are cancelled, or struck by Ctrl-C: no reply to another call, no connection lost for the pool, no hanging.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coredis.exceptions import ConnectionError
from tests._sync.waiting import until
from tests.conftest import StartServer
from tests.support.blocking import (
    Interrupted,
    Redis,
    connect,
    gather,
    interrupted_after,
    open_resources,
    settle,
    sleep,
    spawn,
)
from tests.support.certificates import Certificates
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

# A socket that is struck before anybody owns it is closed by its finalizer, which says so.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")

LIMIT = 3


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """
    Keep the garbage collector out: Python prints and forgets an exception that strikes while it is at work.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def sweep(client: Redis[bytes], calls: int, longest: float, seed: int) -> tuple[int, int]:
    """
    Make calls and break them off at random moments.

    Returns:
        how many were broken off, and how many had the reply to another one
    """
    chance = random.Random(seed)
    broken = wrong = 0
    for number in range(calls):
        nonce = f"{seed}-{number}"
        try:
            reply = interrupted_after(chance.uniform(0.0, longest), lambda nonce=nonce: client.echo(nonce))
        except Interrupted:
            broken += 1
        else:
            wrong += nonce.encode() != reply
    return broken, wrong


def check_pool(client: Redis[Any]) -> None:
    """
    See that as many connections can be had as the pool may open.
    """

    def occupy() -> Any:
        return client.blpop(["empty"], timeout=0.05)

    assert [None] * LIMIT == gather(*[occupy] * LIMIT)


class TestSweep:
    @pytest.mark.parametrize("longest", [0.0003, 0.002])
    def test_direct(self, server: Server, longest: float) -> None:
        """
        Calls broken off at any moment, connecting included.
        """
        before = open_resources()
        with connect(server, max_connections=LIMIT, pool_timeout=2) as client:
            broken, wrong = sweep(client, 600, longest, seed=1)
            check_pool(client)

        assert 0 == wrong
        assert 0 < broken <= 600
        gc.collect()
        settle(before)

    def test_through_a_slow_network(self, proxy: FaultProxy) -> None:
        """
        The same when replies take longer than callers wait, on few connections.
        """
        proxy.latency(0.002)
        with connect(proxy, max_connections=LIMIT, pool_timeout=2) as client:
            broken, wrong = sweep(client, 80, 0.04, seed=2)
            assert b"end" == client.echo("end")
            check_pool(client)
            assert len(proxy.live) <= LIMIT

        assert 0 == wrong
        assert 0 < broken < 80

    def test_beside_others(self, server: Server) -> None:
        """
        Callers who are not broken off notice nothing.
        """
        over = False

        def others(name: str) -> int:
            number = 0
            while not over:
                nonce = f"{name}-{number}"
                assert nonce.encode() == client.echo(nonce)
                number += 1
                sleep(0)
            return number

        with connect(server, max_connections=8) as client:
            running = [spawn(lambda name=name: others(name)) for name in ("a", "b", "c")]
            try:
                _, wrong = sweep(client, 300, 0.002, seed=3)
            finally:
                over = True
            counts = [handle.join() for handle in running]

        assert 0 == wrong
        assert all(counts)

    def test_over_tls(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        Encrypted connections can be interrupted with data in their hands.
        """
        server = start_tls_server()
        before = open_resources()
        with Redis(
            server.host,
            server.tls_port,
            ssl=True,
            ssl_ca_certs=certificates.authority,
            max_connections=LIMIT,
            pool_timeout=2,
        ) as client:
            client.ping()
            # In the longer time a connection comes about, in the shorter a reply is often late.
            patient = sweep(client, 300, 0.002, seed=4)
            broken, wrong = map(sum, zip(patient, sweep(client, 100, 0.0005, seed=5), strict=True))
            check_pool(client)

        assert 0 == wrong
        assert broken
        gc.collect()
        settle(before)

    def test_while_connecting(self, server: Server) -> None:
        """
        A connect that is broken off leaves nothing behind, wherever it was.
        """
        before = open_resources()
        chance = random.Random(5)
        broken = 0
        for _ in range(100):
            client = connect(server, db=1, client_name="me", max_connections=1, pool_timeout=1)
            try:
                interrupted_after(chance.uniform(0.0, 0.0015), client.ping)
            except Interrupted:
                broken += 1
            assert b"PONG" == client.ping()
            client.close()

        assert broken
        gc.collect()
        settle(before)


CALLS: dict[str, Callable[[Redis[bytes]], Any]] = {
    "ordinary": lambda client: client.get("k"),
    "blocking": lambda client: client.blpop(["empty"], timeout=30),
    "for ever": lambda client: client.xread({"empty": "$"}, block=0),
    "transaction": lambda client: transaction(client),
    "watching": lambda client: watching(client),
}


def transaction(client: Redis[bytes]) -> None:
    with client.pipeline(transaction=True) as pipe:
        pipe.get("k")


def watching(client: Redis[bytes]) -> None:
    with client.pipeline() as pipe, pipe.watch("k"):
        pipe.get("k")


class TestEveryKindOfCall:
    @pytest.mark.parametrize("name", CALLS)
    def test_silent_server(self, proxy: FaultProxy, name: str) -> None:
        """
        A call to a server that says nothing ends at once when it is broken off, and its place in the pool is free again.
        """
        with connect(proxy, max_connections=1, pool_timeout=1) as client:
            client.ping()
            proxy.pause("to_client")
            for _ in range(3):
                with pytest.raises(Interrupted):
                    interrupted_after(0.01, lambda: CALLS[name](client))
            proxy.resume()
            assert b"PONG" == client.ping()
            assert None is client.blpop(["empty"], timeout=0.01)
        until(lambda: not proxy.live)

    def test_blocked_reads(self, server: Server) -> None:
        """
        A blocking read that is broken off takes nothing more from the server.
        """
        with connect(server, max_connections=LIMIT) as client:
            for _ in range(5):
                with pytest.raises(Interrupted):
                    interrupted_after(0.01, lambda: client.blpop(["list"], timeout=30))
            for _ in range(1000):
                if not (client.info("clients"))["blocked_clients"]:
                    break
            client.rpush("list", ["a", "b"])
            assert 2 == client.llen("list")
            check_pool(client)

    def test_partial_write(self, proxy: FaultProxy) -> None:
        """
        A command that was sent in part is never followed by another on the same connection.
        """
        with connect(proxy, max_connections=LIMIT, stream_timeout=20) as client:
            client.ping()
            proxy.pause("to_server")
            with pytest.raises(Interrupted):
                interrupted_after(0.05, lambda: client.set("k", b"x" * 8_000_000))
            proxy.resume()
            for number in range(20):
                try:
                    assert str(number).encode() == client.echo(str(number))
                except ConnectionError:
                    raise AssertionError("the next call failed too") from None
            assert client.get("k") in (None, b"x" * 8_000_000)


class TestConsumer:
    def test_everything_at_once(self, server: Server) -> None:
        """
        Reading, acknowledging and asking for an echo, broken off a thousand times at any moment: each entry is given once
        and in order, each can be acknowledged in the end, and no echo is another one's.
        """
        chance = random.Random(6)
        total, wrong, broken = 200, 0, 0
        seen: list[bytes] = []
        with connect(server, max_connections=LIMIT, pool_timeout=2) as client, connect(server) as producer:
            consumer = client.xconsumer(["a"], group="g", consumer="c", buffer_size=2, timeout=20)
            consumer.get_entry()
            for number in range(1000):
                if number % 5 == 0:
                    producer.xadd("a", {"number": number}, identifier=f"{number // 5 + 1}-0")
                try:
                    match chance.randrange(3):
                        case 0:
                            _, entry = interrupted_after(chance.uniform(0.0, 0.002), consumer.get_entry)
                            seen += [] if entry is None else [entry.identifier]
                        case 1:
                            nonce = f"{number}"
                            echo = interrupted_after(
                                chance.uniform(0.0, 0.001), lambda nonce=nonce: client.echo(nonce)
                            )
                            wrong += nonce.encode() != echo
                        case _:
                            interrupted_after(
                                chance.uniform(0.0, 0.001), lambda recent=seen[-9:]: consumer.ack("a", *recent)
                            )
                except Interrupted:
                    broken += 1
                if number % 100 == 0:
                    assert len(producer.client_list()) <= LIMIT + 3
            seen += [entry.identifier for _, entry in consumer]
            consumer.ack("a", *seen)
            consumer.close()

            assert [b"%d-0" % number for number in range(1, total + 1)] == seen
            assert 0 == (producer.xpending("a", "g")).pending
            assert 0 == wrong
            assert broken > 100
            check_pool(client)
