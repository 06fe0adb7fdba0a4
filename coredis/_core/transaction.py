"""
Cut a pipeline into writes, and read what became of a transaction that was discarded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..exceptions import AskError, ReadOnlyError, ReplyError
from .command import Reply
from .errors import REFUSALS, from_line
from .parser import ErrorLine

# Large enough that a write costs nothing per command, small enough to bound what both sides buffer.
CHUNK_COMMANDS: Final = 1000
CHUNK_BYTES: Final = 256 * 1024


def chunks(payloads: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """
    Join encoded commands into chunks of bounded size.

    Returns:
        pairs of the bytes and how many commands they are; a command larger than a chunk is one of its own
    """
    if len(payloads) <= CHUNK_COMMANDS and sum(map(len, payloads)) <= CHUNK_BYTES:
        if payloads:
            yield b"".join(payloads), len(payloads)
        return
    first, size = 0, 0
    for position, payload in enumerate(payloads):
        if position > first and (size + len(payload) > CHUNK_BYTES or position - first >= CHUNK_COMMANDS):
            yield b"".join(payloads[first:position]), position - first
            first, size = position, 0
        size += len(payload)
    if first < len(payloads):
        yield b"".join(payloads[first:]), len(payloads) - first


def passing_error(replies: Sequence[Reply]) -> ReplyError | None:
    """
    Find out why a node of a cluster did not execute a transaction, if another node, or the same one later, would.

    Args:
        replies: to MULTI, the commands and EXEC

    Returns:
        the redirect or refusal; None: it was executed, or there is something wrong with it
    """
    if replies[-1] is not None and not isinstance(replies[-1], ErrorLine):
        return None
    for reply in replies:
        if isinstance(reply, ErrorLine):
            error = from_line(str(reply))
            if isinstance(error, (AskError, ReadOnlyError, *REFUSALS)):
                return error
    return None


def abort_errors(answers: Sequence[Reply], abort: ErrorLine) -> list[ReplyError]:
    """
    Give each command of a discarded transaction its error.

    Args:
        answers: what the server said when each was queued
        abort: its answer to EXEC

    Returns:
        the refusal where a command was refused, EXECABORT for the others, with the first refusal as its cause
    """
    errors = [from_line(str(answer if isinstance(answer, ErrorLine) else abort)) for answer in answers]
    reason = next((error for error, answer in zip(errors, answers, strict=True) if isinstance(answer, ErrorLine)), None)
    for error, answer in zip(errors, answers, strict=True):
        if not isinstance(answer, ErrorLine):
            error.__cause__ = reason
    return errors
