"""How ``weave`` draws: cell by cell, hit by hit, several bars at once if asked; what is kept stays.

A bar is 16 cells x 5 lanes x up to 3 hits; a hit is (place, pitch, velocity, length, fine): the step from four before
the cell's line, semitones above the root (16: a drum), 1..127, steps, and the tick within the step plus 18. For each
cell the network says how likely each of the 32 combinations of lanes is, then draws the facts of each hit in turn; a
hit looks back at earlier ones of its lane, which are handed to it.

Beside the bar the walk tells how sure the network was of each lane in each cell, and draws the likeliest further hits:
the candidates.

Sizes and rows of the network's tables are those of ``offline.models.weave``; the tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from hitloopd.core.energy import (
    HALF_LOW_END,
    HALF_ONSETS,
    HALF_SYNCOPATION,
    HALF_VELOCITY,
    OFFBEAT,
    WEIGHT_DENSITY,
    WEIGHT_LOW_END,
    WEIGHT_SYNCOPATION,
    WEIGHT_VELOCITY,
)
from hitloopd.core.time import TICKS_PER_BEAT, TICKS_PER_STEP
from hitloopd.generate.weave_noise import gumbel, key_of

Array = npt.NDArray[Any]

CELLS: Final = 16
LANES: Final = 5
SLOTS: Final = 3
BASS: Final = 4
CHORDS: Final = 32
STEPS: Final = 8
EARLY: Final = 4
PLACES: Final = 12
PITCHES: Final = 16
VELOCITIES: Final = 128
LENGTHS: Final = 129
FINE: Final = 26
ON_THE_STEP: Final = 18  # as a fine value
HELD: Final = 18
POINTERS: Final = 4
LAGS: Final = (4, 8)
NOISE: Final = (PLACES, PITCHES + 1, POINTERS + 1, VELOCITIES, POINTERS + 1, LENGTHS, FINE, 2)
CLOSED: Final = np.float32(-1e9)
BITS: Final = (np.arange(CHORDS)[:, None] >> np.arange(LANES)) & 1

_PLACE, _PITCH, _WAY_VELOCITY, _VELOCITY, _WAY_LENGTH, _LENGTH, _FINE, _MORE, _ALL = (0, *accumulate(NOISE))
_KNOWN_PARTS: Final = (
    LANES * SLOTS,
    CHORDS,
    LANES * HELD,
    PLACES + 1,
    *(VELOCITIES,) * POINTERS,
    *(LENGTHS,) * POINTERS,
    *(PITCHES + 1,) * (POINTERS - 1),
)
KNOWN_STARTS: Final = np.array([0, *accumulate(_KNOWN_PARTS)], dtype=np.int64)
FACT_STARTS: Final = np.array(
    [0, *accumulate((LANES * PLACES, PITCHES + 1, LANES * VELOCITIES, LANES * LENGTHS, FINE))], dtype=np.int64
)
_CHORD_PLACE: Final = CELLS * LANES * SLOTS  # where the noise of the combinations begins
_WEIGHTS: Final = (WEIGHT_DENSITY, WEIGHT_VELOCITY, WEIGHT_LOW_END, WEIGHT_SYNCOPATION)
_LANE_ROWS: Final = np.arange(LANES, dtype=np.int64) * HELD
_NUMBERS: Final = np.arange(CHORDS)


class Hit(NamedTuple):
    """A hit as the network knows it; see above."""

    place: int
    pitch: int
    velocity: int
    length: int
    fine: int


Kept = Mapping[int, Sequence[Sequence[Hit]]]
"""Lane -> cell -> hits."""


class HitInputs(NamedTuple):
    """What is asked of the hit head; arrays as in ``offline.models.weave_drawing``."""

    state_of: Array
    before: Array
    known: Array
    facts: Array
    old: Array
    noise: Array


class StepInputs(NamedTuple):
    """What is asked of the trunk; arrays as in ``offline.models.weave_drawing``."""

    base: Array
    before_it: Array
    held: Array
    pace: Array
    past: Array


class Net(Protocol):
    """The network's four steps; arrays as in ``offline.models.weave_drawing``."""

    width: int
    past: tuple[int, int, int]
    """Layers, heads, size of a head."""

    def whole(self, style: Array, has_bass: Array, energy: Array, told: Array) -> Array:
        """What each cell begins with."""
        ...

    def read(self, given: Array, kept: Array) -> tuple[Array, Array]:
        """What given lanes add to that, and the contents of the kept hits."""
        ...

    def step(self, told: StepInputs) -> tuple[Array, Array, Array]:
        """Log chances of the combinations, state, past."""
        ...

    def hit(self, told: HitInputs) -> tuple[Array, Array]:
        """Facts and vectors of hits."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What one bar should be.

    Args:
        seed: of its chance.
        style: number of the style, or of "any".
        has_bass: whether there is a bass at all.
        energy: 0..1, or -1 for any.
        temperature: 0 the likeliest .. 1 as learnt .. 2.
        kept: hits of lanes that stay.
        candidates: how many further hits to draw.
    """

    seed: int
    style: int
    has_bass: bool = True
    energy: float = -1.0
    temperature: float = 1.0
    kept: Kept = field(default_factory=dict[int, Sequence[Sequence[Hit]]])
    candidates: int = 0


