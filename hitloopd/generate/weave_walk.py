"""How ``weave`` draws: cell by cell, hit by hit, several bars at once if asked; what is kept stays.

For each cell the network says how likely each of the 32 combinations of lanes is, then draws the facts of each hit in
turn; a hit looks back at earlier ones of its lane, which are handed to it.

Beside the bar the walk tells how sure the network was of each lane in each cell, and draws the likeliest further hits:
the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from hitloopd.generate.weave_bar import (
    BASS,
    BITS,
    CELLS,
    CHORDS,
    CLOSED,
    DRUM_PLACES,
    EARLY,
    FACT_STARTS,
    HELD,
    IN_ITS_STEP,
    KNOWN_STARTS,
    LAGS,
    LANES,
    LENGTHS,
    NOTHING,
    PITCHES,
    PLACES,
    POINTERS,
    SLOTS,
    STEPS,
    VELOCITIES,
    Array,
    Bar,
    Drawn,
    Extra,
    Facts,
    Hit,
    Kept,
    Told,
    Wish,
)
from hitloopd.generate.weave_energy import Way
from hitloopd.generate.weave_net import STARTS, HitInputs, Net, StepInputs
from hitloopd.generate.weave_noise import gumbel, key_of

_PLACE, _PITCH, _WAY_VELOCITY, _VELOCITY, _WAY_LENGTH, _LENGTH, _FINE, _MORE, _ALL = STARTS
_CHORD_PLACE: Final = CELLS * LANES * SLOTS  # where the noise of the combinations begins
_LANE_ROWS: Final = np.arange(LANES, dtype=np.int64) * HELD
_SILENCE: Final = max(LAGS)  # empty cells before the bar, for the first ones to look back at
_BACK: Final = _SILENCE - np.array((1, *LAGS))


def walk(net: Net, wishes: Sequence[Wish]) -> list[Drawn]:
    """Draw the bars, all in step.

    Thread: any. Real-time: no (some milliseconds a bar).
    """
    bars = [Bar(wish) for wish in wishes]
    trunk = _Trunk(net, bars)
    _count_kept(trunk.way, bars)
    keys = [key_of(wish.seed) for wish in wishes]
    chances = _chord_chances(keys, bars)
    for cell in range(CELLS):
        chord, state = trunk.step(cell)
        for bar, chosen in zip(bars, (chord + chances[:, cell]).argmax(axis=1).tolist(), strict=True):
            bar.chords.append(chosen)
        _strike(net, trunk, keys, state, cell)
        for bar in bars:
            bar.done()
    sure = trunk.lane_chances()
    extras = _extras(net, trunk, keys, sure)
    return [Drawn(bar.hits, sure[index], extras[index]) for index, bar in enumerate(bars)]


def follow(net: Net, bars: Sequence[Kept], style: int) -> Array:
    """How likely each lane is to strike in each cell of finished bars, by what came before it: ``[n, 16, 5]``."""
    wishes = [Wish(0, style, has_bass=any(bar.get(BASS, ())), kept=bar) for bar in bars]
    trunk = _Trunk(net, [Bar(wish) for wish in wishes], given=False)
    for cell in range(CELLS):
        trunk.step(cell)
        for index, bar in enumerate(trunk.bars):
            for lane, hits in enumerate(bar.hits[cell]):
                for hit in hits:
                    bar.heard(cell, lane, hit)
                    _count(trunk.way, [index], lane, cell, [hit])
            bar.done()
    return trunk.lane_chances()


class _Trunk:
    """The network's trunk on its way along the cells of some bars.

    Args:
        net: the network.
        bars: they begin at their first cell.
        given: the kept lanes are told from the beginning; otherwise the network meets their hits cell by cell, as if
            it had drawn them.

    ``contents`` are the sums of the vectors of each cell's hits ``[n, 8 + 16, width]``; it begins with the kept ones.
    """

    def __init__(self, net: Net, bars: Sequence[Bar], *, given: bool = True) -> None:
        layers, heads, size = net.past
        self.bars = bars
        self.way = Way([bar.wish.energy for bar in bars])
        self.contents = np.zeros((len(bars), _SILENCE + CELLS, net.width), dtype=np.float32)
        self.states: list[Array] = []
        self._net = net
        self._base = self._begin([bar.wish for bar in bars], given=given)
        self._past: Array = np.zeros((len(bars), layers, heads, 0, 2 * size), dtype=np.float32)
        self._chords: list[Array] = []

    def step(self, cell: int) -> tuple[Array, Array]:
        """One cell on: log chances of the combinations, and states, by bar."""
        held = np.array([bar.begin(cell) for bar in self.bars], dtype=np.int64) + _LANE_ROWS
        before_it = self.contents[:, _BACK + cell].reshape(len(self.bars), -1)
        told = StepInputs(self._base[:, cell], before_it, held, self.way.told(), self._past)
        chord, state, self._past = self._net.step(told)
        self._chords.append(chord)
        self.states.append(state)
        return chord, state

    def lane_chances(self) -> Array:
        """How likely each lane was to strike in each cell ``[n, 16, 5]``."""
        return np.asarray(np.exp(np.stack(self._chords, axis=1)) @ BITS)

    def _begin(self, wishes: Sequence[Wish], *, given: bool) -> Array:
        """What every cell begins with; fills in the contents of the kept hits."""
        told = np.zeros((len(wishes), LANES), dtype=np.float32)
        if given:
            for index, wish in enumerate(wishes):
                told[index, list(wish.kept)] = 1
        base = self._net.whole(
            np.array([w.style for w in wishes], dtype=np.int64),
            np.array([w.has_bass for w in wishes], dtype=np.int64),
            np.array([w.energy for w in wishes], dtype=np.float32),
            told,
        )
        if not any(wish.kept for wish in wishes):
            return base
        read, self.contents[:, _SILENCE:] = self._net.read(told, _kept(wishes))
        return base + read


def _kept(wishes: Sequence[Wish]) -> Array:
    kept = np.full((len(wishes), CELLS, LANES, SLOTS, len(Hit._fields)), -1, dtype=np.int64)
    for index, wish in enumerate(wishes):
        for lane, cells in wish.kept.items():
            for cell, hits in enumerate(cells):
                for slot, hit in enumerate(hits[:SLOTS]):
                    kept[index, cell, lane, slot] = hit
    return kept


def _count_kept(way: Way, bars: Sequence[Bar]) -> None:
    """The lanes that are given count towards the energy from the beginning."""
    for index, bar in enumerate(bars):
        for lane, cells in bar.wish.kept.items():
            for cell, hits in enumerate(cells):
                for hit in hits[:SLOTS]:
                    _count(way, [index], lane, cell, [hit])


def _count(way: Way, rows: Sequence[int], lane: int, cell: int, hits: Sequence[Hit]) -> None:
    velocity, length = np.array([(hit.velocity, hit.length) for hit in hits]).T
    way.count(rows, lane, cell, velocity, length)


def _chord_chances(keys: Sequence[int], bars: Sequence[Bar]) -> Array:
    """What is added to the log chances of the combinations: chance, and what can't be ``[n, 16, 32]``."""
    noise = gumbel(keys, [_CHORD_PLACE] * len(keys), CELLS * CHORDS).reshape(-1, CELLS, CHORDS)
    warmth = np.array([bar.wish.temperature for bar in bars], dtype=np.float32)
    return noise * warmth[:, None, None] + np.stack([bar.allowed() for bar in bars])


