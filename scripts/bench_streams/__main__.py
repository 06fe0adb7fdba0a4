"""
The benchmark from start to end. See ``scripts/bench --help``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench_streams import arguments, environments, growth, instructions, machine, schedule, seeding, table, targets
from bench_streams.results import Results
from bench_streams.server import NoServerError, Server, find

FAILED = 1
INTERRUPTED = 130


def main() -> int:
    """
    Run the benchmark.

    Returns:
        The exit status.
    """
    options = arguments.parse()
    try:
        if options.instructions:
            print(instructions.report(options.against))
            return 0
        if options.growth:
            server = Server(find(options.server))
            try:
                print(growth.report(server), end="")
            finally:
                server.stop()
            return 0
        for environment in sorted({client.environment for client in schedule.clients(options)}):
            environments.python(environment)
        _measure(options)
    except (NoServerError, environments.EnvironmentFailed, schedule.MeasurementFailed, OSError) as error:
        print(f"\nscripts/bench: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nscripts/bench: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _measure(options: arguments.Arguments) -> None:
    server = Server(find(options.server))
    try:
        about = machine.describe(server)
        for subject, text in about.items():
            print(f"{subject}: {text}", file=sys.stderr)
        seeding.seed(server.wire)
        records, failure = [], None
        try:
            for record in schedule.run(options, server):
                records.append(record)
        except schedule.MeasurementFailed as error:
            failure = error  # what was measured is shown all the same
    finally:
        server.stop()
    everything = {"machine": about, "records": records}
    if options.results is not None:
        options.results.write_text(json.dumps(everything, indent=1) + "\n")
    print("\n".join(f"* {subject}: {text}" for subject, text in about.items()) + "\n")
    results = Results(records)
    print(table.tables(results) + targets.table(results), end="")
    if options.plots is not None:
        _plot(everything, options.plots)
    if failure is not None:
        raise failure


def _plot(everything: dict[str, Any], folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(everything, file)
        file.flush()
        subprocess.run(
            [environments.python("peers"), "-m", "bench_streams.plots", file.name, folder],
            check=True,
            env={**os.environ, "PYTHONPATH": str(environments.ROOT / "scripts")},
        )


if __name__ == "__main__":
    sys.exit(main())
