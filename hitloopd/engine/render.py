"""Render: a heard bar and its feel become the score that the player plays.

Conventions: ticks from the bar line. Everything follows from the arguments: the same bar with the same feel grooves the
same each time. This module must not know the session, the clock or any output.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Final

from hitloopd.core.feel import STRAIGHT, Feel
from hitloopd.core.pattern import LANES, MAX_EARLY_TICKS, Lane, Note, Pattern
from hitloopd.core.score import Score, ScoreNote
from hitloopd.core.time import TICKS_PER_BAR, TICKS_PER_CELL

PAIR_TICKS: Final = 2 * TICKS_PER_CELL
LAST_TICK: Final = TICKS_PER_BAR - 1
HUMANISE_TICKS: Final = 12  # 12.5 ms at 120 BPM, less where it is faster: a groove breathes with the tempo
HUMANISE_VELOCITY: Final = 0.15
MIN_VELOCITY: Final = 0.001
MAX_MIDI_NOTE: Final = 127

_MASK: Final = (1 << 64) - 1
_Row = tuple[int, Lane, float, int, int]


def render(pattern: Pattern, feel: Feel) -> Score:
    """The bar made ready to play.

    Every note of ``pattern`` sounds (take what does not sound out before). Notes of a lane keep their order; a note
    ends where the next one of its lane begins, so drums retrigger cleanly and bass is one voice; bass notes that
    begin together stay a chord.

    Args:
        pattern: what is heard: ``session.heard``.
        feel: swing per lane, humanise and its seed.

    Thread: any. Real-time: no (some tenths of a millisecond).
    """
    rows: list[_Row] = []
    for lane in LANES:
        notes = [note for note in pattern.notes if note.lane is lane]
        if notes:
            ticks, velocities = _placed(notes, feel)
            rows += _cut(notes, _in_order(notes, ticks), velocities, pattern.root)
    rows.sort()
    return Score(tuple([ScoreNote(*row) for row in rows]), pattern.id)


def swung(tick: int, swing: float) -> int:
    """Where ``tick`` goes when the middle of each pair of sixteenths moves to ``swing`` 0.5..0.75 of the pair.

    Both halves of the pair stretch in a straight line, so what lies between the cells keeps its order.

    >>> [swung(tick, 0.75) for tick in (0, 60, 120, 180, 240)]
    [0, 90, 180, 210, 240]
    """
    if swing == STRAIGHT:
        return tick
    pair, inside = divmod(tick, PAIR_TICKS)
    middle = PAIR_TICKS * swing
    if inside < TICKS_PER_CELL:
        moved = inside * middle / TICKS_PER_CELL
    else:
        moved = middle + (inside - TICKS_PER_CELL) * (PAIR_TICKS - middle) / TICKS_PER_CELL
    return pair * PAIR_TICKS + round(moved)


def _placed(notes: Sequence[Note], feel: Feel) -> tuple[list[int], list[float]]:
    """Swing and humanise. All notes of a cell share one draw: a flam or chord moves as one."""
    lane = notes[0].lane
    swing = feel.swing.get(lane, STRAIGHT)
    ticks = [swung(note.start_ticks, swing) for note in notes]
    velocities = [note.velocity for note in notes]
    if feel.humanise > 0:
        for index, note in enumerate(notes):
            late, loud = _draw(feel.seed, lane, note.cell)
            ticks[index] += round(feel.humanise * HUMANISE_TICKS * late)
            factor = 1.0 + feel.humanise * HUMANISE_VELOCITY * loud
            velocities[index] = round(min(max(velocities[index] * factor, MIN_VELOCITY), 1.0), 6)
    return ticks, velocities


def _in_order(notes: Sequence[Note], ticks: list[int]) -> list[int]:
    """Ticks inside the bar, in the notes' written order, never two hits of one pitch on one tick."""
    if ticks[0] >= -MAX_EARLY_TICKS and ticks[-1] <= LAST_TICK and all(map(operator.lt, ticks, ticks[1:])):
        return ticks  # nearly always
    floor = -MAX_EARLY_TICKS
    for index in range(len(ticks)):
        if index:
            floor = ticks[index - 1] + _step(notes[index - 1], notes[index])
        ticks[index] = max(ticks[index], floor)
    ceiling = LAST_TICK
    for index in reversed(range(len(ticks))):
        if index + 1 < len(ticks):
            ceiling = ticks[index + 1] - _step(notes[index], notes[index + 1])
        ticks[index] = min(ticks[index], ceiling)
    return ticks


def _step(note: Note, following: Note) -> int:
    """The least distance of two notes: none where they are a chord."""
    chord = note.lane is Lane.BASS and note.start_ticks == following.start_ticks and note.pitch != following.pitch
    return 0 if chord else 1


def _cut(notes: Sequence[Note], ticks: Sequence[int], velocities: Sequence[float], root: int) -> list[_Row]:
    """Rows of a lane, each ending no later than the next one begins."""
    rows: list[_Row] = []
    onset = following = TICKS_PER_BAR * 5  # later than the longest note
    for note, tick, velocity in zip(reversed(notes), reversed(ticks), reversed(velocities), strict=True):
        if tick != onset:
            onset, following = tick, onset
        pitch = min(root + note.pitch, MAX_MIDI_NOTE) if note.lane is Lane.BASS else 0
        rows.append((tick, note.lane, velocity, pitch, min(note.length_ticks, following - tick)))
    return rows


@functools.lru_cache(maxsize=4096)
def _draw(seed: int, lane: Lane, cell: int) -> tuple[float, float]:
    """How late and how loud a cell is, each -1..1."""
    bits = _mixed(seed * 1024 + LANES.index(lane) * 32 + cell)
    return _signed(bits & 0xFFFFFFFF), _signed(bits >> 32)


def _mixed(value: int) -> int:
    """64 well-stirred bits from an integer (the finaliser known as splitmix64): the same on every machine."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _signed(bits: int) -> float:
    """32 bits as -1..1."""
    return bits / 0x80000000 - 1.0
