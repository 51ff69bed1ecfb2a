"""The paper's GAN: the generator of its Table II, and a discriminator of the size that its Table III gives.

The generator's 3 967 617 parameters come out with transposed kernels 4x4, 4x4 and 3x5 and a last convolution of 13x5.
Table III prints the generator's layers a second time, so the discriminator's are ours: the generator's shapes walked
backwards (64x20, 32x4, 16x4, 8x2), with kernels for which the printed total of 1 840 065 comes out exactly. Dropout
rates, the last activation (here a sigmoid: velocities are 0..1) and the noise (normal) are not in the paper either.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from offline.models.layers import Convolution, Transposed, begin, bend

LATENT: Final = 128
GENERATOR_PARAMETERS: Final = 3_967_617
DISCRIMINATOR_PARAMETERS: Final = 1_840_065
DROPOUT: Final = 0.3


class Generator(nn.Module):
    """Noise in, bars out.

    Args:
        dropout: share of channels' values left out while training.
        width: channels against the paper's; nothing but a quick test has other ones.
    """

    def __init__(self, dropout: float = DROPOUT, width: float = 1.0) -> None:
        super().__init__()
        a, b, c = (round(channels * width) for channels in (512, 256, 128))
        self.dense = nn.Sequential(nn.Linear(LATENT, a * 16), *bend(a * 16, flat=True))
        self.grow = nn.Sequential(
            nn.Dropout(dropout),
            Transposed((a, b), (4, 4), (2, 2)),
            *bend(b),
            nn.Dropout(dropout),
            Transposed((b, c), (4, 4), (2, 1)),
            *bend(c),
            Transposed((c, c), (3, 5), (4, 5)),
            *bend(c),
            Convolution((c, 1), (13, 5)),
        )
        begin(self)

    def forward(self, latent: Tensor) -> Tensor:
        """float32 [b, 128] -> logits float32 [b, 128, 20]."""
        return self.grow(self.dense(latent).unflatten(1, (-1, 8, 2))).squeeze(1)


class Discriminator(nn.Module):
    """Bars in, one number out: how real it looks.

    Args:
        width: channels against the paper-sized one; 1.5 has 4.13 million parameters, as many as a generator.
        dropout: share of channels' values left out while training.
    """

    def __init__(self, width: float = 1.0, dropout: float = DROPOUT) -> None:
        super().__init__()
        a, b, c, d = (round(channels * width) for channels in (64, 128, 256, 512))
        self.shrink = nn.Sequential(
            Convolution((1, a), (2, 2), (2, 1)),
            *bend(a),
            nn.Dropout(dropout),
            Convolution((a, b), (3, 5), (2, 5)),
            *bend(b),
            nn.Dropout(dropout),
            Convolution((b, c), (4, 4), (2, 1)),
            *bend(c),
            nn.Dropout(dropout),
            Convolution((c, d), (3, 3), (2, 2)),
            *bend(d),
        )
        self.judge = nn.Linear(d * 16, 1)
        begin(self)

    def forward(self, roll: Tensor) -> Tensor:
        """float32 [b, 128, 20] -> logits float32 [b]."""
        return self.judge(torch.flatten(self.shrink(roll.unsqueeze(1)), 1)).squeeze(1)
