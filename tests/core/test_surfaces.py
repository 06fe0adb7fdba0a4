"""
The public surfaces: the two flavours have the same names with the same parameters, and a pipeline has every command.

Nothing is listed here; the tests walk what is exported, so a new name is covered from its first day.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from unittest.mock import AsyncMock, MagicMock

import pytest

import coredis
import coredis._async.commands
import coredis.patterns.streams
from coredis._async.commands import CommandFamilies
from coredis._async.pipeline import Pipeline
from coredis._sync.pipeline import Pipeline as BlockingPipeline

FACADES = [("coredis", "coredis.sync"), ("coredis.patterns.streams", "coredis.sync.patterns.streams")]
#: What the blocking flavour calls the methods behind ``async with`` and ``async for``.
TWINS = {"__aenter__": "__enter__", "__aexit__": "__exit__", "__aiter__": "__iter__", "__anext__": "__next__"}


def modules() -> list[tuple[ModuleType, ModuleType]]:
    return [(importlib.import_module(one), importlib.import_module(other)) for one, other in FACADES]


def classes() -> Iterator[tuple[type, type]]:
    """
    Pair the exported classes that differ between the flavours; the others are the very same object.
    """
    for one, other in modules():
        for name in one.__all__:
            pair = getattr(one, name), getattr(other, name, None)
            if inspect.isclass(pair[0]) and inspect.isclass(pair[1]) and pair[0] is not pair[1]:
                yield pair
    yield Pipeline, BlockingPipeline


def members(owner: type) -> dict[str, object]:
    """
    Give the public members with their inherited ones, and the special methods that a flavour has a name of its own for.
    """
    twins = {**TWINS, **{name: name for name in TWINS.values()}, "__init__": "__init__"}
    found = {}
    for name in dir(owner):
        if not name.startswith("_") or name in twins:
            found[twins.get(name, name)] = inspect.getattr_static(owner, name)
    return found


def parameters(function: Callable[..., object]) -> list[tuple[str, object, str]]:
    """
    Give name, kind and default of each parameter; a default by its text, which says more than its identity.
    """
    return [
        (name, parameter.kind, repr(parameter.default))
        for name, parameter in inspect.signature(function).parameters.items()
    ]


def plain(member: object) -> object:
    """
    Unwrap what a decorator of the language put around a function.
    """
    return getattr(member, "__func__", None) or getattr(member, "fget", None) or member


def commands() -> dict[str, Callable[..., object]]:
    """
    Collect the command methods of all families: the public coroutine functions of the command modules.
    """
    found: dict[str, Callable[..., object]] = {}
    for module in pkgutil.iter_modules(coredis._async.commands.__path__, "coredis._async.commands."):
        for _, family in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if family.__module__ == module.name:
                found |= {
                    name: method
                    for name, method in vars(family).items()
                    if inspect.iscoroutinefunction(method) and not name.startswith("_")
                }
    return {name: method for name, method in found.items() if name != "issue"}


@pytest.mark.parametrize("facade", [name for pair in FACADES for name in pair])
def test_exports_are_sorted_and_importable(facade: str) -> None:
    """
    ``__all__`` is sorted, has no name twice, and every name in it exists.
    """
    module = importlib.import_module(facade)

    assert sorted(set(module.__all__)) == list(module.__all__)
    assert [] == [name for name in module.__all__ if not hasattr(module, name)]


@pytest.mark.parametrize(("one", "other"), FACADES)
def test_both_flavours_export_the_same_names(one: str, other: str) -> None:
    """
    Porting code is changing the import.
    """
    assert importlib.import_module(one).__all__ == importlib.import_module(other).__all__


def test_the_clients_differ() -> None:
    """
    The facades do not export the same client twice, so the comparisons below compare something.
    """
    names = {one.__name__ for one, _ in classes()}

    assert {"Redis", "RedisCluster", "Consumer", "GroupConsumer", "Pipeline"} <= names


def test_classes_have_the_same_members() -> None:
    """
    Every public attribute and method exists in both flavours.
    """
    for one, other in classes():
        assert members(one).keys() == members(other).keys(), one


def test_members_have_the_same_parameters() -> None:
    """
    Names, kinds and defaults of all parameters agree, and so does what is a property or a class method.
    """
    for one, other in classes():
        for name, member in members(one).items():
            twin = members(other)[name]
            assert type(member) is type(twin), f"{one.__name__}.{name}"
            function, twin = plain(member), plain(twin)
            if inspect.isfunction(function) and inspect.isfunction(twin):
                assert parameters(function) == parameters(twin), f"{one.__name__}.{name}"


def test_exported_functions_have_the_same_parameters() -> None:
    """
    The same for functions outside of classes.
    """
    for one, other in modules():
        for name in one.__all__:
            if inspect.isfunction(function := getattr(one, name)):
                assert parameters(function) == parameters(getattr(other, name)), name


def test_the_blocking_flavour_blocks() -> None:
    """
    Nothing public in the blocking flavour is a coroutine function or an asynchronous iterable.
    """
    for _, other in classes():
        assert not issubclass(other, AsyncIterable), other
        for name, member in members(other).items():
            function = plain(member)
            assert not inspect.iscoroutinefunction(function), f"{other.__name__}.{name}"
            assert not inspect.isasyncgenfunction(function), f"{other.__name__}.{name}"


def test_there_are_commands() -> None:
    """
    The walk finds the families.
    """
    assert {"xadd", "xreadgroup", "get", "hset"} <= commands().keys()


@pytest.mark.parametrize(
    "owner",
    [Pipeline, BlockingPipeline, coredis.Redis, coredis.RedisCluster, coredis.ClusterPipeline, coredis.ClusterNode],
)
def test_every_command_is_everywhere(owner: type) -> None:
    """
    A client and the pipelines of both flavours have every command, with the same parameters.
    """
    for name, command in commands().items():
        method = inspect.getattr_static(owner, name)
        assert parameters(command) == parameters(method), f"{owner.__name__}.{name}"


@pytest.mark.parametrize("owner", [Pipeline, BlockingPipeline])
def test_a_pipeline_promises_the_results_of_the_client(owner: type) -> None:
    """
    A queued command gives a handle for the very type that the client's method returns.
    """

    def words(annotation: object) -> str:
        return "".join(str(annotation).split()).replace(",]", "]")

    for name, command in commands().items():
        method = inspect.getattr_static(owner, name)
        expected = f"Queued[{words(inspect.signature(command).return_annotation)}]"
        assert expected == words(inspect.signature(method).return_annotation), name


def test_the_old_path_of_the_consumers() -> None:
    """
    Code for coredis 6 may use it still, and is told the new one.
    """
    with pytest.warns(DeprecationWarning, match=r"coredis\.patterns\.streams"):
        old = importlib.import_module("coredis.stream")

    assert coredis.patterns.streams.GroupConsumer is old.GroupConsumer


def test_nothing_received_is_executed() -> None:
    """
    No module can unpickle or load code, and the two uses of ``eval`` are for the library's own text. The facades load modules
    by name, of which they have a list.
    """
    forbidden = {"pickle", "marshal", "shelve", "yaml", "importlib", "runpy"}
    imported: set[tuple[str, str]] = set()
    evaluating = []
    for path in sorted(Path(coredis.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {(path.name, name.name.partition(".")[0]) for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add((path.name, node.module.partition(".")[0]))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                evaluating.append(path.name)

    assert [("_lazy.py", "importlib")] == [pair for pair in sorted(imported) if pair[1] in forbidden]
    assert ["packing.py", "entries.py"] == evaluating


@pytest.mark.parametrize("client", [coredis.Redis, coredis.RedisCluster])
def test_the_method_with_a_shorter_way_is_what_it_was(client: type[object]) -> None:
    """
    To whoever reads it, and to mocks, which have to know what is awaited.
    """
    longer, shorter = CommandFamilies.xadd, client.xadd  # type: ignore[attr-defined]

    assert longer is not shorter
    assert inspect.signature(longer) == inspect.signature(shorter)
    assert (longer.__doc__, longer.__qualname__) == (shorter.__doc__, shorter.__qualname__)
    assert isinstance(MagicMock(spec=client).xadd, AsyncMock)
