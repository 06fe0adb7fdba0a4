"""
The demo from start to end. See ``scripts/demo --help``.
"""

from __future__ import annotations

import asyncio
import secrets
import sys

from coredis.exceptions import RedisError
from streams_demo import arguments, draining_async, draining_blocking, report
from streams_demo.events import InputError, load
from streams_demo.server import NoServerError, server, without_secrets
from streams_demo.settings import Settings

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


def main() -> int:
    """
    Run the demo.

    Returns:
        The exit status.
    """
    options = arguments.parse()
    # Both flavours work under one prefix of this run, so that nobody else's keys are touched.
    prefix = f"coredis-demo:{secrets.token_hex(4)}"
    try:
        events = load(options.input, options.by, options.count, options.repeat)
        with server(options.url) as url:
            kind = "embedded Valkey" if options.url is None else "server"
            print(f"{len(events):,} events of {options.input.name}, {kind} at {without_secrets(url)}\n", flush=True)
            outcomes = []
            settings = Settings("async", prefix, options.failures, options.seed)
            outcomes.append(asyncio.run(draining_async.run(url, events, settings)))
            print(report.table(outcomes[-1]) + "\n", flush=True)
            settings = Settings("blocking", prefix, options.failures, options.seed)
            outcomes.append(draining_blocking.run(url, events, settings))
            print(report.table(outcomes[-1]) + "\n", flush=True)
    except InputError as error:
        return _complain(error, WRONG_USAGE)
    except (NoServerError, RedisError, OSError) as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    text, good = report.verdict(outcomes)
    print(f"{report.LEGEND}\n\n{text}")
    return 0 if good else FAILED


def _complain(error: object, status: int) -> int:
    print(f"scripts/demo: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
