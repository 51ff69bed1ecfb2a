"""Everything that is measured on one set of bars, drawn with one seed, against a reference: plain numbers, for JSON.

Conventions: ``n`` bars against ``n`` training bars of that seed's sample; copies are sought among all training bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offline.evaluation import knn
from offline.evaluation.likeness import features, feel, moved, overlaps
from offline.evaluation.reference import Reference
from offline.evaluation.twosample import VIEWS, judge
from offline.evaluation.views import MAX_VELOCITY, as_bytes
from offline.grid import grid
from offline.measures import (
    COMPARED,
    cosine_distances,
    empty_ratio,
    pairs,
    quantiles,
    sample,
    sounding,
    unqualified_notes,
)

Portrait = dict[str, Any]
PLACES: Final = 5


def portrait(drawn: npt.NDArray[Any], held: Reference, seed: int, *, two_sample: bool = True) -> Portrait:
    """All figures of ``drawn`` against ``held``, if asked without the two-sample test, which takes most of the time."""
    bars = as_bytes(drawn)
    picked = held.sample(len(bars), seed)
    real = held.material.training[picked]
    grids = grid(bars)
    return {
        "bars": len(bars),
        "paper": paper_sums(bars),
        "heat": heat(bars),
        "grid": _rounded(asdict(knn.neighbourhood(held.material.grids[picked], grids))),
        "roll": _rounded(asdict(knn.neighbourhood(_loud(real), _loud(bars)))),
        "copies": _rounded(asdict(knn.copies(grids, held.material.grids))),
        "duplicates": round(knn.duplicates(grids), PLACES),
        "overlap": overlaps(features(real), features(bars)),
        "feel": _feel(real, bars),
        "auc": {view: _rounded(asdict(judge(held.material.training, bars, held.songs, seed, view))) for view in VIEWS}
        if two_sample
        else {},
    }


def paper_sums(rolls: npt.NDArray[Any]) -> Portrait:
    """The paper's three measures over all of ``rolls``, with what is needed to add up several sets.

    The cosine distance is the mean over *all* pairs, which is what a hundred random bars have on average; its
    ``variance`` is that of a bar's mean distance to the others (a U-statistic's standard error is ``2 sqrt(v / n)``).
    """
    apart = mean_distances(rolls)
    columns = {"empty": empty_ratio(rolls), "unqualified": unqualified_notes(rolls), "distance": apart}
    hundred = pairs(cosine_distances(rolls[sample(len(rolls), COMPARED, 0)]))
    return {
        "bars": len(rolls),
        "mean": {name: float(values.mean()) for name, values in columns.items()},
        "variance": {name: float(values.var()) for name, values in columns.items()},
        "hundred": {"mean": float(hundred.mean()), **quantiles(hundred)},
    }


def heat(rolls: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The paper's heat map: the cosine distances of 100 bars, in 255ths."""
    chosen = np.random.default_rng(0).permutation(len(rolls))[:COMPARED]  # not in order: songs would show as blocks
    return np.rint(255 * cosine_distances(rolls[chosen])).astype(np.uint8)


def mean_distances(rolls: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The mean cosine distance of each bar to all others, without looking at pairs one by one."""
    flat = sounding(rolls).reshape(len(rolls), -1).astype(np.float32)
    size = np.sqrt(flat.sum(axis=1, dtype=np.float64))
    silent = size == 0
    unit = flat / np.where(silent, 1.0, size)[:, None].astype(np.float32)
    alike = unit @ unit.sum(axis=0) - ~silent  # without itself
    alike[silent] = silent.sum() - 1  # silence is like silence
    return np.asarray(1.0 - alike / max(len(rolls) - 1, 1), dtype=np.float64)


def _feel(real: npt.NDArray[Any], bars: npt.NDArray[Any]) -> Portrait:
    there, here = feel(real), feel(bars)
    timing, velocity = moved(there, here)
    return {
        "off_grid": round(here.off_grid, PLACES),
        "loudness": round(here.loudness, PLACES),
        "timing_moved_steps": round(timing, PLACES),
        "velocity_moved": round(velocity, PLACES),
        "timing": _share(here.timing, here.hits),
        "velocity": _share(here.velocity, here.hits),
    }


def _share(table: npt.NDArray[Any], hits: npt.NDArray[Any]) -> list[float]:
    """All lanes in one histogram."""
    return np.round((table * hits[:, None]).sum(axis=0) / max(hits.sum(), 1), PLACES).tolist()


def _loud(rolls: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return rolls.astype(np.float32) / np.float32(MAX_VELOCITY)


def _rounded(table: dict[str, Any]) -> dict[str, Any]:
    return {name: round(float(value), PLACES) for name, value in table.items()}


def song_errors(rolls: npt.NDArray[Any], songs: npt.NDArray[Any]) -> dict[str, float]:
    """Standard errors of the three means if other songs had been written: bars of a song are far from independent."""
    columns = {"empty": empty_ratio(rolls), "unqualified": unqualified_notes(rolls), "distance": mean_distances(rolls)}
    _, index = np.unique(songs, return_inverse=True)
    errors: dict[str, float] = {}
    for name, values in columns.items():
        sums = np.bincount(index, weights=values - values.mean())
        factor = 2 if name == "distance" else 1  # a U-statistic of pairs
        errors[name] = float(factor * np.sqrt((sums**2).sum()) / len(values))
    return errors


def added(parts: Sequence[Portrait]) -> Portrait:
    """Several ``paper_sums`` as one: mean, standard error and number of bars."""
    bars = np.array([part["bars"] for part in parts])
    out: Portrait = {"bars": int(bars.sum()), "mean": {}, "error": {}, "hundred": parts[0]["hundred"]}
    for name in parts[0]["mean"]:
        means = np.array([part["mean"][name] for part in parts])
        within = float(np.average([part["variance"][name] for part in parts], weights=bars))
        factor = 2 if name == "distance" else 1
        out["mean"][name] = float(np.average(means, weights=bars))
        out["error"][name] = factor * float(np.sqrt(within / bars.sum()))
    return out
