"""
A blocking client of a sentinel's service whose thread is interrupted, as by Ctrl-C.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from coredis._sync.sentinel_sources import PrimarySource
from coredis.sync import Redis, Sentinel
from tests.support.fake_sentinels import Node, Story
from tests.support.scripted import ScriptedServer
from tests.support.strikes import strike


def _search(client: Redis[bytes], story: Story) -> object:
    client.close()
    return client.get("name")


def _confirm(client: Redis[bytes], story: Story) -> object:
    return client.get("name")


def _leave(client: Redis[bytes], story: Story) -> object:
    story.epoch += 1
    story.primary, *others = story.replicas
    story.replicas = (*others, story.primary)
    return client.get("name")


# A socket that is struck before anybody owns it is closed by its finalizer, which says so.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("use", [_search, _confirm, _leave])
def test_no_moment_leaks_or_sticks(
    use: Callable[[Redis[bytes], Story], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Interrupted at each point while it searches, asks again or leaves a primary: the next command goes where the sentinel
    says, and there is one connection to each at most.
    """
    monkeypatch.setattr(PrimarySource, "period", 0.0)  # so every command asks
    struck, point = True, 0
    enabled = gc.isenabled()
    gc.disable()  # or it would hide what is held by nobody and closed by nobody

    try:
        with ScriptedServer(Node("one")) as one, ScriptedServer(Node("two")) as two:
            story = Story(one, (two, one))
            names = {one: b"one", two: b"two"}
            with (
                ScriptedServer(story) as sentinel,
                Sentinel([sentinel.address], max_connections=1, pool_timeout=0.2).primary_for("store") as client,
            ):
                client.get("name")
                while struck:
                    struck = strike(point, lambda: use(client, story))
                    assert isinstance(story.primary, ScriptedServer)
                    assert names[story.primary] == client.get("name"), point
                    _settle(lambda: (one.live + two.live, sentinel.live) <= (1, 1))
                    point += 1
    finally:
        if enabled:
            gc.enable()

    assert point > 30


def _settle(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "more connections than there may be"
        time.sleep(0.001)
