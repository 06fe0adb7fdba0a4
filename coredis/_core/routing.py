"""
Decide to which nodes of a cluster a command goes, how it is split, and how the answers become one.

A command with keys goes to the slot of its keys, which its builder marked. A few commands whose keys do not depend on each
other are split by slot. What has no keys goes to any primary, to all of them or to all nodes, and the answers are merged, as
the server's own command tips say (https://redis.io/docs/latest/develop/reference/command-tips/).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from ..exceptions import ClusterCrossSlotError, ClusterDownError, InvalidResponse, NotBusyError
from ..typing import ValueT
from .capabilities import upper
from .command import Command, Reply
from .config import TCPAddress
from .slots import SLOTS, key_slot
from .topology import Topology
from .wire import encode_value

#: Makes one reply of the replies of all parts, in their order.
Merge: TypeAlias = Callable[[Sequence[Reply]], Reply]

_SHOWN_KEYS: Final = 8  # how many keys an error names


class Scope(enum.Enum):
    """
    Which nodes a command is for.
    """

    SLOT = "the node that serves the slot"
    SPLIT = "the nodes that serve the slots of its parts"
    ANY = "any primary"
    PRIMARIES = "all primaries"
    NODES = "all nodes"
    SCAN = "one primary after the other"


class Part(NamedTuple):
    """
    A command for one node: the one that serves a slot, or, if ``address`` is given, that very node.
    """

    command: Command[Reply]
    slot: int | None
    address: TCPAddress | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What becomes of a command.

    Attributes:
        scope: which nodes it is for
        slot: for ``Scope.SLOT``
        parts: for ``Scope.SPLIT``
        merge: makes one reply of several
        one_suffices: an error of one node does not matter if another one has succeeded
    """

    scope: Scope
    slot: int | None = None
    parts: tuple[Part, ...] = ()
    merge: Merge | None = None
    one_suffices: bool = False


_ANY: Final = Plan(Scope.ANY)
_SCAN: Final = Plan(Scope.SCAN)


def make_plan(command: Command[object], encoding: str, *, split: bool = True) -> Plan:
    """
    Decide about a command.

    Args:
        command: with the positions of its keys
        encoding: of keys that are ``str``
        split: whether a command may be split, so that it is no longer atomic

    Raises:
        ClusterCrossSlotError: its keys are in several slots and it is not split
    """
    keys = command.keys
    if len(keys) == 1:
        return Plan(Scope.SLOT, _slot_at(command, keys[0], encoding))
    if not keys:
        return _without_keys(command)
    slots = [_slot_at(command, position, encoding) for position in keys]
    if slots.count(slots[0]) == len(slots):
        return Plan(Scope.SLOT, slots[0])
    rule = _SPLIT.get(command.name.upper())
    if rule is None or not split:
        raise cross_slot(command, encoding, "" if rule is None else "; this client was told not to split it")
    return _split(command, slots, *rule)


def common_slot(command: Command[object], encoding: str) -> int | None:
    """
    Give the slot of a command that must not be split, as in a transaction; None when it has no keys.

    Raises:
        ClusterCrossSlotError: its keys are in several slots
    """
    slots = {_slot_at(command, position, encoding) for position in command.keys}
    if len(slots) > 1:
        raise cross_slot(command, encoding)
    return slots.pop() if slots else None


def cross_slot(command: Command[object], encoding: str, remark: str = "") -> ClusterCrossSlotError:
    """
    Make the error for keys that are in several slots.
    """
    slots = {}
    for position in command.keys:
        key = encode_value(command.arguments[position], "a key", encoding)
        slots[key] = key_slot(key)
    shown = ", ".join(f"{key!r} in {slot}" for key, slot in list(slots.items())[:_SHOWN_KEYS])
    more = "" if len(slots) <= _SHOWN_KEYS else f" and {len(slots) - _SHOWN_KEYS} more"
    error = ClusterCrossSlotError(
        f"CROSSSLOT {command.name}: all keys must be in one slot, and {shown}{more}{remark}; "
        "keys with the same {hash tag} share a slot",
        slots,
    )
    error.code = "CROSSSLOT"
    return error


