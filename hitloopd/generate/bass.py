"""A bass line drawn from a style's grammar: rhythm, motif, pitches on the scale, lengths."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

from hitloopd.core.pattern import PITCHES
from hitloopd.core.time import CELLS_PER_BAR, TICKS_PER_BAR, TICKS_PER_CELL
from hitloopd.generate.chance import Draw, pick, score
from hitloopd.generate.drums import ALWAYS, FAINTEST, TENTHS, Hit, accent, lateness
from hitloopd.generate.styles.table import CHANCE_MARKS, FORCE_MARKS, HOLD_MARKS, Bass, Line, cells

BREATH_TICKS: Final = 10  # between a bass note and the next one
SLIDE_TICKS: Final = 15  # how long a sliding note overlaps the next
OCTAVE: Final = 12
OCTAVE_DEGREE: Final = 7  # where a walk turns back: counted from 0, as the ladder of the scale is
STEP, JUMP = 1, 2  # places in ``Bass.motion``; 0 is to stay
HOMING: Final = 4  # how much more a motif likes to begin on the root
LAST_BEAT: Final = 12  # its first cell


@functools.cache
def _plain(line: Line) -> tuple[tuple[float, float, float, float], ...]:
    """Chance, velocity, length in cells and chance of an octave of every cell."""
    rows = (cells(line.chance, CHANCE_MARKS), cells(line.force, FORCE_MARKS), cells(line.octave, CHANCE_MARKS))
    hold = cells(line.hold, HOLD_MARKS)
    return tuple(
        (TENTHS[rows[0][c]], TENTHS[rows[1][c]], _length(hold[c]), TENTHS[rows[2][c]]) for c in range(CELLS_PER_BAR)
    )


def _length(mark: str) -> float:
    return {"h": 0.5, ".": 1.0}[mark] if mark in "h." else float(mark)


def play(
    bass: Bass, swing: float, temperature: float, draw: Draw, *, scale: Sequence[int], kick: frozenset[int]
) -> list[Hit]:
    """The notes of a line, candidates too, in time order.

    Args:
        bass: the grammar.
        swing: the style's.
        temperature: 0..2.
        draw: the lane's stream.
        scale: semitones of the degrees 1, 2, 3 ….
        kick: the cells in which the kick sounds.
    """
    line = bass.lines[pick([line.weight for line in bass.lines], temperature, draw())]
    pitches = _pitches(bass, line, temperature, draw, scale)
    late = lateness(bass.late, swing)
    drawn: list[tuple[float, int, float, float, int, float]] = []
    for cell, (chance, force, hold, octave) in enumerate(_plain(line)):
        coin, touch, up, tie = draw(), draw(), draw(), draw()
        if not chance:
            continue
        value = ALWAYS if chance >= 1 else score(_beside(chance, bass.kick, cell in kick), temperature, coin)
        if value <= FAINTEST:
            continue
        pitch = pitches[cell]
        if octave and score(octave, temperature, up) > 0 and pitch + OCTAVE < PITCHES:
            pitch += OCTAVE
        drawn.append((value, cell, accent(force, temperature, touch), hold, pitch, tie))
    return _tie(drawn, late, bass.slide, temperature)


def _beside(chance: float, kick: float, together: bool) -> float:  # noqa: FBT001 - one of two places
    """A chance, moved by what the kick does in that cell."""
    return min(max(chance + (kick if together else -0.4 * kick), 0.05), 0.95)


def _pitches(bass: Bass, line: Line, temperature: float, draw: Draw, scale: Sequence[int]) -> list[int]:
    """A pitch for every cell: a motif that repeats, with a turn in the last beat now and then."""
    used = [chance > 0 for chance, *_ in _plain(line)]
    slots = [any(used[slot :: bass.motif]) for slot in range(bass.motif)]
    motif = _walk(bass, slots, temperature, draw, scale)
    turn = _walk(bass, used[LAST_BEAT:], temperature, draw, scale)
    turns = score(bass.turn, temperature, draw()) > 0
    pitches = [motif[cell % bass.motif] for cell in range(CELLS_PER_BAR)]
    return pitches[:LAST_BEAT] + turn if turns else pitches


def _walk(bass: Bass, slots: Sequence[bool], temperature: float, draw: Draw, scale: Sequence[int]) -> list[int]:
    """Pitches one after another: stay, go to a neighbour in the scale, or jump to a favoured degree.

    Only where the rhythm may have a note (``slots``), so that a line that begins off the beat begins at home too.
    """
    weights = [weight for _, weight in bass.degrees]
    settled = [weights[0] * HOMING, *weights[1:]]
    at, begun = 0, False
    out: list[int] = []
    for slot in slots:
        motion, where, way = draw(), draw(), draw()
        move = pick(bass.motion, temperature, motion)
        if slot and (not begun or move == JUMP):
            at = bass.degrees[pick(weights if begun else settled, temperature, where)][0] - 1
        elif slot and move == STEP:
            at += 1 if way < 0.5 else -1
        begun = begun or slot
        at = min(max(at, 0), OCTAVE_DEGREE)
        out.append(scale[at])
    return out


def _tie(
    drawn: Sequence[tuple[float, int, float, float, int, float]],
    late: Sequence[int],
    slide: float,
    temperature: float,
) -> list[Hit]:
    """Give the notes their lengths: a note never rings over the next likely one, except where it slides into it."""
    starts = [(cell * TICKS_PER_CELL + late[cell], value, pitch) for value, cell, _, _, pitch, _ in drawn]
    hits: list[Hit] = []
    for index, (value, cell, velocity, hold, pitch, tie) in enumerate(drawn):
        start = starts[index][0]
        likely = next(((tick, p) for tick, v, p in starts[index + 1 :] if v > 0 or v >= value), None)
        room = (likely[0] if likely else TICKS_PER_BAR) - start
        length = min(round(hold * TICKS_PER_CELL) - BREATH_TICKS, room - BREATH_TICKS)
        if likely and slide and likely[1] != pitch and score(slide, temperature, tie) > 0 and room < 4 * TICKS_PER_CELL:
            length = room + SLIDE_TICKS
        hits.append(Hit(value, cell * TICKS_PER_CELL + late[cell], velocity, max(length, 20), pitch))
    return hits
