"""Bass notes by pYIN (Mauch and Dixon 2014): a pitch per spectrum, cut into notes where it moves or is struck anew.

At 44.1 kHz pYIN takes longer than the song; a bass line needs no more than some 4 kHz, and there it takes seconds.
Its pitches are those of what is held, since a kick has one too; its onsets those of all that is low, since what is held
begins softly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import librosa
import numpy as np
import scipy.ndimage
import scipy.signal
import soxr
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.transcription.heard import BassNote, Stems
from offline.transcription.separation.spectral import bass_part

STEP: Final = 10
LOW_RATE: Final = RATE / STEP
FRAME: Final = 512  # 116 ms: three periods of the lowest string
HOP: Final = 64  # 14.5 ms
LOWEST: Final = 23  # B of a five-string bass
HIGHEST: Final = 55
PITCHES_PER_SEMITONE: Final = 2
"""pYIN's path is searched among all pairs of pitches: half the spacing takes four times as long and hears no more."""
PITCH_HZ: Final = 200.0
LEVEL_HZ: Final = 140.0
"""What lies above them is left out of pitches and of levels."""
AUDIBLE: Final = 0.1
"""Of the loudest: in a mix pYIN is rarely sure that there is a pitch, but mostly right about which."""
RISE: Final = 0.3  # of the level's logarithm within ``RISE_S``: what a note struck anew does, and a held one doesn't
RISE_S: Final = 0.04
SMOOTH: Final = 5
SHORTEST_S: Final = 0.05
_QUIET: Final = 1e-4

Pitches = NDArray[np.int64]
"""A MIDI note per spectrum; 0 where none sounds."""


@dataclass(frozen=True, slots=True)
class PYin:
    """The built-in that needs no weights."""

    @property
    def name(self) -> str:
        """For tables and provenance."""
        return "pyin"

    def bass_notes(self, stems: Stems) -> Sequence[BassNote]:
        """The notes of a stretch, one at a time."""
        if len(stems.bass) < FRAME * STEP:
            return []
        hz, voiced, sure = librosa.pyin(
            _below(PITCH_HZ, bass_part(stems.bass)),
            fmin=float(librosa.midi_to_hz(LOWEST - 0.5)),
            fmax=float(librosa.midi_to_hz(HIGHEST + 0.5)),
            sr=LOW_RATE,
            frame_length=FRAME,
            hop_length=HOP,
            resolution=1 / PITCHES_PER_SEMITONE,
            fill_na=None,
        )
        level = librosa.feature.rms(y=_below(LEVEL_HZ, stems.bass), frame_length=FRAME // 2, hop_length=HOP)[0]
        level = level[: len(hz)]
        sounds = voiced | (level > AUDIBLE * level.max(initial=_QUIET))
        pitches = np.where(sounds, np.round(librosa.hz_to_midi(hz)), 0).astype(np.int64)
        return cut(steady(pitches), level, sure)


def _below(hz: float, sound: Wave) -> Wave:
    """What lies below a frequency, at a tenth of the rate and in its place in time."""
    low = soxr.resample(sound, RATE, LOW_RATE, "MQ").astype(np.float32)
    return scipy.signal.sosfiltfilt(scipy.signal.butter(2, hz, fs=LOW_RATE, output="sos"), low).astype(np.float32)


def steady(pitches: Pitches) -> Pitches:
    """Without slips of a spectrum or two."""
    return scipy.ndimage.median_filter(pitches, SMOOTH, mode="nearest")


def cut(pitches: Pitches, level: NDArray[np.float32], sure: NDArray[np.float64]) -> list[BassNote]:
    """Notes where the pitch stays: a new one where it moves, or where the level rises as when a string is struck.

    Args:
        pitches: per spectrum.
        level: of the sound, per spectrum.
        sure: 0..1, that there is a pitch, per spectrum.
    """
    found: list[BassNote] = []
    loudest = max(float(level.max(initial=0.0)), _QUIET)
    edges = np.flatnonzero(np.diff(pitches)) + 1
    bounds = sorted({0, len(pitches), *edges.tolist(), *_struck(level, loudest).tolist()})
    for first, last in pairwise(bounds):
        pitch = int(pitches[first])
        if not pitch or (last - first) * HOP / LOW_RATE < SHORTEST_S:
            continue
        velocity = float(np.clip(level[first:last].max() / loudest, 0.0, 1.0))
        found.append(BassNote(_second(first), _second(last), pitch, velocity, float(np.mean(sure[first:last]))))
    return found


def _struck(level: NDArray[np.float32], loudest: float) -> NDArray[np.int64]:
    """Where the level rises quickly."""
    log = np.log(level + 0.01 * loudest)
    back = max(round(RISE_S * LOW_RATE / HOP), 1)
    rise = np.maximum(log - np.concatenate([np.full(back, log[0]), log[:-back]]), 0.0)
    peaks, _ = scipy.signal.find_peaks(rise, height=RISE, distance=max(round(SHORTEST_S * LOW_RATE / HOP), 1))
    return peaks


def _second(spectrum: int) -> float:
    return spectrum * HOP / LOW_RATE
