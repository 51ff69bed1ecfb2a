"""What the command line pays for talking OSC."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("asyncio", "hitloopd.core.commands", "yaml", "ipaddress", "numpy")


def test_the_client_of_the_command_line_loads_nothing_heavy():
    code = f"import sys, hitloopd.control.osc_client; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.strip() == "[]"
