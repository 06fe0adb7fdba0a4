"""
Loading events from a file, and choosing a stream for each.

A file is JSON Lines or CSV. Every event becomes text fields, as a stream entry has them. Nothing here talks to a
server.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

#: How many streams the events are spread over.
STREAMS = 3
#: The stream of all values of the chosen field that have no stream of their own.
OTHER = "other"


class InputError(Exception):
    """
    The file cannot be used. The message names the file, the line where there is one, and what was expected.
    """


@dataclass(frozen=True, slots=True)
class Event:
    """
    One event: the stream it belongs to, and its fields.
    """

    stream: str
    fields: dict[str, str]


def load(path: Path, by: str | None = None, count: int | None = None, repeat: int = 1) -> list[Event]:
    """
    Read the events of a file.

    Args:
        path: the file; ``.csv`` is read as CSV, ``.jsonl`` and ``.ndjson`` as JSON Lines, anything else by its first
            character
        by: the field that chooses the stream: its two most frequent values (three, if there are no more) have a stream
            each, the rest share one. None deals the events out in turn.
        count: take only the first so many
        repeat: how often each event is returned, the whole list one time after the other

    Raises:
        InputError: The file is unreadable or empty, a line is no event, or no event has the field.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(islice(_rows(path, file), count))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from error
    if not rows:
        raise InputError(f"{path}: no events in this file")
    names = _dealt_out(len(rows)) if by is None else _by_field(path, rows, by)
    return [Event(name, row) for name, row in zip(names, rows, strict=True)] * repeat


def _rows(path: Path, file: TextIO) -> Iterator[dict[str, str]]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _csv_rows(path, file)
    if suffix in (".jsonl", ".ndjson"):
        return _json_rows(path, file)
    first = file.read(1)
    file.seek(0)
    return _json_rows(path, file) if first == "{" else _csv_rows(path, file)


def _csv_rows(path: Path, file: TextIO) -> Iterator[dict[str, str]]:
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header) or "" in header:
            raise InputError(f"{path}, line 1: expected one distinct name for each column, got {header}")
        for values in reader:
            if values and len(values) != len(header):
                raise InputError(f"{path}, line {reader.line_num}: expected {len(header)} values, got {len(values)}")
            if values:
                yield dict(zip(header, values, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error


def _json_rows(path: Path, file: TextIO) -> Iterator[dict[str, str]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not JSON: {error}") from error
        if not isinstance(value, dict) or not value:
            raise InputError(f"{path}, line {number}: expected an object with fields, got {line.strip()[:40]!r}")
        row = {name: item if isinstance(item, str) else json.dumps(item) for name, item in value.items()}
        try:
            "".join([*row, *row.values()]).encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{path}, line {number}: not text: {error}") from error
        yield row


def _dealt_out(count: int) -> Iterator[str]:
    return (str(number % STREAMS + 1) for number in range(count))


def _by_field(path: Path, rows: list[dict[str, str]], field: str) -> Iterator[str]:
    frequency = Counter(row[field] for row in rows if field in row)
    if not frequency:
        raise InputError(f"{path}: no event has the field {field!r}; the first one has: {', '.join(rows[0])}")
    own = [value for value, _ in frequency.most_common(STREAMS)]
    if len(frequency) > STREAMS or frequency.total() < len(rows):
        own = own[: STREAMS - 1]
    # An empty value has no name of its own to give to a stream.
    return (row[field] if row.get(field) and row[field] in own else OTHER for row in rows)
