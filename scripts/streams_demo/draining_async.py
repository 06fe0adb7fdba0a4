"""
The asynchronous program: produce with pipelines, drain with two tasks.

``draining_blocking`` is the same program in blocking form; keep them alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from coredis import Redis
from coredis.types import StreamPending
from streams_demo.events import Event
from streams_demo.outcome import Outcome
from streams_demo.progress import Progress
from streams_demo.settings import BATCH, BUFFER_SIZE, GROUP, TIMEOUT, Settings
from streams_demo.worker import Produced, SimulatedFailure, Worker


async def run(url: str, events: Sequence[Event], settings: Settings) -> Outcome:
    """
    Produce the events, drain them, and give an account. The streams are deleted at the end, whatever happens.
    """
    async with Redis.from_url(url, decode_responses=True) as client:
        produced: Produced = {settings.key(event.stream): {} for event in events}
        try:
            started = time.perf_counter()
            await produce(client, events, settings, produced)
            producing_seconds = time.perf_counter() - started

            workers = settings.workers(produced)
            started = time.perf_counter()
            await drain(client, list(produced), workers)
            draining_seconds = max(started, *(worker.finished for worker in workers)) - started

            pending = {key: (await summary(client, key)).pending for key in produced}
        finally:
            await client.delete(list(produced))
    return Outcome(settings.flavour, produced, workers, pending, producing_seconds, draining_seconds)


async def produce(client: Redis[str], events: Sequence[Event], settings: Settings, produced: Produced) -> None:
    """
    Add every event to its stream, a batch of them in each round trip, and note the identifiers.
    """
    progress = Progress(f"{settings.flavour}: producing", len(events))
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        async with client.pipeline(transaction=False) as pipe:
            queued = [pipe.xadd(settings.key(event.stream), event.fields) for event in batch]
        for event, identifier in zip(batch, queued, strict=True):
            produced[settings.key(event.stream)][str(identifier.result())] = event.fields
        progress.advance(len(batch))
    progress.close()


async def drain(client: Redis[str], keys: Sequence[str], workers: Sequence[Worker]) -> None:
    """
    Let all workers consume together until nothing is left.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            for worker in workers:
                tasks.create_task(work(client, keys, worker))
    except BaseExceptionGroup as group:
        # The first error stopped the other worker too; it alone is what the user needs to see.
        raise group.exceptions[0] from None
    finally:
        workers[0].progress.close()


async def work(client: Redis[str], keys: Sequence[str], worker: Worker) -> None:
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
            async with consumer:
                async for stream, entry in consumer:
                    worker.handle(stream, entry)
                    await client.xack(stream, GROUP, [entry.identifier])
                    worker.acknowledged(stream, entry)
            return
        except SimulatedFailure:
            came_back = True
            pending = {key: (await summary(client, key)).consumers for key in keys}
            worker.comes_back({key: consumers.get(worker.name, 0) for key, consumers in pending.items()})


async def summary(client: Redis[str], key: str) -> StreamPending[str]:
    """
    Ask the server what is pending in the group.
    """
    pending = await client.xpending(key, GROUP)
    assert isinstance(pending, StreamPending), "without a range it is a summary"
    return pending
