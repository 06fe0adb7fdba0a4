"""
Count the instructions of the hot paths: a figure that a busy machine does not change.

Each path is run twice under valgrind, once with more rounds than the other; the difference is what the rounds cost,
without what they need only once. Time is another matter: waiting for memory and for the kernel does not show here.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from bench_streams import environments
from bench_streams.hot_paths import FLOOR, PATHS

_COLLECTED: Final = re.compile(r"Collected : (\d+)")


def report(against: Path | None) -> str:
    """
    Count this checkout's instructions, those of the floor, and another checkout's if there is one, and show them as Markdown.
    """
    heads = ["hot path", "instructions", "floor", "÷ floor", *(() if against is None else ("base", "ratio"))]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    environments.python("peers")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ours = list(pool.map(lambda path: count(path, environments.ROOT), PATHS))
        floor = list(pool.map(lambda path: count(path, environments.ROOT, FLOOR), PATHS))
        base = [] if against is None else list(pool.map(lambda path: count(path, against), PATHS))
    for position, path in enumerate(PATHS):
        cells = [f"{path} ({PATHS[path].text})", f"{ours[position]:,.0f}"]
        cells += [f"{floor[position]:,.0f}", f"{ours[position] / floor[position]:.2f}"]
        if base:
            cells += [f"{base[position]:,.0f}", f"{ours[position] / base[position]:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def count(path: str, checkout: Path, *words: str) -> float:
    """
    Instructions of one operation of a hot path.

    Args:
        path: its name
        checkout: whose code
        words: for the command line of ``hot_paths``
    """
    few, many = PATHS[path].rounds
    return (
        (_collected(path, many, checkout, words) - _collected(path, few, checkout, words))
        / (many - few)
        / PATHS[path].operations
    )


def _collected(path: str, rounds: int, checkout: Path, words: Iterable[str]) -> int:
    command = [
        *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"),
        *(str(environments.python("peers")), "-m", "bench_streams.hot_paths", path, str(rounds), *words),
    ]
    folders = [str(checkout), str(environments.ROOT / "scripts")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders), "PYTHONHASHSEED": "0"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd="/")
    found = _COLLECTED.search(run.stderr)
    if run.returncode or found is None:
        raise OSError(f"valgrind: {run.stderr.strip()[-1000:]}")
    return int(found[1])
