"""
What the methods of the clients return, where it is more than text, a number or a plain collection.

Generic classes follow the client: ``StreamEntry[bytes]`` from a client that leaves text as bytes, ``StreamEntry[str]`` from
one with ``decode_responses=True``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import AnyStr, Generic, NamedTuple, TypeAlias, TypedDict, Union

from .typing import StringT, ValueT

# ------------------------------------------------------------------------------------------------------ streams


class RepeatedFields(dict[AnyStr, AnyStr]):
    """
    The field values of an entry in which a name occurs more than once.

    As a dict it has the last value of each name. Two of these are equal when their pairs are; compared with any other
    mapping it is the dict.

    Attributes:
        pairs: every (name, value) in the order in which they were added to the stream
    """

    __slots__ = ("pairs",)

    pairs: tuple[tuple[AnyStr, AnyStr], ...]

    def __init__(self, pairs: Iterable[tuple[AnyStr, AnyStr]]) -> None:
        self.pairs = tuple(pairs)
        self.update(self.pairs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RepeatedFields):
            return self.pairs == other.pairs
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # as every dict

    def __repr__(self) -> str:
        return f"RepeatedFields({self.pairs!r})"

    def __reduce__(self) -> tuple[type, tuple[tuple[tuple[AnyStr, AnyStr], ...]]]:
        return type(self), (self.pairs,)


class DeletedFields(dict[AnyStr, AnyStr]):
    """
    The field values of a pending entry that is no longer in its stream: none. What it said cannot be had any more.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "DeletedFields()"


class StreamEntry(NamedTuple, Generic[AnyStr]):
    """
    One entry of a stream.

    Attributes:
        identifier: ``"milliseconds-sequence"``. Identifiers order as two numbers, not as text
        field_values: value by name, in the order of the entry. A plain dict; a ``RepeatedFields`` where a name occurs more
            than once; an empty ``DeletedFields`` where a pending entry was deleted from the stream
        idle: milliseconds since the previous delivery, before this read claimed the entry; 0 for a new entry. Only from
            XREADGROUP with CLAIM, otherwise None
        delivered: how often it had been delivered before; 0 for a new entry. Only from XREADGROUP with CLAIM, otherwise
            None
    """

    identifier: AnyStr
    field_values: dict[AnyStr, AnyStr]
    idle: int | None = None
    delivered: int | None = None

    @property
    def pairs(self) -> tuple[tuple[AnyStr, AnyStr], ...]:
        """
        Every (name, value) in order, repeated names included.
        """
        fields = self.field_values
        return fields.pairs if isinstance(fields, RepeatedFields) else tuple(fields.items())

    @property
    def deleted(self) -> bool:
        """
        True for a pending entry that was deleted or trimmed from the stream: acknowledge it, there is nothing to process.
        """
        return isinstance(self.field_values, DeletedFields)

    @property
    def timestamp(self) -> datetime:
        """
        The time in the identifier, in UTC. An identifier given by the producer need not be a time.

        Raises:
            OverflowError: it is none, being later than the year 9999
        """
        identifier = self.identifier
        text = identifier if isinstance(identifier, str) else identifier.decode("ascii")
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text.partition("-")[0]))


class DeadLetter(NamedTuple, Generic[AnyStr]):
    """
    An entry that a group consumer gives up, because it was delivered too often without being acknowledged.

    Attributes:
        stream: where it is
        entry: the entry
        group: the consumer group
        consumer: who gives it up
        deliveries: how often it had been delivered before, by the server's count
        error: the class of the last error raised while it was being processed by this consumer; empty when none is known
    """

    stream: AnyStr
    entry: StreamEntry[AnyStr]
    group: StringT
    consumer: StringT
    deliveries: int
    error: str


#: What names an entry: ``"5-1"``, ``b"5-1"``, ``"5"`` or 5 for ``5-0``, or the entry itself.
IdentifierT: TypeAlias = StringT | int | StreamEntry[str] | StreamEntry[bytes]
#: A place in a stream: an identifier, a special one such as ``"-"`` where the command has it, or a time. A ``datetime``
#: without a time zone is local time.
PositionT: TypeAlias = IdentifierT | datetime
#: The fields of an entry as pairs, in which a name may occur more than once.
PairsT: TypeAlias = Sequence[tuple[StringT, ValueT]] | Iterator[tuple[StringT, ValueT]]


