"""
Play a server that answers exactly what a test says, well-formed or not.

    with ScriptedServer([b":1\\r\\n", b"-LOADING wait\\r\\n", Reset()]) as server:
        ...                     # the client connects to server.host and server.port
        server.commands         # what it sent, parsed, without the handshake

The script is a list of steps, one for each command in order of arrival whatever the connection, or a function from a
command to a step. The commands of a handshake are answered apart from it and do not use up steps.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.support.reactor import READ, WRITE, Reactor, close_with_reset
from tests.support.resp import Framer, decode

HOST: Final = "127.0.0.1"
OK: Final = b"+OK\r\n"
HELLO_RESP3: Final = (
    b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n"
    b"$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
)
HELLO_RESP2: Final = HELLO_RESP3.replace(b"%7", b"*14", 1).replace(b":3", b":2", 1)
NO_HELLO: Final = b"-ERR unknown command 'HELLO'\r\n"

Command: TypeAlias = list[bytes]


@dataclass(frozen=True, slots=True)
class Silence:
    """
    Answer nothing.
    """


@dataclass(frozen=True, slots=True)
class Close:
    """
    Send these bytes and close the connection in an orderly way.
    """

    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Reset:
    """
    Reset the connection.
    """


@dataclass(frozen=True, slots=True)
class Late:
    """
    Send these bytes after so many seconds.
    """

    seconds: float
    reply: bytes


Step: TypeAlias = bytes | Silence | Close | Reset | Late
Script: TypeAlias = Iterable[Step] | Callable[[Command], Step]


class ScriptedServer(Reactor):
    """
    A server on a free port of 127.0.0.1 that follows a script.

    Args:
        script: the steps, or a function giving them; it runs on the server's thread. When a list is used up, every
            further command is answered with an error reply that says so.
        handshake: answers to commands of the handshake by their name (or first two words), instead of or besides the
            usual ones, such as ``{"HELLO": NO_HELLO}``
        handshake_in_script: the script answers the handshake as well
        unasked: what it sends as soon as a connection is accepted
    """

    def __init__(
        self,
        script: Script = (),
        *,
        handshake: Mapping[str, Step] | None = None,
        handshake_in_script: bool = False,
        unasked: bytes = b"",
    ) -> None:
        super().__init__("scripted server")
        self.host: Final = HOST
        self.port = 0
        self._answer = script if callable(script) else _follow(script)
        self._handshake: dict[str, Step] = {}
        if not handshake_in_script:
            self._handshake = {"AUTH": OK, "SELECT": OK, "CLIENT SETNAME": OK, "CLIENT SETINFO": OK}
            self._handshake |= handshake or {}
        self._answers_hello = not handshake_in_script
        self._listener: socket.socket | None = None
        self._peers: list[_Peer] = []
        self._accepted = 0
        self._unasked = unasked
        self._commands: list[Command] = []
        self._handshakes: list[Command] = []

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def accepted(self) -> int:
        """
        How many connections were accepted so far.
        """
        return self.call(lambda: self._accepted)

    @property
    def live(self) -> int:
        """
        How many connections are open.
        """
        return self.call(lambda: len(self._peers))

    @property
    def commands(self) -> list[Command]:
        """
        The commands received, handshakes left out.
        """
        return self.call(lambda: list(self._commands))

    @property
    def handshakes(self) -> list[Command]:
        """
        The commands answered as part of a handshake.
        """
        return self.call(lambda: list(self._handshakes))

    def push(self, data: bytes) -> None:
        """
        Send bytes that nobody asked for on every open connection.
        """

        def run() -> None:
            for peer in list(self._peers):
                peer.send(data)

        self.call(run)

    def start(self) -> None:
        self._listener = socket.create_server((self.host, 0), backlog=128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        super().start()
        self.call(self._listen)

    def close_sockets(self) -> None:
        for peer in list(self._peers):
            peer.close()
        if self._listener is not None:
            self._listener.close()

    def answer(self, command: Command) -> Step:
        """
        Choose the step for a command and record it; for the server's own thread.
        """
        name = command[0].upper().decode(errors="replace")
        words = f"{name} {command[1].upper().decode(errors='replace')}" if len(command) > 1 else name
        step = self._handshake.get(words, self._handshake.get(name))
        if step is None and name == "HELLO" and self._answers_hello:
            step = HELLO_RESP2 if command[1:2] == [b"2"] else HELLO_RESP3
        if step is not None:
            self._handshakes.append(command)
            return step
        self._commands.append(command)
        return self._answer(command)

    def forget(self, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)

    def _listen(self) -> None:
        assert self._listener is not None
        self.watch(self._listener, READ, self._accept)

    def _accept(self, _: int) -> None:
        assert self._listener is not None
        try:
            connection, _address = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted += 1
        self._peers.append(_Peer(self, connection))
        self._peers[-1].send(self._unasked)


class _Peer:
    """
    One connection of a scripted server.
    """

    def __init__(self, server: ScriptedServer, connection: socket.socket) -> None:
        self._server = server
        self._connection = connection
        self._framer = Framer()
        self._output = bytearray()
        self._closing = False
        self._watch()

    def send(self, data: bytes) -> None:
        if self._connection.fileno() >= 0 and not self._closing:
            self._output += data
            self._flush()

    def close(self, *, reset: bool = False) -> None:
        if self._connection.fileno() >= 0:
            self._server.watch(self._connection, 0, self._ready)
            if reset:
                close_with_reset(self._connection)
            else:
                self._connection.close()
        self._server.forget(self)

    def _watch(self) -> None:
        if self._connection.fileno() >= 0:
            self._server.watch(self._connection, READ | (WRITE if self._output else 0), self._ready)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & READ and self._connection.fileno() >= 0:
            try:
                data = self._connection.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                return self.close()
            if not data:
                return self.close()
            for frame in self._framer.feed(data):
                command = decode(frame)
                assert isinstance(command, list), "a client sends arrays"
                self._perform(self._server.answer([word for word in command if isinstance(word, bytes)]))

    def _perform(self, step: Step) -> None:
        match step:
            case bytes():
                self.send(step)
            case Late(seconds, reply):
                self._server.later(seconds, lambda: self.send(reply))
            case Close(after):
                self.send(after)
                self._closing = True
                self._flush()
            case Reset():
                self.close(reset=True)
            case Silence():
                pass

    def _flush(self) -> None:
        try:
            while self._output:
                del self._output[: self._connection.send(self._output)]
        except BlockingIOError:
            pass
        except OSError:
            return self.close()
        if self._closing and not self._output:
            return self.close()
        return self._watch()


def _follow(steps: Iterable[Step]) -> Callable[[Command], Step]:
    remaining = deque(steps)

    def answer(command: Command) -> Step:
        if remaining:
            return remaining.popleft()
        return b"-ERR the script has no step for %s\r\n" % command[0].upper()

    return answer
