"""What the drum network looks at: the level of each band, 98 times a second, whatever the loudness of the song.

Conventions: frame ``t`` is centred on second ``t / FPS``. Levels are in decibels relative to the loud frames of the
stretch, scaled so that 0 is 60 dB below them and 1 is as loud as they are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.mel import LOW_BANDS, mel_power

HOP: Final = 448
FPS: Final = RATE / HOP
BANDS: Final = 64
SIZE: Final = BANDS + LOW_BANDS
RANGE_DB: Final = 60.0
LOUD: Final = 0.95  # of the frames are quieter than the loud ones

Levels = NDArray[np.float32]


def log_power(sound: Wave) -> Levels:
    """Common logarithm of the power of all bands: ``float32 [frames, SIZE]``."""
    return np.log10(mel_power(sound, bands=BANDS, hop=HOP))


def reference(log: Levels) -> float:
    """The level of the loud frames of a stretch, by their strongest bands."""
    return float(np.quantile(log.max(axis=1), LOUD))


def levels(log: Levels, loud: float) -> Levels:
    """What the network sees, ``float32 [frames, SIZE]``: 0..1, and a little more where it is louder than usual."""
    return np.maximum((log - np.float32(loud)) * np.float32(10.0 / RANGE_DB) + np.float32(1.0), np.float32(0.0))
