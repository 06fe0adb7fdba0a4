"""
Run the generator whenever the package is built: sdist, wheel and editable install.

Its output is committed, so this writes nothing when the commit is complete; it makes sure that no build ever carries a
twin that differs from its source.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateHook(BuildHookInterface):  # type: ignore[type-arg]
    """
    The custom build hook named in ``pyproject.toml``.
    """

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """
        Generate before the files of a target are collected.
        """
        script = Path(self.root) / "scripts" / "generate.py"
        done = subprocess.run([sys.executable, str(script), "--package"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"scripts/generate.py failed:\n{done.stdout}{done.stderr}")
