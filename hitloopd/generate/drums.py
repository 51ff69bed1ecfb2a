"""A drum lane drawn from a style's rows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hitloopd.core.pattern import MAX_EARLY_TICKS
from hitloopd.core.time import CELLS_PER_BAR, TICKS_PER_BAR, TICKS_PER_CELL
from hitloopd.generate.chance import Draw, pick, score
from hitloopd.generate.styles.table import CHANCE_MARKS, FORCE_MARKS, Roll, Row, cells

ALWAYS: Final = 2.0  # the score of a backbone hit: above every drawn one
FAINTEST: Final = -0.45  # what scores less is no candidate, not even for the most energetic end
ACCENT_SPREAD: Final = 0.05  # how far a hit's velocity strays from the table at temperature 1
LOYALTY: Final = 0.85  # how often a repeating row does what it did one repetition before
MAX_LATE_TICKS: Final = 40
TENTHS: Final = {mark: (1.0 if mark == "X" else 0.0 if mark == "." else int(mark) / 10) for mark in ".123456789X"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A note in the making; ``score`` above 0 sounds with the energy knob in the middle."""

    score: float
    tick: int
    velocity: float
    length: int
    pitch: int = 0


@functools.cache
def lateness(late: tuple[int, ...], swing: float) -> tuple[int, ...]:
    """Micro-timing of the sixteen cells: the row's own and the style's swing, which delays every second cell."""
    shift = round((swing - 0.5) * 2 * TICKS_PER_CELL)
    return tuple(
        min(max(late[cell % len(late)] + shift * (cell % 2), -MAX_EARLY_TICKS), MAX_LATE_TICKS)
        for cell in range(CELLS_PER_BAR)
    )


@functools.cache
def _plain(row: Row, swing: float) -> tuple[tuple[float, float, int], ...]:
    """Chance, velocity and tick of every cell."""
    late = lateness(row.late, swing)
    return tuple(
        (TENTHS[chance], TENTHS[force], cell * TICKS_PER_CELL + late[cell])
        for cell, (chance, force) in enumerate(
            zip(cells(row.chance, CHANCE_MARKS), cells(row.force, FORCE_MARKS), strict=True)
        )
    )


def choose(rows: Sequence[Row], temperature: float, draw: Draw) -> Row:
    """One of a lane's ways."""
    return rows[pick([row.weight for row in rows], temperature, draw())]


def play(row: Row, swing: float, temperature: float, draw: Draw) -> list[Hit]:
    """The hits of a row, candidates too, in time order."""
    hits: list[Hit] = []
    coins: list[float] = []
    for cell, (chance, force, tick) in enumerate(_plain(row, swing)):
        own, touch, loyal = draw(), draw(), draw()  # for every cell, so that one cell's fate never moves another's
        coin = coins[cell - row.repeat] if cell >= row.repeat and loyal < LOYALTY else own
        coins.append(coin)
        if not chance:
            continue
        value = ALWAYS if chance >= 1 else score(chance, temperature, coin)
        if value > FAINTEST:
            hits.append(Hit(value, tick, accent(force, temperature, touch), row.length))
    for roll in row.rolls:
        value = score(roll.chance, temperature, draw())
        if value > FAINTEST:
            hits = _with_roll(hits, roll, value)
    return sorted(hits, key=lambda hit: hit.tick)


def accent(force: float, temperature: float, touch: float) -> float:
    """A velocity around the table's, in steps of MIDI velocity so that every machine agrees."""
    velocity = force + ACCENT_SPREAD * temperature * (2 * touch - 1)
    return min(max(round(velocity * 127), 8), 127) / 127


def _with_roll(hits: list[Hit], roll: Roll, value: float) -> list[Hit]:
    """Lay a roll over plain hits.

    Where they meet the plain hit stays. A plain hit that falls between those of the roll makes way, unless it is the
    more important of the two: then the roll does not come.
    """
    start = roll.cell * TICKS_PER_CELL
    spacing = roll.span * TICKS_PER_CELL / roll.hits
    ticks = [start + round(index * spacing) for index in range(roll.hits)]
    near = spacing / 2.5
    inside = [hit for hit in hits if start - near < hit.tick < start + roll.span * TICKS_PER_CELL - near]
    between = [hit for hit in inside if all(abs(hit.tick - tick) >= near for tick in ticks)]
    if any(hit.score > value for hit in between):
        return hits
    rise = (roll.force[1] - roll.force[0]) / max(roll.hits - 1, 1)
    added = [
        Hit(value, tick, accent(roll.force[0] + rise * index, 0.0, 0.0), max(int(spacing) - 10, 10))
        for index, tick in enumerate(ticks)
        if tick < TICKS_PER_BAR and all(abs(hit.tick - tick) >= near for hit in inside if hit not in between)
    ]
    return [hit for hit in hits if hit not in between] + added


def heard(hits: Sequence[Hit]) -> frozenset[int]:
    """The cells in which a lane sounds with the energy knob in the middle."""
    return frozenset(
        min((hit.tick + TICKS_PER_CELL // 2) // TICKS_PER_CELL, CELLS_PER_BAR - 1) for hit in hits if hit.score > 0
    )
