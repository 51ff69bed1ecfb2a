"""What all processes together take of the memory while they play: proportional set size, shared pages split fairly."""

from __future__ import annotations

import time

from tests.bench.context import Context
from tests.bench.daemon import Daemon
from tests.bench.procs import command_line
from tests.bench.rows import Row

BAR_MB = 300.0


def run(ctx: Context) -> list[Row]:
    with Daemon(ctx, {"gen.auto": 1}) as daemon:
        daemon.wait_ready()
        samples = []
        for _ in range(int(ctx.seconds(10, 4))):
            time.sleep(2.0)
            samples.append(daemon.job.pss_mb())
        named = {f"{pid} {command_line(pid)[-60:]}": round(mb, 1) for pid, mb in samples[-1].items()}
    worst = max(sum(sample.values()) for sample in samples)
    return [
        Row(
            "memory of all processes while playing (MB PSS, worst sample)",
            f"<= {BAR_MB:g} MB",
            f"{worst:.0f} in {len(named)} processes",
            "",
            worst <= BAR_MB,
            {"processes": named, "totals": [round(sum(sample.values()), 1) for sample in samples]},
        )
    ]
