"""The drum network: convolutions over time and bands, then over time alone, wider and wider apart.

It hears some two seconds before and after each frame, so that a bar's regularity helps where a hit is masked.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

FRONT: Final = (16, 32, 32, 32)
"""Channels of the convolutions over time and bands; each but the first halves the bands."""
WIDTH: Final = 128
DILATIONS: Final = (1, 2, 4, 8, 16, 32, 64)
DROPPED: Final = 0.1


class _Over(nn.Module):
    """A residual convolution over time."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.over = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(DROPPED)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop(torch.relu(self.norm(self.over(x))))


class DrumEar(nn.Module):
    """Onsets and velocities of every frame.

    Args:
        bands: of the input.
        outputs: kinds of strokes that are told apart; the first ``lanes`` are what is wanted.
        lanes: how many have a velocity.
    """

    def __init__(self, bands: int, outputs: int, lanes: int) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        before, size = 1, bands
        for number, channels in enumerate(FRONT):
            stride = 2 if number else 1
            steps += [
                nn.Conv2d(before, channels, 3, (1, stride), 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before, size = channels, (size + stride - 1) // stride
        self.front = nn.Sequential(*steps)
        self.narrow = nn.Conv1d(before * size, WIDTH, 1, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.over = nn.Sequential(*(_Over(WIDTH, dilation) for dilation in DILATIONS))
        self.onsets = nn.Conv1d(WIDTH, outputs, 1)
        self.forces = nn.Conv1d(WIDTH, lanes, 1)
        nn.init.constant_(self.onsets.bias, -3.0)  # most frames hold no onset

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of onsets ``[n, frames, outputs]`` and velocities ``[n, frames, lanes]`` of ``[n, frames, bands]``."""
        x = self.front(levels.unsqueeze(1))
        n, channels, frames, bands = x.shape
        x = x.permute(0, 1, 3, 2).reshape(n, channels * bands, frames)
        x = self.over(torch.relu(self.norm(self.narrow(x))))
        return self.onsets(x).transpose(1, 2), torch.sigmoid(self.forces(x)).transpose(1, 2)


class Shipped(nn.Module):
    """What goes into the model file: probabilities and velocities of the lanes alone."""

    def __init__(self, ear: DrumEar, lanes: int) -> None:
        super().__init__()
        self.ear, self.lanes = ear, lanes

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """``[n, frames, lanes]`` each."""
        logits, forces = self.ear(levels)
        return torch.sigmoid(logits[:, :, : self.lanes]), forces
