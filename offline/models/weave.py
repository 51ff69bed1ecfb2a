"""Our own network: draws a bar cell by cell, each cell given what came before and the lanes that are to stay.

A bar is 16 cells of five lanes. For each cell the *trunk*, a small causal transformer along the cells, says which
of the 32 combinations of lanes strike; for each hit of the combination, lane by lane, the *hit head* says in a
chain where exactly, which pitch (bass), how hard, how long, and whether the lane strikes once more in that cell.
Everything is a choice among listed values, so the likelihood is exact and sampling needs no tuning. Velocity,
length and pitch may also be *pointed at*: the value of an earlier hit of the lane. That is how programmed music
repeats itself, while human playing draws afresh. Lanes that are given go through the *reader*, a transformer that
sees all of their bar at once.

Conventions: ``b`` bars, ``t`` cells, ``n`` hits. Cell contents are vectors: the sum of their hits' vectors. Token
arrays are those of ``offline.training.weave_tokens``; ``hitloopd.generate.weave`` walks the exported network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

LANES: Final = 5
CELLS: Final = 16
CHORDS: Final = 32
PLACES: Final = 12  # steps -4..7 around the cell's line
VELOCITIES: Final = 128  # 0 is "none"
LENGTHS: Final = 129  # steps, 0 is "none"
PITCHES: Final = 16
FINE: Final = 26  # ticks -18..7 from the step
POINTERS: Final = 4  # the lane's last hit, the one before, those one and two beats ago
HELD: Final = 18  # steps until the lane falls silent, 0..17
LAGS: Final = (4, 8)
SLOTS: Final = 3  # hits of one lane in one cell
BUMPS: Final = 16  # of the target energy
PACE: Final = 8  # numbers that say how far along the way to the target energy a bar is


def _starts(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Where each part of a table begins, and how many rows it has in all."""
    ends = list(accumulate(sizes))
    return [0, *ends[:-1]], ends[-1]


