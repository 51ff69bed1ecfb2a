"""What is likely to be asked next: the same dice again, and each lane alone."""

from __future__ import annotations

from dataclasses import replace

from hitloopd.core.pattern import ALL_LANES, LANES, Lane, Pattern
from hitloopd.core.request import Request, next_seed


def likely_next(
    request: Request, depth: int = 2, *, bar: Pattern | None = None, locked: frozenset[Lane] = frozenset()
) -> list[Request]:
    """Requests that may follow ``request``, most likely first, for ``Pool.expect``.

    Seeds follow one another in a known row, so the next dice is known: the same lanes again, all lanes, then every lane
    alone, with the next seed; then the same with the seed after it, ``depth`` seeds deep.

    Args:
        request: the last one that was made.
        depth: how many seeds ahead; 0 gives nothing.
        bar: what sounds now: the condition of requests for some lanes is the rest of it, as the session asks.
        locked: lanes that are never asked for.
    """
    free = ALL_LANES - locked
    singles = [frozenset((lane,)) for lane in LANES]
    sets = dict.fromkeys(lanes & free for lanes in (request.lanes, free, *singles))
    out: list[Request] = []
    seed = request.seed
    for _ in range(depth):
        seed = next_seed(seed)
        out += [replace(request, seed=seed, lanes=lanes, condition=_rest(bar, lanes)) for lanes in sets if lanes]
    return out


def _rest(bar: Pattern | None, lanes: frozenset[Lane]) -> Pattern | None:
    """What stays of the bar; its history is left out, as it changes no note."""
    if bar is None or lanes == ALL_LANES:
        return None
    return Pattern(tuple(note for note in bar.notes if note.lane not in lanes), bar.root)
