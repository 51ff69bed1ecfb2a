"""Work that fills the cores as a musician's other programs would: numpy in one process, onnxruntime in the other.

``python -m tests.bench.load matmul|onnx|python SECONDS`` is one core's worth; it stops by itself, or with its parent.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator

from tests.bench.context import Context

WIDTH = 512
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
WARM_UP_S = 1.5  # importing numpy and onnxruntime is a load of another kind


def kinds() -> list[str]:
    """One per core: numpy and onnxruntime in turn; plain Python where they are missing."""
    numeric = [
        kind for kind, module in (("matmul", "numpy"), ("onnx", "onnxruntime")) if importlib.util.find_spec(module)
    ]
    wanted = numeric or ["python"]
    return [wanted[core % len(wanted)] for core in range(os.cpu_count() or 2)]


@contextlib.contextmanager
def both_cores(ctx: Context, seconds: float) -> Iterator[list[str]]:
    """Every core busy while the block runs, at most for ``seconds``."""
    jobs = [
        ctx.start(
            [sys.executable, "-m", "tests.bench.load", kind, str(seconds + WARM_UP_S)],
            f"load-{kind}",
            env=ctx.environment(**ONE_THREAD),
        )
        for kind in kinds()
    ]
    time.sleep(WARM_UP_S)
    try:
        yield kinds()
    finally:
        for job in jobs:
            job.stop(1.0)


def busy(kind: str) -> Callable[[], object]:
    """One short piece of work of this kind."""
    if kind == "matmul":
        import numpy as np

        square = np.random.default_rng(1).random((WIDTH, WIDTH), dtype=np.float32)
        return lambda: square @ square
    if kind == "onnx":
        return _inference()
    return lambda: sum(i * i for i in range(5000))


def _inference() -> Callable[[], object]:
    import numpy as np
    import onnxruntime

    from tests.bench.tiny_onnx import model

    rng = np.random.default_rng(1)
    weights = [(rng.random((WIDTH, WIDTH), dtype=np.float32) - 0.5).tobytes() for _ in range(6)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model(weights, WIDTH, 16), options, providers=["CPUExecutionProvider"])
    x = rng.random((16, WIDTH), dtype=np.float32)
    return lambda: session.run(None, {"x": x})


def _main() -> int:
    kind, seconds = sys.argv[1], float(sys.argv[2])
    end, parent = time.monotonic() + seconds, os.getppid()
    work = busy(kind)
    while time.monotonic() < end and os.getppid() == parent:
        work()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
