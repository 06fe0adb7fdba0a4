"""
The scripted server follows its script and records what it is sent.
"""

from __future__ import annotations

import time

import pytest

from tests.support.resources import settle_blocking, snapshot
from tests.support.resp import ErrorReply, RawClient, encode_command
from tests.support.scripted import NO_HELLO, Close, Command, Late, Reset, ScriptedServer, Silence, Step


def test_steps_follow_the_commands() -> None:
    """
    Each command takes the next step, on whichever connection; then the script is at its end.
    """
    with (
        ScriptedServer([b":1\r\n", b"$1\r\nx\r\n"]) as server,
        RawClient(server.address) as first,
        RawClient(server.address) as second,
    ):
        assert 1 == first.command("ONE", "argument")
        assert b"x" == second.command("TWO")
        with pytest.raises(ErrorReply, match="no step for THREE"):
            first.command("three")

        assert [[b"ONE", b"argument"], [b"TWO"], [b"three"]] == server.commands
        assert (2, 2) == (server.accepted, server.live)


def test_a_handshake_takes_no_steps() -> None:
    """
    Usual handshakes are answered in the protocol they ask for.
    """
    with ScriptedServer([b"+PONG\r\n"]) as server, RawClient(server.address) as client:
        three = client.command("HELLO", "3", "SETNAME", "me")
        two = client.command("HELLO", "2")
        assert b"OK" == client.command("CLIENT", "SETINFO", "LIB-NAME", "x")
        assert b"OK" == client.command("SELECT", "1")
        assert b"PONG" == client.command("PING")

        assert isinstance(three, dict)
        assert 3 == three[b"proto"]
        assert isinstance(two, list)
        assert 2 == two[two.index(b"proto") + 1]
        assert [[b"PING"]] == server.commands
        assert 4 == len(server.handshakes)


def test_a_handshake_can_be_changed() -> None:
    """
    A server may be too old for HELLO.
    """
    with (
        ScriptedServer(handshake={"HELLO": NO_HELLO}) as server,
        RawClient(server.address) as client,
        pytest.raises(ErrorReply, match="unknown command"),
    ):
        client.command("HELLO", "3")


def test_a_handshake_can_be_part_of_the_script() -> None:
    """
    Then it takes steps like anything else.
    """
    with ScriptedServer([b"+HI\r\n"], handshake_in_script=True) as server, RawClient(server.address) as client:
        assert b"HI" == client.command("HELLO", "3")
        assert [[b"HELLO", b"3"]] == server.commands


def test_a_function_can_be_the_script() -> None:
    """
    It sees the whole command.
    """

    def echo(command: Command) -> Step:
        return b"+" + b" ".join(command) + b"\r\n"

    with ScriptedServer(echo) as server, RawClient(server.address) as client:
        assert b"A b" == client.command("A", "b")


def test_steps_other_than_replies() -> None:
    """
    Silence, a late reply, half a reply with an orderly end, a reset.
    """
    steps: list[Step] = [Silence(), Late(0.05, b"+LATE\r\n"), Close(b"$5\r\nhe"), Reset()]
    with ScriptedServer(steps) as server:
        with RawClient(server.address) as client:
            client.send(encode_command("ONE"))
            started = time.monotonic()
            assert b"LATE" == client.command("TWO")
            assert time.monotonic() - started >= 0.05
            client.send(encode_command("THREE"))
            assert b"$5\r\nhe" == client.socket.recv(100)
            assert b"" == client.socket.recv(100)
        with RawClient(server.address) as client, pytest.raises(ConnectionResetError):
            client.command("FOUR")


def test_bytes_can_be_pushed() -> None:
    """
    A server may speak unasked.
    """
    with ScriptedServer([b"+OK\r\n"]) as server, RawClient(server.address) as client:
        client.command("ONE")
        server.push(b">2\r\n+invalidate\r\n_\r\n+surplus\r\n")

        assert [b"invalidate", None] == client.receive()
        assert b"surplus" == client.receive()


def test_a_failing_script_fails_the_test() -> None:
    """
    An error on the server's thread is raised at the end of the block.
    """

    def broken(command: Command) -> Step:
        raise LookupError(command[0])

    with pytest.raises(LookupError), ScriptedServer(broken) as server, RawClient(server.address) as client:
        client.send(encode_command("PING"))
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.receive()


def test_nothing_is_left_open() -> None:
    """
    Neither the thread nor a socket outlives the block.
    """
    before = snapshot()
    with ScriptedServer([Late(60, b"+OK\r\n")]) as server, RawClient(server.address) as client:
        client.send(encode_command("PING"))
        assert 1 == server.live

    settle_blocking(before)
