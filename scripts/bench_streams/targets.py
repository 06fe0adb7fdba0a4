"""
The ratios this client is to reach, beside those it has reached: how many times as good as another, in the same run.

*Must* is what a release needs, *aim* what the limits of the machine allow. Beside them stands what the floor reaches against
the same rival: where that is less, the target lies beyond what pure Python can do on the machine at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bench_streams.clients import CLIENTS, COREDIS6, OURS_ASYNC, OURS_BLOCKING, floor_of
from bench_streams.results import Ratio, Results
from bench_streams.workloads import WORKLOADS

PEER: Final = "best peer"
LIMIT: Final = "limit"
ITSELF: Final = "itself"  # an absolute value, which is to be no more than that
OURS_UVLOOP: Final = f"{OURS_ASYNC}-uv"


class Target(NamedTuple):
    """
    One row.

    Attributes:
        workload: of ours
        client: of ours
        against: a client, the best peer of the same flavour, or the limit of the machine
        must: ratio
        aim: ratio
        row: the others' workload, where that is another one
    """

    workload: str
    client: str
    against: str
    must: float | None
    aim: float | None
    row: str | None = None


TARGETS: Final = (
    Target("W1.consumer.c100", OURS_ASYNC, COREDIS6, 5, 6),
    Target("W1.consumer.c1000", OURS_ASYNC, COREDIS6, 5, 6),
    Target("W1.consumer.c100", OURS_BLOCKING, PEER, 1.25, 1.45, "W1.read.c100"),
    Target("W1.consumer.c1000", OURS_BLOCKING, PEER, 1.3, 1.6, "W1.read.c1000"),
    Target("W2.consumer.batch.c100", OURS_ASYNC, COREDIS6, 2.7, 3.5),
    Target("W1.read.c100", OURS_ASYNC, PEER, 1.3, 1.5),
    Target("W1.read.c1000", OURS_ASYNC, PEER, 1.1, 1.25),
    Target("W1.read.c100", OURS_BLOCKING, PEER, 1.05, 1.2),
    Target("W1.read.c1000", OURS_BLOCKING, PEER, 1.1, 1.25),
    Target("W2.consumer.single.c100", OURS_BLOCKING, PEER, 1.4, 1.7, "W2.pipe.c100"),
    Target("W2.consumer.single.c100", OURS_ASYNC, PEER, 2.2, 2.6, "W2.pipe.c100"),
    Target("W3.xadd.one", OURS_BLOCKING, PEER, 1.15, 1.3),
    Target("W3.xadd.one", OURS_ASYNC, PEER, 1.6, 2.1),
    Target("W3.xadd.pipe100", OURS_BLOCKING, PEER, 1.4, 3),
    Target("W3.xadd.pipe1000", OURS_BLOCKING, PEER, 1.4, 3),
    Target("W3.xadd.many", OURS_BLOCKING, PEER, 1.4, 3, "W3.xadd.pipe1000"),
    Target("W3.xadd.pipe100", OURS_ASYNC, PEER, 3, 6),
    Target("W3.xadd.pipe1000", OURS_ASYNC, PEER, 3, 6),
    Target("W3.xadd.many", OURS_ASYNC, PEER, 3, 6, "W3.xadd.pipe1000"),
    Target("W3.xadd.tasks100", OURS_ASYNC, PEER, 4.5, 5.5),
    Target("W3.xadd.tasks100", OURS_UVLOOP, PEER, None, 7),
    Target("W4.ping.t1", OURS_BLOCKING, PEER, 1.15, 1.35),
    Target("W4.ping.t1", OURS_BLOCKING, LIMIT, None, 0.93),
    Target("W4.ping.t1", OURS_ASYNC, PEER, 1.5, 2),
    Target("W4.ping.t1", OURS_ASYNC, LIMIT, None, 0.97),
    Target("W4.ping.t10", OURS_ASYNC, PEER, 3, 3.8),
    Target("W4.ping.t100", OURS_ASYNC, PEER, 6, 7.5),
    Target("W4.ping.t1000", OURS_ASYNC, PEER, 8, 10),
    Target("W5.latency", OURS_BLOCKING, PEER, 1.15, 1.3),
    Target("W5.latency", OURS_UVLOOP, PEER, 1.7, 2.1),
    Target("W6.consumer.c10", OURS_ASYNC, COREDIS6, 13, 16),
    Target("W8.read.big", OURS_BLOCKING, PEER, 1.0, 1.1),
    Target("W8.xadd.big", OURS_BLOCKING, PEER, 1.1, 1.2),
    Target("W8.read.big", OURS_ASYNC, PEER, 1.3, 1.55),
    Target("W8.xadd.big", OURS_ASYNC, PEER, 1.2, 1.4),
    # A time of 0.75 times the peer's is a ratio of 1.33 here, where more is better.
    Target("W7.import", OURS_ASYNC, PEER, 1 / 0.75, 1 / 0.55),
    Target("W7.import", OURS_BLOCKING, PEER, 1 / 0.75, 1 / 0.55),
    Target("W7.connection", OURS_ASYNC, ITSELF, 15, 5),
    Target("W7.connection", OURS_BLOCKING, ITSELF, 15, 5),
    # At most 1.4 times the time of reading bytes.
    Target("W1.decoded.c1000", OURS_ASYNC, OURS_ASYNC, 1 / 1.4, None, "W1.read.c1000"),
    Target("W1.decoded.c1000", OURS_BLOCKING, OURS_BLOCKING, 1 / 1.4, None, "W1.read.c1000"),
)


def table(results: Results) -> str:
    """
    The targets of what was measured, as Markdown; empty when none was.
    """
    lines = list(_lines(results))
    if not lines:
        return ""
    head = [
        "### Targets",
        "",
        "| workload | client | against | must | aim | reached | | floor |",
        "|---|---|---|---:|---:|---:|---|---|",
    ]
    return "\n" + "\n".join(head + lines) + "\n"


def _lines(results: Results) -> Iterator[str]:
    for target in TARGETS:
        if target.against == ITSELF:
            value = results.median(target.workload, target.client)
            if value is not None:
                unit = WORKLOADS[target.workload].unit
                verdict = _verdict(target, -value, -1)
                least = results.median(target.workload, floor_of(CLIENTS[target.client]))
                floor = "" if least is None else f"{least:.1f}" + _beyond(target, -least, -1)
                yield (
                    f"| {target.workload} | {target.client} | {unit} | {_number(target.must)} | {_number(target.aim)} "
                    f"| **{value:.1f}** | {verdict} | {floor} |"
                )
            continue
        ratio = reached(results, target, target.client)
        if ratio is not None:
            most = reached(results, target, floor_of(CLIENTS[target.client]))
            floor = "" if most is None else f"{most.median:.2f}{_bounds(most)}" + _beyond(target, most.most, 1)
            other = ratio.to if target.row is None else f"{ratio.to}, {target.row}"
            yield (
                f"| {target.workload} | {target.client} | {other} | {_number(target.must)} | {_number(target.aim)} "
                f"| **{ratio.median:.2f}**{_bounds(ratio)} | {_verdict(target, ratio.median, 1)} "
                f"| {floor} |"
            )


def reached(results: Results, target: Target, client: str) -> Ratio | None:
    """
    Compare a client, the target's or the floor below it, with whom the target names; None: not measured.
    """
    workload, other = WORKLOADS[target.workload], target.against
    if other in (PEER, LIMIT):
        kind = "peer" if other == PEER else "limit"
        best = results.best(WORKLOADS[target.row or target.workload], (kind,), CLIENTS[target.client].flavour)
        if best is None:
            return None
        other = best
    return results.ratio(workload, client, other, target.row)


def _verdict(target: Target, value: float, sign: int) -> str:
    if target.aim is not None and value >= sign * target.aim:
        return "aim"
    if target.must is None:
        return ""
    return "must" if value >= sign * target.must else "**missed**"


def _beyond(target: Target, value: float, sign: int) -> str:
    """
    Tell which figure of a target the floor does not reach, not even in its best repetition.
    """
    for name, wanted in (("must", target.must), ("aim", target.aim)):
        if wanted is not None and value < sign * wanted:
            return f" **< {name}**" if sign > 0 else f" **> {name}**"
    return ""


def _bounds(ratio: Ratio) -> str:
    return "" if ratio.least == ratio.most else f" ({ratio.least:.2f} to {ratio.most:.2f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
