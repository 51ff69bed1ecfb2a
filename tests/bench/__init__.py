"""The figures this project promises, measured: ``python -m tests.bench [names…] [--quick] [--json FILE]``.

Conventions: times are µs unless a name says otherwise; every benchmark is one module whose ``run(ctx)`` gives rows;
each is bounded in time, cleans up what it started, and measures beside a reference (a loop in C, a peer) in the same
run, because a figure without its machine says nothing. Nothing here is imported by the daemon.
"""
