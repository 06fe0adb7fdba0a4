"""
What is loaded when: who uses one client waits neither for the others nor for the other flavour.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import coredis
import coredis.sync

FACADES = [coredis, coredis.sync]
#: What a client of one server does without until it is asked for.
LATER = ("cluster", "clusters", "nodes", "sentinel", "pipeline", "patterns.consumer", "patterns.engine")


def loaded(code: str) -> set[str]:
    """
    Run code in a fresh interpreter and give the modules that it has loaded.
    """
    show = "import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def own(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "coredis"}


def test_the_facade_alone_loads_nothing() -> None:
    """
    Neither a client, nor the event loop, nor TLS, nor the parser.
    """
    modules = loaded("import coredis")

    assert {"coredis", "coredis._lazy", "coredis._version"} == own(modules)
    assert not modules & {"asyncio", "hiredis", "socket", "ssl"}


def test_the_blocking_client_needs_no_event_loop() -> None:
    """
    Nor anything of the asynchronous tree, of a cluster, of sentinels, of pipelines or of consumers.
    """
    modules = loaded("from coredis.sync import Redis")

    assert "coredis._sync.redis" in modules
    assert [] == [name for name in own(modules) if "_async" in name or "_queued" in name or "_runtime.aio" in name]
    assert not modules & {f"coredis._sync.{name}" for name in LATER}
    assert not modules & {"asyncio", "concurrent.futures", "hashlib", "logging", "urllib.parse"}


def test_the_asynchronous_client_alone() -> None:
    """
    The same the other way round.
    """
    modules = loaded("from coredis import Redis")

    assert "coredis._async.redis" in modules
    assert [] == [name for name in own(modules) if "_sync" in name or "_queued" in name or "_runtime.blocking" in name]
    assert not modules & {f"coredis._async.{name}" for name in LATER}


def test_not_much_is_loaded() -> None:
    """
    A module that becomes part of every start is added here with its reason. The last were the
    eight more that a half of the runtime was divided into, ``sessions``, which both halves have in common, ``repeated``,
    by which reads are made and encoded in less than half of the time, and ``whole``, which was a part of ``parser``.
    """
    assert len(own(loaded("from coredis.sync import Redis"))) <= 90


@pytest.mark.parametrize("facade", FACADES)
def test_everything_can_be_had(facade: object) -> None:
    """
    By name, by a star, and it is listed.
    """
    names: list[str] = facade.__all__  # type: ignore[attr-defined]
    assert set(names) <= set(dir(facade))
    package: str = facade.__name__  # type: ignore[attr-defined]
    assert "coredis" in loaded(f"from {package} import *\nfor name in {names!r}: globals()[name]")
    with pytest.raises(AttributeError, match="has no attribute 'Rediss'"):
        facade.Rediss  # type: ignore[attr-defined]  # noqa: B018


def test_looking_at_everything_that_is_listed_warns_of_nothing() -> None:
    """
    As notebooks do. What was moved can be had all the same.
    """
    loaded("import warnings, inspect, coredis; warnings.simplefilter('error'); inspect.getmembers(coredis)")
    loaded("import coredis; coredis.stream.Consumer")


def test_a_type_checker_knows_which_names_there_are(tmp_path: Path) -> None:
    """
    A module with a ``__getattr__`` of its own would have any name.
    """
    user = tmp_path / "user.py"
    user.write_text(
        "import coredis\nimport coredis.sync\n"
        "from coredis import Rediss  # type: ignore[attr-defined]\n"
        "from coredis.sync import Rediss as Another  # type: ignore[attr-defined]\n"
        "consumer: coredis.patterns.streams.Consumer[bytes]\n"
        "blocking: coredis.sync.patterns.streams.Consumer[bytes]\n"
        "coredis.patterns.nothing  # type: ignore[attr-defined]\n"
        "coredis.exceptions.ConnectionError\n"
    )
    mypy = pytest.importorskip("mypy.api")

    said, _, status = mypy.run(["--strict", f"--cache-dir={tmp_path / 'cache'}", str(user)])

    assert (0, "Success: no issues found in 1 source file\n") == (status, said)


def test_submodules_need_no_import() -> None:
    """
    As before the facade became lazy.
    """
    loaded(
        "import coredis; coredis.exceptions.ConnectionError; coredis.types.StreamEntry; coredis.sync.patterns.streams"
    )
    loaded("import coredis; coredis.patterns.streams.Consumer; coredis.sync.Redis; coredis.retry; coredis.tokens")


def test_classes_can_be_pickled() -> None:
    """
    By reference, as every class.
    """
    for facade in FACADES:
        assert pickle.loads(pickle.dumps(facade.Redis)) is facade.Redis
