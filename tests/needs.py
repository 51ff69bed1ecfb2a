"""What a test needs of the machine: skipped with the reason where it lacks, a failure where everything is required."""

from __future__ import annotations

import os
import shutil

import pytest


def require(condition: object, reason: str) -> None:
    """Skip with ``reason`` unless ``condition``; fail instead where HITLOOP_REQUIRE_ALL=1: there nothing may lack."""
    if condition:
        return
    if os.environ.get("HITLOOP_REQUIRE_ALL") == "1":
        pytest.fail(f"HITLOOP_REQUIRE_ALL=1, but {reason}")
    pytest.skip(reason)


def require_program(*names: str) -> None:
    """Skip (or fail) unless every program is on the PATH."""
    missing = [name for name in names if shutil.which(name) is None]
    require(not missing, f"not installed: {', '.join(missing)}")
