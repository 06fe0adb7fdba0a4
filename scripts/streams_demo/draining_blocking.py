"""
The blocking program: produce with pipelines, drain with two threads. No event loop runs here.

``draining_async`` is the same program with ``async`` and ``await``; keep them alike.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from coredis.sync import Redis
from coredis.types import StreamPending
from streams_demo.events import Event
from streams_demo.outcome import Outcome
from streams_demo.progress import Progress
from streams_demo.settings import BATCH, BUFFER_SIZE, GROUP, TIMEOUT, Settings
from streams_demo.worker import Produced, SimulatedFailure, Worker


def run(url: str, events: Sequence[Event], settings: Settings) -> Outcome:
    """
    Produce the events, drain them, and give an account. The streams are deleted at the end, whatever happens.
    """
    with Redis.from_url(url, decode_responses=True) as client:
        produced: Produced = {settings.key(event.stream): {} for event in events}
        try:
            started = time.perf_counter()
            produce(client, events, settings, produced)
            producing_seconds = time.perf_counter() - started

            workers = settings.workers(produced)
            started = time.perf_counter()
            drain(client, list(produced), workers)
            draining_seconds = max(started, *(worker.finished for worker in workers)) - started

            pending = {key: summary(client, key).pending for key in produced}
        finally:
            client.delete(list(produced))
    return Outcome(settings.flavour, produced, workers, pending, producing_seconds, draining_seconds)


def produce(client: Redis[str], events: Sequence[Event], settings: Settings, produced: Produced) -> None:
    """
    Add every event to its stream, a batch of them in each round trip, and note the identifiers.
    """
    progress = Progress(f"{settings.flavour}: producing", len(events))
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        with client.pipeline(transaction=False) as pipe:
            queued = [pipe.xadd(settings.key(event.stream), event.fields) for event in batch]
        for event, identifier in zip(batch, queued, strict=True):
            produced[settings.key(event.stream)][str(identifier.result())] = event.fields
        progress.advance(len(batch))
    progress.close()


def drain(client: Redis[str], keys: Sequence[str], workers: Sequence[Worker]) -> None:
    """
    Let all workers consume together, each in its thread, until nothing is left.
    """
    with ThreadPoolExecutor(len(workers)) as threads:
        try:
            for running in [threads.submit(work, client, keys, worker) for worker in workers]:
                running.result()
        finally:
            # Ctrl-C reaches only the main thread; without this the others would drain everything first.
            for worker in workers:
                worker.stop = True
            workers[0].progress.close()


def work(client: Redis[str], keys: Sequence[str], worker: Worker) -> None:
    """
    Consume until nothing is left; after a failure come back and start with the backlog.
    """
    came_back = False
    while True:
        consumer = client.xconsumer(
            keys,
            group=GROUP,
            consumer=worker.name,
            start_from_backlog=came_back,
            buffer_size=BUFFER_SIZE,
            timeout=TIMEOUT,
        )
        try:
            with consumer:
                for stream, entry in consumer:
                    worker.handle(stream, entry)
                    client.xack(stream, GROUP, [entry.identifier])
                    worker.acknowledged(stream, entry)
            return
        except SimulatedFailure:
            came_back = True
            pending = {key: summary(client, key).consumers for key in keys}
            worker.comes_back({key: consumers.get(worker.name, 0) for key, consumers in pending.items()})


def summary(client: Redis[str], key: str) -> StreamPending[str]:
    """
    Ask the server what is pending in the group.
    """
    pending = client.xpending(key, GROUP)
    assert isinstance(pending, StreamPending), "without a range it is a summary"
    return pending
