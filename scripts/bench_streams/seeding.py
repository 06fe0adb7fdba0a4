"""
What the server holds before anything is measured, and the fields that are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench_streams.resp import Wire, encode
from bench_streams.workloads import BIG, BIG_BYTES, BIG_LENGTH, ENTRIES, ENTRIES_LENGTH, WIDE

#: The name of every consumer.
CONSUMER: Final = "one"
#: From so many entries of all streams on a consumer reads ahead, where it can: of fewer, two reads for one are dearer than
#: waiting.
AHEAD: Final = 500
#: Adds entries like those of ``fields``, from one number to another, on the server: streams that are too long to be sent.
FIELDS_SCRIPT: Final = """
for number = ARGV[1], ARGV[2] do
    redis.call('XADD', KEYS[1], string.format('%.0f-0', 1700000000000 + number),
        'sensor', string.format('sensor-%04d', number % 1000),
        'value', string.format('%d.%03d', number % 100, number % 997),
        'seq', string.format('%09d', number))
end
"""


def fields(number: int) -> dict[str, str]:
    """
    Make the fields of one entry, a reading of a sensor.
    """
    return {"sensor": f"sensor-{number % 1000:04}", "value": f"{number % 100}.{number % 997:03}", "seq": f"{number:09}"}


def seed(wire: Wire) -> None:
    """
    Fill the streams that are read; those that are there already, complete, are left alone.
    """
    _fill(wire, ENTRIES, ENTRIES_LENGTH)
    for key in WIDE:
        _fill(wire, key, ENTRIES_LENGTH // len(WIDE))
    if wire("XLEN", BIG) != BIG_LENGTH:
        wire("DEL", BIG)
        value = b"x" * BIG_BYTES
        wire.send_all((encode("XADD", BIG, "*", "payload", value) for _ in range(BIG_LENGTH)), batch=10)


def _fill(wire: Wire, key: str, length: int) -> None:
    if wire("XLEN", key) != length:
        wire("DEL", key)
        wire.send_all(_additions(key, length))


def _additions(key: str, length: int) -> Iterator[bytes]:
    for number in range(length):
        words = [word for pair in fields(number).items() for word in pair]
        yield encode("XADD", key, f"{1_700_000_000_000 + number}-0", *words)
