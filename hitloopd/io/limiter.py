"""The limiter after the mix: transparent below -3 dBFS, never above -0.3 dBFS, and it never clicks.

Two stages: a gain that turns down what is far too loud and comes back slowly, moving in straight lines from block to
block, and a curve without memory that rounds what is left. Neither looks ahead, so it adds no latency.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CEILING: Final = 10.0 ** (-0.3 / 20)
KNEE: Final = 10.0 ** (-3.0 / 20)
RIDE: Final = 1.0  # a block that peaks above this is turned down as a whole; below it the curve alone is cleaner
RELEASE_S: Final = 0.12


class Limiter:
    """Limits blocks in place.

    Args:
        rate: frames per second.
        block_max: the longest block.
    """

    def __init__(self, rate: int, block_max: int) -> None:
        self._rate = rate
        self._gain = 1.0
        self._ramp = np.arange(1, block_max + 1, dtype=np.float32)[:, None]
        self._work = np.zeros((block_max, 2), dtype=np.float32)
        self.turned_down = 0  # blocks in which the gain was below 1

    def process(self, block: NDArray[np.floating[Any]]) -> None:
        """Limit ``float32 [frames, 2]`` in place. Thread: callback. Real-time: yes."""
        frames = len(block)
        work = self._work[:frames]
        np.abs(block, out=work)
        peak = float(work.max(initial=0.0))
        if self._gain < 1.0 or peak > RIDE:
            peak = self._ride(block, peak)
            np.abs(block, out=work)
            peak = float(work.max(initial=0.0))
        if peak > KNEE:
            _round_off(block, work)

    def _ride(self, block: NDArray[np.floating[Any]], peak: float) -> float:
        """Turn the block down, from the last block's gain to the one it needs."""
        frames = len(block)
        needed = min(1.0, RIDE / peak) if peak > 0.0 else 1.0
        back = self._gain + (1.0 - self._gain) * min(1.0, frames / (RELEASE_S * self._rate))
        target = min(needed, back)
        if target > 0.9999:
            target = 1.0
        block *= self._gain + self._ramp[:frames] * np.float32((target - self._gain) / frames)
        self._gain = target
        self.turned_down += 1
        return peak


def _round_off(block: NDArray[np.floating[Any]], size: NDArray[np.floating[Any]]) -> None:
    """What lies above the knee bends towards the ceiling and stays below it; slope 1 at the knee."""
    room = CEILING - KNEE
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    np.copyto(block, np.copysign(bent, block), where=size > KNEE)
