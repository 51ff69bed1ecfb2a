"""The default method: sounds are looked for where something begins, and judged by their shape from there on.

An onset detector gives the places, the attack is found in the waveform, the listener tells the class from the shape
above the background, and the references tell what it resembles most.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.classes import LANE_OF, References
from offline.extraction.found import Found, without_doubles
from offline.extraction.listener import LABELS, Listener, Scores, outlines, sound_shape
from offline.extraction.mel import HOP, mel_power
from offline.extraction.onsets import find_onsets, refine
from offline.extraction.pack import LANES
from offline.extraction.planted import trimmed
from offline.extraction.shapes import shapes

APART: Final = round(0.06 * RATE)
LONGEST_S: Final[Mapping[str, float]] = {"kick": 0.7, "snare": 0.7, "hihat": 0.6, "cymbal": 2.0, "bass": 1.6}
EDGE: Final = round(0.5 * RATE)
SHORT: Final = 3 * RATE
BEGINNING: Final = round(0.04 * RATE)
TAIL: Final = round(1.5 * RATE)
"""In an overlap of 2 s the first stretch owns what begins before its last 1.5 s, the next what comes after."""


class OnsetFinder:
    """Finds the references' lanes in one recording."""

    def __init__(self, references: References, listener: Listener) -> None:
        self._listener = listener
        self._lanes = references.lanes
        self._shapes = reference_outlines(references)
        self._kinds = np.array([LABELS.index(item.kind) for item in references.items])

    def find(self, sound: Wave, start: int, *, last: bool) -> Sequence[Found]:
        """What begins in the stretch, best first."""
        power = mel_power(sound)
        onsets = find_onsets(power)
        begins = refine(sound, onsets.frames)
        owned = (begins >= (EDGE if start else self._from(sound, last=last))) & ((begins < len(sound) - TAIL) | last)
        begins, strengths = begins[owned], onsets.scores[owned]
        seen = shapes(power, (begins + HOP // 2) // HOP)
        return self._named(start + begins, strengths, self._listener.listen(seen), outlines(seen))

    def _from(self, sound: Wave, *, last: bool) -> int:
        """A long recording that begins in noise has no onset there; a short one may have been cut to its attack."""
        return 0 if last and len(sound) < SHORT else BEGINNING

    def _named(
        self, begins: NDArray[np.int64], strengths: NDArray[np.float32], scores: Scores, drawn: Scores
    ) -> list[Found]:
        found: list[Found] = []
        alike = drawn @ self._shapes.T
        for number, begin in enumerate(begins):
            lane, kind, confidence = best_lane(scores[number], self._lanes)
            fitting = np.flatnonzero([LANE_OF[LABELS[k]] == lane for k in self._kinds])
            reference = int(fitting[alike[number, fitting].argmax()])
            length = round(LONGEST_S[lane] * RATE)
            found.append(
                Found(int(begin), length, lane, kind, confidence, reference, drawn[number], float(strengths[number]))
            )
        return without_doubles(found, APART)


def best_lane(scores: Scores, lanes: Sequence[str] = LANES) -> tuple[str, str, float]:
    """The likeliest lane, the likeliest class in it, and the lane's probability."""
    of_lane = {lane: [k for k, label in enumerate(LABELS) if LANE_OF.get(label) == lane] for lane in lanes}
    sums = {lane: float(scores[members].sum()) for lane, members in of_lane.items()}
    lane = max(sums, key=lambda name: sums[name])
    kind = LABELS[max(of_lane[lane], key=lambda k: float(scores[k]))]
    return lane, kind, min(sums[lane], 1.0)


@functools.lru_cache(maxsize=8)
def reference_outlines(references: References) -> Scores:
    """How the references sound, one unit vector each."""
    return np.concatenate([outlines(sound_shape(trimmed(item.sound))) for item in references.items])
