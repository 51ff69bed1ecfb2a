"""The network for basses: local shapes, harmonics laid over their fundamental, then what came before and comes after.

Conventions: batch, frames, bands. Out come logits: one per frame for an onset, and one per frame for each pitch and for
silence.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from offline.transcription.bass.sight import BANDS, COARSE, OCTAVES, PER_SEMITONE, PITCHES

FIRST: Final = 16
SECOND: Final = 10
DEEP: Final = 16
SUMMARY: Final = 4
HIDDEN: Final = 48
DROPPED: Final = 0.2
SEMITONES: Final = OCTAVES * 12
HARMONICS: Final = (-12, 0, 12, 19, 24, 28, 31)
"""Semitones from a fundamental to its octave below, itself and its harmonics 2 to 6."""


class BassEar(nn.Module):
    """Convolutions over frames and bands, harmonics side by side, two recurrent layers that meet, heads."""

    def __init__(self) -> None:
        super().__init__()
        wide = 2 * PER_SEMITONE + 1
        self.first = nn.Conv2d(2, FIRST, (3, wide), stride=(1, PER_SEMITONE), padding=(1, PER_SEMITONE))
        self.first_norm = nn.BatchNorm2d(FIRST)
        self.second, self.second_norm = nn.Conv2d(FIRST, SECOND, 1), nn.BatchNorm2d(SECOND)
        stacked = SECOND * len(HARMONICS)
        self.third, self.third_norm = nn.Conv2d(stacked, DEEP, (1, 3), padding=(0, 1)), nn.BatchNorm2d(DEEP)
        self.fourth, self.fourth_norm = nn.Conv2d(DEEP, DEEP, (5, 3), padding=(2, 1)), nn.BatchNorm2d(DEEP)
        self.fifth, self.fifth_norm = nn.Conv2d(DEEP, DEEP, (5, 3), padding=(2, 1)), nn.BatchNorm2d(DEEP)
        self.pitches = nn.Conv2d(DEEP, 1, 1)
        self.summary = nn.Conv2d(DEEP, SUMMARY, 1)
        self.drop = nn.Dropout(DROPPED)
        self.memory = nn.GRU(SUMMARY * PITCHES + COARSE, HIDDEN, batch_first=True, bidirectional=True)
        self.onset = nn.Linear(2 * HIDDEN, 1)
        self.context = nn.Linear(2 * HIDDEN, PITCHES + 1)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of onsets ``[batch, frames]`` and of pitches ``[batch, frames, PITCHES + 1]``.

        Args:
            seen: ``float32 [batch, frames, SIZE]``.
        """
        slow, quick, coarse = seen.split([BANDS, BANDS, COARSE], dim=2)
        x = torch.stack([slow, quick], dim=1)
        x = functional.relu(self.first_norm(self.first(x)))
        x = functional.relu(self.second_norm(self.second(x)))
        x = functional.relu(self.third_norm(self.third(_harmonics(x))))
        x = functional.relu(self.fourth_norm(self.fourth(x)))
        x = functional.relu(self.fifth_norm(self.fifth(x)))
        summary = functional.relu(self.summary(x)).transpose(1, 2).flatten(2)
        held, _ = self.memory(self.drop(torch.cat([summary, coarse], dim=2)))
        held = self.drop(held)
        alone = functional.pad(self.pitches(x).squeeze(1), (0, 1))
        return self.onset(held).squeeze(2), alone + self.context(held)


def _harmonics(x: Tensor) -> Tensor:
    """Each semitone's own level and those of its harmonics as channels, for the pitches that a bass may have."""
    above = PITCHES + max(HARMONICS) - SEMITONES
    padded = functional.pad(x, (-min(HARMONICS), above))
    low = -min(HARMONICS)
    return torch.cat([padded[..., low + step : low + step + PITCHES] for step in HARMONICS], dim=1)


class Shipped(nn.Module):
    """What goes into the model file: probabilities instead of logits."""

    def __init__(self, ear: BassEar) -> None:
        super().__init__()
        self.ear = ear

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """``[batch, frames]`` and ``[batch, frames, PITCHES + 1]``."""
        onset, pitch = self.ear(seen)
        return torch.sigmoid(onset), torch.softmax(pitch, dim=2)
