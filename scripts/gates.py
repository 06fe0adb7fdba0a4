"""
What an authored file may contain, so that the code generated from it is right.

The generator drops ``async`` and ``await`` token by token and renames a few words; it understands nothing. Each rule
here forbids something it would silently get wrong (a lost bracket, a name that does not exist, a docstring that lies).
The rules read text and return problems; they write nothing, and need nothing but the standard library.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

#: What unasync renames by itself. A file may use these words as names, but not where Python versions disagree.
RENAMED = {
    "__aenter__",
    "__aexit__",
    "__aiter__",
    "__anext__",
    "asynccontextmanager",
    "AsyncGenerator",
    "AsyncIterable",
    "AsyncIterator",
    "StopAsyncIteration",
}
#: Names that the generator leaves as they are and that mean nothing in blocking code, with what to use instead.
FORBIDDEN_NAMES = {
    "__await__": "make it an `async def`",
    "AbstractAsyncContextManager": "give the class __aenter__ and __aexit__",
    "Awaitable": "take or return the result itself, or what coredis/_runtime offers",
    "Coroutine": "take or return the result itself, or what coredis/_runtime offers",
    "aclose": "call it `close`",
    "aclosing": "use a class with __aenter__ and __aexit__",
    "aiter": "use `async for`",
    "anext": "use `async for`, or `__anext__`",
    "asyncio": "put it into the pair in coredis/_runtime",
    "iscoroutinefunction": "put the difference into the pair in coredis/_runtime",
    "isawaitable": "put the difference into the pair in coredis/_runtime",
}
#: Modules that belong to the pair in ``coredis/_runtime``.
FORBIDDEN_MODULES = {"asyncio", "pytest_asyncio", "selectors", "socket", "threading", "time"}
#: Packages that exist in one flavour only; nothing authored may name the other one.
OTHER_FLAVOUR = ("coredis._sync", "coredis.sync", "coredis._runtime.blocking")
#: The only names that may start with "Async": the generator knows what they become.
ASYNC_NAMES = {"AsyncIterable", "AsyncIterator"}

FLAVOUR_WORD = re.compile(r"\b(?:async|await|asyncio)\b")
COMMANDS = "coredis/_async/commands/"


class Problem(NamedTuple):
    """
    One place that breaks a rule, and what to do about it.
    """

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def source_problems(path: str, text: str, replaced: set[str]) -> list[Problem]:
    """
    Find what an authored file must not contain.

    Args:
        path: the file, relative to the root, with ``/``; decides which rules apply
        text: its text
        replaced: the words of the replacement table
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return [Problem(path, error.lineno or 1, f"cannot be parsed: {error.msg}")]
    found = [
        *_token_problems(text, replaced | RENAMED),
        *_import_problems(path, tree),
        *_tree_problems(path, tree, replaced | RENAMED),
        *(_family_problems(tree) if is_family(path) else ()),
    ]
    return sorted(Problem(path, line, message) for line, message in set(found))


def is_family(path: str) -> bool:
    """
    Tell whether a file holds a family of commands: all of the folder but its base and its ``__init__``.
    """
    name = path.removeprefix(COMMANDS)
    return path.startswith(COMMANDS) and name not in ("__init__.py", "base.py")


def output_problems(path: str, text: str) -> list[Problem]:
    """
    Find what generated code must not contain. The first line, the banner, may name the source.
    """
    try:
        compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return [Problem(path, error.lineno or 1, f"the generated code does not compile: {error.msg}")]
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if number > 1 and (word := FLAVOUR_WORD.search(line)):
            found.append(Problem(path, number, f"`{word[0]}` is left in the generated code: say it for both flavours"))
    for token in _tokens(text):
        if token.type == tokenize.NAME and token.string == "_async":
            found.append(Problem(path, token.start[0], "the generated code refers to _async"))
    return found


def names(text: str) -> set[str]:
    """
    Give every name that occurs in a text, keywords included.
    """
    return {token.string for token in _tokens(text) if token.type == tokenize.NAME}


# ---------------------------------------------------------------------------------------------------------- tokens


def _token_problems(text: str, replaced: set[str]) -> Iterator[tuple[int, str]]:
    tokens = list(_tokens(text))
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        line, word = token.start[0], token.string
        if token.type == tokenize.NAME:
            if word in ("async", "await"):
                gap = following.start[1] - token.end[1] if following.start[0] == token.end[0] else 0
                if gap != 1 or following.type in (tokenize.NL, tokenize.COMMENT):
                    yield line, f"`{word}` needs exactly one space and then its operand on the same line"
            elif word in FORBIDDEN_NAMES:
                yield line, f"`{word}` has no meaning in the blocking twin: {FORBIDDEN_NAMES[word]}"
            elif word.startswith("Async") and word not in ASYNC_NAMES:
                yield line, f"`{word}` would become an invented name: rename it without `Async`"
        elif token.type == tokenize.STRING:
            # A plain string is renamed when all of it is one word; a docstring or a prefixed string never is.
            content = word[1:-1]
            if word[0] in "'\"" and (content in replaced or re.match("Async[A-Z]", content)):
                yield line, f"the string {word} would be rewritten: spell it another way"
        if token.type in (tokenize.STRING, tokenize.COMMENT, _FSTRING_MIDDLE) and (found := FLAVOUR_WORD.search(word)):
            kind = "a comment" if token.type == tokenize.COMMENT else "a docstring or string"
            line += word[: found.start()].count("\n")
            yield line, f"`{found[0]}` in {kind} is false in the blocking twin: say it for both flavours"