class StreamAdditions(NamedTuple, Generic[AnyStr]):
    """
    What became of entries that were added with one call (``xadd_many``). Positions count what was given, from 0.

    Attributes:
        first: the position of the first entry that this tells about
        identifiers: of each entry from there on; None for one that is not known to have been added
        errors: what went wrong, by position; an error with ``may_have_run`` means that it is unknown whether the entry was
            added
    """

    first: int
    identifiers: tuple[AnyStr | None, ...]
    errors: dict[int, Exception]

    @property
    def end(self) -> int:
        """
        The position after the last entry that this tells about.
        """
        return self.first + len(self.identifiers)

    @property
    def added(self) -> int:
        """
        How many of these entries were certainly added.
        """
        return len(self.identifiers) - self.identifiers.count(None)

    @property
    def not_added(self) -> tuple[int, ...]:
        """
        The positions of those that were certainly not added: they may be given again.
        """
        return tuple(
            position
            for position, identifier in enumerate(self.identifiers, self.first)
            if identifier is None and not getattr(self.errors.get(position), "may_have_run", False)
        )

    @property
    def unknown(self) -> tuple[int, ...]:
        """
        The positions of those of which nobody knows whether they were added. The stream itself can tell.
        """
        return tuple(position for position, error in self.errors.items() if getattr(error, "may_have_run", False))


class StreamPending(NamedTuple, Generic[AnyStr]):
    """
    What a consumer group has delivered and nobody has acknowledged yet (XPENDING, summary).

    Attributes:
        pending: how many entries
        minimum_identifier: the smallest of them; None when there is none
        maximum_identifier: the largest of them; None when there is none
        consumers: how many each consumer holds, consumers without any left out. The sum is less than ``pending`` when
            entries were handed back with XNACK: those belong to nobody
    """

    pending: int
    minimum_identifier: AnyStr | None
    maximum_identifier: AnyStr | None
    consumers: dict[AnyStr, int]


class StreamPendingExt(NamedTuple, Generic[AnyStr]):
    """
    One pending entry (XPENDING with a range).

    Attributes:
        identifier: of the entry, which may be gone from the stream
        consumer: who holds it; empty when it was handed back with XNACK
        idle: milliseconds since it was delivered or claimed; -1 when it was handed back with XNACK
        delivered: how often it was delivered
    """

    identifier: AnyStr
    consumer: AnyStr
    idle: int
    delivered: int


class StreamGroupPending(NamedTuple):
    """
    One pending entry of a group in the full form of XINFO STREAM.

    Attributes:
        identifier: of the entry
        consumer: who holds it; empty when it was handed back with XNACK
        delivery_time: milliseconds since the epoch; 0 when it was handed back with XNACK
        delivered: how often it was delivered
    """

    identifier: StringT
    consumer: StringT
    delivery_time: int
    delivered: int


class StreamConsumerPending(NamedTuple):
    """
    One pending entry of a consumer in the full form of XINFO STREAM.

    Attributes:
        identifier: of the entry
        delivery_time: milliseconds since the epoch
        delivered: how often it was delivered
    """

    identifier: StringT
    delivery_time: int
    delivered: int


# The names with hyphens are the server's and rule out the class syntax, and with it generic values: text in these is str or
# bytes as the client decodes. All keys are optional because servers differ; fields not listed are kept as they come.

#: A consumer in the full form of XINFO STREAM. ``seen-time`` (last attempt to read) and ``active-time`` (last delivery, -1
#: for never; not on Redis 7.0) are milliseconds since the epoch, ``pel-count`` is how many entries are pending.
StreamConsumerInfo = TypedDict(
    "StreamConsumerInfo",
    {
        "name": StringT,
        "seen-time": int,
        "active-time": int,
        "pel-count": int,
        "pending": tuple[StreamConsumerPending, ...],
    },
    total=False,
)

#: A consumer group in the full form of XINFO STREAM. ``entries-read`` and ``lag`` are None where the server cannot tell;
#: ``nacked-count`` is there from Redis 8.8 on.
StreamGroupInfo = TypedDict(
    "StreamGroupInfo",
    {
        "name": StringT,
        "last-delivered-id": StringT,
        "entries-read": int | None,
        "lag": int | None,
        "pel-count": int,
        "nacked-count": int,
        "pending": tuple[StreamGroupPending, ...],
        "consumers": tuple[StreamConsumerInfo, ...],
    },
    total=False,
)

#: What XINFO STREAM tells. ``groups`` is their number, or the groups themselves in the full form. ``first-entry`` and
#: ``last-entry`` are None for an empty stream and in the full form, ``entries`` is None but in the full form. The fields of
#: idempotent producers (``idmp-...``, ``pids-tracked``, ``iids-...``) are there from Redis 8.6 on.
StreamInfo = TypedDict(
    "StreamInfo",
    {
        "length": int,
        "radix-tree-keys": int,
        "radix-tree-nodes": int,
        "last-generated-id": StringT,
        "max-deleted-entry-id": StringT,
        "entries-added": int,
        "recorded-first-entry-id": StringT,
        "idmp-duration": int,
        "idmp-maxsize": int,
        "pids-tracked": int,
        "iids-tracked": int,
        "iids-added": int,
        "iids-duplicates": int,
        "groups": int | tuple[StreamGroupInfo, ...],
        "first-entry": StreamEntry[str] | StreamEntry[bytes] | None,
        "last-entry": StreamEntry[str] | StreamEntry[bytes] | None,
        "entries": tuple[StreamEntry[str], ...] | tuple[StreamEntry[bytes], ...] | None,
    },
    total=False,
)

