"""
Draw results: throughput of consumers and latency, as PNG. Needs matplotlib, which the environment of the peers has.

Run by ``__main__`` with that environment's interpreter: ``plots.py RESULTS.json FOLDER``.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from bench_streams.clients import Client
from bench_streams.results import Results
from bench_streams.table import human
from bench_streams.workloads import WORKLOADS

COLOURS = {"ours": "#c0392b", "peer": "#7f8c8d", "floor": "#b2babb", "limit": "#d5d8dc"}

#: Of each picture: its file, its title, and its rows.
PICTURES = (
    (
        "consumers.png",
        "Entries per second (more is better)",
        ("W1.read.c100", "W1.consumer.c100", "W2.batch.c100", "W2.consumer.batch.c100", "W6.consumer.c10"),
    ),
    (
        "producers.png",
        "Entries added per second (more is better)",
        ("W3.xadd.one", "W3.xadd.pipe1000", "W3.xadd.many", "W3.xadd.tasks100"),
    ),
    ("latency.png", "Microseconds from XADD to the consumer, median (less is better)", ("W5.latency", "W5.consumer")),
)


def main() -> None:
    """
    Draw every picture that has anything to show.
    """
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    results = Results(json.loads(Path(sys.argv[1]).read_text())["records"])
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for file, title, rows in PICTURES:
        shown = [row for row in rows if any(results.median(row, client.name) for client in results.clients)]
        if shown:
            _draw(pyplot, results, folder / file, title, shown)
            print(folder / file, file=sys.stderr)


def _draw(pyplot: Any, results: Results, file: Path, title: str, rows: list[str]) -> None:
    bars: list[tuple[str, Client, float]] = [
        (row, client, value)
        for row in rows
        for client in results.clients
        if (value := results.median(row, client.name)) is not None
    ]
    figure, axes = pyplot.subplots(
        len(rows),
        1,
        figsize=(9, 0.24 * len(bars) + 0.55 * len(rows) + 0.6),
        squeeze=False,
        gridspec_kw={"height_ratios": [max(1, sum(row == of for of, _, _ in bars)) for row in rows]},
    )
    for axis, row in zip(axes[:, 0], rows, strict=True):
        here = [(client, value) for of, client, value in bars if of == row]
        here.sort(key=lambda bar: bar[1], reverse=WORKLOADS[row].less_is_better)
        axis.barh(
            [client.name for client, _ in here],
            [value for _, value in here],
            color=[COLOURS[client.kind] for client, _ in here],
        )
        for place, (_, value) in enumerate(here):
            axis.text(value, place, f" {human(value)}", va="center", fontsize=8)
        axis.set_title(f"{row}: {WORKLOADS[row].text}", loc="left", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.set_xticks([])
        axis.margins(x=0.1)
        for side in ("top", "right", "bottom"):
            axis.spines[side].set_visible(False)
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