class Extra(NamedTuple):
    """A candidate: a further hit, and how likely one of its lane was in its cell."""

    cell: int
    lane: int
    chance: float
    hit: Hit


@dataclass(slots=True)
class Drawn:
    """A drawn bar.

    Args:
        hits: per cell, per lane: its hits in time order, kept ones included.
        sure: how likely each lane was to strike in each cell ``[16, 5]``.
        extra: candidates.
    """

    hits: list[list[list[Hit]]]
    sure: Array
    extra: list[Extra]


Facts = tuple[int, int, int]


class _Told(NamedTuple):
    """Rows of the network's table for a hit, and the velocities and lengths that it may point at."""

    rows: list[int]
    old: list[int]


class _Bar:
    """A bar being drawn: what its hits look back at."""

    def __init__(self, wish: Wish, width: int) -> None:
        self.wish = wish
        self.key = key_of(wish.seed)
        self.free = [lane for lane in range(LANES) if lane not in wish.kept and (lane != BASS or wish.has_bass)]
        self.hits: list[list[list[Hit]]] = []
        self.last: list[list[Facts]] = [[(0, 0, 0)] * 2 for _ in range(LANES)]
        self.pasts: list[list[list[Facts]]] = []  # ``last`` after each cell
        self.holds: list[list[int]] = []  # per cell: steps that each lane still sounds
        self.chords: list[int] = []
        self.contents: list[Array] = []
        self.here: Array = np.zeros(width, dtype=np.float32)
        self._end = [0] * LANES
        self._sums = [0.0] * 4
        noise = gumbel([self.key], [_CHORD_PLACE], CELLS * CHORDS).reshape(CELLS, CHORDS)
        self.chances = noise * np.float32(wish.temperature) + self._allowed()

    def begin(self, cell: int) -> list[int]:
        """A new cell; returns what still sounds."""
        begin = cell * STEPS - EARLY
        held = [min(max(end - begin, 0), HELD - 1) for end in self._end]
        self.holds.append(held)
        kept = self.wish.kept
        self.hits.append([list(kept[lane][cell]) if lane in kept else [] for lane in range(LANES)])
        return held

    def count(self, cell: int, lane: int, hit: Hit) -> None:
        """A hit counts towards the energy."""
        loud = hit.velocity / 127
        held = min(hit.length * TICKS_PER_STEP, TICKS_PER_BEAT) / TICKS_PER_BEAT
        sums = self._sums
        sums[0] += 1 / HALF_ONSETS
        sums[1] += loud / HALF_VELOCITY
        sums[2] += (loud if lane == 0 else loud * held if lane == BASS else 0.0) / HALF_LOW_END
        sums[3] += loud * OFFBEAT[cell % len(OFFBEAT)] / HALF_SYNCOPATION

    def pace(self) -> list[float]:
        """How far the bar is on its way to the energy."""
        reached = sum(weight * x * x / (1 + x * x) for weight, x in zip(_WEIGHTS, self._sums, strict=True))
        aim = self.wish.energy
        return [*self._sums, reached, aim - reached, aim, 1.0] if aim >= 0 else [*self._sums, reached, 0.0, 0.0, 0.0]

    def known(self, cell: int, lane: int, last: Sequence[Facts]) -> _Told:
        """What the next hit of the lane in the cell is told; ``last``: the lane's last two."""
        before = self.hits[cell][lane]
        past = [*last, *(self._first(cell - lag, lane) for lag in LAGS)]
        velocity, length, pitch = zip(*past, strict=True)
        rows = [
            lane * SLOTS + len(before),
            self.chords[cell],
            lane * HELD + self.holds[cell][lane],
            before[-1].place + 1 if before else 0,
        ]
        return _Told([*rows, *velocity, *length, *pitch], [*velocity, *length])

    def heard(self, cell: int, lane: int, hit: Hit) -> None:
        """A hit, drawn or kept, is part of the past."""
        self.last[lane] = [_facts(lane, hit), self.last[lane][0]]
        self._end[lane] = max(self._end[lane], cell * STEPS - EARLY + hit.place + hit.length)

    def done(self) -> None:
        """The cell is drawn."""
        self.contents.append(self.here)
        self.pasts.append(list(self.last))

    def _first(self, cell: int, lane: int) -> Facts:
        return _facts(lane, self.hits[cell][lane][0]) if cell >= 0 and self.hits[cell][lane] else (0, 0, 0)

    def _allowed(self) -> Array:
        """0 for the combinations that agree with what is kept, closed for the others ``[16, 32]``."""
        fixed = sum(1 << lane for lane in range(LANES) if lane not in self.free)
        if not fixed:
            return np.zeros((CELLS, CHORDS), dtype=np.float32)
        kept = [sum(1 << lane for lane, cells in self.wish.kept.items() if cells[cell]) for cell in range(CELLS)]
        return np.where((_NUMBERS & fixed) == np.array(kept)[:, None], np.float32(0), CLOSED)


