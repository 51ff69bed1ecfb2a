"""Batches for ``weave``: bars as tokens, their style tags, their energies.

A *tag* is a style's full name where enough training bars have it, else its family, the word before the slash. Untagged
songs share the tag without a name. The number after the last tag means "any".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hitloopd.generate import weave_energy
from offline.dataset.store import Bars as DataSet
from offline.models.weave import Attributes, Bars, Hits
from offline.training import weave_tokens as tokens
from offline.training.weave_tokens import CELLS, LANES, LENGTH, PLACE, VELOCITY

Array = npt.NDArray[Any]

RELATED: Final[Mapping[str, str]] = {
    "afrobeat": "afro",
    "afrocuban": "afro",
    "highlife": "afro",
    "middleeastern": "afro",
    "country": "pop",
    "gospel": "soul",
    "blues": "rock",
}
"""Families of few bars, and the one they are learnt with."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Style names -> numbers 0..count-1; ``count`` itself is "any"."""

    numbers: Mapping[str, int]
    count: int

    def of(self, style: str) -> int:
        """The number of a data set's style."""
        family = style.partition("/")[0]
        return next((self.numbers[name] for name in (style, family) if name in self.numbers), self.count)


def tags_of(styles: Sequence[str], least: int) -> Tags:
    """Tags for the styles of the training bars: families always, full names where ``least`` bars have them."""
    counts = Counter(map(str, styles))
    families = sorted({_family(style) for style in counts})
    numbers = {family: index for index, family in enumerate(families)}
    for style in sorted(counts):
        family = style.partition("/")[0]
        numbers.setdefault(family, numbers[_family(style)])
        if style not in numbers and counts[style] >= least:
            numbers[style] = len(set(numbers.values()))
    return Tags(numbers, len(set(numbers.values())))


def _family(style: str) -> str:
    family = style.partition("/")[0]
    return RELATED.get(family, family)


def energy_parts(hits: Array) -> Array:
    """What the hits of each lane in each cell add to the sums of the energy ``[n, 16, 5, 4]``."""
    lane, cell = np.arange(LANES)[:, None], np.arange(CELLS)[:, None, None]
    parts = weave_energy.parts(lane, cell, hits[..., VELOCITY], hits[..., LENGTH])
    return np.asarray((parts * (hits[..., PLACE] >= 0)[..., None]).sum(axis=3))


def pace(parts: Array, given: Array, energy: Array) -> Array:
    """What is known of the energy before each cell ``[n, 16, 8]``: earlier cells and all of the given lanes."""
    stays = (parts * given[:, None, :, None]).sum(axis=2)
    drawn = parts.sum(axis=2) - stays
    sums = np.cumsum(drawn, axis=1) - drawn + stays.sum(axis=1, keepdims=True)
    return weave_energy.paces(sums, np.broadcast_to(energy[:, None], sums.shape[:-1]))


class Songs:
    """Bars as tokens, ready to be batched.

    Args:
        hits: tokens, see ``weave_tokens``.
        bass: whether each bar has a bass line.
        style, family: the numbers of each bar's style tag and of its family's.
    """

    def __init__(self, hits: Array, bass: Array, style: Array, family: Array) -> None:
        self.hits = hits
        self.back = tokens.context(hits)
        self.chords = tokens.chords(hits)
        self.parts = energy_parts(hits)
        self.energy = weave_energy.reached(self.parts.sum((1, 2))).astype(np.float32)
        self.bass = bass.astype(np.int64)
        self.style, self.family = style, family

    def __len__(self) -> int:
        return len(self.hits)

    def batch(self, rows: Array, style: Array, energy: Array, given: Array, device: torch.device) -> Bars:
        """The bars at ``rows``, with styles and energies as they shall be told, and which lanes are given."""
        hits = self.hits[rows]
        there = hits[..., PLACE] >= 0
        bar, cell, lane, slot = np.nonzero(there)
        facts = hits[bar, cell, lane, slot].astype(np.int64)
        after = np.zeros_like(hits[..., PLACE])
        after[:, :, :, 1:] = hits[:, :, :, :-1, PLACE] + 1
        more = np.zeros_like(there)
        more[:, :, :, :-1] = there[:, :, :, 1:]
        where = rows[bar], cell, lane, slot
        chord, held = self.chords[rows], self.back.held[rows]

        def whole(values: Array) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.int64)).to(device)

        return Bars(
            cell=whole(bar * CELLS + cell),
            hits=Hits(
                lane=whole(lane),
                slot=whole(slot),
                chord=whole(chord[bar, cell]),
                held=whole(held[bar, cell, lane]),
                old_velocity=whole(self.back.velocity[where]),
                old_length=whole(self.back.length[where]),
                old_pitch=whole(self.back.pitch[where]),
                after=whole(after[bar, cell, lane, slot]),
            ),
            what=Attributes(*(whole(facts[:, index]) for index in range(5)), whole(more[bar, cell, lane, slot])),
            chord=whole(chord),
            held=whole(held),
            style=whole(style),
            has_bass=whole(self.bass[rows]),
            energy=torch.from_numpy(energy.astype(np.float32)).to(device),
            given=torch.from_numpy(given.astype(np.float32)).to(device),
            pace=torch.from_numpy(pace(self.parts[rows], given, energy)).to(device),
        )


def songs_of(bars: DataSet, rows: Array, tags: Tags) -> Songs:
    """The bars of a data set at ``rows``."""
    taken = bars.take(rows)
    names = [str(style) for style in taken.style]
    return Songs(
        tokens.hits_of(taken.rolls, taken.events),
        taken.has_bass,
        np.array([tags.of(name) for name in names], dtype=np.int64),
        np.array([tags.of(name.partition("/")[0]) for name in names], dtype=np.int64),
    )
