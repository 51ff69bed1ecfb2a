"""The part network: which candidates of a song's drums fit the part that its drummer plays.

It reads the song as a page: a row for each bar, a column for each place in it. Convolutions run along the page, some of
them a whole bar wide, so that a place is seen beside the same place in other bars; and what stands in a column on
average, over all bars, is told to each of its cells. Where the sounds of the page were asked, it meets halfway, or
wherever it has learned to, with what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

WIDTH: Final = 48
BEAT: Final = 12
DROPPED: Final = 0.1
SCARCE: Final = -2.0
KEPT: Final = 0.7
"""How much of a candidate's own odds the answer begins with."""


class _Along(nn.Module):
    """A residual convolution along the page."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.over = nn.Conv1d(WIDTH, WIDTH, 3, padding=step, dilation=step)
        self.norm = nn.GroupNorm(1, WIDTH)
        self.drop = nn.Dropout(DROPPED)

    def forward(self, page: Tensor) -> Tensor:
        flat = page.flatten(2)
        return (flat + self.drop(torch.relu(self.norm(self.over(flat))))).reshape(page.shape)


class _Across(nn.Module):
    """Tells each cell what stands in its column, and what on the whole page."""

    def __init__(self) -> None:
        super().__init__()
        self.column = nn.Conv1d(WIDTH, WIDTH, 1)
        self.page = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, page: Tensor) -> Tensor:
        page = page + self.column(page.mean(dim=2)).unsqueeze(2)
        whole = torch.cat([page.mean(dim=(2, 3)), page.amax(dim=(2, 3))], dim=1)
        return page + self.page(whole)[:, :, None, None]


class PartEar(nn.Module):
    """Odds that candidates are hits.

    Args:
        channels: of the page; the first ``lanes`` are the candidates' own odds, the last what the sounds say of each
            lane, and 1 where they were asked.
        lanes: of the drums.
        cells: of a row.
        sure: the candidates' odds that 1 stands for.
        utmost: likewise of the sounds.
    """

    def __init__(self, channels: int, lanes: int, cells: int, sure: float, utmost: float) -> None:
        super().__init__()
        self.lanes, self.utmost = lanes, utmost
        self.seen = nn.Conv1d(channels, WIDTH, 3, padding=1)
        self.place = nn.Parameter(torch.zeros(WIDTH, 1, cells))
        steps = (1, 3, None, BEAT // 2, BEAT, None, cells, BEAT, None, cells, 3, None, 2 * cells, 1)
        self.steps = nn.Sequential(*(_Across() if step is None else _Along(step) for step in steps))
        self.told = nn.Conv1d(WIDTH, lanes, 1)
        self.kept = nn.Parameter(torch.full((lanes, 1), KEPT * sure))
        self.met = nn.Parameter(torch.zeros(lanes, 1, 1))
        nn.init.zeros_(self.told.weight)
        nn.init.constant_(self.told.bias, SCARCE)

    def forward(self, page: Tensor) -> Tensor:
        """Logarithms of odds ``[n, lanes, rows, cells]`` for ``[n, channels, rows, cells]``."""
        n, _, rows, cells = page.shape
        seen = torch.relu(self.seen(page.flatten(2))).reshape(n, WIDTH, rows, cells) + self.place
        told = self.told(self.steps(seen).flatten(2)) + self.kept * page[:, : self.lanes].flatten(2)
        sounds, asked = page[:, -1 - self.lanes : -1], page[:, -1:]
        way = torch.sigmoid(self.met) * asked
        return (1.0 - way) * told.reshape(n, self.lanes, rows, cells) + way * self.utmost * sounds


class Shipped(nn.Module):
    """What goes into the model file: the mean of the odds of several networks."""

    def __init__(self, ears: Sequence[PartEar]) -> None:
        super().__init__()
        self.ears = nn.ModuleList(ears)

    def forward(self, page: Tensor) -> Tensor:
        """Logarithms of odds ``[n, lanes, rows, cells]``."""
        return torch.stack([ear(page) for ear in self.ears]).mean(dim=0)
