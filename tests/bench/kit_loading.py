"""How late the audio callback's interpreter is while a kit is loaded: in the loader's own process, and in this one."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hitloopd.io.bank_maker import BankMaker, Request
from hitloopd.io.kit_sounds import bass_pitches, build_bank
from hitloopd.io.kits import load_kit
from hitloopd.io.sampler import Sampler
from hitloopd.io.synth.cache import SoundCache
from tests.bench.context import Context
from tests.bench.rows import Row
from tests.bench.stats import Spread, spread
from tests.kits import write_pack

RATE = 48_000
BAR_MS = 2.0
PERIOD_S = 0.001
SWITCH_S = 0.0005  # as in the audio process
TONES = {lane: tuple(100.0 + 7 * n for n in range(8)) for lane in ("kick", "snare", "hihat", "cymbal", "bass")}


def run(ctx: Context) -> list[Row]:
    folder = write_pack(ctx.work_dir / "pack", TONES, seconds=1.0)
    kit = replace(load_kit(str(folder), []).kit, samples={})
    pitches = tuple(bass_pitches(36))
    request = Request(kit, str(folder), RATE, pitches, "", whole=True)
    maker = BankMaker()

    def in_a_process_of_its_own() -> None:
        maker.close()
        Sampler(maker.make(request).bank, 512)

    def here() -> None:
        Sampler(build_bank(kit, Path(folder), RATE, pitches, SoundCache(None)).bank, 512)

    times = int(ctx.seconds(12, 4))
    idle = _lateness_ms(lambda: time.sleep(0.5), times)
    apart = _lateness_ms(in_a_process_of_its_own, times)
    maker.close()
    beside = _lateness_ms(here, times)
    return [
        Row(
            "audio interpreter's lateness while a kit is loaded (ms, p50 / p99 / p99.9 / max)",
            f"p99 <= {BAR_MS:g} ms",
            apart.short(),
            f"loaded in the same process: {beside.short()}; nothing loaded: {idle.short()}",
            apart.p99 <= BAR_MS,
            {"apart": apart.as_json(), "beside": beside.as_json(), "idle": idle.as_json()},
        )
    ]


def _lateness_ms(work: Callable[[], object], times: int) -> Spread:
    """Wake up every millisecond, as a callback does, beside ``work``."""
    late: list[float] = []
    done = threading.Event()

    def wake() -> None:
        with suppress(OSError, AttributeError):  # not permitted, or not Linux: then as any thread
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(65))
        due = time.monotonic()
        while not done.is_set():
            due += PERIOD_S
            time.sleep(max(due - time.monotonic(), 0.0))
            late.append((time.monotonic() - due) * 1e3)
            due = max(due, time.monotonic() - PERIOD_S)

    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    thread = threading.Thread(target=wake)
    thread.start()
    for _ in range(times):
        work()
    done.set()
    thread.join()
    sys.setswitchinterval(before)
    return spread(late)
