"""
The benchmark: this client beside its peers, beside the least of a client and beside the limits of the machine, all in one run.

Run it with ``scripts/bench``. One job per module: ``arguments`` reads the command line, ``environments`` installs the
peers, ``clients`` and ``workloads`` say what there is to measure, ``server`` starts what they are measured on and
``seeding`` fills it, ``child`` measures one client at one workload in a process of its own with a driver of
``drivers``, ``schedule`` runs the processes, ``results`` sums up, ``table`` and ``plots`` show it. ``floor`` is the least of a
client. ``instructions`` counts what ``hot_paths`` executes.

What makes figures comparable: one process per client, workload and repetition, interleaved, so that a slow moment of the
machine hits all alike; ratios are taken within a repetition; what goes one at a time is pinned to one processor, because
otherwise it measures where the scheduler put two processes.
"""
