"""
What an entry costs as streams become many and long, and as more and more of them are held, for this client beside itself: the
processor time of its process for each entry, and how much its memory grows while it reads.

What does not depend on the number of entries (connecting, making the consumer, the first read) is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from bench_streams import environments
from bench_streams.clients import CLIENTS, OURS_ASYNC, OURS_BLOCKING
from bench_streams.seeding import FIELDS_SCRIPT
from bench_streams.server import Server

#: How many streams share so many entries, and at least so many of each: several replies.
STREAMS: Final = (1, 10, 100, 1_000, 10_000)
SHARED: Final = 100_000
SHARED_EACH: Final = 100
#: How long one stream is that is read from end to end.
LENGTHS: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
#: Entries in a reply, of all streams together, and at least so many of each.
REPLY: Final = 1_000
REPLY_EACH: Final = 10
#: Entries in a reply of a long stream: several replies even of the shortest.
REPLY_LONG: Final = 100
#: How many entries a member of a group holds, of one stream, before it acknowledges them.
HELD: Final = (100, 1_000, 10_000)
#: Short streams are read again and again until so many entries have been read.
LEAST: Final = 100_000
PASSES: Final = 3

_CLIENTS: Final = (OURS_ASYNC, OURS_BLOCKING)


def report(server: Server) -> str:
    """
    Measure, and show it as Markdown.
    """
    lines = ["### Cost against work", "", *_head("streams", "entries of each", "in a reply")]
    firsts: dict[str, float] = {}
    for streams in STREAMS:
        length = max(SHARED_EACH, SHARED // streams)
        keys = [f"growth:{streams}:{number}" for number in range(streams)]
        for key in keys:
            _lengthen(server, key, 0, length)
        reply = max(REPLY_EACH, REPLY // streams)
        lines.append(_row(server, [streams, length, reply], keys, length, reply, firsts))
        server.wire("FLUSHALL")
    firsts, before = {}, 0
    for length in LENGTHS:
        _lengthen(server, "growth", before, length)
        before = length
        lines.append(_row(server, [1, length, REPLY_LONG], ["growth"], length, REPLY_LONG, firsts))
    server.wire("FLUSHALL")
    lines += ["", *_head("held, with `claim_idle`")]
    firsts = {}
    _lengthen(server, "growth", 0, SHARED)
    for held in HELD:
        lines.append(_row(server, [held], ["growth"], SHARED, REPLY_LONG, firsts, held))
    return "\n".join(lines) + "\n"


def _head(*columns: str) -> list[str]:
    names = [f"{name}, µs an entry | ÷ first | memory grows, MiB" for name in _CLIENTS]
    return ["| " + " | ".join([*columns, *names]) + " |", "|" + "---:|" * (len(columns) + 3 * len(names))]


def _row(
    server: Server, what: list[int], keys: list[str], length: int, reply: int, firsts: dict[str, float], held: int = 0
) -> str:
    cells = [f"{number:,}" for number in what]
    for name in _CLIENTS:
        found = _measure(name, server.port, keys, length, reply, held)
        first = firsts.setdefault(name, found["cpu"])
        cells += [f"{found['cpu']:.2f}", f"{found['cpu'] / first:.2f}", f"{found['memory']:.1f}"]
        print(f"{' x '.join(cells[: len(what)])} {name}: {found['cpu']:.2f} us", file=sys.stderr, flush=True)
    return "| " + " | ".join(cells) + " |"


def _lengthen(server: Server, key: str, before: int, length: int) -> None:
    step = 100_000
    for first in range(before, length, step):
        server.wire("EVAL", FIELDS_SCRIPT, 1, key, first, min(first + step, length) - 1)


def _measure(name: str, port: int, keys: list[str], length: int, reply: int, held: int) -> dict[str, Any]:
    total = length * len(keys)
    rounds = max(1, LEAST // total)
    command = [
        str(environments.python("peers")),
        *("-m", "bench_streams.growing", CLIENTS[name].flavour, str(port)),
        *("--buffer", str(reply - 1), "--entries", str(total)),
        *("--rounds", str(rounds), "--passes", str(PASSES if total <= 10 * SHARED else 1), "--held", str(held)),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(environments.ROOT), str(environments.ROOT / "scripts")]),
        "PYTHONHASHSEED": "0",
    }
    run = subprocess.run(
        command, input="\n".join(keys), capture_output=True, text=True, check=False, env=environment, cwd=Path("/")
    )
    if run.returncode:
        raise OSError(f"{name}: {run.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(run.stdout)
    return found
