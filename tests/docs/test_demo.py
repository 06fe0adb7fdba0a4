"""
The demo as a user runs it: on an embedded server, on a server of one's own, and with an end that is not a good one.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from streams_demo.server import server

ROOT = Path(__file__).resolve().parents[2]


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    """
    Run the program that ``scripts/demo`` starts once it has made its environment.
    """
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}
    command = [sys.executable, "-W", "error", "-m", "streams_demo", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_quick_on_an_embedded_server() -> None:
    """
    It shows both flavours and succeeds.
    """
    finished = demo("--quick", "--failures", "0.2")

    assert (0, "") == (finished.returncode, finished.stderr)
    assert "async: 300 entries" in finished.stdout
    assert "blocking: 300 entries" in finished.stdout
    assert finished.stdout.endswith("OK: every entry was completed exactly once, in both flavours.\n")


def test_own_server_is_left_as_it_was() -> None:
    """
    With --url the demo deletes what it added, and touches nothing else.
    """
    with server(None) as url, socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5) as connection:
        finished = demo("--quick", "--url", url)
        connection.sendall(b"DBSIZE\r\n")

        assert 0 == finished.returncode, finished.stderr
        assert b":0\r\n" == connection.recv(64)


def test_many_at_the_same_moment() -> None:
    """
    Each starts a server of its own: they do not look for the same port.
    """
    with ExitStack() as servers, ThreadPoolExecutor(4) as threads:
        urls = list(threads.map(servers.enter_context, [server(None) for _ in range(4)]))

        assert 4 == len(set(urls))


def test_own_file(tmp_path: Path) -> None:
    """
    Events of a file of one's own, repeated.
    """
    path = tmp_path / "events.jsonl"
    path.write_text('{"kind": "a"}\n{"kind": "b"}\n', encoding="utf-8")

    finished = demo("--input", str(path), "--by", "kind", "--repeat", "5")

    assert 0 == finished.returncode, finished.stderr
    assert "10 events of events.jsonl" in finished.stdout


def test_no_server_there() -> None:
    """
    Status 1 and one line on stderr, no traceback.
    """
    finished = demo("--url", "redis://127.0.0.1:1")

    assert 1 == finished.returncode
    assert finished.stderr.startswith("scripts/demo: ")
    assert 1 == finished.stderr.count("\n")


def test_unusable_file(tmp_path: Path) -> None:
    """
    Status 2 and one line on stderr.
    """
    path = tmp_path / "empty.csv"
    path.touch()

    finished = demo("--input", str(path))

    assert (2, f"scripts/demo: {path}: no events in this file\n") == (finished.returncode, finished.stderr)
