"""
The parts of the demo that need no server: loading events, the command line, the verdict and what is shown.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from streams_demo import arguments, report
from streams_demo.events import Event, InputError, load
from streams_demo.outcome import Outcome
from streams_demo.progress import Progress
from streams_demo.server import without_secrets
from streams_demo.worker import SimulatedFailure, Stopped, Worker

from coredis.types import StreamEntry

STREAM = "coredis-demo:0:async:a"


class Terminal(io.StringIO):
    """
    A text buffer that calls itself a terminal.
    """

    def isatty(self) -> bool:
        return True


def written(folder: Path, name: str, text: str) -> Path:
    """
    Write a small file and give its path.
    """
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def worker(failures: float = 0.0, **fields: str) -> Worker:
    """
    Make a worker for one stream with one entry, 1-0.
    """
    return Worker("one", {STREAM: {"1-0": fields}}, Progress("test", 1, io.StringIO()), failures)


def outcome(*workers: Worker, pending: int = 0) -> Outcome:
    """
    Make the account of one entry and these workers.
    """
    return Outcome("async", {STREAM: {"1-0": {}}}, workers, {STREAM: pending}, 0.1, 0.1)


class TestEvents:
    """
    Files become events.
    """

    def test_the_earthquakes_are_whole_and_in_order(self) -> None:
        """
        The data set of the repository has 1,707 events, each with an identifier of its own, by time, in three streams.
        """
        events = load(arguments.DATA, arguments.DATA_FIELD)

        times = [event.fields["time"] for event in events]
        assert 1707 == len(events) == len({event.fields["id"] for event in events})
        assert sorted(times) == times
        assert {"ci", "nc", "other"} == {event.stream for event in events}

    def test_json_lines(self, tmp_path: Path) -> None:
        """
        Text stays as it is, other values become JSON, empty lines are skipped.
        """
        path = written(tmp_path, "events.jsonl", '{"a": "x", "b": 1.5}\n\n{"a": null}\n')

        assert [Event("1", {"a": "x", "b": "1.5"}), Event("2", {"a": "null"})] == load(path)

    def test_unknown_suffix_is_told_by_its_first_character(self, tmp_path: Path) -> None:
        """
        A file of another name is JSON Lines when it starts with a brace, and CSV otherwise.
        """
        assert [Event("1", {"a": "1"})] == load(written(tmp_path, "events", '{"a": 1}'))
        assert [Event("1", {"a": "1"})] == load(written(tmp_path, "events", "a\n1\n"))

    def test_the_rarer_values_share_a_stream(self, tmp_path: Path) -> None:
        """
        With more than three values the two most frequent have a stream each.
        """
        path = written(tmp_path, "events.csv", "k,v\na,1\na,2\nb,3\nb,4\nc,5\nd,6\n")

        assert ["a", "a", "b", "b", "other", "other"] == [event.stream for event in load(path, "k")]

    def test_three_values_have_three_streams(self, tmp_path: Path) -> None:
        """
        With three values nothing is called other.
        """
        path = written(tmp_path, "events.csv", "k\na\nb\nc\n")

        assert ["a", "b", "c"] == [event.stream for event in load(path, "k")]

    def test_count_and_repeat(self, tmp_path: Path) -> None:
        """
        The first two events, twice.
        """
        path = written(tmp_path, "events.csv", "v\n1\n2\n3\n")

        assert ["1", "2", "1", "2"] == [event.fields["v"] for event in load(path, count=2, repeat=2)]

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("e.csv", "", "no events"),
            ("e.csv", "a,b\n", "no events"),
            ("e.csv", "a,a\n1,2\n", "line 1: expected one distinct name"),
            ("e.csv", "a,b\n1\n", "line 2: expected 2 values, got 1"),
            ("e.csv", 'a\n"1\n', "unexpected end of data"),
            ("e.jsonl", '{"a": 1}\n{"a"\n', "line 2: not JSON"),
            ("e.jsonl", "[1]\n", "line 1: expected an object with fields"),
            ("e.jsonl", "{}\n", "line 1: expected an object with fields"),
            ("e.jsonl", '{"a": "\\ud800"}\n', "line 1: not text"),
            ("e.csv", "a\n1\n", "no event has the field 'k'; the first one has: a"),
        ],
    )
    def test_a_bad_file_is_an_error_that_says_where(self, tmp_path: Path, name: str, text: str, message: str) -> None:
        """
        The message names the file and the line.
        """
        path = written(tmp_path, name, text)

        with pytest.raises(InputError) as raised:
            load(path, "k")

        assert str(path) in str(raised.value)
        assert message in str(raised.value)


class TestArguments:
    """
    The command line.
    """

    def test_defaults(self) -> None:
        """
        Without options: all earthquakes, by network, on an embedded server.
        """
        options = arguments.parse([])

        assert arguments.DATA == options.input
        assert "network" == options.by
        assert (None, None, 1) == (options.url, options.count, options.repeat)

    def test_another_file_is_dealt_out(self) -> None:
        """
        A file of the user has no default field.
        """
        assert arguments.parse(["--input", __file__]).by is None

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--count", "0"], "at least 1, got '0'"),
            (["--repeat", "many"], "at least 1, got 'many'"),
            (["--failures", "1"], "from 0 to 0.9, got '1'"),
            (["--failures", "nan"], "from 0 to 0.9, got 'nan'"),
            (["--input", "nowhere.csv"], "no such file: 'nowhere.csv'"),
            (["--quick", "--count", "3"], "not allowed with"),
            (["--url", "http://localhost"], "--url"),
            (["--url", "redis://localhost:port"], "--url"),
        ],
    )
    def test_wrong_options(self, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
        """
        Status 2, and a message with the option's limits and the value.
        """
        with pytest.raises(SystemExit) as raised:
            arguments.parse(words)

        assert 2 == raised.value.code
        assert message in capsys.readouterr().err


class TestVerdict:
    """
    Every entry is completed exactly once, or the demo fails.
    """

    def test_once(self) -> None:
        """
        One worker completed it.
        """
        one = worker()
        one.acknowledged(STREAM, StreamEntry("1-0", {}))

        assert [] == outcome(one, worker()).problems()
        assert report.verdict([outcome(one)])[1]

    def test_missing(self) -> None:
        """
        Nobody completed it.
        """
        assert [f"async: {STREAM} 1-0: missing, no consumer completed it"] == outcome(worker()).problems()
        assert not report.verdict([outcome(worker())])[1]

    def test_twice(self) -> None:
        """
        Two workers completed it.
        """
        one, two = worker(), worker()
        for each in (one, two):
            each.acknowledged(STREAM, StreamEntry("1-0", {}))

        assert [f"async: {STREAM} 1-0: completed 2 times"] == outcome(one, two).problems()

    def test_pending(self) -> None:
        """
        The group still holds it.
        """
        one = worker()
        one.acknowledged(STREAM, StreamEntry("1-0", {}))

        assert [f"async: {STREAM}: 1 entries are still pending"] == outcome(one, pending=1).problems()

    def test_what_the_worker_got(self) -> None:
        """
        Changed fields, unknown entries and a wrong order are noticed.
        """
        one = worker(celsius="21")
        one.handle(STREAM, StreamEntry("1-0", {"celsius": "22"}))
        one.handle(STREAM, StreamEntry("0-9", {}))

        assert 3 == len(one.problems)

    def test_after_a_failure_the_entry_may_come_again(self) -> None:
        """
        A worker that comes back starts with its backlog, which is older than what it had last.
        """
        one = worker(failures=1.0)
        for _ in range(2):
            with pytest.raises(SimulatedFailure):
                one.handle(STREAM, StreamEntry("1-0", {}))
            one.comes_back({STREAM: 1})

        assert [] == one.problems
        assert (2, 2) == (one.failed[STREAM], one.from_backlog[STREAM])

    def test_stopping(self) -> None:
        """
        A worker that is told to stop takes no further entry.
        """
        one = worker()
        one.stop = True

        with pytest.raises(Stopped):
            one.handle(STREAM, StreamEntry("1-0", {}))


class TestShowing:
    """
    The table and the bar.
    """

    def test_table(self) -> None:
        """
        A row for each stream under its short name, and one for all.
        """
        one = worker()
        one.acknowledged(STREAM, StreamEntry("1-0", {}))

        lines = report.table(outcome(one)).splitlines()

        assert ["stream", "produced", "one", "failed", "from", "backlog", "pending", "entries/s"] == lines[1].split()
        assert ["a", "1", "1", "0", "0", "0", "10"] == lines[3].split()
        assert ["all", "1", "1", "0", "0", "0", "10"] == lines[4].split()

    def test_no_bar_without_a_terminal(self) -> None:
        """
        Output into a file or pipe stays clean.
        """
        output = io.StringIO()
        progress = Progress("test", 2, output)
        progress._next_drawing = 0.0
        progress.advance()
        progress.close()

        assert "" == output.getvalue()

    def test_no_bar_on_a_short_run(self) -> None:
        """
        Within the first second nothing is drawn.
        """
        output = Terminal()
        progress = Progress("test", 2, output)
        progress.advance()
        progress.close()

        assert "" == output.getvalue()

    def test_bar(self) -> None:
        """
        On a terminal, after a second: a bar, wiped at the end.
        """
        output = Terminal()
        progress = Progress("test", 2, output)
        progress._next_drawing = 0.0
        progress.advance()
        progress.close()

        assert f"\rtest [{'#' * 20}{'.' * 20}]  50% 1/2\r\x1b[K" == output.getvalue()

    def test_urls_are_shown_without_secrets(self) -> None:
        """
        User, password and options are left out.
        """
        assert "redis://host:1/2" == without_secrets("redis://me:secret@host:1/2?password=other")
