"""
Every fault of the proxy does what it says, on real servers.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.proxy import FaultProxy
from tests.support.resources import settle_blocking, snapshot
from tests.support.resp import RawClient, encode_command
from tests.support.servers import Server

# Long enough for what must happen, and how long to watch for what must not.
SOON = 2.0
A_WHILE = 0.05


@pytest.fixture
def through(proxy: FaultProxy) -> Iterator[RawClient]:
    """
    A connection through the proxy, used once already.
    """
    with RawClient(proxy.address, timeout=SOON) as client:
        assert client.command("PING") == b"PONG"
        yield client


def assert_nothing_comes(client: RawClient) -> None:
    client.socket.settimeout(A_WHILE)
    with pytest.raises(TimeoutError):
        client.receive()
    client.socket.settimeout(SOON)


def wait_for_live(proxy: FaultProxy, count: int) -> None:
    deadline = time.monotonic() + SOON
    while len(proxy.live) != count and time.monotonic() < deadline:
        time.sleep(0.001)
    assert count == len(proxy.live)


def client_count(server: Server) -> int:
    clients = server.command("CLIENT", "LIST")
    assert isinstance(clients, bytes)
    return clients.count(b"\n") - 1  # without the one that asks


def test_commands_pass_and_are_recorded(proxy: FaultProxy) -> None:
    """
    The proxy can be looked at while connections come and go.
    """
    with RawClient(proxy.address) as first, RawClient(proxy.address) as second:
        first.command("SET", "k", "v" * 100_000)

        assert b"v" * 100_000 == second.command("GET", "k")
        assert 2 == proxy.accepted
        assert [1, 2] == [connection.number for connection in proxy.live]
    assert [b"SET", b"GET"] == [command[0] for command in proxy.commands]
    wait_for_live(proxy, 0)
    assert encode_command("GET", "k") == proxy.connections[1].received


def test_latency_is_added_in_each_direction(proxy: FaultProxy, through: RawClient) -> None:
    """
    A round trip takes twice the latency, and a pipeline takes it once.
    """
    proxy.latency(0.05)
    started = time.monotonic()
    through.command("PING")
    single = time.monotonic() - started
    started = time.monotonic()
    through.pipeline([["PING"]] * 20)
    pipelined = time.monotonic() - started

    assert single >= 0.1
    assert 0.1 <= pipelined < 1.0


def test_latency_may_be_of_one_direction(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    The command runs at once and its reply is late.
    """
    proxy.latency(0.2, "to_client")
    started = time.monotonic()
    through.send(encode_command("SET", "k", "v"))
    while server.command("GET", "k") is None:
        time.sleep(0.001)
    seen = time.monotonic() - started

    assert b"OK" == through.receive()
    assert seen < 0.2 <= time.monotonic() - started


def test_slices_arrive_one_by_one(proxy: FaultProxy, through: RawClient) -> None:
    """
    A reply comes in as many reads as it has bytes.
    """
    proxy.slow(1, 0.005, "to_client")
    through.send(encode_command("PING"))

    reads: list[bytes] = []
    while b"".join(reads) != b"+PONG\r\n":
        reads.append(through.socket.recv(100))
    assert len(reads) >= 4  # 7, but for reads that come too late to tell two bytes apart

    proxy.slow(0)
    assert b"PONG" == through.command("PING")


def test_a_pause_holds_everything_back(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    Nothing is lost by it; new connections are accepted.
    """
    proxy.pause()
    through.send(encode_command("SET", "k", "v"))
    with RawClient(proxy.address, timeout=SOON) as another:
        another.send(encode_command("GET", "k"))
        assert_nothing_comes(through)
        assert server.command("GET", "k") is None

        proxy.resume()

        assert b"OK" == through.receive()
        assert another.receive() in (None, b"v")


def test_a_pause_of_one_direction_lets_commands_run(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    The reply waits in the proxy.
    """
    proxy.pause("to_client")
    through.send(encode_command("SET", "k", "v"))
    assert_nothing_comes(through)

    assert b"v" == server.command("GET", "k")

    proxy.resume()
    assert b"OK" == through.receive()


def test_a_receiver_that_does_not_read_makes_the_sender_wait(proxy: FaultProxy, through: RawClient) -> None:
    """
    The proxy does not take in more than it can hold.
    """
    proxy.pause("to_server")
    value = b"v" * 32_000_000
    command = encode_command("SET", "k", value)
    through.socket.settimeout(0.3)

    with pytest.raises(TimeoutError):
        through.send(command)


def test_large_values_pass_both_ways(through: RawClient) -> None:
    """
    What waits for a slow side is sent in the end, in order.
    """
    value = bytes(range(256)) * 40_000
    through.command("SET", "k", value)

    assert value == through.command("GET", "k")


def test_a_swallowed_reply_is_followed_by_a_reset(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    The command has run, and its caller cannot know.
    """
    proxy.swallow()
    with pytest.raises(ConnectionResetError):
        through.command("INCR", "k")

    assert b"1" == server.command("GET", "k")
    assert 1 == proxy.struck
    assert 1 == len(proxy.connections)
    wait_for_live(proxy, 0)


def test_a_swallowed_reply_may_leave_the_connection_as_it_is(proxy: FaultProxy, through: RawClient) -> None:
    """
    Only that one reply is missing.
    """
    proxy.swallow(2, then="stay")

    through.send(b"".join(encode_command("ECHO", number) for number in range(3)))

    assert [b"0", b"2"] == [through.receive(), through.receive()]
    assert_nothing_comes(through)


def test_the_reply_to_a_command_can_be_chosen(proxy: FaultProxy, through: RawClient) -> None:
    """
    Replies to other commands pass.
    """
    proxy.swallow(2, command="incr")
    through.send(b"".join(encode_command(name, "k") for name in ("INCR", "GET", "INCR", "GET")))

    assert [1, b"1"] == [through.receive(), through.receive()]
    with pytest.raises(ConnectionResetError):
        through.receive()


def test_a_blocked_read_is_swallowed_when_it_answers(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    A reply is found that comes long after its command.
    """
    through.send(encode_command("XREAD", "BLOCK", 0, "STREAMS", "s", "$"))
    proxy.swallow(command="XREAD")
    while True:
        clients = server.command("CLIENT", "LIST")
        assert isinstance(clients, bytes)
        if b"cmd=xread" in clients:
            break
    server.command("XADD", "s", "*", "f", "v")

    with pytest.raises(ConnectionResetError):
        through.receive()


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13])
def test_a_reply_is_cut_anywhere(proxy: FaultProxy, through: RawClient, count: int) -> None:
    """
    Exactly so many bytes arrive before the reset.
    """
    proxy.cut_after(count)
    through.send(encode_command("PING") * 2)

    received = b""
    with pytest.raises(ConnectionResetError):
        while data := through.socket.recv(100):
            received += data
        raise AssertionError("an orderly end instead of a reset")
    assert b"+PONG\r\n+PONG\r\n"[:count] == received


