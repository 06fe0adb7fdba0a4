"""
Run many seeds of the simulation, from the command line.

    python -m tests.faults.simulate                        10,000 seeds, on all processors
    python -m tests.faults.simulate --seeds 1000000        a night's work
    python -m tests.faults.simulate --replay 501           one seed, with all that happened in it
    python -m tests.faults.simulate --topology cluster     on a cluster rather than one server

A seed that fails is printed with the fewest faults that still make it fail. The same seed does the same again for as long as
the library and the simulation are the same, so the commit is printed too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.support.simulation.plan import DRAWS, planned
from tests.support.simulation.run import failure, minimised
from tests.support.simulation.sessions import Violation
from tests.support.simulation.world import World

CHUNK = 500
MOST_FAILURES = 20


def main() -> int:
    """
    Run from the command line; return the exit status.
    """
    parser = argparse.ArgumentParser(description="Run many seeds of the simulation.")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--first", type=int, default=0, help="the first one (default: 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per processor)")
    parser.add_argument("--replay", type=int, metavar="SEED", help="run this one and print what happened")
    parser.add_argument("--topology", choices=sorted(DRAWS), default="single", help="one server, or a cluster")
    options = parser.parse_args()
    if options.replay is not None:
        return replay(options.replay, options.topology)
    return explore(options.first, options.seeds, options.jobs, options.topology)


def explore(first: int, seeds: int, jobs: int, topology: str = "single") -> int:
    """
    Run seeds in several processes and print those that fail.
    """
    began = time.monotonic()
    chunks = [range(start, min(start + CHUNK, first + seeds)) for start in range(first, first + seeds, CHUNK)]
    done = failed = 0
    with ProcessPoolExecutor(jobs) as pool:
        for chunk, failures in zip(chunks, pool.map(partial(_run, topology=topology), chunks), strict=True):
            done += len(chunk)
            for seed, reason in failures:
                failed += 1
                print(f"\nseed {seed}: {reason}\n{describe(seed, topology)}")
            rate = done / (time.monotonic() - began)
            print(f"\r{done} seeds, {failed} failed, {rate:.0f} a second", end="", file=sys.stderr, flush=True)
            if failed >= MOST_FAILURES:
                pool.shutdown(cancel_futures=True)
                break
    print(file=sys.stderr)
    print(f"{done} seeds, {failed} failed, commit {_commit()}")
    return 1 if failed else 0


def _run(chunk: range, topology: str) -> list[tuple[int, str]]:
    return [(seed, reason) for seed in chunk if (reason := failure(seed, planned(seed, topology))) is not None]


def describe(seed: int, topology: str = "single") -> str:
    """
    Say what a failing seed takes to fail, and how to see it.
    """
    plan, reason = minimised(seed, topology)
    return (
        f"  with only the faults {', '.join(plan.faults) or '(none)'}: {reason}\n"
        f"  commit {_commit()}; see it: python -m tests.faults.simulate --topology {topology} --replay {seed}"
    )


def replay(seed: int, topology: str = "single") -> int:
    """
    Run one seed with the fewest faults that make it fail, or with its own when it does not, and print what happened.
    """
    plan = planned(seed, topology)
    if failure(seed, plan) is not None:
        plan, _ = minimised(seed, topology)
    world = World(seed, plan)
    reason = None
    try:
        world.run()
    except Violation as violation:
        reason = violation
    print(f"seed {seed}, commit {_commit()}\n{plan}")
    for line in _story(world):
        print(line)
    print(f"failed: {reason}" if reason is not None else "nothing is wrong")
    return 0 if reason is None else 1


def _story(world: World) -> Iterator[str]:
    for step, fault in world.history:
        yield f"  step {step}: {fault}"
    for event in world.journal.events:
        what = " ".join(
            part.decode(errors="replace") for part in (event.key, event.group, event.consumer, *event.fields) if part
        )
        yield f"  connection {event.connection}: {event.kind} {event.identifier} {what}"
    for session in world.sessions:
        yield f"  {session}"
    for reader in world.readers:
        yield f"  {reader.host}: {reader.consumer.statistics}"


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent, check=False
    )
    return answer.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
