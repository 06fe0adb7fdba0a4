"""
A consumer in a process of its own that can be killed, and tells in a file what it got and what it acknowledged.

The process is forked, which takes a hundredth of the time of a new interpreter. What it writes to the file is there when
it is killed in the next instruction.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
import traceback
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias

import coredis
import coredis.sync
from tests.support.servers import Server

Flavour: TypeAlias = Literal["async", "blocking"]

STREAM: Final = "a"
#: Entries that are acknowledged together.
TOGETHER: Final = 3
#: How long an entry is worked on (seconds), so that some are left when the process is killed.
_WORK: Final = 0.001


class ConsumerProcess:
    """
    The sessions of one consumer, one after the other, each in a process that is killed.

    Args:
        server: to read from
        flavour: of the client
        path: the file, which all sessions add to
    """

    def __init__(self, server: Server, flavour: Flavour, path: Path) -> None:
        self._server = server
        self._flavour = flavour
        self._path = path
        self._path.touch()
        self._pid = 0

    def start(self, **options: Any) -> None:
        """
        Begin a session.

        Args:
            options: of the group consumer
        """
        parent = os.getpid()
        with self._path.open("ab", buffering=0) as file:
            file.write(b"session\n")
            self._pid = os.fork()
            if self._pid == 0:
                self._run(file.fileno(), parent, options)

    def kill(self) -> None:
        """
        End the session, wherever it is.
        """
        pid, self._pid = self._pid, 0
        if pid:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            assert -signal.SIGKILL == os.waitstatus_to_exitcode(status), "the consumer had ended by itself"

    @property
    def sessions(self) -> list[list[bytes]]:
        """
        What each session told: ``+`` and ``-`` with the identifier of an entry that it got and that it acknowledged.
        """
        lines = self._path.read_bytes().split(b"\n")[:-1]
        sessions: list[list[bytes]] = []
        for line in lines:
            if line == b"session":
                sessions.append([])
            else:
                sessions[-1].append(line)
        return sessions

    @property
    def told(self) -> list[bytes]:
        """
        The same for all sessions together.
        """
        return [line for session in self.sessions for line in session]

    def _run(self, file: int, parent: int, options: dict[str, Any]) -> NoReturn:
        try:
            if self._flavour == "async":
                asyncio.run(self._consume(file, parent, options))
            else:
                self._consume_blocking(file, parent, options)
        except BaseException:
            os.write(file, b"".join(b"!%b\n" % line.encode() for line in traceback.format_exc().splitlines()))
        finally:
            os._exit(1)

    async def _consume(self, file: int, parent: int, options: dict[str, Any]) -> None:
        async with coredis.Redis(host=self._server.host, port=self._server.port) as client:
            consumer: Any = client.xconsumer([STREAM], timeout=100, **options)
            got: list[bytes] = []
            while os.getppid() == parent:
                _, entry = await consumer.get_entry()
                if entry is not None:
                    os.write(file, b"+%b\n" % entry.identifier)
                    got.append(entry.identifier)
                    await asyncio.sleep(_WORK)
                if "auto_acknowledge" not in options and (len(got) == TOGETHER or (got and entry is None)):
                    await consumer.ack(STREAM, *got)
                    os.write(file, b"".join(b"-%b\n" % identifier for identifier in got))
                    got = []

    def _consume_blocking(self, file: int, parent: int, options: dict[str, Any]) -> None:
        with coredis.sync.Redis(host=self._server.host, port=self._server.port) as client:
            consumer: Any = client.xconsumer([STREAM], timeout=100, **options)
            got: list[bytes] = []
            while os.getppid() == parent:
                _, entry = consumer.get_entry()
                if entry is not None:
                    os.write(file, b"+%b\n" % entry.identifier)
                    got.append(entry.identifier)
                    time.sleep(_WORK)
                if "auto_acknowledge" not in options and (len(got) == TOGETHER or (got and entry is None)):
                    consumer.ack(STREAM, *got)
                    os.write(file, b"".join(b"-%b\n" % identifier for identifier in got))
                    got = []
