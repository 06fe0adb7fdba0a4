"""
Where the keys stand in a command that was given word by word, by the server's own account.

COMMAND INFO tells it for a command whose keys are always in the same places, and COMMAND GETKEYS for a particular one
(https://redis.io/docs/latest/commands/command-info/, https://redis.io/docs/latest/commands/command-getkeys/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .command import Command, Reply
from .wire import encode_value


class Keyspec(NamedTuple):
    """
    What is known of a command by its name.

    Attributes:
        first: position of the first key; 0: it has none
        last: position of the last key; negative: counted from the end
        step: from one key to the next
        varies: the places depend on the arguments
        readonly: it changes nothing
    """

    first: int
    last: int
    step: int
    varies: bool
    readonly: bool

    def positions(self, count: int) -> tuple[int, ...]:
        """
        Give the positions of the keys.

        Args:
            count: of the words of the command, its name included
        """
        if not self.first:
            return ()
        last = self.last if self.last >= 0 else count + self.last
        return tuple(range(self.first, min(last, count - 1) + 1, max(self.step, 1)))


UNKNOWN = Keyspec(0, 0, 0, False, False)


def read_keyspec(reply: Reply) -> Keyspec:
    """
    Read the reply to COMMAND INFO about one command. One that the server does not know has no keys.
    """
    (information,) = reply
    if information is None:
        return UNKNOWN
    _, _, flags, first, last, step, *rest = information
    subcommands = rest[3] if len(rest) > 3 else None
    # Sets of RESP3 and lists of RESP2 hold the flags as text.
    names = {bytes(flag) for flag in flags}
    return Keyspec(int(first), int(last), int(step), b"movablekeys" in names or bool(subcommands), b"readonly" in names)


def find_positions(command: Command[object], keys: Sequence[bytes], encoding: str) -> tuple[int, ...]:
    """
    Find the positions of keys that the server has found in a command.
    """
    words = [encode_value(word, "a word", encoding) for word in command.arguments]
    positions: list[int] = []
    for key in keys:
        for position in range(1, len(words)):
            if words[position] == key and position not in positions:
                positions.append(position)
                break
    return tuple(positions)
