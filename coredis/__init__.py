"""
A Redis and Valkey client for Python that consumes and produces streams: the asynchronous flavour.

The blocking flavour has the same names in ``coredis.sync``.
"""

from __future__ import annotations

from ._async.cluster import RedisCluster
from ._async.cluster_node import ClusterNode
from ._async.cluster_pipeline import ClusterPipeline
from ._async.pipeline import Pipeline
from ._async.redis import Redis
from ._async.sentinel import Sentinel
from ._core.queue import Queued
from ._version import __version__
from .credentials import CredentialProvider, UserPass, UserPassCredentialProvider
from .retry import RetryPolicy
from .tokens import PureToken

__all__ = [
    "ClusterNode",
    "ClusterPipeline",
    "CredentialProvider",
    "Pipeline",
    "PureToken",
    "Queued",
    "Redis",
    "RedisCluster",
    "RetryPolicy",
    "Sentinel",
    "UserPass",
    "UserPassCredentialProvider",
    "__version__",
]
