"""
The environments of the clients: one with this checkout's dependencies and the peers, one with coredis 6, which cannot be
installed beside its namesake.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".bench"

#: The newest versions when this was written; a benchmark names its versions, and so chooses them.
REQUIREMENTS: Final = {
    "peers": (
        "hiredis==3.5.0",
        "redis==8.1.0",
        "valkey[libvalkey]==6.2.0",
        "valkey-glide==2.6.0",
        "valkey-glide-sync==2.6.0",
        "uvloop==0.23.0",
        "matplotlib",
    ),
    "coredis6": ("coredis==6.9.0", "uvloop==0.23.0"),
}

_VERSIONS: Final = """
import importlib.metadata, json, sys
print(json.dumps({d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}))
"""


class EnvironmentFailed(Exception):
    """
    An environment cannot be made; the message is what pip said.
    """


def python(name: str) -> Path:
    """
    Give the interpreter of an environment; make the environment when it is not there or not as it should be.

    Raises:
        EnvironmentFailed: pip failed
    """
    folder = FOLDER / name
    interpreter = folder / "bin" / "python"
    state = folder / "installed.json"
    wanted = json.dumps([str(folder), sys.version, *REQUIREMENTS[name]])
    if not state.is_file() or state.read_text() != wanted:
        print(f"Installing {', '.join(REQUIREMENTS[name])} into .bench/{name} ...", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        command = [str(interpreter), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *REQUIREMENTS[name]]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise EnvironmentFailed(f".bench/{name}: pip failed: {run.stderr.strip()[-500:]}")
        state.write_text(wanted)
    return interpreter


def versions(name: str) -> dict[str, str]:
    """
    Tell which versions are installed, by the name of the package in lower case.
    """
    run = subprocess.run([python(name), "-c", _VERSIONS], capture_output=True, text=True, check=True)
    installed: dict[str, str] = json.loads(run.stdout)
    return installed
