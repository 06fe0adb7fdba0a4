"""
Decide what the answers of sentinels mean: where a service's primary and replicas are, and whom to believe.

Sentinels of one service may disagree for a while: one that was cut off goes on naming the old primary. Each failover has a
number that grows (the configuration epoch), so an answer older than one that has been heard before is not believed. That,
and asking again every second of use, keeps a client from going back to a primary that has been replaced.

No I/O and no clock: what is to be sent and what the answers mean. See the guide for clients:
https://redis.io/docs/latest/develop/reference/sentinel-clients/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..exceptions import AuthenticationError, AuthorizationError, ReadOnlyError, UnblockedError
from ..typing import StringT
from .command import Reply
from .config import TCPAddress
from .errors import from_line
from .parser import ErrorLine
from .replies.shapes import pairs
from .wire import encode

ASK_SECONDS: Final = 1.0  # the most that one sentinel is waited for, unless sentinel_kwargs says otherwise
PERIOD_SECONDS: Final = 1.0  # how long a client in use trusts that the primary is still the same
REPLICA_PERIOD_SECONDS: Final = 5.0  # the same for replicas: a stale one does no harm that a replica cannot do anyway
CONFIRM_SECONDS: Final = 0.5  # the most that a command waits for the sentinels to confirm the address it goes to
UNCONFIRMED_SECONDS: Final = 10.0  # after nobody answered that: so silent sentinels hardly slow down a healthy service
ATTEMPT_SHARE: Final = 3  # a node that hangs may use up a third of connect_timeout, so that its successor gets a chance
DEFAULT_CONNECT_SECONDS: Final = 5.0  # what a third of is taken when connect_timeout is None
DOWN_FLAGS: Final = frozenset({"s_down", "o_down", "disconnected"})
_UNKNOWN: Final = "No such master"  # how sentinels begin the answer about a service they do not watch


@dataclass(frozen=True, slots=True)
class View:
    """
    What one sentinel says of a service.

    Attributes:
        primary: its primary, or the replica that is just taking over
        epoch: the number of the failover that made it so
        others: how many further sentinels this one knows
        down: the primary does not answer this sentinel either
        replicas: those that answer, the ones in touch with the primary first
        in_touch: how many of them are
    """

    primary: TCPAddress
    epoch: int
    others: int
    down: bool
    replicas: tuple[TCPAddress, ...] = ()
    in_touch: int = 0

    @property
    def best_replicas(self) -> tuple[TCPAddress, ...]:
        """
        The replicas to choose from: the ones in touch with the primary, or any when there is none.
        """
        return self.replicas[: self.in_touch] or self.replicas


def located(view: View, mapped: Callable[[tuple[str, int]], TCPAddress]) -> View:
    """
    Say of the same servers where they are for this process.

    Args:
        view: what a sentinel says
        mapped: makes an address of what it announces
    """
    return replace(
        view,
        primary=mapped((view.primary.host, view.primary.port)),
        replicas=tuple(mapped((replica.host, replica.port)) for replica in view.replicas),
    )


def question(service: StringT) -> tuple[bytes, int]:
    """
    Make what is asked of a sentinel, in one round trip.

    The address alone is what the guide says to ask for; the other two say how far to believe it.

    Returns:
        the encoded commands, and how many there are
    """
    words = (("GET-MASTER-ADDR-BY-NAME", service), ("MASTER", service), ("REPLICAS", service))
    return b"".join(encode(("SENTINEL", *each)) for each in words), len(words)


def read(replies: Sequence[Reply]) -> View | None:
    """
    Read the answers to ``question``.

    Returns:
        None when the sentinel does not know the service

    Raises:
        ReplyError: the sentinel refuses us
        AttributeError, KeyError, TypeError, ValueError: the answers have an unexpected shape
    """
    for reply in replies:
        if isinstance(reply, ErrorLine):
            error = from_line(str(reply))
            if _UNKNOWN in str(error):
                return None
            raise error
    address, master, replicas = replies
    if address is None:
        return None
    host, port = address
    primary = TCPAddress(_text(host), int(port))
    fields = _fields(master)
    # While a replica is taking over, the flags are still those of the one it replaces.
    replaced = TCPAddress(fields["ip"], int(fields["port"])) != primary
    found: list[tuple[bool, TCPAddress]] = []
    for each in map(_fields, replicas):
        replica = TCPAddress(each["ip"], int(each["port"]))
        if replica != primary and not _down(each):
            found.append((each.get("master-link-status") != "ok", replica))
    found.sort(key=lambda item: item[0])
    return View(
        primary=primary,
        epoch=int(fields.get("config-epoch", 0)),
        others=int(fields.get("num-other-sentinels", 0)),
        down=not replaced and _down(fields),
        replicas=tuple(replica for _, replica in found),
        in_touch=sum(not lagging for lagging, _ in found),
    )


class Ledger:
    """
    The newest configuration of one service that has been heard of.

    Attributes:
        epoch: its number; -1 before the first answer
    """

    __slots__ = ("epoch",)

    def __init__(self) -> None:
        self.epoch = -1

    def believes(self, view: View) -> bool:
        """
        Tell whether an answer is no older than those before, and remember it if so.
        """
        if view.epoch < self.epoch:
            return False
        self.epoch = view.epoch
        return True

    def reset(self, outdated: Sequence[View], sentinels: int) -> View | None:
        """
        Give in when most sentinels count from a smaller number: they were set up anew.

        Args:
            outdated: the answers of one round that were not believed
            sentinels: how many there are

        Returns:
            the newest of those answers, or None: a minority may just be behind
        """
        if 2 * len(outdated) <= sentinels:
            return None
        newest = max(outdated, key=lambda view: view.epoch)
        self.epoch = newest.epoch
        return newest


def hopeless(error: Exception) -> bool:
    """
    Tell whether asking the same sentinel again later is no use.
    """
    return isinstance(error, AuthenticationError | AuthorizationError)


def demoted(error: Exception) -> bool:
    """
    Tell whether an answer to a command means that its server is no primary any more; then nothing was executed.
    """
    if isinstance(error, UnblockedError):
        # "force unblock from blocking operation, instance state changed (master -> replica?)"
        return "force unblock" in str(error)
    return isinstance(error, ReadOnlyError)


def _down(fields: dict[str, str]) -> bool:
    return not DOWN_FLAGS.isdisjoint(fields["flags"].split(","))


def _fields(reply: Reply) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in pairs(reply)}


def _text(value: Reply) -> str:
    return bytes(value).decode(errors="backslashreplace")
