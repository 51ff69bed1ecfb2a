"""The energy of ``weave``'s bars, many at once: as they were learnt, and on the way while they are drawn.

It is ``core.energy``'s measure of hits that come as numbers: a kick is lane 0, the bass lane 4, velocities are 1..127,
lengths steps. Before each cell the network is told how far its bar is: the four sums so far, what they come to, how
much is left to the energy asked for, that energy, and whether there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.energy import (
    HALF_LOW_END,
    HALF_ONSETS,
    HALF_SYNCOPATION,
    HALF_VELOCITY,
    OFFBEAT,
    WEIGHT_DENSITY,
    WEIGHT_LOW_END,
    WEIGHT_SYNCOPATION,
    WEIGHT_VELOCITY,
)
from hitloopd.core.time import TICKS_PER_BEAT, TICKS_PER_STEP

Array = npt.NDArray[Any]

PARTS: Final = 4
LOUDEST: Final = 127
_WEIGHTS: Final = np.array((WEIGHT_DENSITY, WEIGHT_VELOCITY, WEIGHT_LOW_END, WEIGHT_SYNCOPATION))
_KICK, _BASS, _LANES = 0, 4, 5
_BEAT: Final = TICKS_PER_BEAT // TICKS_PER_STEP  # steps; a bass note counts up to that


def _of_loudness() -> Array:
    """What each part gains by a hit of full velocity: by lane, place of its cell in the beat, length up to a beat."""
    gains = np.zeros((_LANES, len(OFFBEAT), _BEAT + 1, PARTS))
    gains[..., 1] = 1 / HALF_VELOCITY
    gains[_KICK, ..., 2] = 1 / HALF_LOW_END
    gains[_BASS, ..., 2] = np.arange(_BEAT + 1) / _BEAT / HALF_LOW_END
    gains[..., 3] = np.array(OFFBEAT)[:, None] / HALF_SYNCOPATION
    return gains / LOUDEST


_GAINS: Final = _of_loudness()
_ONSET: Final = np.array([1 / HALF_ONSETS, 0.0, 0.0, 0.0])


def parts(lane: Any, cell: Any, velocity: Array, length: Array) -> Array:  # noqa: ANN401 - numbers or arrays of them
    """What hits add to the four sums ``[…, 4]``."""
    gains: Array = _GAINS[lane, cell % len(OFFBEAT), np.minimum(length, _BEAT)]
    gains *= velocity[..., None]
    gains += _ONSET
    return gains


def reached(sums: Array) -> Array:
    """The energies 0..1 that sums ``[…, 4]`` come to ``[…]``."""
    squares = sums * sums
    return np.asarray(squares / (1.0 + squares) @ _WEIGHTS)


def paces(sums: Array, aims: Array) -> Array:
    """What the network is told: ``float32 […, 8]`` for sums ``[…, 4]`` and energies asked for ``[…]``, below 0 any."""
    told = np.empty((*sums.shape[:-1], PARTS + 4), dtype=np.float32)
    energy = reached(sums)
    asked = aims >= 0
    told[..., :PARTS] = sums
    told[..., PARTS] = energy
    told[..., PARTS + 1] = (aims - energy) * asked
    told[..., PARTS + 2] = aims * asked
    told[..., PARTS + 3] = asked
    return told


class Way:
    """How far bars that are being drawn are on their ways to their energies.

    Args:
        aims: the energies asked for, below 0 for any.
    """

    def __init__(self, aims: Sequence[float]) -> None:
        self._aims = np.array(aims, dtype=np.float64)
        self._sums = np.zeros((len(aims), PARTS))

    def count(self, bars: Sequence[int], lane: int, cell: int, velocity: Array, length: Array) -> None:
        """One more hit in each of these bars."""
        self._sums[bars] += parts(lane, cell, velocity, length)

    def told(self) -> Array:
        """See ``paces``."""
        return paces(self._sums, self._aims)