# ----------------------------------------------------------------------------------------- server and other types
# (everything that is not about streams goes below this line)


class ScoredMember(NamedTuple, Generic[AnyStr]):
    """
    A member of a sorted set.

    Attributes:
        member: the member
        score: its score; an infinity is possible
    """

    member: AnyStr
    score: float


#: A value in INFO: a number, text, or for the lines that hold several (``db0``, ``cmdstat_get``) a value for each name.
#: Only ``modules`` is a tuple of those.
InfoValue: TypeAlias = int | float | str | dict[str, int | float | str] | tuple[dict[str, int | float | str], ...]

#: A connection as CLIENT LIST and CLIENT INFO describe it; always ``str``, whatever the client decodes. Which fields are there
#: depends on the server; fields not listed are kept as they come.
ClientInfo = TypedDict(
    "ClientInfo",
    {
        "id": int,
        "addr": str,
        "laddr": str,
        "fd": int,
        "name": str,
        "age": int,
        "idle": int,
        "flags": str,
        "db": int,
        "sub": int,
        "psub": int,
        "ssub": int,
        "multi": int,
        "watch": int,
        "qbuf": int,
        "qbuf-free": int,
        "argv-mem": int,
        "multi-mem": int,
        "rbs": int,
        "rbp": int,
        "obl": int,
        "oll": int,
        "omem": int,
        "tot-mem": int,
        "events": str,
        "cmd": str,
        "user": str,
        "redir": int,
        "resp": int,
        "lib-name": str,
        "lib-ver": str,
    },
    total=False,
)


class RoleInfo(NamedTuple):
    """
    The role of a server in replication (ROLE); always ``str``.

    Attributes:
        role: ``"master"``, ``"slave"`` or ``"sentinel"``, the server's words
        offset: the replication offset; None for a sentinel, -1 for a replica that has not connected yet
        status: of a replica's link to its primary: ``"connect"``, ``"connecting"``, ``"sync"``, ``"connected"``
        slaves: of a primary: host, port and offset of each replica
        masters: of a sentinel: the names of the primaries it watches
        host: of a replica: the host of its primary
        port: of a replica: the port of its primary
    """

    role: str
    offset: int | None = None
    status: str | None = None
    slaves: tuple[dict[str, str | int], ...] | None = None
    masters: tuple[str, ...] | None = None
    host: str | None = None
    port: int | None = None


class SlowLogInfo(NamedTuple, Generic[AnyStr]):
    """
    One entry of the log of slow commands.

    Attributes:
        id: the number of the entry
        start_time: seconds since the epoch
        duration: microseconds
        command: the command and its arguments, long ones shortened by the server
        client_addr: address of the client
        client_name: name of the client, empty when it has none
    """

    id: int
    start_time: int
    duration: int
    command: list[AnyStr]
    client_addr: AnyStr
    client_name: AnyStr


class FunctionDefinition(TypedDict, Generic[AnyStr]):
    """
    A function of a library. ``flags`` are the server's words, such as ``"no-writes"``.
    """

    name: AnyStr
    description: AnyStr | None
    flags: set[str]


class LibraryDefinition(TypedDict, Generic[AnyStr]):
    """
    A library of functions. ``library_code`` is None unless asked for.
    """

    name: AnyStr
    engine: str
    functions: dict[AnyStr, FunctionDefinition[AnyStr]]
    library_code: AnyStr | None


#: A value in what the server tells about its own commands.
DocumentValue: TypeAlias = Union[int, str, tuple["DocumentValue", ...], dict[str, "DocumentValue"]]

#: A command as COMMAND INFO describes it; always ``str``.
CommandInfo = TypedDict(
    "CommandInfo",
    {
        "name": str,
        "arity": int,
        "flags": frozenset[str],
        "first-key": int,
        "last-key": int,
        "step": int,
        "acl-categories": frozenset[str],
        "tips": frozenset[str],
        "key-specifications": tuple[dict[str, DocumentValue], ...],
        "sub-commands": tuple["CommandInfo", ...],
    },
)

#: A user as ACL GETUSER describes it: text in the client's manner, the names of the fields always ``str``.
AclUserValue: TypeAlias = AnyStr | set[AnyStr] | tuple[AnyStr, ...] | tuple[dict[str, AnyStr], ...]
