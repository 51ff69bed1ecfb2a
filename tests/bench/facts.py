"""What the machine is, so that figures of two runs can be compared at all."""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("hitloopd", "numpy", "onnxruntime", "python-rtmidi", "JACK-Client", "python-osc", "mido", "sounddevice")


def facts() -> dict[str, object]:
    """Processor, kernel, Python, rights, packages, commit, date and load average."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_mb": _meminfo("MemTotal") // 1024,
        "kernel": platform.release(),
        "virtual": "hypervisor" in _read("/proc/cpuinfo"),
        "python": sys.version.split()[0],
        "realtime_permitted": realtime_permitted(),
        "load_average": os.getloadavg(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def realtime_permitted() -> bool:
    """This user may ask for SCHED_FIFO."""
    return os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_RTPRIO)[0] >= 60


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _cpu_model() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _meminfo(key: str) -> int:
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout.strip()
