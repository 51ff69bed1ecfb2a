"""How likely each moment is a beat, and the first beat of a bar.

Conventions: frames and columns of ``beat_features``; probabilities are ``float32 [frames]``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.transcription.beat_features import BANDS, BASS, CHORDS, FPS, Features

GROUPS: Final = (slice(0, 4), slice(4, 12), slice(12, 24), slice(24, BANDS))
WEIGHTS: Final = (0.45, 0.2, 0.2, 0.15)
_RISE: Final = 3  # frames between the powers that are compared: 30 ms
_NEAR: Final = 2 * FPS
_CHANGE: Final = 40  # frames on either side that are compared for a change of harmony

Track = NDArray[np.float32]


class Sense(NamedTuple):
    """What was sensed, per frame."""

    beat: Track
    downbeat: Track


def sense_beats(features: Features) -> Sense:
    """The probabilities for a song."""
    rise = onset_strength(features)
    beat = np.clip(0.12 * rise, 0.0, 0.9) + 0.02
    low = _standing_out(_rises(features[:, GROUPS[0]]).mean(axis=1))
    change = _standing_out(_harmony(features[:, BASS]) + _harmony(features[:, CHORDS]))
    share = 1.0 / (1.0 + np.exp(-(0.25 * low + 0.5 * change - 2.0)))
    return Sense(beat.astype(np.float32), (beat * share).astype(np.float32))


def onset_strength(features: Features) -> Track:
    """By how much each frame's rise in power stands out of its neighbourhood; the low end counts most."""
    total = np.zeros(len(features), np.float32)
    for group, weight in zip(GROUPS, WEIGHTS, strict=True):
        total += np.float32(weight) * _standing_out(_rises(features[:, group]).mean(axis=1))
    return total


def _rises(power_db: Features) -> Features:
    before = np.concatenate([np.repeat(power_db[:1], _RISE, axis=0), power_db[: len(power_db) - _RISE]])
    return np.clip(power_db - before, 0.0, 30.0)


def _standing_out(track: Track) -> Track:
    near = scipy.ndimage.uniform_filter1d(track, 2 * _NEAR, mode="nearest")
    spread = np.sqrt(np.maximum(scipy.ndimage.uniform_filter1d(track**2, 2 * _NEAR, mode="nearest") - near**2, 0.0))
    return (np.clip((track - near) / (spread + 0.5), 0.0, 8.0)).astype(np.float32)


def _harmony(chroma: Features) -> Track:
    """How unlike the pitch classes after a frame are those before it."""
    sums = np.concatenate([np.zeros((1, chroma.shape[1]), np.float64), np.cumsum(chroma, axis=0, dtype=np.float64)])
    at = np.arange(len(chroma))
    after = sums[np.minimum(at + _CHANGE, len(chroma))] - sums[at]
    before = sums[at] - sums[np.maximum(at - _CHANGE, 0)]
    return (np.abs(after - before).sum(axis=1) / _CHANGE).astype(np.float32)
