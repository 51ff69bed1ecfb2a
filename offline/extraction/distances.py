"""The paper's combined cosine distance between windows of a recording and references, many at once.

Conventions: a distance is 0..2 per feature; the combined one is their sum. ``Grid`` gives, for every reference,
the distance of every window on its stride; ``between`` one pair. Both agree with librosa's features computed anew for
each window to 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.spectral import FLOOR_DB, HOP, MELS, WINDOW, Features, Spectra, frame_count, spectra

LONGEST_S: Final = 1.0
AT_ONCE: Final = 64  # windows whose rows stay in the cache


@dataclass(frozen=True, slots=True)
class Template:
    """A reference ready to be compared.

    Args:
        length: of its window in frames of sound: its own, at most a second.
        frames: of its features.
        stride: frames of the grid from a window to the next: half a window.
        features: of the reference.
    """

    length: int
    frames: int
    stride: int
    features: Features


def template(sound: Wave) -> Template:
    """Make a reference ready."""
    sound = sound[: round(LONGEST_S * RATE)]
    frames = frame_count(len(sound))
    return Template(
        max(len(sound), WINDOW), frames, (frames + 1) // 2, spectra(sound, flatness=False).window(0, frames)
    )


def between(sound: Wave, reference: Template) -> dict[str, float]:
    """The three distances of one window to a reference; what is shorter is padded with silence."""
    wanted = WINDOW + (reference.frames - 1) * HOP
    part = np.pad(sound[:wanted], (0, max(wanted - len(sound), 0)))
    found, own = spectra(part, flatness=False).window(0, reference.frames), reference.features
    return {
        "mel": cosine(found.mel, own.mel),
        "contrast": cosine(found.contrast, own.contrast),
        "bandwidth": cosine(found.bandwidth, own.bandwidth),
    }


def cosine(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """1 - the cosine of the angle between two rows; 1 if one of them is all zero."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    size = float(np.sqrt((a @ a) * (b @ b)))
    return 1.0 - float(a @ b) / size if size > 0 else 1.0


