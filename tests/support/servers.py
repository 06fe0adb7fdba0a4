"""
Start servers, break them, and put them back as they were.

A ``Server`` is one process with a folder, a port and a Unix socket of its own; it never outlives the test process. A
``ServerPool`` keeps one running server per program and resets it between tests, because starting one for each test
would take most of the suite's time.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Final, Self

import pytest

from tests.support.certificates import Certificate, Certificates
from tests.support.programs import Program
from tests.support.resp import Argument, ErrorReply, RawClient, Reply

HOST: Final = "127.0.0.1"
# Below the range the kernel takes outgoing ports from, so a port stays free while its server is being restarted.
_PORTS: Final = range(12_000, 22_000)
_START_ATTEMPTS: Final = 5
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 10.0
_random = random.SystemRandom()  # tests and workers that seed `random` alike must not choose the same ports
_living: weakref.WeakSet[Server] = weakref.WeakSet()


class ServerFailed(RuntimeError):
    """
    A server did not start; the message ends with its log.
    """


class Server:
    """
    One server process on a free port of 127.0.0.1.

    Args:
        program: what to run
        certificates: also listen on ``tls_port`` with one of these
        identity: the certificate to show, the good one unless said otherwise
        client_certificates: ask clients for a certificate too
        credentials: what ``command`` logs in with, when ``requirepass`` is not all there is to it
        options: configuration, with underscores for hyphens: ``requirepass="secret"``, ``appendonly="yes"``

    Raises:
        ServerFailed: the process ended or never answered
    """

    def __init__(
        self,
        program: Program,
        *,
        certificates: Certificates | None = None,
        identity: Certificate | None = None,
        client_certificates: bool = False,
        credentials: tuple[str, ...] = (),
        **options: str | int,
    ) -> None:
        self.program = program
        self.host: Final = HOST
        self.port = 0
        self.tls_port = 0
        self.folder = Path(tempfile.mkdtemp(prefix="coredis-"))
        self.unix_socket = str(self.folder / "server.sock")
        self.paused = False
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._credentials = credentials or ((str(options["requirepass"]),) if "requirepass" in options else ())
        self._options: dict[str, str | int] = {
            "bind": HOST,
            "unixsocket": self.unix_socket,
            "dir": str(self.folder),
            "logfile": str(self.folder / "server.log"),
            "save": "",
            "appendonly": "no",
            "enable-debug-command": "yes",
            "protected-mode": "no",
            "shutdown-timeout": 0,
        }
        if certificates is not None:
            shown = identity or certificates.good
            self._options |= {
                "tls-cert-file": shown.certificate,
                "tls-key-file": shown.key,
                "tls-ca-cert-file": certificates.authority,
                "tls-auth-clients": "yes" if client_certificates else "no",
            }
        self._options |= {name.replace("_", "-"): value for name, value in options.items()}
        self._tls = certificates is not None
        _living.add(self)
        try:
            self._start_somewhere()
            self._configuration = self._pairs("CONFIG", "GET", "*")
            self._users = self._lines("ACL", "LIST")
        except BaseException:  # not swallowed: no process or folder may stay behind a failed start
            self.close()
            raise

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}"

    @property
    def identifier(self) -> str:
        return self.program.identifier

    @property
    def version(self) -> tuple[int, int, int]:
        return self.program.version

    @property
    def pid(self) -> int | None:
        """
        The process, or None while it is stopped.
        """
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """
        What the server wrote so far.
        """
        path = Path(str(self._options["logfile"]))
        return path.read_text(errors="replace") if path.exists() else ""

    def connect(self, *, timeout: float = 10.0) -> RawClient:
        """
        Open a connection of the tests' own, logged in when the server asks for it.
        """
        return RawClient(self.address, credentials=self._credentials, timeout=timeout)

    def command(self, *arguments: Argument) -> Reply:
        """
        Run one command on a connection of its own.

        Raises:
            ErrorReply: the server refused it
        """
        with self.connect() as client:
            return client.command(*arguments)

    def start(self) -> None:
        """
        Start again after ``stop`` or ``kill``, with the same port, folder and options.
        """
        if self.running:
            return
        self.folder.mkdir(exist_ok=True)
        self._launch()
        self._wait_until_ready()

    def stop(self) -> None:
        """
        End the process in an orderly way, which saves what the options say is to be saved.
        """
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """
        End the process as a crash would.
        """
        self._end(signal.SIGKILL)

    def restart(self, *, crash: bool = False) -> None:
        """
        Stop (or kill) and start again on the same port.
        """
        self._end(signal.SIGKILL if crash else signal.SIGTERM)
        self.start()

    def pause(self) -> None:
        """
        Freeze the process: connections stay open and accepted, and nobody answers.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        """
        Let a frozen process go on.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self.paused = False

    def close(self) -> None:
        """
        End the process and delete its folder. Safe to repeat; does nothing in a forked child.
        """
        if os.getpid() == self._owner:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            _living.discard(self)

    def reset(self) -> None:
        """
        Give the next test an empty server with the configuration and users it started with.

        What cannot be undone by commands is undone by a restart.
        """
        if not self.running:
            self.start()
        if self.paused:
            self.resume()
        try:
            clean = self._reset_by_commands()
        except (OSError, ErrorReply):
            clean = False
        if not clean:
            self.kill()
            self.start()
            with self.connect() as client:
                client.command("FLUSHALL")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Server {self.identifier} on port {self.port}>"

    def _reset_by_commands(self) -> bool:
        with self.connect() as client:
            replies = client.pipeline(
                (
                    ("CLIENT", "KILL", "TYPE", "normal"),
                    ("CLIENT", "KILL", "TYPE", "pubsub"),
                    ("CLIENT", "UNPAUSE"),
                    ("DEBUG", "SET-ACTIVE-EXPIRE", "1"),
                    ("FLUSHALL",),
                    ("FUNCTION", "FLUSH"),
                    ("SCRIPT", "FLUSH"),
                    ("ACL", "LOG", "RESET"),
                    ("ACL", "LIST"),
                    ("CONFIG", "GET", "*"),
                )
            )
            *flushed, users, configuration = replies
            repairs = self._repairs_of_users(users) + self._repairs_of_configuration(configuration)
            repaired = client.pipeline(repairs) if repairs else []
        return not any(isinstance(reply, ErrorReply) for reply in flushed + repaired)

    def _repairs_of_users(self, users: Reply) -> list[list[Argument]]:
        if isinstance(users, ErrorReply):
            raise users
        assert isinstance(users, list)
        wanted, present = (
            {bytes(line).split()[1]: bytes(line) for line in lines if isinstance(line, bytes)}
            for lines in (self._users, users)
        )
        repairs: list[list[Argument]] = [["ACL", "DELUSER", name] for name in present.keys() - wanted.keys()]
        for name, line in wanted.items():
            if present.get(name) != line:
                repairs.append(["ACL", "SETUSER", name, "reset", *line.split()[2:]])
        return repairs

    def _repairs_of_configuration(self, configuration: Reply) -> list[list[Argument]]:
        if isinstance(configuration, ErrorReply):
            raise configuration
        present = _as_pairs(configuration)
        return [
            ["CONFIG", "SET", name, value] for name, value in self._configuration.items() if present.get(name) != value
        ]

    def _pairs(self, *arguments: Argument) -> dict[bytes, bytes]:
        return _as_pairs(self.command(*arguments))

    def _lines(self, *arguments: Argument) -> list[Reply]:
        reply = self.command(*arguments)
        assert isinstance(reply, list)
        return reply

    def _start_somewhere(self) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self.port = self._options["port"] = free_port()
            if self._tls:
                self.tls_port = self._options["tls-port"] = free_port()
            self._launch()
            try:
                return self._wait_until_ready()
            except ServerFailed as error:
                # Between the look and the start, another worker may have taken the port.
                if attempt == _START_ATTEMPTS or "Address already in use" not in str(error):
                    raise

    def _launch(self) -> None:
        command = [self.program.path]
        for name, value in self._options.items():
            command += [f"--{name}", str(value)]
        self._process = launch(command, self.folder)
        self.paused = False

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                self._process = None
                raise ServerFailed(f"{self.program} ended at once:\n{self._last_words()}")
            try:
                self.command("PING")
                return
            except ErrorReply as error:
                if error.code not in ("LOADING", "BUSY", "MASTERDOWN"):
                    return
            except OSError:
                pass
            time.sleep(0.002)
        self.kill()
        raise ServerFailed(f"{self.program} did not answer in {_START_SECONDS} s:\n{self._last_words()}")

    def _last_words(self) -> str:
        output = self.folder / "output"
        return (self.log + (output.read_text(errors="replace") if output.exists() else ""))[-4000:]

    def _end(self, how: signal.Signals) -> None:
        process, self._process, self.paused = self._process, None, False
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)  # a frozen process takes nothing but SIGKILL
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _as_pairs(reply: Reply) -> dict[bytes, bytes]:
    assert isinstance(reply, list)
    words = [word for word in reply if isinstance(word, bytes)]
    return dict(zip(words[::2], words[1::2], strict=True))


def launch(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """
    Start a program in a folder; what it says goes to the file ``output`` there. It does not outlive the test process.
    """
    # The kernel then ends the server with the thread that started it, however that ends; so only for a thread
    # that lasts as long as the process. A preexec_fn could do the same, but warns about threads since 3.12.
    setpriv = shutil.which("setpriv")
    if setpriv and threading.current_thread() is threading.main_thread():
        command = [setpriv, "--pdeathsig", "KILL", "--", *command]
    with (folder / "output").open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,  # Ctrl-C in the terminal is for pytest
        )


def free_port() -> int:
    """
    Choose a port that nobody listens on at the moment.
    """
    while True:
        port = _random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


@atexit.register
def _close_all() -> None:
    for server in list(_living):
        server.close()


class ServerPool:
    """
    One running server per program, started when first asked for and reset each time after.
    """

    def __init__(self) -> None:
        self._servers: dict[str, Server] = {}

    def get(self, program: Program) -> Server:
        """
        Return the server of this program, empty and with its original configuration.
        """
        server = self._servers.get(program.identifier)
        if server is None:
            server = self._servers[program.identifier] = Server(program)
        else:
            server.reset()
        return server

    def close(self) -> None:
        """
        End all servers.
        """
        while self._servers:
            self._servers.popitem()[1].close()


def requires(server: Server, *minimum: str, feature: str) -> None:
    """
    Skip the running test, visibly, unless the server is one of these.

    Args:
        server: what the test runs against
        minimum: products with their lowest versions, such as ``"redis-8.6"``, ``"valkey-9.0"``; one of them suffices
        feature: what needs it, for the reason shown
    """
    if not any(map(server.program.satisfies, minimum)):
        pytest.skip(f"{feature} needs {' or '.join(minimum)}, and this is {server.identifier}")
