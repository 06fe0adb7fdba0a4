"""
Read what a consumer is made with: which streams, and where each begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypedDict

from ...exceptions import CommandSyntaxError
from ...types import PositionT
from ...typing import KeyT
from ..commands.checks import natural_integer, positive_integer, several, whole_number
from ..config import check_boolean
from .limits import MAX_UNACKED, REPLY_BYTES

LONGEST_SLICE = 60_000  # milliseconds: longer than that, a dead connection would go unnoticed for too long


#: The idle time that makes an entry claimable at once by whoever takes over (milliseconds). So nobody may wait for longer.
RELEASED_IDLE = 86_400_000

# Milliseconds: so much passes between two looks at a lease and the answer, and a server's clock ticks ten times a second.
SHORTEST_CLAIM_IDLE = 100


#: What a group consumer does when it is not told otherwise; without a group nothing else makes sense.
GROUP_DEFAULTS: Final[Mapping[str, Any]] = {
    "auto_create": True,
    "auto_acknowledge": False,
    "start_from_backlog": False,
    "group_start": "0",
    "recover_group": "recreate",
    "ack": "acknowledge",
    "ack_buffer": 0,
    "ack_interval": 1000,
    "claim_idle": None,
    "heartbeat": False,
    "max_deliveries": None,
    "dead_letter": None,
    "on_deleted": None,
    "max_unacked": MAX_UNACKED,
}


class StreamParameters(TypedDict):
    """
    What can be said of one stream of a consumer.

    Attributes:
        identifier: read after this entry. For a ``Consumer`` also ``"$"``: what is added from the start on. For a
            ``GroupConsumer`` ``">"`` reads what nobody in the group has seen, anything else only this consumer's own pending
            entries after it
    """

    identifier: PositionT


def encode_name(name: str, value: KeyT, encoding: str) -> bytes:
    """
    Make bytes of the name of a stream, group or consumer.

    Raises:
        TypeError: neither str nor bytes
    """
    if isinstance(value, str):
        return value.encode(encoding)
    if isinstance(value, bytes):
        return bytes(value)
    raise TypeError(f"{name}: expected str or bytes, got {type(value).__name__} ({value!r})")


def encode_member_name(name: str, value: KeyT, encoding: str) -> bytes:
    """
    Make bytes of the name of a group or a consumer. Servers take empty ones; whoever gives one has forgotten to set it.

    Raises:
        TypeError, ValueError: neither str nor bytes, or empty
    """
    encoded = encode_name(name, value, encoding)
    if not encoded:
        raise ValueError(f"{name}: expected a name, got {value!r}")
    return encoded


def check_no_group_options(given: Mapping[str, object]) -> None:
    """
    Refuse options of a group consumer where there is no group.

    Raises:
        CommandSyntaxError: one of them is not what it is by default
    """
    for name, value in given.items():
        if value != GROUP_DEFAULTS[name]:
            raise CommandSyntaxError(
                {name}, f"without group and consumer there is nothing it could mean, got {value!r}"
            )


def read_streams(
    streams: Iterable[KeyT],
    parameters: Mapping[KeyT, StreamParameters] | None,
    keywords: Mapping[str, StreamParameters],
    encoding: str,
    check: Callable[[str, PositionT], bytes],
) -> dict[bytes, tuple[KeyT, bytes | None]]:
    """
    Put together where each stream begins.

    Args:
        streams: their names; the same one as str and bytes counts once
        parameters: by name
        keywords: by name as well, from keyword arguments
        encoding: of names given as str
        check: for identifiers, naming the argument

    Returns:
        for each stream, under its name in bytes: the name as given, and the identifier as it is sent, or None

    Raises:
        TypeError, ValueError: no stream, or something said of a stream that is not there, or a bad identifier
    """
    found: dict[bytes, tuple[KeyT, bytes | None]] = {}
    if isinstance(streams, Mapping):
        raise TypeError("streams: expected names, got a mapping; where streams begin is said by parameters=")
    names: tuple[KeyT, ...] = several("streams", streams)
    for given in names:
        found.setdefault(encode_name("streams", given, encoding), (given, None))
    for source, said in (("parameters", parameters or {}), ("", keywords)):
        for given, what in said.items():
            name = encode_name("parameters", given, encoding)
            where = f"{source}[{given!r}]" if source else str(given)
            if name not in found:
                raise ValueError(f"{where}: neither a parameter of the consumer nor one of its streams")
            if not isinstance(what, Mapping) or set(what) - {"identifier"}:
                raise ValueError(f"{where}: expected {{'identifier': ...}}, got {what!r}")
            if "identifier" in what:
                found[name] = (found[name][0], check(f"{where}['identifier']", what["identifier"]))
    return found


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """
    What a group consumer does beyond reading, checked.

    Attributes:
        raises: a group that has vanished is an error before it is made again
        delete: what is acknowledged is deleted from its stream
        ack_buffer: how many acknowledgements are collected; 0: none
        ack_interval: milliseconds after which they are sent
        claim_idle: milliseconds after which entries are taken over; None: never
        heartbeat: leases are renewed in the background
        max_deliveries: after so many an entry is given up; None: never
        max_unacked: how many entries may be unacknowledged before fetching pauses; None: any number
    """

    raises: bool
    delete: bool
    ack_buffer: int
    ack_interval: int
    claim_idle: int | None
    heartbeat: bool
    max_deliveries: int | None
    max_unacked: int | None = MAX_UNACKED

    @classmethod
    def checked(
        cls,
        *,
        auto_create: bool = True,
        auto_acknowledge: bool,
        start_from_backlog: bool = False,
        recover_group: str,
        ack: str,
        ack_buffer: int,
        ack_interval: int,
        claim_idle: int | None,
        heartbeat: bool,
        max_deliveries: int | None,
        dead_letter: object,
        on_deleted: object,
        prefetch: bool = False,
        max_unacked: int | None = MAX_UNACKED,
        max_reply_bytes: int = REPLY_BYTES,
    ) -> Self:
        """
        Check what the constructor was given.

        Raises:
            TypeError, ValueError: a bad argument, or some that do not go together
        """
        for name, value in (
            ("auto_create", auto_create),
            ("auto_acknowledge", auto_acknowledge),
            ("start_from_backlog", start_from_backlog),
            ("heartbeat", heartbeat),
        ):
            check_boolean(name, value)
        _choice("recover_group", recover_group, ("recreate", "raise"))
        _choice("ack", ack, ("acknowledge", "delete"))
        natural_integer("ack_buffer", ack_buffer)
        whole_number("ack_interval", ack_interval, 1, RELEASED_IDLE)
        if claim_idle is not None:
            whole_number("claim_idle", claim_idle, SHORTEST_CLAIM_IDLE, RELEASED_IDLE)
        if max_deliveries is not None:
            positive_integer("max_deliveries", max_deliveries)
        if max_unacked is not None:
            positive_integer("max_unacked", max_unacked)
        if auto_acknowledge and max_unacked not in (None, MAX_UNACKED):
            raise ValueError(f"max_unacked: with auto_acknowledge=True nothing is unacknowledged, got {max_unacked!r}")
        if auto_acknowledge and max_reply_bytes != REPLY_BYTES:
            raise ValueError(
                f"max_reply_bytes: with auto_acknowledge=True a reply that is cut would be lost, got {max_reply_bytes!r}"
            )
        if auto_acknowledge:
            for name, given, default in (
                ("claim_idle", claim_idle, None),
                ("max_deliveries", max_deliveries, None),
                ("ack_buffer", ack_buffer, 0),
                ("ack", ack, "acknowledge"),
            ):
                if given != default:
                    raise ValueError(
                        f"{name}: with auto_acknowledge=True nothing is left to acknowledge or take over, got {given!r}"
                    )
        if auto_acknowledge and prefetch:
            raise ValueError("prefetch: with auto_acknowledge=True entries on their way would be lost in a crash, too")
        if heartbeat and claim_idle is None:
            raise ValueError(
                f"heartbeat: got {heartbeat!r}, but no claim_idle; it renews the leases that that speaks of"
            )
        if max_deliveries is not None and dead_letter is None:
            raise ValueError(f"max_deliveries: got {max_deliveries!r}, but no dead_letter to say where entries go then")
        if max_deliveries is None and dead_letter is not None:
            raise ValueError(f"dead_letter: got {dead_letter!r}, but no max_deliveries to say after how many")
        if on_deleted is not None and not callable(on_deleted):
            raise TypeError(f"on_deleted: expected a function, got {type(on_deleted).__name__} ({on_deleted!r})")
        return cls(
            recover_group == "raise",
            ack == "delete",
            ack_buffer,
            ack_interval,
            claim_idle,
            heartbeat,
            max_deliveries,
            max_unacked,
        )

    @property
    def renewal_age(self) -> float:
        """
        How old a lease is when it is renewed, in seconds: half of what others wait for.
        """
        return 0.0 if self.claim_idle is None else self.claim_idle / 2000

    def idle_for(self, delay: int | None) -> int | None:
        """
        Say how long an entry is to have been idle, so that others may take it over after a delay.

        Args:
            delay: milliseconds; None: at once

        Returns:
            milliseconds; None: so long that anybody may take it over at once. Below 0: so much later than others wait

        Raises:
            TypeError, ValueError: a bad delay
        """
        if delay is None:
            return None
        whole_number("delay", delay, 0, RELEASED_IDLE)
        if self.claim_idle is None:
            raise ValueError(
                f"delay: {delay!r} milliseconds are counted from claim_idle, which this consumer does not have"
            )
        return self.claim_idle - delay


def _choice(name: str, given: object, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise ValueError(f"{name}: expected {' or '.join(map(repr, choices))}, got {given!r}")
