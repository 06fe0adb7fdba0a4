"""
The server everything is measured on: the newest Redis there is, or the embedded Valkey.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from bench_streams.resp import Wire
from tests.support.programs import Program, discover, identify

START_SECONDS: Final = 20.0


class NoServerError(Exception):
    """
    There is none, or it does not start.
    """


def find(path: str | None) -> Program:
    """
    Choose the server program: the one that was named, else the newest Redis, else the newest Valkey.

    Raises:
        NoServerError: there is none
    """
    if path is not None:
        try:
            return identify(path)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise NoServerError(f"{path}: {error}") from error
    found = sorted(discover().programs, key=lambda program: (program.product == "redis", program.version))
    if not found:
        raise NoServerError("no server found: install redis-server, or name one with --server")
    return found[-1]


class Server:
    """
    A server process of this run's own, without persistence.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._folder = tempfile.TemporaryDirectory(prefix="coredis-bench-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder.name}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        # A session of its own: Ctrl-C in the terminal reaches this program, which then stops the server.
        self._process = subprocess.Popen([program.path, *words], stdout=subprocess.DEVNULL, start_new_session=True)
        self.wire = self._connect()

    @property
    def processors(self) -> list[int]:
        """
        The processors that this run may use.
        """
        return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def pin(self, processor: int | None) -> None:
        """
        Put the server onto one processor; None: onto all.
        """
        if self.processors:
            wanted = set(self.processors) if processor is None else {processor}
            for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), wanted)

    def stop(self) -> None:
        """
        End the server and delete its folder.
        """
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _connect(self) -> Wire:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                wire = Wire(self.port)
                wire("PING")
                return wire
            except (OSError, RuntimeError) as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise NoServerError(f"{self.program} does not start: {error}") from error
                time.sleep(0.05)
