"""From what the network says per frame to notes, one at a time.

A note begins where the onset's curve has a peak. Its pitch is what most of its first part says, its end the first lull
or the next note; where the pitch moves for good without an onset, as in a slide, the note is cut there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from offline.transcription.bass.sight import HOP_S, LOWEST, SILENCE
from offline.transcription.heard import BassNote

APART: Final = 3
"""Frames between two onsets, at least."""
SPEAKS: Final = 20
"""Frames from its onset that decide a note's pitch: what rings longer is no surer, and may be another note's."""
LULL: Final = 3
"""Frames of silence that end a note."""
MOVED: Final = 5
"""Frames on another pitch that are a new note."""

Says = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Strictness:
    """What is asked of a note.

    Args:
        onset: the curve's least height at its peak, 0..1.
        sound: the least probability, at its best in the note's first part, that a bass sounds at all.
    """

    onset: float = 0.4
    sound: float = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What the network says of a stretch, per frame.

    Args:
        onset: probability that a note begins.
        pitch: probabilities ``[frames, pitches and silence]``.
        loudness: 0..1, to take velocities from.
    """

    onset: Says
    pitch: Says
    loudness: Says


def notes_of(said: Said, strictness: Strictness) -> list[BassNote]:
    """The notes of a stretch."""
    peaks = _peaks(said.onset, strictness.onset)
    found: list[BassNote] = []
    for first, last in pairwise([*peaks, len(said.onset)]):
        found += _between(first, last, said, strictness)
    return found


def _peaks(onset: Says, least: float) -> list[int]:
    padded = np.concatenate([[0.0], onset, [0.0]])  # a peak may be the first frame or the last
    peaks, _ = scipy.signal.find_peaks(padded, height=least, distance=APART)
    return (peaks - 1).tolist()


def _between(first: int, last: int, said: Said, strictness: Strictness) -> list[BassNote]:
    """The note that begins at an onset, and those that it slides to before the next."""
    sounding = 1.0 - said.pitch[first : min(first + SPEAKS, last), SILENCE]
    if sounding.max() < strictness.sound:
        return []
    found: list[BassNote] = []
    for start, stop in _slides(first, first + _lull(said.pitch[first:last, SILENCE]), said.pitch):
        spoken = said.pitch[start : min(start + SPEAKS, stop), :SILENCE].mean(axis=0)
        index = int(spoken.argmax())
        start_s = (start + _aside(said.onset, start) if start == first else start) * HOP_S
        velocity = float(np.clip(said.loudness[start:stop].max(), 0.0, 1.0))
        found.append(BassNote(max(start_s, 0.0), stop * HOP_S, index + LOWEST, velocity, float(spoken[index])))
    return found


def _lull(silence: Says) -> int:
    """Frames until a lull begins; all of them if none does. A note has at least one."""
    quiet = (silence > 0.5).astype(int)
    runs = np.convolve(quiet, np.ones(LULL, int), "valid") == LULL if len(quiet) >= LULL else np.zeros(0, bool)
    begins = np.flatnonzero(runs[1:]) + 1  # the attack itself may still look like silence
    return int(begins[0]) if len(begins) else len(silence)


def _slides(first: int, end: int, pitch: Says) -> Sequence[tuple[int, int]]:
    """The stretches between two onsets on which the pitch stays."""
    best = pitch[first:end, :SILENCE].argmax(axis=1)
    bounds, current = [first], int(np.bincount(best[:SPEAKS]).argmax()) if len(best) else 0
    run = 0
    for index in range(MOVED, len(best)):
        run = run + 1 if best[index] != current and best[index] == best[index - 1] else 0
        if run == MOVED:
            bounds.append(first + index - MOVED)
            current, run = int(best[index]), 0
    return list(zip(bounds, [*bounds[1:], end], strict=True))


def _aside(onset: Says, peak: int) -> float:
    """How far beside the frame the peak's parabola has its top, -0.5..0.5."""
    if not 0 < peak < len(onset) - 1:
        return 0.0
    left, middle, right = (float(value) for value in onset[peak - 1 : peak + 2])
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
