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
    """A point of the latent space in, a bar out.

    Args:
        dropout: share of channels' values left out while training.
        width: channels against the paper's; nothing but a quick test has other ones.
    """

    def __init__(self, dropout: float = DROPOUT, width: float = 1.0) -> None:
        super().__init__()
        stairs = _stairs(width)
        flat = stairs[0][0][0] * 8
        self.dense = nn.Sequential(nn.Linear(LATENT, flat), *bend(flat, flat=True))
        steps: list[nn.Module] = []
        for channels, kernel, stride in stairs:
            steps += [nn.Dropout(dropout), Transposed(channels, kernel, stride), *bend(channels[1])]
        self.grow = nn.Sequential(*steps, Transposed((stairs[-1][0][1], 1), LAST))
        begin(self)

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [b, 128] -> logits float32 [b, 128, 20]."""
        return self.grow(self.dense(latent).unflatten(1, (-1, 4, 2))).squeeze(1)


class Encoder(nn.Module):
    """A bar in, the normal distribution of its place in the latent space out. Arguments as the decoder's."""

    def __init__(self, dropout: float = DROPOUT, width: float = 1.0) -> None:
        super().__init__()
        stairs = _stairs(width)
        last = stairs[-1][0][1]
        steps: list[nn.Module] = [Convolution((1, last), LAST), *bend(last)]
        for channels, kernel, stride in reversed(stairs):
            steps += [Convolution((channels[1], channels[0]), kernel, stride), *bend(channels[0]), nn.Dropout(dropout)]
        self.shrink = nn.Sequential(*steps)
        flat = stairs[0][0][0] * 8
        self.mean = nn.Linear(flat, LATENT)
        self.spread = nn.Linear(flat, LATENT)
        begin(self)

    def forward(self, roll: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [b, 128, 20] -> (mean, logarithm of the variance), float32 [b, 128] each."""
        seen = torch.flatten(self.shrink(roll.unsqueeze(1)), 1)
        return self.mean(seen), self.spread(seen)


def _stairs(width: float) -> list[tuple[Pair, Pair, Pair]]:
    return [((round(narrow * width), round(wide * width)), kernel, stride) for (narrow, wide), kernel, stride in STAIRS]
