# Generated from coredis/_async/commands/keys.py by scripts/generate.py: edit that file, not this one.
"""
Commands about keys of any type.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import AnyStr

from coredis._queued.commands.base import Commands
from coredis._core.command import Command, key_read, key_rewrite
from coredis._core.commands import keys as build
from coredis._core.commands.checks import string
from coredis._core.commands.keyed import with_keys
from coredis._core.queue import Queued
from coredis._core.replies.collections import binary, moment_in_milliseconds, moment_in_seconds
from coredis._core.replies.shapes import integer, optional_integer, truth
from coredis.tokens import TokenT
from coredis.typing import KeyT, Parameters, StringT


class KeyCommands(Commands[AnyStr]):
    """
    Commands about keys of any type.
    """

    def delete(self, keys: Parameters[KeyT]) -> Queued[int]:
        """
        Delete keys.

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/del/
        """
        return self.issue(with_keys(("DEL",), keys, integer, idempotent=True))

    def unlink(self, keys: Parameters[KeyT]) -> Queued[int]:
        """
        Delete keys, freeing their memory in the background.

        Returns:
            how many there were

        Source: https://redis.io/docs/latest/commands/unlink/
        """
        return self.issue(with_keys(("UNLINK",), keys, integer, idempotent=True))

    def exists(self, keys: Parameters[KeyT]) -> Queued[int]:
        """
        Count the keys that exist; a key given twice counts twice.

        Source: https://redis.io/docs/latest/commands/exists/
        """
        return self.issue(with_keys(("EXISTS",), keys, integer, readonly=True))

    def touch(self, keys: Parameters[KeyT]) -> Queued[int]:
        """
        Mark keys as used just now.

        Returns:
            how many there are

        Source: https://redis.io/docs/latest/commands/touch/
        """
        return self.issue(with_keys(("TOUCH",), keys, integer, idempotent=True))

    def expire(self, key: KeyT, seconds: int | timedelta, condition: TokenT | None = None) -> Queued[bool]:
        """
        Let a key live for some more seconds; it is deleted at once if they are not positive.

        Args:
            key: the key
            seconds: whole seconds, or a ``timedelta``
            condition: ``NX`` (has no end yet), ``XX`` (has one), ``GT`` (lives longer than before), ``LT`` (shorter)

        Returns:
            False when there is no such key or the condition is not met

        Source: https://redis.io/docs/latest/commands/expire/
        """
        return self.issue(build.expire(key, seconds, condition))

    def pexpire(self, key: KeyT, milliseconds: int | timedelta, condition: TokenT | None = None) -> Queued[bool]:
        """
        Let a key live for some more milliseconds. See ``expire``.

        Source: https://redis.io/docs/latest/commands/pexpire/
        """
        return self.issue(build.pexpire(key, milliseconds, condition))

    def expireat(self, key: KeyT, unix_time_seconds: int | datetime, condition: TokenT | None = None) -> Queued[bool]:
        """
        Let a key live until a moment, given in seconds since the epoch or as ``datetime``. See ``expire``.

        Source: https://redis.io/docs/latest/commands/expireat/
        """
        return self.issue(build.expireat(key, unix_time_seconds, condition))

    def pexpireat(
        self, key: KeyT, unix_time_milliseconds: int | datetime, condition: TokenT | None = None
    ) -> Queued[bool]:
        """
        Let a key live until a moment, given in milliseconds since the epoch or as ``datetime``. See ``expire``.

        Source: https://redis.io/docs/latest/commands/pexpireat/
        """
        return self.issue(build.pexpireat(key, unix_time_milliseconds, condition))

    def ttl(self, key: KeyT) -> Queued[int]:
        """
        Get how many seconds a key will live: -1 without end, -2 when there is no such key.

        Source: https://redis.io/docs/latest/commands/ttl/
        """
        return self.issue(key_read(("TTL", key), integer))

    def pttl(self, key: KeyT) -> Queued[int]:
        """
        Get how many milliseconds a key will live: -1 without end, -2 when there is no such key.

        Source: https://redis.io/docs/latest/commands/pttl/
        """
        return self.issue(key_read(("PTTL", key), integer))

    def expiretime(self, key: KeyT) -> Queued[datetime | None]:
        """
        Get the second at which a key ends, in UTC; None when it has no end or does not exist.

        Source: https://redis.io/docs/latest/commands/expiretime/
        """
        return self.issue(key_read(("EXPIRETIME", key), moment_in_seconds))

    def pexpiretime(self, key: KeyT) -> Queued[datetime | None]:
        """
        Get the millisecond at which a key ends, in UTC; None when it has no end or does not exist.

        Source: https://redis.io/docs/latest/commands/pexpiretime/
        """
        return self.issue(key_read(("PEXPIRETIME", key), moment_in_milliseconds))

    def persist(self, key: KeyT) -> Queued[bool]:
        """
        Let a key live without end.

        Returns:
            False when there is no such key or it had no end

        Source: https://redis.io/docs/latest/commands/persist/
        """
        return self.issue(key_rewrite(("PERSIST", key), truth))

    def type(self, key: KeyT) -> Queued[AnyStr]:
        """
        Get the type of a key: ``string``, ``hash``, ``list``, ``set``, ``zset``, ``stream``; ``none`` for no such key.

        Source: https://redis.io/docs/latest/commands/type/
        """
        return self.issue(key_read(("TYPE", key), self.replies.text))

    def rename(self, key: KeyT, newkey: KeyT) -> Queued[bool]:
        """
        Rename a key, deleting what had the new name.

        Source: https://redis.io/docs/latest/commands/rename/
        """
        return self.issue(Command(("RENAME", key, newkey), truth, keys=(1, 2)))

    def renamenx(self, key: KeyT, newkey: KeyT) -> Queued[bool]:
        """
        Rename a key unless the new name is taken.

        Source: https://redis.io/docs/latest/commands/renamenx/
        """
        return self.issue(Command(("RENAMENX", key, newkey), truth, keys=(1, 2)))

    def copy(self, source: KeyT, destination: KeyT, db: int | None = None, replace: bool = False) -> Queued[bool]:
        """
        Copy a key.

        Args:
            source: the key to copy
            destination: the name of the copy
            db: the number of another database for the copy
            replace: delete what has the name of the copy

        Returns:
            False when there is no such key or the name is taken

        Source: https://redis.io/docs/latest/commands/copy/
        """
        return self.issue(build.copy(source, destination, db, replace))

    def keys(self, pattern: StringT = "*") -> Queued[set[AnyStr]]:
        """
        Get all keys whose name matches a pattern. The server does nothing else meanwhile: prefer ``scan_iter``.

        Source: https://redis.io/docs/latest/commands/keys/
        """
        return self.issue(Command(("KEYS", string("pattern", pattern)), self.replies.text_set, readonly=True))

    def randomkey(self) -> Queued[AnyStr | None]:
        """
        Get the name of any key, None when there is none.

        Source: https://redis.io/docs/latest/commands/randomkey/
        """
        return self.issue(Command(("RANDOMKEY",), self.replies.optional_text, readonly=True))

    def scan(
        self, cursor: int = 0, match: StringT | None = None, count: int | None = None, type_: StringT | None = None
    ) -> Queued[tuple[int, tuple[AnyStr, ...]]]:
        """
        Get one page of the keys; a key may come more than once.

        Args:
            cursor: 0 to begin, then what the page before gave
            match: only keys whose name matches
            count: how many keys the server shall look at, about
            type_: only keys of this type

        Returns:
            the cursor of the next page, 0 after the last one, and keys

        Source: https://redis.io/docs/latest/commands/scan/
        """
        return self.issue(build.scan(cursor, match, count, type_, self.replies.key_page))

    def dump(self, key: KeyT) -> Queued[bytes | None]:
        """
        Get a key's value in the server's own format, always as bytes; None when there is no such key.

        Source: https://redis.io/docs/latest/commands/dump/
        """
        return self.issue(key_read(("DUMP", key), binary))

    def restore(
        self,
        key: KeyT,
        ttl: int | timedelta | datetime,
        serialized_value: bytes,
        replace: bool = False,
        absttl: bool = False,
        idletime: int | timedelta | None = None,
        freq: int | None = None,
    ) -> Queued[bool]:
        """
        Make a key from what ``dump`` gave.

        Args:
            key: the key
            ttl: milliseconds to live, 0 without end; a ``datetime`` is the moment of its end
            serialized_value: from ``dump``
            replace: delete what has this name
            absttl: ``ttl`` is a moment, in milliseconds since the epoch
            idletime: seconds since its last use, for eviction
            freq: how often it is used, 0 to 255, for eviction

        Source: https://redis.io/docs/latest/commands/restore/
        """
        return self.issue(build.restore(key, ttl, serialized_value, replace, absttl, idletime, freq))

    def object_encoding(self, key: KeyT) -> Queued[AnyStr | None]:
        """
        Get how the server keeps a value, None when there is no such key.

        Source: https://redis.io/docs/latest/commands/object-encoding/
        """
        return self.issue(
            Command(("OBJECT", "ENCODING", key), self.replies.optional_text, keys=(2,), readonly=True)
        )

    def object_freq(self, key: KeyT) -> Queued[int | None]:
        """
        Get how often a key is used, on the server's logarithmic scale. Only where it evicts the least frequently used.

        Source: https://redis.io/docs/latest/commands/object-freq/
        """
        return self.issue(Command(("OBJECT", "FREQ", key), optional_integer, keys=(2,), readonly=True))

    def object_idletime(self, key: KeyT) -> Queued[int | None]:
        """
        Get the seconds since a key was used last, None when there is no such key.

        Source: https://redis.io/docs/latest/commands/object-idletime/
        """
        return self.issue(Command(("OBJECT", "IDLETIME", key), optional_integer, keys=(2,), readonly=True))

    def object_refcount(self, key: KeyT) -> Queued[int | None]:
        """
        Get how many references the server holds to a value, None when there is no such key.

        Source: https://redis.io/docs/latest/commands/object-refcount/
        """
        return self.issue(Command(("OBJECT", "REFCOUNT", key), optional_integer, keys=(2,), readonly=True))

    def wait(self, numreplicas: int, timeout: int) -> Queued[int]:
        """
        Wait until replicas have what was written before on the same connection.

        Queue it in a pipeline behind the writes it is about: called on its own it gets another connection, on which nothing
        was written, and so has nothing to wait for.

        Args:
            numreplicas: how many replicas
            timeout: milliseconds; 0 waits for ever

        Returns:
            how many replicas have it; fewer than asked for when the time ran out

        Source: https://redis.io/docs/latest/commands/wait/
        """
        return self.issue(build.wait(numreplicas, timeout))

    def waitaof(self, numlocal: int, numreplicas: int, timeout: int) -> Queued[tuple[int, ...]]:
        """
        Wait until what was written before on the same connection is on disk. See ``wait``. Redis 7.2.

        Args:
            numlocal: 1 to wait for the server's own disk, otherwise 0
            numreplicas: how many replicas
            timeout: milliseconds; 0 waits for ever

        Returns:
            1 or 0 for the server's own disk, and how many replicas

        Source: https://redis.io/docs/latest/commands/waitaof/
        """
        return self.issue(build.waitaof(numlocal, numreplicas, timeout))
