"""Which kits and recordings are kept apart in which round of the judging.

In every round one kit is left out of everything that is learned, and with it some field recordings; its sounds are
planted into those. Every kit and every recording has its turn once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offline.audio import RATE, Wave
from offline.extraction.classes import NONE, Reference
from offline.extraction.lessons import kit_of


@dataclass(frozen=True, slots=True)
class Fold:
    """One round: the kit and the recordings that nobody has heard before."""

    kit: str
    fields: tuple[str, ...]


def folds(sounds: Sequence[Reference], fields: Mapping[str, Wave]) -> list[Fold]:
    """A fold for every kit, greatest first; longer recordings go to kits with more sounds to plant."""
    sizes: dict[str, int] = {}
    for sound in sounds:
        sizes[kit_of(sound.name)] = sizes.get(kit_of(sound.name), 0) + (sound.lane != NONE)
    kits = sorted(sizes, key=lambda kit: (-sizes[kit], kit))
    given: dict[str, list[str]] = {kit: [] for kit in kits}
    loads = dict.fromkeys(kits, 0.0)
    for group in sorted(fields, key=lambda name: (-len(fields[name]), name)):
        kit = min(kits, key=lambda name: (loads[name] / max(sizes[name], 1) ** 0.5, kits.index(name)))
        given[kit].append(group)
        loads[kit] += len(fields[group]) / RATE
    return [Fold(kit, tuple(given[kit])) for kit in kits]