FACT_STARTS, FACT_ROWS = _starts(
    (LANES * PLACES, PITCHES + 1, LANES * VELOCITIES, LANES * LENGTHS, FINE, LANES * SLOTS)
)
KNOWN_STARTS, KNOWN_ROWS = _starts(
    (
        LANES * SLOTS,
        CHORDS,
        LANES * HELD,
        PLACES + 1,
        *(VELOCITIES,) * POINTERS,
        *(LENGTHS,) * POINTERS,
        *(PITCHES + 1,) * POINTERS,
    )
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network.

    Args:
        styles: how many style tags there are; one more stands for "any".
        width: of the trunk.
        layers: of the trunk.
        reader_layers: of the reader.
        heads: of attention.
        hit_width: of the hit head.
        dropout: while training.
        coarse: do the transformers' arithmetic in bfloat16 (training only).
    """

    styles: int
    width: int = 160
    layers: int = 4
    reader_layers: int = 2
    heads: int = 4
    hit_width: int = 192
    dropout: float = 0.1
    coarse: bool = False


class Hits(NamedTuple):
    """What is known of hits before they are drawn, in a flat list. All int64 ``[n]``, the ``old_`` ones ``[n, 4]``.

    ``held`` is how long the lane still sounds after the cell's beginning, ``after`` the place of the lane's hit before
    in the cell, one higher, 0 for none; the ``old_`` ones are what may be pointed at, 0 for none (pitches one higher).
    """

    lane: Tensor
    slot: Tensor
    chord: Tensor
    held: Tensor
    old_velocity: Tensor
    old_length: Tensor
    old_pitch: Tensor
    after: Tensor


class Attributes(NamedTuple):
    """What the chain draws for a hit, int64 ``[n]``: 0..11, 0..15, 1..127, 1..128, 0..25, 0..1."""

    place: Tensor
    pitch: Tensor
    velocity: Tensor
    length: Tensor
    fine: Tensor
    more: Tensor


class Bars(NamedTuple):
    """A batch: per hit its cell ``[n]`` (bar x 16 + cell, rising), ``hits`` and ``what``; per bar the rest.

    ``chord`` int64 ``[b, 16]``, ``held`` int64 ``[b, 16, 5]``, ``style`` and ``has_bass`` int64 ``[b]``, ``energy``
    float ``[b]`` (below 0: any), ``given`` float ``[b, 5]``: 1 where a lane stays as it is, ``pace`` float
    ``[b, 16, 8]``: how far on the way to the energy, see ``hitloopd.generate.weave_energy``.
    """

    cell: Tensor
    hits: Hits
    what: Attributes
    chord: Tensor
    held: Tensor
    style: Tensor
    has_bass: Tensor
    energy: Tensor
    given: Tensor
    pace: Tensor


class Block(nn.Module):
    """One transformer layer, norm first."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, *, causal: bool) -> Tensor:
        """All positions at once. ``[b, t, width]``."""
        q, k, v = (part.float() for part in self._qkv(x))  # bfloat16 is slow here on CPUs
        with torch.autocast(x.device.type, enabled=False):
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self._rest(x, y)

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """One more position ``[b, 1, width]`` after ``past`` ``[b, 2, heads, t, size]``; and the longer past."""
        q, k, v = self._qkv(x)
        both = torch.cat([past, torch.stack([k, v], dim=1)], dim=3)
        weights = torch.softmax(q @ both[:, 0].transpose(-1, -2) * (q.shape[-1] ** -0.5), dim=-1)
        return self._rest(x, weights @ both[:, 1]), both

    def _qkv(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        b, t, width = x.shape
        parts = self.qkv(self.first(x)).reshape(b, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]

    def _rest(self, x: Tensor, y: Tensor) -> Tensor:
        b, t, width = x.shape
        x = x + self.dropout(self.out(y.permute(0, 2, 1, 3).reshape(b, t, width)))
        return x + self.dropout(self.down(functional.gelu(self.up(self.second(x)))))


class Stage(nn.Module):
    """A link of the hit head's chain: what is known so far to one choice, and the choice's vector added to it."""

    def __init__(self, width: int, choices: int, dropout: float, pointers: int = 0) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, choices + (pointers + 1 if pointers else 0))
        self.choices = choices
        self.chosen = nn.Embedding(choices, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, z: Tensor) -> Tensor:
        """Logits of the choices, then those of "afresh" and of each pointer."""
        return self.logits(self.dropout(functional.gelu(self.hidden(self.norm(z)))))


class Weave(nn.Module):
    """The network, and its loss. How it draws is in ``offline.models.weave_drawing``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        d, h = shape.width, shape.hit_width
        self.shape = shape
        # a hit's vector: one table, a part per fact
        self.facts = nn.Embedding(FACT_ROWS, d)
        # what holds for the whole bar
        self.style = nn.Embedding(shape.styles + 1, d)
        self.has_bass = nn.Embedding(2, d)
        self.energy = nn.Sequential(nn.Linear(BUMPS + 1, d), nn.GELU(), nn.Linear(d, d))
        self.pace = nn.Sequential(nn.Linear(PACE, d), nn.GELU(), nn.Linear(d, d))
        self.given = nn.Linear(LANES, d)
        # the trunk
        self.begin = nn.Parameter(torch.zeros(d))
        self.position = nn.Embedding(CELLS, d)
        self.held = nn.Embedding(LANES * HELD, d)
        self.lags = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in LAGS)
        self.blocks = nn.ModuleList(Block(d, shape.heads, shape.dropout) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(d)
        self.chord = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, CHORDS))
        # the reader of what is given
        self.place_read = nn.Embedding(CELLS, d)
        self.readers = nn.ModuleList(Block(d, shape.heads, shape.dropout) for _ in range(shape.reader_layers))
        self.read_norm = nn.LayerNorm(d)
        self.read_out = nn.Linear(d, d)
        # the hit head
        self.from_trunk = nn.Linear(d, h)
        self.from_cell = nn.Linear(d, h, bias=False)
        self.known = nn.Embedding(KNOWN_ROWS, h)
        self.mix_up, self.mix_down, self.mix_norm = nn.Linear(h, 2 * h), nn.Linear(2 * h, h), nn.LayerNorm(h)
        self.place_stage = Stage(h, PLACES, shape.dropout)
        self.pitch_stage = Stage(h, PITCHES + 1, shape.dropout)  # the last: a drum has none
        self.velocity_stage = Stage(h, VELOCITIES, shape.dropout, POINTERS)
        self.length_stage = Stage(h, LENGTHS, shape.dropout, POINTERS)
        self.fine_stage = Stage(h, FINE, shape.dropout)
        self.more_stage = Stage(h, 2, shape.dropout)
        self.apply(_small)

    # ── training ────────────────────────────────────────────────────────────────────────────────────────────────────

    def loss_parts(self, bars: Bars) -> dict[str, Tensor]:
        """Negative log likelihood of what is not given, nats per bar, by what was chosen."""
        b = len(bars.chord)
        cells = b * CELLS
        bar = torch.div(bars.cell, CELLS, rounding_mode="floor")
        vectors = self.vectors(bars.hits.lane, bars.hits.slot, bars.what)
        kept = bars.given[bar, bars.hits.lane]
        content = vectors.new_zeros(cells, self.shape.width).index_add(0, bars.cell, vectors)
        stays = vectors * kept[:, None]
        given = vectors.new_zeros(cells, self.shape.width).index_add(0, bars.cell, stays)
        whole = self.whole(bars.style, bars.has_bass, bars.energy, bars.given)[:, None]
        conditional = bool(bars.given.any())
        read = self.read(given.view(b, CELLS, -1), bars.given) if conditional else None
        x = self.trunk(content.view(b, CELLS, -1), whole + self.pace(bars.pace), bars.held, read)
        chord = functional.log_softmax(self.chord(x).masked_fill(~allowed(bars.chord, bars.given), -1e9), dim=-1)
        parts = {"chord": -chord.gather(-1, bars.chord[..., None]).sum() / b}
        # earlier hits of the cell: a running sum over the list, less what it was where the cell begins
        fresh = vectors - stays
        running = torch.cumsum(fresh, dim=0) - fresh
        cell_start = torch.searchsorted(bars.cell, bars.cell)
        before = running - running[cell_start] + given[bars.cell]
        drawn = ~kept.bool()
        known = self.known(known_rows(Hits(*(part[drawn] for part in bars.hits)))).sum(1)
        z = self.mixed(self.from_trunk(x.reshape(cells, -1)[bars.cell][drawn]) + self.from_cell(before[drawn]) + known)
        chain = self.chain_loss(z, bars, drawn)
        return parts | {name: value.sum() / b for name, value in chain.items()}

    def chain_loss(self, z: Tensor, bars: Bars, drawn: Tensor) -> dict[str, Tensor]:
        """Losses of the hit head's choices, one per hit."""
        hits = Hits(*(part[drawn] for part in bars.hits))
        what = Attributes(*(part[drawn] for part in bars.what))
        bass = (hits.lane == LANES - 1).to(z.dtype)
        cell = bars.cell[drawn] % CELLS
        place = self.place_stage(z).masked_fill(~open_places(hits, cell), -1e9)
        parts = {"place": functional.cross_entropy(place, what.place, reduction="none")}
        z = z + self.place_stage.chosen(what.place)
        parts["pitch"] = functional.cross_entropy(self.pitch_stage(z), what.pitch, reduction="none") * bass
        z = z + self.pitch_stage.chosen(torch.where(hits.lane == LANES - 1, what.pitch, PITCHES))
        parts["velocity"] = _pointed_loss(self.velocity_stage, z, hits.old_velocity, what.velocity)
        z = z + self.velocity_stage.chosen(what.velocity)
        parts["length"] = _pointed_loss(self.length_stage, z, hits.old_length, what.length)
        z = z + self.length_stage.chosen(what.length)
        parts["fine"] = functional.cross_entropy(self.fine_stage(z), what.fine, reduction="none")
        z = z + self.fine_stage.chosen(what.fine)
        more = functional.cross_entropy(self.more_stage(z), what.more, reduction="none")
        parts["more"] = more * (hits.slot < SLOTS - 1).to(z.dtype)
        return parts

    def trunk(self, content: Tensor, whole: Tensor, held: Tensor, read: Tensor | None) -> Tensor:
        """What is known before each cell ``[b, 16, width]``."""
        x = self.trunk_input(content, whole, held)
        if read is not None:
            x = x + read
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.shape.coarse):
            for block in self.blocks:
                x = block(x, causal=True)
        return self.norm(x.float())

    def trunk_input(self, content: Tensor, whole: Tensor, held: Tensor) -> Tensor:
        """Contents ``[b, 16, width]``, each moved on by one cell and by the lags, and all else that is known."""
        x = functional.pad(content, (0, 0, 1, 0))[:, :-1] + self.position.weight + whole
        x[:, 0] = x[:, 0] + self.begin
        for lag, layer in zip(LAGS, self.lags, strict=True):
            x = x + functional.pad(layer(content[:, :-lag]), (0, 0, lag, 0))
        lanes = torch.arange(LANES, device=held.device) * HELD
        return x + self.held(held + lanes).sum(2)

    # ── pieces that training and drawing share ──────────────────────────────────────────────────────────────────────

    def vectors(self, lane: Tensor, slot: Tensor, what: Attributes) -> Tensor:
        """The vectors of hits ``[n, width]``."""
        return self.facts(fact_rows(lane, slot, what.place, what.pitch, what.velocity, what.length, what.fine)).sum(-2)

    def whole(self, style: Tensor, has_bass: Tensor, energy: Tensor, given: Tensor) -> Tensor:
        """What holds for the whole bar ``[b, width]``. An energy below 0 is "any"; ``given`` is float ``[b, 5]``."""
        known = (energy >= 0).to(energy.dtype)[:, None]
        bumps = torch.exp(-((energy[:, None] * BUMPS - torch.arange(BUMPS, device=energy.device)) ** 2) / 2)
        features = torch.cat([bumps, torch.ones_like(known)], dim=1) * known
        return self.style(style) + self.has_bass(has_bass) + self.energy(features) + self.given(given)

    def read(self, cells: Tensor, given: Tensor) -> Tensor:
        """What each cell should know of the given lanes, by their cells ``[b, 16, width]`` and which they are."""
        x = cells + self.place_read.weight + self.given(given)[:, None]
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.shape.coarse):
            for block in self.readers:
                x = block(x, causal=False)
        return self.read_out(self.read_norm(x.float())) * (given.sum(1) > 0).to(x.dtype)[:, None, None]

    def mixed(self, z: Tensor) -> Tensor:
        """What the chain begins with ``[n, hit_width]``: trunk, earlier hits of the cell and what is known."""
        return z + self.mix_down(functional.gelu(self.mix_up(self.mix_norm(z))))


