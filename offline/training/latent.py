"""What the paper's four models share: a network that turns 128 numbers into a bar.

Conventions: values below a threshold are silence. It is set anew for every state of the network so that as many cells
of 256 drawn bars sound as of the training bars; the paper says nothing about it. Drawing leaves the training's own
chance alone.
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

from offline.dataset.store import Bars
from offline.models.layers import count
from offline.training.config import TrainingConfig
from offline.training.data import Chosen, choose, rolls_of
from offline.training.distance import empty_ratio, energy_distance, short_notes
from offline.training.recipe import ExportPlan

Rolls = npt.NDArray[np.float32]

LATENT: Final = 128
JUDGED: Final = 256
"""Bars drawn, and validation bars, for a look at how a run goes."""
_BATCH: Final = 128
_SEED: Final = 256


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
        self._threshold: float | None = None
        if bars is not None and self.chosen is not None:
            self._train = torch.from_numpy(rolls_of(bars, self.chosen.train)).to(device)
            valid = np.random.default_rng(_SEED).permutation(self.chosen.valid)[:JUDGED]
            self._valid = torch.from_numpy(rolls_of(bars, np.sort(valid)))
            self.sounding = float((self._train > 0).float().mean())
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
        return _quiet(self._values(n, seed), self.threshold())

    def threshold(self) -> float:
        """Below this a drawn value is silence."""
        if self._threshold is None:
            drawn = self._values(JUDGED, _SEED)
            self._threshold = float(np.quantile(drawn, 1 - self.sounding)) if self.sounding else 0.5
        return self._threshold

    def changed(self) -> None:
        """To be called when the network has changed: its threshold is no longer right."""
        self._threshold = None

    def validate(self) -> Mapping[str, float]:
        """How far 256 drawn bars are from validation bars, and two of the paper's measures."""
        drawn = self.sample(JUDGED, _SEED)
        figures = {"empty_ratio": empty_ratio(drawn), "short_notes": short_notes(drawn)}
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
        """``latent`` -> ``roll`` with the threshold inside."""
        threshold = self.threshold()
        network = copy.deepcopy(self.network).to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        module = Drawn(network, threshold).eval()
        latent = torch.from_numpy(latents(2, 1))
        return ExportPlan(
            module,
            (latent,),
            ("latent",),
            ("roll",),
            {"latent": {0: "bars"}, "roll": {0: "bars"}},
            "latent",
            {"threshold": round(threshold, 6), "parameters": count(self.network)},
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
    """The network as it plays: velocities 0..1, silence below the threshold."""

    def __init__(self, network: nn.Module, threshold: float) -> None:
        super().__init__()
        self.network = network
        self.threshold = threshold

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [b, 128] -> float32 [b, 128, 20]."""
        values = torch.sigmoid(self.network(latent))
        return torch.where(values >= self.threshold, values, torch.zeros_like(values))


def latents(n: int, seed: int) -> Rolls:
    """float32 [n, 128], normal."""
    return np.random.default_rng(seed).standard_normal((n, LATENT)).astype(np.float32)


def _quiet(values: Rolls, threshold: float) -> Rolls:
    return np.where(values >= threshold, values, np.float32(0)).astype(np.float32)
