"""
A whole run of pytest says what it runs against, and fails for what is missing or left open.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import discover

LEAKY = """
import socket, threading, time

kept = []

def test_socket():
    kept.append(socket.socket())

def test_thread():
    thread = threading.Thread(target=time.sleep, args=(3,), name="left over", daemon=True)
    thread.start()

def test_clean():
    socket.socket().close()
"""


def run_pytest(folder: Path, text: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """
    Run a file of tests with the fixtures of this suite and none of its settings.
    """
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(text)
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "COREDIS_TEST_REQUIRE": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("-q",)], ids=["alone", "workers", "quiet"])
def test_a_run_says_which_servers_it_uses(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """
    With workers and without, and even when it is to be quiet.
    """
    run = run_pytest(tmp_path, "def test(server): assert server.command('PING') == b'PONG'", *arguments)

    assert 0 == run.returncode, run.stdout
    assert f"{len(discover().programs)} passed" in run.stdout
    for program in discover().programs:
        assert program.identifier in run.stdout


def test_a_run_fails_when_a_required_server_is_missing(tmp_path: Path) -> None:
    """
    It names what is missing and what there is.
    """
    run = run_pytest(tmp_path, "def test(): pass", COREDIS_TEST_REQUIRE="redis99")

    assert pytest.ExitCode.USAGE_ERROR == run.returncode
    assert "not found: redis99" in run.stderr


def test_a_test_that_leaves_something_open_fails(tmp_path: Path) -> None:
    """
    It is told what; the tests after it are not blamed.
    """
    run = run_pytest(tmp_path, LEAKY)

    assert "3 passed, 2 errors" in run.stdout, run.stdout
    assert "left open: socket at descriptor" in run.stdout
    assert "left open: thread 'left over'" in run.stdout
