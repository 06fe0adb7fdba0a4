"""
Pipelines are cut into bounded writes, and a discarded transaction has an error for each command.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core import transaction
from coredis._core.parser import ErrorLine
from coredis._core.transaction import abort_errors, chunks, passing_error
from coredis.exceptions import ExecAbortError, InvalidResponse, OutOfMemoryError, UnknownCommandError
from coredis.sync import Redis


def test_nothing_makes_no_chunk() -> None:
    """
    Nothing is written for it.
    """
    assert [] == list(chunks([]))


def test_a_small_pipeline_is_one_write() -> None:
    """
    In the order of the commands.
    """
    assert [(b"abc", 3)] == list(chunks([b"a", b"b", b"c"]))


@pytest.mark.parametrize(("count", "expected"), [(3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_a_chunk_has_so_many_commands_at_most(count: int, expected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The last one has the rest.
    """
    monkeypatch.setattr(transaction, "CHUNK_COMMANDS", 3)

    assert expected == [number for _, number in chunks([b"x"] * count)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([5, 5], [(10, 2)]),
        ([5, 6], [(5, 1), (6, 1)]),
        ([1, 100, 1], [(1, 1), (100, 1), (1, 1)]),
        ([100, 100], [(100, 1), (100, 1)]),
        ([4, 4, 4], [(8, 2), (4, 1)]),
    ],
)
def test_a_chunk_has_so_many_bytes_at_most(
    sizes: list[int], expected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Unless one command alone is larger.
    """
    monkeypatch.setattr(transaction, "CHUNK_BYTES", 10)

    assert expected == [(len(payload), number) for payload, number in chunks([b"x" * size for size in sizes])]


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=50))
def test_no_command_is_lost_or_moved(payloads: list[bytes]) -> None:
    """
    All chunks together are what was queued.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "CHUNK_BYTES", 7)
        patch.setattr(transaction, "CHUNK_COMMANDS", 4)
        made = list(chunks(payloads))

    assert b"".join(payloads) == b"".join(payload for payload, _ in made)
    assert len(payloads) == sum(number for _, number in made)


def test_the_refused_command_has_its_own_error() -> None:
    """
    The others were only discarded with it.
    """
    answers = [b"QUEUED", ErrorLine("ERR unknown command 'X'"), b"QUEUED", ErrorLine("OOM no memory")]

    errors = abort_errors(answers, ErrorLine("EXECABORT Transaction discarded because of previous errors."))

    assert [ExecAbortError, UnknownCommandError, ExecAbortError, OutOfMemoryError] == list(map(type, errors))


def test_each_error_is_an_object_of_its_own() -> None:
    """
    Raised one by one, they must not share a traceback.
    """
    first, second = abort_errors([b"QUEUED", b"QUEUED"], ErrorLine("EXECABORT x"))

    assert first is not second


@pytest.mark.parametrize(
    ("replies", "code"),
    [
        ([b"OK", b"QUEUED", [1]], None),
        ([b"OK", b"QUEUED", None], None),
        ([b"OK", b"QUEUED", [ErrorLine("MOVED 1 h:1")]], None),
        ([b"OK", ErrorLine("ERR wrong"), ErrorLine("EXECABORT x")], None),
        ([b"OK", ErrorLine("MOVED 1 h:1"), ErrorLine("EXECABORT x")], "MOVED"),
        ([b"OK", b"QUEUED", ErrorLine("ASK 1 h:1")], "ASK"),
        ([b"OK", ErrorLine("ERR wrong"), ErrorLine("ASK 1 h:1"), ErrorLine("EXECABORT x")], "ASK"),
        ([b"OK", ErrorLine("READONLY x"), ErrorLine("EXECABORT x")], "READONLY"),
        ([ErrorLine("LOADING x"), ErrorLine("LOADING x"), ErrorLine("ERR EXEC without MULTI")], "LOADING"),
        ([b"OK", b"QUEUED", ErrorLine("CLUSTERDOWN x")], "CLUSTERDOWN"),
        ([b"OK", b"QUEUED", ErrorLine("TRYAGAIN x")], "TRYAGAIN"),
    ],
)
def test_why_a_node_did_not_execute_a_transaction(replies: list[object], code: str | None) -> None:
    """
    If another one would, or this one later. What was executed is never sent again, whatever its commands say.
    """
    error = passing_error(replies)

    assert code == (None if error is None else error.code)


@pytest.mark.parametrize("answer", [1, b"OK", {b"a": b"b"}, [], [1, 2]])
def test_what_is_no_list_of_results_fails_the_transaction(answer: object) -> None:
    """
    It is a mistake of the server's, and not ``TypeError``.
    """
    with Redis() as client:
        pipeline = client.pipeline()
        handle = pipeline.get("k")

        with pytest.raises(InvalidResponse, match=r"^EXEC: "):
            pipeline._read_transaction([handle], [b"OK", b"QUEUED", answer])
