"""Training batches for the drum network: stretches of pages, mixed anew and coloured; its step decides each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from offline.transcription.drums.pages import Page, targets
from offline.transcription.drums.spectrum import BANDS, SIZE, levels, reference

FRAMES: Final = 784  # 8 s
AS_IT_IS: Final = 0.35
"""Share of the stretches that are left as they were mixed."""
OWN_REST: Final = 0.5
"""Share of the others whose accompaniment is their own."""
NO_DRUMS: Final = 0.04
DRUMS_ONLY: Final = 0.12
REST_DB: Final = (-14.0, 8.0)
ON_KITS: Final = 0.5
"""Share of the stretches whose drums are from the pages of many kits."""
WITH_HANDS: Final = 0.3
"""Share of the stretches with percussion mixed under them."""
HANDS_DB: Final = (-14.0, 6.0)
COLOUR_DB: Final = 7.0
LEVEL_DB: Final = 3.0
HOLES: Final = 0.4
QUIETEST: Final = -7.0  # common logarithm of a power below which a stretch counts as silent
FLOOR: Final = -9.0

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class Beside(NamedTuple):
    """What is learned from beside the lessons; any may be empty.

    Args:
        kits: drums alone on many kits, and
        hands: percussion, which lessons are mixed with.
        songs: whole songs.
    """

    kits: Sequence[Page]
    hands: Sequence[Page]
    songs: Sequence[Page] = ()


def batch(pages: Sequence[Page], beside: Beside, size: int, order: tuple[int, int]) -> Batch:
    """Levels, onsets and velocities of some stretches.

    Args:
        pages: to take them from.
        beside: what to mix some of them with.
        size: how many stretches.
        order: seed and step, which decide all.
    """
    draw = np.random.default_rng(order)
    parts = [_stretch(pages, beside, draw) for _ in range(size)]
    return tuple(np.stack(column) for column in zip(*parts, strict=True))  # type: ignore[return-value] - three columns


def _stretch(pages: Sequence[Page], beside: Beside, draw: np.random.Generator) -> Batch:
    alone = bool(len(beside.kits)) and draw.random() < ON_KITS
    page = _one(beside.kits if alone else pages, draw)
    first = int(draw.integers(0, max(len(page.mix) - FRAMES, 0) + 1))
    onsets, forces = targets(page, first, FRAMES)
    if not alone and draw.random() < AS_IT_IS:
        log = _part(page.mix, first)
    else:
        other = page if not alone and draw.random() < OWN_REST else _one(pages, draw)
        start = first if other is page else int(draw.integers(0, max(len(other.rest) - FRAMES, 0) + 1))
        log, silent = _remixed(_part(page.drums, first), _part(other.rest, start), draw)
        if silent:
            onsets[:], forces[:] = 0.0, 0.0
    if len(beside.hands) and draw.random() < WITH_HANDS:
        hands = _one(beside.hands, draw)
        start = int(draw.integers(0, max(len(hands.drums) - FRAMES, 0) + 1))
        log = _joined(log, _part(hands.drums, start), draw)
        onsets = np.maximum(onsets, targets(hands, start, FRAMES)[0])
    seen = levels(log, max(reference(log), QUIETEST) + draw.normal() * LEVEL_DB / 10)
    return _with_holes(seen, draw), onsets, forces


def _one(pages: Sequence[Page], draw: np.random.Generator) -> Page:
    return pages[int(draw.integers(len(pages)))]


def _part(log: NDArray[np.float16], first: int) -> NDArray[np.float32]:
    part = log[first : first + FRAMES].astype(np.float32)
    return np.pad(part, ((0, FRAMES - len(part)), (0, 0)), constant_values=FLOOR)


def _remixed(
    drums: NDArray[np.float32], rest: NDArray[np.float32], draw: np.random.Generator
) -> tuple[NDArray[np.float32], bool]:
    """Both at another balance and in another colour; whether the drums were left out."""
    kind = draw.random()
    silent = kind < NO_DRUMS
    balance = draw.uniform(*REST_DB) + 10 * (_loudness(drums) - _loudness(rest))
    drums = drums + _colour(draw)
    rest = rest + _colour(draw) + np.float32(balance / 10)
    if silent:
        return rest, True
    if kind < NO_DRUMS + DRUMS_ONLY:
        return drums, False
    return np.log10(10**drums + 10**rest), False


def _joined(log: NDArray[np.float32], hands: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
    """The stretch with percussion in it."""
    balance = draw.uniform(*HANDS_DB) + 10 * (_loudness(log) - _loudness(hands))
    return np.log10(10**log + 10 ** (hands + _colour(draw) + np.float32(balance / 10)))


def _loudness(log: NDArray[np.float32]) -> float:
    """Of the louder half, as in the mixes; at least that of a whisper."""
    power = np.sort((10**log).mean(axis=1))
    return max(float(np.log10(power[len(power) // 2 :].mean())), QUIETEST)


def _colour(draw: np.random.Generator) -> NDArray[np.float32]:
    """A smooth curve over the bands, in common logarithms of power; those below 370 Hz follow the lowest ones."""
    points = draw.normal(0.0, COLOUR_DB / 20, 6)
    curve = np.interp(np.linspace(0, 5, BANDS), np.arange(6), points)
    low = np.interp(np.linspace(0, 1, SIZE - BANDS), np.arange(2), points[:2])
    return np.concatenate([curve, low]).astype(np.float32)


def _with_holes(seen: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
    """Some bands, or all above or below one, go missing now and then."""
    if draw.random() < HOLES:
        width = int(draw.integers(1, 12))
        first = int(draw.integers(0, SIZE - width))
        seen[:, first : first + width] = 0.0
    if draw.random() < 0.1:
        seen[:, int(draw.integers(40, BANDS)) : BANDS] = 0.0  # a dull recording
    return seen
