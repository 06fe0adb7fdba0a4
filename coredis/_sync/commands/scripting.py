# Generated from coredis/_async/commands/scripting.py by scripts/generate.py: edit that file, not this one.
"""
Commands that run code in the server: scripts and functions.
"""

from __future__ import annotations

from typing import AnyStr

from coredis._sync.commands.base import Commands
from coredis._core.command import Command
from coredis._core.commands import scripting as build
from coredis._core.commands.checks import string
from coredis._core.commands.keyed import values
from coredis._core.replies.shapes import truth, truths
from coredis.tokens import TokenT
from coredis.types import LibraryDefinition
from coredis.typing import KeyT, Parameters, ResponseType, StringT, ValueT


class ScriptingCommands(Commands[AnyStr]):
    """
    Commands that run code in the server.
    """

    def eval(
        self, script: StringT, keys: Parameters[KeyT] | None = None, args: Parameters[ValueT] | None = None
    ) -> ResponseType:
        """
        Run a script.

        Args:
            script: its code
            keys: the keys it uses, ``KEYS`` there
            args: its other arguments, ``ARGV`` there

        Source: https://redis.io/docs/latest/commands/eval/
        """
        return self.issue(build.call("EVAL", script, keys, args, self.replies.response))

    def eval_ro(
        self, script: StringT, keys: Parameters[KeyT] | None = None, args: Parameters[ValueT] | None = None
    ) -> ResponseType:
        """
        Run a script that changes nothing. See ``eval``.

        Source: https://redis.io/docs/latest/commands/eval_ro/
        """
        return self.issue(build.call("EVAL_RO", script, keys, args, self.replies.response, readonly=True))

    def evalsha(
        self, sha1: StringT, keys: Parameters[KeyT] | None = None, args: Parameters[ValueT] | None = None
    ) -> ResponseType:
        """
        Run a script that the server knows, by its digest. See ``eval``.

        Raises:
            NoScriptError: the server does not know it

        Source: https://redis.io/docs/latest/commands/evalsha/
        """
        return self.issue(build.call("EVALSHA", sha1, keys, args, self.replies.response))

    def evalsha_ro(
        self, sha1: StringT, keys: Parameters[KeyT] | None = None, args: Parameters[ValueT] | None = None
    ) -> ResponseType:
        """
        Run a script that the server knows and that changes nothing. See ``evalsha``.

        Source: https://redis.io/docs/latest/commands/evalsha_ro/
        """
        return self.issue(build.call("EVALSHA_RO", sha1, keys, args, self.replies.response, readonly=True))

    def script_load(self, script: StringT) -> AnyStr:
        """
        Let the server know a script.

        Returns:
            its digest

        Source: https://redis.io/docs/latest/commands/script-load/
        """
        return self.issue(
            Command(("SCRIPT", "LOAD", string("script", script)), self.replies.text, idempotent=True)
        )

    def script_exists(self, sha1s: Parameters[StringT]) -> tuple[bool, ...]:
        """
        Tell for each digest whether the server knows its script.

        Source: https://redis.io/docs/latest/commands/script-exists/
        """
        return self.issue(Command(("SCRIPT", "EXISTS", *values("sha1s", sha1s)), truths, idempotent=True))

    def script_flush(self, flush_type: TokenT | None = None) -> bool:
        """
        Make the server forget all scripts.

        Args:
            flush_type: ``SYNC`` or ``ASYNC``; as the server is configured if not given

        Source: https://redis.io/docs/latest/commands/script-flush/
        """
        return self.issue(build.flush("SCRIPT", flush_type))

    def script_kill(self) -> bool:
        """
        End the script that is running, if it has written nothing yet.

        Raises:
            NotBusyError: none is running

        Source: https://redis.io/docs/latest/commands/script-kill/
        """
        return self.issue(Command(("SCRIPT", "KILL"), truth))

    def fcall(
        self, function: StringT, keys: Parameters[KeyT] | None = None, args: Parameters[ValueT] | None = None
    ) -> ResponseType:
        """
        Call a function of a library. See ``eval``.

        Source: https://redis.io/docs/latest/commands/fcall/
        """
        return self.issue(build.call("FCALL", function, keys, args, self.replies.response))

    def fcall_ro(
        self, function: StringT, keys: Parameters[KeyT] | None = None, args: Parameters[ValueT] | None = None
    ) -> ResponseType:
        """
        Call a function of a library that changes nothing. See ``eval``.

        Source: https://redis.io/docs/latest/commands/fcall_ro/
        """
        return self.issue(build.call("FCALL_RO", function, keys, args, self.replies.response, readonly=True))

    def function_load(self, function_code: StringT, replace: bool = False) -> AnyStr:
        """
        Load a library of functions.

        Args:
            function_code: its code, which begins with its name
            replace: replace a library of that name

        Returns:
            the name of the library

        Source: https://redis.io/docs/latest/commands/function-load/
        """
        return self.issue(build.function_load(function_code, replace, self.replies.text))

    def function_list(
        self, libraryname: StringT | None = None, withcode: bool = False
    ) -> dict[AnyStr, LibraryDefinition[AnyStr]]:
        """
        Describe the libraries of functions, by name.

        Args:
            libraryname: only those whose name matches this pattern
            withcode: get their code too

        Source: https://redis.io/docs/latest/commands/function-list/
        """
        return self.issue(build.function_list(libraryname, withcode, self.replies.libraries))

    def function_delete(self, library_name: StringT) -> bool:
        """
        Delete a library of functions.

        Source: https://redis.io/docs/latest/commands/function-delete/
        """
        return self.issue(Command(("FUNCTION", "DELETE", string("library_name", library_name)), truth))

    def function_flush(self, flush_type: TokenT | None = None) -> bool:
        """
        Delete all libraries of functions. See ``script_flush``.

        Source: https://redis.io/docs/latest/commands/function-flush/
        """
        return self.issue(build.flush("FUNCTION", flush_type))
