"""
Which node of a cluster serves which slot, as one of the nodes told.

A ``Topology`` is a value and never changes; news make another one. It is read from the reply to CLUSTER SLOTS or to CLUSTER
SHARDS (https://redis.io/docs/latest/commands/cluster-slots/, https://redis.io/docs/latest/commands/cluster-shards/), in the
shape of either protocol. Hosts may be names: nothing is resolved here. A host that is left out means the one that was asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from ..exceptions import ClusterError, InvalidResponse
from .command import Reply
from .config import TCPAddress, check_integer
from .replies.shapes import pairs
from .slots import SLOTS

#: Where a node listens, as this process reaches it: from what others announce, (host, port), to another such pair.
AddressMap: TypeAlias = Mapping[tuple[str, int], tuple[str, int]] | Callable[[tuple[str, int]], tuple[str, int]]
#: What a node that does not know its own address says instead.
_UNKNOWN_HOSTS: Final = (None, b"", b"?", "", "?")
#: What reading a reply of another shape stumbles over.
_UNEXPECTED: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError, InvalidResponse)


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """
    One node.

    Attributes:
        address: where to connect, after the address map
        announced: where it says it is: (host, port)
        names: everything else that it says it is called: host names and addresses
        identifier: the cluster's name for it; empty when it did not say
    """

    address: TCPAddress
    announced: tuple[str, int] = ("", 0)
    names: frozenset[str] = frozenset()
    identifier: str = ""


class Place(NamedTuple):
    """
    Where a consumer reads: a node, and whether every read there is to be introduced by ASKING.
    """

    address: TCPAddress
    asking: bool = False

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Shard:
    """
    A primary with its replicas and its slots.

    Attributes:
        ranges: the slots, as (first, last), both included, in order
    """

    primary: NodeInfo
    replicas: tuple[NodeInfo, ...]
    ranges: tuple[tuple[int, int], ...]

    @property
    def first_slot(self) -> int:
        """
        The lowest slot it serves.
        """
        return self.ranges[0][0]


@dataclass(frozen=True, slots=True)
class Topology:
    """
    The shards that serve slots, ordered by their lowest slot.
    """

    shards: tuple[Shard, ...]
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _runs: tuple[tuple[int, Shard], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        runs = sorted((first, last, number) for number, shard in enumerate(self.shards) for first, last in shard.ranges)
        # A frozen class computes what it derives here, where nobody can see it half made.
        object.__setattr__(self, "_starts", tuple(first for first, _, _ in runs))
        object.__setattr__(self, "_runs", tuple((last, self.shards[number]) for _, last, number in runs))

    def shard(self, slot: int) -> Shard | None:
        """
        Find the shard that serves a slot; None when nobody does.
        """
        position = bisect_right(self._starts, slot) - 1
        if position < 0:
            return None
        last, shard = self._runs[position]
        return shard if slot <= last else None

    @property
    def primaries(self) -> tuple[NodeInfo, ...]:
        """
        The primaries, ordered by their lowest slot.
        """
        return tuple(shard.primary for shard in self.shards)

    @property
    def replicas(self) -> tuple[NodeInfo, ...]:
        """
        The replicas, shard by shard.
        """
        return tuple(replica for shard in self.shards for replica in shard.replicas)

    @property
    def addresses(self) -> frozenset[TCPAddress]:
        """
        Where all nodes listen.
        """
        return frozenset(node.address for node in (*self.primaries, *self.replicas))

    @property
    def covered(self) -> bool:
        """
        Whether every slot is served.
        """
        return SLOTS == sum(last - first + 1 for shard in self.shards for first, last in shard.ranges)

    def moved(self, slot: int, address: TCPAddress) -> Topology:
        """
        Give the topology after a slot has moved to the node at an address.

        If that is a replica of the shard that had it, it has taken over: all slots of the shard are its own then.
        """
        old = self.shard(slot)
        new = next((shard for shard in self.shards if shard.primary.address == address), None)
        if old is not None and old is new:
            return self
        if old is not None and new is None:
            for replica in old.replicas:
                if replica.address == address:
                    others = tuple(each for each in old.replicas if each is not replica)
                    promoted = Shard(replica, others, old.ranges)
                    return Topology(tuple(promoted if shard is old else shard for shard in self.shards))
        if new is None:
            new = Shard(NodeInfo(address), (), ())
        shards = [_without(shard, slot) if shard is old else shard for shard in self.shards if shard is not new]
        shards.append(Shard(new.primary, new.replicas, _joined([*new.ranges, (slot, slot)])))
        return _ordered(shards)


def read_slots(reply: Reply, asked: TCPAddress, mapped: Callable[[tuple[str, int]], TCPAddress]) -> Topology:
    """
    Read the reply to CLUSTER SLOTS. Nodes that are down are not in it.

    Args:
        reply: as the parser hands it over
        asked: the node that answered
        mapped: makes addresses of what is announced

    Raises:
        InvalidResponse: it is none
    """
    try:
        shards: dict[TCPAddress, tuple[NodeInfo, list[NodeInfo], list[tuple[int, int]]]] = {}
        for first, last, primary, *replicas in reply:
            node = _listed(primary, asked, mapped)
            _, known, ranges = shards.setdefault(node.address, (node, [], []))
            known += [found for found in (_listed(each, asked, mapped) for each in replicas) if found not in known]
            ranges.append(_range(first, last))
    except _UNEXPECTED:
        raise InvalidResponse("CLUSTER SLOTS: unexpected reply") from None
    return _ordered(Shard(node, tuple(known), _joined(ranges)) for node, known, ranges in shards.values())


def read_shards(
    reply: Reply, asked: TCPAddress, mapped: Callable[[tuple[str, int]], TCPAddress], *, tls: bool
) -> Topology:
    """
    Read the reply to CLUSTER SHARDS. Nodes that are not well are left out, as are shards without slots.

    Args:
        reply, asked, mapped: as ``read_slots``
        tls: take the ports for TLS

    Raises:
        InvalidResponse: it is none
    """
    shards = []
    try:
        for entry in reply:
            fields = {bytes(name): value for name, value in pairs(entry)}
            bounds = [int(bound) for bound in fields[b"slots"]]
            ranges = [_range(first, last) for first, last in zip(bounds[::2], bounds[1::2], strict=True)]
            primary: NodeInfo | None = None
            replicas = []
            for description in fields[b"nodes"]:
                attributes = {bytes(name): value for name, value in pairs(description)}
                node = _described(attributes, asked, mapped, tls)
                if node is None:
                    continue
                if attributes[b"role"] == b"master":
                    primary = node
                elif attributes.get(b"health") == b"online":
                    replicas.append(node)
            if primary is not None and ranges:
                shards.append(Shard(primary, tuple(replicas), _joined(ranges)))
    except _UNEXPECTED:
        raise InvalidResponse("CLUSTER SHARDS: unexpected reply") from None
    return _ordered(shards)


def address_reader(
    address_map: AddressMap | None, failure: Callable[[str], Exception] = ClusterError
) -> Callable[[tuple[str, int]], TCPAddress]:
    """
    Make the function that turns announced addresses into those to connect to.

    Args:
        address_map: a mapping (what is not in it stays as it is), a function, or None
        failure: makes the error for a map that fails or gives no address

    Raises:
        TypeError: it is something else
    """
    if address_map is None:
        return lambda announced: TCPAddress(*announced)
    if isinstance(address_map, Mapping):
        known = dict(address_map)
        return lambda announced: _checked(known.get(announced, announced), failure)
    if not callable(address_map):
        raise TypeError(f"address_map: expected a mapping or a function, got {type(address_map).__name__}")
    function = address_map

    def mapped(announced: tuple[str, int]) -> TCPAddress:
        try:
            given = function(announced)
        except Exception as error:
            raise failure(f"address_map: failed for {announced}") from error
        return _checked(given, failure)

    return mapped


def announced_host(host: object, asked: str) -> str:
    """
    Give the host that a node names, which is the one that was asked when it names none.
    """
    if host in _UNKNOWN_HOSTS:
        return asked
    if isinstance(host, bytes):
        return host.decode()
    if isinstance(host, str):
        return host
    raise ValueError("no host")


def _checked(pair: tuple[str, int], failure: Callable[[str], Exception]) -> TCPAddress:
    try:
        host, port = pair
        if isinstance(host, str) and host:
            return TCPAddress(host, check_integer("port", port, 1, 65535))
    except (TypeError, ValueError):
        pass
    # Not a ValueError: a mistake of the application's must not be taken for a bad reply of the server's.
    raise failure(f"address_map: expected (host, port), got {pair!r}")


def _listed(node: Reply, asked: TCPAddress, mapped: Callable[[tuple[str, int]], TCPAddress]) -> NodeInfo:
    """
    Read a node of CLUSTER SLOTS: host, port, and from Redis 4 on identifier, from 7 on further names.
    """
    host, port, *rest = node
    identifier = bytes(rest[0]).decode() if rest else ""
    names = {bytes(value).decode() for _, value in pairs(rest[1])} if len(rest) > 1 and rest[1] else set()
    return _node(host, int(port), names, identifier, asked, mapped)


def _described(
    attributes: Mapping[bytes, Reply], asked: TCPAddress, mapped: Callable[[tuple[str, int]], TCPAddress], tls: bool
) -> NodeInfo | None:
    """
    Read a node of CLUSTER SHARDS; None: it does not listen where we could connect.
    """
    port = attributes.get(b"tls-port" if tls else b"port")
    if not port:
        return None
    names = {bytes(attributes[name]).decode() for name in (b"ip", b"hostname") if attributes.get(name)}
    endpoint = attributes.get(b"endpoint", attributes.get(b"ip"))
    return _node(endpoint, int(port), names, bytes(attributes[b"id"]).decode(), asked, mapped)


def _node(
    host: object,
    port: int,
    names: Iterable[str],
    identifier: str,
    asked: TCPAddress,
    mapped: Callable[[tuple[str, int]], TCPAddress],
) -> NodeInfo:
    announced = (announced_host(host, asked.host), check_integer("port", port, 1, 65535))
    return NodeInfo(mapped(announced), announced, frozenset(names) - {"", announced[0]}, identifier)


def _range(first: Reply, last: Reply) -> tuple[int, int]:
    low, high = int(first), int(last)
    if not 0 <= low <= high < SLOTS:
        raise ValueError("no range of slots")
    return low, high


def _joined(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """
    Put ranges in order and join neighbours.
    """
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _without(shard: Shard, slot: int) -> Shard:
    ranges: list[tuple[int, int]] = []
    for first, last in shard.ranges:
        if first <= slot <= last:
            ranges += [part for part in ((first, slot - 1), (slot + 1, last)) if part[0] <= part[1]]
        else:
            ranges.append((first, last))
    return Shard(shard.primary, shard.replicas, tuple(ranges))


def _ordered(shards: Iterable[Shard]) -> Topology:
    return Topology(tuple(sorted((shard for shard in shards if shard.ranges), key=lambda shard: shard.first_slot)))
