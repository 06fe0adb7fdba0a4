"""
The two halves of the runtime behind one face, so that one test can be run with either.

A function of the asynchronous half gives something to await, its twin the result itself: ``do`` takes both.
"""

from __future__ import annotations

import inspect
import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, Protocol

from coredis._core.config import TCPAddress, UnixAddress
from coredis._runtime import aio, blocking
from tests.support.resp import encode_command
from tests.support.scripted import Command, Step

HOST = "127.0.0.1"


class Listening(Protocol):
    """
    Where a channel can connect.
    """

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Half:
    """
    One half of the runtime.

    Attributes:
        name: "aio" or "blocking"
        runtime: the module
    """

    def __init__(self, runtime: ModuleType) -> None:
        self.name = runtime.__name__.rpartition(".")[2]
        self.runtime = runtime
        self._channels: list[Any] = []

    async def connect(self, where: Listening | UnixAddress, context: Any = None, deadline: float = math.inf) -> Any:
        """
        Open a channel.
        """
        address = where if isinstance(where, UnixAddress) else TCPAddress(where.host, where.port)
        channel = await do(self.runtime.connect(address, context, True, deadline))
        self._channels.append(channel)
        return channel

    async def close(self) -> None:
        """
        Close what was opened.
        """
        channels, self._channels = self._channels, []
        await do(self.runtime.close_all(channels))


HALVES = [Half(aio), Half(blocking)]


async def do(result: Any) -> Any:
    """
    Await what is to be awaited.
    """
    return await result if inspect.isawaitable(result) else result


def soon(seconds: float = 5.0) -> float:
    """
    A deadline that a test that passes never meets.
    """
    return time.monotonic() + seconds


def words(*arguments: str | int) -> bytes:
    """
    Encode a command.
    """
    return encode_command(*[str(argument).encode() for argument in arguments])


def echo(command: Command) -> Step:
    """
    Answer with the last word.
    """
    return b"$%d\r\n%s\r\n" % (len(command[-1]), command[-1])


async def until(condition: Callable[[], bool], half: Half) -> None:
    """
    Wait for what another thread does.
    """
    deadline = soon()
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        await do(half.runtime.sleep(0.002))


@contextmanager
def deaf_listener() -> Iterator[TCPAddress]:
    """
    A port where connections are neither accepted nor refused.
    """
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server((HOST, 0), backlog=0))
        for _ in range(4):  # the queue of connections to be accepted is full then
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield TCPAddress(HOST, listener.getsockname()[1])


@contextmanager
def mute_listener() -> Iterator[TCPAddress]:
    """
    A port where connections are made and nothing is ever said.
    """
    with socket.create_server((HOST, 0)) as listener:
        yield TCPAddress(HOST, listener.getsockname()[1])


def free_address() -> TCPAddress:
    """
    A port where nobody listens.
    """
    with socket.create_server((HOST, 0)) as listener:
        return TCPAddress(HOST, listener.getsockname()[1])
