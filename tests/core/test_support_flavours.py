"""
The two halves of the flavour pair do the same, each in its own way.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import signal
import socket
import threading
import time

import pytest

from tests.support import aio, blocking
from tests.support.interruption import Interrupted


def test_both_halves_have_the_same_names() -> None:
    """
    What can be imported from one can be imported from the other.
    """
    assert aio.__all__ == blocking.__all__


@pytest.mark.parametrize(
    "name",
    ["connect", "end_spawned", "ending", "gather", "interrupted_after", "open_resources", "settle", "sleep", "spawn"],
)
def test_both_halves_take_the_same_parameters(name: str) -> None:
    """
    Only await tells the calls apart.
    """
    one, other = (list(inspect.signature(getattr(half, name)).parameters) for half in (aio, blocking))

    assert one == other


class TestAsynchronous:
    async def test_gather_runs_at_the_same_time_and_keeps_the_order(self) -> None:
        """
        Three sleeps take as long as one.
        """

        async def wait() -> float:
            await aio.sleep(0.05)
            return time.monotonic()

        started = time.monotonic()
        results = await aio.gather(wait, wait, wait)

        assert max(results) - started < 0.12

    async def test_gather_raises_the_first_error_and_leaves_nothing(self) -> None:
        """
        The others are cancelled.
        """

        async def fail() -> None:
            raise LookupError

        before = aio.open_resources()
        with pytest.raises(LookupError):
            await aio.gather(lambda: aio.sleep(60), fail)
        assert before == aio.open_resources()

    async def test_spawn_returns_the_result_or_raises(self) -> None:
        """
        A handle is joined once.
        """

        async def give() -> int:
            return 5

        async def fail() -> None:
            raise LookupError

        handle = aio.spawn(give)
        assert not handle.done
        assert await handle.join() == 5
        with pytest.raises(LookupError):
            await aio.spawn(fail).join()

    async def test_a_join_that_takes_too_long_tells_where_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The last call as well as the first one.
        """
        monkeypatch.setattr(aio, "_PATIENCE_SECONDS", 0.01)

        async def hang() -> None:
            await aio.sleep(60)

        with pytest.raises(TimeoutError, match=r"(?s)hang.* has not ended .*in hang\b.*in sleep\b"):
            await aio.spawn(hang).join()
        await aio.end_spawned()

    async def test_what_was_spawned_ends_with_a_block_that_fails(self) -> None:
        """
        And goes on after one that does not.
        """
        async with aio.ending():
            handle = aio.spawn(lambda: aio.sleep(60))
        assert not handle.done

        with pytest.raises(LookupError):
            async with aio.ending():
                raise LookupError

        assert handle.done

    async def test_an_interruption_cancels(self) -> None:
        """
        The function's clean-up runs, and the result is Interrupted.
        """
        cleaned = []

        async def wait() -> None:
            try:
                await aio.sleep(60)
            finally:
                cleaned.append(True)

        with pytest.raises(Interrupted):
            await aio.interrupted_after(0.01, wait)
        assert [True] == cleaned

    async def test_what_ends_in_time_is_not_interrupted(self) -> None:
        """
        Results and the function's own time-outs pass.
        """

        async def give() -> int:
            return 5

        async def time_out() -> None:
            raise TimeoutError("my own")

        assert await aio.interrupted_after(5, give) == 5
        with pytest.raises(TimeoutError, match="my own"):
            await aio.interrupted_after(5, time_out)

    async def test_leaks_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A task and a socket are told by what they are.
        """
        monkeypatch.setattr(aio, "GRACE_SECONDS", 0.02)
        before = aio.open_resources()
        handle = aio.spawn(lambda: aio.sleep(0.1))
        with socket.socket(), pytest.raises(AssertionError, match=r"left open: socket at .*; task .*"):
            await aio.settle(before)
        await handle.join()

        await aio.settle(before)

    async def test_the_loops_own_threads_are_no_leak(self) -> None:
        """
        Name resolution uses a thread that ends with the loop.
        """
        before = aio.open_resources()
        await asyncio.get_running_loop().run_in_executor(None, time.time)

        await aio.settle(before)


class TestBlocking:
    def test_gather_runs_at_the_same_time_and_keeps_the_order(self) -> None:
        """
        All three meet at a barrier, so none waits for another's end.
        """
        barrier = threading.Barrier(3, timeout=5)
        order = iter(range(3))

        def meet() -> int:
            mine = next(order)
            barrier.wait()
            return mine

        assert [0, 1, 2] == blocking.gather(meet, meet, meet)

    def test_gather_raises_the_first_error_after_all_have_ended(self) -> None:
        """
        First in time, not first in the list.
        """
        ended = []

        def fail_late() -> None:
            blocking.sleep(0.05)
            ended.append(True)
            raise ValueError

        def fail() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            blocking.gather(fail_late, fail)
        assert [True] == ended

    def test_spawn_returns_the_result_or_raises(self) -> None:
        """
        A handle is joined once.
        """

        def fail() -> None:
            raise LookupError

        assert 5 == blocking.spawn(lambda: 5).join()
        with pytest.raises(LookupError):
            blocking.spawn(fail).join()

    def test_a_join_that_takes_too_long_tells_where_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The last call as well as the first one.
        """
        monkeypatch.setattr(blocking, "_PATIENCE_SECONDS", 0.01)

        def hang() -> None:
            while True:
                blocking.sleep(0.01)

        with pytest.raises(TimeoutError, match=r"(?s)hang.* has not ended .*in hang\b"):
            blocking.spawn(hang).join()
        blocking.end_spawned()

    def test_what_was_spawned_ends_with_a_block_that_fails(self) -> None:
        """
        And goes on after one that does not. It is told again if it swallows that.
        """
        swallowed: list[BaseException] = []

        def go_on() -> None:
            while True:
                try:
                    blocking.sleep(0.01)
                except BaseException as error:
                    if swallowed:
                        raise
                    swallowed.append(error)

        with blocking.ending():
            handle = blocking.spawn(go_on)
        assert not handle.done

        with pytest.raises(LookupError), blocking.ending():
            raise LookupError

        assert handle.done

    def test_an_interruption_strikes_while_waiting(self) -> None:
        """
        The function's clean-up runs, the handler is restored, and the result is Interrupted.
        """
        handler = signal.getsignal(signal.SIGALRM)
        cleaned = []

        def wait() -> None:
            one, other = socket.socketpair()
            with one, other:
                try:
                    one.recv(1)
                finally:
                    time.sleep(0.01)  # not struck again
                    cleaned.append(True)

        with pytest.raises(Interrupted):
            blocking.interrupted_after(0.01, wait)
        assert [True] == cleaned
        assert handler == signal.getsignal(signal.SIGALRM)
        assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)

    def test_what_ends_in_time_is_not_interrupted(self) -> None:
        """
        Results and the function's own errors pass.
        """

        def fail() -> None:
            raise TimeoutError("my own")

        assert 5 == blocking.interrupted_after(5, lambda: 5)
        with pytest.raises(TimeoutError, match="my own"):
            blocking.interrupted_after(5, fail)

    def test_no_result_is_lost_between_the_function_and_the_test(self) -> None:
        """
        Struck at any moment, a call returns its result or is interrupted; nothing is taken and forgotten by the helper.
        """
        taken = 0
        returned = interrupted = 0

        def take() -> int:
            nonlocal taken
            taken += 1
            return taken

        def wait_and_take() -> int:
            total = 0
            for number in range(200):
                total += number
            return take()

        for attempt in range(400):
            before = taken
            try:
                blocking.interrupted_after(1e-6 * (attempt % 40), wait_and_take)
            except Interrupted:
                interrupted += 1
            else:
                returned += 1
                assert before + 1 == taken
        assert 400 == returned + interrupted

    def test_a_swallowed_interruption_is_an_error(self) -> None:
        """
        Code that eats a Ctrl-C is wrong.
        """

        def swallow() -> None:
            with contextlib.suppress(BaseException):
                time.sleep(5)

        with pytest.raises(AssertionError, match="swallowed"):
            blocking.interrupted_after(0.01, swallow)

    def test_leaks_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A thread and a socket are told by what they are.
        """
        monkeypatch.setattr("tests.support.resources.GRACE_SECONDS", 0.02)
        before = blocking.open_resources()
        handle = blocking.spawn(lambda: time.sleep(0.1))
        with socket.socket(), pytest.raises(AssertionError, match=r"left open: socket at .*; thread 'spawned .*"):
            blocking.settle(before)
        handle.join()

        blocking.settle(before)
