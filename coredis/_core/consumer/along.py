"""
What is sent along with a read: commands ahead of it, whose replies come before its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Final, NamedTuple

from .phantoms import Phantom
from .reads import Words


class Along(NamedTuple):
    """
    What was sent ahead of a read, and how that is answered.

    Attributes:
        before: replies before those to the read
        each: replies to each command: two where it is introduced
        questions: the streams of which something is to be known before the entries are read
        killing: dead connections that are closed by it
        watchings: commands that make the server tell of changes
        trying: it is the first of them on this connection
    """

    before: int = 0
    each: int = 1
    questions: tuple[bytes, ...] = ()
    killing: Sequence[Phantom] = ()
    watchings: int = 0
    trying: bool = False


#: So it is nearly always.
NOTHING: Final = Along()


def killable(phantoms: Iterable[Phantom], server: Hashable) -> list[Phantom]:
    """
    Say which dead connections to a server are to be closed there.
    """
    return [phantom for phantom in phantoms if phantom.client is not None and phantom.server == server]


def killing_words(killing: Iterable[Phantom]) -> list[Words]:
    """
    Say which connections the server is to close.

    Their address is said as well as their number: after a failover the server is another one, where that number is somebody
    else's.
    """
    clients = [phantom.client for phantom in killing if phantom.client is not None]
    return [("CLIENT", "KILL", "ID", identifier, "ADDR", address) for identifier, address in clients]
