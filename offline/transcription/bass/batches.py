"""Batches for the bass network: stretches of lessons, mixed anew, transposed and coloured; a draw decides each.

Basses are laid over other lessons' accompaniments too, so that some hundred lessons are as good as many thousand.
Amplitudes are added as powers are: what truly happens where both are loud depends on phases that nobody kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from offline.transcription.bass.sight import (
    BANDS,
    COARSE,
    PER_SEMITONE,
    PITCHES,
    QUIETEST,
    SILENCE,
    SILENT,
    Sight,
    levels,
)
from offline.transcription.bass.study import UNKNOWN, Page, targets

FRAMES: Final = 384
"""7 s."""
AS_IT_IS: Final = 0.35
"""Share of the stretches that are left as they were mixed."""
OWN_REST: Final = 0.45
"""Share of the others whose accompaniment is their own."""
NO_BASS: Final = 0.06
ALONE: Final = 0.06
BALANCE_DB: Final = (-13.0, 9.0)
"""Of the bass against the rest, in the bands of the slow spectrum."""
TRANSPOSED: Final = 5
COLOUR_DB: Final = 5.0
LEVEL_DB: Final = 2.0
_LOG_SILENT: Final = float(np.log10(SILENT))


def batch(pages: Sequence[Page], size: int, draw: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Levels ``[size, FRAMES, SIZE]``, onsets and indices of pitches ``[size, FRAMES]``."""
    with_bass = [page for page in pages if len(page.notes)]
    parts = [_stretch(with_bass, pages, draw) for _ in range(size)]
    seen, onsets, pitches = (torch.from_numpy(np.stack(column)) for column in zip(*parts, strict=True))
    return seen, onsets, pitches


Part = tuple[Sight, NDArray[np.float32], NDArray[np.int64]]


def _stretch(with_bass: Sequence[Page], pages: Sequence[Page], draw: np.random.Generator) -> Part:
    page = with_bass[int(draw.integers(len(with_bass)))]
    first = _start(page.mix, draw)
    onset, pitch = (column[first : first + FRAMES] for column in targets(page.notes, len(page.mix)))
    if draw.random() < AS_IT_IS:
        seen = _cut(page.mix, first)
    else:
        own = draw.random() < OWN_REST
        other = page if own else pages[int(draw.integers(len(pages)))]
        rest = _cut(other.rest, first if own else _start(other.rest, draw))
        seen, silent = _remixed(_cut(page.bass, first), rest, draw)
        if silent:
            onset, pitch = np.zeros_like(onset), np.full_like(pitch, SILENCE)
    steps = int(draw.integers(-TRANSPOSED, TRANSPOSED + 1))
    seen, pitch = _transposed(seen, pitch, steps)
    short = FRAMES - len(onset)
    onset = np.pad(onset, (0, short))
    pitch = np.pad(pitch, (0, short), constant_values=UNKNOWN)
    return levels(seen + np.float32(draw.normal() * LEVEL_DB / 20)), onset, pitch


def _start(seen: NDArray[np.float16], draw: np.random.Generator) -> int:
    return int(draw.integers(0, max(len(seen) - FRAMES, 0) + 1))


def _cut(seen: NDArray[np.float16], first: int) -> Sight:
    part = seen[first : first + FRAMES].astype(np.float32)
    return np.pad(part, ((0, FRAMES - len(part)), (0, 0)), constant_values=_LOG_SILENT)


def _remixed(bass: Sight, rest: Sight, draw: np.random.Generator) -> tuple[Sight, bool]:
    """Both at another balance and in another colour; whether the bass was left out."""
    kind = draw.random()
    rest = rest + _colour(draw)
    if kind < NO_BASS:
        return rest, True
    bass = bass + _colour(draw)
    if kind < NO_BASS + ALONE:
        return bass, False
    under, over = _loudness(rest), _loudness(bass)
    if under <= QUIETEST:
        return bass, False
    balance = draw.uniform(*BALANCE_DB) / 20 + under - over
    return 0.5 * np.log10(100.0 ** (bass + np.float32(balance)) + 100.0**rest), False


def _loudness(seen: Sight) -> float:
    """Common logarithm of the mean amplitude of the lows, in the louder half of the frames."""
    level = np.sort((10.0 ** seen[:, :BANDS]).mean(axis=1))
    return max(float(np.log10(level[len(level) // 2 :].mean())), QUIETEST)


def _colour(draw: np.random.Generator) -> Sight:
    """A smooth curve over the frequencies, the same in all three spectra."""
    points = draw.normal(0.0, COLOUR_DB / 20, 8).cumsum() * 0.5
    fine = np.interp(np.linspace(0, 4, BANDS), np.arange(8), points)
    coarse = np.interp(np.linspace(1, 7, COARSE), np.arange(8), points)
    return np.concatenate([fine, fine, coarse]).astype(np.float32)


def _transposed(seen: Sight, pitch: NDArray[np.int64], semitones: int) -> tuple[Sight, NDArray[np.int64]]:
    """All of it in another key; a note that leaves the range is unknown."""
    if not semitones:
        return seen, pitch
    seen = seen.copy()
    bands = semitones * PER_SEMITONE
    for first in (0, BANDS):
        part = np.roll(seen[:, first : first + BANDS], bands, axis=1)
        hole = slice(0, bands) if bands > 0 else slice(BANDS + bands, BANDS)
        part[:, hole] = part[:, bands if bands > 0 else BANDS + bands - 1][:, None]
        seen[:, first : first + BANDS] = part
    speaks = (pitch != SILENCE) & (pitch != UNKNOWN)
    moved = np.where(speaks, pitch + semitones, pitch)
    return seen, np.where(speaks & ((moved < 0) | (moved >= PITCHES)), UNKNOWN, moved)
