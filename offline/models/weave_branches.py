"""The four steps of ``weave`` as one file: branches of a graph, and the input ``which`` says whose turn it is.

onnxruntime computes a whole graph whatever is asked of it, so the four must be branches; and every input costs time in
every call, so they share theirs: each takes whole numbers and values, side by side in one row per bar, cell or hit, and
gives the same. ``hitloopd.generate.weave_net`` is the other side.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from offline.models.weave import CELLS, LAGS, LANES, PACE, POINTERS, SLOTS, Weave
from offline.models.weave_drawing import NOISE, Drawing, HitInputs

TURNS: Final = ("whole", "read", "step", "hit")
INPUTS: Final[Sequence[str]] = ("which", "numbers", "values", "past")
OUTPUTS: Final[Sequence[str]] = ("chosen", "found", "present")
DYNAMIC: Final[Mapping[str, Mapping[int, str]]] = {
    "numbers": {0: "rows", 1: "numbers_of_its_turn"},
    "values": {0: "rows", 1: "values_of_its_turn"},
    "past": {0: "cells_now", 3: "cells_before"},
    "chosen": {0: "rows_chosen", 1: "choices"},
    "found": {0: "rows_found", 1: "values_found"},
    "present": {0: "cells_remembered", 3: "cells"},
}
FACTS: Final = 5
KNOWN: Final = 4 + 3 * POINTERS


class _Whole(Drawing):
    def forward(self, numbers: Tensor, values: Tensor) -> Tensor:
        style, has_bass = numbers.unbind(1)
        return self.whole(style, has_bass, values[:, 0], values[:, 1:]).flatten(1)


class _Read(Drawing):
    def forward(self, numbers: Tensor, values: Tensor) -> Tensor:
        kept = numbers.view(-1, CELLS, LANES, SLOTS, FACTS)
        return torch.cat([part.flatten(1) for part in self.read(values, kept)], dim=1)


class _Step(Drawing):
    def forward(self, numbers: Tensor, values: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        base, before_it, pace = values.split(_step_widths(self.net), dim=1)
        chord, state, present = self.step(base, before_it, numbers, pace, past)
        return torch.cat((chord, state), dim=1), present


class _Hit(Drawing):
    def forward(self, numbers: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        known, facts, old = numbers.split([KNOWN, FACTS + 1, 2 * POINTERS], dim=1)
        state_of, before, noise = values.split(_hit_widths(self.net), dim=1)
        return self.hit(HitInputs(state_of, before, known, facts, old, noise))


class Branches(nn.Module):
    """The four steps in one graph. Scripted, so that the branches stay branches."""

    def __init__(self, net: Weave) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # the tables' beginnings are constants indeed
            parts = [
                torch.jit.trace(kind(net).eval(), inputs[1 : 4 if kind is _Step else 3], check_trace=False)
                for kind, inputs in zip((_Whole, _Read, _Step, _Hit), examples(net), strict=True)
            ]
        self.whole, self.read, self.step, self.hit = parts

    def forward(self, which: Tensor, numbers: Tensor, values: Tensor, past: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One of the four, by ``which``; the one that comes most often is found first."""
        nothing, past_of_none = numbers[:0], past[:0]
        if int(which) == 3:
            choice, vector = self.hit(numbers, values)
            out = (choice, vector, past_of_none)
        elif int(which) == 2:
            found, present = self.step(numbers, values, past)
            out = (nothing, found, present)
        elif int(which) == 1:
            out = (nothing, self.read(numbers, values), past_of_none)
        else:
            out = (nothing, self.whole(numbers, values), past_of_none)
        return out


def branches(net: Weave) -> nn.Module:
    """What is exported."""
    return torch.jit.script(Branches(net.eval()))


def examples(net: Weave, count: int = 2) -> list[tuple[Tensor, ...]]:
    """Inputs of each of the four, in the order of ``TURNS``."""
    shape = net.shape
    size = shape.width // shape.heads
    widths = (1 + LANES, LANES, sum(_step_widths(net)), sum(_hit_widths(net)))
    numbers = (
        torch.zeros(count, 2, dtype=torch.long),
        torch.zeros(count, CELLS * LANES * SLOTS * FACTS, dtype=torch.long),
        torch.zeros(count, LANES, dtype=torch.long),
        torch.zeros(count, KNOWN + FACTS + 1 + 2 * POINTERS, dtype=torch.long),
    )
    past = torch.zeros(count, shape.layers, shape.heads, 3, 2 * size)
    return [
        (torch.tensor(turn), own, torch.full((count, width), 0.4), past)
        for turn, (own, width) in enumerate(zip(numbers, widths, strict=True))
    ]


def _step_widths(net: Weave) -> list[int]:
    """Of what a cell begins with, of what was before it, of the pace."""
    width = net.shape.width
    return [width, (1 + len(LAGS)) * width, PACE]


def _hit_widths(net: Weave) -> list[int]:
    """Of a cell's state, of what was struck before, of the noise."""
    return [net.shape.hit_width, net.shape.width, sum(NOISE)]
