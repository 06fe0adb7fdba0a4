"""
Decide which of a server's bytes reach the client when a fault is to strike at a reply.

Pure: bytes in, bytes and marks out. Replies are told apart by RESP framing and matched with commands in their order;
pushes answer nothing. Where a subscription makes replies and commands differ in number, name no command in the fault.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.support.resp import Framer, NotRESP, decode


class Mark(enum.Enum):
    """
    What follows the bytes of one direction.
    """

    END = "orderly end"
    RESET = "reset"


Item: TypeAlias = bytes | Mark


@dataclass(slots=True)
class ReplyFault:
    """
    What is to happen to one reply.

    Attributes:
        kind: lose the reply, or deliver its first ``keep`` bytes and reset
        command: strike only at a reply to this command
        countdown: strike at the n-th such reply
        keep: for ``"cut"``: bytes delivered; when the reply has fewer, the count goes on into the following ones
        reset: for ``"swallow"``: reset the connection in the reply's place
    """

    kind: Literal["swallow", "cut"]
    command: bytes | None = None
    countdown: int = 1
    keep: int = 0
    reset: bool = True

    def strikes(self, command: bytes | None) -> bool:
        """
        Count a reply, and say whether this is the one.
        """
        if self.command not in (None, command):
            return False
        self.countdown -= 1
        return self.countdown == 0


@dataclass(slots=True)
class Armed:
    """
    The fault waiting to strike, shared by all connections of a proxy, and how many have struck.
    """

    fault: ReplyFault | None = None
    struck: int = 0


class ReplyFilter:
    """
    The bytes of one connection: those of the client are noted, those of the server pass through.

    While no fault waits, bytes pass as they come. While one does, a reply is held until it is whole.
    """

    def __init__(self, armed: Armed) -> None:
        self._armed = armed
        self._requests: Framer | None = Framer()
        self._replies: Framer | None = Framer()
        self._awaiting: deque[bytes] = deque()
        self._partial = b""
        self._passed = 0  # bytes of the partial reply that went on already
        self._allowance: int | None = None
        self._over = False

    def note_request(self, data: bytes) -> None:
        """
        Take bytes from the client.
        """
        if self._requests is None:
            return
        try:
            for frame in self._requests.feed(data):
                command = decode(frame)
                name = command[0] if isinstance(command, list) and command else None
                self._awaiting.append(name.upper() if isinstance(name, bytes) else b"")
        except NotRESP:
            self._requests = None

    def pass_replies(self, data: bytes) -> list[Item]:
        """
        Take bytes from the server and return what to send to the client. Nothing follows a reset.
        """
        output: list[Item] = []
        fault = self._armed.fault
        if fault is not None and fault.kind == "cut" and fault.command is None:
            self._strike(fault, output)
        if self._replies is None:
            self._send(data, output)
            return output
        try:
            frames = list(self._replies.feed(data))
        except NotRESP:
            self._replies = None
            self._send((self._partial + data)[self._passed :], output)
            return output
        for frame in frames:
            self._pass_reply(frame, output)
            self._passed = 0
        self._partial = (self._partial + data)[sum(map(len, frames)) :]
        if self._armed.fault is None or self._passed:
            self._send(self._partial[self._passed :], output)
            self._passed = len(self._partial)
        return output

    def _pass_reply(self, frame: bytes, output: list[Item]) -> None:
        rest = frame[self._passed :]
        if frame.startswith(b">"):
            return self._send(rest, output)
        command = self._awaiting.popleft() if self._awaiting else None
        fault = self._armed.fault
        # A reply that is partly delivered can no longer be lost whole, so it does not count.
        if fault is None or self._passed or self._over or not fault.strikes(command):
            return self._send(rest, output)
        self._strike(fault, output)
        if fault.kind == "cut":
            self._send(rest, output)
        return None

    def _strike(self, fault: ReplyFault, output: list[Item]) -> None:
        self._armed.fault = None
        self._armed.struck += 1
        if fault.kind == "cut":
            self._allowance = fault.keep
            self._send(b"", output)
        elif fault.reset:
            self._end(output)

    def _send(self, data: bytes, output: list[Item]) -> None:
        if self._over:
            return
        if self._allowance is not None:
            data = data[: self._allowance]
            self._allowance -= len(data)
        if data:
            output.append(data)
        if self._allowance == 0:
            self._end(output)

    def _end(self, output: list[Item]) -> None:
        self._over = True
        output.append(Mark.RESET)