def spread(plan: Plan, command: Command[object], topology: Topology) -> tuple[Sequence[Part], Merge]:
    """
    Make the parts of a command that is for several nodes, and what merges their replies.

    Raises:
        ClusterDownError: no node is known that it could go to
    """
    if plan.scope is Scope.SPLIT:
        assert plan.merge is not None
        return plan.parts, plan.merge
    if not topology.shards:
        raise ClusterDownError("CLUSTERDOWN no node serves any slot")
    if plan.scope is Scope.SCAN:
        return _scan(command, topology)
    assert plan.merge is not None
    # By slot rather than by address: after a failover it is the new primary that is asked.
    parts = [Part(command, shard.first_slot) for shard in topology.shards]
    if plan.scope is Scope.NODES:
        parts += [Part(command, None, node.address) for node in topology.replicas]
    return parts, plan.merge


# ----------------------------------------------------------------------------------------------------------- with keys


def _slot_at(command: Command[object], position: int, encoding: str) -> int:
    key = command.word(position)
    if type(key) is not bytes:
        try:
            key = key.encode(encoding) if type(key) is str else encode_value(key, "a key", encoding)
        except (TypeError, ValueError):
            command.encoded(encoding)  # fails as well, and says for which parameter
            raise
    return key_slot(key)


def _split(
    command: Command[object], slots: Sequence[int], stride: int, merge: Callable[[Sequence[Sequence[int]]], Merge]
) -> Plan:
    groups: dict[int, list[int]] = {}
    for number, slot in enumerate(slots):
        groups.setdefault(slot, []).append(number)
    parts = []
    for slot, numbers in groups.items():
        words: list[ValueT] = [command.arguments[0]]
        for number in numbers:
            first = command.keys[number]
            words += command.arguments[first : first + stride]
        parts.append(
            Part(
                Command(
                    tuple(words),
                    _unchanged,
                    keys=range(1, len(words), stride),
                    readonly=command.readonly,
                    idempotent=command.idempotent,
                ),
                slot,
            )
        )
    return Plan(Scope.SPLIT, parts=tuple(parts), merge=merge(list(groups.values())))


def _unchanged(reply: Reply) -> Reply:
    return reply


def _in_order(groups: Sequence[Sequence[int]]) -> Merge:
    def merge(replies: Sequence[Reply]) -> Reply:
        values: list[Reply] = [None] * sum(map(len, groups))
        for numbers, reply in zip(groups, replies, strict=True):
            for number, value in zip(numbers, reply, strict=True):
                values[number] = value
        return values

    return merge


# ------------------------------------------------------------------------------------------------------------- merging


def _sum(replies: Sequence[Reply]) -> Reply:
    return sum(replies)


def _least(replies: Sequence[Reply]) -> Reply:
    return min(replies)


def _first(replies: Sequence[Reply]) -> Reply:
    return replies[0]


def _joined(replies: Sequence[Reply]) -> Reply:
    return [item for reply in replies for item in reply]


def _where_all_agree(replies: Sequence[Reply]) -> Reply:
    return [int(all(answers)) for answers in zip(*replies, strict=True)]


def _first_there(replies: Sequence[Reply]) -> Reply:
    return next((reply for reply in replies if reply is not None), None)


# How far apart the keys of a command stand that may be split, and how the answers to its parts become one.
_SPLIT: Final[dict[str, tuple[int, Callable[[Sequence[Sequence[int]]], Merge]]]] = {
    "DEL": (1, lambda _: _sum),
    "EXISTS": (1, lambda _: _sum),
    "MGET": (1, _in_order),
    "MSET": (2, lambda _: _first),
    "TOUCH": (1, lambda _: _sum),
    "UNLINK": (1, lambda _: _sum),
}

# --------------------------------------------------------------------------------------------------------- without keys

_PRIMARIES: Final = Plan(Scope.PRIMARIES, merge=_first)
_NODES: Final = Plan(Scope.NODES, merge=_first)
_ANY_PRIMARY_WILL_DO: Final = Plan(Scope.PRIMARIES, merge=_first, one_suffices=True)

