"""
Opening a channel, and all the ways in which that fails, run with each half.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from coredis._core.config import TCPAddress, TLSOptions, UnixAddress
from coredis._runtime.sockets import tls_context
from coredis.exceptions import ConnectionError, ConnectTimeoutError
from tests.conftest import StartServer
from tests.runtime.halves import HOST, Half, deaf_listener, do, free_address, mute_listener, soon, words
from tests.support.certificates import Certificates
from tests.support.scripted import ScriptedServer

PING = words("PING")


@contextmanager
def plain_text_listener() -> Iterator[TCPAddress]:
    """
    A port where TLS is answered in plain text, as a Redis without TLS does.
    """
    with socket.create_server((HOST, 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(b"-ERR Protocol error\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield TCPAddress(HOST, listener.getsockname()[1])
        thread.join(5)


@pytest.fixture
def context(certificates: Certificates) -> ssl.SSLContext:
    """
    A context that trusts the authority of this run.
    """
    return tls_context(TLSOptions(ca_certs=certificates.authority))


async def test_nobody_listens(half: Half) -> None:
    """
    The error names the address, and certainly nothing was executed.
    """
    address = free_address()

    with pytest.raises(ConnectionError, match=f"cannot connect to {HOST}:{address.port}") as caught:
        await half.connect(address, deadline=soon())

    assert not isinstance(caught.value, ConnectTimeoutError)
    assert not caught.value.may_have_run
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_name_that_does_not_exist(half: Half, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It is a connection error like any other.
    """

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(ConnectionError, match=r"cannot connect to nowhere\.invalid:1: .*not known"):
        await half.connect(TCPAddress("nowhere.invalid", 1), deadline=soon())


async def test_nobody_answers(half: Half) -> None:
    """
    At the deadline the attempt ends.
    """
    with deaf_listener() as address, pytest.raises(ConnectTimeoutError, match="in time") as caught:
        await half.connect(address, deadline=soon(0.05))

    assert isinstance(caught.value, TimeoutError)
    assert not caught.value.may_have_run


async def test_a_deadline_that_has_passed(half: Half) -> None:
    """
    It is no reason to wait for ever.
    """
    with deaf_listener() as address, pytest.raises(ConnectionError):
        await half.connect(address, deadline=soon(-1.0))


async def test_no_socket_at_a_path(half: Half, tmp_path: Path) -> None:
    """
    The error names the path.
    """
    path = str(tmp_path / "missing")

    with pytest.raises(ConnectionError, match=f"cannot connect to {path}"):
        await half.connect(UnixAddress(path), deadline=soon())


async def test_a_path_where_nobody_listens(half: Half, tmp_path: Path) -> None:
    """
    As after a crash of the server.
    """
    path = str(tmp_path / "stale")
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(path)

    with pytest.raises(ConnectionError, match="refused"):
        await half.connect(UnixAddress(path), deadline=soon())


async def test_a_unix_socket(half: Half, tmp_path: Path) -> None:
    """
    It carries requests like any other.
    """
    path = str(tmp_path / "socket")

    def answer(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"+PONG\r\n")
            connection.recv(4096)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        channel = await half.connect(UnixAddress(path), deadline=soon())

        assert [b"PONG"] == await do(channel.start(PING, 1).result(soon()))

        await half.close()
        thread.join(5)


async def test_all_addresses_of_a_host_are_tried(half: Half, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The first that answers is taken.
    """
    with ScriptedServer([b"+PONG\r\n"]) as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, port)) for port in (free_address().port, server.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        channel = await half.connect(TCPAddress("several.invalid", server.port), deadline=soon())

        assert [b"PONG"] == await do(channel.start(PING, 1).result(soon()))


async def test_tls(half: Half, start_tls_server: StartServer, context: ssl.SSLContext) -> None:
    """
    Requests of any size go through, and many can be outstanding.
    """
    server = start_tls_server()
    value = "x" * 300_000

    channel = await half.connect(TCPAddress(HOST, server.tls_port), context, soon())  # type: ignore[arg-type]
    started = [channel.start(words("ECHO", f"{number}{value}"), 1) for number in range(5)]

    assert [[f"{number}{value}".encode()] for number in range(5)] == [
        await do(request.result(soon())) for request in started
    ]
    assert not channel.stale()


async def test_the_wait_for_an_encrypted_reply_ends_and_is_resumed(
    half: Half, start_tls_server: StartServer, context: ssl.SSLContext
) -> None:
    """
    Time-outs work as they do without TLS, for one request and for several.
    """
    server = start_tls_server()
    channel = await half.connect(TCPAddress(HOST, server.tls_port), context, soon())  # type: ignore[arg-type]
    started = channel.start(words("BLPOP", "missing", "0.1") + PING, 2)

    assert not await do(half.runtime.wait_any([started], soon(0.01)))
    with pytest.raises(TimeoutError):
        await do(started.result(soon(0.01)))
    assert await do(half.runtime.wait_any([started], soon()))

    assert [None, b"PONG"] == await do(started.result(soon()))


@pytest.mark.parametrize("identity", ["wrong_host", "expired"])
async def test_a_certificate_that_is_not_the_hosts(
    half: Half, identity: str, start_tls_server: StartServer, certificates: Certificates, context: ssl.SSLContext
) -> None:
    """
    Somebody else may pose as the server, so nothing is said to it.
    """
    server = start_tls_server(identity=getattr(certificates, identity))

    with pytest.raises(ConnectionError, match="certificate verify failed"):
        await half.connect(TCPAddress(HOST, server.tls_port), context, soon())  # type: ignore[arg-type]


async def test_an_authority_that_is_not_trusted(half: Half, start_tls_server: StartServer) -> None:
    """
    The system's authorities know nothing of ours.
    """
    server = start_tls_server()

    with pytest.raises(ConnectionError, match="certificate verify failed"):
        await half.connect(TCPAddress(HOST, server.tls_port), tls_context(TLSOptions()), soon())  # type: ignore[arg-type]


async def test_tls_with_a_server_that_speaks_plain_text(half: Half, context: ssl.SSLContext) -> None:
    """
    It is seen at once.
    """
    with plain_text_listener() as address, pytest.raises(ConnectionError):
        await half.connect(address, context, soon())


async def test_tls_with_a_server_that_says_nothing(half: Half, context: ssl.SSLContext) -> None:
    """
    The deadline is for the handshake as well.
    """
    began = time.monotonic()
    with mute_listener() as address, pytest.raises(ConnectTimeoutError):
        await half.connect(address, context, soon(0.1))

    assert time.monotonic() - began < 4


async def test_closing_an_encrypted_channel_ends_its_socket(
    half: Half, start_tls_server: StartServer, context: ssl.SSLContext
) -> None:
    """
    Without waiting for the peer.
    """
    server = start_tls_server()
    channel = await half.connect(TCPAddress(HOST, server.tls_port), context, soon())  # type: ignore[arg-type]

    channel.close()
    await do(channel.wait_closed())

    assert channel.stale()