class Grid:
    """Distances of all windows of a stretch to many references; what they share is computed once."""

    def __init__(self, shared: Spectra) -> None:
        self._shared = shared
        contrast = shared.peaks - shared.valleys
        # single precision is enough for products of what is left when the mean is taken away
        every = (shared.mel, contrast, shared.bandwidth[:, None])
        self._means = tuple(float(rows.mean(dtype=np.float64)) for rows in every)
        self._rows = tuple(rows - rows.dtype.type(mean) for rows, mean in zip(every, self._means, strict=True))
        self._totals = tuple(_running(rows.sum(axis=1, dtype=np.float64)) for rows in self._rows)
        self._sums = tuple(_running(np.einsum("ij,ij->i", rows, rows, dtype=np.float64)) for rows in every)
        floors = (shared.mel, shared.peaks, shared.valleys)
        self._edges = tuple((track.min(axis=1), track.max(axis=1)) for track in floors)

    def distances(self, references: Sequence[Template], first: int = 0) -> list[NDArray[np.float64]]:
        """For each reference ``float64 [windows, 3]``: every window on its stride, from frame ``first`` on.

        References of equal length are compared in one product.
        """
        found: dict[int, NDArray[np.float64]] = {}
        for frames in sorted({reference.frames for reference in references}):
            alike = [number for number, reference in enumerate(references) if reference.frames == frames]
            block = self._block([references[number] for number in alike], first)
            found.update((number, block[:, :, place]) for place, number in enumerate(alike))
        return [found[number] for number in range(len(references))]

    def _block(self, references: Sequence[Template], first: int) -> NDArray[np.float64]:
        frames, stride = references[0].frames, references[0].stride
        starts = np.arange(first, len(self._shared) - frames + 1, stride)
        out = np.empty((len(starts), 3, len(references)))
        if not len(starts):
            return out
        for feature, mean in enumerate(self._means):
            sums, totals, rows = self._sums[feature], self._totals[feature], self._rows[feature]
            own = np.stack([_features(reference)[feature] for reference in references], axis=1).astype(np.float64)
            size = np.sqrt((sums[starts + frames] - sums[starts])[:, None] * (own**2).sum(axis=0))
            centred = (own - mean).astype(rows.dtype)
            dots = _products(rows, centred, starts, frames)
            dots += mean * ((totals[starts + frames] - totals[starts])[:, None] + centred.sum(axis=0, dtype=np.float64))
            dots += mean * mean * len(own)
            out[:, feature] = 1.0 - np.divide(dots, size, out=np.zeros_like(size), where=size > 0)
        # where a window is deeper than 80 dB its floor bites, and what is shared doesn't hold
        deep = np.flatnonzero(self._deep(starts, frames))
        mel = np.stack([one.features.mel for one in references], axis=1).astype(np.float64)
        tops = _sliding(self._edges[0][1], frames, "max")[starts]
        for first_one in range(0, len(deep), AT_ONCE):
            some = deep[first_one : first_one + AT_ONCE]
            contrast = _floored(self._shared.peaks, starts[some], frames)
            contrast -= _floored(self._shared.valleys, starts[some], frames)
            out[some, 0] = self._deep_mel(starts[some], frames, mel, tops[some])
            out[some, 1] = _cosines(contrast, np.stack([one.features.contrast for one in references], axis=1))
        return out

    def _deep_mel(
        self, starts: NDArray[np.int64], frames: int, own: NDArray[np.float64], tops: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """As ``_cosines`` of ``_floored`` rows, with half the passes over them: most of the time goes here.

        Rows are taken relative to the middle between top and floor; a column of ones gives their sums on the way.
        """
        track, half = self._shared.mel, np.float32(FLOOR_DB / 2)
        middles = (tops - half)[:, None]
        rows = np.lib.stride_tricks.sliding_window_view(track.reshape(-1), frames * MELS)[starts * MELS]
        rows -= middles
        np.maximum(rows, -half, out=rows)
        own_middles = own.mean(axis=0)
        columns = np.column_stack([own - own_middles, np.ones(len(own))]).astype(np.float32)
        products = (rows @ columns).astype(np.float64)
        totals, middle, count = products[:, -1:], middles.astype(np.float64), len(own)
        squares = np.einsum("ij,ij->i", rows, rows)[:, None].astype(np.float64)
        squares += 2 * middle * totals + middle * middle * count
        dots = products[:, :-1] + middle * columns[:, :-1].sum(axis=0, dtype=np.float64)
        dots += (totals + middle * count) * own_middles
        return 1.0 - dots / np.sqrt(squares * (own**2).sum(axis=0))

    def _deep(self, starts: NDArray[np.int64], frames: int) -> NDArray[np.bool_]:
        deep = np.zeros(len(starts), np.bool_)
        for low, high in self._edges:
            if float(high.max() - low.min()) > FLOOR_DB:
                deep |= (_sliding(high, frames, "max") - _sliding(low, frames, "min"))[starts] > FLOOR_DB
        return deep


def _floored(track: NDArray[np.float32], starts: NDArray[np.int64], frames: int) -> NDArray[np.float32]:
    """Windows as rows, each cut off 80 dB below its own top: ``float32 [windows, frames * width]``."""
    rows = np.lib.stride_tricks.sliding_window_view(track.reshape(-1), frames * track.shape[1])
    windows = rows[starts * track.shape[1]]
    return np.maximum(windows, windows.max(axis=1, keepdims=True) - np.float32(FLOOR_DB), out=windows)


def _cosines(rows: NDArray[np.float32], own: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distances of rows to columns; both lose their means first, so that single precision is enough."""
    own = own.astype(np.float64)
    size = np.sqrt(np.square(rows).sum(axis=1, dtype=np.float64)[:, None] * (own**2).sum(axis=0))
    means, own_means = rows.mean(axis=1, keepdims=True), own.mean(axis=0)
    centred, own_centred = rows - means, (own - own_means).astype(np.float32)
    dots = (centred @ own_centred).astype(np.float64)
    dots += means * own_centred.sum(axis=0, dtype=np.float64)
    dots += (centred.sum(axis=1, dtype=np.float64, keepdims=True) + means.astype(np.float64) * len(own)) * own_means
    return 1.0 - np.divide(dots, size, out=np.zeros_like(size), where=size > 0)


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values)])


def _features(reference: Template) -> tuple[NDArray[np.floating], ...]:
    return reference.features.mel, reference.features.contrast, reference.features.bandwidth


def _products(
    rows: NDArray[np.floating], own: NDArray[np.floating], starts: NDArray[np.int64], frames: int
) -> NDArray[np.float64]:
    """One product for all windows: the frames of a window lie in a row in memory, so windows are rows of a view."""
    width = rows.shape[1]
    step = int(starts[1] - starts[0]) if len(starts) > 1 else frames
    out = np.empty((len(starts), own.shape[1]))
    for half in (0, 1):  # every other window: those don't overlap, which is what the matrix product needs
        count = len(starts[half::2])
        if count:
            view = np.lib.stride_tricks.as_strided(
                rows[int(starts[half]) :],
                (count, frames * width),
                (2 * step * width * rows.itemsize, rows.itemsize),
                writeable=False,
            )
            out[half::2] = view @ own
    return out


def _sliding(track: NDArray[np.float32], frames: int, what: str) -> NDArray[np.float32]:
    """The greatest or lowest of each frame and those after it, ``frames`` in all."""
    filtered = scipy.ndimage.maximum_filter1d if what == "max" else scipy.ndimage.minimum_filter1d
    return filtered(track, frames, origin=-(frames // 2), mode="nearest")
