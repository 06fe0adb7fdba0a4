"""
Show results as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench_streams.clients import BASE, Client, floor_of
from bench_streams.results import Ratio, Results
from bench_streams.workloads import Workload


def tables(results: Results) -> str:
    """
    Two tables for each flavour: rows are workloads, columns are clients, and last how ours compares. The second one has the
    processor time of the client's process, which others on the machine disturb less.
    """
    parts = []
    for flavour in ("async", "blocking"):
        clients = [client for client in results.clients if client.flavour == flavour]
        if clients:
            parts += [f"### {flavour.capitalize()}", "\n".join(_table(results, clients))]
            parts += [f"### {flavour.capitalize()}: processor time of the client", "\n".join(_costs(results, clients))]
    return "\n\n".join(parts) + "\n"


def _table(results: Results, clients: list[Client]) -> Iterator[str]:
    ours = [client for client in clients if client.kind == "ours"]
    bases = [client for client in clients if client in BASE]
    heads = [client.name for client in clients] + [f"{client.name} ÷ best peer" for client in ours]
    floors = _floors(ours, clients)
    heads += [f"{client.name} ÷ floor" for client in floors]
    heads += [f"{client.name} ÷ base" for client in ours[:1] if bases]
    yield "| workload | " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * len(heads)
    for workload in results.workloads:
        cells = [_figure(results, workload, client) for client in clients]
        if not any(cells):
            continue
        cells += [_ratio(results.against_best(workload, client)) for client in ours]
        cells += [_ratio(results.ratio(workload, client.name, floor), named=False) for client, floor in floors.items()]
        cells += [_ratio(results.ratio(workload, ours[0].name, base.name)) for base in bases[:1] if ours]
        yield f"| {workload.name} ({workload.unit}) | " + " | ".join(cells) + " |"


def _costs(results: Results, clients: list[Client]) -> Iterator[str]:
    clients = [client for client in clients if client.kind != "limit"]
    ours = [client for client in clients if client.kind == "ours"]
    floors = _floors(ours, clients)
    heads = [client.name for client in clients] + [f"{client.name} ÷ cheapest peer" for client in ours]
    heads += [f"{client.name} ÷ floor" for client in floors]
    yield "| workload, µs per operation | " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * len(heads)
    for workload in results.workloads:
        costs = {client.name: results.median(workload.name, client.name, "cpu") for client in clients}
        if not any(costs.values()):
            continue
        cheapest = min(
            (cost for client in clients if client.kind == "peer" and (cost := costs[client.name])), default=None
        )
        cells = ["" if cost is None else f"{cost:.2f}" for cost in costs.values()]
        for client in ours:
            cost = costs[client.name]
            cells.append("" if cost is None or cheapest is None else f"**{cost / cheapest:.2f}**")
        for client, floor in floors.items():
            cost, least = costs[client.name], costs[floor]
            cells.append("" if cost is None or least is None else f"**{cost / least:.2f}**")
        yield f"| {workload.name} | " + " | ".join(cells) + " |"


def _floors(ours: list[Client], clients: list[Client]) -> dict[Client, str]:
    """
    Name the floor below each of ours, where it was measured as well.
    """
    names = {client.name for client in clients}
    return {client: floor for client in ours if (floor := floor_of(client)) in names}


def _figure(results: Results, workload: Workload, client: Client) -> str:
    value, spread = results.median(workload.name, client.name), results.spread(workload.name, client.name)
    if value is None or spread is None:
        return ""
    tail = results.median(workload.name, client.name, "p99")
    figure = human(value) if tail is None else f"{human(value)}, p99 {human(tail)}"
    return f"{figure} ±{spread / 2:.0%}" if spread else figure


def _ratio(ratio: Ratio | None, named: bool = True) -> str:
    if ratio is None:
        return ""
    bounds = "" if ratio.least == ratio.most else f" ({ratio.least:.2f} to {ratio.most:.2f})"
    return f"**{ratio.median:.2f}**{bounds} {ratio.to}" if named else f"**{ratio.median:.2f}**{bounds}"


def human(value: float) -> str:
    """
    Shorten a number to three digits.
    """
    if value >= 999_500:
        return f"{value / 1e6:.2f}M"
    if value >= 99_950:
        return f"{value / 1e3:.0f}k"
    if value >= 9_995:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
