"""Recipe ``vae``: the paper's variational auto-encoder.

The paper says: layers, latent size, 1 000 epochs. Taken here: cross entropy per cell and the divergence from a standard
normal, both summed over a bar, the divergence's weight rising over the first epochs; Adam with 0.001.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from offline.dataset.store import Bars
from offline.models.layers import count
from offline.models.vae import Decoder, Encoder
from offline.training.config import TrainingConfig
from offline.training.latent import LatentRecipe

_FIRST: Final = 0.1  # without any divergence in the loss the variances ran away to 1e13 within one epoch
_SPREAD: Final = (-10.0, 4.0)  # logarithms of variances: beyond these, numbers and not music are at stake
NOT_IN_THE_PAPER: Final = (
    "kernels: ours; no kernels give the printed total, these are four above it",
    "loss: cross entropy per cell plus beta x divergence, summed over a bar; beta rises over the first epochs",
    "Adam 0.001",
    "leaky ReLU 0.3, batch normalisation momentum 0.1, dropout 0.1",
    "rolls carry velocity 0..1; from which value on a cell sounds is set so that as many do as in the training bars",
)


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """Settings of the VAE.

    Args:
        learning_rate: Adam's.
        beta: weight of the divergence.
        warm_up: epochs over which that weight rises from a tenth.
        dropout: share of values left out, in both networks.
    """

    learning_rate: float = 1e-3
    beta: float = 1.0
    warm_up: float = 5.0
    dropout: float = 0.1


class VaeRecipe(LatentRecipe):
    """Encoder and decoder, learning together."""

    def __init__(self, config: Config, bars: Bars | None, device: torch.device) -> None:
        super().__init__(config, Decoder(config.dropout), bars, device)
        self.config = config
        self.encoder = self.place(Encoder(config.dropout))
        weights = [*self.encoder.parameters(), *self.network.parameters()]
        self._optimiser = torch.optim.Adam(weights, config.learning_rate)

    def step(self, rows: Tensor, epoch: float) -> Mapping[str, float]:
        """One step on the bound of these bars."""
        real = self.rolls(rows)
        with self.arithmetic():
            mean, spread = self.encoder(real)
            mean, spread = mean.float(), spread.float().clamp(*_SPREAD)
            points = mean + torch.randn_like(mean) * torch.exp(spread / 2)
            logits = self.network(points)
        missed = cross_entropy(logits.float(), real, reduction="sum") / len(rows)
        apart = (mean.square() + spread.exp() - 1 - spread).sum() / 2 / len(rows)
        beta = self.config.beta * min(1.0, max(_FIRST, epoch / max(self.config.warm_up, 1e-9)))
        self._optimiser.zero_grad(set_to_none=True)
        (missed + beta * apart).backward()
        self._optimiser.step()
        self.changed()
        return {"missed": missed.item(), "divergence": apart.item()}

    def state_dict(self) -> dict[str, Any]:
        """Both networks and the optimiser."""
        return super().state_dict() | {
            "encoder": self.encoder.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As ``state_dict``."""
        super().load_state_dict(state)
        self.encoder.load_state_dict(state["encoder"])
        self._optimiser.load_state_dict(state["optimiser"])

    def facts(self) -> Mapping[str, Any]:
        """Sizes, share of the bars, and what the paper left open."""
        return dict(super().facts()) | {
            "encoder_parameters": count(self.encoder),
            "not_in_the_paper": list(NOT_IN_THE_PAPER),
        }


def build(config: Config, bars: Bars | None, device: torch.device) -> VaeRecipe:
    """The paper's VAE."""
    return VaeRecipe(config, bars, device)
