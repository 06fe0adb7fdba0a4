"""
The hot paths whose instructions are counted. Each runs on a socket of its own process, so that nothing depends on a server.

Run by ``instructions``: ``hot_paths.py PATH ROUNDS``, or ``hot_paths.py PATH ROUNDS floor`` for the least of a client.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from bench_streams.seeding import fields

#: The word on the command line that asks for the least of a client.
FLOOR: Final = "floor"
HELLO: Final = b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n8.6.0\r\n"
IDENTIFIER: Final = b"$15\r\n1700000000000-0\r\n"


class Path(NamedTuple):
    """
    One hot path.

    Attributes:
        text: what one operation is
        flavour: ``"async"`` or ``"blocking"``
        reply: what the server answers in each round
        work: does one round with a client
        operations: in one round
        rounds: how many to run, few and many; the difference counts
        decoded: the client decodes
        consuming: the rounds are done with a consumer, which has a connection of its own
    """

    text: str
    flavour: str
    reply: bytes
    work: Callable[[Any], Any]
    operations: int = 1
    rounds: tuple[int, int] = (50, 250)
    decoded: bool = False
    consuming: bool = False


class Peer:
    """
    The other end: greets, answers the first command, and then answers what it is told to before the question comes.

    Args:
        greets: whether the client greets first
    """

    def __init__(self, greets: bool = True) -> None:
        self._greets = greets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.greet(b"+PONG\r\n")

    def greet(self, reply: bytes) -> None:
        """
        Greet the next connection, and answer its first command. From then on it is the one that is answered.
        """
        self._greeting = threading.Thread(target=self._greet, args=(reply,))
        self._greeting.start()

    def answer(self, reply: bytes) -> None:
        """
        Take what has come, and send a reply.
        """
        self._greeting.join()
        try:
            while self._socket.recv(1 << 20, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            pass
        self._socket.sendall(reply)

    def close(self) -> None:
        """
        Hang up.
        """
        self._socket.close()
        self._listener.close()

    def _greet(self, reply: bytes) -> None:
        self._socket, _ = self._listener.accept()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._greets:
            greeting = self._socket.recv(4096)
            commands = sum(line.startswith(b"*") for line in greeting.split(b"\r\n"))
            self._socket.sendall(HELLO + b"+OK\r\n" * (commands - 1))
        self._socket.recv(4096)
        self._socket.sendall(reply)


@contextmanager
def counting() -> Iterator[None]:
    """
    Have valgrind count what happens inside; the rest runs much faster.
    """
    _control("on")
    yield
    _control("off")


def _control(state: str) -> None:
    command = ["callgrind_control", "--instr=" + state, str(os.getpid())]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def run_blocking(path: Path, rounds: int) -> None:
    """
    Run some rounds in the blocking flavour.
    """
    redis: Any = importlib.import_module("coredis.sync").Redis
    peer = Peer()
    channel: Any = importlib.import_module("coredis._runtime.blocking").Channel
    stale = channel.stale

    answered = False

    def look_and_answer(self: Any) -> Any:
        # A connection is looked at before its use, and not trusted when it has data already. So the answer comes after that,
        # and who looks once more is told what they have seen.
        nonlocal answered
        if answered:
            return False
        found = stale(self)
        peer.answer(path.reply)
        answered = True
        return found

    with redis(
        "127.0.0.1", peer.port, connect_timeout=None, stream_timeout=1000, decode_responses=path.decoded
    ) as client:
        client.ping()
        if path.consuming:
            peer.greet(path.reply)
            consumer = _consumer(client)
            path.work(consumer)
            with counting():
                for _ in range(rounds):
                    peer.answer(path.reply)
                    path.work(consumer)
        else:
            channel.stale = look_and_answer
            with counting():
                for _ in range(rounds):
                    answered = False
                    path.work(client)
    peer.close()


async def run_async(path: Path, rounds: int) -> None:
    """
    Run some rounds in the asynchronous flavour.
    """
    redis: Any = importlib.import_module("coredis").Redis
    peer = Peer()
    async with redis(
        "127.0.0.1", peer.port, connect_timeout=None, stream_timeout=1000, decode_responses=path.decoded
    ) as client:
        await client.ping()
        subject = client
        if path.consuming:
            peer.greet(path.reply)
            subject = _consumer(client)
            await path.work(subject)
        with counting():
            for _ in range(rounds):
                peer.answer(path.reply)  # nothing is awaited from here to the command, so that it comes first
                await path.work(subject)
    peer.close()


def run_floor_blocking(path: Path, rounds: int) -> None:
    """
    Run some rounds with the blocking floor, which has one connection, and does not look at it before its use.
    """
    redis: Any = importlib.import_module("bench_streams.floor.blocking").Redis
    peer = Peer(greets=False)
    with redis(port=peer.port, decode_responses=path.decoded) as client:
        client.ping()
        subject = iter(_consumer(client)) if path.consuming else client
        with counting():
            for _ in range(rounds):
                peer.answer(_resp2(path.reply))
                path.work(subject)
        peer.answer(_resp2(path.reply))  # a consumer takes what it has asked for when it is left
    peer.close()


async def run_floor_async(path: Path, rounds: int) -> None:
    """
    Run some rounds with the asynchronous floor.
    """
    redis: Any = importlib.import_module("bench_streams.floor.aio").Redis
    peer = Peer(greets=False)
    async with redis(port=peer.port, decode_responses=path.decoded) as client:
        await client.ping()
        subject = aiter(_consumer(client)) if path.consuming else client
        with counting():
            for _ in range(rounds):
                peer.answer(_resp2(path.reply))
                await path.work(subject)
    peer.close()


def _resp2(reply: bytes) -> bytes:
    """
    Give the reply to a read as RESP2 has it.
    """
    return reply.replace(b"%1\r\n", b"*1\r\n*2\r\n", 1)


def _consumer(client: Any) -> Any:
    return client.xconsumer(["entries"], buffer_size=99, entries={"identifier": "0-0"})


def _entries(count: int) -> bytes:
    """
    Encode the reply to XREAD of one stream.
    """
    return b"%1\r\n$7\r\nentries\r\n" + b"*%d\r\n" % count + b"".join(map(_entry, range(count)))


def _entry(number: int) -> bytes:
    words = [word.encode() for pair in fields(number).items() for word in pair]
    flat = b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])
    return b"*2\r\n" + IDENTIFIER + b"*%d\r\n" % len(words) + flat


def _ping(client: Any) -> Any:
    return client.ping()


def _xadd(client: Any) -> Any:
    return client.xadd("entries", fields(1))


def _xread(client: Any) -> Any:
    return client.xread({"entries": "0-0"}, count=100)


def _pipeline(client: Any) -> Any:
    pipeline = client.pipeline(transaction=False)
    for number in range(100):
        pipeline.xadd("entries", fields(number))
    return pipeline.execute()


def _many(client: Any) -> Any:
    return client.xadd_many("entries", [fields(number) for number in range(100)])


def _xadd_large(client: Any) -> Any:
    return client.xadd("entries", {"value": b"x" * 100_000})


def _consume(consumer: Any) -> None:
    for _ in zip(range(100), consumer, strict=False):
        pass


async def _consume_async(consumer: Any) -> None:
    done = 0
    async for _ in consumer:
        done += 1
        if done == 100:
            break


async def _tasks(client: Any) -> None:
    async def work() -> None:
        await client.ping()

    await asyncio.gather(*[work() for _ in range(100)])


PONG: Final = b"+PONG\r\n"
PATHS: Final = {
    "ping.sync": Path("PING, blocking", "blocking", PONG, _ping),
    "ping.async": Path("PING", "async", PONG, _ping),
    "ping.tasks": Path("PING, one of 100 tasks", "async", PONG * 100, _tasks, 100, (5, 25)),
    "xadd.sync": Path("XADD of 3 fields, blocking", "blocking", IDENTIFIER, _xadd),
    "xadd.async": Path("XADD of 3 fields", "async", IDENTIFIER, _xadd),
    "pipeline.sync": Path("XADD, one of 100, blocking", "blocking", IDENTIFIER * 100, _pipeline, 100, (5, 25)),
    "pipeline.async": Path("XADD, one of 100", "async", IDENTIFIER * 100, _pipeline, 100, (5, 25)),
    "many.sync": Path("xadd_many, one of 100, blocking", "blocking", IDENTIFIER * 100, _many, 100, (5, 25)),
    "many.async": Path("xadd_many, one of 100", "async", IDENTIFIER * 100, _many, 100, (5, 25)),
    "large.sync": Path("XADD of 100 kB, blocking", "blocking", IDENTIFIER, _xadd_large, 1, (5, 25)),
    "xread.sync": Path("an entry of XREAD COUNT 100, blocking", "blocking", _entries(100), _xread, 100, (5, 45)),
    "xread.async": Path("an entry of XREAD COUNT 100", "async", _entries(100), _xread, 100, (5, 45)),
    "consumer.sync": Path(
        "an entry of a Consumer, buffer 99, blocking", "blocking", _entries(100), _consume, 100, (5, 45), consuming=True
    ),
    "consumer.async": Path(
        "an entry of a Consumer, buffer 99", "async", _entries(100), _consume_async, 100, (5, 45), consuming=True
    ),
    "decoded.async": Path("the same, decoded", "async", _entries(100), _xread, 100, (5, 45), True),
}


if __name__ == "__main__":
    chosen, count, floor = PATHS[sys.argv[1]], int(sys.argv[2]), sys.argv[3:] == [FLOOR]
    if chosen.flavour == "async":
        asyncio.run((run_floor_async if floor else run_async)(chosen, count))
    else:
        (run_floor_blocking if floor else run_blocking)(chosen, count)
