"""The bar network: what speaks for each of the four places in the bar, by each beat.

It is linear: what each cue is worth, learned so that all beats of a stretch together tell its bar lines. More than that
only learned the songs by heart.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

PLACES: Final = 4
FARTHEST: Final = 4.0
"""Standard deviations from the mean beyond which a cue says no more."""


class BarEar(nn.Module):
    """Tells places.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(channels, 1), requires_grad=False)
        self.spread = nn.Parameter(torch.ones(channels, 1), requires_grad=False)
        self.each = nn.Conv1d(channels, PLACES, 1)
        nn.init.zeros_(self.each.weight)
        nn.init.zeros_(self.each.bias)

    def forward(self, sight: Tensor) -> Tensor:
        """Odds ``[n, PLACES, beats]`` for ``[n, channels, beats]``."""
        return self.each(((sight - self.mean) / self.spread).clamp(-FARTHEST, FARTHEST))