def _strike(net: Net, trunk: _Trunk, keys: Sequence[int], state: Array, cell: int) -> None:
    """Draw the hits of this cell, lane by lane."""
    here = trunk.contents[:, _SILENCE + cell]
    for lane in range(LANES):
        for bar in trunk.bars:
            for hit in bar.hits[cell][lane]:
                bar.heard(cell, lane, hit)
        turn = [index for index, bar in enumerate(trunk.bars) if bar.chords[cell] >> lane & 1 and lane in bar.free]
        for slot in range(SLOTS):
            if not turn:
                break
            asked = [_ask(trunk.bars[row], keys[row], cell, lane, slot, trunk.bars[row].last[lane]) for row in turn]
            choice, vector = _draw(net, asked, state[turn], here[turn])
            trunk.way.count(turn, lane, cell, choice[:, 2], choice[:, 3])
            here[turn] += vector
            again: list[int] = []
            for row, (*facts, more) in zip(turn, choice.tolist(), strict=True):
                hit = Hit(*facts)
                trunk.bars[row].hits[cell][lane].append(hit)
                trunk.bars[row].heard(cell, lane, hit)
                if more:
                    again.append(row)
            turn = again


class _Ask(NamedTuple):
    """A hit to be drawn: whose chance at which temperature, where, and what it is told."""

    key: int
    temperature: float
    cell: int
    lane: int
    slot: int
    told: Told


