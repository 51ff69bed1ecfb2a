"""How long one bar takes, and how much memory: measured in a process of its own, on one thread.

``python -m offline.evaluation.speed SOURCE-AS-JSON BARS`` prints the figures as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import UnavailableError
from hitloopd.core.request import Request, next_seed

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
WARM: Final = 5
BATCHED: Final = 256
_PATIENCE_S: Final = 600.0
_PAGE: Final = resource.getpagesize()


def speed(source: Any, bars: int) -> dict[str, float]:  # noqa: ANN401 - a Source; importing it would load numpy
    """p50 and p99 of one bar (wall clock and processor), bars per second in a batch, memory; in a fresh process.

    Raises:
        UnavailableError: the process failed.
    """
    words = [sys.executable, "-m", "offline.evaluation.speed", json.dumps(asdict(source)), str(bars)]
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=_PATIENCE_S, check=False)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise UnavailableError(f"The speed of {source.name} could not be measured: {last[:200]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(source: Any, bars: int) -> dict[str, float]:  # noqa: ANN401 - as above
    """The figures, in this process: call it once, first thing."""
    from offline.evaluation.sources import answers, opened  # noqa: PLC0415 - so that what they load is seen

    before = _resident()
    began = time.perf_counter()
    generator = opened(source)
    request = Request(source.where, 1, temperature=source.temperature)
    if generator.styles and request.style not in generator.styles:
        request = replace(request, style=generator.styles[0])
    generator.generate(request)
    ready = time.perf_counter() - began
    wall: list[float] = []
    processor: list[float] = []
    for index in range(WARM + bars):
        request = replace(request, seed=next_seed(request.seed))
        at, used = time.perf_counter(), time.process_time()
        generator.generate(request)
        if index >= WARM:
            wall.append(time.perf_counter() - at)
            processor.append(time.process_time() - used)
    memory = _resident() - before
    batch = [replace(request, seed=number) for number in range(BATCHED)]
    used = time.process_time()
    answers(generator, batch)
    rate = BATCHED / max(time.process_time() - used, 1e-9)
    return {
        "ready_ms": round(1e3 * ready, 1),
        "p50_ms": round(1e3 * _quantile(wall, 0.5), 3),
        "p99_ms": round(1e3 * _quantile(wall, 0.99), 3),
        "cpu_p50_ms": round(1e3 * _quantile(processor, 0.5), 3),
        "cpu_p99_ms": round(1e3 * _quantile(processor, 0.99), 3),
        "bars_per_s": round(rate, 1),
        "memory_mb": round(memory / 1e6, 1),
        "peak_mb": round(_peak() / 1e6, 1),
        "bars": bars,
    }


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _resident() -> int:
    """Bytes of this process in memory; 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text(encoding="ascii").split()[1]) * _PAGE if path.exists() else 0


def _peak() -> int:
    """The most this process ever had; getrusage would count what the parent had when it forked."""
    path = Path("/proc/self/status")
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    from offline.evaluation.sources import Source

    print(json.dumps(measure(Source(**json.loads(sys.argv[1])), int(sys.argv[2]))))
