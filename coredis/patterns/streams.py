"""
Consumers of streams: the asynchronous flavour.
"""

from __future__ import annotations

from .._async.patterns.consumer import Consumer
from .._async.patterns.group_consumer import GroupConsumer
from .._core.consumer.parameters import StreamParameters
from .._core.consumer.statistics import ConsumerStatistics

__all__ = ["Consumer", "ConsumerStatistics", "GroupConsumer", "StreamParameters"]
