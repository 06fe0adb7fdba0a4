"""
A client that nobody closed says so, once, and takes its sockets with it.

Each case runs in a process of its own, because finalizers print what goes wrong instead of raising it.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.servers import Server

_BEGIN = """
import asyncio, gc, os, sys, warnings

def show(message, category, *_):
    print(category.__name__, str(message).split(":")[0].split(" db=")[0].split(" fd=")[0].rsplit(" ", 1)[0])

def sockets():
    gc.collect()
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += "socket:" in os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return found

def in_no_hurry():
    # A busy machine is no news: asyncio's debug mode would report every callback that took 0.1 s.
    asyncio.get_running_loop().slow_callback_duration = 60

warnings.simplefilter("always")
warnings.showwarning = show
sys.unraisablehook = lambda problem: print("unraisable", problem.exc_value)
port = int(sys.argv[1])
"""

_BLOCKING = """
from coredis.sync import Redis

before = sockets()
client = Redis(host="127.0.0.1", port=port)
client.ping()
consumer = client.xconsumer(["stream"], timeout=1)
consumer.get_entry()
del client, consumer
print(sockets() - before)
"""

_AT_EXIT = """
import sys
from coredis.sync import Redis

client = Redis(host="127.0.0.1", port=int(sys.argv[1]))
client.ping()
"""

_ASYNCHRONOUS = """
from coredis import Redis

async def main():
    in_no_hurry()
    before = sockets()
    client = Redis(host="127.0.0.1", port=port)
    await asyncio.gather(client.ping(), client.blpop(["none"], timeout=0.01))
    del client
    gc.collect()
    await asyncio.sleep(0.05)
    print(sockets() - before)

asyncio.run(main(), debug=True)
"""

_IN_A_CYCLE = """
from coredis import Redis

async def main():
    in_no_hurry()
    before = sockets()
    client = Redis(host="127.0.0.1", port=port)
    client.itself = client
    await client.ping()
    del client
    await asyncio.to_thread(gc.collect)  # the finalizer runs in whatever thread collects
    await asyncio.sleep(0.05)
    print(sockets() - before)

asyncio.run(main(), debug=True)
"""

_CLOSED = """
from coredis import Redis
from coredis.sync import Redis as BlockingRedis

async def main():
    in_no_hurry()
    client = Redis(host="127.0.0.1", port=port)
    await client.ping()
    await client.close()

before = sockets()
asyncio.run(main(), debug=True)
with BlockingRedis(host="127.0.0.1", port=port) as client:
    client.ping()
Redis(port=port), BlockingRedis(port=port)  # never used: there is nothing to close
del client
print(sockets() - before)
"""

_WARNING = "ResourceWarning unclosed client <Redis"


def run(script: str, server: Server) -> list[str]:
    """
    Run a script in development mode, with the port of the server as its argument.

    Returns:
        what it printed; nothing else may have been said
    """
    done = execute(_BEGIN + script, server)
    assert "" == done.stderr
    return done.stdout.splitlines()


def execute(script: str, server: Server) -> subprocess.CompletedProcess[str]:
    """
    Run a script in development mode.
    """
    command = [sys.executable, "-X", "dev", "-c", script, str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert 0 == done.returncode, done.stderr
    return done


@pytest.mark.parametrize("script", [_BLOCKING, _ASYNCHRONOUS, _IN_A_CYCLE], ids=["blocking", "async", "cycle"])
def test_an_unclosed_client_warns_and_closes_its_sockets(server: Server, script: str) -> None:
    """
    One warning, no open socket, not a word more.
    """
    *warnings, left_open = run(script, server)

    assert [_WARNING] == [line for line in warnings if "client" in line]
    assert "0" == left_open


def test_an_unclosed_client_at_the_end_of_the_process(server: Server) -> None:
    """
    The interpreter is half gone by then.
    """
    done = execute(_AT_EXIT, server)

    said = [line for line in done.stderr.splitlines() if not line.startswith("  ")]  # without the line of source
    assert "" == done.stdout
    assert 1 == len(said)
    assert "ResourceWarning: unclosed client <Redis 127.0.0.1" in said[0]


def test_a_closed_client_says_nothing(server: Server) -> None:
    """
    Nor does one that was never used.
    """
    assert ["0"] == run(_CLOSED, server)
