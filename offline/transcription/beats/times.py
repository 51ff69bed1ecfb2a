"""When exactly the beats are: measured at what is struck there, then laid on a smooth tempo.

Conventions: seconds, frames of ``beat_features``. Hits are snapped to steps of 15 ms on these beats, so a beat must not
follow one late snare, nor be early throughout: each is the value of a line fitted to its neighbours, as many of them
as keep to one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.transcription.beats.features import FPS

HALF_WIDTHS: Final = (3, 8, 24, 64)
"""Beats on either side that may lie on one line, fewest first."""
LATE_S: Final = 0.0
"""By how much a rise in power peaks after the sound began."""
_NEAR_S: Final = 0.045
_ASTRAY_S: Final = 0.09  # from where the path has a beat; less than half of the shortest beat, so that beats ascend
_SPREAD_S: Final = 0.008  # what is farther than this from the line hardly counts
_WORSE: Final = 1.25  # how much more the measured times may stray from a longer line
_LEAST_S: Final = 0.002
_ROUNDS: Final = 4

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Struck:
    """When something was heard to begin, ascending, and how much each counts."""

    times: Times
    weights: Times

    @classmethod
    def of(cls, times: Sequence[float], weights: Sequence[float]) -> Struck:
        """Put in order."""
        order = np.argsort(np.asarray(times, np.float64), kind="stable")
        return cls(np.asarray(times, np.float64)[order], np.asarray(weights, np.float64)[order])


def beat_times(frames: NDArray[np.int64], rise: NDArray[np.float32], struck: Struck) -> Times:
    """The time of each beat in seconds.

    Args:
        frames: of the beats.
        rise: onset strength of every frame.
        struck: drums and bass, as far as they were heard; may be empty.

    Returns:
        Ascending, as the frames are.
    """
    coarse = frames / FPS
    at, weight = _peaks(frames, rise)
    if len(struck.times):
        at, weight = _prefer_struck(at, weight, coarse, struck)
    line = _smooth(at, np.maximum(weight, 1e-3))
    # where the tempo jumps, as from one song of a mix to the next, no line holds on both sides
    return np.where(np.abs(line - coarse) <= _ASTRAY_S, line, at)


def _peaks(frames: NDArray[np.int64], rise: NDArray[np.float32]) -> tuple[Times, Times]:
    """The highest rise near each beat, between the frames by a parabola; and how high it is."""
    reach = round(_NEAR_S * FPS)
    padded = np.pad(rise.astype(np.float64), reach + 1)
    windows = padded[frames[:, None] + np.arange(2 * reach + 3)]
    lean = 1.0 - 0.05 * np.abs(np.arange(-reach, reach + 1))
    best = (windows[:, 1:-1] * lean).argmax(axis=1) + 1
    row = np.arange(len(frames))
    left, top, right = windows[row, best - 1], windows[row, best], windows[row, best + 1]
    bend = left - 2.0 * top + right
    shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    at = (frames + best - 1 - reach + np.clip(shift, -0.5, 0.5)) / FPS - LATE_S
    return np.where(top > 0, at, frames / FPS), top


def _prefer_struck(at: Times, weight: Times, coarse: Times, struck: Struck) -> tuple[Times, Times]:
    at, weight = at.copy(), 0.25 * weight
    first = np.searchsorted(struck.times, coarse - _NEAR_S)
    last = np.searchsorted(struck.times, coarse + _NEAR_S)
    for index in np.flatnonzero(last > first):
        span = slice(int(first[index]), int(last[index]))
        at[index] = np.average(struck.times[span], weights=struck.weights[span] + 1e-6)
        weight[index] = 1.0 + struck.weights[span].sum()
    return at, weight


def _smooth(at: Times, weight: Times) -> Times:
    if len(at) < 3:
        return at
    line, stray = _line(at, weight, HALF_WIDTHS[0])
    for half in HALF_WIDTHS[1:]:
        longer, further = _line(at, weight, half)
        keep = further <= np.maximum(_WORSE * stray, _LEAST_S)
        line, stray = np.where(keep, longer, line), np.where(keep, np.minimum(further, stray), stray)
    return line


def _line(at: Times, weight: Times, half: int) -> tuple[Times, Times]:
    """Each beat on a line through its neighbours, and how far these stray from it."""
    counting = weight
    value = at
    for _ in range(_ROUNDS):
        value = _fit(at, counting, half)
        counting = weight / (1.0 + ((at - value) / _SPREAD_S) ** 2)
    kernel = np.ones(2 * min(HALF_WIDTHS[0] * 2, half) + 1)
    apart = np.minimum(np.abs(at - value), 3 * _SPREAD_S)
    return value, _around(weight * apart, kernel) / _around(weight, kernel)


def _fit(at: Times, weight: Times, half: int) -> Times:
    """Local linear regression of time on the number of the beat."""
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    kernel = 1.0 - (offsets / (half + 1)) ** 2
    ramp = kernel * -offsets  # convolution turns the kernel round
    number = np.arange(len(at), dtype=np.float64)
    slope = (at[-1] - at[0]) / max(len(at) - 1, 1)
    flat = at - slope * number  # what is left is small: no digits are lost in long songs
    total = _around(weight, kernel)
    first = _around(weight, ramp)
    second = _around(weight, kernel * offsets**2)
    mean, lean = _around(weight * flat, kernel), _around(weight * flat, ramp)
    spread = total * second - first**2
    steep = spread > 1e-9 * total * second
    fitted = np.where(steep, (second * mean - first * lean) / np.where(steep, spread, 1.0), mean / total)
    return fitted + slope * number


def _around(values: Times, kernel: Times) -> Times:
    return np.convolve(values, kernel, "full")[len(kernel) // 2 :][: len(values)]
