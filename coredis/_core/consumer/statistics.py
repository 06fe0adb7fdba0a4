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
        reconnects: connections that were lost and replaced
        recovered: reads of pending entries because a reply may have been lost
        possibly_lost: replies that may have been lost with their entries, where nothing can bring them back
            (``auto_acknowledge=True``)
        groups_recreated: consumer groups that had vanished and were made again
        deleted_seen: pending entries that no longer exist, acknowledged away
    """

    delivered: int = 0
    reconnects: int = 0
    recovered: int = 0
    possibly_lost: int = 0
    groups_recreated: int = 0
    deleted_seen: int = 0
