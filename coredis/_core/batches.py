"""
Many entries for one stream: cut them into batches, and keep what became of each entry.

Entries are encoded batch by batch, so that the server works on one while the next is being encoded, and what has been told is
kept no longer: there may be no end to them. What goes wrong stops the rest, so that the order of the stream is that of the
entries: nothing is sent after an entry that was not added, and what is sent again is everything from one entry on. An entry
that is not known to have been added never counts as added.

Whoever sends may be interrupted anywhere. All state is in ``outstanding``, in the order of the entries, and a batch is marked
before its first byte may leave, so what is told afterwards is true.

No I/O and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, AnyStr, Final, Generic, cast

from ..exceptions import (
    AskError,
    ConnectionError,
    ConnectionLostError,
    InvalidResponse,
    ProtocolError,
    ReadOnlyError,
    RedisError,
    ReplyError,
    RequestTimeoutError,
)
from ..types import PairsT, StreamAdditions
from ..typing import MappingStringKeyT, ValueT
from .additions import Addition, Turn
from .command import Command, Reply
from .commands.streams import with_fields
from .entries import FEW_FIELDS, field_packers
from .errors import REFUSALS, from_line
from .parser import ErrorLine
from .replies.shapes import UNCHANGED
from .session import Request
from .transaction import CHUNK_BYTES, CHUNK_COMMANDS
from .wire import encode, encode_value

# A batch whose outcome is unknown can only be sent again if the server remembers all of it. By default it remembers 100
# entries of each producer (idmp-maxsize), of which two batches must leave a fifth.
REMEMBERED_ENTRIES: Final = 32

# Nothing was executed, and the same may be given to another node, or to the same one later.
_PASSING: Final = (AskError, ReadOnlyError, *REFUSALS)


class Batch:
    """
    Entries that are sent together.

    Attributes:
        payloads: encoded, one for each entry
        size: bytes of all of them
        begun: it may be on its way
        request: what waits for the replies, as soon as it is known
        replies_each: for an entry; more than one where something introduces it
        deadline: when to give up, its repetitions included; None: not sent yet
        turn: its place among those of its producer, if the server remembers
        errors: what became of the entries when they were sent before; empty: they were not
    """

    __slots__ = ("begun", "deadline", "errors", "payloads", "replies_each", "request", "size", "turn")

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.size = 0
        self.begun = False
        self.request: Request | None = None
        self.replies_each = 1
        self.deadline: float | None = None
        self.turn: Turn | None = None
        self.errors: list[Exception] = []

    def replies(self) -> Sequence[Reply]:
        """
        Give the replies that have come, one for each entry.
        """
        if self.request is None:
            return ()
        replies = self.request.replies
        return replies if self.replies_each == 1 else replies[self.replies_each - 1 :: self.replies_each]


class Batches(Generic[AnyStr]):
    """
    The entries of one call that are on their way, and the outcomes that have not been told.

    Args:
        command: XADD with everything but its fields
        encoding: for ``str``

    Attributes:
        command: the same
        outstanding: batches without an outcome, in order; the last one may be growing
        refused: what is wrong with an entry that cannot be encoded; nothing more is taken then
        failure: why no replies come any more
        errors: what went wrong, by the position of the entry
    """

    __slots__ = (
        "_beginnings",
        "_constant",
        "_encoding",
        "_identifiers",
        "_most",
        "_told",
        "command",
        "errors",
        "failure",
        "outstanding",
        "refused",
    )

    def __init__(self, command: Command[AnyStr | None], encoding: str) -> None:
        self.command: Command[AnyStr | None] = command
        self.outstanding: list[Batch] = []
        self.refused: Exception | None = None
        self.failure: BaseException | None = None
        self.errors: dict[int, Exception] = {}
        self._encoding = encoding
        self._most = CHUNK_COMMANDS if self.addition is None else REMEMBERED_ENTRIES
        words = command.arguments
        # The words before the fields are the same for all, so they are packed once; what counts them is put before them.
        self._constant = encode(words, encoding)[len(b"*%d\r\n" % len(words)) :]
        self._beginnings: dict[int, tuple[bytes, int]] = {}  # by the number of words for the fields
        self._told = 0  # entries whose outcomes have been told
        self._identifiers: list[AnyStr | None] = []

    @property
    def addition(self) -> Addition[AnyStr | None] | None:
        """
        The command, if the server remembers what the producer has added.
        """
        return self.command if isinstance(self.command, Addition) else None

    # ----------------------------------------------------------------------------------------------------- encoding

    def room(self) -> int:
        """
        Tell how many entries the last batch takes; 0: it is full.
        """
        if not self.outstanding or self.outstanding[-1].begun or self.outstanding[-1].errors:
            return self._most
        batch = self.outstanding[-1]
        return 0 if batch.size >= CHUNK_BYTES else self._most - len(batch.payloads)

    def absorb(self, held: list[Mapping[MappingStringKeyT, ValueT] | PairsT]) -> None:
        """
        Encode entries and take them out of the list, as many as fit into the last batch.

        One that cannot be encoded stays there, with all after it, and is in ``refused``.
        """
        room = self.room()
        batch = self.outstanding[-1] if self.outstanding else Batch()
        if batch.begun or batch.errors:
            batch = Batch()
        payloads: list[bytes] = []
        size, refused = batch.size, None
        beginnings, encoding = self._beginnings, self._encoding
        few = FEW_FIELDS if encoding == "utf-8" else -1
        fields: list[ValueT] = []  # of an entry that goes the longer way, while it does
        for entry in held[:room]:
            try:
                payload: bytes | None = None
                if type(entry) is dict:
                    count = len(entry)
                    if count <= few:
                        try:
                            payload = field_packers[count](entry)
                        except (LookupError, RuntimeError, TypeError, ValueError):
                            pass  # changed by others just now, or a wrong word, which is named on the other way
                    if payload is None:
                        # There names and values are taken one after the other, and others may change it meanwhile.
                        entry = entry.copy()
                if payload is None:
                    with_fields(entry, fields)
                    beginning, replaced = beginnings.get(len(fields)) or self._beginning(len(fields))
                    payload = beginning + encode(tuple(fields), encoding)[replaced:]
                    fields = []
                else:
                    payload = (beginnings.get(2 * count) or self._beginning(2 * count))[0] + payload
            except Exception as error:  # generators and mappings of the application raise what they like
                refused = self._named(error, fields, len(payloads))
                break
            payloads.append(payload)
            size += len(payload)
            if size >= CHUNK_BYTES:
                break
        count = len(payloads)
        new = [batch] if count and (not self.outstanding or batch is not self.outstanding[-1]) else []
        # No call between these statements, so nothing can interrupt here.
        batch.payloads += payloads
        batch.size = size
        self.outstanding += new
        self.refused = refused
        del held[:count]

    def _beginning(self, count: int) -> tuple[bytes, int]:
        """
        Make what begins an entry of so many words, but for its end, and tell how many bytes of the words packed alone it
        replaces.
        """
        end = len(b"\r\n")
        words = len(self.command.arguments) + count
        beginning = (b"*%d\r\n" % words + self._constant)[:-end], len(b"*%d\r\n" % count) - end
        self._beginnings[count] = beginning
        return beginning

    def _named(self, error: Exception, fields: Sequence[ValueT], following: int) -> Exception:
        """
        Say in an error which entry it is about, and which field.

        Args:
            error: what its encoding raised
            fields: those it has given, which it might not give again
            following: how many entries come before it that are not in a batch yet
        """
        position = self.taken + following
        for number, value in enumerate(fields):
            name = fields[number & ~1]
            where = f"{'the value of' if number % 2 else 'the name of a'} field" + (f" {name!r}" if number % 2 else "")
            try:
                encode_value(value, f"{where} of entries[{position}]", self._encoding)
            except UnicodeEncodeError as unfit:
                reason = f"{unfit.reason}, in {where} of entries[{position}]"
                return UnicodeEncodeError(unfit.encoding, unfit.object, unfit.start, unfit.end, reason)
            except (TypeError, ValueError) as wrong:
                return wrong
        if type(error) in (TypeError, ValueError):
            return type(error)(f"{error} for entries[{position}]")
        error.add_note(f"xadd_many: raised by entries[{position}]")
        return error

    # ----------------------------------------------------------------------------------------------------- outcomes

    def settle(self) -> bool:
        """
        Take the replies to the oldest batch, which have all come.

        Returns:
            False, and nothing is taken: not all of its entries were added
        """
        replies = self.outstanding[0].replies()
        kinds = set(map(type, replies))
        if ErrorLine in kinds:
            return False
        convert = self.command.convert
        try:
            identifiers = list(replies if kinds == {UNCHANGED.get(convert)} else map(convert, replies))
        except (AttributeError, TypeError, ValueError):
            return False
        # No call between these two statements, so nothing can interrupt here.
        self._identifiers += identifiers
        del self.outstanding[0]
        return True

    def conclude(self) -> RedisError | None:
        """
        After the batches on their way have been answered, or cannot be any more (see ``failure``): take what was added up to
        the first entry that was not, and prepare everything from there on to be sent again.

        Returns:
            what happened to that entry just now, if it and all after it may be sent again; None: they may not. What is told
            of it, and may be something earlier, is in the ``errors`` of its batch
        """
        outcomes: list[AnyStr | None | Exception] = []
        latest: list[AnyStr | None | Exception] = []
        for batch in self.outstanding:
            outcomes += self._outcomes(batch)
            latest += self._latest(batch)
        added = next((n for n, outcome in enumerate(outcomes) if isinstance(outcome, Exception)), len(outcomes))
        rest = outcomes[added:]
        if not rest or not all(map(self._may_repeat, rest)):
            return None
        again: list[Batch] = []
        position = 0
        for batch in self.outstanding:
            end = position + len(batch.payloads)
            if end > added:
                left = Batch()
                left.payloads = batch.payloads[max(0, added - position) :]
                left.errors = cast("list[Exception]", outcomes[max(added, position) : end])
                left.deadline, left.turn = batch.deadline, batch.turn
                again.append(left)
            position = end
        identifiers = cast("list[AnyStr | None]", outcomes[:added])
        # No call between these two statements, so nothing can interrupt here.
        self._identifiers += identifiers
        self.outstanding = again
        return cast(RedisError, latest[added])

    def give_up(self, held: list[Any]) -> None:
        """
        Note what is known of every entry that was taken; nothing more is to be sent.

        Args:
            held: entries that were taken and not encoded; none afterwards
        """
        outcomes: list[AnyStr | None | Exception] = []
        for batch in self.outstanding:
            outcomes += self._outcomes(batch)
        if held:
            outcomes.append(self.refused or _not_sent(self.failure))
            outcomes += [_not_sent(self.refused or self.failure)] * (len(held) - 1)
        first = self._told + len(self._identifiers)
        errors = {n: outcome for n, outcome in enumerate(outcomes, first) if isinstance(outcome, Exception)}
        identifiers = [None if isinstance(outcome, Exception) else outcome for outcome in outcomes]
        # No call between these statements, so nothing can interrupt here.
        self.errors |= errors
        self._identifiers += identifiers
        self.outstanding = []
        del held[:]

    def first_error(self) -> Exception | None:
        """
        Give what happened to the first entry that was sent and not added.
        """
        for batch in self.outstanding:
            for outcome in self._outcomes(batch):
                if isinstance(outcome, Exception):
                    return outcome
        return None

    def _outcomes(self, batch: Batch) -> list[AnyStr | None | Exception]:
        """
        Tell what became of each entry of a batch so far: its identifier, or an error.
        """
        outcomes = self._latest(batch)
        for number, before in enumerate(batch.errors):
            if isinstance(outcomes[number], Exception) and getattr(before, "may_have_run", False):
                outcomes[number] = before  # the earlier attempt may have been executed, if not this one
        return outcomes

    def _latest(self, batch: Batch) -> list[AnyStr | None | Exception]:
        """
        Tell the same of the attempt that is being made, or was the last.
        """
        count = len(batch.payloads)
        if not batch.begun:
            # Unless it is the connection that was in the way this time, nothing has been tried since.
            if batch.errors and not isinstance(self.failure, RedisError):
                return [*batch.errors]
            return [_not_sent(self.failure)] * count
        outcomes: list[AnyStr | None | Exception] = [self._outcome(reply) for reply in batch.replies()]
        missing = count - len(outcomes)
        if missing:
            request = batch.request
            # One that waits in the channel to be written with those of others will be sent, unless the channel has ended.
            sent = request is None or request.sent or request.failure is None
            outcomes += [_lost(self.failure, sent)] * missing
        return outcomes

    def _outcome(self, reply: Reply) -> AnyStr | None | Exception:
        if type(reply) is ErrorLine:
            return from_line(str(reply))
        try:
            return self.command.convert(reply)
        except (AttributeError, TypeError, ValueError) as error:
            unexpected = InvalidResponse(f"XADD: unexpected reply ({type(error).__name__})")
            unexpected.may_have_run = True
            return unexpected

    def _may_repeat(self, outcome: object) -> bool:
        if not isinstance(outcome, RedisError):
            return False
        if outcome.may_have_run:
            return self.addition is not None and isinstance(outcome, ConnectionError)
        return isinstance(outcome, _PASSING) or not isinstance(outcome, ReplyError)

    # ------------------------------------------------------------------------------------------------------ telling

    @property
    def taken(self) -> int:
        """
        The position after the last entry that was encoded.
        """
        return self.settled + sum([len(batch.payloads) for batch in self.outstanding])

    @property
    def settled(self) -> int:
        """
        The position after the last entry whose outcome is known.
        """
        return self._told + len(self._identifiers)

    def outcome(self) -> StreamAdditions[AnyStr]:
        """
        Tell what became of the entries since the last time somebody was told.
        """
        return StreamAdditions(self._told, tuple(self._identifiers), dict(self.errors))

    def forget(self) -> None:
        """
        Keep no longer what has been told.
        """
        self._told, self._identifiers, self.errors = self.settled, [], {}


def _not_sent(failure: BaseException | None) -> Exception:
    if isinstance(failure, RedisError) and not failure.may_have_run:
        return failure
    return RedisError("not sent" if failure is None else f"not sent: {_words(failure)}")


def _lost(failure: BaseException | None, sent: bool) -> Exception:
    if not sent:
        return _not_sent(failure)
    kind: type[ConnectionError | RequestTimeoutError] = ConnectionLostError
    if isinstance(failure, ProtocolError | RequestTimeoutError):
        kind = ProtocolError if isinstance(failure, ProtocolError) else RequestTimeoutError
    return kind("no reply came" if failure is None else _words(failure), may_have_run=True)


def _words(failure: BaseException) -> str:
    return str(failure) or type(failure).__name__
