"""
A Redis and Valkey client for Python that consumes and produces streams: the blocking flavour.

It runs no event loop and needs no thread. The asynchronous flavour has the same names in ``coredis``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import exports
from .._version import __version__

if TYPE_CHECKING:
    from .._core.queue import Queued
    from .._sync.cluster import RedisCluster
    from .._sync.cluster_node import ClusterNode
    from .._sync.cluster_pipeline import ClusterPipeline
    from .._sync.pipeline import Pipeline
    from .._sync.redis import Redis
    from .._sync.sentinel import Sentinel
    from ..credentials import CredentialProvider, UserPass, UserPassCredentialProvider
    from ..retry import RetryPolicy
    from ..tokens import PureToken
    from . import patterns as patterns

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

if not TYPE_CHECKING:  # for a type checker the module would have every name
    __getattr__, __dir__ = exports(
        __name__,
        {
            "ClusterNode": ".._sync.cluster_node",
            "ClusterPipeline": ".._sync.cluster_pipeline",
            "CredentialProvider": "..credentials",
            "Pipeline": ".._sync.pipeline",
            "PureToken": "..tokens",
            "Queued": ".._core.queue",
            "Redis": ".._sync.redis",
            "RedisCluster": ".._sync.cluster",
            "RetryPolicy": "..retry",
            "Sentinel": ".._sync.sentinel",
            "UserPass": "..credentials",
            "UserPassCredentialProvider": "..credentials",
        },
        ("patterns",),
    )
