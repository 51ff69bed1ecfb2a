"""What a method finds in a recording, and the shape every method has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave


@dataclass(frozen=True, slots=True)
class Found:
    """One place in a recording.

    Args:
        start: frame at ``RATE`` from the start of the recording.
        length: frames of the window, or the longest it may be cut.
        lane: one of the five.
        kind: one of the ten classes.
        confidence: 0..1.
        reference: index of the reference it resembles most.
        outline: unit vector that tells how alike two places sound.
        strength: by how many deviations its onset stands out; 0 where none was looked for.
    """

    start: int
    length: int
    lane: str
    kind: str
    confidence: float
    reference: int
    outline: NDArray[np.float32]
    strength: float = 0.0

    @property
    def start_s(self) -> float:
        """Seconds from the start of the recording."""
        return self.start / RATE


class Finder(Protocol):
    """A method at work on one recording: it gets the stretches in order and may remember."""

    def find(self, sound: Wave, start: int, *, last: bool) -> Sequence[Found]:
        """What the stretch that begins at frame ``start`` holds; nothing is found twice where stretches overlap."""
        ...


def without_doubles(found: Sequence[Found], apart: int) -> list[Found]:
    """The most confident of those that begin within ``apart`` frames of each other; best first."""
    ranked = sorted(found, key=lambda one: (-one.confidence, one.start, one.lane))
    taken: dict[int, int] = {}  # a cell of ``apart`` frames holds one at most
    kept: list[Found] = []
    for one in ranked:
        cell = one.start // apart
        if all(abs(taken.get(near, -apart) - one.start) >= apart for near in (cell - 1, cell, cell + 1)):
            taken[cell] = one.start
            kept.append(one)
    return kept
