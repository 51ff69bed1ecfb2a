"""What the beat network is shown of the features: levels against their neighbourhood, rises, changes of harmony.

Conventions: ``float32 [CHANNELS, frames]``, frames of ``beat_features``. Nothing depends on how loud a song is.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.transcription.beats.features import BANDS, BASS, CHORDS, FPS, Features

SPANS: Final = (20, 80)
"""Frames on either side that are compared for a change of harmony."""
CHANNELS: Final = 2 * BANDS + 2 * len(SPANS) + 1
CONTEXT: Final = 15 * FPS
"""Frames on either side that a sight, and what is told of it, depend on."""
_RISE: Final = 2  # frames between the levels that are compared
_NEAR: Final = 8 * FPS
_LEVEL_DB: Final = 20.0
_RISE_DB: Final = (30.0, 10.0)  # at most, and the unit

Sight = NDArray[np.float32]


def beat_sight(features: Features) -> Sight:
    """The sight of a song or of a stretch."""
    power = features[:, :BANDS]
    near = scipy.ndimage.uniform_filter1d(power, _NEAR, axis=0, mode="nearest")
    level = np.clip((power - near) / _LEVEL_DB, -2.0, 2.0)
    rise = rises(power, _RISE) / _RISE_DB[1]
    changes = [harmony(features[:, columns], span) for columns in (BASS, CHORDS) for span in SPANS]
    whole = level.mean(axis=1, keepdims=True)
    return np.concatenate([level, rise, np.stack(changes, axis=1), whole], axis=1).T.astype(np.float32)


def rises(power_db: Features, frames: int) -> Features:
    """By how much each band is louder than it was some frames before; 0 where it is not."""
    before = np.concatenate([np.repeat(power_db[:1], frames, axis=0), power_db[: len(power_db) - frames]])
    return np.clip(power_db - before[: len(power_db)], 0.0, _RISE_DB[0])


def harmony(chroma: Features, span: int) -> NDArray[np.float32]:
    """How unlike the pitch classes after a frame are those before it, 0 to 2."""
    sums = np.concatenate([np.zeros((1, chroma.shape[1])), np.cumsum(chroma, axis=0, dtype=np.float64)])
    at = np.arange(len(chroma))
    after = sums[np.minimum(at + span, len(chroma))] - sums[at]
    before = sums[at] - sums[np.maximum(at - span, 0)]
    return (np.abs(after - before).sum(axis=1) / span).astype(np.float32)
