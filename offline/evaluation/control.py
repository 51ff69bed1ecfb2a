"""Does a generator do as it is told? Energy, lanes drawn to fit others, the same bar for the same seed, morphing.

Conventions: bars that lanes are drawn for are whole bars of unseen songs. A completed bar and the real one that it was
made from sit in the fold of their song, so a classifier can only win by how the new lane fits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.energy import measured
from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import LANES, Pattern
from hitloopd.core.request import Request, next_seed
from hitloopd.generate.roll import BASS_ROW, pattern_from_roll, roll_from_pattern
from hitloopd.ports.generator import Generator
from hitloopd.session.morph import morphed
from offline.evaluation.reference import Reference, energy_of
from offline.evaluation.sources import (
    FOLLOWS_ENERGY,
    Source,
    answers,
    first_seed,
    is_model_of,
    opened,
    style_for,
)
from offline.evaluation.twosample import SIDE, paired
from offline.evaluation.views import MAX_VELOCITY, Bytes, as_bytes
from offline.grid import grid

TARGETS: Final = tuple(round(0.05 + 0.1 * step, 2) for step in range(10))
BARS_PER_TARGET: Final = 24
REPEATED: Final = 16
MORPHS: Final = 12
MORPH_STEPS: Final = 16
_SLACK: Final = 1e-9
ROOT: Final = 36

Figures = dict[str, Any]


def control(source: Source, held: Reference, seeds: int) -> Figures:
    """All control figures of a generator or model; ``held`` is the reference of whole bars.

    Raises:
        HitloopError: the generator refuses what it is asked.
    """
    generator = opened(source)
    return {
        "energy": energy_figures(generator, source),
        "lanes": lane_figures(lambda conditions, seed: complete(generator, source, conditions, seed), held, seeds),
        "same": _same(source),
        "morph": morph_figures(generator, source),
    }


def rowmix_lanes(held: Reference, seeds: int) -> Figures:
    """The same exam for lanes taken from other real bars: what fitting nothing gets."""

    def complete_rows(bars: Bytes, seed: int) -> Bytes:
        rng = np.random.default_rng([seed, 41])
        donors = held.material.training[rng.integers(len(held.songs), size=len(bars))]
        return _replaced(bars, donors)

    return lane_figures(complete_rows, held, seeds)


def energy_figures(generator: Generator, source: Source) -> Figures:
    """Ten targets, each with the same seeds: does the measured energy follow?

    ``spearman`` is the mean over seeds of the rank correlation of target and measured; ``pooled`` over all bars at
    once; ``monotone`` the share of steps between neighbouring targets at which the energy did not fall.
    """
    rng = np.random.default_rng(36)
    number = first_seed(36)
    rows: list[list[float]] = []
    for _ in range(BARS_PER_TARGET):
        style = style_for("", generator.styles, rng)
        asked = [Request(source.where, number, style, target, source.temperature) for target in TARGETS]
        rows.append([measured(p, target) for p, target in zip(answers(generator, asked), TARGETS, strict=True)])
        number = next_seed(number)
    table = np.array(rows)
    steps = np.diff(table, axis=1)
    return {
        "targets": list(TARGETS),
        "mean": np.round(table.mean(axis=0), 4).tolist(),
        "low": np.round(np.quantile(table, 0.1, axis=0), 4).tolist(),
        "high": np.round(np.quantile(table, 0.9, axis=0), 4).tolist(),
        "spearman": round(float(np.mean([spearman(np.array(TARGETS), row) for row in table])), 4),
        "pooled": round(spearman(np.tile(TARGETS, len(table)), table.ravel()), 4),
        "monotone": round(float((steps >= -_SLACK).mean()), 4),
    }


def spearman(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    """Rank correlation, ties at their mean rank; 0 where one side is constant."""
    a, b = (_ranks(np.round(x, 9)) for x in (left, right))
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size else 0.0


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    _, rank, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[rank], dtype=np.float64)


Complete = Callable[[Bytes, int], Bytes]


def lane_figures(completed: Complete, held: Reference, seeds: int) -> Figures:
    """How well real bars are told from those with one lane drawn anew, on *hits*: per seed and the mean."""
    found: list[float] = []
    for seed in range(seeds):
        chosen = np.random.default_rng([seed, 42]).permutation(len(held.material.unseen))[:SIDE]
        bars = held.material.unseen[chosen]
        found.append(round(paired(bars, completed(bars, seed), held.unseen_songs[chosen], seed, "hits"), 5))
    return {"auc": found, "mean": round(float(np.mean(found)), 4)}


def complete(generator: Generator, source: Source, bars: Bytes, seed: int) -> Bytes:
    """``bars`` with one lane each (kick, snare, hihat, … in turn) drawn to fit the others, at the bar's own energy."""
    follows = is_model_of(source, FOLLOWS_ENERGY)
    rng = np.random.default_rng([seed, 43])
    number = first_seed(seed)
    asked: list[Request] = []
    for index, bar in enumerate(bars):
        asked.append(
            Request(
                source.where,
                number,
                style_for("", generator.styles, rng),
                energy_of(bar) if follows else 0.5,
                source.temperature,
                lanes=frozenset({LANES[index % len(LANES)]}),
                root=ROOT,
                condition=pattern_from_roll(bar.astype(np.float32) / MAX_VELOCITY, ROOT),
            )
        )
        number = next_seed(number)
    new = [p.at(r.energy) for p, r in zip(answers(generator, asked), asked, strict=True)]
    return _replaced(bars, as_bytes(np.stack([roll_from_pattern(pattern) for pattern in new])))


