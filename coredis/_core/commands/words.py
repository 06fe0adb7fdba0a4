"""
Commands given word by word, for those that have no method.
"""

from __future__ import annotations

import math

from ...typing import ResponseType, ValueT
from ..capabilities import holds_connection
from ..command import Command
from ..replies import Replies
from .connection import connection_state_command


class GivenByWord(Command[ResponseType]):
    """
    A command whose keys nobody has marked.
    """

    __slots__ = ()


def command(words: tuple[ValueT, ...], replies: Replies[str] | Replies[bytes]) -> Command[ResponseType]:
    """
    Build a command from its words.

    Raises:
        ValueError: no word at all, several words in one, or a command that would change a connection others share
    """
    if not words:
        raise ValueError("execute_command: expected a command")
    if isinstance(words[0], str) and " " in words[0]:
        raise ValueError(f"execute_command: give the words of {words[0]!r} one by one")
    refused = connection_state_command(words)
    if refused is not None:
        raise ValueError(
            f"execute_command: {refused} would change a connection that other callers share; "
            "use the client's options, a pipeline, or a client of its own"
        )
    return GivenByWord(words, replies.response, block=math.inf if holds_connection(words) else None)