#: From Python 3.12 on an f-string is several tokens.
_FSTRING_MIDDLE: int = getattr(tokenize, "FSTRING_MIDDLE", -1)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


# --------------------------------------------------------------------------------------------------------- imports


def _import_problems(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    in_package = path.startswith("coredis/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
            if any(module.split(".")[0] == "coredis" for module in modules):
                yield node.lineno, "use `from coredis... import ...`: the generator rewrites that form only"
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                if in_package:
                    yield node.lineno, "use an absolute import: `from coredis... import ...`"
                continue
            module = node.module or ""
            modules = [f"{module}.{alias.name}" for alias in node.names]
            if in_package and module in ("coredis", "coredis.patterns"):
                yield node.lineno, "the facade imports this package: import from the module that defines the name"
            if path.startswith(COMMANDS) and module.startswith("coredis._async") and not _below(module, COMMANDS):
                yield (
                    node.lineno,
                    "a pipeline has the commands only: import from coredis._core, or from _async.commands",
                )
        else:
            continue
        for module in modules:
            if module.split(".")[0] in FORBIDDEN_MODULES:
                yield node.lineno, f"`{module.split('.')[0]}` belongs into the pair in coredis/_runtime"
            if any(module == other or module.startswith(f"{other}.") for other in OTHER_FLAVOUR):
                yield node.lineno, f"`{module}` is the other flavour: import the name of this one"


def _below(module: str, folder: str) -> bool:
    return f"{module.replace('.', '/')}/".startswith(folder)


# ------------------------------------------------------------------------------------------------------ the syntax


def _tree_problems(path: str, tree: ast.Module, replaced: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from _fstring_problems(node, replaced)
        elif isinstance(node, ast.GeneratorExp):
            if any(generator.is_async for generator in node.generators) or _contains(node, ast.Await):
                yield node.lineno, "an async generator expression: use a list or a loop"
        elif isinstance(node, ast.AsyncFunctionDef) and _yields(node):
            # pytest wants its fixtures so, and a plain generator does for it just as well.
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            if path.startswith("coredis/") or not any("fixture" in decorator for decorator in decorators):
                yield node.lineno, f"`{node.name}` is an async generator: make it a class with __aiter__ and __anext__"
        for annotation in _annotations(node):
            for quoted in _quoted(annotation):
                yield quoted.lineno, f"quoted annotation {quoted.value!r}: use `from __future__ import annotations`"


def _fstring_problems(fstring: ast.JoinedStr, replaced: set[str]) -> Iterator[tuple[int, str]]:
    for part in fstring.values:
        if isinstance(part, ast.Constant):
            continue
        for node in ast.walk(part):
            if isinstance(node, ast.Await) or (isinstance(node, ast.comprehension) and node.is_async):
                yield fstring.lineno, "`await` or `async` in an f-string: put the value into a variable before it"
                continue
            match node:
                case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=word) | ast.Constant(value=word):
                    if word in replaced or (isinstance(word, str) and word.startswith("Async")):
                        yield fstring.lineno, f"`{word}` in an f-string is renamed by some Pythons only: use a variable"


def _contains(node: ast.AST, kind: type[ast.AST]) -> bool:
    return any(isinstance(inner, kind) for inner in ast.walk(node))


def _yields(function: ast.AsyncFunctionDef) -> bool:
    inside: list[ast.AST] = list(function.body)
    while inside:
        node = inside.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            inside.extend(ast.iter_child_nodes(node))
    return False


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
        yield node.annotation
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
        yield node.returns


def _quoted(annotation: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith(("Literal", "Annotated")):
        return
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield annotation
    for child in ast.iter_child_nodes(annotation):
        yield from _quoted(child)


# ------------------------------------------------------------------------------------------------- command families


def _family_problems(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, f"`{node.name}` is a builder: move it to coredis/_core/commands"
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _command_problems(member)


def _command_problems(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str]]:
    name, body = method.name, list(method.body)
    if not isinstance(method, ast.AsyncFunctionDef):
        yield method.lineno, f"`{name}` must be `async def`; what needs no server belongs into coredis/_core/commands"
        return
    if method.returns is None:
        yield method.lineno, f"`{name}` needs a return annotation: a pipeline wraps it"
    documented = ast.get_docstring(method) is not None
    if documented:
        del body[0]
    if any(ast.unparse(decorator).endswith("overload") for decorator in method.decorator_list):
        if body and [ast.unparse(statement) for statement in body] != ["..."]:
            yield method.lineno, f"the overload of `{name}` must have `...` for a body"
        return
    if not documented:
        yield method.lineno, f"`{name}` needs a docstring"
    match body:
        case [ast.Return(value=ast.Await(value=ast.Call(func=function, args=[command], keywords=[])))]:
            if ast.unparse(function) == "self.issue" and not _contains(command, ast.Await):
                return
    yield (
        method.lineno,
        f"`{name}` must be one `return await self.issue(...)`: move the rest to coredis/_core/commands",
    )
