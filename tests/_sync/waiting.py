# Generated from tests/_async/waiting.py by scripts/generate.py: edit that file, not this one.
"""
Wait for what happens elsewhere: on a server, in a proxy, in another task or thread.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.blocking import sleep

# Far longer than anything waited for here takes; only failures wait so long.
PATIENCE_SECONDS = 10.0
_STEP_SECONDS = 0.002


def until(condition: Callable[[], object], tell: Callable[[], str] = str) -> None:
    """
    Wait until a function says yes.

    Args:
        condition: the function
        tell: describes how things are, for the message

    Raises:
        AssertionError: it did not
    """
    for _ in range(int(PATIENCE_SECONDS / _STEP_SECONDS)):
        if condition():
            return
        sleep(_STEP_SECONDS)
    raise AssertionError(f"what was waited for did not happen\n{tell()}".rstrip())
