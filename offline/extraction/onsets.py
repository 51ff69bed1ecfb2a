"""Where something begins: a multi-band detector on mel power, then the attack itself in the waveform.

Conventions: the detector speaks in frames of ``mel.HOP``, the refinement in frames of the sound. Both look at ratios
only, so neither level nor the colour of the background matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.audio import Wave
from offline.extraction.mel import BANDS, HOP, Power

GROUPS: Final[Sequence[slice]] = (slice(0, 3), slice(3, 10), slice(10, 22), slice(22, 40), slice(0, 40))
"""Bands that rise together: kicks, toms and basses; bodies; presence; hats; everything at once."""
BEFORE: Final = (10, 2)  # frames before the onset that are its background: 58 to 12 ms
AFTER: Final = 4  # frames from the onset: 23 ms
CEILING_DB: Final = 30.0
APART: Final = 6  # frames between two onsets: 35 ms
LOWEST_SCORE: Final = 3.5
PER_SECOND: Final = 12.0
"""At most so many onsets a second of a stretch, the strongest ones: rain has hundreds."""

_LEFT: Final = 1100  # frames before the detected one in which the attack is looked for (25 ms), and the model's past
_RIGHT: Final = 700
_PAST: Final = 1500
_ORDER: Final = 12


@dataclass(frozen=True, slots=True)
class Onsets:
    """What begins in a stretch: frames of the mel grid, ascending, and by how many deviations each stands out."""

    frames: NDArray[np.int64]
    scores: NDArray[np.float32]


def find_onsets(power: Power, *, per_second: float = PER_SECOND) -> Onsets:
    """Frames in which some group of bands rises more than the recording's own unrest explains."""
    score = novelty(power)
    peaks = np.flatnonzero((score == scipy.ndimage.maximum_filter1d(score, 2 * APART - 1)) & (score >= LOWEST_SCORE))
    most = max(round(per_second * len(power) * HOP / 44_100), 1)
    if len(peaks) > most:
        peaks = np.sort(peaks[np.argsort(-score[peaks], kind="stable")[:most]])
    return Onsets(peaks, score[peaks])


def novelty(power: Power) -> NDArray[np.float32]:
    """By how many deviations the most striking group of bands rises, for every frame."""
    rise = np.clip(_rise(power[:, :BANDS]), 0.0, CEILING_DB)
    best = np.zeros(len(power), np.float32)
    for group in GROUPS:
        track = rise[:, group].mean(axis=1)
        middle = float(np.median(track))
        spread = 1.4826 * float(np.median(np.abs(track - middle)))
        # 1 dB: in a recording of digital silence any whisper would otherwise be a sensation
        np.maximum(best, (track - middle) / max(spread, 1.0), out=best)
    return best


def _rise(power: Power) -> NDArray[np.float32]:
    sums = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0, dtype=np.float64)])
    last = len(power)
    at = np.arange(last)
    start, stop = np.maximum(at - BEFORE[0], 0), np.maximum(at - BEFORE[1] + 1, 1)
    before = (sums[stop] - sums[start]) / (stop - start)[:, None]
    end = np.minimum(at + AFTER, last)
    after = (sums[end] - sums[at]) / (end - at)[:, None]
    return (10.0 * np.log10(np.maximum(after, 1e-12) / np.maximum(before, 1e-12))).astype(np.float32)


def refine(sound: Wave, frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first frame of each attack.

    The background just before is modelled by linear prediction; what the model can't predict is the event. The attack
    is where splitting that residual into "before" and "after" makes both most likely (Akaike's criterion, as
    seismologists pick arrivals), so a soft kick in a loud rumble is found where it starts and not where it peaks.
    """
    if not len(frames):
        return np.zeros(0, np.int64)
    padded = np.pad(sound.astype(np.float32), (_PAST + _LEFT, _RIGHT))
    spans = frames[:, None] * HOP + np.arange(_PAST + _LEFT + _RIGHT)
    windows = padded[np.minimum(spans, len(padded) - 1)]
    residual = _unpredicted(windows)[:, _PAST - _LEFT // 2 :]
    return np.clip(frames * HOP - _LEFT - _LEFT // 2 + _split(residual), 0, max(len(sound) - 1, 0))


def _unpredicted(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    past = windows[:, :_PAST] - windows[:, :_PAST].mean(axis=1, keepdims=True)
    weights = _prediction(past)
    out = windows - windows[:, :_PAST].mean(axis=1, keepdims=True)
    result = out.copy()
    for lag in range(1, _ORDER + 1):
        result[:, lag:] += weights[:, lag - 1 : lag] * out[:, :-lag]
    return result


def _prediction(past: NDArray[np.float32]) -> NDArray[np.float32]:
    """Levinson's recursion for all windows at once."""
    lags = np.stack(
        [np.einsum("ij,ij->i", past[:, : past.shape[1] - lag], past[:, lag:]) for lag in range(_ORDER + 1)], axis=1
    ).astype(np.float64)
    lags[:, 0] = lags[:, 0] * (1 + 1e-4) + 1e-9
    weights = np.zeros((len(past), _ORDER))
    error = lags[:, 0].copy()
    for step in range(_ORDER):
        reflection = -(lags[:, step + 1] + np.einsum("ij,ij->i", weights[:, :step], lags[:, step:0:-1])) / error
        weights[:, :step] += reflection[:, None] * weights[:, :step][:, ::-1]
        weights[:, step] = reflection
        error *= 1 - reflection**2
    return weights.astype(np.float32)


def _split(residual: NDArray[np.float32]) -> NDArray[np.int64]:
    energy = np.cumsum(residual.astype(np.float64) ** 2, axis=1)
    count = residual.shape[1]
    at = np.arange(64, count - 64)
    before = energy[:, at] / at
    after = (energy[:, -1:] - energy[:, at]) / (count - at)
    cost = at * np.log(before + 1e-14) + (count - at) * np.log(after + 1e-14)
    return at[cost.argmin(axis=1)] + 1
