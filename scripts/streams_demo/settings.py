"""
What both programs of the demo share: names, sizes, and the two workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams_demo.progress import Progress
from streams_demo.worker import Produced, Worker

GROUP = "observers"
#: Entries added in one round trip.
BATCH = 500
#: Entries a consumer may hold beyond the one it is handing out: a failing consumer then leaves a real backlog.
BUFFER_SIZE = 19
#: Milliseconds a consumer waits for more before it ends. Nothing is added while the demo drains.
TIMEOUT = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings of one flavour's run.

    Attributes:
        flavour: ``"async"`` or ``"blocking"``
        prefix: of every key, so that a run never meets keys of its user or of another run
        failures: the share of entries at which the second worker fails
        seed: of its random numbers
    """

    flavour: str
    prefix: str
    failures: float
    seed: int

    def key(self, stream: str) -> str:
        """
        Name the key of a stream.
        """
        return f"{self.prefix}:{self.flavour}:{stream}"

    def workers(self, produced: Produced) -> Sequence[Worker]:
        """
        Make the two workers: a steady one, and one that fails now and then.
        """
        progress = Progress(f"{self.flavour}: draining", sum(map(len, produced.values())))
        return (
            Worker("steady", produced, progress),
            Worker("flaky", produced, progress, self.failures, self.seed),
        )
