"""
Start a primary with replicas and the sentinels that watch them on loopback, and make them fail over.

A ``Trio`` is three servers and three sentinels, hurried with SENTINEL DEBUG: a failover takes one to two seconds. A
``TrioPool`` keeps one per program and puts it right between tests: everything runs, one primary, its replicas in touch
with it, and all sentinels of one mind.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, cast

from tests.support.certificates import Certificates
from tests.support.programs import Program
from tests.support.resp import Argument, ErrorReply, RawClient, Reply
from tests.support.servers import HOST, Server, free_port, launch

SERVICE: Final = "store"
#: Milliseconds until a server that does not answer counts as down.
DOWN_AFTER: Final = 700
#: Milliseconds. Twice this has to pass between two failovers that nobody ordered, and a promoted replica must be seen
#: within it.
FAILOVER_TIMEOUT: Final = 1500
# A sentinel turns an old primary that comes back into a replica after four publish periods. It must not take less than
# the second until the leader of a failover looks at the replica it promoted, or the others turn that one back. What was
# seen of a replica is good for five ping periods, which must be longer than that second too, or none is fit for promotion.
_HURRY: Final[tuple[Argument, ...]] = (
    "ping-period", 300, "info-period", 100, "ask-period", 100, "publish-period", 400, "election-timeout", 500,
    "min-link-reconnect-period", 100,
)  # fmt: skip
#: Far longer than anything here takes; only failures wait so long.
_PATIENCE_SECONDS: Final = 30.0
_STEP_SECONDS: Final = 0.01


class SentinelProcess:
    """
    One sentinel on a free port of 127.0.0.1, that watches ``SERVICE``.

    Args:
        program: what to run
        primary: the server to begin with
        quorum: how many sentinels must find it down
        settings: further lines of its configuration
    """

    def __init__(self, program: Program, primary: Server, quorum: int, settings: tuple[str, ...] = ()) -> None:
        self.host: Final = HOST
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="coredis-"))
        self._program = program
        self._password = next((each.split()[1] for each in settings if each.startswith("requirepass ")), None)
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            f"dir {self.folder}",
            f"logfile {self.folder / 'sentinel.log'}",
            f"sentinel monitor {SERVICE} {primary.host} {primary.port} {quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER}",
            f"sentinel failover-timeout {SERVICE} {FAILOVER_TIMEOUT}",
            *settings,
        ]
        self._configuration = self.folder / "sentinel.conf"
        self._configuration.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def start(self) -> None:
        """
        Start, or start again: it remembers what it knew.
        """
        if self._process is not None:
            return
        self._process = launch([self._program.path, str(self._configuration), "--sentinel"], self.folder)
        _wait("a sentinel to answer", self._answers)
        self.command("SENTINEL", "DEBUG", *_HURRY)

    def command(self, *arguments: Argument) -> Reply:
        """
        Run one command on a connection of its own.

        Raises:
            ErrorReply: the sentinel refused it
        """
        credentials = () if self._password is None else (self._password,)
        with RawClient(self.address, credentials=credentials) as client:
            return client.command(*arguments)

    def kill(self) -> None:
        """
        End the process as a crash would.
        """
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """
        Freeze the process.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """
        Let a frozen process go on.
        """
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """
        End the process and delete its folder.
        """
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def primary(self) -> tuple[str, int]:
        """
        Say where it believes the primary to be.
        """
        host, port = _texts(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE))
        return host, int(port)

    def content(self) -> bool:
        """
        Say whether it knows everybody and finds nobody down.
        """
        master = _fields(self.command("SENTINEL", "MASTER", SERVICE))
        replicas = self.command("SENTINEL", "REPLICAS", SERVICE)
        assert isinstance(replicas, list)
        return (master["flags"], master["num-other-sentinels"]) == ("master", "2") and 2 == sum(
            (each["flags"], each["master-link-status"]) == ("slave", "ok") for each in map(_fields, replicas)
        )

    def replaces(self, old: Server) -> bool:
        """
        Say whether it has replaced this primary; if it has not, and is not about to, order it to.
        """
        master = _fields(self.command("SENTINEL", "MASTER", SERVICE))
        if (master["ip"], int(master["port"])) != old.address:
            return True
        if "failover_in_progress" not in master["flags"]:
            try:
                self.command("SENTINEL", "FAILOVER", SERVICE)
            except ErrorReply as error:
                if error.code not in ("INPROG", "NOGOODSLAVE"):
                    raise
        return False

    def describe(self) -> str:
        """
        Say what it believes.
        """
        try:
            known = [
                self.command("SENTINEL", "MASTER", SERVICE),
                *cast("list[Reply]", self.command("SENTINEL", "REPLICAS", SERVICE)),
            ]
        except (OSError, ErrorReply) as error:
            return f"sentinel {self.port}: {error!r}"
        servers = [
            f"{each['port']} {each['flags']} (told {each['info-refresh']} ms ago)" for each in map(_fields, known)
        ]
        return f"sentinel {self.port}: {', '.join(servers)}"

    def _answers(self) -> bool:
        try:
            return self.command("PING") is not None
        except OSError:
            return False


