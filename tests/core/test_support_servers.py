"""
Servers start, break, come back and leave nothing behind.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.certificates import Certificates
from tests.support.programs import Discovery, Program, discover, identify
from tests.support.resp import ErrorReply, RawClient
from tests.support.servers import Server, ServerFailed, ServerPool, requires


def alive(process: int) -> bool:
    """
    Tell whether a process exists and is not just waiting to be collected.
    """
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def process_of(server: Server) -> int:
    assert server.pid is not None
    return server.pid


def test_a_server_answers_and_names_its_version(server: Server) -> None:
    """
    The running server is what the program said it is.
    """
    information = server.command("INFO", "server")

    assert isinstance(information, bytes)
    version = ".".join(map(str, server.version))
    assert f"{server.program.product}_version:{version}".encode() in information
    assert b"PONG" == server.command("PING")


def test_a_server_answers_on_its_unix_socket(server: Server) -> None:
    """
    Port and Unix socket are the same server.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server.unix_socket)
        connection.sendall(b"PING\r\n")

        assert b"+PONG\r\n" == connection.recv(64)


def test_options_reach_the_server(start_server: StartServer) -> None:
    """
    Keyword arguments are configuration, and a password is used by ``command``.
    """
    server = start_server(requirepass="secret", maxmemory_policy="allkeys-lru")

    assert [b"maxmemory-policy", b"allkeys-lru"] == server.command("CONFIG", "GET", "maxmemory-policy")
    with RawClient(server.address) as stranger, pytest.raises(ErrorReply, match="NOAUTH"):
        stranger.command("PING")


def test_a_closed_server_leaves_nothing(program: Program) -> None:
    """
    Neither process nor folder remains.
    """
    with Server(program) as server:
        process, folder = process_of(server), server.folder
        assert alive(process)
        assert folder.exists()

    assert not alive(process)
    assert not folder.exists()
    assert server.pid is None


def test_a_killed_server_comes_back_where_it_was(start_server: StartServer) -> None:
    """
    Port and appended data survive a crash; the process does not.
    """
    server = start_server(appendonly="yes", appendfsync="always")
    process, address = process_of(server), server.address
    server.command("SET", "k", "v")

    server.kill()

    assert not alive(process)
    with pytest.raises(ConnectionRefusedError):
        server.command("PING")

    server.start()

    assert address == server.address
    assert b"v" == server.command("GET", "k")


def test_a_stopped_server_forgets_what_is_not_saved(start_server: StartServer) -> None:
    """
    Without persistence a restart is an empty server.
    """
    server = start_server()
    server.command("SET", "k", "v")

    server.restart()

    assert server.command("GET", "k") is None


def test_a_paused_server_does_not_answer_until_resumed(server: Server) -> None:
    """
    Its connections are accepted meanwhile.
    """
    server.pause()
    with server.connect(timeout=0.1) as client:
        with pytest.raises(TimeoutError):
            client.command("PING")
        server.resume()

        assert b"PONG" == client.receive()


def test_a_paused_server_can_be_stopped(program: Program) -> None:
    """
    A frozen process is woken up to end.
    """
    with Server(program) as server:
        process = process_of(server)
        server.pause()
        server.stop()

        assert not alive(process)


def test_a_wrong_option_is_reported_with_the_words_of_the_server(program: Program) -> None:
    """
    The log is in the message, and nothing is left running.
    """
    with pytest.raises(ServerFailed, match="maxmemory-policy"):
        Server(program, maxmemory_policy="nonsense")


def test_the_pool_hands_out_a_clean_server(program: Program, server_pool: ServerPool) -> None:
    """
    Data, scripts, configuration, users and connections of the last test are gone.
    """
    server = server_pool.get(program)
    process = process_of(server)
    original = server.command("CONFIG", "GET", "maxmemory-policy")
    server.command("SET", "k", "v")
    server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    server.command("CONFIG", "SET", "stream-node-max-entries", "7")
    server.command("ACL", "SETUSER", "somebody", "on", ">secret", "~*", "+@all")
    server.command("ACL", "SETUSER", "default", "-xadd")
    with server.connect() as left_over:
        assert server is server_pool.get(program)

        with pytest.raises(ConnectionError):
            left_over.command("PING")
    assert process == server.pid
    assert 0 == server.command("DBSIZE")
    assert original == server.command("CONFIG", "GET", "maxmemory-policy")
    assert [b"stream-node-max-entries", b"100"] == server.command("CONFIG", "GET", "stream-node-max-entries")
    assert [b"default"] == server.command("ACL", "USERS")
    assert server.command("XADD", "s", "*", "f", "v")


@pytest.mark.parametrize("damage", ["kill", "stop", "pause"])
def test_the_pool_repairs_what_a_test_has_broken(program: Program, server_pool: ServerPool, damage: str) -> None:
    """
    A dead or frozen server works again for the next test, at the same address.
    """
    server = server_pool.get(program)
    address = server.address
    getattr(server, damage)()

    assert b"PONG" == server_pool.get(program).command("PING")
    assert address == server.address


