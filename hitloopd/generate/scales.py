"""Scales: which of the sixteen bass semitones a line may use."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

from hitloopd.core.errors import UnknownNameError, nearest
from hitloopd.core.pattern import PITCHES

SCALES: Final[Mapping[str, tuple[int, ...]]] = {
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic-minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic-minor": (0, 2, 3, 5, 7, 9, 11),
    "phrygian-dominant": (0, 1, 4, 5, 7, 8, 10),
    "minor-pentatonic": (0, 3, 5, 7, 10),
    "major-pentatonic": (0, 2, 4, 7, 9),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole-tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}


@functools.cache
def ladder(scale: str) -> tuple[int, ...]:
    """Semitones 0..15 of the degrees 1, 2, 3 … of a seven-note reading of ``scale``.

    A scale with more or fewer notes is read through minor or major, each degree at the scale's nearest note: so a fifth
    stays a fifth in the pentatonic.

    >>> ladder("minor")
    (0, 2, 3, 5, 7, 8, 10, 12, 14, 15)

    Raises:
        UnknownNameError: there is no such scale.
    """
    if scale not in SCALES:
        raise UnknownNameError(f"There is no scale '{scale}'; valid are {', '.join(SCALES)}.{nearest(scale, SCALES)}")
    tones = SCALES[scale]
    if len(tones) == 7:
        degrees = tones
    else:
        frame = SCALES["minor" if 3 in tones else "major"]
        degrees = tuple(min(tones, key=lambda tone: (abs(tone - want), tone)) for want in frame)
    return tuple(sorted(tone + octave for octave in (0, 12) for tone in degrees if tone + octave < PITCHES))
