"""
Pair replies with requests on one connection: the k-th reply belongs to the k-th command, for ever.

A request leaves the queue only when all its replies have arrived. Nobody waiting for it any more (a cancelled caller) changes
nothing: its replies still come, are stored where nobody looks, and so can never reach anybody else.

The order of the statements below matters, see ``parser``: a signal handler may raise after any call, and everything must still
be in its place then.
"""

from __future__ import annotations

import math
from typing import Any, Final

from hiredis import PushNotification

from ..exceptions import ConnectionError, ProtocolError
from .command import Reply
from .parser import NEED_DATA, SMALL_PIECE_BYTES, ErrorLine, Parser
from .whole import WholeReplies

MAX_PUSHES: Final = 1024  # unread out-of-band messages; more is a flood
_SHORT_WORD_BYTES: Final = 256
_ONE_STREAM: Final = (b"*1\r\n", b"%1\r\n")
_COUNTED_BYTES: Final = 1024  # from here on it pays to look whether acknowledgements have been answered before a read
_BUFFER_BYTES: Final = 16 * 1024  # what servers collect before they begin to write a reply
_WRITE_BYTES: Final = 64 * 1024  # servers write more in several steps
# Held back at most: beyond that it is worth more to parse while the rest is received.
_HELD_BYTES: Final = 512 * 1024
_HELD_PIECES: Final = 64


class RefusedError(ProtocolError):
    """
    An error that no command asked for: a server that wants no connection (too many clients, protected mode) says so at once,
    and closes it.
    """


class OversizedReplyError(ProtocolError):
    """
    A reply grew larger than whoever waits for it wants to have at a time.
    """


class Request:
    """
    One or more commands sent together, and what came back.

    Attributes:
        expected: how many replies belong to it
        replies: those that have arrived, in order; error replies are ``ErrorLine`` objects
        failure: what ended it before that; None while all is well
        sent: at least one byte of it may have left this process
    """

    __slots__ = ("expected", "failure", "replies", "sent")

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.replies: list[Reply] = []
        self.failure: ConnectionError | None = None
        self.sent = False

    def done(self) -> bool:
        """
        Tell whether nothing more is to come.
        """
        return len(self.replies) >= self.expected or self.failure is not None

    def outcome(self) -> list[Reply]:
        """
        Give the replies, one for each command.

        Raises:
            ConnectionError: the connection ended first; ``replies`` has those that came
        """
        if self.failure is not None:
            raise self.reason(self.failure)
        return self.replies

    def reason(self, failure: ConnectionError) -> ConnectionError:
        """
        Say why there are no replies, and whether the commands may have run: an error for this request alone.
        """
        error = type(failure)(str(failure), may_have_run=self.sent)
        error.__cause__ = failure.__cause__
        return error


