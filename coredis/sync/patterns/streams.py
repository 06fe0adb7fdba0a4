"""
Consumers of streams: the blocking flavour.
"""

from __future__ import annotations

from ..._core.consumer.parameters import StreamParameters
from ..._core.consumer.statistics import ConsumerStatistics
from ..._sync.patterns.consumer import Consumer
from ..._sync.patterns.group_consumer import GroupConsumer

__all__ = ["Consumer", "ConsumerStatistics", "GroupConsumer", "StreamParameters"]
