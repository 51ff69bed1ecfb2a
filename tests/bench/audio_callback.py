"""What one block of the audio callback costs with all 64 voices sounding, by the code that the device calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hitloopd.io.audio_render import BlockRenderer
from hitloopd.io.kit_sounds import bass_pitches, build_bank
from hitloopd.io.kits import load_kit
from hitloopd.io.sampler import Sampler
from hitloopd.io.synth.cache import SoundCache
from tests.bench.context import Context
from tests.bench.rows import Row
from tests.bench.stats import number, spread

KITS = Path(__file__).parents[2] / "configs" / "kits"
RATE = 48_000
SHARE = 0.25
BLOCKS = (64, 128, 256)


def run(ctx: Context) -> list[Row]:
    house = load_kit("house", [KITS])
    bank = build_bank(house.kit, house.folder, RATE, bass_pitches(36), SoundCache(None)).bank
    return [_row(Sampler(bank, block), block, int(ctx.seconds(8000, 2000))) for block in BLOCKS]


def _row(sampler: Sampler, block: int, count: int) -> Row:
    renderer = BlockRenderer(sampler, RATE, block)
    random = np.random.default_rng(1)
    out = np.zeros((block, 2), dtype=np.float32)
    cost: list[float] = []
    full = 0
    block_ns = block * 1_000_000_000 // RATE
    for number_of in range(count):
        now_ns = 1_000_000_000 + number_of * block_ns
        missing = max(72 - sampler.active, 0)  # kept full: what ends in this block is replaced in advance
        for lane in [*random.integers(0, 2, missing).tolist(), int(random.integers(0, 5))]:
            event = bytes((0x90 | lane, int(random.integers(36, 52)), 100))
            renderer.put((now_ns + int(random.integers(0, block_ns)), 0, event))
        renderer.render(out, now_ns)
        full += sampler.active >= 64
        cost.append(float(renderer.timings_us()[(renderer.callbacks - 1) % 4096]))
    took = spread(cost[count // 10 :])
    deadline_us = block * 1e6 / RATE
    judged = block == 128
    return Row(
        f"audio callback, 64 voices, block {block} (us, p50 / p99 / p99.9 / max)",
        f"p99 <= {SHARE:.0%} of the block" if judged else "",
        f"{took.short()}; p99 is {100 * took.p99 / deadline_us:.0f} % of {number(deadline_us)}",
        f"{100 * full / count:.0f} % of blocks had 64 voices or more",
        took.p99 <= SHARE * deadline_us if judged else None,
        {"block": block, "deadline_us": deadline_us, "cost_us": took.as_json(), "full_share": full / count},
    )
