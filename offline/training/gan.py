"""Recipes ``gan1`` and ``gan2``: the paper's GAN, trained as far as the paper says how.

The paper says: layers, latent size, 1 000 and 500 epochs. It says nothing about loss, optimiser, batch size, noise or
labels. Taken here, by the practice of its time: the non-saturating loss, Adam with beta 0.5, one step each per batch on
the same noise, real bars labelled 0.9 (one-sided smoothing), dropout 0.3; 0.0002 for the generator and a quarter of it
for the discriminator, which at equal rates won within the first epoch (generator's loss 6.8, drawn bars caught at 0.1).
The paper balanced the two by making the discriminator smaller; this one has the size that it printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from offline.dataset.store import Bars
from offline.models.gan import Discriminator, Generator
from offline.models.layers import count
from offline.training.config import TrainingConfig
from offline.training.latent import LatentRecipe

NOT_IN_THE_PAPER: Final = (
    "discriminator layers (Table III repeats the generator's): ours, of its printed size",
    "kernels: ours, the ones for which the printed totals come out",
    "loss: non-saturating cross entropy, real bars labelled 0.9",
    "Adam, beta1 0.5, 0.0002 for the generator and 0.00005 for the discriminator; one step each per batch",
    "leaky ReLU 0.3, batch normalisation momentum 0.1, dropout 0.3",
    "rolls carry velocity 0..1; from which value on a cell sounds is set so that as many do as in the training bars",
)


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """Settings of a GAN.

    Args:
        learning_rate: of the generator.
        discriminator_rate: learning rate of the discriminator.
        beta: Adam's first beta, of both.
        label: what the discriminator shall say of real bars.
        dropout: share of values left out, in both networks.
        width: channels of the discriminator against the paper-sized one.
    """

    learning_rate: float = 2e-4
    discriminator_rate: float = 5e-5
    beta: float = 0.5
    label: float = 0.9
    dropout: float = 0.3
    width: float = 1.0


class GanRecipe(LatentRecipe):
    """A generator against a discriminator."""

    def __init__(self, config: Config, generator: nn.Module, bars: Bars | None, device: torch.device) -> None:
        super().__init__(config, generator, bars, device)
        self.config = config
        self.discriminator = self.place(Discriminator(config.width, config.dropout))
        betas = (config.beta, 0.999)
        self._paint = torch.optim.Adam(generator.parameters(), config.learning_rate, betas)
        self._judge = torch.optim.Adam(self.discriminator.parameters(), config.discriminator_rate, betas)

    def step(self, rows: Tensor, epoch: float) -> Mapping[str, float]:
        """One step of the discriminator, one of the generator, on the same noise."""
        del epoch
        real = self.rolls(rows)
        with self.arithmetic():
            drawn = torch.sigmoid(self.network(self.noise(len(rows))))
            judged = cross_entropy(self.discriminator(real), torch.full_like(real[:, 0, 0], self.config.label))
            caught = cross_entropy(self.discriminator(drawn.detach()), torch.zeros_like(real[:, 0, 0]))
        self._learn(self._judge, judged + caught, self.discriminator)
        with self.arithmetic():
            fooled = cross_entropy(self.discriminator(drawn), torch.ones_like(real[:, 0, 0]))
        self._learn(self._paint, fooled, self.network)
        self.changed()
        return {"generator": fooled.item(), "real": judged.item(), "drawn": caught.item()}

    def state_dict(self) -> dict[str, Any]:
        """Both networks and their optimisers."""
        return super().state_dict() | {
            "discriminator": self.discriminator.state_dict(),
            "paint": self._paint.state_dict(),
            "judge": self._judge.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Both networks and their optimisers."""
        super().load_state_dict(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self._paint.load_state_dict(state["paint"])
        self._judge.load_state_dict(state["judge"])

    def facts(self) -> Mapping[str, Any]:
        """Sizes, share of the bars, and what the paper left open."""
        return dict(super().facts()) | {
            "discriminator_parameters": count(self.discriminator),
            "not_in_the_paper": list(NOT_IN_THE_PAPER),
        }

    @staticmethod
    def _learn(optimiser: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
        """One step; gradients only for the network that learns: those of the other one cost a tenth of the time."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward(inputs=list(network.parameters()))
        optimiser.step()


def build(config: Config, bars: Bars | None, device: torch.device) -> GanRecipe:
    """The paper's GAN."""
    return GanRecipe(config, Generator(config.dropout), bars, device)