def _ask(bar: Bar, key: int, cell: int, lane: int, slot: int, last: Sequence[Facts]) -> _Ask:  # noqa: PLR0917 - a place
    return _Ask(key, bar.wish.temperature, cell, lane, slot, bar.known(cell, lane, last))


def _draw(net: Net, asked: Sequence[_Ask], state: Array, before: Array) -> tuple[Array, Array]:
    """Facts (and whether one more follows) and vectors of hits, given what was struck before them in their cells."""
    places = [(ask.cell * LANES + ask.lane) * SLOTS + ask.slot for ask in asked]
    noise = gumbel([ask.key for ask in asked], places, _ALL)
    for row, ask in enumerate(asked):
        _close(noise[row], ask)
    firsts = [[a.lane * PLACES, 0, a.lane * VELOCITIES, a.lane * LENGTHS, 0, a.lane * SLOTS + a.slot] for a in asked]
    return net.hit(
        HitInputs(
            state_of=state,
            before=before,
            known=np.array([ask.told.rows for ask in asked], dtype=np.int64) + KNOWN_STARTS,
            facts=np.array(firsts, dtype=np.int64) + FACT_STARTS,
            old=np.array([ask.told.old for ask in asked], dtype=np.int64),
            noise=noise,
        )
    )


def _close(noise: Array, ask: _Ask) -> None:
    """Scale the noise by the temperature, and close what can't be.

    That is also what no bar of a data set has, though the network never is quite sure of it: a drum in the last three
    steps, and a hit that was played in another step than it has, but for what begins the bar.
    """
    if ask.temperature != 1.0:
        noise *= np.float32(ask.temperature)
    after, old = ask.told.rows[3], ask.told.old
    noise[_PLACE : max(EARLY if ask.cell == 0 else 0, after - (ask.lane == BASS))] = CLOSED
    if ask.cell < CELLS - 1:
        noise[_PLACE + STEPS : _PITCH] = CLOSED
    elif ask.lane != BASS:
        noise[_PLACE + DRUM_PLACES : _PITCH] = CLOSED
    if ask.cell:
        noise[_FINE : _FINE + IN_ITS_STEP] = CLOSED
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


def _extras(net: Net, trunk: _Trunk, keys: Sequence[int], chances: Array) -> list[list[Extra]]:
    """The likeliest candidates of all bars."""
    asked: list[_Ask] = []
    owners: list[tuple[int, float]] = []
    for index, bar in enumerate(trunk.bars):
        for cell, lane, chance in bar.likely(chances[index]):
            last = bar.pasts[cell - 1][lane] if cell else [NOTHING] * 2
            asked.append(_ask(bar, keys[index], cell, lane, 0, last))
            owners.append((index, chance))
    out: list[list[Extra]] = [[] for _ in trunk.bars]
    if asked:
        cells, rows = [ask.cell for ask in asked], [index for index, _ in owners]
        state = np.stack(trunk.states)[cells, rows]
        choice, _ = _draw(net, asked, state, trunk.contents[rows, _SILENCE + np.array(cells)])
        for ask, (*facts, _), (index, chance) in zip(asked, choice.tolist(), owners, strict=True):
            out[index].append(Extra(ask.cell, ask.lane, chance, Hit(*facts)))
    return out
