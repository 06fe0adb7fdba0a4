"""
The benchmark's own figures: medians, ratios within a repetition, sizes, and the command line.
"""

from __future__ import annotations

from typing import Any

import pytest
from bench_streams import arguments, schedule, table, targets
from bench_streams.clients import CLIENTS, floor_of
from bench_streams.results import Ratio, Results
from bench_streams.workloads import WORKLOADS


def record(workload: str, client: str, repetition: int, value: float) -> dict[str, Any]:
    """
    What one process measured.
    """
    return {"workload": workload, "client": client, "repetition": repetition, "value": value}


def test_ratio_is_taken_within_a_repetition() -> None:
    """
    A slow moment that hits both clients changes nothing.
    """
    results = Results(
        record("W4.ping.t1", client, repetition, value)
        for client, values in {"coredis-async": (20, 4, 30), "redis-async": (10, 2, 10)}.items()
        for repetition, value in enumerate(values)
    )

    assert Ratio("redis-async", 2.0, 2.0, 3.0) == results.ratio(WORKLOADS["W4.ping.t1"], "coredis-async", "redis-async")


def test_less_is_better_for_latency() -> None:
    """
    The best peer has the smallest figure, and half of it is twice as good.
    """
    results = Results(
        record("W5.latency", client, 0, value)
        for client, value in {"coredis-sync": 20.0, "redis-sync": 40.0, "valkey-sync": 60.0}.items()
    )

    assert Ratio("redis-sync", 2.0, 2.0, 2.0) == results.against_best(WORKLOADS["W5.latency"], CLIENTS["coredis-sync"])


def test_consumer_is_compared_with_the_best_read_loop() -> None:
    """
    No blocking peer has a consumer, so its rival is the row of the command.
    """
    results = Results(
        [record("W1.consumer.c100", "coredis-sync", 0, 30.0), record("W1.read.c100", "valkey-sync", 0, 20.0)]
    )

    assert Ratio("valkey-sync", 1.5, 1.5, 1.5) == results.against_best(
        WORKLOADS["W1.consumer.c100"], CLIENTS["coredis-sync"]
    )


def test_table_has_a_row_for_each_workload_measured() -> None:
    """
    In Markdown, with the ratio last.
    """
    results = Results(
        [record("W4.ping.t1", "coredis-sync", 0, 30_000.0), record("W4.ping.t1", "redis-sync", 0, 20_000.0)]
    )

    assert "| W4.ping.t1 (/s) | 30.0k | 20.0k | **1.50** redis-sync |" in table.tables(results).splitlines()


@pytest.mark.parametrize("name", WORKLOADS)
def test_sizes_come_out_even(name: str) -> None:
    """
    Whatever the scale, a pass is made of whole pipelines, batches and turns of tasks.
    """
    workload = WORKLOADS[name]
    for scale in (0.01, 0.1, 1.0, 7.7):
        size = schedule.scaled(workload, scale)
        for part in ("count", "length", "tasks"):
            if part in workload.arguments and workload.size > 1000:
                assert 0 == size % workload.arguments[part]


def test_every_workload_has_a_client_of_each_flavour() -> None:
    """
    The names in the table of workloads are those of the drivers.
    """
    for workload in WORKLOADS.values():
        assert any(schedule.takes_part(client, workload) for client in CLIENTS.values() if client.kind == "ours")


def test_clients_and_workloads_are_chosen_by_patterns() -> None:
    """
    In the order of the tables, whatever the order of the patterns.
    """
    options = arguments.parse(["--clients", "redis-sync,coredis-s*", "--workloads", "W4.ping.t1"])

    assert (("coredis-sync", "redis-sync"), ("W4.ping.t1",)) == (options.clients, options.workloads)


