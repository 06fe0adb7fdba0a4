"""
The closing table of the demo.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams_demo.outcome import Outcome

LEGEND = """\
failed: the handler failed before it could acknowledge; from backlog: entries pending for the consumer when it came back,
counted at each return; pending: left unacknowledged at the end."""
#: So many problems are shown one by one; a broken run can have thousands of the same kind.
PROBLEMS_SHOWN = 10


def table(outcome: Outcome) -> str:
    """
    Show one flavour: a row for each stream and one for their sum.
    """
    header = ["stream", "produced", *(worker.name for worker in outcome.workers)]
    header += ["failed", "from backlog", "pending", "entries/s"]
    rows = [[_short(stream), *_numbers(outcome, [stream])] for stream in outcome.produced]
    rows.append(["all", *_numbers(outcome, list(outcome.produced))])
    entries = sum(map(len, outcome.produced.values()))
    title = (
        f"{outcome.flavour}: {entries:,} entries produced in {outcome.producing_seconds:.2f} s, "
        f"drained in {outcome.draining_seconds:.2f} s"
    )
    return "\n".join([title, *_lines([header, *rows])])


def verdict(outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """
    Say whether every entry was completed exactly once.

    Returns:
        The text to show, and True when all is well.
    """
    problems = [problem for outcome in outcomes for problem in outcome.problems()]
    if not problems:
        return "OK: every entry was completed exactly once, in both flavours.", True
    shown = problems[:PROBLEMS_SHOWN]
    if len(problems) > len(shown):
        shown.append(f"... and {len(problems) - len(shown):,} more")
    return "\n".join([f"FAILED: {len(problems):,} problems", *(f"  {line}" for line in shown)]), False


def _numbers(outcome: Outcome, streams: Sequence[str]) -> list[str]:
    produced = sum(len(outcome.produced[stream]) for stream in streams)
    completed = [
        sum(times for (stream, _), times in worker.completed.items() if stream in streams) for worker in outcome.workers
    ]
    failed = sum(worker.failed[stream] for worker in outcome.workers for stream in streams)
    backlog = sum(worker.from_backlog[stream] for worker in outcome.workers for stream in streams)
    pending = sum(outcome.pending[stream] for stream in streams)
    speed = round(sum(completed) / outcome.draining_seconds) if outcome.draining_seconds else 0
    return [f"{number:,}" for number in (produced, *completed, failed, backlog, pending, speed)]


def _short(stream: str) -> str:
    # See Settings.key: prefix (with one colon), flavour, then the name, which may have colons of its own.
    return stream.split(":", 3)[3]


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [
        "  ".join(["", row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in rows
    ]
    lines.insert(1, "  " + "-" * (len(lines[0]) - 2))
    return lines