# What has no keys and is not here goes to any primary.
_KEYLESS: Final[dict[str, Plan]] = {
    "ACL DELUSER": _NODES,
    "ACL LOAD": _NODES,
    "ACL SAVE": _NODES,
    "ACL SETUSER": _NODES,
    "CLIENT PAUSE": _NODES,
    "CLIENT UNPAUSE": _NODES,
    "CONFIG RESETSTAT": _NODES,
    "CONFIG REWRITE": _NODES,
    "CONFIG SET": _NODES,
    "DBSIZE": Plan(Scope.PRIMARIES, merge=_sum),
    "FLUSHALL": _PRIMARIES,
    "FLUSHDB": _PRIMARIES,
    "FUNCTION DELETE": _PRIMARIES,
    "FUNCTION FLUSH": _PRIMARIES,
    "FUNCTION KILL": _ANY_PRIMARY_WILL_DO,
    "FUNCTION LOAD": _PRIMARIES,
    "FUNCTION RESTORE": _PRIMARIES,
    "KEYS": Plan(Scope.PRIMARIES, merge=_joined),
    "LATENCY RESET": Plan(Scope.NODES, merge=_sum),
    "MEMORY PURGE": _PRIMARIES,
    "PING": _PRIMARIES,
    "RANDOMKEY": Plan(Scope.PRIMARIES, merge=_first_there),
    "SCAN": _SCAN,
    "SCRIPT EXISTS": Plan(Scope.PRIMARIES, merge=_where_all_agree),
    "SCRIPT FLUSH": _NODES,
    "SCRIPT KILL": _ANY_PRIMARY_WILL_DO,
    "SCRIPT LOAD": _NODES,
    "SLOWLOG GET": Plan(Scope.NODES, merge=_joined),
    "SLOWLOG LEN": Plan(Scope.NODES, merge=_sum),
    "SLOWLOG RESET": _NODES,
    "WAIT": Plan(Scope.PRIMARIES, merge=_least),
}


def _without_keys(command: Command[object]) -> Plan:
    words = [upper(word) for word in command.arguments[:2]]
    if words[0] == "SCAN" and not (len(words) > 1 and words[1].isdecimal()):
        return _ANY  # which will say what is wrong
    return _KEYLESS.get(words[0]) or _KEYLESS.get(" ".join(words)) or _ANY


def decisive(errors: Sequence[Exception | None], *, one_suffices: bool) -> Exception | None:
    """
    Choose the error that a command for several nodes ends with; None: it has succeeded.

    Args:
        errors: of each part, None where it succeeded
        one_suffices: whether the success of one is enough
    """
    failed = [error for error in errors if error is not None]
    if not failed or (one_suffices and len(failed) < len(errors)):
        return None
    # That nothing runs on one node (NOTBUSY) says less than what another one answers.
    return next((error for error in failed if not isinstance(error, NotBusyError)), failed[0])


def _scan(command: Command[object], topology: Topology) -> tuple[Sequence[Part], Merge]:
    """
    Scan the primaries one after the other, in the order of their lowest slots.

    The cursor carries both: where in which one. A shard is named by its lowest slot, so a failover does not matter.
    """
    where, slot = divmod(int(command.arguments[1]), SLOTS)
    shard = topology.shard(slot) or next((later for later in topology.shards if later.first_slot >= slot), None)
    if shard is None:
        shard = topology.shards[-1]
    following = next((later for later in topology.shards if later.first_slot > shard.first_slot), None)
    part = Command((command.arguments[0], where, *command.arguments[2:]), _unchanged, readonly=command.readonly)

    def merge(replies: Sequence[Reply]) -> Reply:
        try:
            cursor, keys = replies[0]
            cursor = int(cursor)
        except (TypeError, ValueError):
            raise InvalidResponse("SCAN: unexpected reply") from None
        if cursor:
            return [cursor * SLOTS + shard.first_slot, keys]
        return [0 if following is None else following.first_slot, keys]

    return [Part(part, shard.first_slot)], merge
