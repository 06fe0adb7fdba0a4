"""
The library in a world where a seed decides everything: what runs next, which bytes arrive, what breaks and when time passes.

The code under test is the library as it is shipped, both halves of the runtime included. Only what lies below is replaced: the
event loop and the sockets (``loop``, ``network``, ``sockets``), the clock and the random numbers (``clock``), and the server
(``tests/support/memory``). Nothing waits for real time, so a seed always gives the same run.
"""
