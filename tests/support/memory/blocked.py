"""
A command that waits at the server in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.support.memory.replies import Reply


class Blocked:
    """
    A read that waits.

    Args:
        words: the command
        keys: of streams, in the order of the command
        until: when to give up, in milliseconds; None: never
        attempt: tries again; None: nothing yet
        due: when an attempt may succeed although nothing happens to the keys; None: never
    """

    def __init__(
        self,
        words: list[bytes],
        keys: Iterable[bytes],
        until: int | None,
        attempt: Callable[[], Reply | None],
        due: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.words = words
        self.keys = frozenset(keys)
        self.until = until
        self.attempt = attempt
        self.due = due
