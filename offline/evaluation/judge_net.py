"""The convolutional judge of the two-sample test: small enough for 800 bars, along time only."""

from __future__ import annotations

from typing import Any, Final

import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

_WIDTH: Final = 32
_PLACES: Final = 16  # steps along the bar that are left before the last layer


class JudgeNet(nn.Module):
    """Planes along time to one answer: above 0 is "drawn".

    Args:
        planes: channels of its input.
        steps: length of its input, a multiple of 16.
    """

    def __init__(self, planes: int, steps: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = planes
        while steps > _PLACES:
            stride = 4 if steps >= 4 * _PLACES else 2
            layers += [nn.Conv1d(width, _WIDTH, stride + 1, stride=stride, padding=stride // 2), nn.ReLU()]
            width, steps = _WIDTH, steps // stride
        layers += [nn.Conv1d(width, _WIDTH, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv1d(_WIDTH, _WIDTH, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5)]
        self.layers = nn.Sequential(*layers, nn.Linear(_WIDTH * _PLACES, 1))

    def forward(self, bars: torch.Tensor) -> torch.Tensor:
        """Answers ``[n]`` for ``[n, planes, steps]``."""
        return self.layers(bars)[:, 0]

    def learn(self, bars: torch.Tensor, truth: torch.Tensor, *, epochs: int, batch: int) -> None:
        """Train on labelled bars; both kinds count the same, however many there are of each."""
        optimiser = torch.optim.AdamW(self.parameters(), lr=5e-3, weight_decay=1e-2, fused=True)
        share = truth.mean().clamp(0.02, 0.98)
        weight = truth / share + (1 - truth) / (1 - share)
        self.train()
        for _ in range(epochs):
            for part in torch.randperm(len(bars)).split(batch):
                loss = functional.binary_cross_entropy_with_logits(self(bars[part]), truth[part], weight[part])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

    @torch.no_grad()
    def answer(self, bars: torch.Tensor) -> npt.NDArray[Any]:
        """How much each bar looks drawn."""
        self.eval()
        return self(bars).numpy()