def allowed(chord: Tensor, given: Tensor) -> Tensor:
    """Which of the 32 combinations agree with ``chord`` ``[b, t]`` in the given lanes: bool ``[b, t, 32]``."""
    bits = (given.long() << torch.arange(LANES, device=given.device)).sum(1)
    every = torch.arange(CHORDS, device=given.device)
    return ((every ^ chord[..., None]) & bits[:, None, None]) == 0


def open_places(hits: Hits, cell: Tensor) -> Tensor:
    """Where a hit can be: inside the bar, and after the lane's hit before it (bass notes may come together)."""
    place = torch.arange(PLACES, device=cell.device)
    lowest = torch.where(cell == 0, 4, 0)
    behind = hits.after - (hits.lane == LANES - 1).long()
    latest = torch.where(cell == CELLS - 1, PLACES, 8)
    return (place >= torch.maximum(lowest, behind)[:, None]) & (place < latest[:, None])


def _pointed_loss(stage: Stage, z: Tensor, old: Tensor, chosen: Tensor) -> Tensor:
    """Minus the log of a pointed stage's chance of what was chosen, without making the whole distribution."""
    out = stage(z)
    fresh = functional.log_softmax(out[:, : stage.choices], dim=-1).gather(1, chosen[:, None])
    there = functional.pad(old > 0, (1, 0), value=True)
    gate = functional.log_softmax(out[:, stage.choices :].masked_fill(~there, -1e4), dim=-1)
    hit = functional.pad(old == chosen[:, None], (1, 0), value=True)
    ways = torch.cat([gate[:, :1] + fresh, gate[:, 1:]], dim=1)
    return -torch.logsumexp(ways.masked_fill(~hit, -1e9), dim=1)


