"""
Decide whether a failed command is sent again, and after how long.

Three questions: did the server certainly not run it (a refusal, or nothing was sent)? May it be run twice? Is there time left?
A command that may have run and is not idempotent is never sent again: the caller learns that its outcome is unknown.
Randomness and time are handed in, so every decision can be tested exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .. import exceptions
from .command import Command
from .config import check_boolean
from .errors import REFUSALS

#: What fails so shortly before the time is up fails because of that.
LAST_MOMENT_SECONDS: Final = 0.05

# What they take is gone from where it was; a second one takes something else.
_HANDING_OVER: Final = frozenset(
    [
        "XREADGROUP",
        "XCLAIM",
        "XAUTOCLAIM",
        "LPOP",
        "RPOP",
        "LMPOP",
        "LMOVE",
        "RPOPLPUSH",
        "BLPOP",
        "BRPOP",
        "BLMPOP",
        "BLMOVE",
        "BRPOPLPUSH",
        "SPOP",
        "ZPOPMIN",
        "ZPOPMAX",
        "ZMPOP",
        "BZPOPMIN",
        "BZPOPMAX",
        "BZMPOP",
        "GETDEL",
        "GETSET",
        "HGETDEL",
    ]
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How often and how long to try again.

    The pause before attempt n is drawn evenly from 0 to ``min(max_delay, base_delay * 2**n)`` ("full jitter"), so that many
    clients that lost the same server do not come back in step.

    Attributes:
        retries: attempts after the first, for lost connections; refusals (a server that is loading, a slot that is moving) are
            tried again as long as the command's time lasts. 0 turns off both
        base_delay: seconds
        max_delay: seconds
        retry_unsafe: send a command again whose reply was lost, although it may have run and is not idempotent: what it does
            may be done twice or more (an ``XADD`` makes two entries, an ``INCR`` counts two). Never what takes something and
            hands it over, as ``XREADGROUP`` and ``LPOP`` do: what it took the first time would be lost. Nor a pipeline
    """

    retries: int = 3
    base_delay: float = 0.05
    max_delay: float = 5.0
    retry_unsafe: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.retries, bool) or not isinstance(self.retries, int) or self.retries < 0:
            raise ValueError(f"retries: expected a whole number, 0 or more, got {self.retries!r}")
        if not 0 <= self.base_delay <= self.max_delay:
            raise ValueError(f"base_delay: expected 0 to max_delay ({self.max_delay}), got {self.base_delay!r}")
        check_boolean("retry_unsafe", self.retry_unsafe)

    def pause(self, attempt: int, chance: float) -> float:
        """
        Seconds to wait before trying again.

        Args:
            attempt: 0 after the first failure
            chance: a random number, 0 to 1
        """
        return chance * min(self.max_delay, self.base_delay * 2.0 ** min(attempt, 30))

    def decide(
        self,
        error: Exception,
        command: Command[object],
        attempt: int,
        remaining: float,
        chance: float,
        refused: bool = False,
        risk: bool = False,
    ) -> float | None:
        """
        Decide after a failure.

        Args:
            error: what happened
            command: what was asked
            attempt: how many failures came before this one
            remaining: seconds left for the command
            chance: a random number, 0 to 1
            refused: nothing was executed, and another server may do it: as the errors that always mean that
            risk: it is a single command, to which ``retry_unsafe`` applies

        Returns:
            seconds to wait before the next attempt, or None: give the error to the caller
        """
        if self.retries == 0:
            return None
        if isinstance(error, exceptions.SentinelError) and remaining <= LAST_MOMENT_SECONDS:
            return None  # it was looked for until now; one look more would only say that time is up
        if refused or isinstance(error, REFUSALS):
            pass
        elif isinstance(error, exceptions.ConnectionError):
            if attempt >= self.retries or isinstance(error, exceptions.ProtocolError):
                return None
            if error.may_have_run and not (command.idempotent or (risk and self.risks(command))):
                return None
        else:
            return None
        pause = self.pause(attempt, chance)
        return pause if pause < remaining else None

    def risks(self, command: Command[object]) -> bool:
        """
        Tell whether a command that may have run is sent again although that may do something twice.
        """
        name = command.name.upper()
        # An XREAD that is not idempotent reads from now on: again later, it would pass over what came in between.
        return self.retry_unsafe and name not in _HANDING_OVER and name != "XREAD"
