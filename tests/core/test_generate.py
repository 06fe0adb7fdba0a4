"""
The generator: what it makes, what it refuses, and that its check notices every way of being out of date.

All but one test work on a small tree of their own; the one on this repository proves that the committed code is fresh.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gates
import rewrites

REPOSITORY = Path(__file__).parents[2]

CLIENT = '''\
"""
A client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from coredis._async.commands.letters import Letters
from coredis._runtime import aio as rt


class Client(Letters):
    async def __aenter__(self) -> Client:
        await rt.sleep(0)
        return self

    async def __aexit__(self, *exception: object) -> None:
        async with rt.Lock():
            [x async for x in self.names()]

    def names(self) -> AsyncIterator[str]:
        return iter(())
'''
FAMILY = '''\
"""
Letters.
"""

from __future__ import annotations

from typing import Literal, overload

from coredis._async.commands.base import Commands
from coredis._core.command import Command
from coredis._core.replies.shapes import integer


class Letters(Commands):
    @overload
    async def lpost(self, *, now: Literal[True]) -> int: ...

    @overload
    async def lpost(self, *, now: Literal[False] = ...) -> None: ...

    async def lpost(self, *, now: bool = False) -> int | None:
        """
        Post.
        """
        return await self.issue(Command(("LPOST", "ü"), integer))

    async def lcount(
        self,
        street: str = "ü",
    ) -> dict[
        str,
        int,
    ]:
        """
        Count.
        """
        return await self.issue(Command(("LCOUNT",), integer))
'''
TEST = '''\
"""
Tests.
"""

from coredis import Redis
from coredis.exceptions import RedisError
from coredis.patterns.streams import Consumer


async def test_letters() -> None:
    async with Redis() as client:
        await client.lcount()