def fact_rows(  # noqa: PLR0917 - one argument per fact
    lane: Tensor, slot: Tensor, place: Tensor, pitch: Tensor, velocity: Tensor, length: Tensor, fine: Tensor
) -> Tensor:
    """Rows of the table ``facts`` for hits ``[…]``: ``[…, 6]``. Drums have one pitch row, that of no pitch."""
    rows = (
        lane * PLACES + place,
        torch.where(lane == LANES - 1, pitch, PITCHES),
        lane * VELOCITIES + velocity,
        lane * LENGTHS + length,
        fine,
        lane * SLOTS + slot,
    )
    return torch.stack(torch.broadcast_tensors(*rows), dim=-1) + torch.tensor(FACT_STARTS, device=lane.device)


def known_rows(hits: Hits) -> Tensor:
    """Rows of the table ``known``, of what is known before a hit is drawn: ``[n, 16]``."""
    first = torch.stack((hits.lane * SLOTS + hits.slot, hits.chord, hits.lane * HELD + hits.held, hits.after), dim=1)
    rows = torch.cat((first, hits.old_velocity, hits.old_length, hits.old_pitch), dim=1)
    return rows + torch.tensor(KNOWN_STARTS, device=rows.device)


def _small(module: nn.Module) -> None:
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.05)
