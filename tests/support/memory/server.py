"""
The server in memory: connections, databases, the clock, transactions and blocked readers. The commands are in ``commands``.

Everything happens inside a call: ``Connection.receive`` executes what has arrived, ``MemoryServer.advance`` lets time pass.
What is answered waits in ``Connection.take`` until the test fetches it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support.memory.blocked import Blocked
from tests.support.memory.commands import TABLE, Call
from tests.support.memory.connection import Connection
from tests.support.memory.identifiers import Identifier
from tests.support.memory.personality import REDIS_8_6, Personality
from tests.support.memory.replies import NO_ARRAY, OK, Refused, Reply, Simple
from tests.support.memory.stream import Stream
from tests.support.memory.tracking import Tracking

if TYPE_CHECKING:
    from tests.support.memory.nodes import MemoryNode

DATABASES: Final = 16
_TRANSACTIONS: Final = frozenset({b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH"})
#: Answered even while everything else is refused.
_GREETINGS: Final = frozenset({b"HELLO", b"AUTH", b"CLIENT", b"SELECT", b"CLUSTER"})


class Event(NamedTuple):
    """
    Something that happened to a stream, for tests that judge a client by what the server knows.

    Attributes:
        kind: "added", "removed" (deleted or trimmed), "delivered", "acknowledged", "created" (a group), "destroyed" (a group),
            "gone" (a stream), "restored" (a stream is as it was when ``command`` events had happened: a failover lost the rest)
        key: of the stream
        group: its name, or empty
        consumer: its name, or empty
        identifier: of the entry, or (0, 0)
        connection: the number of the connection whose command it was, or that had waited for it; 0: nobody's
        pending: delivered: whether it is pending now
        command: how many commands had been executed until then: entries of one reply have the same
        fields: added: of the entry
    """

    kind: str
    key: bytes
    group: bytes = b""
    consumer: bytes = b""
    identifier: Identifier = (0, 0)
    connection: int = 0
    pending: bool = False
    command: int = 0
    fields: tuple[bytes, ...] = ()


class MemoryServer:
    """
    A server.

    Args:
        personality: which product and version to be
        now: unix time in milliseconds at the start
        password: what clients have to say; None: nothing
        journal: where to note what happens to streams; None: nowhere

    Attributes:
        now: unix time in milliseconds
        executed: how many commands there have been
        latest: the number of the latest connection
        refusing: an error that is the answer to everything but a greeting; empty: none
        scripts: what EVAL runs, by the text of the script
        tracking: who is told of which changes
        mode: as HELLO says it
    """

    mode = b"standalone"

    def __init__(
        self,
        personality: Personality = REDIS_8_6,
        *,
        now: int = 1_000_000,
        password: bytes | None = None,
        journal: list[Event] | None = None,
    ) -> None:
        self.personality = personality
        self.now = now
        self.password = password
        self.journal = journal
        self.executed = 0
        self.refusing = ""
        self.scripts: dict[bytes, Callable[[Call, list[bytes], list[bytes]], Reply]] = {}
        self.tracking = Tracking()
        self.connections: dict[int, Connection] = {}
        self._databases: list[dict[bytes, bytes | Stream]] = [{} for _ in range(DATABASES)]
        self._blocked: list[tuple[Connection, Blocked]] = []  # longest waiting first
        self._touched: dict[tuple[int, bytes], None] = {}
        self.latest = 0

    # -------------------------------------------------------------------------------------------------- connections

    @property
    def node(self) -> MemoryNode | None:
        """
        This server as a node of a cluster; None: it is none.
        """
        return None

    def connect(self, port: int = 0) -> Connection:
        """
        Accept a client; the port does not matter where there is one server.
        """
        self.latest += 1
        connection = self.connections[self.latest] = Connection(self, self.latest)
        return connection

    def forget(self, connection: Connection) -> None:
        """
        Drop a connection that is closed.
        """
        self.connections.pop(connection.number, None)
        self.tracking.forget(connection)
        if connection.blocked is not None:
            connection.blocked = None
            self._blocked = [waiting for waiting in self._blocked if waiting[0] is not connection]

    def restart(self, keep: bool) -> None:
        """
        End all connections and start again, with or without the data.
        """
        for connection in list(self.connections.values()):
            connection.close()
        if not keep:
            for number in range(DATABASES):
                self.flush(number)
        self._touched.clear()

    def snapshot(self) -> list[dict[bytes, bytes | Stream]]:
        """
        Copy the data, for ``restore``.
        """
        return copy.deepcopy(self._databases)

    def restore(self, snapshot: list[dict[bytes, bytes | Stream]]) -> None:
        """
        Put the data back.
        """
        self._databases = copy.deepcopy(snapshot)

    # --------------------------------------------------------------------------------------------------------- keys

    def get(self, database: int, key: bytes) -> bytes | Stream | None:
        """
        Give what is stored there.
        """
        return self._databases[database].get(key)

    def stream(self, database: int, key: bytes) -> Stream | None:
        """
        Give a stream; None: there is no such key.

        Raises:
            Refused: the key has something else
        """
        value = self._databases[database].get(key)
        if isinstance(value, bytes):
            raise Refused("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value

    def put(self, database: int, key: bytes, value: bytes | Stream) -> None:
        """
        Store something.
        """
        self.remove(database, key)
        self._databases[database][key] = value
        self.touch(database, key)

    def remove(self, database: int, key: bytes) -> bool:
        """
        Delete a key; False: there is none.
        """
        value = self._databases[database].pop(key, None)
        if isinstance(value, Stream):
            self.note("gone", key)
        self.touch(database, key)
        return value is not None

    def flush(self, database: int) -> None:
        """
        Delete all keys of a database.
        """
        self.tracking.flushed()
        for key in list(self._databases[database]):
            self.remove(database, key)

    def touch(self, database: int, key: bytes) -> None:
        """
        Note that a key has changed: those who wait for it had better look, and those who have read it are told.
        """
        self.tracking.changed(key)
        self.wake(database, key)

    def wake(self, database: int, key: bytes) -> None:
        """
        Note that those who wait for a key had better look.
        """
        self._touched[database, key] = None

    def note(self, kind: str, key: bytes, **details: object) -> None:
        """
        Write into the journal.
        """
        if self.journal is not None:
            self.journal.append(Event(kind, key, command=self.executed, **details))  # type: ignore[arg-type]

    # ---------------------------------------------------------------------------------------------------- executing

    def execute(self, connection: Connection, words: list[bytes]) -> None:
        """
        Execute a command and answer it, or let the connection wait for the answer.
        """
        self.executed += 1
        reply = self._reply(connection, words)
        if isinstance(reply, Blocked):
            connection.blocked = reply
            self._blocked.append((connection, reply))
        elif not connection.closed:
            connection.answer(reply)
        if words[0].upper() != b"ASKING" and connection.blocked is None and connection.queue is None:
            connection.asking = False
        self.settle()

    def command(self, *words: bytes) -> None:
        """
        Do something, past all clients.
        """
        connection = self.connect()
        self.execute(connection, list(words))
        connection.close()

    def admit(self, connection: Connection, commands: list[list[bytes]]) -> None:
        """
        Check whether commands may be executed here, together.

        Raises:
            Refused: they may not
        """

    def settle(self) -> None:
        """
        Let everybody know what has changed.
        """
        self._serve()
        self.tracking.tell()

    def _reply(self, connection: Connection, words: list[bytes]) -> Reply | Blocked:
        name = words[0].upper()
        try:
            if not connection.authenticated and name not in (b"AUTH", b"HELLO"):
                raise Refused("NOAUTH Authentication required.")
            if self.refusing and name not in _GREETINGS | _TRANSACTIONS:
                connection.broken = True  # a transaction that this was to be queued in, too
                raise Refused(self.refusing)
            if name in _TRANSACTIONS:
                return self._transaction(connection, name)
            if connection.queue is not None:
                try:
                    TABLE.find(words, self.personality)
                    self.admit(connection, [words])
                except Refused:
                    connection.broken = True
                    raise
                connection.queue.append(words)
                return Simple(b"QUEUED")
            return self._call(connection, words, in_transaction=False)
        except Refused as error:
            return error

    def _call(self, connection: Connection, words: list[bytes], in_transaction: bool) -> Reply | Blocked:
        handler = TABLE.find(words, self.personality)
        if not in_transaction:
            self.admit(connection, [words])
        self.tracking.read(connection, words)
        return handler(Call(self, connection, words, in_transaction))

    def _transaction(self, connection: Connection, name: bytes) -> Reply:
        if name in (b"WATCH", b"UNWATCH"):
            return OK  # nothing else runs between two commands of a test that could be watched for
        if name == b"MULTI":
            if connection.queue is not None:
                raise Refused("ERR MULTI calls can not be nested")
            connection.queue, connection.broken = [], False
            return OK
        queue, broken = connection.queue, connection.broken
        if queue is None:
            raise Refused(f"ERR {name.decode()} without MULTI")
        connection.queue = None
        if name == b"DISCARD":
            return OK
        if broken:
            raise Refused("EXECABORT Transaction discarded because of previous errors.")
        if self.refusing and queue:
            raise Refused(f"EXECABORT Transaction discarded because of: {self.refusing}")
        self.admit(connection, queue)
        replies: list[Reply] = []
        for words in queue:
            try:
                replies.append(self._call(connection, words, in_transaction=True))
            except Refused as error:
                replies.append(error)
        return replies

    # ----------------------------------------------------------------------------------------------- waiting and time

    def _serve(self) -> None:
        """
        Let blocked readers look at what has changed, in the order in which they came.
        """
        while self._touched:
            touched = self._touched
            self._touched = {}
            for database, key in touched:
                for connection, blocked in list(self._blocked):
                    if connection.blocked is blocked and connection.database == database and key in blocked.keys:
                        self._try(connection, blocked)

    def _try(self, connection: Connection, blocked: Blocked) -> None:
        try:
            # A key that is gone means nothing to those who read without a group.
            gone = all(self.get(connection.database, key) is None for key in blocked.keys)
            if not self.personality.old_waiting and not (gone and blocked.words[0].upper() == b"XREAD"):
                self.admit(connection, [blocked.words])
            reply = blocked.attempt()
        except Refused as error:
            reply = error
        if reply is not None:
            self.unblock(connection, reply)

    def unblock(self, connection: Connection, reply: Reply) -> None:
        """
        Answer a connection that waits, and execute what it has sent meanwhile.
        """
        self._blocked = [waiting for waiting in self._blocked if waiting[0] is not connection]
        connection.blocked = None
        connection.asking = False
        connection.answer(reply)
        connection.run()

    def next_event(self) -> int | None:
        """
        When something happens by itself, in milliseconds; None: never.
        """
        times = [time for _, blocked in self._blocked for time in (blocked.until, blocked.due()) if time is not None]
        return min(times, default=None)

    def advance(self, now: int) -> None:
        """
        Let time pass until then.
        """
        while (event := self.next_event()) is not None and event <= now:
            self.now = max(self.now, event)
            for connection, blocked in list(self._blocked):
                if connection.blocked is not blocked:
                    continue
                due = blocked.due()
                if due is not None and due <= self.now:
                    self._try(connection, blocked)
                if connection.blocked is blocked and blocked.until is not None and blocked.until <= self.now:
                    self.unblock(connection, NO_ARRAY)
            self.settle()
        self.now = max(self.now, now)
