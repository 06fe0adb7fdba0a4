"""
Consumers whose processes are killed in the middle of anything, and what those get that come after them.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.consuming import STREAM, TOGETHER, ConsumerProcess, Flavour
from tests.support.servers import Server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")

KILLS = 4
#: Entries added for each session: more than are waited for, so that none runs dry, however far the last one got before it
#: was killed.
FRESH = 40
TOTAL = KILLS * FRESH
BUFFER = 4
PATIENCE_SECONDS = 30.0

#: By group: how each session is made; ``{}`` is its number.
MODES: dict[str, dict[str, Any]] = {
    "backlog": {"consumer": "same", "start_from_backlog": True},
    "claim": {"consumer": "number {}", "claim_idle": 100},
    "noack": {"consumer": "same", "auto_acknowledge": True},
}


@pytest.fixture(params=["async", "blocking"])
def processes(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[dict[str, ConsumerProcess]]:
    """
    A consumer for each mode, not started yet.
    """
    flavour: Flavour = request.param
    found = {mode: ConsumerProcess(server, flavour, tmp_path / mode) for mode in MODES}
    with ExitStack() as running:
        for process in found.values():
            running.callback(process.kill)
        yield found


def start(processes: dict[str, ConsumerProcess], session: int) -> None:
    for mode, process in processes.items():
        options = {**MODES[mode], "consumer": MODES[mode]["consumer"].format(session)}
        process.start(group=mode, buffer_size=BUFFER, **options)


def got(told: list[bytes]) -> list[bytes]:
    return [line[1:] for line in told if line.startswith(b"+")]


def number(identifier: bytes) -> int:
    return int(identifier.split(b"-")[0])


def pending(server: Server, group: str) -> int:
    told = server.command("XPENDING", STREAM, group)
    assert isinstance(told, list)
    assert isinstance(told[0], int)
    return told[0]


def add(server: Server, first: int, last: int) -> None:
    with server.connect() as raw:
        raw.pipeline(("XADD", STREAM, f"{one}-0", "number", one) for one in range(first, last + 1))


def test_what_is_left_is_read_by_the_next(server: Server, processes: dict[str, ConsumerProcess]) -> None:
    """
    Killed four times at random moments. Acknowledged: everything is given, and twice only what was not acknowledged, whether
    the consumer comes back under its name with its backlog or others take over. Without acknowledgement: nothing is given
    twice, and no more is lost at each kill than a read fetches.
    """
    chance = random.Random(9)
    for mode in MODES:
        server.command("XGROUP", "CREATE", STREAM, mode, "0", "MKSTREAM")
    deadline = time.monotonic() + PATIENCE_SECONDS
    for session in range(KILLS):
        waiting = {mode: len(got(process.told)) + chance.randint(3, 20) for mode, process in processes.items()}
        add(server, session * FRESH + 1, (session + 1) * FRESH)
        start(processes, session)
        while waiting:
            for mode in [mode for mode, enough in waiting.items() if len(got(processes[mode].told)) >= enough]:
                time.sleep(chance.uniform(0, 0.002))
                processes[mode].kill()
                del waiting[mode]
            assert time.monotonic() < deadline, {
                mode: (enough, processes[mode].told) for mode, enough in waiting.items()
            }
            time.sleep(0.0005)
    time.sleep(0.1)  # what was left is old enough to be taken over at once
    start(processes, KILLS)
    add(server, TOTAL + 1, TOTAL + 1)
    everything = {b"%d-0" % one for one in range(1, TOTAL + 2)}
    while any(
        pending(server, mode) or b"%d-0" % (TOTAL + 1) not in got(process.told) for mode, process in processes.items()
    ):
        assert time.monotonic() < deadline, {mode: pending(server, mode) for mode in processes}
        time.sleep(0.005)

    for mode in ("backlog", "claim"):
        told = processes[mode].told
        assert everything == set(got(told))
        settled: set[bytes] = set()
        for line in told:
            assert not (line.startswith(b"+") and line[1:] in settled), (
                f"{mode}: {line!r} came after it was acknowledged"
            )
            if line.startswith(b"-"):
                settled.add(line[1:])
        assert len(got(told)) - len(everything) <= KILLS * TOGETHER
        for session in processes[mode].sessions:
            assert len(set(got(session))) == len(got(session)), f"{mode}: given twice in a session"
    for session in processes["backlog"].sessions:
        assert sorted(got(session), key=number) == got(session)
    seen = got(processes["noack"].told)
    assert sorted(set(seen), key=number) == seen
    assert len(everything) - len(seen) <= KILLS * (BUFFER + 1)