def walk(net: Net, wishes: Sequence[Wish]) -> list[Drawn]:
    """Draw the bars, all in step.

    Thread: any. Real-time: no (some milliseconds a bar).
    """
    bars = [_Bar(wish, net.width) for wish in wishes]
    for bar in bars:
        _count_kept(bar)
    base, kept = _begin(net, wishes)
    trunk = _Trunk(net, base)
    for cell in range(CELLS):
        chord, state = trunk.step(cell, bars)
        for index, bar in enumerate(bars):
            bar.here = kept[index, cell]
            bar.chords.append(int((chord[index] + bar.chances[cell]).argmax()))
        _strike(net, bars, state, cell)
        for bar in bars:
            bar.done()
    chances = trunk.lane_chances()
    extras = _extras(net, bars, chances, trunk.states)
    return [Drawn(bar.hits, chances[index], extras[index]) for index, bar in enumerate(bars)]


def follow(net: Net, bars: Sequence[Kept], style: int) -> Array:
    """How likely each lane is to strike in each cell of finished bars, by what came before it: ``[n, 16, 5]``."""
    wishes = [Wish(0, style, has_bass=any(bar.get(BASS, ())), kept=bar) for bar in bars]
    made = [_Bar(wish, net.width) for wish in wishes]
    base, contents = _begin(net, wishes, given=False)
    trunk = _Trunk(net, base)
    for cell in range(CELLS):
        trunk.step(cell, made)
        for index, bar in enumerate(made):
            bar.here = contents[index, cell]
            for lane, hits in enumerate(bar.hits[cell]):
                for hit in hits:
                    bar.heard(cell, lane, hit)
                    bar.count(cell, lane, hit)
            bar.done()
    return trunk.lane_chances()


