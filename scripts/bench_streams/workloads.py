"""
What is measured: each workload is a method of the drivers and its arguments.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

#: The seeded streams, see ``seeding``: entries of three fields, about 121 bytes each on the wire.
ENTRIES: Final = "bench:entries"
BIG: Final = "bench:big"
WIDE: Final = tuple(f"bench:wide:{number}" for number in range(100))
ENTRIES_LENGTH: Final = 100_000
BIG_LENGTH: Final = 300
BIG_BYTES: Final = 100_000


class Workload(NamedTuple):
    """
    One row of the tables.

    Attributes:
        name: of the row
        text: what it is
        method: of the driver; a driver without it takes no part
        size: operations in one pass
        arguments: of the method, after the size
        group: a consumer group of this process's own is made at the beginning of the stream before each pass
        alone: one operation at a time, so client and server are pinned to one processor
        unit: of the value; in ``us`` and ``KiB`` and ``ms`` less is better
        rival: compare with the best of these rows instead of this one
    """

    name: str
    text: str
    method: str
    size: int
    arguments: dict[str, Any] = {}
    group: bool = False
    alone: bool = False
    unit: str = "/s"
    rival: str | None = None

    @property
    def less_is_better(self) -> bool:
        """
        Whether the value is a cost.
        """
        return self.unit != "/s"


_ONE: Final = {"key": ENTRIES}

WORKLOADS: Final = {
    workload.name: workload
    for workload in (
        Workload("W1.read.c100", "XREAD COUNT 100", "read", 100_000, _ONE | {"count": 100}),
        Workload("W1.read.c1000", "XREAD COUNT 1000", "read", 100_000, _ONE | {"count": 1000}),
        Workload("W1.decoded.c1000", "XREAD COUNT 1000, as str", "read_decoded", 100_000, _ONE | {"count": 1000}),
        Workload(
            "W1.consumer.c100",
            "Consumer, buffer 99",
            "consume",
            100_000,
            {"keys": (ENTRIES,), "buffer": 99},
            rival="W1.read.c100",
        ),
        Workload(
            "W1.consumer.c1000",
            "Consumer, buffer 999",
            "consume",
            100_000,
            {"keys": (ENTRIES,), "buffer": 999},
            rival="W1.read.c1000",
        ),
        Workload(
            "W2.noack.c100",
            "XREADGROUP NOACK",
            "read_group",
            100_000,
            _ONE | {"count": 100, "acknowledge": "none"},
            group=True,
        ),
        Workload(
            "W2.batch.c100",
            "XREADGROUP, one XACK a batch",
            "read_group",
            50_000,
            _ONE | {"count": 100, "acknowledge": "batch"},
            group=True,
        ),
        Workload(
            "W2.batch.c1000",
            "the same, COUNT 1000",
            "read_group",
            50_000,
            _ONE | {"count": 1000, "acknowledge": "batch"},
            group=True,
        ),
        Workload(
            "W2.pipe.c100",
            "XREADGROUP, single XACKs pipelined",
            "read_group",
            20_000,
            _ONE | {"count": 100, "acknowledge": "pipe"},
            group=True,
        ),
        Workload(
            "W2.each.c100",
            "XREADGROUP, each XACK awaited",
            "read_group",
            4_000,
            _ONE | {"count": 100, "acknowledge": "each"},
            group=True,
            alone=True,
        ),
        Workload(
            "W2.consumer.noack.c100",
            "GroupConsumer, NOACK",
            "consume_group",
            100_000,
            _ONE | {"buffer": 99, "acknowledge": "none"},
            group=True,
            rival="W2.noack.c100",
        ),
        Workload(
            "W2.consumer.batch.c100",
            "GroupConsumer, one XACK per 100",
            "consume_group",
            50_000,
            _ONE | {"buffer": 99, "acknowledge": "batch"},
            group=True,
            rival="W2.batch.c100",
        ),
        Workload(
            "W2.consumer.each.c100",
            "GroupConsumer, each entry acknowledged",
            "consume_group",
            4_000,
            _ONE | {"buffer": 99, "acknowledge": "each"},
            group=True,
            alone=True,
            rival="W2.each.c100",
        ),
        Workload(
            "W2.consumer.single.c100",
            "GroupConsumer, each entry acknowledged, coalesced",
            "consume_coalesced",
            20_000,
            _ONE | {"buffer": 99},
            group=True,
            rival="W2.pipe.c100",
        ),
        Workload("W3.xadd.one", "XADD one by one", "add", 5_000, alone=True),
        Workload("W3.xadd.pipe100", "XADD, pipelines of 100", "add_pipelined", 30_000, {"length": 100}),
        Workload("W3.xadd.pipe1000", "XADD, pipelines of 1000", "add_pipelined", 30_000, {"length": 1000}),
        Workload("W3.xadd.many", "xadd_many of 30,000 entries", "add_many", 30_000, rival="W3.xadd.pipe1000"),
        Workload("W3.xadd.tasks100", "XADD from 100 tasks", "add_tasks", 20_000, {"tasks": 100}),
        Workload("W4.ping.t1", "PING", "ping", 8_000, alone=True),
        Workload("W4.ping.t10", "PING from 10 tasks", "ping_tasks", 20_000, {"tasks": 10}),
        Workload("W4.ping.t100", "PING from 100 tasks", "ping_tasks", 30_000, {"tasks": 100}),
        Workload("W4.ping.t1000", "PING from 1000 tasks", "ping_tasks", 30_000, {"tasks": 1000}),
        Workload("W5.latency", "XADD to blocked XREADGROUP, p50", "receive", 400, group=True, alone=True, unit="us"),
        Workload(
            "W5.consumer",
            "XADD to waiting GroupConsumer, p50",
            "receive_consuming",
            400,
            group=True,
            alone=True,
            unit="us",
            rival="W5.latency",
        ),
        Workload("W6.read.c10", "XREAD of 100 streams, COUNT 10", "read_wide", 50_000, {"keys": WIDE, "count": 10}),
        Workload(
            "W6.consumer.c10",
            "Consumer of 100 streams, buffer 9",
            "consume",
            50_000,
            {"keys": WIDE, "buffer": 9},
            rival="W6.read.c10",
        ),
        Workload("W7.import", "import", "start", 1, unit="ms"),
        Workload("W7.connection", "memory of an idle connection", "connect", 200, unit="KiB"),
        Workload("W8.read.big", "XREAD of 100 kB values, COUNT 10", "read", BIG_LENGTH, {"key": BIG, "count": 10}),
        Workload("W8.xadd.big", "XADD of 100 kB values", "add_big", 500, {"value_bytes": BIG_BYTES}),
    )
}
