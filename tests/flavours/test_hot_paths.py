"""
The hot paths whose instructions are counted run to their end: a client that looks at its connection once more, or sends in
another order, would wait for ever for an answer that its peer has given already.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench_streams.hot_paths import PATHS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, sys
from contextlib import nullcontext
from bench_streams import hot_paths

hot_paths.counting = nullcontext  # nothing is counted
path, floor = hot_paths.PATHS[sys.argv[1]], sys.argv[2:] == [hot_paths.FLOOR]
if path.flavour == "async":
    asyncio.run((hot_paths.run_floor_async if floor else hot_paths.run_async)(path, 3))
else:
    (hot_paths.run_floor_blocking if floor else hot_paths.run_blocking)(path, 3)
"""


@pytest.mark.parametrize("whose", [[], ["floor"]], ids=["client", "floor"])
@pytest.mark.parametrize("name", PATHS)
def test_three_rounds(name: str, whose: list[str]) -> None:
    """
    In a process of its own, as where they are counted.
    """
    subprocess.run(
        [sys.executable, "-c", PROGRAM, name, *whose],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"},
        cwd="/",
        timeout=60,
        check=True,
    )