'''
SOURCES = {
    "coredis/_async/__init__.py": '"""\nClients.\n"""\n',
    "coredis/_async/client.py": CLIENT,
    "coredis/_async/commands/__init__.py": "",
    "coredis/_async/commands/letters.py": FAMILY,
    "tests/_async/test_letters.py": TEST,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """
    A tree whose generated files are fresh.
    """
    for path, text in SOURCES.items():
        put(tmp_path / path, text)
    assert generate(tmp_path).returncode == 0
    return tmp_path


def generate(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = REPOSITORY / "scripts" / "generate.py"
    return subprocess.run(
        [sys.executable, str(script), "--root", str(root), *options], capture_output=True, text=True, check=False
    )


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def messages(text: str, path: str = "coredis/_async/client.py") -> str:
    return "\n".join(str(problem) for problem in gates.source_problems(path, text, {"_async", "aio"}))


# ------------------------------------------------------------------------------------------------------ the result


def test_the_committed_code_is_fresh() -> None:
    """
    What is generated from this repository's sources is what this repository holds.
    """
    done = generate(REPOSITORY, "--check")

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_the_twin_has_no_async_and_names_its_source(root: Path) -> None:
    """
    The twin is the source without the two keywords, under the other flavour's names, below a banner.
    """
    first, *rest = read(root / "coredis/_sync/client.py").splitlines()
    text = "\n".join(rest)

    assert "coredis/_async/client.py" in first
    assert "async" not in text
    assert "await" not in text
    assert "from coredis._runtime import blocking as rt" in text
    assert "    def __enter__(self) -> Client:\n        rt.sleep(0)\n" in text
    assert "from collections.abc import Iterator" in text


def test_queued_methods_give_handles(root: Path) -> None:
    """
    A pipeline's methods have the annotation of the command wrapped, on one line or on several, and in overloads.
    """
    text = read(root / "coredis/_queued/commands/letters.py")

    assert "def lpost(self, *, now: Literal[True]) -> Queued[int]: ..." in text
    assert "def lpost(self, *, now: bool = False) -> Queued[int | None]:" in text
    assert ") -> Queued[dict[\n        str,\n        int,\n    ]]:" in text
    assert "from coredis._queued.commands.base import Commands\n" in text
    assert "import Command\nfrom coredis._core.queue import Queued\nfrom coredis._core.replies" in text


def test_files_without_commands_need_no_handle() -> None:
    """
    The import is added only where it is used.
    """
    assert "X = 1\n" == rewrites.queued("X = 1\n", "X = 1\n")


def test_generated_tests_use_the_blocking_facade(root: Path) -> None:
    """
    The tests' imports of a facade name the blocking one; what both flavours share keeps its address.
    """
    text = read(root / "tests/_sync/test_letters.py")

    assert "from coredis.sync import Redis\n" in text
    assert "from coredis.sync.patterns.streams import Consumer\n" in text
    assert "from coredis.exceptions import RedisError\n" in text


def test_tests_may_be_absent(root: Path) -> None:
    """
    A source distribution may come without tests.
    """
    for path in [*root.glob("tests/_async/*"), *root.glob("tests/_sync/*")]:
        path.unlink()

    assert 0 == generate(root).returncode
    assert 0 == generate(root, "--check").returncode


# ------------------------------------------------------------------------------------------------------- the check


def test_a_fresh_tree_passes(root: Path) -> None:
    """
    The check says nothing when there is nothing to say, and generating again writes nothing.
    """
    checked, written = generate(root, "--check"), generate(root)

    assert (0, "", "") == (checked.returncode, checked.stdout, checked.stderr)
    assert (0, "") == (written.returncode, written.stdout)


def test_a_changed_source_is_noticed(root: Path) -> None:
    """
    A source that was changed without generating fails the check, with a diff.
    """
    put(root / "coredis/_async/client.py", CLIENT.replace("rt.sleep(0)", "rt.sleep(1)"))
    done = generate(root, "--check")

    assert 1 == done.returncode
    assert "-        rt.sleep(0)\n+        rt.sleep(1)\n" in done.stdout
    assert "scripts/generate.py" in done.stderr


def test_an_edited_output_is_noticed_and_repaired(root: Path) -> None:
    """
    A generated file edited by hand fails the check; generating puts it right.
    """
    target = root / "coredis/_sync/client.py"
    before = read(target)
    put(target, before + "\nX = 1\n")

    assert 1 == generate(root, "--check").returncode
    assert 0 == generate(root).returncode
    assert before == read(target)


@pytest.mark.parametrize(
    "path",
    [
        "coredis/_sync/client.py",
        "coredis/_queued/__init__.py",
        "coredis/_queued/commands/letters.py",
        "tests/_sync/test_letters.py",
    ],
)
def test_a_missing_output_is_noticed(root: Path, path: str) -> None:
    """
    Each generated folder is compared, and the check writes nothing.
    """
    (root / path).unlink()
    done = generate(root, "--check")

    assert 1 == done.returncode
    assert f"{path}: is missing" in done.stdout
    assert not (root / path).exists()


@pytest.mark.parametrize("path", ["coredis/_async/client.py", "tests/_async/test_letters.py"])
def test_a_left_over_output_is_noticed_and_deleted(root: Path, path: str) -> None:
    """
    What no longer has a source fails the check; generating deletes it, and its empty folder.
    """
    moved = (root / path).with_name("parts") / "moved.py"
    put(moved, read(root / path))
    assert 0 == generate(root).returncode
    moved.unlink()
    target = Path(str(moved).replace("_async", "_sync"))
    done = generate(root, "--check")

    assert 1 == done.returncode
    assert "has no source" in done.stdout
    assert 0 == generate(root).returncode
    assert not target.parent.exists()


def test_foreign_files_are_never_deleted(root: Path) -> None:
    """
    A file without a banner in a generated folder may be somebody's work: it fails both ways and stays.
    """
    foreign = root / "coredis/_sync/notes.py"
    put(foreign, "# Mine.\n")

    assert 1 == generate(root, "--check").returncode
    assert 1 == generate(root).returncode
    assert "# Mine.\n" == read(foreign)


def test_nothing_is_written_when_a_gate_fails(root: Path) -> None:
    """
    One bad source keeps everything as it was, and the message says where it is.
    """
    before = read(root / "coredis/_sync/client.py")
    put(root / "coredis/_async/client.py", CLIENT.replace("await rt.sleep(0)", "await(rt.sleep(1))"))
    done = generate(root)

    assert 1 == done.returncode
    assert "coredis/_async/client.py:15: `await` needs exactly one space" in done.stderr
    assert before == read(root / "coredis/_sync/client.py")


def test_every_replacement_must_be_used(root: Path) -> None:
    """
    A word of the table that no source has is an error.
    """
    put(root / "coredis/_async/client.py", CLIENT.replace("import aio as", "import pair as"))
    done = generate(root)

    assert 1 == done.returncode
    assert "the replacement of `aio` is used nowhere" in done.stderr


# ------------------------------------------------------------------------------------------------------- the gates


def test_the_examples_above_pass_the_gates() -> None:
    """
    The gates have nothing against good sources.
    """
    assert [] == [found for path, text in SOURCES.items() if (found := messages(text, path))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("async def f():\n    return await(x)\n", "2: `await` needs exactly one space"),
        ("async def f():\n    return await  x\n", "2: `await` needs exactly one space"),
        ("async  def f(): ...\n", "1: `async` needs exactly one space"),
        ("async def f():\n    return (await\n        x)\n", "2: `await` needs exactly one space"),
        ("async def f():\n    return f'{await x}'\n", "2: `await` or `async` in an f-string"),
        ("async def f():\n    return f'{[y async for y in x]}'\n", "2: `await` or `async` in an f-string"),
        ("x = f'{rt.aio}'\n", "1: `aio` in an f-string"),
        ("x = f'{table[\"aio\"]}'\n", "1: `aio` in an f-string"),
        ("x = f'{AsyncIterator}'\n", "1: `AsyncIterator` in an f-string"),
        ("class AsyncClient: ...\n", "1: `AsyncClient` would become an invented name"),
        ("from contextlib import AsyncExitStack\n", "1: `AsyncExitStack` would become"),
        ("x = 'AsyncIterator[int]'\n", "1: the string 'AsyncIterator[int]' would be rewritten"),
        ("x = 'aio'\n", "1: the string 'aio' would be rewritten"),
        ("def f(x: 'int') -> None: ...\n", "1: quoted annotation 'int'"),
        ("def f() -> list['int']: ...\n", "1: quoted annotation 'int'"),
        ("x: 'int' = 1\n", "1: quoted annotation 'int'"),
        ("import asyncio\n", "1: `asyncio` belongs into the pair"),
        ("import time\n", "1: `time` belongs into the pair"),
        ("from threading import Lock\n", "1: `threading` belongs into the pair"),
        ("import socket as s\n", "1: `socket` belongs into the pair"),
        ("from selectors import *\n", "1: `selectors` belongs into the pair"),
        ("import pytest_asyncio\n", "1: `pytest_asyncio` belongs into the pair"),
        ("from collections.abc import Awaitable\n", "1: `Awaitable` has no meaning"),
        ("from collections.abc import Coroutine\n", "1: `Coroutine` has no meaning"),
        ("inspect.isawaitable(x)\n", "1: `isawaitable` has no meaning"),
        ("inspect.iscoroutinefunction(x)\n", "1: `iscoroutinefunction` has no meaning"),
        ("class C:\n    def __await__(self): ...\n", "2: `__await__` has no meaning"),
        ("x = anext(y)\n", "1: `anext` has no meaning"),
        ("async def f():\n    yield 1\n", "1: `f` is an async generator"),
        ("@pytest.fixture\nasync def f():\n    yield 1\n", "2: `f` is an async generator"),
        ("async def f():\n    return any(y async for y in x)\n", "2: an async generator expression"),
        ("async def f():\n    return any(await y for y in x)\n", "2: an async generator expression"),
        ("from .pool import Pool\n", "1: use an absolute import"),
        ("import coredis.types\n", "1: use `from coredis... import ...`"),
        ("from coredis import Redis\n", "1: the facade imports this package"),
        ("from coredis._sync.pool import Pool\n", "1: `coredis._sync.pool.Pool` is the other flavour"),
        ("from coredis._runtime import blocking\n", "1: `coredis._runtime.blocking` is the other flavour"),
        ('def f():\n    """\n    Ready.\n\n    Then await it.\n    """\n', "5: `await` in a docstring"),
        ('"""\nThe async client.\n"""\n', "2: `async` in a docstring"),
        ("# An asyncio lock.\n", "1: `asyncio` in a comment"),
        ("raise TypeError(f'{name}: await it first')\n", "1: `await` in a docstring or string"),
        ("def f(:\n", "1: cannot be parsed"),
    ],
)
def test_a_bad_source_is_refused(text: str, message: str) -> None:
    """
    Each rule names the file, the line and what to do.
    """
    assert f"coredis/_async/client.py:{message}" in messages(text)


@pytest.mark.parametrize(
    "text",
    [
        "x: Literal['one'] = 'one'\n",
        "async def f():\n    return await (x)\n",
        "async def f():\n    return [y async for y in x]\n",
        "# asynchronous, awaited, FLUSHALL ASYNC, async_\n",
        "def f() -> AsyncIterator[int]: ...\n",
        "x = f'{value!r:>{width}} and {self.name}'\n",
        "def f():\n    yield 1\n",
    ],
)
def test_a_good_source_is_accepted(text: str) -> None:
    """
    The rules do not forbid what is translated correctly.
    """
    assert "" == messages(text)


def test_fixtures_may_yield() -> None:
    """
    A fixture that cleans up is an async generator, in the tests alone.
    """
    text = "@pytest.fixture\nasync def client():\n    yield 1\n\n\nasync def helper():\n    yield 1\n"

    assert "tests/_async/conftest.py:6: `helper` is an async generator" in messages(text, "tests/_async/conftest.py")
    assert "`client`" not in messages(text, "tests/_async/conftest.py")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("def f(self) -> int:\n        '''D.'''\n        return 1", "`f` must be `async def`"),
        ("async def f(self) -> int:\n        return await self.issue(c)", "`f` needs a docstring"),
        ("async def f(self):\n        '''D.'''\n        return await self.issue(c)", "needs a return annotation"),
        (
            "async def f(self) -> int:\n        '''D.'''\n        c = 1\n        return await self.issue(c)",
            "one `return",
        ),
        ("async def f(self) -> int:\n        '''D.'''\n        return await self.send(c)", "one `return"),
        ("async def f(self) -> int:\n        '''D.'''\n        return await self.issue(c, d)", "one `return"),
        ("async def f(self) -> int:\n        '''D.'''\n        return await self.issue(await c)", "one `return"),
        ("@overload\n    async def f(self) -> int:\n        return 1", "must have `...` for a body"),
    ],
)
def test_a_bad_command_is_refused(method: str, message: str) -> None:
    """
    A command method is a signature, a docstring and one expression.
    """
    text = f"class Family:\n    {method}\n"

    assert message in messages(text, "coredis/_async/commands/letters.py")
    assert message not in messages(text, "coredis/_async/commands/base.py")


def test_families_have_no_helpers_and_import_no_clients() -> None:
    """
    Builders live in the core, and a pipeline has no client to import.
    """
    found = messages(
        "from coredis._async.client import Client\n\n\ndef build(): ...\n", "coredis/_async/commands/letters.py"
    )

    assert ":1: a pipeline has the commands only" in found
    assert ":4: `build` is a builder" in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# banner of _async\nx = (1\n", "does not compile"),
        ("# banner of _async\nawait x\n", "2: "),
        ("# banner of _async\n# await it\n", "2: `await` is left"),
        ("# banner of _async\nimport asyncio\n", "2: `asyncio` is left"),
        ("# banner of _async\nfrom coredis._async import x\n", "2: the generated code refers to _async"),
    ],
)
def test_a_bad_output_is_refused(text: str, message: str) -> None:
    """
    The generated code is looked at too, whatever the source's gate let through.
    """
    problems = "\n".join(str(problem) for problem in gates.output_problems("coredis/_sync/client.py", text))

    assert message in problems
