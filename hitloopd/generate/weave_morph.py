"""The way from one bar to another as ``weave`` hears it: what already fits goes first.

Between two bars notes are exchanged place by place (lane and cell). The network decides the order: a note of the second
bar that the first bar's course makes likely comes early, a note of the first that the second bar's course makes likely
leaves late. So the bars on the way are likelier than those of a blind exchange, each step is one place, and the ends
are the bars themselves. Where both have a note, velocity and timing glide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import LANES, Lane, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.generate import weave_walk
from hitloopd.generate.weave_bar import PITCHES, Array
from hitloopd.generate.weave_hits import hits_of
from hitloopd.generate.weave_net import Net

OCTAVE: Final = 12
Place = tuple[int, int]
Notes = dict[Place, list[Note]]


def between(net: Net, style: int, request: Request) -> Pattern:
    """The bar at ``request.morph`` between the two points, candidates included; the ends are the bars themselves."""
    if not request.points:
        raise UnavailableError("There is nothing to morph between: the request has no points.")
    first, second = request.points
    parameters: Mapping[str, str | float | int | bool] = {"morph": float(request.morph), "toward": second.id}
    provenance = Provenance("weave", parameters=parameters, parent=first.id)
    one, other = (_by_place(pattern, request.root) for pattern in (first, second))
    if request.morph <= 0.0 or request.morph >= 1.0:
        chosen = one if request.morph <= 0.0 else other
        return Pattern(tuple(note for notes in chosen.values() for note in notes), request.root, provenance)
    order = turns(net, style, one, other)
    turned = {place for index, place in enumerate(order) if (index + 0.5) / len(order) <= request.morph}
    notes = [
        note
        for place in sorted(one.keys() | other.keys())
        for note in _at(one.get(place, []), other.get(place, []), place in turned, request.morph)
    ]
    return Pattern(tuple(notes), request.root, provenance)


def turns(net: Net, style: int, one: Notes, other: Notes) -> list[Place]:
    """The places in which either bar has notes, in the order of their turns."""
    chances = lane_chances(net, style, [one, other])
    fit: dict[Place, float] = {}
    for lane, cell in one.keys() | other.keys():
        in_one, in_other = (float(chances[row, cell, lane]) for row in range(2))
        if (lane, cell) not in one:
            fit[lane, cell] = in_one  # comes early where the first bar's course expects it
        elif (lane, cell) not in other:
            fit[lane, cell] = 1.0 - in_other  # leaves early where the second's does not
        else:
            fit[lane, cell] = 0.5
    return sorted(fit, key=lambda place: (-round(fit[place], 4), place[1], place[0]))


def lane_chances(net: Net, style: int, bars: Sequence[Notes]) -> Array:
    """How likely each lane is to strike in each cell, by what came before in that bar ``[n, 16, 5]``."""
    kept = [
        {
            lane: hits_of([note for (index, _), notes in bar.items() if index == lane for note in notes])
            for lane in range(len(LANES))
        }
        for bar in bars
    ]
    return weave_walk.follow(net, kept, style)


def _by_place(pattern: Pattern, root: int) -> Notes:
    """Lane and cell -> notes, the bass written above ``root``."""
    places: Notes = {}
    shift = pattern.root - root
    for note in pattern.notes:
        moved = replace(note, pitch=_folded(note.pitch + shift)) if note.lane is Lane.BASS and shift else note
        places.setdefault((LANES.index(note.lane), note.cell), []).append(moved)
    return places


def _folded(pitch: int) -> int:
    return pitch if 0 <= pitch < PITCHES else pitch % OCTAVE


def _at(before: Sequence[Note], after: Sequence[Note], turned: bool, position: float) -> list[Note]:  # noqa: FBT001
    """The notes of a place: those of the one or the other bar, gliding where both have them."""
    here, there = (after, before) if turned else (before, after)
    return [
        _glided(note, there[index], 1.0 - position if turned else position) if index < len(there) else note
        for index, note in enumerate(here)
    ]


def _glided(note: Note, toward: Note, share: float) -> Note:
    return replace(
        note,
        start_ticks=round(note.start_ticks + (toward.start_ticks - note.start_ticks) * share),
        velocity=round(note.velocity + (toward.velocity - note.velocity) * share, 6),
    )
