"""Whether a table of onsets has them all: a lane whose own sound is heard where the table has nothing is not judged.

Such tables come from detectors, which miss a sound that rings until it is struck again. Each sixteenth of the bars is
looked at in the bands where the lane's sound is: where it rises to the same level as at an onset of the table, it is
the same sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import Lane
from hitloopd.core.time import BEATS_PER_BAR, CELLS_PER_BAR
from offline.audio import RATE, Wave

BANDS_HZ: Final[Mapping[Lane, Sequence[tuple[float, float]]]] = {
    Lane.KICK: ((60, 120), (120, 250)),
    Lane.SNARE: ((150, 500), (1000, 4000)),
    Lane.HIHAT: ((4000, 8000), (8000, 16_000)),
    Lane.CYMBAL: ((2000, 8000), (8000, 16_000)),
}
ALIKE_DB: Final = 3.0
RISE_DB: Final = 6.0
ENOUGH: Final = 0.9
"""The least share of a lane's sounds that a table must have."""
LOOK_S: Final = 0.06
NEAR: Final = 0.35  # of a sixteenth: so near to an onset of the table a place is that onset
_FLOOR: Final = 1e-9


def share_told(sound: Wave, lane: Lane, onsets_s: Sequence[float], bpm: float) -> float:
    """The share of a lane's sounds that the table has, 0 to 1.

    Args:
        sound: in which it was detected; its first sample is a bar line.
        lane: decides the bands.
        onsets_s: of the table.
        bpm: the tempo.
    """
    known = np.array([_level_db(sound, time, lane) for time in onsets_s])
    sixteenth_s = 60.0 / bpm * BEATS_PER_BAR / CELLS_PER_BAR
    told = np.asarray(onsets_s)
    missing = 0
    for place_s in np.arange(sixteenth_s, len(sound) / RATE - LOOK_S, sixteenth_s):
        if np.abs(told - place_s).min() > NEAR * sixteenth_s:
            level = _level_db(sound, place_s, lane)
            rises = (level - _level_db(sound, place_s - LOOK_S, lane)).max() >= RISE_DB
            missing += bool(rises and (np.abs(known - level).max(axis=1) <= ALIKE_DB).any())
    return len(told) / (len(told) + missing)


def complete_lanes(sound: Wave, onsets: Mapping[Lane, Sequence[float]], bpm: float) -> dict[Lane, float]:
    """The lanes of a table, each with the share of its sounds that it has."""
    return {lane: share_told(sound, lane, times, bpm) for lane, times in onsets.items()}


def _level_db(sound: Wave, start_s: float, lane: Lane) -> NDArray[np.float64]:
    start = max(round(start_s * RATE), 0)
    piece = sound[start : start + round(LOOK_S * RATE)].astype(np.float64)
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2 / max(len(piece), 1)
    hz = np.fft.rfftfreq(len(piece), 1 / RATE)
    return np.array([10 * np.log10(power[(hz >= low) & (hz < high)].sum() + _FLOOR) for low, high in BANDS_HZ[lane]])
