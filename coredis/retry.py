"""
How often, and how long, failed commands are tried again.
"""

from __future__ import annotations

from ._core.retry import RetryPolicy

RetryPolicy.__module__ = __name__

__all__ = ["RetryPolicy"]
