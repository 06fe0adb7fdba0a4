"""
What the figures were measured on: the machine and the versions, without names and paths.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from bench_streams import environments
from bench_streams.server import Server


def describe(server: Server) -> dict[str, str]:
    """
    Describe machine, server and clients, as texts by subject.
    """
    peers, coredis6 = environments.versions("peers"), environments.versions("coredis6")
    names = ("hiredis", "redis", "valkey", "libvalkey", "valkey-glide", "valkey-glide-sync", "uvloop")
    version = ".".join(map(str, server.program.version))
    return {
        "processor": f"{_processor()}, {len(server.processors) or os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}, {platform.python_implementation()} "
        f"{platform.python_version()}",
        "server": f"{server.program.product.capitalize()} {version} on the loopback, TCP, no TLS, no persistence",
        "clients": ", ".join([f"{name} {peers[name]}" for name in names] + [f"coredis {coredis6['coredis']}"]),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
