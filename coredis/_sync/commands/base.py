# Generated from coredis/_async/commands/base.py by scripts/generate.py: edit that file, not this one.
"""
What every family of command methods stands on.
"""

from __future__ import annotations

from typing import AnyStr, Generic, TypeVar

from coredis._core.command import Command
from coredis._core.replies import Replies

R = TypeVar("R")


class Commands(Generic[AnyStr]):
    """
    The base of the command families: a way to execute, and converters that know how this client wants its text.

    A command method has a signature, a docstring and one expression: it executes one ``Command``. From the same files the
    generator makes the methods of a pipeline, which queue the same command.
    """

    replies: Replies[AnyStr]

    def issue(self, command: Command[R]) -> R:
        """
        Execute one command.
        """
        raise NotImplementedError
