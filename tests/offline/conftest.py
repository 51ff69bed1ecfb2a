"""One thread a process: the sums here are so small that threads only wait for one another.

The two-sample tests took 54 s of processor with two threads on a busy machine of two cores, and 7.5 s with one.
"""

from __future__ import annotations

import os

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # read when torch and scikit-learn are loaded, which the tests do later


@pytest.fixture(autouse=True)
def nobody_pulls_the_plug(monkeypatch):
    """What the system has taken counts as stored: waiting for the disk to have it took seven milliseconds a file.

    A process that is killed loses nothing by it; a machine that is switched off is no test's subject.
    """
    monkeypatch.setattr(os, "fsync", lambda _: None)
