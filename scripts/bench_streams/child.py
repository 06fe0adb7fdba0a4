"""
One measurement in a process of its own: one client, one workload, some passes, one line of JSON.

Run by ``schedule`` with the interpreter of the client's environment; only the driver imports a client. The best pass
counts: whatever disturbs a pass makes it slower, nothing makes it faster.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import inspect
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench_streams.clients import BASE, CLIENTS, Client
from bench_streams.resp import Wire
from bench_streams.workloads import WORKLOADS, Workload

#: Latencies measured before these are left out: the first messages find cold caches.
WARM_UP = 20


def main() -> None:
    """
    Measure, and print the result.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("workload")
    parser.add_argument("port", type=int)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--processor", type=int)
    options = parser.parse_args()
    if options.processor is not None:
        os.sched_setaffinity(0, {options.processor})
    client = {**CLIENTS, **{base.name: base for base in BASE}}[options.client]
    workload = WORKLOADS[options.workload]
    if workload.method == "start":
        result = _importing(client)
    else:
        result = Measurement(client, workload, options.port, options.size, options.passes).run()
    print(json.dumps(result))


class Measurement:
    """
    The passes of one client at one workload.
    """

    def __init__(self, client: Client, workload: Workload, port: int, size: int, passes: int) -> None:
        module: Any = importlib.import_module(f"bench_streams.drivers.{client.driver}")
        self._client = client
        self._workload = workload
        self._wire = Wire(port)
        self._port = port
        self._size = size
        self._passes = passes
        self._key = f"bench:{os.getpid()}"  # what this process writes
        self._driver = module.Driver(client.package, port)

    def run(self) -> dict[str, Any]:
        """
        Run the passes.

        Returns:
            ``value`` of the best pass in the workload's unit, all ``passes``, and ``cpu`` or ``p99``, in microseconds
        """
        if self._client.flavour == "async":
            with asyncio.Runner(loop_factory=_loop_factory(self._client)) as runner:
                passes = runner.run(self._run())
        else:
            # The same steps, none of which waits.
            passes = _finish(self._run())
        self._wire("DEL", self._key)
        if self._workload.less_is_better:
            return min(passes, key=lambda one: float(one["value"])) | {"passes": [one["value"] for one in passes]}
        return max(passes, key=lambda one: float(one["value"])) | {"passes": [one["value"] for one in passes]}

    async def _run(self) -> list[dict[str, float]]:
        arguments = dict(self._workload.arguments)
        method: Callable[..., Any] = getattr(self._driver, self._workload.method)
        takes = inspect.signature(method).parameters
        arguments |= {"key": self._key} if "key" in takes and "key" not in arguments else {}
        if self._workload.group:
            arguments["group"] = self._key
        await _done(self._driver.open())
        if hasattr(self._driver, f"prepare_{self._workload.method}"):
            getattr(self._driver, f"prepare_{self._workload.method}")(self._size, **arguments)
        passes = []
        for _ in range(self._passes):
            self._prepare(arguments)
            if self._workload.unit == "us":
                passes.append(await self._latency(method, arguments))
            elif self._workload.unit == "KiB":
                passes.append(await self._memory(method, arguments))
                break  # what is there already would not be counted again
            else:
                passes.append(await self._throughput(method, arguments))
        if self._workload.group:
            self._wire("XGROUP", "DESTROY", arguments["key"], self._key)
        await _done(self._driver.close())
        return passes

    def _prepare(self, arguments: dict[str, Any]) -> None:
        self._wire("DEL", self._key)
        if self._workload.group:
            try:
                self._wire("XGROUP", "DESTROY", arguments["key"], self._key)
            except RuntimeError:
                pass  # there is no such stream yet
            self._wire("XGROUP", "CREATE", arguments["key"], self._key, "0", "MKSTREAM")
        gc.collect()

    async def _throughput(self, method: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, float]:
        processor, begin = time.process_time(), time.perf_counter()
        done = await _done(method(self._size, **arguments))
        seconds, busy = time.perf_counter() - begin, time.process_time() - processor
        if done != self._size:
            raise AssertionError(f"{self._client.name} {self._workload.name}: did {done} of {self._size}")
        return {"value": done / seconds, "cpu": busy / done * 1e6}

    async def _latency(self, method: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, float]:
        producer = subprocess.Popen(
            [sys.executable, "-m", "bench_streams.producer", str(self._port), self._key, str(self._size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with producer:
            assert producer.stdin is not None and producer.stdout is not None
            producer.stdout.readline()  # it is ready
            producer.stdin.write(b"\n")
            producer.stdin.flush()
            samples = sorted((await _done(method(self._size, **arguments)))[WARM_UP:])
        return {"value": statistics.median(samples), "p99": samples[len(samples) * 99 // 100]}

    async def _memory(self, method: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, float]:
        before = _resident()
        done = await _done(method(self._size, **arguments))
        gc.collect()
        return {"value": (_resident() - before) / done / 1024}


def _importing(client: Client) -> dict[str, float]:
    name = f"{client.package}.asyncio" if client.driver == "redis_async" else client.package
    before, begin = _resident(), time.perf_counter()
    module = importlib.import_module(name)
    if client.kind == "ours" or client.driver.startswith("redis"):  # the others connect at once, or need an event loop
        made = getattr(module, "Valkey" if client.package == "valkey" else "Redis")()
        assert made is not None
    return {"value": (time.perf_counter() - begin) * 1000, "memory": (_resident() - before) / 1024}


def _resident() -> int:
    """
    Bytes of memory this process occupies.
    """
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _loop_factory(client: Client) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if not client.uvloop:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


async def _done(result: object) -> Any:
    return await result if isinstance(result, Awaitable) else result


def _finish(steps: Any) -> Any:
    try:
        steps.send(None)
    except StopIteration as finished:
        return finished.value
    raise AssertionError("a blocking driver waited")


if __name__ == "__main__":
    main()
