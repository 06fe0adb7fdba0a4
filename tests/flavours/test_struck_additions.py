"""
A blocking xadd_many interrupted at each point, one after the other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import coredis
from coredis.sync import Redis
from coredis.types import StreamAdditions
from tests.support.servers import Server
from tests.support.strikes import strike

_FOLDER = Path(coredis.__file__).parent
#: Only what belongs to it; the ways of a command are struck in ``test_interrupts``.
WITHIN = str(_FOLDER / "_sync" / "adding.py"), str(_FOLDER / "_core" / "batches.py"), str(_FOLDER / "_runtime")

# A socket that is struck before anybody owns it is closed by its finalizer, which says so.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def test_the_outcomes_are_true_at_every_point(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever was told: an entry that was added is there, one that was not is not, and none is missing in between.
    """
    monkeypatch.setattr("coredis._core.batches.CHUNK_COMMANDS", 2)
    struck, point = True, sum(server.identifier.encode()) % 2  # other points on each server
    with Redis(host=server.host, port=server.port, max_connections=1, pool_timeout=1) as client:
        while struck:
            client.delete(["s"])
            told: list[StreamAdditions[bytes]] = []
            entries = [{"n": number} for number in range(7)]
            struck = strike(
                point,
                lambda entries=entries, told=told: client.xadd_many("s", iter(entries), on_batch=told.append),
                WITHIN,
            )
            there = {int(entry.field_values[b"n"]): entry.identifier for entry in client.xrange("s")}
            position = 0
            for batch in told:
                assert batch.first <= position <= batch.end  # told again, perhaps
                position = batch.end
                for number, identifier in enumerate(batch.identifiers, batch.first):
                    assert identifier in (None, there.get(number))
                assert not there.keys() & set(batch.not_added)
            assert there.keys() <= set(range(position)), point
            point += 2

    assert 7 == len(there)
    assert point > 100