class _Trunk:
    """The network's trunk on its way along the cells."""

    def __init__(self, net: Net, base: Array) -> None:
        layers, heads, size = net.past
        self._net, self._base = net, base
        self._past: Array = np.zeros((len(base), layers, 2, heads, 0, size), dtype=np.float32)
        self._silence = np.zeros(net.width, dtype=np.float32)
        self._chords: list[Array] = []
        self.states: list[Array] = []

    def step(self, cell: int, bars: Sequence[_Bar]) -> tuple[Array, Array]:
        """One cell on: log chances of the combinations, and states, by bar."""
        held = np.array([bar.begin(cell) for bar in bars], dtype=np.int64) + _LANE_ROWS
        back = np.array(
            [[bar.contents[cell - lag] if cell >= lag else self._silence for lag in (1, *LAGS)] for bar in bars],
            dtype=np.float32,
        )
        pace = np.array([bar.pace() for bar in bars], dtype=np.float32)
        chord, state, self._past = self._net.step(StepInputs(self._base[:, cell], back, held, pace, self._past))
        self._chords.append(chord)
        self.states.append(state)
        return chord, state

    def lane_chances(self) -> Array:
        """How likely each lane was to strike in each cell ``[n, 16, 5]``."""
        return np.exp(np.stack(self._chords, axis=1)) @ BITS


def _begin(net: Net, wishes: Sequence[Wish], *, given: bool = True) -> tuple[Array, Array]:
    """What every cell begins with, and the contents of the kept hits, by bar.

    Not ``given``: the network meets the kept hits cell by cell, as if it had drawn them.
    """
    told = np.zeros((len(wishes), LANES), dtype=np.float32)
    if given:
        for index, wish in enumerate(wishes):
            told[index, list(wish.kept)] = 1
    base = net.whole(
        np.array([w.style for w in wishes], dtype=np.int64),
        np.array([w.has_bass for w in wishes], dtype=np.int64),
        np.array([w.energy for w in wishes], dtype=np.float32),
        told,
    )
    if not any(wish.kept for wish in wishes):
        return base, np.zeros((len(wishes), CELLS, net.width), dtype=np.float32)
    read, contents = net.read(told, _kept(wishes))
    return base + read, contents


def _count_kept(bar: _Bar) -> None:
    """The lanes that are given count towards the energy from the beginning."""
    for lane, cells in bar.wish.kept.items():
        for cell, hits in enumerate(cells):
            for hit in hits[:SLOTS]:
                bar.count(cell, lane, hit)


def _kept(wishes: Sequence[Wish]) -> Array:
    kept = np.full((len(wishes), CELLS, LANES, SLOTS, len(Hit._fields)), -1, dtype=np.int64)
    for index, wish in enumerate(wishes):
        for lane, cells in wish.kept.items():
            for cell, hits in enumerate(cells):
                for slot, hit in enumerate(hits[:SLOTS]):
                    kept[index, cell, lane, slot] = hit
    return kept


def _strike(net: Net, bars: Sequence[_Bar], state: Array, cell: int) -> None:
    """Draw the hits of this cell, lane by lane."""
    for lane in range(LANES):
        for bar in bars:
            for hit in bar.hits[cell][lane]:
                bar.heard(cell, lane, hit)
        turn = [index for index, bar in enumerate(bars) if lane in bar.free and bar.chords[cell] >> lane & 1]
        for slot in range(SLOTS):
            if not turn:
                break
            asked = [_Ask(bars[i], cell, lane, slot, bars[i].known(cell, lane, bars[i].last[lane])) for i in turn]
            choice, vector = _draw(net, asked, state[turn], np.array([bars[index].here for index in turn]))
            for row, index in enumerate(turn):
                bar, hit = bars[index], Hit(*choice[row][:5])
                bar.hits[cell][lane].append(hit)
                bar.heard(cell, lane, hit)
                bar.count(cell, lane, hit)
                bar.here = bar.here + vector[row]
            turn = [index for row, index in enumerate(turn) if choice[row][5]]


class _Ask(NamedTuple):
    """A hit to be drawn."""

    bar: _Bar
    cell: int
    lane: int
    slot: int
    told: _Told


