"""
Every Python example of README.md and docs/ runs on a real server, prints what its page says, and warns of nothing.

``scripts/check`` type-checks the same programs. They expect a server on localhost:6379; an embedded one on a free port
takes its place here, emptied before each example. A cluster takes the place of localhost:7000, and the sentinels on
localhost:26379 and 26380 are played.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import extract_examples
import pytest

from tests.support.fake_sentinels import Story
from tests.support.programs import discover
from tests.support.scripted import ScriptedServer
from tests.support.servers import Server, ServerPool

ROOT = Path(__file__).resolve().parents[2]
#: Seconds an example may take; the slowest waits a second or two on purpose.
PATIENCE = 30


PAGES = extract_examples.pages()
EXAMPLES = [example for page in PAGES for example in extract_examples.examples(page)]


@pytest.fixture
def server(server_pool: ServerPool) -> Server:
    """
    One server for all examples, the embedded Valkey, emptied for each.
    """
    return server_pool.get(next(program for program in discover().programs if "valkey" in program.identifier))


@pytest.fixture
def sentinel_ports(server: Server) -> Iterator[dict[int, int]]:
    """
    Two sentinels of the service ``store``, whose primary is that server: the ports by those the examples name.
    """
    with ScriptedServer(Story(server)) as one, ScriptedServer(Story(server)) as other:
        yield {26379: one.port, 26380: other.port}


def _placed(code: str, port: int, real: int) -> str:
    code = code.replace(f"localhost:{port}", f"127.0.0.1:{real}")
    code = code.replace(f'("localhost", {port})', f'("127.0.0.1", {real})')
    return code.replace(f'host="localhost", port={port}', f'host="127.0.0.1", port={real}')


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_example_runs(example: extract_examples.Example, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """
    The example ends without an error or a warning, and prints what the page shows.
    """
    program = tmp_path / f"{example.name}.py"
    if "port=7000" in example.code:
        code = _placed(example.code, 7000, request.getfixturevalue("any_cluster").port)
    elif example.name.endswith("sentinel"):
        code = example.code
        for named, port in request.getfixturevalue("sentinel_ports").items():
            code = _placed(code, named, port)
    else:
        server = request.getfixturevalue("server")
        code = _placed(example.code, 6379, server.port)
    program.write_text(code, encoding="utf-8")
    command = [sys.executable, "-X", "dev", "-W", "error", str(program)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    finished = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)

    assert finished.returncode == 0, f"{finished.stderr}\n{code}"
    assert "Warning" not in finished.stderr, finished.stderr
    if example.output is not None:
        assert example.output == finished.stdout


def test_both_flavours_are_shown() -> None:
    """
    The README has a whole program for each flavour.
    """
    programs = [
        example.code for example in extract_examples.examples(ROOT / "README.md") if example.name.endswith("program")
    ]

    assert any("from coredis import Redis" in code for code in programs)
    assert any("from coredis.sync import Redis" in code for code in programs)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """
    Every relative link of a page names a file of the repository, and its anchor a heading in that file.
    """
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page

        assert file.exists(), f"{page.name} links to {target}, which is not there"
        if anchor:
            assert anchor in _anchors(file), f"{page.name} links to {target}; {file.name} has no such heading"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_examples_are_typed(tmp_path: Path) -> None:
    """
    The examples satisfy mypy in its strict mode, as written.
    """
    pytest.importorskip("mypy", reason="mypy comes with the extra dev")
    extract_examples.main(tmp_path / "examples")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")]

    finished = subprocess.run(
        [*command, str(tmp_path / "examples")], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == finished.returncode, finished.stdout + finished.stderr
