"""The beat network: what rises in which band, seen over some ten seconds on either side.

Its dilated convolutions run at half the rate of the features and tell two frames at once: a trunk that sees bars costs
little, and beats still are told to 10 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH: Final = 32
DILATIONS: Final = (1, 2, 4, 8, 16, 32, 64, 128)
KERNEL: Final = 5
DROPPED: Final = 0.1
SCARCE: Final = -3.0
"""Where the outputs begin: most frames hold no beat."""
OUTPUTS: Final = 2
"""A beat; the first beat of a bar."""


class _Wider(nn.Module):
    """A residual step that looks ``dilation`` frames further at each tap."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.over = nn.Conv1d(WIDTH, WIDTH, KERNEL, padding=dilation * (KERNEL // 2), dilation=dilation)
        self.mix = nn.Conv1d(WIDTH, WIDTH, 1)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.drop = nn.Dropout(DROPPED)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop(self.mix(functional.elu(self.norm(self.over(x)))))


class BeatEar(nn.Module):
    """Senses beats.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.seen = nn.Conv1d(channels, WIDTH, KERNEL, padding=KERNEL // 2)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.halved = nn.Conv1d(WIDTH, WIDTH, 2, stride=2)
        self.trunk = nn.Sequential(*map(_Wider, DILATIONS))
        self.told = nn.Conv1d(WIDTH, 2 * OUTPUTS, 1)
        nn.init.constant_(self.told.bias, SCARCE)

    def forward(self, sight: Tensor) -> Tensor:
        """Logits ``[n, OUTPUTS, frames]`` for ``[n, channels, frames]``; the frames must be even in number."""
        x = self.halved(functional.elu(self.norm(self.seen(sight))))
        told = self.told(functional.elu(self.trunk(x)))
        n, _, half = told.shape
        return told.reshape(n, OUTPUTS, 2, half).transpose(2, 3).reshape(n, OUTPUTS, 2 * half)


class Shipped(nn.Module):
    """What goes into the model file: the probabilities of some networks that were taught alike, their mean.

    Args:
        ears: the networks; where one takes an upbeat for the beat, another often does not.
    """

    def __init__(self, ears: Sequence[BeatEar]) -> None:
        super().__init__()
        self.ears = nn.ModuleList(ears)

    def forward(self, sight: Tensor) -> Tensor:
        """``[n, OUTPUTS, frames]``."""
        return torch.stack([torch.sigmoid(ear(sight)) for ear in self.ears]).mean(dim=0)