def test_a_cut_counts_from_the_reply_to_a_command(proxy: FaultProxy, through: RawClient) -> None:
    """
    What comes before is not counted.
    """
    proxy.cut_after(3, command="ECHO")
    assert b"PONG" == through.command("PING")
    through.send(encode_command("ECHO", "hello"))

    assert b"$5\r" == through.socket.recv(100)
    with pytest.raises(ConnectionResetError):
        through.socket.recv(100)


def test_all_connections_are_reset(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    Both sides learn of it, and new connections work.
    """
    with RawClient(proxy.address) as another:
        another.command("PING")
        proxy.reset_all()

        for client in (through, another):
            with pytest.raises(ConnectionError):
                client.command("PING")
    wait_for_live(proxy, 0)
    with RawClient(proxy.address) as fresh:
        assert b"PONG" == fresh.command("PING")


def test_all_connections_are_ended(proxy: FaultProxy, through: RawClient) -> None:
    """
    An orderly end is no reset.
    """
    proxy.end_all()

    assert b"" == through.socket.recv(100)
    wait_for_live(proxy, 0)


def test_a_blackhole_leaves_connections_half_open(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    The server goes on serving a client that has gone; healing resets it.
    """
    proxy.blackhole()
    through.send(encode_command("SET", "k", "v"))
    with RawClient(proxy.address, timeout=A_WHILE) as another, pytest.raises(TimeoutError):
        another.command("PING")
    assert_nothing_comes(through)
    through.close()
    time.sleep(A_WHILE)

    assert server.command("GET", "k") is None
    assert 1 == client_count(server)
    wait_for_live(proxy, 1)

    proxy.heal()

    wait_for_live(proxy, 0)
    with RawClient(proxy.address, timeout=SOON) as fresh:
        assert b"PONG" == fresh.command("PING")
        assert 1 == client_count(server)


def test_a_reply_is_lost_in_a_blackhole(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    A blocked reader that nobody hears takes the entry.
    """
    server.command("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    through.send(encode_command("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">"))
    while client_count(server) != 1 or proxy.commands[-1][0] != b"XREADGROUP":
        time.sleep(0.001)
    time.sleep(A_WHILE)
    proxy.blackhole()
    server.command("XADD", "s", "*", "f", "v")

    assert_nothing_comes(through)
    pending = server.command("XPENDING", "s", "g")
    assert isinstance(pending, list)
    assert 1 == pending[0]


def test_a_server_that_is_gone_resets_its_clients(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    What is before the proxy sees what is behind it.
    """
    server.kill()

    with pytest.raises(ConnectionError):
        through.command("PING")
    with pytest.raises(ConnectionError), RawClient(proxy.address, timeout=SOON) as refused:
        refused.command("PING")


def test_a_clients_end_reaches_the_server(proxy: FaultProxy, server: Server, through: RawClient) -> None:
    """
    Replies on their way still arrive.
    """
    through.send(encode_command("ECHO", "last"))
    through.socket.shutdown(socket.SHUT_WR)

    received = b""
    while data := through.socket.recv(100):
        received += data
    assert received in (b"$4\r\nlast\r\n", b"")  # some servers drop what they have not sent
    wait_for_live(proxy, 0)
    assert 0 == client_count(server)


def test_nothing_is_left_open(server: Server) -> None:
    """
    Neither the thread nor a socket outlives the block, whatever state the connections are in.
    """
    before = snapshot()
    with FaultProxy(server.address, latency=0.5) as proxy:
        clients = [RawClient(proxy.address) for _ in range(5)]
        for client in clients:
            client.send(encode_command("PING"))
        proxy.pause("to_client")
        assert snapshot().beyond(before)
    for client in clients:
        client.close()

    settle_blocking(before)
    with pytest.raises(RuntimeError, match="not running"):
        proxy.reset_all()
