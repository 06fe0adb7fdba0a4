"""
The library in simulated worlds: 2,000 seeds with one server and 400 with a cluster in every run. More of them:
``python -m tests.faults.simulate --help``.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.faults.simulate import describe
from tests.support.simulation.cluster_mutants import CLUSTER_MUTANTS
from tests.support.simulation.mutants import LATE, MUTANTS
from tests.support.simulation.plan import planned
from tests.support.simulation.run import failure, run

SEEDS = 2000
CLUSTER_SEEDS = 400
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


@pytest.mark.parametrize("first", range(0, CLUSTER_SEEDS, CHUNK // 2))
def test_promises_hold_in_every_cluster(first: int) -> None:
    """
    The same with streams on several nodes, which fail and are replaced, and slots that move.
    """
    for seed in range(first, first + CHUNK // 2):
        reason = failure(seed, planned(seed, "cluster"))

        assert reason is None, f"seed {seed}: {reason}\n{describe(seed, 'cluster')}"
    gc.collect()


def test_who_has_few_turns_comes_to_rest() -> None:
    """
    A blocking reader alone, with many entries to acknowledge, is not late only because nothing else happens meanwhile.
    """
    assert failure(8002830) is None


def test_what_a_failover_makes_pending_again_may_be_held() -> None:
    """
    A consumer that was not told of an acknowledgement renews the lease of the entry, and nobody takes it over.
    """
    assert failure(8015557, planned(8015557, "cluster")) is None


@pytest.mark.parametrize("topology", ["single", "cluster"])
def test_a_seed_always_gives_the_same_run(topology: str) -> None:
    """
    A failing seed can be replayed: the same seed lets the same things happen in the same order.
    """
    first, second = run(7, planned(7, topology)), run(7, planned(7, topology))

    assert first.journal.events == second.journal.events
    assert first.history == second.history
    assert first.steps == second.steps


def test_a_seed_gives_the_same_run_in_every_process() -> None:
    """
    Nothing depends on how a process hashes text, so a seed that failed somewhere fails elsewhere.
    """
    told = set()
    for number in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-m", "tests.faults.simulate", "--topology", "cluster", "--replay", "11"],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": number},
        )
        told.add(answer.stdout)

    assert 1 == len(told)


@pytest.mark.parametrize(
    ("topology", "mutant", "changes"),
    [
        *(("single", mutant, changes) for mutant, changes in MUTANTS),
        *(("cluster", mutant, changes) for mutant, changes in CLUSTER_MUTANTS),
    ],
    ids=[mutant.__name__ for mutant, _ in (*MUTANTS, *CLUSTER_MUTANTS)],
)
def test_mistakes_are_noticed(
    topology: str, mutant: Callable[[], AbstractContextManager[None]], changes: dict[str, Any]
) -> None:
    """
    A library that makes one of the known mistakes breaks a promise within a few hundred seeds; without it, it does not.
    """
    seeds = range(MUTANT_SEEDS)
    with mutant():
        caught = next((seed for seed in seeds if failure(seed, planned(seed, topology, changes)) is not None), None)

    assert caught is not None
    assert failure(caught, planned(caught, topology, changes)) is None


def test_late_replies() -> None:
    """
    What has been acknowledged is not given again by a reply that was on its way, however long.
    """
    for seed in range(LATE_SEEDS):
        reason = failure(seed, planned(seed, "single", LATE))

        assert reason is None, f"seed {seed}: {reason}"
