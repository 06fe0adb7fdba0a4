"""
Take the Python examples out of README.md and docs/*.md, as programs that can be run and type-checked.

    python scripts/extract_examples.py FOLDER

writes each example to FOLDER as one file, named after its page and line. The words after ```` ```python ```` say what
it is:

* nothing: a whole program, kept as it is;
* ``fragment``: uses a connected ``client: Redis[str]`` and is shown in its asynchronous form. It is wrapped into a
  program, and written a second time for the blocking flavour, with ``async`` and ``await`` deleted;
* ``fragment async``, ``fragment blocking``: the same for what exists in one flavour only;
* ``fragment cluster``: as ``fragment``, with a ``client: RedisCluster[str]``;
* ``sentinel``: a fragment that makes its client by itself, with the help of sentinels on localhost:26379 and 26380 that
  watch the service ``store``.

A block ```` ```text output ```` right after an example is what it must print. Every example expects a server on
localhost:6379, or a cluster with a node on localhost:7000; ``tests/docs`` runs them with other ports put in their place.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(
    r"^```python(?P<words>[^\n]*)\n(?P<code>.*?)^```$"
    r"(?:\s*^```text output\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_KINDS = {
    "": ("program",),
    "fragment": ("async", "blocking"),
    "fragment async": ("async",),
    "fragment blocking": ("blocking",),
    "fragment cluster": ("async_cluster", "blocking_cluster"),
    "sentinel": ("async_sentinel", "blocking_sentinel"),
}
_ASYNC = """\
import asyncio

from coredis import Redis


async def example(client: Redis[str]) -> None:
{code}

async def main() -> None:
    async with Redis(host="localhost", port=6379, decode_responses=True) as client:
        await example(client)


asyncio.run(main())
"""
_BLOCKING = """\
from coredis.sync import Redis


def example(client: Redis[str]) -> None:
{code}

with Redis(host="localhost", port=6379, decode_responses=True) as client:
    example(client)
"""
_SENTINEL_ASYNC = """\
import asyncio


async def main() -> None:
{code}

asyncio.run(main())
"""
_SENTINEL_BLOCKING = """\
def main() -> None:
{code}

main()
"""
_TEMPLATES = {
    "async": _ASYNC,
    "blocking": _BLOCKING,
    "async_cluster": _ASYNC,
    "async_sentinel": _SENTINEL_ASYNC,
    "blocking_cluster": _BLOCKING,
    "blocking_sentinel": _SENTINEL_BLOCKING,
}


@dataclass(frozen=True, slots=True)
class Example:
    """
    One program made of one example.

    Attributes:
        name: page, line and flavour, as ``"getting_started_12_async"``; a valid module name
        code: the program
        output: what it must print; None when the page does not say
    """

    name: str
    code: str
    output: str | None


def pages() -> list[Path]:
    """
    List the pages that have examples, in a fixed order.
    """
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples(page: Path) -> Iterator[Example]:
    """
    Give the examples of one page in their order.

    Raises:
        ValueError: The words after ```` ```python ```` are none of those described above.
    """
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        words = block["words"].strip()
        if words not in _KINDS:
            raise ValueError(f"{page}, line {line}: expected one of {sorted(_KINDS)} after ```python, got {words!r}")
        stem = f"{page.stem.lower().replace('-', '_')}_{line}"
        for kind in _KINDS[words]:
            yield Example(f"{stem}_{kind}", _program(block["code"], kind), block["output"])


def _program(code: str, kind: str) -> str:
    if kind == "program":
        return code
    flavour, _, variant = kind.partition("_")
    if flavour == "blocking":
        code = code.replace("coredis.patterns", "coredis.sync.patterns")
        code = code.replace("from coredis import Sentinel", "from coredis.sync import Sentinel")
        code = re.sub(r"\b(async|await) ", "", code)
    program = _TEMPLATES[kind].format(code=textwrap.indent(code, "    "))
    if variant == "cluster":
        program = program.replace("Redis", "RedisCluster", 3).replace("port=6379", "port=7000")
    return program


def main(folder: Path) -> None:
    """
    Write all examples into a folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for page in pages():
        for example in examples(page):
            (folder / f"{example.name}.py").write_text(example.code, encoding="utf-8")
            names.append(example.name)
    print(f"{len(names)} examples in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python scripts/extract_examples.py FOLDER")
    main(Path(sys.argv[1]))
