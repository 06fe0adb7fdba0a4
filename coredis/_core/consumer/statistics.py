"""
What a consumer has done without saying so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ConsumerStatistics:
    """
    Counters since the consumer was made.

    Attributes:
        delivered: entries fetched for the application
        acknowledged: entries that the server confirmed to have been pending and to be so no more
        reconnects: connections that were lost and replaced
        recovered: reads of pending entries because a reply may have been lost
        possibly_lost: replies that may have been lost with their entries, where nothing can bring them back
            (``auto_acknowledge=True``)
        duplicates_suppressed: entries that came again while this consumer held them, and were not given out again
        claimed: entries taken over from other consumers (``claim_idle``)
        taken_over: entries this consumer held that others have taken over, or somebody acknowledged elsewhere
        dead_lettered: entries given up after ``max_deliveries``
        deleted_seen: pending entries that no longer exist, acknowledged away
        groups_recreated: consumer groups that had vanished and were made again
        name_conflicts: signs of another session that reads under this consumer's name
    """

    delivered: int = 0
    acknowledged: int = 0
    reconnects: int = 0
    recovered: int = 0
    possibly_lost: int = 0
    duplicates_suppressed: int = 0
    claimed: int = 0
    taken_over: int = 0
    dead_lettered: int = 0
    deleted_seen: int = 0
    groups_recreated: int = 0
    name_conflicts: int = 0
