"""What the paper's four models share: a network that turns 128 numbers into a bar.

Conventions: a level decides what sounds. It is set anew for every state of the network so that as many cells of 256
drawn bars sound as of the training bars; the paper says nothing about it. What lies below the level is drawn fainter
than the daemon plays (0.1): candidates, from which the energetic end of its knob chooses. Drawing leaves the training's
own chance alone.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hitloopd.generate.roll import THRESHOLD
from offline.dataset.store import Bars
from offline.grid import sounding
from offline.measures import empty_ratio, unqualified_notes
from offline.models.layers import count, quickened
from offline.training.config import TrainingConfig
from offline.training.data import Chosen, choose, rolls_of
from offline.training.distance import energy_distance
from offline.training.recipe import ExportPlan

Rolls = npt.NDArray[np.float32]

LATENT: Final = 128
JUDGED: Final = 256
"""Bars drawn, and validation bars, for a look at how a run goes."""
_BATCH: Final = 128
_SEED: Final = 256
_HAIR: Final = 1e-3  # from the border, so that rounding takes nothing across it


class LatentRecipe:
    """A network with optional training bars; children add the learning.

    Args:
        config: settings.
        network: float32 [b, 128] -> logits float32 [b, 128, 20].
        bars: the data set, or None to sample and export only.
        device: where to compute.
    """

    def __init__(self, config: TrainingConfig, network: nn.Module, bars: Bars | None, device: torch.device) -> None:
        self.settings, self.device = config, device
        self.network = self.place(network)
        self.chosen: Chosen | None = None if bars is None else choose(bars, config)
        self._train = self._valid = torch.zeros(0)
        self.sounding = 0.0
        self._level: float | None = None
        if bars is not None and self.chosen is not None:
            self._train = torch.from_numpy(rolls_of(bars, self.chosen.train)).to(device)
            valid = np.random.default_rng(_SEED).permutation(self.chosen.valid)[:JUDGED]
            self._valid = torch.from_numpy(rolls_of(bars, np.sort(valid)))
            self.sounding = float(sounding(rolls_of(bars, self.chosen.train)).mean())
        self.items = len(self._train)

    def place(self, network: nn.Module) -> nn.Module:
        """The network on the device, in the layout in which its convolutions are quickest."""
        return network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def rolls(self, rows: Tensor) -> Tensor:
        """float32 [b, 128, 20] on the device."""
        return self._train[rows.to(self.device)]

    def noise(self, n: int) -> Tensor:
        """float32 [n, 128] from the training's own chance."""
        return torch.randn(n, LATENT, device=self.device)

    def arithmetic(self) -> contextlib.AbstractContextManager[Any]:
        """The precision of the settings."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.settings.precision == "bfloat16")

    def sample(self, n: int, seed: int) -> Rolls:
        """Draw n bars; latents come from numpy's generator with this seed, so an exported model can draw the same."""
        return _levelled(torch.from_numpy(self._values(n, seed)), self.level()).numpy()

    def level(self) -> float:
        """From this value on the network's cells sound."""
        if self._level is None:
            drawn = self._values(JUDGED, _SEED)
            self._level = float(np.quantile(drawn, 1 - self.sounding)) if self.sounding else 0.5
        return self._level

    def changed(self) -> None:
        """To be called when the network has changed: its level is no longer right."""
        self._level = None

    def validate(self) -> Mapping[str, float]:
        """How far 256 drawn bars are from validation bars, and two of the paper's measures."""
        drawn = self.sample(JUDGED, _SEED)
        figures = {
            "empty_ratio": float(empty_ratio(drawn).mean()),
            "unqualified_notes": float(unqualified_notes(drawn).mean()),
        }
        if len(self._valid):
            figures["distance"] = energy_distance(drawn, self._valid.numpy())
        return figures

    def state_dict(self) -> dict[str, Any]:
        """The network, and how much of a training bar sounds."""
        return {"network": self.network.state_dict(), "sounding": self.sounding}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As ``state_dict``."""
        self.network.load_state_dict(state["network"])
        self.changed()
        self.sounding = state["sounding"]

    def facts(self) -> Mapping[str, Any]:
        """Size and share of the bars."""
        facts: dict[str, Any] = {"generator_parameters": count(self.network)}
        if self.chosen is not None:
            facts["data"] = self.chosen.facts()
            real = self._train[:JUDGED].cpu().numpy()
            if len(self._valid):
                facts["distance_of_training_bars"] = round(energy_distance(real, self._valid.numpy()), 4)
        return facts

    def export_module(self) -> ExportPlan:
        """``latent`` -> ``roll`` with the level inside."""
        level = self.level()
        network = copy.deepcopy(self.network).to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        module = Drawn(quickened(network), level).eval()
        latent = torch.from_numpy(latents(2, 1))
        return ExportPlan(
            module,
            (latent,),
            ("latent",),
            ("roll",),
            {"latent": {0: "bars"}, "roll": {0: "bars"}},
            "latent",
            {"level": round(level, 6), "parameters": count(self.network)},
            weights="int8",
        )

    @torch.no_grad()
    def _values(self, n: int, seed: int) -> Rolls:
        self.network.eval()
        points = torch.from_numpy(latents(n, seed)).to(self.device)
        values = torch.cat([torch.sigmoid(self.network(part)) for part in points.split(_BATCH)])
        self.network.train()
        return values.float().cpu().numpy()


class Drawn(nn.Module):
    """The network as it plays: velocities 0..1, fainter than 0.1 below the level."""

    def __init__(self, network: nn.Module, level: float) -> None:
        super().__init__()
        self.network = network
        self.level = level

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [b, 128] -> float32 [b, 128, 20]."""
        return _levelled(torch.sigmoid(self.network(latent)), self.level)


def latents(n: int, seed: int) -> Rolls:
    """float32 [n, 128], normal."""
    return np.random.default_rng(seed).standard_normal((n, LATENT)).astype(np.float32)


def _levelled(values: Tensor, level: float) -> Tensor:
    """What is at least the level is a note of its value, or the faintest one; the rest lies below what is played."""
    return torch.where(
        values >= level, values.clamp(min=THRESHOLD * (1 + _HAIR)), values * (THRESHOLD * (1 - _HAIR) / level)
    )
