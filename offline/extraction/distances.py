"""The paper's combined cosine distance between windows of a recording and references, many at once.

Conventions: a distance is 0..2 per feature; the combined one is their sum. ``Grid`` gives, for every reference,
the distance of every window on its stride; ``between`` one pair. Both agree with librosa's features computed anew for
each window to 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.spectral import FLOOR_DB, HOP, WINDOW, Features, Spectra, frame_count, spectra

LONGEST_S: Final = 1.0
_AT_ONCE: Final = 1 << 17  # numbers of windows laid out in rows: half a megabyte, which stays in the cache


@dataclass(frozen=True, slots=True)
class Template:
    """A reference ready to be compared.

    Args:
        length: of its window in frames of sound: its own, at most a second.
        frames: of its features.
        features: of the reference.
    """

    length: int
    frames: int
    features: Features

    @property
    def stride(self) -> int:
        """Frames of the grid from a window to the next."""
        return stride_of(self.frames)


def stride_of(frames: int) -> int:
    """Half a window."""
    return (frames + 1) // 2


def template(sound: Wave) -> Template:
    """Make a reference ready."""
    sound = sound[: round(LONGEST_S * RATE)]
    frames = frame_count(len(sound))
    return Template(max(len(sound), WINDOW), frames, spectra(sound, flatness=False).window(0, frames))


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
        # single precision is enough for products of what is left when the mean is taken away
        self._mean = float(shared.mel.mean(dtype=np.float64))
        self._mel = shared.mel - np.float32(self._mean)
        self._tops = tuple(track.max(axis=1) for track in (self._mel, shared.peaks, shared.valleys))

    def distances(self, references: Sequence[Template], first: int = 0) -> list[NDArray[np.float64]]:
        """For each reference ``float64 [windows, 3]``: every window on its stride, from frame ``first`` on.

        References of equal length are compared in one product.
        """
        found: dict[int, NDArray[np.float64]] = {}
        for frames in sorted({reference.frames for reference in references}):
            alike = [number for number, reference in enumerate(references) if reference.frames == frames]
            block = self._block([references[number].features for number in alike], frames, first)
            found.update((number, block[:, :, place]) for place, number in enumerate(alike))
        return [found[number] for number in range(len(references))]

    def _block(self, references: Sequence[Features], frames: int, first: int) -> NDArray[np.float64]:
        mel, peaks, valleys = (_windows(t[:, None], first, frames).max(axis=1) for t in self._tops)
        out = np.empty((len(mel), 3, len(references)))
        if not len(mel):
            return out
        contrast = _floored(_windows(self._shared.peaks, first, frames), peaks)
        contrast -= _floored(_windows(self._shared.valleys, first, frames), valleys)
        bandwidth = np.ascontiguousarray(_windows(self._shared.bandwidth[:, None], first, frames))
        own = [np.stack(one, axis=1).astype(np.float64) for one in zip(*map(_rows, references), strict=True)]
        out[:, 0] = self._of_mel(_windows(self._mel, first, frames), mel, own[0])
        out[:, 1] = _cosines(contrast.astype(np.float64), own[1])
        out[:, 2] = _cosines(bandwidth, own[2])
        return out

    def _of_mel(
        self, windows: NDArray[np.float32], tops: NDArray[np.float32], own: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """As ``_cosines`` of the floored windows, in single precision and in the cache: most of the time goes here.

        Both sides lose their means first; a column of ones gives the sums of the windows on the way.
        """
        mean, own_means, length = self._mean, own.mean(axis=0), len(own)
        columns = np.column_stack([own - own_means, np.ones(length)]).astype(np.float32)
        products = np.empty((len(windows), columns.shape[1]))
        squares = np.empty((len(windows), 1))
        at_once = max(_AT_ONCE // length, 1)
        for number in range(0, len(windows), at_once):
            part = slice(number, number + at_once)
            rows = _floored(windows[part], tops[part])
            products[part] = rows @ columns
            squares[part, 0] = np.einsum("ij,ij->i", rows, rows)
        sums = products[:, -1:]
        squares += 2 * mean * sums + mean * mean * length
        dots = products[:, :-1] + mean * columns[:, :-1].sum(axis=0, dtype=np.float64)
        dots += (sums + mean * length) * own_means
        return _distances(dots, squares * (own**2).sum(axis=0))


def _windows(track: NDArray[Any], first: int, frames: int) -> NDArray[Any]:
    """Every window on the stride of that length as a row: its frames lie in a row in memory, so this is but a view."""
    stride, width = stride_of(frames), track.shape[1]
    count = max((len(track) - first - frames) // stride + 1, 0)
    steps = (stride * width * track.itemsize, track.itemsize)
    return np.lib.stride_tricks.as_strided(track[first:], (count, frames * width), steps, writeable=False)


def _floored(windows: NDArray[np.float32], tops: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each cut off 80 dB below its own top."""
    return np.maximum(windows, (tops - np.float32(FLOOR_DB))[:, None])


def _rows(features: Features) -> tuple[NDArray[Any], ...]:
    return features.mel, features.contrast, features.bandwidth


def _cosines(rows: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances of rows to columns."""
    return _distances(rows @ own, np.einsum("ij,ij->i", rows, rows)[:, None] * (own**2).sum(axis=0))


def _distances(dots: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.sqrt(squares)
    return 1.0 - np.divide(dots, size, out=np.zeros_like(size), where=size > 0)