def _draw(net: Net, asked: Sequence[_Ask], state: Array, before: Array) -> tuple[list[list[int]], Array]:
    """Facts and vectors of hits, given their cells' states and what was struck there before them."""
    places = [(ask.cell * LANES + ask.lane) * SLOTS + ask.slot for ask in asked]
    noise = gumbel([ask.bar.key for ask in asked], places, _ALL)
    for row, ask in enumerate(asked):
        _close(noise[row], ask)
    firsts = [[a.lane * PLACES, 0, a.lane * VELOCITIES, a.lane * LENGTHS, 0, a.lane * SLOTS + a.slot] for a in asked]
    choice, vector = net.hit(
        HitInputs(
            state_of=state,
            before=before,
            known=np.array([ask.told.rows for ask in asked], dtype=np.int64) + KNOWN_STARTS,
            facts=np.array(firsts, dtype=np.int64) + FACT_STARTS,
            old=np.array([ask.told.old for ask in asked], dtype=np.int64).reshape(-1, 2, POINTERS),
            noise=noise,
        )
    )
    return choice.tolist(), vector


def _close(noise: Array, ask: _Ask) -> None:
    """Scale the noise by the temperature, and close what can't be."""
    if ask.bar.wish.temperature != 1.0:
        noise *= np.float32(ask.bar.wish.temperature)
    after, old = ask.told.rows[3], ask.told.old
    noise[_PLACE : max(EARLY if ask.cell == 0 else 0, after - (ask.lane == BASS))] = CLOSED
    if ask.cell < CELLS - 1:
        noise[_PLACE + STEPS : _PITCH] = CLOSED
    if ask.lane == BASS:
        noise[_PITCH + PITCHES] = CLOSED
    else:
        noise[_PITCH : _PITCH + PITCHES] = CLOSED
    for index in range(POINTERS):
        if not old[index]:
            noise[_WAY_VELOCITY + 1 + index] = noise[_WAY_LENGTH + 1 + index] = CLOSED
    noise[_VELOCITY] = noise[_LENGTH] = CLOSED
    if ask.slot == SLOTS - 1:
        noise[_MORE + 1] = CLOSED


def _extras(net: Net, bars: Sequence[_Bar], chances: Array, states: Sequence[Array]) -> list[list[Extra]]:
    """The likeliest candidates of all bars; ``states``: by cell, those of the bars."""
    asked: list[_Ask] = []
    owners: list[tuple[int, float]] = []
    for index, bar in enumerate(bars):
        for cell, lane, chance in _likely(bar, chances[index]):
            last = bar.pasts[cell - 1][lane] if cell else [(0, 0, 0)] * 2
            asked.append(_Ask(bar, cell, lane, 0, bar.known(cell, lane, last)))
            owners.append((index, chance))
    out: list[list[Extra]] = [[] for _ in bars]
    if asked:
        state = np.array([states[ask.cell][index] for ask, (index, _) in zip(asked, owners, strict=True)])
        before = np.array([ask.bar.contents[ask.cell] for ask in asked])
        choice, _ = _draw(net, asked, state, before)
        for ask, facts, (index, chance) in zip(asked, choice, owners, strict=True):
            out[index].append(Extra(ask.cell, ask.lane, chance, Hit(*facts[:5])))
    return out


def _likely(bar: _Bar, chances: Array) -> list[tuple[int, int, float]]:
    """Cell, lane and chance of the places where nothing was drawn but could have been, likeliest first."""
    if not bar.wish.candidates:
        return []
    found = [
        (cell, lane, chance)
        for cell, row in enumerate(chances.tolist())
        for lane, chance in enumerate(row)
        if lane in bar.free and not bar.hits[cell][lane]
    ]
    return sorted(found, key=lambda one: (-round(one[2], 5), one[0], one[1]))[: bar.wish.candidates]


def _facts(lane: int, hit: Hit) -> Facts:
    """Velocity, length and pitch plus one, as later hits point at them."""
    return hit.velocity, hit.length, hit.pitch + 1 if lane == BASS else 1
