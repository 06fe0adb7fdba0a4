"""
Adds one entry at a time with the time at which it was sent, and leaves enough time between two that the reader is waiting
again. A process of its own, so that the reader shares its interpreter with nobody.
"""

from __future__ import annotations

import sys
import time

from bench_streams.resp import RECEIVE_BYTES, Wire, encode

PAUSE_SECONDS = 0.0015


def main() -> None:
    """
    Wait for a line, then add.
    """
    port, key, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    wire = Wire(port)
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(count):
        time.sleep(PAUSE_SECONDS)
        wire.socket.send(encode("XADD", key, "*", "at", time.perf_counter_ns()))
        wire.socket.recv(RECEIVE_BYTES)


if __name__ == "__main__":
    main()