class Session:
    """
    The requests of one connection that wait for replies, oldest first.

    Args:
        asked: requests for one reply that get it as their ``reply``, and that are looked at by nobody but who receives it

    Attributes:
        pending: those requests
        complete: the requests that data completed before something invalid in it ended the connection. Not kept otherwise:
            a request knows its channel, and a channel that is just forgotten should be freed at once, not by the collector
        pushes: out-of-band messages (RESP3) nobody has read, oldest first
        max_pushes: how many of these there may be; more is a flood
        failure: what ended the connection; None while it lives
        received: how many times data arrived, to tell a slow server from a dead connection
        measured: bytes that arrive are counted
        size: how many there were since this was last set to 0
        max_size: how many of these there may be while a request waits
        missing: how many bytes, as far as is known, are still to come of a string: what is received into a buffer next should
            go to ``follow`` first
        whole: reads a small piece that is one reply and nothing else, while nothing is pending: ``WholeReplies.whole``
    """

    __slots__ = (
        "_arrived",
        "_asked",
        "_given",
        "_held",
        "_parser",
        "_unasked",
        "_whole",
        "complete",
        "failure",
        "max_pushes",
        "max_size",
        "measured",
        "missing",
        "pending",
        "pushes",
        "received",
        "size",
        "whole",
    )

    def __init__(self, asked: type[Request] | None = None) -> None:
        self._asked = asked
        self._parser = Parser()
        self._whole = WholeReplies(self._parser)
        self.whole = self._whole.whole
        self._arrived: list[Reply] = []  # for the oldest requests, pushes perhaps among them
        self._given = 0  # how many of these the requests have; they are taken out together, or each would move the rest
        self._held: list[bytes] = []  # pieces of one reply that is not complete yet, not parsed
        self._unasked: list[Reply] = []  # arrived while nothing was pending
        self.pending: list[Request] = []
        self.complete: list[Request] = []
        self.pushes: list[Reply] = []
        self.max_pushes = MAX_PUSHES
        self.failure: ConnectionError | None = None
        self.received = 0
        self.measured = False
        self.size = 0
        self.max_size = math.inf
        self.missing = 0

    def expect(self, request: Request) -> None:
        """
        Queue a request; its bytes must be sent in the same order.

        Raises:
            ConnectionError: the connection has ended; nothing was sent
        """
        if self.failure is not None:
            raise type(self.failure)(str(self.failure)) from self.failure.__cause__
        self.pending.append(request)

    def receive(self, pieces: list[bytes]) -> list[Request]:
        """
        Take received pieces out of the list and hand their replies to the requests.

        Returns:
            the requests that are complete now

        Raises:
            ProtocolError: the connection cannot be used any more; call ``end`` and close it
        """
        number = len(pieces)
        size = len(pieces[0]) if number == 1 else sum(map(len, pieces))
        self.received += 1
        if self.measured:
            self.size += size
        pending = self.pending
        arrived: list[Reply] | None = None
        if pending and size and not self._arrived:
            request: Any = pending[0]
            if request.expected == 1:
                reply: Reply = NEED_DATA
                if number == 1 and size < SMALL_PIECE_BYTES and not self._held:
                    reply = self._whole.whole(pieces[0])
                    if reply is not NEED_DATA:
                        asked = type(request) is self._asked
                        # No call between these statements, so nothing can interrupt here.
                        if asked:
                            request.reply = reply
                        else:
                            request.replies = [reply]
                        del pending[0], pieces[0]
                        return [request]
                elif (
                    size < _BUFFER_BYTES
                    and number == 1
                    and len(pending) == 1
                    and not self._held
                    and pieces[0].endswith(b"\n")
                ):
                    # Nearly always all of it: see ``_may_be_whole``.
                    reply = self._whole.large(pieces[0])
                elif self._may_be_whole(pieces):
                    if not pieces[-1].endswith(b"\n"):
                        # No call between these two statements, so nothing can interrupt here.
                        self._held += pieces
                        del pieces[:]
                        return []
                    together = [*self._held, *pieces]
                    reply = self._whole.whole(together[0] if len(together) == 1 else b"".join(together), True)
                if reply is not NEED_DATA:
                    asked = type(request) is self._asked
                    # No call between these statements, so nothing can interrupt here.
                    if asked:
                        request.reply = reply
                    else:
                        request.replies = [reply]
                    del pending[0], pieces[:]
                    self._held = []
                    return [request]
            elif number == len(pending) == 1 and _COUNTED_BYTES <= size < _BUFFER_BYTES and pieces[0].startswith(b":"):
                replies = None if request.replies else self._whole.counted(pieces[0], request.expected - 1)
                if replies is not None:
                    # As above.
                    request.replies = replies
                    del self.pending[0]
                    del pieces[:]
                    return [request]
            if number == 1 and not self._held:
                # Each of them misses at least one.
                arrived = self._whole.several(pieces[0], max(request.expected - len(request.replies), len(pending)))
                if arrived is not None:
                    if len(arrived) == request.expected and not request.replies and type(request) is not self._asked:
                        # As above; it is a pipeline.
                        request.replies = arrived
                        del pending[0], pieces[0]
                        return [request]
                    # No call between these two statements, so nothing can interrupt here.
                    self._arrived = arrived
                    del pieces[0]
        if self._held:
            # No call between these statements, so nothing can interrupt here.
            self._held += pieces
            del pieces[:]
            pieces = self._held
        complete: list[Request] = []
        try:
            if arrived is not None:
                self._give(complete)
                self._drop_given()
            else:
                self._parser.feed(pieces)
                self.missing = self._parser.missing
                self._pair(complete)
            self._check_size()
        except BaseException:  # interrupted as well
            self.complete = complete
            raise
        return complete

    def whole_large(self, piece: bytes) -> Reply:
        """
        As ``whole``, of a large piece.
        """
        if piece.endswith(b"\n") and self._may_be_whole([piece]):
            return self._whole.whole(piece, True)
        return NEED_DATA

    def follow(self, parts: list[memoryview]) -> list[Request]:
        """
        As ``receive``, for what was received into memory that is used again: what is known to belong to large strings is
        neither copied nor searched.

        Args:
            parts: what was received; what remains in the list is not taken, for it may be something else: copy that and hand
                it to ``receive``

        Returns:
            the requests that are complete now

        Raises:
            ProtocolError: as ``receive``
        """
        if self._held:
            return []
        size = len(parts[0])
        complete: list[Request] = []
        try:
            some = self._parser.follow(parts)
            if some is not None:
                self.missing = self._parser.missing
                self.received += 1
                if self.measured:
                    self.size += size
                if some:
                    self._pair(complete)
                self._check_size()
        except BaseException:  # interrupted as well
            self.complete = complete
            raise
        return complete

    def end(self, failure: ConnectionError) -> list[Request]:
        """
        Fail everything pending, now and from now on.

        Returns:
            the requests that have failed
        """
        if self.failure is None:
            # Without the frames that it has come through: they hold the client, which would stay until the collector comes.
            failure.__traceback__ = failure.__context__ = None
            self.failure = failure
        failed = self.pending.copy()
        for request in failed:
            request.failure = self.failure
        self.pending.clear()
        return failed

    def _may_be_whole(self, pieces: list[bytes]) -> bool:
        """
        Tell whether pieces may belong to one large reply of many short words, which is all that is awaited. They are held back
        then until there is an end: one by one, each would have to be searched for what the parser does not notice.

        Servers write so many bytes at a time. To parse what was cut in vain takes longer than searching, so it has to look like
        the end. What a read of several streams brings they cut where a stream ends, and that cannot be told from it.

        A reply that is complete ends with a line, so it is not held back, unless the beginning of an out-of-band message comes
        with it: then until the rest of that is there. What is no valid reply is noticed when it is parsed, so with the next
        piece; if none comes the time of the request ends the wait.
        """
        if len(self.pending) > 1 or not self._parser.empty:
            return False
        together = [*self._held, *pieces]
        one = together[0].startswith(_ONE_STREAM)
        if pieces[-1].endswith(b"\n"):
            if len(together) == 1 and len(pieces[0]) < (_BUFFER_BYTES if one else _WRITE_BYTES):
                return pieces[0][0] in b"*%"
            return one and _ends_with_entry(pieces[-1])
        if not one or len(together) > _HELD_PIECES or sum(map(len, together)) > min(_HELD_BYTES, self.max_size):
            return False
        return pieces[-1].find(b"\n", -_SHORT_WORD_BYTES, -2) >= 0

    def _check_size(self) -> None:
        if self.measured and self.size > self.max_size and self.pending:
            raise OversizedReplyError(f"a reply of more than {self.max_size} bytes", may_have_run=True)

    def _pair(self, complete: list[Request]) -> None:
        """
        Hand the replies in what the parser was fed to the requests, and say which are complete.
        """
        pending = self.pending
        invalid: ProtocolError | None = None
        while pending:
            if self._given == len(self._arrived):
                self._drop_given()
                try:
                    if invalid is None:
                        # Each of them misses at least one.
                        missing = pending[0].expected - len(pending[0].replies)
                        self._parser.take(self._arrived, max(missing, len(pending)))
                except ProtocolError as error:
                    invalid = error  # what came before it is handed out first
                if not self._arrived:
                    if invalid is not None:
                        raise invalid
                    return
            if PushNotification in set(map(type, self._arrived)):
                self._keep_pushes()
            self._give(complete)
        self._drop_given()
        self._take_unasked()

    def _give(self, complete: list[Request]) -> None:
        """
        Hand the replies that have arrived to the requests, as far as both go.
        """
        pending: list[Any] = self.pending
        arrived = self._arrived
        count = len(arrived)
        while pending and self._given < count:
            given = self._given
            request = pending[0]
            if type(request) is self._asked:
                # Of many tasks. Nobody looks at these before they have left the queue, which they do together.
                asked = pending[: count - given]
                for asking, reply in zip(asked, arrived[given:], strict=False):  # there may be more replies
                    if type(asking) is not self._asked:
                        del asked[asked.index(asking) :]
                        break
                    asking.reply = reply
                number = len(asked)
                # No call between these statements, so nothing can interrupt here.
                complete += asked
                self._given = given + number
                del pending[:number]
                continue
            missing = request.expected - len(request.replies)
            enough = count - given >= missing
            end = given + missing if enough else count
            # No call between these statements, so nothing can interrupt here: a request that is done is not pending.
            request.replies += arrived[given:end]
            self._given = end
            if enough:
                del pending[0]
                complete.append(request)

    def _drop_given(self) -> None:
        """
        Take out of what has arrived what the requests have.
        """
        # No call between these statements, so nothing can interrupt here.
        del self._arrived[: self._given]
        self._given = 0

    def _keep_pushes(self) -> None:
        """
        Sort out-of-band messages from replies.
        """
        arrived = self._arrived[self._given :]
        pushes = [reply for reply in arrived if type(reply) is PushNotification]
        replies = [reply for reply in arrived if type(reply) is not PushNotification]
        # No call between these statements, so nothing can interrupt here.
        self.pushes += pushes
        self._arrived = replies
        self._given = 0
        self._check_pushes()

    def _take_unasked(self) -> None:
        """
        Take what arrived while nothing was pending: only out-of-band messages may.
        """
        unasked = self._unasked
        if not unasked and self._parser.exhausted():
            return
        self._parser.take(unasked, self.max_pushes + 1)
        if unasked:
            if {PushNotification} != set(map(type, unasked)):
                said = next((reply for reply in unasked if type(reply) is ErrorLine), None)
                if said is not None:
                    raise RefusedError(
                        f"the server ends the connection with an error that no command asked for: {said}"
                    )
                raise ProtocolError("a reply that no command asked for")
            # No call between these two statements, so nothing can interrupt here.
            self.pushes += unasked
            self._unasked = []
            self._check_pushes()

    def _check_pushes(self) -> None:
        if len(self.pushes) > self.max_pushes:
            raise ProtocolError(f"more than {self.max_pushes} unread out-of-band messages")


def _ends_with_entry(piece: bytes) -> bool:
    """
    Tell whether a piece ends where an entry does, as far as its last lines tell.
    """
    begin = piece.rfind(b"\n*2\r\n") + 1
    lines = piece[begin:].split(b"\r\n") if begin else []
    # Two headers and the identifier, a header, the words of the fields, each with a header, and nothing after the last line.
    return len(lines) > 4 and lines[3] == b"*%d" % ((len(lines) - 5) // 2)
