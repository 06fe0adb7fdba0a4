"""
The demo: real events through three streams and two group consumers, once asynchronously and once in blocking form.

Run it with ``scripts/demo``. One job per module: ``arguments`` reads the command line, ``events`` the file, ``server``
finds a server, ``worker`` is what a consumer does with an entry, ``draining_async`` and ``draining_blocking`` are the
two programs, ``settings`` what they share, ``outcome`` judges them, ``progress`` and ``report`` show it.
"""
