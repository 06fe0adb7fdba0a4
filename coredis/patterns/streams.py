"""
Consumers of streams: the asynchronous flavour.
"""

from __future__ import annotations

from .._async.patterns.streams import Consumer, GroupConsumer
from .._core.consumer.parameters import StreamParameters
from .._core.consumer.statistics import ConsumerStatistics

__all__ = ["Consumer", "ConsumerStatistics", "GroupConsumer", "StreamParameters"]
