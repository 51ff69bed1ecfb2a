"""The paper's future work, word by word: k nearest neighbours by cosine distance over many references, no threshold.

Windows slide as in the paper's method, each reference with its own length. Where its windows begin, the references that
are nearest vote, and among the neighbours are windows of the recording itself, drawn from all over it: a place whose
neighbours are mostly those is "none of these".
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.classes import LANE_OF, NONE, References
from offline.extraction.distances import Grid, Template, stride_of, template
from offline.extraction.found import Found, without_doubles
from offline.extraction.onset_method import reference_outlines
from offline.extraction.spectral import HOP, Features, Spectra, spectra
from offline.extraction.window_method import gate

NEAREST: Final = 5
OWN: Final = 24
"""Windows of the recording itself that stand for "none"."""
FRAMES: Final = 17
"""Frames of a window in which all references are compared: 0.23 s; shorter ones are compared over their own."""
APART: Final = round(0.1 * RATE)


class NeighbourFinder:
    """Lets neighbours vote on the windows of one recording."""

    def __init__(self, references: References) -> None:
        self._items = references.items
        self._templates = shortened(references)
        self._outlines = reference_outlines(references)
        self._lanes = np.array([item.lane for item in references.items])

    def find(self, sound: Wave, start: int, *, last: bool) -> Sequence[Found]:
        """Windows of the stretch whose neighbours agree on a lane."""
        if len(sound) < HOP:
            return []
        shared = spectra(sound)
        stride = stride_of(FRAMES)
        begins = np.arange(0, max(len(shared) - FRAMES + 1, 0), stride)
        if not len(begins):
            return []
        references = self._at(shared, begins)
        own = self._own(shared, begins)
        passed = gate(sound, shared)
        found: list[Found] = []
        first = start // HOP
        for number, begin in enumerate(begins):
            owned = last or begin < len(shared) - 172 - stride
            if owned and passed[begin : begin + FRAMES].all():
                one = self._vote(references[number], own[number], (first + int(begin)) * HOP)
                found += [one] if one is not None else []
        return without_doubles(found, APART)

    def _at(self, shared: Spectra, begins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Combined distance of every reference to the windows: ``float64 [windows, references]``."""
        grid = Grid(shared)
        out = np.empty((len(begins), len(self._templates)))
        for number, distances in enumerate(grid.distances(self._templates)):
            sums = distances.sum(axis=1)
            nearest = np.clip(np.rint(begins / self._templates[number].stride).astype(int), 0, len(sums) - 1)
            out[:, number] = sums[nearest]
        return out

    def _own(self, shared: Spectra, begins: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same to windows of the recording itself, evenly drawn; a window is no neighbour of its own place."""
        places = begins[np.linspace(0, len(begins) - 1, min(OWN, len(begins))).astype(int)]
        drawn = [Template(0, FRAMES, shared.window(int(place), FRAMES)) for place in np.unique(places)]
        out = np.stack([d.sum(axis=1)[: len(begins)] for d in Grid(shared).distances(drawn)], axis=1)
        near = np.abs(begins[:, None] - np.unique(places)[None, :]) < FRAMES
        return np.where(near, np.inf, out)

    def _vote(self, references: NDArray[np.float64], own: NDArray[np.float64], start: int) -> Found | None:
        distances = np.concatenate([references, own])
        nearest = np.argsort(distances, kind="stable")[:NEAREST]
        weights = 1.0 / (distances[nearest] + 1e-3)
        votes = dict.fromkeys({*LANE_OF.values()}, 0.0)
        for place, weight in zip(nearest, weights, strict=True):
            votes[self._lanes[place] if place < len(references) else NONE] += float(weight)
        lane = max((name for name in votes if name != NONE), key=lambda name: votes[name])
        share = votes[lane] / sum(votes.values())
        if votes[lane] <= 0 or share < 1 / NEAREST / 2:
            return None
        members = np.flatnonzero(self._lanes == lane)
        best = int(members[references[members].argmin()])
        confidence = share / (1.0 + float(references[best]))
        item = self._items[best]
        length = max(self._templates[best].length, round(0.05 * RATE))
        return Found(start, length, lane, item.kind, confidence, best, self._outlines[best])


@functools.lru_cache(maxsize=8)
def shortened(references: References) -> list[Template]:
    """The references over the frames in which all are compared."""
    return [_shortened(template(item.sound)) for item in references.items]


def _shortened(whole: Template) -> Template:
    if whole.frames <= FRAMES:
        return whole
    own = whole.features
    part = Features(
        own.mel[: len(own.mel) // whole.frames * FRAMES],
        own.contrast[: len(own.contrast) // whole.frames * FRAMES],
        own.bandwidth[:FRAMES],
    )
    return Template(whole.length, FRAMES, part)
