"""The index that ships with a model: fingerprints of the bars it learned from, with their credits and their error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.generate.novelty import CELLS, DRUM_CELLS, NO_BASS, Index, exact_distances, fingerprints
from offline.dataset.store import Bars
from offline.grid import grid

QUERIES: Final = 300
KEY: Final = "hitloopd fingerprints 1"
_SEED: Final = 3

Rows = npt.NDArray[np.int64]
Grids = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Built:
    """An index, and the grids it was made from, for measuring its error."""

    index: Index
    grids: Grids
    has_bass: npt.NDArray[np.bool_]


def build(bars: Bars, rows: Rows) -> Built:
    """The index of these bars; of bars with the same grid the first."""
    grids, has_bass = grid(bars.rolls[rows]), bars.has_bass[rows].astype(np.bool_)
    marks = np.packbits(np.concatenate([grids.reshape(len(rows), CELLS), has_bass[:, None]], axis=1), axis=1)
    first = np.sort(np.unique(marks, axis=0, return_index=True)[1])
    files, places = np.unique(bars.file[rows], return_inverse=True)
    prints, hits = fingerprints(grids[first], KEY)
    hits[~has_bass[first], 1] = NO_BASS
    index = Index(
        key=KEY,
        prints=np.ascontiguousarray(prints.T),
        hits=hits,
        song=places[first].astype(np.uint16),
        bar=bars.bar[rows][first].astype(np.uint16),
        songs=_songs(bars, rows, files, places),
    )
    return Built(index, grids[first], has_bass[first])


def error(built: Built, queries: Grids) -> dict[str, Any]:
    """How far the estimates are from the exact distances, in cells, over these bars looked up.

    ``named`` is about the bar that the index calls the nearest; ``missed`` by how many cells a nearer one was passed
    over, both brought to 80 cells.
    """
    of = np.where(built.has_bass, CELLS, DRUM_CELLS)
    every: list[float] = []
    named: list[float] = []
    missed: list[float] = []
    for query in queries:
        estimated, _ = built.index.distances(query)
        exact = exact_distances(built.grids, built.has_bass, query)
        place = int(np.argmin(estimated / of))
        every.append(float(np.abs(estimated - exact).mean()))
        named.append(float(estimated[place] - exact[place]))
        missed.append(float(exact[place] / of[place] - (exact / of).min()) * CELLS)
    error_of_named = np.abs(named)
    return {
        "looked_up": len(queries),
        "named_mean_error_cells": round(float(error_of_named.mean()), 2),
        "named_p95_error_cells": round(float(np.quantile(error_of_named, 0.95)), 1),
        "named_exact_share": round(float((error_of_named == 0).mean()), 3),
        "named_bias_cells": round(float(np.mean(named)), 2),
        "missed_mean_cells": round(float(np.mean(missed)), 2),
        "mean_error_all_cells": round(float(np.mean(every)), 2),
    }


def unseen(bars: Bars, rows: Rows) -> Grids:
    """Grids of bars to look up: of the validation songs, or where there are none, of any songs."""
    valid = np.flatnonzero(bars.split == "valid")
    among = valid if len(valid) else rows
    drawn = np.random.default_rng(_SEED).permutation(among)[:QUERIES]
    return grid(bars.rolls[np.sort(drawn)])


def _songs(bars: Bars, rows: Rows, files: npt.NDArray[Any], places: Rows) -> list[Mapping[str, str]]:
    origins = {str(source["file"]): str(source.get("origin", "")) for source in bars.facts.get("sources", [])}
    counts = np.bincount(places, minlength=len(files))
    first = rows[np.unique(places, return_index=True)[1]]
    return [
        {
            "title": str(bars.title[row]),
            "author": str(bars.author[row]),
            "licence": str(bars.licence[row]),
            "origin": origins.get(str(name), ""),
            "bars": str(int(count)),
        }
        for name, row, count in zip(files, first, counts, strict=True)
    ]
