"""
The two changes that a token-by-token generator cannot make, as functions from text to text.

Both find their places with ``ast`` and change only those characters: layout, comments and docstrings stay as they are.
"""

from __future__ import annotations

import ast
import re

QUEUE_MODULE = "coredis._core.queue"


def queued(source: str, twin: str) -> str:
    """
    Turn command methods into methods that queue: each return annotation ``T`` becomes ``Queued[T]``.

    Args:
        source: the authored text; tells which functions are commands (the ``async def`` ones)
        twin: the same text without ``async`` and ``await``

    Returns:
        The twin with its annotations wrapped, and the import that needs.
    """
    authored, plain = _functions(source), _functions(twin)
    lines = [line.encode() for line in twin.splitlines(keepends=True)]
    wrapped = False
    # From the end, so that the positions of what comes before stay true.
    for original, function in sorted(zip(authored, plain, strict=True), key=lambda pair: -pair[1].lineno):
        if isinstance(original, ast.AsyncFunctionDef) and (returns := function.returns) is not None:
            assert returns.end_lineno is not None and returns.end_col_offset is not None
            _insert(lines, returns.end_lineno, returns.end_col_offset, b"]")
            _insert(lines, returns.lineno, returns.col_offset, b"Queued[")
            wrapped = True
    text = b"".join(lines).decode()
    return _with_import(text) if wrapped else text


def facades(source: str, twin: str) -> str:
    """
    Turn the imports of the public facade into those of the blocking one, so that tests read like a user's code.

    ``from coredis import Redis`` becomes ``from coredis.sync import Redis``, ``coredis.patterns`` likewise. What both
    flavours share (``coredis.exceptions``, ``coredis.types`` ...) keeps its address.
    """
    lines = twin.splitlines(keepends=True)
    for node in ast.walk(ast.parse(twin)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            if module == "coredis" or f"{module}.".startswith("coredis.patterns."):
                line = lines[node.lineno - 1]
                lines[node.lineno - 1] = re.sub(r"\bfrom coredis\b", "from coredis.sync", line, count=1)
    return "".join(lines)


def _functions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _insert(lines: list[bytes], line: int, column: int, what: bytes) -> None:
    text = lines[line - 1]
    lines[line - 1] = text[:column] + what + text[column:]


def _with_import(text: str) -> str:
    """
    Add the import of ``Queued`` where its module sorts among the package's own imports.
    """
    imports = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    own = [node for node in imports if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coredis.")]
    lines = text.splitlines(keepends=True)
    statement = f"from {QUEUE_MODULE} import Queued\n"
    smaller = [node for node in own if (node.module or "") < QUEUE_MODULE]
    if own and not smaller:
        lines.insert(own[0].lineno - 1, statement)
    else:
        after = (smaller or imports)[-1]
        lines.insert(after.end_lineno or after.lineno, statement if own else f"\n{statement}")
    return "".join(lines)