def test_unknown_client(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Says what there is to choose from.
    """
    with pytest.raises(SystemExit):
        arguments.parse(["--clients", "jedis"])

    assert "nothing is called 'jedis': choose from coredis-async" in capsys.readouterr().err


def test_targets_stand_beside_what_was_reached() -> None:
    """
    A ratio to the best peer, one to another workload, and an absolute figure that is to be small.
    """
    results = Results(
        [
            record("W4.ping.t1", "coredis-sync", 0, 30_000.0),
            record("W4.ping.t1", "redis-sync", 0, 20_000.0),
            record("W1.read.c1000", "coredis-sync", 0, 1000.0),
            record("W1.decoded.c1000", "coredis-sync", 0, 600.0),
            record("W7.connection", "coredis-async", 0, 7.0),
        ]
    )

    lines = targets.table(results).splitlines()
    assert "| W4.ping.t1 | coredis-sync | redis-sync | 1.15 | 1.35 | **1.50** | aim |  |" in lines
    assert (
        "| W1.decoded.c1000 | coredis-sync | coredis-sync, W1.read.c1000 | 0.71 |  | **0.60** | **missed** |  |"
        in lines
    )
    assert "| W7.connection | coredis-async | KiB | 15 | 5 | **7.0** | must |  |" in lines


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((40_000.0, 41_000.0, 42_000.0), "2.05 (2.00 to 2.10)"),
        ((24_000.0, 25_000.0, 26_000.0), "1.25 (1.20 to 1.30) **< aim**"),
        ((21_000.0, 22_000.0, 27_500.0), "1.10 (1.05 to 1.38)"),
        ((21_000.0, 22_000.0, 22_600.0), "1.10 (1.05 to 1.13) **< must**"),
    ],
    ids=str,
)
def test_targets_tell_what_the_floor_does_not_reach(values: tuple[float, ...], shown: str) -> None:
    """
    Against the same rival, and only where its best repetition does not reach it either.
    """
    results = Results(
        record("W4.ping.t1", client, repetition, value)
        for client, figures in {
            "coredis-sync": (30_000.0,) * 3,
            "redis-sync": (20_000.0,) * 3,
            "floor-sync": values,
        }.items()
        for repetition, value in enumerate(figures)
    )

    assert f"| W4.ping.t1 | coredis-sync | redis-sync | 1.15 | 1.35 | **1.50** | aim | {shown} |" in targets.table(
        results
    )


@pytest.mark.parametrize(("least", "shown"), [(3.0, "3.0"), (7.0, "7.0 **> aim**"), (16.0, "16.0 **> must**")])
def test_targets_of_cost_that_the_floor_does_not_reach(least: float, shown: str) -> None:
    """
    Where less is better the floor lies above.
    """
    results = Results(
        [record("W7.connection", "coredis-async", 0, 10.0), record("W7.connection", "floor-async", 0, least)]
    )

    assert f"| W7.connection | coredis-async | KiB | 15 | 5 | **10.0** | must | {shown} |" in targets.table(results)


def test_tables_compare_with_the_floor() -> None:
    """
    In throughput and in processor time, each client with the floor of its kind; the floor is nobody's best peer.
    """
    figures = {"coredis-sync": (30_000.0, 30.0), "redis-sync": (20_000.0, 40.0), "floor-sync": (40_000.0, 20.0)}
    results = Results(record("W4.ping.t1", client, 0, value) | {"cpu": cpu} for client, (value, cpu) in figures.items())

    lines = table.tables(results).splitlines()
    assert "| W4.ping.t1 (/s) | 30.0k | 20.0k | 40.0k | **1.50** redis-sync | **0.75** |" in lines
    assert "| W4.ping.t1 | 30.00 | 40.00 | 20.00 | **0.75** | **1.50** |" in lines


def test_nothing_measured_has_no_targets() -> None:
    """
    Not even a heading.
    """
    assert not targets.table(Results([]))


@pytest.mark.parametrize("target", targets.TARGETS, ids=str)
def test_targets_are_of_workloads_there_are(target: targets.Target) -> None:
    """
    And of clients that take part in them, with the floor below.
    """
    assert schedule.takes_part(CLIENTS[target.client], WORKLOADS[target.workload])
    assert schedule.takes_part(CLIENTS[floor_of(CLIENTS[target.client])], WORKLOADS[target.workload])
    assert target.row is None or target.row in WORKLOADS
    assert target.against in {*CLIENTS, targets.PEER, targets.LIMIT, targets.ITSELF}
