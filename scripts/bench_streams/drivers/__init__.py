"""
How each client does each workload: one module per client and flavour, each with a class ``Driver``.

The methods are named in ``workloads``; one call is one pass, and returns how many operations it did (latencies in
microseconds for the workloads that measure them), so that a client which does less than asked is noticed. Each client is
used as its documentation tells a user to, with its defaults and its fastest parser. Packages are imported by name: which
one it is depends on the environment, and none is there when the code is checked.
"""
