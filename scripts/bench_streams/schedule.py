"""
Run the measurements, each in a process of its own, interleaved.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_streams import environments
from bench_streams.arguments import Arguments
from bench_streams.clients import BASE, CLIENTS, Client
from bench_streams.server import Server
from bench_streams.workloads import ENTRIES_LENGTH, WORKLOADS, Workload

#: The longest one process may take, in seconds.
PATIENCE = 60.0
#: Sizes are multiples of this, so that pipelines, batches and tasks come out even.
GRAIN = 1000


class MeasurementFailed(Exception):
    """
    Some processes failed; the message says which, and what they said.
    """


def clients(options: Arguments) -> list[Client]:
    """
    The clients to measure, those of another checkout included.
    """
    chosen = [CLIENTS[name] for name in options.clients]
    return chosen if options.against is None else [*chosen, *BASE]


def run(options: Arguments, server: Server) -> Iterator[dict[str, Any]]:
    """
    Measure everything, and show how far it is.

    Returns:
        one record for each process: client, workload, repetition, and what ``child`` printed

    Raises:
        MeasurementFailed: at the end: a client did not do what was asked of it
    """
    chosen = clients(options)
    rows = [WORKLOADS[name] for name in options.workloads]
    pairs = [(workload, [client for client in chosen if takes_part(client, workload)]) for workload in rows]
    total = options.repetitions * sum(len(clients) for _, clients in pairs)
    done, begun, failed = 0, time.monotonic(), []
    for repetition in range(options.repetitions):
        for workload, part in pairs:
            pinned = options.pinned and workload.alone and bool(server.processors)
            processor = server.processors[repetition % len(server.processors)] if pinned else None
            server.pin(processor)
            for position in range(len(part)):
                # Another one is first each time: who follows an idle moment may find the processor faster.
                client = part[(position + repetition) % len(part)]
                _show(done, total, begun, f"{workload.name} {client.name}")
                done += 1
                try:
                    result = _measure(client, workload, options, server.port, processor)
                except MeasurementFailed as error:
                    failed.append(str(error))
                    continue
                yield {
                    "client": client.name,
                    "workload": workload.name,
                    "repetition": repetition,
                    "pinned": pinned,
                    **result,
                }
    _show(total, total, begun, "done")
    print(file=sys.stderr)
    if failed:
        raise MeasurementFailed("\n".join(failed))


def takes_part(client: Client, workload: Workload) -> bool:
    """
    Tell whether a client has what a workload needs.
    """
    if workload.method == "start":
        return client.kind != "limit"
    driver: Any = importlib.import_module(f"bench_streams.drivers.{client.driver}").Driver
    if workload.method in ("add_many", "consume_coalesced") and client.environment == "coredis6":
        return False  # it shares our driver, and has nothing of the kind
    return hasattr(driver, workload.method)


def scaled(workload: Workload, scale: float) -> int:
    """
    How many operations a pass does.
    """
    if workload.unit == "KiB":
        return workload.size  # few connections say nothing about one
    if workload.size <= GRAIN:  # each is large, or is measured by itself
        return max(min(workload.size, 30), int(workload.size * min(scale, 1)) // 10 * 10) if workload.size > 1 else 1
    size = max(GRAIN, int(workload.size * scale) // GRAIN * GRAIN)
    if workload.method in (
        "read",
        "read_decoded",
        "read_group",
        "consume",
        "consume_group",
        "consume_coalesced",
        "read_wide",
    ):
        return min(size, ENTRIES_LENGTH)
    return size


def _measure(
    client: Client, workload: Workload, options: Arguments, port: int, processor: int | None
) -> dict[str, Any]:
    code = options.against if client in BASE else environments.ROOT
    folders = [environments.ROOT / "scripts"]
    if client.environment == "peers" and client.driver.startswith("coredis"):
        assert code is not None
        folders.insert(0, code)
    command = [
        str(environments.python(client.environment)),
        *("-m", "bench_streams.child", client.name, workload.name, str(port)),
        *("--size", str(scaled(workload, options.scale)), "--passes", str(options.passes)),
        *(() if processor is None else ("--processor", str(processor))),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONHASHSEED": "0"}
    # Installed packages have their bytecode; without ours, every start would compile the whole checkout.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        finished = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment, cwd=Path("/")
        )
    except subprocess.TimeoutExpired:
        raise MeasurementFailed(f"{client.name} {workload.name}: took longer than {PATIENCE:.0f} s") from None
    if finished.returncode:
        last = finished.stderr.strip().splitlines()[-1:] or [f"exit status {finished.returncode}"]
        raise MeasurementFailed(f"{client.name} {workload.name}: {last[0]}")
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def _show(done: int, total: int, begun: float, what: str) -> None:
    elapsed = time.monotonic() - begun
    left = "" if done < 5 else f", about {elapsed / done * (total - done) / 60:.0f} min left"
    if sys.stderr.isatty():
        print(f"\r\x1b[K{done}/{total} {what}{left}", end="", file=sys.stderr, flush=True)
    elif done % 50 == 0 or done == total:
        print(f"{done}/{total} {what}{left}", file=sys.stderr, flush=True)