class Trio:
    """
    A primary, two replicas and three sentinels.

    Args:
        program: what to run
        settings: further lines of the sentinels' configuration
        certificates: the servers listen for TLS as well
    """

    def __init__(
        self, program: Program, *, settings: tuple[str, ...] = (), certificates: Certificates | None = None
    ) -> None:
        self.program = program
        self.servers: list[Server] = []
        self.sentinels: list[SentinelProcess] = []
        try:
            for _ in range(3):
                self.servers.append(Server(program, certificates=certificates, repl_diskless_sync_delay=0))
            first, *replicas = self.servers
            for replica in replicas:
                replica.command("REPLICAOF", first.host, first.port)
            _wait("the replicas to connect", lambda: all(map(_in_touch, replicas)))
            for _ in range(3):
                self.sentinels.append(SentinelProcess(program, first, 2, settings))
            self.repair()
        except BaseException:  # not swallowed: no process may stay behind a failed start
            self.close()
            raise

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """
        Where the sentinels listen.
        """
        return [sentinel.address for sentinel in self.sentinels]

    @property
    def primary(self) -> Server:
        """
        The primary, by the word of all sentinels.
        """
        self._wait("the sentinels to agree", lambda: len({each.primary() for each in self.sentinels}) == 1)
        return self.server_at(self.sentinels[0].primary())

    @property
    def replicas(self) -> list[Server]:
        """
        The servers that are not the primary.
        """
        primary = self.primary
        return [server for server in self.servers if server is not primary]

    def server_at(self, address: tuple[str, int]) -> Server:
        """
        Find the server that listens there.
        """
        return next(server for server in self.servers if server.address == address)

    def order_failover(self) -> None:
        """
        Have the sentinels replace a healthy primary. Returns when one of them has, see ``wait_for_failover``.

        What a sentinel has not heard from for 0.3 seconds it does not promote: then it refuses, or begins and gives up. On a
        loaded machine that happens, so it is told again.
        """
        old, leader = self.primary, self.sentinels[0]
        self._wait("an ordered failover", lambda: leader.replaces(old))

    def wait_for_failover(self, old: Server) -> Server:
        """
        Wait until all sentinels name another primary than this one, which is returned.
        """
        self._wait("a failover", lambda: all(each.primary() != old.address for each in self.sentinels))
        return self.primary

    def state(self) -> str:
        """
        Describe what the servers and the sentinels say of themselves and each other, for the message of a failure.
        """
        return "\n".join((*map(_describe_server, self.servers), *(each.describe() for each in self.sentinels)))

    def repair(self) -> None:
        """
        Put everything right, and empty the servers.
        """
        for sentinel in self.sentinels:
            sentinel.resume()
            sentinel.start()
        for server in self.servers:
            if server.paused:
                server.resume()
            server.start()
        self._wait("a healthy trio", self._healthy)
        self.primary.command("FLUSHALL")

    def close(self) -> None:
        """
        End all processes.
        """
        for process in (*self.sentinels, *self.servers):
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            _wait(what, condition)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.state()}") from None

    def _healthy(self) -> bool:
        try:
            roles = [_role(server) for server in self.servers]
            return roles.count("master") == 1 and all(sentinel.content() for sentinel in self.sentinels)
        except (OSError, ErrorReply, KeyError):
            return False


class TrioPool:
    """
    One trio per program, started when first asked for and repaired each time after.
    """

    def __init__(self) -> None:
        self._trios: dict[str, Trio] = {}

    def get(self, program: Program) -> Trio:
        """
        Return the trio of this program, healthy and empty.
        """
        trio = self._trios.get(program.identifier)
        if trio is None:
            trio = self._trios[program.identifier] = Trio(program)
        else:
            trio.repair()
        return trio

    def close(self) -> None:
        """
        End all trios.
        """
        while self._trios:
            self._trios.popitem()[1].close()


def _role(server: Server) -> str:
    reply = server.command("ROLE")
    assert isinstance(reply, list)
    return _texts(reply[:1])[0]


def _describe_server(server: Server) -> str:
    if server.paused or not server.running:
        return f"server {server.port}: {'paused' if server.paused else 'ended'}"
    try:
        role, clients = server.command("ROLE"), server.command("CLIENT", "LIST")
    except (OSError, ErrorReply) as error:
        return f"server {server.port}: {error!r}"
    assert isinstance(clients, bytes)
    lines = [dict(word.split("=", 1) for word in line.split()) for line in clients.decode().splitlines()]
    # Whoever has a name is a sentinel, or said so to be told apart.
    doing = [f"{each['cmd']} for {each['idle']} s from {each['addr']} {each['name']}".rstrip() for each in lines]
    return f"server {server.port}: {role!r}, last asked {'; '.join(doing)}"


def _in_touch(replica: Server) -> bool:
    reply = replica.command("ROLE")
    return isinstance(reply, list) and reply[3] == b"connected"


def _texts(reply: Reply) -> list[str]:
    assert isinstance(reply, list)
    return [each.decode() if isinstance(each, bytes) else str(each) for each in reply]


def _fields(reply: Reply) -> dict[str, str]:
    words = _texts(reply)
    return dict(zip(words[::2], words[1::2], strict=True))


def _wait(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE_SECONDS} s for {what}")
        time.sleep(_STEP_SECONDS)
