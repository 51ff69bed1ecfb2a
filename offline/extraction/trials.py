"""The planted trial: every method looks for the sounds of a kit it never heard, in recordings it never heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from offline.audio import RATE, Wave
from offline.extraction.classes import NONE, Reference, References
from offline.extraction.cuts import around, cut
from offline.extraction.folds import Fold
from offline.extraction.found import Finder, Found
from offline.extraction.knn_method import NeighbourFinder
from offline.extraction.lessons import kit_of
from offline.extraction.listener import Listener
from offline.extraction.measures import Tally, tally
from offline.extraction.onset_method import OnsetFinder
from offline.extraction.planted import Planted, plant
from offline.extraction.scan import OVERLAP, STRETCH
from offline.extraction.window_method import WindowFinder

LEVELS_DB: Final = (18.0, 12.0, 6.0)


def planted_sets(
    fold: Fold, sounds: Sequence[Reference], fields: Mapping[str, Wave], levels: Sequence[float], seed: int
) -> list[Planted]:
    """The fold's recordings with the fold's kit in them, at every level; the same places at all levels."""
    of_kit = [sound for sound in sounds if kit_of(sound.name) == fold.kit and sound.lane != NONE]
    return [
        plant(fields[group], group, of_kit, level, seed + number)
        for level in levels
        for number, group in enumerate(fold.fields)
    ]


def known_references(fold: Fold, sounds: Sequence[Reference]) -> References:
    """Every kit but the fold's."""
    return References(Path(), tuple(sound for sound in sounds if kit_of(sound.name) != fold.kit))


def finders(references: References, listener: Listener, seed: int) -> dict[str, Callable[[], Finder]]:
    """The methods, default first."""
    return {
        "onset": lambda: OnsetFinder(references, listener),
        "knn": lambda: NeighbourFinder(references),
        "threshold": lambda: WindowFinder(references),
        "random": lambda: WindowFinder(references, seed=seed),
    }


def looked_through(finder: Finder, sound: Wave) -> list[Found]:
    """Everything a method finds in a sound, best first, read in stretches as a file would be."""
    found: list[Found] = []
    start = 0
    while True:
        last = start + STRETCH + OVERLAP >= len(sound)
        piece = sound[start:] if last else sound[start : start + STRETCH]
        found += finder.find(piece, start, last=last)
        if last:
            return sorted(found, key=lambda one: (-one.confidence, one.start, one.lane))
        start += STRETCH - OVERLAP


def trial(make: Callable[[], Finder], sets: Sequence[Planted]) -> list[Tally]:
    """One method on planted recordings."""
    return [tally(one.field, one.level_db, one.events, looked_through(make(), one.sound)) for one in sets]


def truth(planted: Planted) -> list[tuple[str, Wave]]:
    """The planted sounds with their lanes, cut where they begin: what a perfect method would make."""
    starts = [round(event.at_s * RATE) for event in planted.events]
    found: list[tuple[str, Wave]] = []
    for event, start, following in zip(planted.events, starts, [*starts[1:], None], strict=True):
        part = around(planted.sound, start, RATE)
        found.append((event.lane, cut(part, event.lane, next_onset=following and following - start).sound))
    return found
