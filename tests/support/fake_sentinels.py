"""
Sentinels and servers that say what a test wants, for what real ones cannot be brought to say at a given moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tests.support.scripted import Command, Silence, Step

NO_SERVICE = b"-ERR No such master with that name\r\n"


class Listening(Protocol):
    """
    Where something listens.
    """

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Place(NamedTuple):
    """
    An address that a sentinel tells and where nobody listens.
    """

    host: str
    port: int


@dataclass
class Story:
    """
    What a sentinel says; the script of a ``ScriptedServer``. It may be changed at any time.

    Attributes:
        primary: the primary; None: the service is not known
        replicas: its replicas
        epoch: the number of the last failover
        others: how many other sentinels it knows
        flags: of the primary
        lagging: the replicas that have lost the primary
        down: the replicas that do not answer
        silent: it answers nothing
        error: it answers this, whatever it is asked
        questions: how often it was asked
    """

    primary: Listening | None
    replicas: tuple[Listening, ...] = ()
    epoch: int = 1
    others: int = 2
    flags: str = "master"
    lagging: tuple[Listening, ...] = ()
    down: tuple[Listening, ...] = ()
    silent: bool = False
    error: str = ""
    questions: int = field(default=0)

    def __call__(self, command: Command) -> Step:
        word = command[1].upper()
        self.questions += word == b"MASTER"
        if self.silent:
            return Silence()
        if self.error:
            return f"-{self.error}\r\n".encode()
        if self.primary is None:
            return b"*-1\r\n" if word == b"GET-MASTER-ADDR-BY-NAME" else NO_SERVICE
        if word == b"GET-MASTER-ADDR-BY-NAME":
            return _array(self.primary.host, str(self.primary.port))
        if word == b"MASTER":
            return _array(
                *_place(self.primary),
                *("flags", self.flags, "config-epoch", str(self.epoch), "num-other-sentinels", str(self.others)),
            )
        replicas = [
            _array(
                *_place(replica),
                *("flags", "s_down,slave,disconnected" if replica in self.down else "slave"),
                *("master-link-status", "err" if replica in self.lagging else "ok"),
            )
            for replica in self.replicas
        ]
        return b"*%d\r\n" % len(replicas) + b"".join(replicas)


@dataclass
class Node:
    """
    A server that tells its name to whoever asks with GET; the script of a ``ScriptedServer``.

    Attributes:
        name: the answer to GET
        role: what it says to ROLE: ``"master"`` or ``"slave"``
    """

    name: str
    role: str = "master"

    def __call__(self, command: Command) -> Step:
        if command[0] == b"ROLE":
            return _array(self.role)
        return b"$%d\r\n%s\r\n" % (len(self.name), self.name.encode())


def _place(where: Listening) -> tuple[str, ...]:
    return "ip", where.host, "port", str(where.port)


def _array(*words: str) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)
