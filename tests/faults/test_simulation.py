"""
The library in simulated worlds: 2,000 seeds in every run. More of them: ``python -m tests.faults.simulate --help``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any

import pytest

from tests.faults.simulate import describe
from tests.support.simulation.mutants import LATE, MUTANTS
from tests.support.simulation.plan import Plan, focused
from tests.support.simulation.run import failure, run

SEEDS = 2000
CHUNK = 200
MUTANT_SEEDS = 500
LATE_SEEDS = 100


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


@pytest.mark.parametrize(("mutant", "changes"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_mistakes_are_noticed(mutant: Callable[[], AbstractContextManager[None]], changes: dict[str, Any]) -> None:
    """
    A library that makes one of the known mistakes breaks a promise within a few hundred seeds; without it, it does not.
    """
    seeds = range(MUTANT_SEEDS)
    with mutant():
        caught = next((seed for seed in seeds if failure(seed, _plan(seed, changes)) is not None), None)

    assert caught is not None
    assert failure(caught, _plan(caught, changes)) is None


def test_late_replies() -> None:
    """
    What has been acknowledged is not given again by a reply that was on its way, however long.
    """
    for seed in range(LATE_SEEDS):
        reason = failure(seed, _plan(seed, LATE))

        assert reason is None, f"seed {seed}: {reason}"


def _plan(seed: int, changes: dict[str, Any]) -> Plan:
    return focused(Random(f"plan {seed}"), changes)
