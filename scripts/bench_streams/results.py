"""
From measurements to figures: medians, spreads, and ratios taken within one repetition.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bench_streams.clients import BASE, CLIENTS, COREDIS6, Client
from bench_streams.workloads import WORKLOADS, Workload


class Ratio(NamedTuple):
    """
    How many times as good as another: above 1 is better, whatever the unit.

    Attributes:
        to: the other client
        median: over the repetitions
        least: the worst repetition
        most: the best
    """

    to: str
    median: float
    least: float
    most: float


class Results:
    """
    Everything that was measured.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._records: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = defaultdict(dict)
        for record in records:
            self._records[record["workload"], record["client"]][record["repetition"]] = record
        known = {**CLIENTS, **{client.name: client for client in BASE}}
        names = {client for _, client in self._records}
        #: The clients, in the order of the tables.
        self.clients: list[Client] = [client for name, client in known.items() if name in names]
        #: The workloads, in the order of the tables.
        self.workloads: list[Workload] = [
            workload
            for name, workload in WORKLOADS.items()
            if any((name, client.name) in self._records for client in self.clients)
        ]

    def median(self, workload: str, client: str, figure: str = "value") -> float | None:
        """
        The middle of the repetitions; None: not measured.
        """
        values = [record[figure] for record in self._records.get((workload, client), {}).values() if figure in record]
        return statistics.median(values) if values else None

    def spread(self, workload: str, client: str) -> float | None:
        """
        How far the repetitions lie apart, as a part of their median; None: not measured.
        """
        values = [record["value"] for record in self._records.get((workload, client), {}).values()]
        return (max(values) - min(values)) / statistics.median(values) if values else None

    def best(self, workload: Workload, kinds: Iterable[str], flavour: str) -> str | None:
        """
        The client with the best median at a workload; None: nobody took part.
        """
        medians = {
            client.name: value
            for client in self.clients
            if client.kind in kinds and client.flavour == flavour and client not in BASE
            if (value := self.median(workload.name, client.name)) is not None
        }
        if not medians:
            return None
        return (min if workload.less_is_better else max)(medians, key=lambda name: medians[name])

    def ratio(self, workload: Workload, client: str, to: str, row: str | None = None) -> Ratio | None:
        """
        Compare two clients repetition by repetition; None: one of them did not take part.

        Args:
            workload: of the first client
            client: the first
            to: the other
            row: the other's workload, where that is another one
        """
        ours = self._records.get((workload.name, client), {})
        theirs = self._records.get((row or workload.name, to), {})
        ratios = [ours[number]["value"] / theirs[number]["value"] for number in ours.keys() & theirs.keys()]
        if workload.less_is_better:
            ratios = [1 / ratio for ratio in ratios]
        if not ratios:
            return None
        return Ratio(to, statistics.median(ratios), min(ratios), max(ratios))

    def against_best(self, workload: Workload, client: Client) -> Ratio | None:
        """
        Compare with the best peer of the same flavour. Consumers have a row of their own: where no peer has the same,
        its rival's row counts; coredis 6 is the peer of the asynchronous ones.
        """
        row = workload
        if workload.rival is not None and (
            client.flavour == "blocking" or self.median(workload.name, COREDIS6) is None
        ):
            row = WORKLOADS[workload.rival]
        best = self.best(row, ("peer",), client.flavour)
        return None if best is None else self.ratio(workload, client.name, best, row.name)
