"""The paper's VAE: the decoder of its Table IV, and the same walked backwards as encoder.

The table gives shapes, not kernels, and a total of 4 382 493 that no kernels give: every term but the last layer's one
bias is a multiple of 32, and the printed number leaves 29. With 4x4 three times, 3x5 (as where the GAN widens
five-fold), 4x5 and 3x2 it is 4 382 497, four more. Dropout rate and last activation are not in the paper: 0.1 and a
sigmoid.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from offline.models.layers import Convolution, Pair, Transposed, begin, bend

LATENT: Final = 128
DECODER_PARAMETERS: Final = 4_382_497
DROPOUT: Final = 0.1

# (channels, kernel, stride) of each step from 4x2 to 128x20, as the decoder walks them.
STAIRS: Final[tuple[tuple[Pair, Pair, Pair], ...]] = (
    ((512, 256), (4, 4), (2, 1)),
    ((256, 256), (4, 4), (2, 1)),
    ((256, 128), (4, 4), (2, 1)),
    ((128, 64), (3, 5), (2, 5)),
    ((64, 32), (4, 5), (2, 2)),
)
LAST: Final[Pair] = (3, 2)


class Decoder(nn.Module):
    """A point of the latent space in, a bar out."""

    def __init__(self, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(LATENT, 4096), *bend(4096, flat=True))
        steps: list[nn.Module] = []
        for channels, kernel, stride in STAIRS:
            steps += [nn.Dropout(dropout), Transposed(channels, kernel, stride), *bend(channels[1])]
        self.grow = nn.Sequential(*steps, Transposed((STAIRS[-1][0][1], 1), LAST))
        begin(self)

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [b, 128] -> logits float32 [b, 128, 20]."""
        return self.grow(self.dense(latent).view(-1, 512, 4, 2)).squeeze(1)


class Encoder(nn.Module):
    """A bar in, the normal distribution of its place in the latent space out."""

    def __init__(self, dropout: float = DROPOUT) -> None:
        super().__init__()
        steps: list[nn.Module] = [Convolution((1, STAIRS[-1][0][1]), LAST), *bend(STAIRS[-1][0][1])]
        for channels, kernel, stride in reversed(STAIRS):
            steps += [Convolution((channels[1], channels[0]), kernel, stride), *bend(channels[0]), nn.Dropout(dropout)]
        self.shrink = nn.Sequential(*steps)
        self.mean = nn.Linear(4096, LATENT)
        self.spread = nn.Linear(4096, LATENT)
        begin(self)

    def forward(self, roll: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [b, 128, 20] -> (mean, logarithm of the variance), float32 [b, 128] each."""
        seen = torch.flatten(self.shrink(roll.unsqueeze(1)), 1)
        return self.mean(seen), self.spread(seen)
