"""
What one flavour of the demo did, and whether it did it right.

The rule: every entry produced is completed, that is handled and then acknowledged, exactly once. An entry may be
handled again only when its handler had failed before the acknowledgement; completing it once allows exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams_demo.worker import Produced, Worker


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    The account of one flavour.

    Attributes:
        flavour: ``"async"`` or ``"blocking"``
        produced: what was sent, by stream and identifier
        workers: the consumers, each with its own account
        pending: by stream, how many entries the group still holds unacknowledged
        producing_seconds: from the first XADD to the last reply
        draining_seconds: from the start of the consumers to the last acknowledgement
    """

    flavour: str
    produced: Produced
    workers: Sequence[Worker]
    pending: Mapping[str, int]
    producing_seconds: float
    draining_seconds: float

    def problems(self) -> list[str]:
        """
        Say in words what went wrong; an empty list when nothing did.
        """
        problems = [problem for worker in self.workers for problem in worker.problems]
        for stream, entries in self.produced.items():
            for identifier in entries:
                times = sum(worker.completed[stream, identifier] for worker in self.workers)
                if times == 0:
                    problems.append(f"{stream} {identifier}: missing, no consumer completed it")
                elif times > 1:
                    problems.append(f"{stream} {identifier}: completed {times} times")
        problems += [f"{stream}: {count} entries are still pending" for stream, count in self.pending.items() if count]
        return [f"{self.flavour}: {problem}" for problem in problems]
