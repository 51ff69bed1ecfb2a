"""The bank: every sound of a kit in one array, with silence between, so that a voice is an index and nothing else.

Conventions: lanes are numbered as in ``core.pattern.LANES``; sound is mono ``float32``. Between any two sounds lie at
least ``GUARD`` zeros: a voice that starts inside a block, or ends in one, reads silence there and needs no test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.kit import Kit
from hitloopd.core.pattern import LANES, Lane

Sound = NDArray[np.floating[Any]]

GUARD: Final = 8192  # frames of silence between sounds; the largest block
PITCH_COUNT: Final = 128


@dataclass(frozen=True, slots=True)
class Bank:
    """A kit ready to be played.

    Args:
        kit: what it was made from.
        rate: frames per second of every sound.
        data: ``float32 [frames]``, all sounds and the silence between them.
        starts: ``int64 [lanes, 128]``, where a lane's sound at a pitch begins in ``data``; -1 for none.
        lengths: ``int64 [lanes, 128]`` in frames.
    """

    kit: Kit
    rate: int
    data: Sound
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def has(self, lane: int) -> bool:
        """Whether the lane sounds at all."""
        return bool((self.starts[lane] >= 0).any())

    def nearest_pitch(self, lane: int, pitch: int) -> int:
        """``pitch`` if it was made, else the nearest octave of it, else the nearest at all; -1 on a silent lane."""
        row = self.starts[lane]
        if 0 <= pitch < PITCH_COUNT and row[pitch] >= 0:
            return pitch
        made = np.flatnonzero(row >= 0)
        if not len(made):
            return -1
        octaves = made[(made - pitch) % 12 == 0]
        pool = octaves if len(octaves) else made
        return int(pool[np.argmin(np.abs(pool - pitch))])

    @property
    def pitches(self) -> frozenset[int]:
        """The bass notes that were made."""
        return frozenset(int(p) for p in np.flatnonzero(self.starts[LANES.index(Lane.BASS)] >= 0))


def make_bank(kit: Kit, rate: int, drums: Mapping[Lane, Sound], bass: Mapping[int, Sound]) -> Bank:
    """Lay sounds out in one array.

    Args:
        kit: what they belong to.
        rate: their frames per second.
        drums: lane -> sound, the same at every pitch.
        bass: MIDI note -> sound.
    """
    starts = np.full((len(LANES), PITCH_COUNT), -1, dtype=np.int64)
    lengths = np.zeros((len(LANES), PITCH_COUNT), dtype=np.int64)
    rows = [(LANES.index(lane), slice(None), sound) for lane, sound in drums.items()]
    rows += [(LANES.index(Lane.BASS), slice(p, p + 1), sound) for p, sound in bass.items()]
    data = np.zeros(GUARD + sum(len(sound) + GUARD for _, _, sound in rows), dtype=np.float32)
    at = GUARD
    for lane, pitches, sound in rows:
        data[at : at + len(sound)] = sound
        starts[lane, pitches] = at
        lengths[lane, pitches] = len(sound)
        at += len(sound) + GUARD
    return Bank(kit, rate, data, starts, lengths)
