"""
The command line of the demo: options, their limits, and errors that name the option and the value.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coredis.sync import Redis

DATA = Path(__file__).parent / "data" / "earthquakes.csv"
#: The field of our own data set that chooses the stream of an event.
DATA_FIELD = "network"
#: How many events ``--quick`` takes: enough for a few failures, done in about a second.
QUICK_COUNT = 300
#: Above this almost every entry needs many attempts, and the demo shows nothing but failing.
HIGHEST_FAILURE_RATE = 0.9


@dataclass(frozen=True, slots=True)
class Arguments:
    """
    What the user asked for, checked.

    Attributes:
        url: the server to use; None for an embedded one
        input: the file of events
        by: the field that chooses the stream; None deals the events out in turn
        count: take only so many events of the file; None for all
        repeat: how often to produce them
        failures: the share of entries, 0 to 0.9, at which one of the consumers fails
        seed: of the random numbers that decide about failing
    """

    url: str | None
    input: Path
    by: str | None
    count: int | None
    repeat: int
    failures: float
    seed: int


def parse(arguments: Sequence[str] | None = None) -> Arguments:
    """
    Read the command line.

    Args:
        arguments: the words after the program's name; None takes those of this process

    Raises:
        SystemExit: 2 with a message on stderr when an option is wrong, 0 for ``--help``.
    """
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Load real events into three streams and let two group consumers drain them together, "
        "asynchronously and then in blocking form. One of the two fails now and then and picks up its backlog.",
        epilog="Exit status: 0 every entry was completed exactly once; 1 it was not, or the server failed; "
        "2 wrong usage; 130 interrupted.",
    )
    parser.add_argument("--url", type=_url, help="server to use, as redis://localhost:6379 (default: an embedded one)")
    parser.add_argument("--input", type=_file, metavar="FILE", help="JSON Lines or CSV (default: earthquakes)")
    parser.add_argument(
        "--by",
        metavar="FIELD",
        help=f"field that chooses the stream (default: {DATA_FIELD}; events of another file are dealt out in turn)",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--count", type=_positive, metavar="N", help="take only the first N events of the file")
    size.add_argument(
        "--quick", action="store_const", const=QUICK_COUNT, dest="count", help=f"the same as --count {QUICK_COUNT}"
    )
    parser.add_argument(
        "--repeat", type=_positive, default=1, metavar="N", help="produce each event N times (default: 1)"
    )
    parser.add_argument(
        "--failures", type=_rate, default=0.05, metavar="RATE", help="how often one consumer fails (default: 0.05)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the failures' random numbers (default: 1)")
    options = parser.parse_args(arguments)
    return Arguments(
        url=options.url,
        input=options.input or DATA,
        by=options.by if options.by or options.input else DATA_FIELD,
        count=options.count,
        repeat=options.repeat,
        failures=options.failures,
        seed=options.seed,
    )


def _url(text: str) -> str:
    try:
        # Nothing is sent: a client connects with its first command. It is made to have the whole URL checked.
        Redis.from_url(text).close()
    except (ValueError, TypeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text!r}")
    return path


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= HIGHEST_FAILURE_RATE:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {HIGHEST_FAILURE_RATE}, got {text!r}")
    return rate
