"""Recipe ``vaegan``: the GAN that the paper's section VIII hopes for.

The generator is the VAE's decoder and may begin with a trained one's weights (``--start-from RUN``), so that the
discriminator need not be made small for its sake: here it has 4.1 million parameters, about as many as the generator.
Without ``--start-from`` it is the same network from scratch, which is what the comparison is made against.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hitloopd.core.errors import ArgumentError
from offline.dataset.store import Bars
from offline.jobs import file_hash
from offline.models.vae import Decoder
from offline.training import checkpoint
from offline.training.gan import Config as GanConfig
from offline.training.gan import GanRecipe


@dataclass(frozen=True, kw_only=True)
class Config(GanConfig):
    """Settings of the GAN, with a discriminator at full size."""

    width: float = 1.5


def build(config: Config, bars: Bars | None, device: torch.device) -> GanRecipe:
    """A GAN whose generator is the VAE's decoder."""
    return GanRecipe(config, Decoder(config.dropout), bars, device)


def start(recipe: GanRecipe, run: Path) -> dict[str, Any]:
    """Give the generator the weights of a trained decoder; what run.yaml shall say of it.

    Raises:
        ArgumentError: the run is no VAE's.
        UnavailableError: it has no checkpoint.
    """
    held = checkpoint.read(run / checkpoint.LAST)
    if held.name != "vae":
        raise ArgumentError(f"{run} is a run of '{held.name}'; --start-from wants one of 'vae'.")
    recipe.network.load_state_dict(held.recipe["network"])
    recipe.changed()
    return {
        "recipe": held.name,
        "epochs": held.progress.epoch,
        "cpu_seconds": round(held.progress.cpu_seconds, 1),
        "data_key": held.data_key,
        "checkpoint": file_hash(run / checkpoint.LAST),
    }
