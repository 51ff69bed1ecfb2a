"""``weave`` as it draws: four steps that the daemon calls in turn, in one file.

*whole*, once a bar: what holds for all of it. *read*, where lanes are kept: what their bar tells every cell.
*step*, once a cell: the chances of the 32 combinations of lanes. *hit*, once a hit (or for several at once): draws
its facts with noise that it is given. Each has inputs and outputs of its own; the input ``which`` says whose turn
it is, and the others' outputs are empty then (onnxruntime computes a whole graph whatever is asked of it, so the
four are branches).

Conventions: as in ``offline.models.weave``. Hits are int64 ``[..., 5]``: place (-1: none), pitch, velocity, length,
fine.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from offline.models.weave import (
    CELLS,
    FINE,
    LAGS,
    LANES,
    LENGTHS,
    PACE,
    PITCHES,
    PLACES,
    POINTERS,
    SLOTS,
    VELOCITIES,
    Weave,
    fact_rows,
)

WHOLE: Final = ("style", "has_bass", "energy", "told")
READ: Final = ("given", "kept")
STEP: Final = ("base", "before_it", "held", "pace", "past")
HIT: Final = ("state_of", "before", "known", "facts", "old", "noise")
INPUTS: Final[Sequence[str]] = ("which", *WHOLE, *READ, *STEP, *HIT)
OUTPUTS: Final[Sequence[str]] = ("bases", "read", "kept_cells", "chord", "state", "present", "choice", "vector")
DYNAMIC: Final[Mapping[str, Mapping[int, str]]] = {
    **{name: {0: "bars"} for name in (*WHOLE, "bases")},
    **{name: {0: "kept_bars"} for name in (*READ, "read", "kept_cells")},
    **{name: {0: "rows"} for name in ("base", "before_it", "held", "pace", "chord", "state")},
    "past": {0: "rows", 4: "cells"},
    "present": {0: "rows", 4: "cells_and_one"},
    **{name: {0: "hits"} for name in (*HIT, "choice", "vector")},
}
NOISE: Final = (PLACES, PITCHES + 1, POINTERS + 1, VELOCITIES, POINTERS + 1, LENGTHS, FINE, 2)
"""Parts of a hit's noise: place, pitch, which way to the velocity (afresh, or by a pointer) and which one, likewise
length, fine, more."""


class HitInputs(NamedTuple):
    """What is asked of the hit head.

    Args:
        state_of: the hits' cells' states ``[n, width]``.
        before: sum of the vectors of the kept and earlier hits of their cells ``[n, width]``.
        known: rows of the table of what is known ``[n, 16]``, see ``models.weave.known_rows``.
        facts: rows of the table of facts for a hit whose facts are all 0 ``[n, 6]``, see ``models.weave.fact_rows``.
        old: velocities and lengths to point at ``[n, 2, 4]``.
        noise: ``[n, 324]``, parts as in ``NOISE``.
    """

    state_of: Tensor
    before: Tensor
    known: Tensor
    facts: Tensor
    old: Tensor
    noise: Tensor


class Drawing(nn.Module):
    """The four steps over a trained network; see ``branches`` for what is exported."""

    def __init__(self, net: Weave) -> None:
        super().__init__()
        self.net = net

    def whole(self, style: Tensor, has_bass: Tensor, energy: Tensor, told: Tensor) -> Tensor:
        """What each cell's step begins with ``[b, 16, width]``; ``told``: which lanes are given, float ``[b, 5]``."""
        net = self.net
        base = net.whole(style, has_bass, energy, told)[:, None] + net.position.weight
        return base + functional.pad(net.begin[None], (0, 0, 0, CELLS - 1))

    def read(self, given: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """What to add to each cell's base for the given lanes, and the contents of the kept hits, ``[b, 16, width]``.

        ``kept`` are all hits that stay ``[b, 16, 5, 3, 5]``.
        """
        cells = self._content(kept.flatten(0, 1)).unflatten(0, (-1, CELLS))
        return self.net.read(cells, given), cells

    def step(
        self, base: Tensor, before_it: Tensor, held: Tensor, pace: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One cell on.

        Args:
            base: what this cell begins with ``[s, width]``.
            before_it: contents (sums of the hits' vectors) of the cell before and of those one and two beats ago
                ``[s, 3, width]``, zeros where there are none.
            held: rows of the table of what still sounds, one per lane ``[s, 5]``: lane x 18 + steps.
            pace: how far the energy is, ``[s, 8]``, see ``models.weave.pace_of``.
            past: ``[s, layers, 2, heads, t, size]`` of the t cells before.

        Returns:
            Log chances of the combinations ``[s, 32]``; the state for this cell's hits ``[s, width]``; past for the
            next cell.
        """
        net = self.net
        x = base + before_it[:, 0] + net.held(held).sum(1) + net.pace(pace)
        for index, layer in enumerate(net.lags):
            x = x + layer(before_it[:, index + 1])
        x = x[:, None]
        present: list[Tensor] = []
        for index, block in enumerate(net.blocks):
            x, both = block.step(x, past[:, index])
            present.append(both)
        state = net.norm(x)[:, 0]
        return functional.log_softmax(net.chord(state), dim=-1), state, torch.stack(present, dim=1)

    def hit(self, told: HitInputs) -> tuple[Tensor, Tensor]:
        """Draw hits: each fact is the one whose logit and noise add up highest.

        With noise of the Gumbel distribution that is a draw by chance, with none the likeliest; noise times a
        temperature draws at that temperature. Noise of minus a billion closes a choice.

        Returns:
            Place, pitch (16: a drum), velocity, length, fine, more ``[n, 6]``; the hits' vectors ``[n, width]``.
        """
        net = self.net
        place_noise, pitch_noise, way_velocity, velocity_noise, way_length, length_noise, fine_noise, more_noise = (
            told.noise.split(NOISE, dim=1)
        )
        z = net.mixed(net.from_trunk(told.state_of) + net.from_cell(told.before) + net.known(told.known).sum(1))
        place = (net.place_stage(z) + place_noise).argmax(1, keepdim=True)
        z = z + net.place_stage.chosen(place[:, 0])
        pitch = (net.pitch_stage(z) + pitch_noise).argmax(1, keepdim=True)
        z = z + net.pitch_stage.chosen(pitch[:, 0])
        velocity = _pointed(net.velocity_stage(z), told.old[:, 0], way_velocity, velocity_noise)
        z = z + net.velocity_stage.chosen(velocity[:, 0])
        length = _pointed(net.length_stage(z), told.old[:, 1], way_length, length_noise)
        z = z + net.length_stage.chosen(length[:, 0])
        fine = (net.fine_stage(z) + fine_noise).argmax(1, keepdim=True)
        z = z + net.fine_stage.chosen(fine[:, 0])
        more = (net.more_stage(z) + more_noise).argmax(1, keepdim=True)
        choice = torch.cat([place, pitch, velocity, length, fine, more], dim=1)
        return choice, net.facts(told.facts + choice * torch.tensor([1, 1, 1, 1, 1, 0], device=choice.device)).sum(1)

    def _content(self, cells: Tensor) -> Tensor:
        """Sum of the hits' vectors ``[s, width]`` of cells ``[s, 5, 3, 5]``."""
        lane = torch.arange(LANES, device=cells.device)[:, None]
        slot = torch.arange(SLOTS, device=cells.device)
        place, pitch, velocity, length, fine = cells.clamp(min=0).unbind(-1)
        vectors = self.net.facts(fact_rows(lane, slot, place, pitch, velocity, length, fine)).sum(-2)
        return (vectors * (cells[..., :1] >= 0).to(vectors.dtype)).sum((1, 2))


class _Whole(Drawing):
    def forward(self, style: Tensor, has_bass: Tensor, energy: Tensor, told: Tensor) -> Tensor:
        return self.whole(style, has_bass, energy, told)


class _Read(Drawing):
    def forward(self, given: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        return self.read(given, kept)


class _Step(Drawing):
    def forward(self, base: Tensor, before_it: Tensor, held: Tensor, pace: Tensor, past: Tensor) -> tuple[Tensor, ...]:
        return self.step(base, before_it, held, pace, past)


class _Hit(Drawing):
    def forward(self, *told: Tensor) -> tuple[Tensor, ...]:
        return self.hit(HitInputs(*told))


class Branches(nn.Module):
    """The four steps as branches of one graph. Scripted, so that the branches stay branches."""

    def __init__(self, net: Weave) -> None:
        super().__init__()
        examples = dict(zip(INPUTS, empty(net), strict=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # the tables' beginnings are constants indeed
            parts = [
                torch.jit.trace(kind(net).eval(), tuple(examples[name] for name in names), check_trace=False)
                for kind, names in ((_Whole, WHOLE), (_Read, READ), (_Step, STEP), (_Hit, HIT))
            ]
        self.whole, self.read, self.step, self.hit = parts
        self.width = net.shape.width

    def forward(  # noqa: PLR0917 - an exported graph has inputs, not an object
        self, which: Tensor, style: Tensor, has_bass: Tensor, energy: Tensor, told: Tensor,
        given: Tensor, kept: Tensor,
        base: Tensor, before_it: Tensor, held: Tensor, pace: Tensor, past: Tensor,
        state_of: Tensor, before: Tensor, known: Tensor, facts: Tensor, old: Tensor, noise: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """One of the four, by ``which``: 0, 1, 2, 3."""
        cells, rows = torch.zeros([0, 16, self.width]), state_of[:0]
        chords, none = torch.zeros([0, 32]), facts[:0]
        if int(which) < 2:
            if int(which) == 0:
                bases = self.whole(style, has_bass, energy, told)
                out = (bases, cells, cells, chords, rows, past[:0], none, rows)
            else:
                read, kept_cells = self.read(given, kept)
                out = (cells, read, kept_cells, chords, rows, past[:0], none, rows)
        elif int(which) == 2:
            chord, state, present = self.step(base, before_it, held, pace, past)
            out = (cells, cells, cells, chord, state, present, none, rows)
        else:
            choice, vector = self.hit(state_of, before, known, facts, old, noise)
            out = (cells, cells, cells, chords, rows, past[:0], choice, vector)
        return out


def branches(net: Weave) -> nn.Module:
    """What is exported."""
    return torch.jit.script(Branches(net.eval()))


def empty(net: Weave, count: int = 2) -> tuple[Tensor, ...]:
    """Example inputs for the export, in the order of ``INPUTS``."""
    shape = net.shape
    size = shape.width // shape.heads
    whole = torch.long
    examples: dict[str, Tensor] = {
        "which": torch.tensor(0),
        "style": torch.zeros(count, dtype=whole),
        "has_bass": torch.zeros(count, dtype=whole),
        "energy": torch.full((count,), 0.4),
        "told": torch.zeros(count, LANES),
        "given": torch.zeros(count, LANES),
        "kept": torch.zeros(count, CELLS, LANES, SLOTS, 5, dtype=whole) - 1,
        "base": torch.zeros(count, shape.width),
        "before_it": torch.zeros(count, 1 + len(LAGS), shape.width),
        "held": torch.zeros(count, LANES, dtype=whole),
        "pace": torch.zeros(count, PACE),
        "past": torch.zeros(count, shape.layers, 2, shape.heads, 3, size),
        "state_of": torch.zeros(count, shape.width),
        "before": torch.zeros(count, shape.width),
        "known": torch.zeros(count, 4 + 3 * POINTERS, dtype=whole),
        "facts": torch.zeros(count, 6, dtype=whole),
        "old": torch.zeros(count, 2, POINTERS, dtype=whole),
        "noise": torch.zeros(count, sum(NOISE)),
    }
    return tuple(examples[name] for name in INPUTS)


def _pointed(logits: Tensor, old: Tensor, way_noise: Tensor, noise: Tensor) -> Tensor:
    """A choice of a stage that may point back ``[n, 1]``: first which way, then, drawn afresh, what."""
    afresh, way = logits.split([noise.shape[1], way_noise.shape[1]], dim=1)
    values = torch.cat([(afresh + noise).argmax(1, keepdim=True), old], dim=1)
    return values.gather(1, (way + way_noise).argmax(1, keepdim=True))
