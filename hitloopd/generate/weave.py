"""Draws with ``weave``, our own network: whole bars, lanes that fit the others, near a target energy, in a style.

The energy asked for is what the network aims at. Then its notes are ranked by how sure it was of them, and candidates
by how nearly they were drawn. Where the bar misses the target by more than ``TOLERANCE``, the last of the one or the
first of the other make up for it. Below ``CALMEST`` and above ``WILDEST`` the same bar is drawn, and only the knob goes
on: so more energy asked for is hardly ever less energy heard.

It has its own sense of harmony: ``scale`` is for ``rules``. A style that it does not know is "any".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from hitloopd.core.energy import Meter
from hitloopd.core.pattern import (
    ALL_LANES,
    LANES,
    Lane,
    Note,
    Pattern,
    Provenance,
)
from hitloopd.core.request import Request
from hitloopd.generate.learned import Session
from hitloopd.generate.weave_bar import BASS, STEPS, Drawn, Hit, Wish
from hitloopd.generate.weave_hits import hits_of, note_of
from hitloopd.generate.weave_morph import between
from hitloopd.generate.weave_net import OnnxNet
from hitloopd.generate.weave_walk import walk

BATCH: Final = 256
CALMEST: Final = 0.03
WILDEST: Final = 0.85
TOLERANCE: Final = 0.05
CANDIDATES: Final = 20  # beyond the drawn notes
SKELETON_SHARE: Final = 4  # every fourth note is left at the calm end
ECHO: Final = 0.5  # how much less sure the second and third hit of a cell are
LONG: Final = 0.5  # how much more important a note of half a bar is than a short one: it holds the bar together
LONGEST: Final = 64
LEAST_TURN: Final = 1e-6  # of the knob


class WeaveDrawer:
    """Drawer of kind ``weave``; ``tags`` on the card says which style has which number.

    In a batch sums are done in another order, which can, about once in a thousand bars, tip a choice: it is ``draw``
    that gives the same bytes every time.
    """

    def __init__(self, session: Session, card: Mapping[str, object]) -> None:
        self._net = OnnxNet(session)
        self._tags = {str(name): number for name, number in cast("dict[str, int]", card["tags"]).items()}
        self._any = int(cast("int", card["any_style"]))

    def draw(self, request: Request) -> Pattern:
        """The bar. Thread: generator process. Real-time: no."""
        return self.draw_many([request])[0]

    def draw_many(self, requests: Sequence[Request]) -> list[Pattern]:
        """Bars in batches."""
        return [
            pattern
            for start in range(0, len(requests), BATCH)
            for pattern in self._batch(requests[start : start + BATCH])
        ]

    def _batch(self, requests: Sequence[Request]) -> list[Pattern]:
        fresh = [request for request in requests if not request.points]
        drawn = iter(walk(self._net, [self._wish(request) for request in fresh])) if fresh else iter(())
        return [
            between(self._net, self._any, request) if request.points else _pattern(request, next(drawn))
            for request in requests
        ]

    def _wish(self, request: Request) -> Wish:
        aim = min(max(request.energy, CALMEST), WILDEST)
        kept = _kept(request)
        bass = Lane.BASS in request.lanes or bool(request.condition and request.condition.lane(Lane.BASS))
        return Wish(
            seed=request.seed,
            style=self._tags.get(request.style, self._any),
            has_bass=bass,
            energy=aim,
            temperature=request.temperature,
            kept=kept if bass else {lane: cells for lane, cells in kept.items() if lane != BASS},
            candidates=CANDIDATES,
        )


def _kept(request: Request) -> dict[int, list[list[Hit]]]:
    """The lanes that stay, as the network hears them."""
    if request.condition is None:
        return {}
    stay = [(index, lane) for index, lane in enumerate(LANES) if lane in ALL_LANES - request.lanes]
    return {index: hits_of(request.condition.lane(lane)) for index, lane in stay}


def _pattern(request: Request, drawn: Drawn) -> Pattern:
    own = [index for index, lane in enumerate(LANES) if lane in request.lanes or request.condition is None]
    sure = drawn.sure.tolist()
    struck = [
        (sure[cell][lane] * ECHO**slot + LONG * min(hit.length, LONGEST) / LONGEST, cell, lane, hit)
        for cell, lanes in enumerate(drawn.hits)
        for lane in own
        for slot, hit in enumerate(lanes[lane])
    ]
    more = [(extra.chance, extra.cell, extra.lane, extra.hit) for extra in drawn.extra if extra.lane in own]
    stays = [n for n in request.condition.notes if n.lane not in request.lanes] if request.condition is not None else []
    taken: set[tuple[int, int, int]] = set()
    notes = with_priorities(_in_order(struck, taken), _in_order(more, taken), stays, request.energy)
    parent = request.condition.id if request.condition is not None and stays else ""
    return Pattern(notes, request.root, Provenance("weave", parent=parent))


def _in_order(rows: Sequence[tuple[float, int, int, Hit]], taken: set[tuple[int, int, int]]) -> list[Note]:
    """Most important first; notes that would be one are one."""
    out: list[Note] = []
    for _, cell, lane, hit in sorted(rows, key=lambda row: (-round(row[0], 5), *row[1:])):
        place = cell * STEPS + hit.place, lane, hit.pitch
        if place not in taken:
            out.append(note_of(cell, lane, hit))
        taken.add(place)
    return out


def with_priorities(
    drawn: Sequence[Note], more: Sequence[Note], stays: Sequence[Note], target: float
) -> tuple[Note, ...]:
    """Give notes priorities so that about the drawn ones sound with the knob at ``target``.

    The energy follows the knob in two straight lines that meet at the target, one from the skeleton and one to the
    whole. What stays sounds anyway and counts.

    Args:
        drawn: the bar, most important first.
        more: candidates beyond it, most important first.
        stays: notes of lanes that are not drawn.
        target: the energy asked for; outside of what can be drawn, its nearest end is where the lines meet.
    """
    target = min(max(target, CALMEST), WILDEST)
    ranked = [*drawn, *more]
    if not ranked:
        return ()
    meter = Meter()
    for note in stays:
        meter.add(note)
    levels: list[float] = [meter.read().value]
    for note in ranked:
        meter.add(note)
        levels.append(meter.read().value)
    cut = _cut(levels, len(drawn), target)
    skeleton = min(max(len(drawn) // SKELETON_SHARE, 1), cut) if cut else 0
    knobs = [
        0.0
        if index <= skeleton
        else _line(levels, (skeleton, cut), index, 0.0, target)
        if index <= cut
        else _line(levels, (cut, len(ranked)), index, target, 1.0)
        for index in range(1, len(ranked) + 1)
    ]
    return tuple(
        Note(n.start_ticks, n.lane, n.pitch, n.length_ticks, n.velocity, knob)
        for n, knob in zip(ranked, knobs, strict=True)
    )


def _cut(levels: Sequence[float], drawn: int, target: float) -> int:
    """How many notes sound at the target: the drawn ones, or as many as bring the energy near it."""
    cut = drawn
    while cut > 0 and levels[cut] > target + TOLERANCE:
        cut -= 1
    while cut < len(levels) - 1 and levels[cut] < target - TOLERANCE:
        cut += 1
    return cut


def _line(levels: Sequence[float], between: tuple[int, int], index: int, low: float, high: float) -> float:
    """The knob at which the note ``index`` comes in: above ``low``, up to ``high``."""
    first, last = between
    span = levels[last] - levels[first]
    share = (levels[index] - levels[first]) / span if span > 0 else 1.0
    return min(max(round(low + (high - low) * share, 6), low + LEAST_TURN), high)
