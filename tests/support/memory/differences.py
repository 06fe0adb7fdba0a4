"""
Send the same commands to a real server and to the one in memory, and compare every byte of the answers but the times.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from tests.support.memory.personality import PERSONALITIES
from tests.support.memory.server import MemoryServer
from tests.support.resp import Framer, connect, encode_command
from tests.support.servers import Server

#: A frame as type byte and content: text, or a list of further ones.
Tree: TypeAlias = tuple[bytes, Any]

#: Milliseconds by which times may differ: the two servers do not execute a command in the same moment.
TOLERANCE: Final = 60_000
# Facts of XINFO that are times, and facts that tell how a real server stores things.
_TIMES: Final = frozenset({b"idle", b"inactive", b"seen-time", b"active-time"})
_STORAGE: Final = frozenset({b"radix-tree-keys", b"radix-tree-nodes"})


class Twins:
    """
    A real server and one in memory with its personality, and the same number of connections to both.

    Args:
        server: the real one; it is emptied
        protocol: 2 or 3
        connections: how many
    """

    def __init__(self, server: Server, protocol: int, connections: int = 1) -> None:
        self.memory = MemoryServer(PERSONALITIES[server.identifier], now=now())
        self._real = [RealConnection(server) for _ in range(connections)]
        self._copies = [self.memory.connect() for _ in range(connections)]
        self._control = RealConnection(server)
        self._framers = [Framer() for _ in range(connections)]
        self.log: list[tuple[bytes, ...]] = []
        for real, copy in zip(self._real, self._copies, strict=True):
            for words in ((b"HELLO", b"%d" % protocol), (b"FLUSHALL",)):
                real.send(words)
                real.receive()
                copy.receive(encode_command(*words))
                copy.take()

    def close(self) -> None:
        for real in (*self._real, self._control):
            real.close()

    def run(self, *words: bytes, connection: int = 0) -> None:
        """
        Execute a command that answers at once, and compare the answers.
        """
        self.log.append(words)
        self._real[connection].send(words)
        frame = self._real[connection].receive()
        self._catch_up(words, frame)
        self._copies[connection].receive(encode_command(*words))
        (copied,) = self._taken(connection)
        self.compare(words, frame, copied)

    def start(self, *words: bytes, connection: int) -> bool:
        """
        Send a command that may wait.

        Returns:
            whether it does; otherwise the answers have been compared
        """
        self.log.append(words)
        self._real[connection].send(words)
        self.memory.advance(now())
        self._copies[connection].receive(encode_command(*words))
        if self.settle(*words, connection=connection):
            return False
        self._await_blocked(sum(copy.blocked is not None for copy in self._copies))
        return True

    def settle(self, *words: bytes, connection: int) -> bool:
        """
        Compare the answers to a command that waited, if the server in memory has one by now.
        """
        copied = self._taken(connection)
        if not copied:
            return False
        self.compare(words, self._real[connection].receive(), copied[0])
        return True

    def unblock(self, connection: int, *reason: bytes, by: int = 0) -> None:
        """
        Unblock a connection that waits.
        """
        self._real[by].send((b"CLIENT", b"UNBLOCK", b"%d" % self._real[connection].number, *reason))
        frame = self._real[by].receive()
        self._copies[by].receive(encode_command("CLIENT", "UNBLOCK", self._copies[connection].number, *reason))
        self.compare((b"CLIENT", b"UNBLOCK"), frame, *self._taken(by))

    def compare(self, words: tuple[bytes, ...], real: bytes, copied: bytes) -> None:
        """
        Compare two frames.

        Raises:
            AssertionError: they differ
        """
        if real == copied:
            return
        expected = self._without_lag(_tree(real))
        actual = tuple(_aligned(expected, self._without_lag(_tree(copied)), _is_timed(words)))
        assert expected == actual, (
            f"{b' '.join(words).decode(errors='replace')}: {_difference(expected, actual)}\n"
            f"real      {real!r}\nin memory {copied!r}"
        )

    def _without_lag(self, tree: Tree) -> Tree:
        kind, content = tree
        if self.memory.personality.exact_lag or not isinstance(content, list):
            return tree
        pairs = zip([(b"", b""), *content], content, strict=False)
        return kind, [(b"", b"") if name == (b"$", b"lag") else self._without_lag(item) for name, item in pairs]

    def _await_blocked(self, number: int) -> None:
        """
        Wait until so many clients of the real server wait, so that what comes next finds them waiting.
        """
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            self._control.send((b"INFO", b"clients"))
            if b"blocked_clients:%d\r\n" % number in self._control.receive():
                return
        raise AssertionError(f"the real server has not {number} blocked clients: {self.log[-5:]}")

    def _taken(self, connection: int) -> list[bytes]:
        return list(self._framers[connection].feed(self._copies[connection].take()))

    def _catch_up(self, words: tuple[bytes, ...], frame: bytes) -> None:
        """
        Bring the clock in memory to the moment at which the real server made an identifier.
        """
        moment = now()
        if words[0].upper() in (b"XADD", b"EXEC"):
            for made in map(int, re.findall(rb"\n([0-9]{12,15})-[0-9]+\r", frame)):
                if self.memory.now <= made <= moment:
                    moment = made
                    break
        self.memory.advance(moment)


class RealConnection:
    """
    A connection to a real server.
    """

    def __init__(self, server: Server) -> None:
        self._socket = connect(server.address)
        self._framer = Framer()
        self._frames: list[bytes] = []
        self.send((b"CLIENT", b"ID"))
        self.number = int(self.receive()[1:])

    def send(self, words: tuple[bytes, ...]) -> None:
        self._socket.sendall(encode_command(*words))

    def receive(self) -> bytes:
        while not self._frames:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError("the real server closed the connection")
            self._frames += self._framer.feed(data)
        return self._frames.pop(0)

    def close(self) -> None:
        self._socket.close()


def now() -> int:
    """
    Unix time in milliseconds.
    """
    return int(time.time() * 1000)


def _tree(frame: bytes) -> Tree:
    tree, _ = _branch(frame, 0)
    return tree


def _branch(frame: bytes, start: int) -> tuple[Tree, int]:
    end = frame.index(b"\r\n", start)
    kind, rest, at = frame[start : start + 1], frame[start + 1 : end], end + 2
    if kind in b"*%~>" and rest != b"-1":
        children = []
        for _ in range(int(rest) * (2 if kind == b"%" else 1)):
            child, at = _branch(frame, at)
            children.append(child)
        return (kind, children), at
    if kind == b"$" and rest != b"-1":
        return (kind, frame[at : at + int(rest)]), at + int(rest) + 2
    return (kind, rest), at


def _difference(expected: Tree, actual: Tree, where: str = "") -> str:
    """
    Say where two trees differ first.
    """
    if isinstance(expected[1], list) and isinstance(actual[1], list) and len(expected[1]) == len(actual[1]):
        previous = ""
        for want, have in zip(expected[1], actual[1], strict=True):
            if want != have:
                return _difference(want, have, f"{where}/{previous}")
            previous = want[1].decode(errors="replace") if isinstance(want[1], bytes) else ""
    return f"at {where or '/'} real {expected}, in memory {actual}"


def _is_timed(words: tuple[bytes, ...]) -> str:
    """
    Say where times are in the reply to a command.
    """
    name = words[0].upper()
    if name == b"XPENDING" and len(words) > 3:
        return "pending"
    if name == b"XREADGROUP":
        return "claimed"
    if name == b"XINFO":
        return "full" if b"FULL" in words else "facts"
    return "any" if name == b"EXEC" else ""


def _aligned(expected: Tree, actual: Tree, timed: str) -> Iterator[Any]:
    """
    Give the second tree, with the times of the first where they are near enough.
    """
    kind, content = actual
    if not isinstance(content, list) or not isinstance(expected[1], list) or len(content) != len(expected[1]):
        yield from actual
        return
    children = []
    for position, (want, have) in enumerate(zip(expected[1], content, strict=True)):
        name = content[position - 1][1] if position else b""
        if _may_differ(timed, content, position, name) and _near(want, have, name):
            children.append(want)
        else:
            children.append(tuple(_aligned(want, have, timed)))
    yield kind
    yield children


def _may_differ(timed: str, row: list[Tree], position: int, name: object) -> bool:
    kinds = [kind for kind, _ in row]
    if timed in ("facts", "full", "any") and isinstance(name, bytes) and name in _TIMES | _STORAGE:
        return True
    if timed in ("pending", "full", "any") and kinds == [b"$", b"$", b":", b":"]:
        return position == 2
    if timed in ("full", "any") and kinds == [b"$", b":", b":"]:
        return position == 1
    return timed in ("claimed", "any") and len(row) == 4 and kinds[2:] == [b":", b":"] and position == 2


def _near(want: Tree, have: Tree, name: object) -> bool:
    if want[0] != b":" or have[0] != b":":
        return False
    if isinstance(name, bytes) and name in _STORAGE:
        return True
    wanted, had = int(want[1]), int(have[1])
    return (wanted < 0) == (had < 0) and abs(wanted - had) <= TOLERANCE
