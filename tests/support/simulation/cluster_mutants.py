"""
Mistakes the library could make on a cluster, put into it on purpose. See ``mutants``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from coredis._async.clusters import ClusterClient
from coredis._async.patterns.failures import Failures
from coredis._async.patterns.pending import PendingEntries
from coredis._async.patterns.places import Places
from coredis._async.patterns.reader import Reader
from coredis._core.command import Command
from coredis._core.consumer.cursors import Phase
from coredis._core.replies.shapes import integer
from coredis._core.topology import Place
from coredis.exceptions import AskError, ReplyError
from tests.support.simulation.mutants import replaced


def others_dropped() -> Any:
    """
    When a read of one node fails, what another one has delivered meanwhile is forgotten.
    """

    def make(original: Any) -> Any:
        def failed(engine: Any, reader: Any, *details: Any) -> None:
            for other in engine._readers.values():
                if other is not reader and other.started is not None and other.started.done():
                    other._mark(False)
                    other.plan = other.started = None
            original(engine, reader, *details)

        return failed

    return replaced(Failures, "_failed", make)


def asked_again_at_the_same_node() -> Any:
    """
    A read that was sent elsewhere (MOVED, ASK) is asked again where it was.
    """

    def make(original: Any) -> Any:
        def failed(engine: Any, reader: Any, error: Any, *details: Any) -> None:
            if isinstance(error, AskError):
                engine._misplaced.clear()
                engine._arranged = True
                return
            original(engine, reader, error, *details)

        return failed

    return replaced(Failures, "_failed", make)


def no_recovery_at_the_new_node() -> Any:
    """
    A stream that is elsewhere now is read there from its new entries on, though a reply of the old node was lost.
    """

    def make(original: Any) -> Any:
        async def arrange(engine: Any) -> None:
            before = {cursor.name: place for place, reader in engine._readers.items() for cursor in reader.cursors}
            await original(engine)
            for place, reader in engine._readers.items():
                for cursor in reader.cursors:
                    if cursor.phase is Phase.HISTORY and cursor.heard and before.get(cursor.name, place) != place:
                        cursor.phase = Phase.NEW

        return arrange

    return replaced(Places, "_arrange", make)


def doubt_left_at_the_old_node() -> Any:
    """
    Where a stream is read now, nobody knows of the dead connections of those who read it before.
    """

    def make(original: Any) -> Any:
        def initialise(reader: Any, client: Any, place: Any, phantoms: Any) -> None:
            original(reader, client, place, [])

        return initialise

    return replaced(Reader, "__init__", make)


def introduced_by_nothing() -> Any:
    """
    A read that was sent elsewhere by ASK is sent there without ASKING.
    """

    def make(original: Any) -> Any:
        async def detach(client: Any, deadline: float, place: Any = None) -> Any:
            return await original(client, deadline, place._replace(asking=False) if place is not None else None)

        return detach

    return replaced(ClusterClient, "detach", make)


def acknowledged_at_the_old_node() -> Any:
    """
    An acknowledgement goes to the node that is known, and its refusal is taken for an answer.
    """

    def make(original: Any) -> Any:
        async def acknowledge(pending: Any, entries: Any) -> int:
            client = pending._client
            for name, identifiers in entries.items():
                shard = (await client.topology()).shard(client.slot(name))
                command = Command(("XACK", name, pending._group, *identifiers), integer, idempotent=True)
                try:
                    await client.issue_at(Place(shard.primary.address), command)
                except ReplyError:
                    pass
            return len(entries)

        return acknowledge

    return replaced(PendingEntries, "acknowledge", make)


_GROUP: Final = {"mode": "ack", "blocking": False, "streams": ["s", "t", "u", "{v}1"], "entries": 14, "steps": 600}
_LONE: Final = {**_GROUP, "claim_idle": None, "max_deliveries": None, "handing_back": 0.0, "release": False}
#: Each mistake, and what is said of the plans in which it shows soon.
CLUSTER_MUTANTS: Final[tuple[tuple[Callable[[], AbstractContextManager[None]], dict[str, Any]], ...]] = (
    (others_dropped, {**_LONE, "faults": {"reset": 0.02, "migrate": 0.01}}),
    (asked_again_at_the_same_node, {**_LONE, "faults": {"migrate": 0.02, "migrate at once": 0.02, "failover": 0.01}}),
    (
        no_recovery_at_the_new_node,
        {**_LONE, "streams": ["s"], "faults": {"node dies": 0.02, "swallow": 0.03, "migrate at once": 0.03}},
    ),
    (
        doubt_left_at_the_old_node,
        {**_LONE, "streams": ["s"], "timeout": 7000, "faults": {"sever": 0.03, "migrate": 0.03}},
    ),
    (introduced_by_nothing, {**_LONE, "faults": {"migrate": 0.03}}),
    (
        acknowledged_at_the_old_node,
        {**_LONE, "own_acknowledgements": True, "ack_buffer": 0, "faults": {"migrate": 0.02, "failover": 0.02}},
    ),
)
