"""
A Redis and Valkey client for Python that consumes and produces streams: the asynchronous flavour.

The blocking flavour has the same names in ``coredis.sync``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import exports
from ._version import __version__

if TYPE_CHECKING:
    from . import credentials as credentials
    from . import exceptions as exceptions
    from . import patterns as patterns
    from . import response as response
    from . import retry as retry
    from . import sync as sync
    from . import tokens as tokens
    from . import types as types
    from . import typing as typing
    from ._async.cluster import RedisCluster
    from ._async.cluster_node import ClusterNode
    from ._async.cluster_pipeline import ClusterPipeline
    from ._async.pipeline import Pipeline
    from ._async.redis import Redis
    from ._async.sentinel import Sentinel
    from ._core.queue import Queued
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

if not TYPE_CHECKING:  # for a type checker the module would have every name
    __getattr__, __dir__ = exports(
        __name__,
        {
            "ClusterNode": "._async.cluster_node",
            "ClusterPipeline": "._async.cluster_pipeline",
            "CredentialProvider": ".credentials",
            "Pipeline": "._async.pipeline",
            "PureToken": ".tokens",
            "Queued": "._core.queue",
            "Redis": "._async.redis",
            "RedisCluster": "._async.cluster",
            "RetryPolicy": ".retry",
            "Sentinel": "._async.sentinel",
            "UserPass": ".credentials",
            "UserPassCredentialProvider": ".credentials",
        },
        ("credentials", "exceptions", "patterns", "response", "retry", "sync", "tokens", "types", "typing"),
        unlisted=("stream",),
    )
