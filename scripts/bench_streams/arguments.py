"""
The command line of the benchmark.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from bench_streams.clients import CLIENTS
from bench_streams.workloads import WORKLOADS

#: What ``--quick`` is: one repetition, two short passes, no uvloop.
QUICK_SCALE = 0.1
QUICK_PASSES = 2


@dataclass(frozen=True, slots=True)
class Arguments:
    """
    What the user asked for, checked.

    Attributes:
        clients: names, in the order of the tables
        workloads: names, in the order of the tables
        repetitions: how often each is measured, in processes of its own
        passes: how often each process does it; the best counts
        scale: of the sizes of all workloads
        pinned: pin what goes one at a time
        server: a server program; None chooses one
        against: another checkout to compare with; None: none
        results: where the JSON goes; None: nowhere
        plots: the folder of the pictures; None: no pictures
        instructions: count instructions instead of time
        growth: measure what an entry costs as streams become many and long, instead of clients
    """

    clients: tuple[str, ...]
    workloads: tuple[str, ...]
    repetitions: int
    passes: int
    scale: float
    pinned: bool
    server: str | None
    against: Path | None
    results: Path | None
    plots: Path | None
    instructions: bool
    growth: bool


def parse(arguments: Sequence[str] | None = None) -> Arguments:
    """
    Read the command line.

    Raises:
        SystemExit: 2 with a message on stderr when an option is wrong, 0 for ``--help``.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure this client beside its peers and the limits of the machine. The table, in Markdown, goes to "
        "standard output; progress goes to standard error.",
        epilog=f"Clients: {', '.join(CLIENTS)}. Workloads: {', '.join(WORKLOADS)}.",
    )
    parser.add_argument("--clients", metavar="PATTERNS", default="*", help="such as 'coredis-*,redis-sync'")
    parser.add_argument("--workloads", metavar="PATTERNS", default="*", help="such as 'W3.*,W4.ping.t1'")
    parser.add_argument("--repetitions", type=_positive, metavar="N", help="default: 3")
    parser.add_argument("--passes", type=_positive, metavar="N", help="in each process, the best counts; default: 3")
    parser.add_argument("--scale", type=_scale, metavar="X", help="multiply the size of every workload; default: 1")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"one repetition of {QUICK_PASSES} passes, sizes times {QUICK_SCALE}, without uvloop: under two minutes",
    )
    parser.add_argument(
        "--unpinned", action="store_true", help="do not pin what goes one at a time to a single processor"
    )
    parser.add_argument("--server", metavar="PROGRAM", help="default: the newest Redis here, else the embedded Valkey")
    parser.add_argument("--against", type=_checkout, metavar="FOLDER", help="measure this other checkout as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to a file")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write the pictures to a folder")
    parser.add_argument(
        "--instructions", action="store_true", help="count the instructions of the hot paths instead (with valgrind)"
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="measure what an entry costs as streams become many and long instead (about 2 GB of memory)",
    )
    options = parser.parse_args(arguments)
    clients = _chosen(parser, "--clients", options.clients, CLIENTS)
    if options.quick and options.clients == "*":
        clients = tuple(name for name in clients if not CLIENTS[name].uvloop)
    return Arguments(
        clients=clients,
        workloads=_chosen(parser, "--workloads", options.workloads, WORKLOADS),
        repetitions=options.repetitions or (1 if options.quick else 3),
        passes=options.passes or (QUICK_PASSES if options.quick else 3),
        scale=options.scale or (QUICK_SCALE if options.quick else 1.0),
        pinned=not options.unpinned,
        server=options.server,
        against=options.against,
        results=options.json,
        plots=options.plots,
        instructions=options.instructions,
        growth=options.growth,
    )


def _chosen(parser: argparse.ArgumentParser, option: str, patterns: str, names: Iterable[str]) -> tuple[str, ...]:
    wanted = [pattern.strip() for pattern in patterns.split(",")]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in names):
            parser.error(f"argument {option}: nothing is called {pattern!r}: choose from {', '.join(names)}")
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in wanted))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0.01 <= scale <= 100:
        raise argparse.ArgumentTypeError(f"expected a number from 0.01 to 100, got {text!r}")
    return scale


def _checkout(text: str) -> Path:
    path = Path(text).resolve()
    if not (path / "coredis" / "__init__.py").is_file():
        raise argparse.ArgumentTypeError(f"no coredis/ in there: {text!r}")
    return path
