"""``weave`` as it draws: four steps that are called in turn.

*whole*, once a bar: what holds for all of it. *read*, where lanes are kept: what their bar tells every cell.
*step*, once a cell: the chances of the 32 combinations of lanes. *hit*, once a hit (or for several at once): draws
its facts with noise that it is given. ``offline.models.weave_branches`` makes one file of them.

Conventions: as in ``offline.models.weave``. Hits are int64 ``[..., 5]``: place (-1: none), pitch, velocity, length,
fine.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from offline.models.weave import (
    CELLS,
    FINE,
    LAGS,
    LANES,
    LENGTHS,
    PITCHES,
    PLACES,
    POINTERS,
    SLOTS,
    VELOCITIES,
    Block,
    Weave,
    fact_rows,
)

NOISE: Final = (PLACES, PITCHES + 1, POINTERS + 1, VELOCITIES, POINTERS + 1, LENGTHS, FINE, 2)
"""Parts of a hit's noise: place, pitch, which way to the velocity (afresh, or by a pointer) and which one, likewise
length, fine, more."""


class HitInputs(NamedTuple):
    """What is asked of the hit head.

    Args:
        state_of: the hits' cells' states ``[n, hit_width]``.
        before: sum of the vectors of the kept and earlier hits of their cells ``[n, width]``.
        known: rows of the table of what is known ``[n, 16]``, see ``models.weave.known_rows``.
        facts: rows of the table of facts for a hit whose facts are all 0 ``[n, 6]``, see ``models.weave.fact_rows``.
        old: velocities, then lengths to point at ``[n, 8]``.
        noise: ``[n, 324]``, parts as in ``NOISE``.
    """

    state_of: Tensor
    before: Tensor
    known: Tensor
    facts: Tensor
    old: Tensor
    noise: Tensor


class Stepped(nn.Module):
    """A layer of the trunk, one cell at a time: the same sums as ``Block``, in half as many operations.

    What a cell is remembered by is its key and its value, side by side; so the query has zeros where values lie, and
    the output's weights have zeros where keys lie.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        width, self.heads = block.out.in_features, block.heads
        self.size = width // self.heads
        self.first, self.second, self.up, self.down = block.first, block.second, block.up, block.down
        self.both, self.out = _linear(width, 4 * width), _linear(2 * width, width)
        query, key, value = block.qkv.weight.detach().unflatten(0, (3, self.heads, self.size))
        query_bias, key_bias, value_bias = block.qkv.bias.detach().unflatten(0, (3, self.heads, self.size))
        scale = self.size**-0.5
        out = block.out.weight.detach().unflatten(1, (self.heads, self.size))
        with torch.no_grad():
            rows = torch.stack((query * scale, torch.zeros_like(query), key, value), dim=1)
            self.both.weight.copy_(rows.flatten(0, 2))
            bias = torch.stack((query_bias * scale, torch.zeros_like(query_bias), key_bias, value_bias), dim=1)
            self.both.bias.copy_(bias.flatten())
            self.out.weight.copy_(torch.cat((torch.zeros_like(out), out), dim=2).flatten(1))
            self.out.bias.copy_(block.out.bias)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One more cell ``[s, width]`` after ``past`` ``[s, 1, heads, t, 2 x size]``; and the longer past."""
        query, own = self.both(self.first(x)).view(-1, 1, self.heads, 2, 2 * self.size).split(1, dim=3)
        remembered = torch.cat((past, own), dim=3)
        heard = torch.softmax(query @ remembered.transpose(-1, -2), dim=-1) @ remembered
        x = x + self.out(heard.view(-1, 2 * self.heads * self.size))
        return x + self.down(functional.gelu(self.up(self.second(x)))), remembered


class Drawing(nn.Module):
    """The four steps over a trained network."""

    def __init__(self, net: Weave) -> None:
        super().__init__()
        self.net = net
        width = net.shape.width
        self.blocks = nn.ModuleList(Stepped(block) for block in net.blocks)
        self.lags = _linear(len(LAGS) * width, width, bias=False)
        with torch.no_grad():
            self.lags.weight.copy_(torch.cat([layer.weight for layer in net.lags], dim=1))
        self.to(net.position.weight.device)

    def whole(self, style: Tensor, has_bass: Tensor, energy: Tensor, told: Tensor) -> Tensor:
        """What each cell's step begins with ``[b, 16, width]``; ``told``: which lanes are given, float ``[b, 5]``."""
        net = self.net
        base = net.whole(style, has_bass, energy, told)[:, None] + net.position.weight
        return base + functional.pad(net.begin[None], (0, 0, 0, CELLS - 1))

    def read(self, given: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """What to add to each cell's base for the given lanes, and the contents of the kept hits, ``[b, 16, width]``.

        ``kept`` are all hits that stay ``[b, 16, 5, 3, 5]``.
        """
        cells = self._content(kept.flatten(0, 1)).unflatten(0, (-1, CELLS))
        return self.net.read(cells, given), cells

    def step(
        self, base: Tensor, before_it: Tensor, held: Tensor, pace: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One cell on.

        Args:
            base: what this cell begins with ``[s, width]``.
            before_it: contents (sums of the hits' vectors) of the cell before and of those one and two beats ago, side
                by side ``[s, 3 x width]``, zeros where there are none.
            held: rows of the table of what still sounds, one per lane ``[s, 5]``: lane x 18 + steps.
            pace: how far the energy is, ``[s, 8]``, see ``hitloopd.generate.weave_energy``.
            past: keys and values of the t cells before ``[s, layers, heads, t, 2 x size]``.

        Returns:
            Log chances of the combinations ``[s, 32]``; the state for this cell's hits ``[s, hit_width]``; past for
            the next cell.
        """
        net = self.net
        width = net.shape.width
        last, lagging = before_it.split([width, len(LAGS) * width], dim=1)
        x = base + last + net.held(held).sum(1) + net.pace(pace) + self.lags(lagging)
        present: list[Tensor] = []
        for block, own in zip(self.blocks, past.split(1, dim=1), strict=True):
            x, remembered = block(x, own)
            present.append(remembered)
        x = net.norm(x)
        return functional.log_softmax(net.chord(x), dim=-1), net.from_trunk(x), torch.cat(present, dim=1)

    def hit(self, told: HitInputs) -> tuple[Tensor, Tensor]:
        """Draw hits: each fact is the one whose logit and noise add up highest.

        With noise of the Gumbel distribution that is a draw by chance, with none the likeliest; noise times a
        temperature draws at that temperature. Noise of minus a billion closes a choice.

        Returns:
            Place, pitch (16: a drum), velocity, length, fine, more ``[n, 6]``; the hits' vectors ``[n, width]``.
        """
        net = self.net
        place_noise, pitch_noise, way_velocity, velocity_noise, way_length, length_noise, fine_noise, more_noise = (
            told.noise.split(NOISE, dim=1)
        )
        z = net.mixed(told.state_of + net.from_cell(told.before) + net.known(told.known).sum(1))
        place = (net.place_stage(z) + place_noise).argmax(1)
        z = z + net.place_stage.chosen(place)
        pitch = (net.pitch_stage(z) + pitch_noise).argmax(1)
        z = z + net.pitch_stage.chosen(pitch)
        velocity = _pointed(net.velocity_stage(z), told.old[:, :POINTERS], way_velocity, velocity_noise)
        z = z + net.velocity_stage.chosen(velocity)
        length = _pointed(net.length_stage(z), told.old[:, POINTERS:], way_length, length_noise)
        z = z + net.length_stage.chosen(length)
        fine = (net.fine_stage(z) + fine_noise).argmax(1)
        z = z + net.fine_stage.chosen(fine)
        more = (net.more_stage(z) + more_noise).argmax(1)
        choice = torch.stack([place, pitch, velocity, length, fine, more], dim=1)
        return choice, net.facts(told.facts + choice * torch.tensor([1, 1, 1, 1, 1, 0], device=choice.device)).sum(1)

    def _content(self, cells: Tensor) -> Tensor:
        """Sum of the hits' vectors ``[s, width]`` of cells ``[s, 5, 3, 5]``."""
        lane = torch.arange(LANES, device=cells.device)[:, None]
        slot = torch.arange(SLOTS, device=cells.device)
        place, pitch, velocity, length, fine = cells.clamp(min=0).unbind(-1)
        vectors = self.net.facts(fact_rows(lane, slot, place, pitch, velocity, length, fine)).sum(-2)
        return (vectors * (cells[..., :1] >= 0).to(vectors.dtype)).sum((1, 2))


def _linear(given: int, made: int, *, bias: bool = True) -> nn.Linear:
    """A layer whose weights are about to be filled in, without a look at chance."""
    return cast("nn.Linear", nn.utils.skip_init(nn.Linear, given, made, bias=bias))


def _pointed(logits: Tensor, old: Tensor, way_noise: Tensor, noise: Tensor) -> Tensor:
    """A choice of a stage that may point back ``[n]``: first which way, then, drawn afresh, what."""
    afresh, way = logits.split([int(noise.shape[1]), int(way_noise.shape[1])], dim=1)
    values = torch.cat([(afresh + noise).argmax(1, keepdim=True), old], dim=1)
    return values.gather(1, (way + way_noise).argmax(1, keepdim=True))[:, 0]
