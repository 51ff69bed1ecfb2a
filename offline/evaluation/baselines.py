"""Generators that are known to be good or bad, to hold the judge to account: ``make(name)`` draws from each.

Conventions: they draw ``uint8 [n, 128, 20]`` rolls. Those that think in cells of the 16 x 5 grid (independent, markov,
pca, flipped) borrow velocity, micro-timing, length and pitch of each hit from a real hit in the same lane and cell, so
that nothing but the rhythm gives them away on *hits*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.pattern import LANES
from hitloopd.core.time import CELLS_PER_BAR
from hitloopd.generate.roll import BASS_ROW, SHAPE
from hitloopd.generate.scales import SCALES
from offline.evaluation.hits import Hits, render
from offline.evaluation.views import Bytes, as_bytes
from offline.grid import grid

Rng = np.random.Generator
Grids = npt.NDArray[np.bool_]

FLIPPED: Final = 2
MIXED: Final = 0.1
KEPT: Final = 20
COMPONENTS: Final = 24
COIN_VELOCITY: Final = 102
_LANES: Final = len(LANES)


@dataclass(frozen=True)
class Material:
    """What baselines are made from.

    Args:
        training: whole bars that every generator may know, ``[n, 128, 20]``.
        unseen: whole bars of songs that none knows.
    """

    training: Bytes
    unseen: Bytes

    @cached_property
    def grids(self) -> Grids:
        """The training bars on the grid."""
        return grid(self.training)

    @cached_property
    def hits(self) -> Hits:
        """Every hit of the training bars."""
        return Hits.of(self.training)


def material(training: npt.NDArray[Any], unseen: npt.NDArray[Any]) -> Material:
    """The same, with everything that is too faint to play taken out."""
    return Material(as_bytes(training), as_bytes(unseen))


def make(name: str, source: Material, count: int, seed: int) -> Bytes:
    """``count`` bars of the baseline ``name``: a key of ``REFERENCES`` or ``NEGATIVES``."""
    return {**REFERENCES, **NEGATIVES}[name](source, count, np.random.default_rng([seed, 4711]))


def unseen(source: Material, count: int, rng: Rng) -> Bytes:
    """Real bars of songs that were held back; drawn again only when they run out."""
    return source.unseen[_choose(len(source.unseen), count, rng)]


def rowmix(source: Material, count: int, rng: Rng) -> Bytes:
    """Every lane from another real bar."""
    rolls = np.zeros((count, *SHAPE), dtype=np.uint8)
    for lane in range(_LANES):
        rows = slice(lane, lane + 1) if lane < BASS_ROW else slice(BASS_ROW, None)
        rolls[:, :, rows] = source.training[rng.integers(len(source.training), size=count)][:, :, rows]
    return rolls


def coin_flip(source: Material, count: int, rng: Rng) -> Bytes:
    """The paper's random patterns: each cell on or off with probability one half; bass pitches from the minor scale."""
    del source
    hits: list[tuple[int, int, int, int, int]] = []
    scale = [pitch for pitch in SCALES["minor"] if pitch < 16]
    for bar, cell, lane in np.argwhere(rng.random((count, CELLS_PER_BAR, _LANES)) < 0.5):
        row = lane if lane < BASS_ROW else BASS_ROW + int(rng.choice(scale))
        hits.append((bar, 8 * cell, row, 4 if lane < BASS_ROW else 7, COIN_VELOCITY))
    return render(count, hits)


def independent(source: Material, count: int, rng: Rng) -> Bytes:
    """Each cell by itself, with the data's frequency."""
    chances = source.grids.mean(axis=0)
    return source.hits.dress(rng.random((count, *chances.shape)) < chances, rng)


def markov(source: Material, count: int, rng: Rng) -> Bytes:
    """First-order chain along the bar: the five lanes of a cell follow from those of the cell before, at that place."""
    codes = (source.grids * (1 << np.arange(_LANES))).sum(axis=2)
    state = rng.choice(codes[:, 0], size=count)
    drawn = np.zeros((count, CELLS_PER_BAR), dtype=np.int64)
    drawn[:, 0] = state
    for cell in range(1, CELLS_PER_BAR):
        for before in np.unique(state):
            here = state == before
            drawn[here, cell] = rng.choice(codes[codes[:, cell - 1] == before, cell], size=int(here.sum()))
        state = drawn[:, cell]
    return source.hits.dress((drawn[:, :, None] >> np.arange(_LANES) & 1).astype(bool), rng)


def pca_gaussian(source: Material, count: int, rng: Rng) -> Bytes:
    """A Gaussian over the first 24 principal components, cut so that every cell keeps the data's frequency."""
    flat = source.grids.reshape(len(source.grids), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    _, sizes, axes = np.linalg.svd(flat - mean, full_matrices=False)
    kept = min(COMPONENTS, len(sizes))
    spread = sizes[:kept] / np.sqrt(len(flat))
    pool = (rng.standard_normal((max(count, 4000), kept)) * spread) @ axes[:kept]
    cut = np.array([np.quantile(pool[:, cell], 1 - share) for cell, share in enumerate(mean)])
    on = (pool[:count] > cut) & (mean > 0)
    return source.hits.dress(on.reshape(count, CELLS_PER_BAR, _LANES), rng)


def memoriser(source: Material, count: int, rng: Rng) -> Bytes:
    """Training bars as they are."""
    return source.training[_choose(len(source.training), count, rng)]


def near_memoriser(source: Material, count: int, rng: Rng) -> Bytes:
    """Training bars with two cells flipped; everything else stays."""
    chosen = _choose(len(source.training), count, rng)
    grids = source.grids[chosen].copy().reshape(count, -1)
    places = rng.permuted(np.tile(np.arange(grids.shape[1]), (count, 1)), axis=1)[:, :FLIPPED]
    rows = np.arange(count)[:, None]
    grids[rows, places] ^= True
    return source.hits.redress(source.training[chosen], grids.reshape(count, CELLS_PER_BAR, _LANES), rng)


def mixture(source: Material, count: int, rng: Rng) -> Bytes:
    """Unseen real bars, a tenth of them replaced by copies of training bars: as hard to catch as copying gets."""
    copied = round(MIXED * count)
    bars = np.concatenate([memoriser(source, copied, rng), unseen(source, count - copied, rng)])
    return bars[rng.permutation(count)]


def collapse(source: Material, count: int, rng: Rng) -> Bytes:
    """Twenty unseen real bars, again and again."""
    return unseen(source, KEPT, rng)[rng.integers(KEPT, size=count)]


def _choose(size: int, count: int, rng: Rng) -> npt.NDArray[np.int64]:
    """Without putting back as long as there are enough."""
    rounds = -(-count // max(size, 1))
    return np.concatenate([rng.permutation(size) for _ in range(rounds)])[:count]


Maker = Callable[[Material, int, Rng], Bytes]
REFERENCES: Final[Mapping[str, Maker]] = {"real": unseen, "rowmix": rowmix}
"""What should pass the gate, and the strongest thing that needs no model."""
NEGATIVES: Final[Mapping[str, Maker]] = {
    "coin flip": coin_flip,
    "independent cells": independent,
    "markov": markov,
    "pca gaussian": pca_gaussian,
    "memoriser": memoriser,
    "near-memoriser": near_memoriser,
    "10 % copies": mixture,
    "20 bars": collapse,
}
"""What must fail the gate."""
