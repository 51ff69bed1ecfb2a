"""What the training loop wants of a model, and the table of those that there are.

Conventions: a recipe is a module with ``Config`` (a frozen dataclass, child of
``offline.training.config.TrainingConfig``) and ``build(config, bars, device) -> Recipe``. The loop owns time, order and
files: it decides which rows of the data come when, measures, prints, and writes checkpoints. The recipe owns the
networks, their optimisers, and what one step does. Rolls are ``float32 [n, 128, 20]``, 0..1, as in
``hitloopd.generate.roll``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from hitloopd.core.errors import ArgumentError, nearest

Rolls = npt.NDArray[np.float32]

RECIPES: Final[Mapping[str, str]] = {
    "gan1": "offline.training.gan",
    "gan2": "offline.training.gan",
    "vae": "offline.training.vae",
    "vaegan": "offline.training.vaegan",
    "weave": "offline.training.weave",
}
"""Name of the run's kind -> module with ``Config`` and ``build``; its settings lie in ``configs/train/<name>.yaml``."""


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What goes into ``model.onnx`` and onto its card.

    Args:
        module: in evaluation mode, on the CPU, float32.
        inputs: examples, one per input name, batch of two.
        input_names: as the drawer in the daemon calls them.
        output_names: likewise.
        dynamic_axes: input or output name -> {axis: name}; at least the batch.
        kind: ``latent`` (``latent`` float32 [b, 128] -> ``roll`` float32 [b, 128, 20]) or ``weave``.
        card: further facts for ``card.yaml``: plain numbers, words, lists and mappings.
        weights: how the file may keep big weights: ``float32``, ``float16`` or ``int8`` (``offline.export.shrink``).
        turns: of a graph with branches: examples for each of them.
    """

    module: nn.Module
    inputs: tuple[Tensor, ...]
    input_names: Sequence[str]
    output_names: Sequence[str]
    dynamic_axes: Mapping[str, Mapping[int, str]]
    kind: str
    card: Mapping[str, Any] = field(default_factory=dict)
    weights: Literal["float32", "float16", "int8"] = "float16"
    turns: Sequence[tuple[Tensor, ...]] = ()


class Recipe(Protocol):
    """A model being trained.

    ``build`` gets ``bars=None`` when somebody only wants to sample or export: then ``items`` is 0 and no step comes.
    """

    items: int
    """How many rows of training data it has; the loop deals 0..items-1 in an order that seed and epoch decide."""

    def step(self, rows: Tensor, epoch: float) -> Mapping[str, float]:
        """Learn from these rows and tell the losses, by name.

        Args:
            rows: int64 [batch], indices below ``items``; the last batch of an epoch may be smaller.
            epoch: epochs done so far, with the fraction of this one: for warm-ups and schedules.
        """
        ...

    def validate(self) -> Mapping[str, float]:
        """Figures on the validation songs, by name; empty where there is nothing to say. Must leave all RNGs alone."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on: networks, optimisers, own generators.

        Tensors, numbers, words, lists, tuples and dictionaries only, so that a checkpoint is data and never code.
        """
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to a state that ``state_dict`` gave."""
        ...

    def sample(self, n: int, seed: int) -> Rolls:
        """Draw n bars; the same seed draws the same ones. Must leave all RNGs alone."""
        ...

    def export_module(self) -> ExportPlan:
        """The network as the daemon shall have it."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What run.yaml shall say of it: parameters, share of the bars, deviations from a paper."""
        ...


def recipe_module(name: str) -> ModuleType:
    """The module of a recipe: ``Config`` and ``build``.

    Raises:
        ArgumentError: there is no such recipe; the message names the nearest.
    """
    if name not in RECIPES:
        raise ArgumentError(f"There is no recipe '{name}'; there are {', '.join(RECIPES)}.{nearest(name, RECIPES)}")
    return importlib.import_module(RECIPES[name])
