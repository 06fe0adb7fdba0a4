"""
Run seeds.
"""

from __future__ import annotations

from contextlib import ExitStack
from unittest import mock

from coredis._core.consumer import pieces, portions
from tests.support.simulation.plan import Plan, planned
from tests.support.simulation.sessions import Violation
from tests.support.simulation.world import World


def run(seed: int, plan: Plan | None = None) -> World:
    """
    Run one seed, with the plan it draws or with another one.

    Raises:
        Violation: the library broke a promise
    """
    plan = plan or planned(seed)
    world = World(seed, plan)
    with ExitStack() as stack:
        if plan.shares:
            stack.enter_context(mock.patch.multiple(portions, MOST_ENTRIES=2, MANY_STREAMS=2))
            stack.enter_context(mock.patch.object(pieces, "PIECE", 2))
        world.run()
    return world


def failure(seed: int, plan: Plan | None = None) -> str | None:
    """
    Run one seed and say which promise was broken; None: none.
    """
    try:
        run(seed, plan)
    except Violation as violation:
        return str(violation)
    return None


def minimised(seed: int, topology: str = "single") -> tuple[Plan, str]:
    """
    Leave out faults one by one, as long as a failing seed still fails.

    Returns:
        the plan with the fewest faults, and how it fails
    """
    plan = planned(seed, topology)
    reason = failure(seed, plan) or ""
    for fault in list(plan.faults):
        smaller = plan.without(fault)
        if (why := failure(seed, smaller)) is not None:
            plan, reason = smaller, why
    return plan, reason
