"""
The library in simulated worlds: 2,000 seeds in every run. More of them: ``python -m tests.faults.simulate --help``.
"""

from __future__ import annotations

import gc

import pytest

from tests.faults.simulate import describe
from tests.support.simulation.run import failure, run

SEEDS = 2000
CHUNK = 200


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_promises_hold_in_every_world(first: int) -> None:
    """
    Whatever goes wrong: nothing is lost, nothing comes twice, no reply reaches the wrong caller, and all comes to rest.
    """
    for seed in range(first, first + CHUNK):
        reason = failure(seed)

        assert reason is None, f"seed {seed}: {reason}\n{describe(seed)}"
    gc.collect()


def test_a_seed_always_gives_the_same_run() -> None:
    """
    A failing seed can be replayed: the same seed lets the same things happen in the same order.
    """
    first, second = run(7), run(7)

    assert first.journal.events == second.journal.events
    assert first.history == second.history
    assert first.steps == second.steps
