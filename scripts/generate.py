"""
Generate the blocking twin and the pipelines' commands from the authored code.

    python scripts/generate.py            write what has changed, delete what has no source any more
    python scripts/generate.py --check    write nothing; print what is not up to date as a diff, and fail

Three folders are generated whole and committed; nothing in them is edited by hand::

    coredis/_async           -> coredis/_sync             without async and await
    coredis/_async/commands  -> coredis/_queued/commands  the same methods, queueing: ``-> T`` becomes ``-> Queued[T]``
    tests/_async             -> tests/_sync               and the imports of the blocking facade

The token work is done by unasync. The sources go through ``gates.py`` first, because unasync silently misunderstands
some code, and the result goes through it again. The order of imports and the wrapping of lines stay as they come out:
the generated folders are type-checked and linted but not formatted: the bytes would depend on a formatter's version.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import gates
import rewrites

TWIN = {"_async": "_sync", "aio": "blocking"}
QUEUED = {"_async": "_queued"}
MARK = "by scripts/generate.py: "


class Tree(NamedTuple):
    """
    One folder generated from another.

    ``rewrite`` takes the authored text and what unasync made of it, and returns the final one.
    """

    source: str
    target: str
    replacements: dict[str, str]
    rewrite: Callable[[str, str], str] | None = None


TREES = (
    Tree("coredis/_async", "coredis/_sync", TWIN),
    Tree("coredis/_async/commands", "coredis/_queued/commands", QUEUED, rewrites.queued),
    Tree("tests/_async", "tests/_sync", TWIN, rewrites.facades),
)
#: The folders in which every file is ours to write and to delete.
OWNED = ("coredis/_sync", "coredis/_queued", "tests/_sync")
#: The one generated file without a source.
QUEUED_PACKAGE = f'''\
# Generated {MARK}edit that script, not this file.
"""
The command methods as a pipeline has them: each queues its command and gives back a handle for the later result.
"""
'''


class GenerateError(Exception):
    """
    Nothing was generated; the message says what to change.
    """


def main() -> int:
    """
    Run from the command line; return the exit status.
    """
    parser = argparse.ArgumentParser(description="Generate the blocking twin and the pipelines' commands.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when something is not up to date")
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).parents[1], help="the repository (default: this one)"
    )
    parser.add_argument(
        "--package", action="store_true", help="only what is installed, so that a test in the making stops no build"
    )
    options = parser.parse_args()
    try:
        expected = generate(options.root, package_only=options.package)
        stale = check(options.root, expected) if options.check else write(options.root, expected)
    except GenerateError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check and stale:
        print("The generated files are not up to date: run python scripts/generate.py", file=sys.stderr)
        return 1
    return 0


def generate(root: Path, package_only: bool = False) -> dict[str, str]:
    """
    Make every generated file, in memory; those of the tests are taken as they are with ``package_only``.

    Returns:
        Texts by path, relative to the root and with ``/``.

    Raises:
        GenerateError: a source or a result breaks a rule, or a replacement is not used
    """
    trees = [tree for tree in TREES if tree.source.startswith("coredis/") or not package_only]
    sources = [(tree, _read(root, tree.source)) for tree in trees]
    problems = []
    for tree, texts in sources:
        for path, text in texts.items():
            problems += gates.source_problems(path, text, set(TWIN))
        # A build may come without the tests; the package alone uses every word.
        if tree.source.startswith("coredis/"):
            problems += _unused_replacements(tree, texts)
    _refuse(problems)

    expected = {"coredis/_queued/__init__.py": QUEUED_PACKAGE}
    for tree, texts in sources:
        expected.update(_transform(tree, texts))
    _refuse([problem for path, text in expected.items() for problem in gates.output_problems(path, text)])
    if package_only:
        expected.update(
            {path: (root / path).read_text("utf-8") for path in _present(root) if path.startswith("tests/")}
        )
    return dict(sorted(expected.items()))


def check(root: Path, expected: dict[str, str]) -> bool:
    """
    Print how the generated files differ from what they should be.

    Returns:
        True when any does.
    """
    present = {path: (root / path).read_bytes().decode(errors="replace") for path in _present(root)}
    stale = False
    for path in sorted({*expected, *present}):
        before, after = present.get(path), expected.get(path)
        if before != after:
            stale = True
            print(f"{path}: {'is missing' if before is None else 'has no source' if after is None else 'differs'}")
            old, new = ((text or "").splitlines(keepends=True) for text in (before, after))
            sys.stdout.writelines(difflib.unified_diff(old, new, f"{path} (on disk)", f"{path} (generated)"))
    return stale


def write(root: Path, expected: dict[str, str]) -> bool:
    """
    Write what differs and delete what has no source any more.

    Returns:
        True when anything changed.

    Raises:
        GenerateError: a file in a generated folder has neither source nor banner, so it may be somebody's work;
            nothing is written
    """
    left_over = [path for path in _present(root) if path not in expected]
    foreign = [path for path in left_over if MARK.encode() not in (root / path).read_bytes().split(b"\n", 1)[0]]
    _refuse([gates.Problem(path, 1, "not a generated file: move it out of the generated folder") for path in foreign])
    changed = False
    for path, text in expected.items():
        target, data = root / path, text.encode()
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            # In one step, so that nobody ever imports half a file.
            partial = target.with_name(f".{target.name}.{os.getpid()}")
            partial.write_bytes(data)
            partial.replace(target)
            print(f"wrote {path}")
            changed = True
    for path in left_over:
        (root / path).unlink()
        print(f"deleted {path}")
        changed = True
    for folder in _empty_folders(root):
        folder.rmdir()
    return changed


def _transform(tree: Tree, texts: dict[str, str]) -> dict[str, str]:
    """
    Generate one folder. unasync works on a copy: in place it can overwrite its own source.
    """
    if not texts:
        return {}
    try:
        import unasync  # here, because it imports setuptools, which is slow
    except ImportError as error:
        raise GenerateError(f"{error}: run scripts/check, or this with .venv/bin/python after it") from error
    begin, end = (f"/{name.removesuffix('/commands')}/" for name in (tree.source, tree.target))
    rule = unasync.Rule(begin, end, additional_replacements=tree.replacements)
    made = {}
    with tempfile.TemporaryDirectory(prefix="generate-") as folder:
        root = Path(folder).resolve()
        for path, text in texts.items():
            copy = root / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(text.encode())
        unasync.unasync_files([str(root / path) for path in texts], [rule])
        for path, text in texts.items():
            target = tree.target + path.removeprefix(tree.source)
            result = (root / target).read_bytes().decode()
            if tree.rewrite:
                result = tree.rewrite(text, result)
            made[target] = f"# Generated from {path} {MARK}edit that file, not this one.\n{result}"
    return made


def _unused_replacements(tree: Tree, texts: dict[str, str]) -> list[gates.Problem]:
    """
    Find the words of the table that no source has: a rule that does nothing hides a misspelling.
    """
    words = {word for text in texts.values() for word in gates.names(text)}
    return [
        gates.Problem(
            "scripts/generate.py", 1, f"the replacement of `{word}` is used nowhere in {tree.source}: remove it"
        )
        for word in tree.replacements
        if word not in words
    ]


def _read(root: Path, folder: str) -> dict[str, str]:
    # Line ends become "\n" here, whatever the checkout made of them, so that the results are the same everywhere.
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((root / folder).rglob("*.py"))
    }


def _present(root: Path) -> list[str]:
    """
    List the files in the generated folders, without Python's caches and hidden files.
    """
    return sorted(
        path.relative_to(root).as_posix()
        for folder in OWNED
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    )


def _empty_folders(root: Path) -> Iterator[Path]:
    """
    Give the generated folders that hold nothing but caches, the innermost first, with the caches already gone.
    """
    folders = [path for owned in OWNED for path in (root / owned, *(root / owned).rglob("*")) if path.is_dir()]
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        if folder.name == "__pycache__" or not folder.exists():
            continue
        cache = folder / "__pycache__"
        if not any(path != cache for path in folder.iterdir()):
            if cache.is_dir():
                for compiled in cache.iterdir():
                    compiled.unlink()
                cache.rmdir()
            yield folder


def _refuse(problems: list[gates.Problem]) -> None:
    if problems:
        lines = "\n".join(str(problem) for problem in sorted(set(problems)))
        raise GenerateError(f"{lines}\nNothing was generated.")


if __name__ == "__main__":
    sys.exit(main())