def test_the_pool_restarts_a_server_it_cannot_log_in_to(program: Program, server_pool: ServerPool) -> None:
    """
    A test may set a password or become a replica and forget about it.
    """
    server = server_pool.get(program)
    server.command("CONFIG", "SET", "requirepass", "secret")

    assert b"PONG" == server_pool.get(program).command("PING")

    server.command("REPLICAOF", "127.0.0.1", "1")

    role = server_pool.get(program).command("ROLE")
    assert isinstance(role, list)
    assert b"master" == role[0]


def test_a_server_ends_with_the_process_that_started_it(program: Program) -> None:
    """
    Not even SIGKILL of the test process leaves a server running.
    """
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from tests.support.programs import identify\n"
        "from tests.support.servers import Server\n"
        "server = Server(identify(sys.argv[1])); print(server.pid, flush=True); print(server.folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", code, program.path, root]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        process, folder = int(owner.stdout.readline()), Path(owner.stdout.readline().strip())
        assert alive(process)
        owner.kill()
    for _ in range(200):
        if not alive(process):
            break
        time.sleep(0.01)

    assert not alive(process)
    for entry in sorted(folder.rglob("*"), reverse=True):  # nobody was left to delete it
        entry.rmdir() if entry.is_dir() else entry.unlink()
    folder.rmdir()


def test_a_forked_child_does_not_end_its_parents_server(server: Server) -> None:
    """
    What is inherited is not owned.
    """
    server._owner, owner = -1, server._owner  # what a child sees: the server of another process
    server.close()
    server._owner = owner

    assert b"PONG" == server.command("PING")


class TestTLS:
    def connect(self, server: Server, certificates: Certificates) -> bytes:
        context = ssl.create_default_context(cafile=certificates.authority)
        with (
            socket.create_connection((server.host, server.tls_port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=server.host) as secure,
        ):
            secure.sendall(b"PING\r\n")
            return secure.recv(64)

    def test_the_good_certificate_is_accepted(self, start_tls_server: StartServer, certificates: Certificates) -> None:
        """
        A verifying client gets through, and the plain port answers for the tests.
        """
        server = start_tls_server()

        assert b"+PONG\r\n" == self.connect(server, certificates)
        assert b"PONG" == server.command("PING")

    @pytest.mark.parametrize(("identity", "reason"), [("wrong_host", "mismatch|not valid for"), ("expired", "expired")])
    def test_a_bad_certificate_is_refused(
        self, start_tls_server: StartServer, certificates: Certificates, identity: str, reason: str
    ) -> None:
        """
        Each is bad in its own way only.
        """
        server = start_tls_server(identity=getattr(certificates, identity))

        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            self.connect(server, certificates)

    def test_a_client_certificate_can_be_asked_for(
        self, start_tls_server: StartServer, certificates: Certificates
    ) -> None:
        """
        Without one the connection fails.
        """
        server = start_tls_server(client_certificates=True)

        # An alert, a reset or an orderly end, as the version of TLS and the timing have it.
        try:
            answer = self.connect(server, certificates)
        except OSError:
            answer = b""
        assert b"" == answer


class TestPrograms:
    program = Program("x", "redis", (8, 6, 3))

    def test_an_identifier_has_the_minor_version(self) -> None:
        """
        Patches are not told apart.
        """
        assert "redis-8.6" == self.program.identifier

    @pytest.mark.parametrize(
        ("minimum", "expected"),
        [("redis-8.6", True), ("redis-7.0", True), ("redis-8", True), ("redis-8.8", False), ("valkey-7.2", False)],
    )
    def test_a_minimum_is_compared_by_product_and_number(self, minimum: str, expected: bool) -> None:
        """
        Valkey 9 is not a newer Redis 8.
        """
        assert expected == self.program.satisfies(minimum)

    def test_what_is_required_and_not_found_is_named(self) -> None:
        """
        The major version counts.
        """
        assert ["redis7", "valkey9"] == Discovery((self.program,), ()).missing("redis7, redis8,valkey9")

    def test_a_program_that_is_no_server_is_refused(self) -> None:
        """
        Only Redis and Valkey are known.
        """
        with pytest.raises(ValueError, match="Redis or Valkey"):
            identify(sys.executable)

    def test_each_server_is_found_once(self) -> None:
        """
        The first of two with the same identifier wins.
        """
        identifiers = [program.identifier for program in discover().programs]

        assert sorted(set(identifiers)) == sorted(identifiers)


def test_a_test_is_skipped_with_its_reason(server: Server) -> None:
    """
    The reason names the feature, what it needs and what there is.
    """
    requires(server, "redis-7.0", "valkey-7.2", feature="a stream")

    with pytest.raises(pytest.skip.Exception, match=f"XNEW needs redis-99.0, and this is {server.identifier}"):
        requires(server, "redis-99.0", feature="XNEW")


def test_a_process_of_this_test_is_found() -> None:
    """
    The check used above can tell.
    """
    assert alive(os.getpid())
    assert not alive(2**22 + 1)