def _replaced(bars: Bytes, donors: Bytes) -> Bytes:
    """Each bar with one lane of its donor: the first with the kick, the second with the snare, and so on."""
    out = bars.copy()
    for index in range(len(bars)):
        lane = index % len(LANES)
        rows = slice(lane, lane + 1) if lane < BASS_ROW else slice(BASS_ROW, None)
        out[index, :, rows] = donors[index, :, rows]
    return out


def _same(source: Source) -> bool:
    """Two loads of the generator give the same bars for the same seeds."""
    numbers = [first_seed(37)]
    for _ in range(REPEATED - 1):
        numbers.append(next_seed(numbers[-1]))
    first, second = opened(source), opened(source)
    style = style_for("", first.styles, np.random.default_rng(37))
    asked = [Request(source.where, number, style, temperature=source.temperature) for number in numbers]
    return [first.generate(request).id for request in asked] == [second.generate(r).id for r in reversed(asked)][::-1]


def morph_figures(generator: Generator, source: Source) -> Figures:
    """Sixteen steps from one bar to another: the largest step between neighbours, in cells of the 16 x 5 grid.

    ``own``: the generator morphs by itself; otherwise the daemon exchanges the bars note by note, as it then does live.
    ``far``: how many cells the ends differ in; ``smooth``: that over sixteen, which no way can go below.
    """
    number = first_seed(38)
    style = style_for("", generator.styles, np.random.default_rng(38))
    own = True
    largest: list[int] = []
    far: list[int] = []
    for _ in range(MORPHS):
        ends: list[Pattern] = []
        for _ in range(2):
            ends.append(generator.generate(Request(source.where, number, style, temperature=source.temperature)))
            number = next_seed(number)
        way, alone = _way(generator, source, style, ends, number)
        own = own and alone
        cells = grid(as_bytes(np.stack([roll_from_pattern(pattern.at(0.5)) for pattern in way])))
        flat = cells.reshape(len(cells), -1)
        largest.append(int((flat[1:] ^ flat[:-1]).sum(axis=1).max()))
        far.append(int((flat[0] ^ flat[-1]).sum()))
    return {
        "own": own,
        "largest": max(largest),
        "largest_mean": round(float(np.mean(largest)), 3),
        "far": round(float(np.mean(far)), 3),
        "smooth": round(float(np.mean(far)) / MORPH_STEPS, 3),
    }


def _way(
    generator: Generator, source: Source, style: str, ends: Sequence[Pattern], number: int
) -> tuple[list[Pattern], bool]:
    """The bars on the way, ends included, and whether the generator drew them."""
    places = [step / MORPH_STEPS for step in range(MORPH_STEPS + 1)]
    first, second = ends
    request = Request(source.where, number, style, temperature=source.temperature, points=(first, second))
    if source.kind == "model":  # other generators ignore points
        with contextlib.suppress(UnavailableError):  # the model can't: as live, the notes are exchanged
            return [generator.generate(replace(request, morph=place)) for place in places], True
    return [morphed(first, second, place) for place in places], False
