"""The paper's method, word by word, and its baseline.

A window as long as the reference slides over the recording by half its length. Windows that are silent or sound like
noise are passed over. Where the combined distance is below the reference's threshold, the window is a sample, and the
next one begins where it ends. Confidence is how far below: 1 for no distance, 0.5 at the threshold. ``random`` does the
same with a number drawn between 0 and 3 in place of the distance.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.classes import NONE, References
from offline.extraction.distances import Grid, Template, template
from offline.extraction.found import Found, without_doubles
from offline.extraction.onset_method import reference_outlines
from offline.extraction.spectral import HOP, WINDOW, Spectra, spectra

NOISE: Final = 0.2
"""A window with a frame of more spectral flatness is noise."""
SILENT_DB: Final = -60.0
LOWEST_THRESHOLD: Final = 0.11
HIGHEST_THRESHOLD: Final = 0.24
"""Between these the original's thresholds lay."""
MISTAKEN: Final = 0.03
"""Share of the references of other lanes below a reference's threshold. Of planted sounds 13 % are found and named with
it, 10 % with a tenth, 11 % with a hundredth."""
RANDOM_RANGE: Final = 3.0
APART: Final = round(0.1 * RATE)
"""Of windows closer together the one furthest below its threshold stays: a hundred references often agree."""


class WindowFinder:
    """Slides windows over one recording.

    Args:
        references: what to look for; those without a lane are left out.
        threshold: one for all references; None gives each its own.
        seed: None for the distance; a number draws in its place.
    """

    def __init__(self, references: References, threshold: float | None = None, seed: int | None = None) -> None:
        self._chosen = [n for n, item in enumerate(references.items) if item.lane != NONE]
        self._items = [references.items[n] for n in self._chosen]
        self._templates = templates(references)[0]
        self._outlines = reference_outlines(references)
        own = templates(references)[1]
        self._thresholds = own if threshold is None else np.full(len(own), threshold)
        self._draw = None if seed is None else np.random.default_rng(seed)
        self._next = np.zeros(len(self._items), np.int64)  # each reference's next window, counted from the beginning

    def find(self, sound: Wave, start: int, *, last: bool) -> Sequence[Found]:
        """Windows of the stretch below their thresholds."""
        del last
        if len(sound) < HOP:
            return []
        shared = spectra(sound)
        first = start // HOP
        refused = np.concatenate([[0], np.cumsum(~gate(sound, shared))])
        found: list[Found] = []
        strides = np.array([t.stride for t in self._templates])
        begins = self._next * strides - first
        grids = self._distances(shared, begins)
        for number, distances in enumerate(grids):
            found += self._hits(number, distances, int(begins[number]), first, refused)
        return without_doubles(found, APART)

    def _distances(self, shared: Spectra, begins: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        if self._draw is None:
            return self._compared(Grid(shared), begins)
        counts = [
            max((len(shared) - reference.frames - int(begin)) // reference.stride + 1, 0)
            for reference, begin in zip(self._templates, begins, strict=True)
        ]
        return [self._draw.uniform(0.0, RANDOM_RANGE, count) for count in counts]

    def _compared(self, grid: Grid, begins: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        """References of equal length are compared together, from the earliest window any of them waits for."""
        found: dict[int, NDArray[np.float64]] = {}
        frames = np.array([reference.frames for reference in self._templates])
        for size in np.unique(frames):
            alike = np.flatnonzero(frames == size)
            first = int(begins[alike].min())
            together = grid.distances([self._templates[number] for number in alike], first)
            for number, distances in zip(alike, together, strict=True):
                skipped = (int(begins[number]) - first) // self._templates[number].stride
                found[int(number)] = distances[skipped:].sum(axis=1)
        return [found[number] for number in range(len(self._templates))]

    def _hits(
        self, number: int, distances: NDArray[np.float64], begin: int, first: int, refused: NDArray[np.int64]
    ) -> list[Found]:
        reference, item = self._templates[number], self._items[number]
        found: list[Found] = []
        skip = -1
        starts = begin + np.arange(len(distances)) * reference.stride
        passed = refused[starts + reference.frames] == refused[starts]
        for window in np.flatnonzero((distances < self._thresholds[number]) & passed):
            at = int(starts[window])
            if window <= skip:
                continue
            skip = int(window) + 1  # the window half-way through the one just taken
            confidence = float(1.0 - distances[window] / (2.0 * self._thresholds[number]))
            outline = self._outlines[self._chosen[number]]
            start = (first + at) * HOP
            found.append(
                Found(start, reference.length, item.lane, item.kind, confidence, self._chosen[number], outline)
            )
        self._next[number] += max(len(distances), skip + 1)
        return found


@functools.lru_cache(maxsize=8)
def templates(references: References) -> tuple[list[Template], NDArray[np.float64]]:
    """The references that have a lane, ready to be compared, and their thresholds."""
    items = [item for item in references.items if item.lane != NONE]
    ready = [template(item.sound) for item in items]
    return ready, own_thresholds(ready, [item.lane for item in items])


def own_thresholds(ready: Sequence[Template], lanes: Sequence[str]) -> NDArray[np.float64]:
    """A threshold for each reference, within the original's range: a few in a hundred of other lanes fall below it."""
    found = np.full(len(ready), (LOWEST_THRESHOLD + HIGHEST_THRESHOLD) / 2)
    for number, one in enumerate(ready):
        others = [_between(one, other) for other, lane in zip(ready, lanes, strict=True) if lane != lanes[number]]
        if others:
            found[number] = np.quantile(others, MISTAKEN)
    return np.clip(found, LOWEST_THRESHOLD, HIGHEST_THRESHOLD)


def _between(one: Template, other: Template) -> float:
    """The combined distance over the frames that both have."""
    frames = min(one.frames, other.frames)
    total = 0.0
    for name in ("mel", "contrast", "bandwidth"):
        a, b = getattr(one.features, name), getattr(other.features, name)
        a, b = a[: len(a) // one.frames * frames].astype(float), b[: len(b) // other.frames * frames].astype(float)
        size = float(np.sqrt((a @ a) * (b @ b)))
        total += 1.0 - float(a @ b) / size if size > 0 else 1.0
    return total


def gate(sound: Wave, shared: Spectra) -> NDArray[np.bool_]:
    """Frames that are neither noise nor silence."""
    hops = WINDOW // HOP
    power = np.zeros(len(shared) + hops - 1)
    whole = sound[: min(len(sound) // HOP, len(power)) * HOP].reshape(-1, HOP)
    power[: len(whole)] = np.einsum("ij,ij->i", whole, whole)
    level = 10 * np.log10(np.maximum(np.convolve(power, np.ones(hops), "valid") / WINDOW, 1e-12))
    # a window may begin or fade out in silence, so the gate looks a quarter of a second around each frame
    loud = scipy.ndimage.maximum_filter1d(level, 2 * round(0.25 * RATE / HOP))
    return (shared.flatness < NOISE) & (loud > SILENT_DB)
