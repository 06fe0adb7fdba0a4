"""
What a consumer of the demo does with an entry, apart from reading and acknowledging: the same in both flavours.

A worker belongs to one task or thread. Shared are only ``Produced``, which nobody changes while the workers run, and
``Progress``, which has a lock.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from random import Random

from coredis.types import StreamEntry
from streams_demo.progress import Progress

#: Stream, then identifier, then the fields that were sent.
Produced = dict[str, dict[str, dict[str, str]]]


class SimulatedFailure(Exception):
    """
    The handler failed before it could acknowledge, as a crash, a bug or a broken dependency would make it.
    """


class Stopped(Exception):
    """
    The user interrupted the demo.
    """


class Worker:
    """
    Handle entries, fail now and then, and keep account of both.

    Attributes:
        name: the consumer's name in the group
        failed: by stream, how often the handler failed
        from_backlog: by stream, how many entries were pending for this consumer when it came back
        completed: how often each entry, as (stream, identifier), was handled and acknowledged
        problems: what must not happen, in words
        finished: ``time.perf_counter()`` of the last acknowledgement; 0 before the first
        progress: shared by the workers of one run
        stop: set it to make the worker leave at its next entry
    """

    def __init__(self, name: str, produced: Produced, progress: Progress, failures: float = 0.0, seed: int = 0) -> None:
        self.name = name
        self.failed: Counter[str] = Counter()
        self.from_backlog: Counter[str] = Counter()
        self.completed: Counter[tuple[str, str]] = Counter()
        self.problems: list[str] = []
        self.finished = 0.0
        self.stop = False
        self.progress = progress
        self._produced = produced
        self._failures = failures
        self._random = Random(seed)
        self._last: dict[str, tuple[int, int]] = {}

    def comes_back(self, pending: Mapping[str, int]) -> None:
        """
        Note that this worker starts anew, with so many entries of each stream in its backlog.
        """
        self.from_backlog.update(pending)
        self._last.clear()

    def handle(self, stream: str, entry: StreamEntry[str]) -> None:
        """
        Work on one entry: check that it is what was produced, in order.

        Raises:
            SimulatedFailure: At the rate asked for. The entry stays pending for this consumer.
            Stopped: ``stop`` was set.
        """
        if self.stop:
            raise Stopped
        identifier = entry.identifier
        fields = self._produced[stream].get(identifier)
        if fields is None:
            self.problems.append(f"{stream} {identifier}: {self.name} got an entry that nobody produced")
        elif fields != entry.field_values:
            self.problems.append(f"{stream} {identifier}: {self.name} got other fields than were produced")
        milliseconds, _, sequence = identifier.partition("-")
        position = int(milliseconds), int(sequence)
        if position <= self._last.get(stream, (0, 0)):
            self.problems.append(f"{stream} {identifier}: {self.name} got it out of order")
        self._last[stream] = position
        if self._random.random() < self._failures:
            self.failed[stream] += 1
            raise SimulatedFailure(f"{self.name} failed at {stream} {identifier}")

    def acknowledged(self, stream: str, entry: StreamEntry[str]) -> None:
        """
        Note that an entry is done.
        """
        self.completed[stream, entry.identifier] += 1
        self.finished = time.perf_counter()
        self.progress.advance()
