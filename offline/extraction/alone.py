"""One-shots by themselves: is a sound of a kit nobody heard put into its class and its lane?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from offline.extraction.classes import CLASSES, NONE, Reference
from offline.extraction.folds import Fold
from offline.extraction.lessons import kit_of
from offline.extraction.listener import LABELS, Listener, lane_scores, sound_shape
from offline.extraction.measures import Figure, proportion
from offline.extraction.pack import LANES
from offline.extraction.planted import trimmed


@dataclass(frozen=True, slots=True)
class Answer:
    """What the listener that never heard the sound's kit said of it."""

    name: str
    kind: str
    lane: str
    said_kind: str
    said_lane: str
    said_lane_or_none: str


def answers(fold: Fold, sounds: Sequence[Reference], listener: Listener) -> list[Answer]:
    """The fold's kit, sound by sound."""
    mine = [sound for sound in sounds if kit_of(sound.name) == fold.kit]
    scores = listener.listen(np.concatenate([sound_shape(trimmed(sound.sound)) for sound in mine]))
    known = scores[:, :-1] / np.maximum(scores[:, :-1].sum(axis=1, keepdims=True), 1e-9)
    lanes = lane_scores(np.pad(known, ((0, 0), (0, 1))))
    found: list[Answer] = []
    for sound, one, of_lanes in zip(mine, known, lanes, strict=True):
        best = int(of_lanes.argmax())
        or_none = NONE if 1.0 - float(of_lanes.sum()) > float(of_lanes[best]) else LANES[best]
        found.append(Answer(sound.name, sound.kind, sound.lane, LABELS[int(one.argmax())], LANES[best], or_none))
    return found


def accuracy(every: Sequence[Answer]) -> dict[str, Figure | Mapping[str, Figure]]:
    """Per lane and per class, and the means over them.

    ``lanes`` asks which of the five a sound of the five is; ``lanes_or_none`` also offers "none", and asks it of toms
    and percussion too.
    """
    of_five = [a for a in every if a.lane != NONE]
    lanes = {x: [a.said_lane == x for a in of_five if a.lane == x] for x in LANES}
    or_none = {x: [a.said_lane_or_none == x for a in every if a.lane == x] for x in (*LANES, NONE)}
    kinds = {x: [a.said_kind == x for a in every if a.kind == x] for x in CLASSES}
    return {
        "lanes_mean": _mean(lanes),
        "lanes": {name: proportion(right) for name, right in lanes.items() if right},
        "lanes_or_none_mean": _mean(or_none),
        "classes_mean": _mean(kinds),
        "classes": {name: proportion(right) for name, right in kinds.items() if right},
    }


def _mean(groups: Mapping[str, Sequence[bool]]) -> Figure:
    """The mean over groups; the interval by drawing sounds within each group."""
    draw = np.random.default_rng(2)
    parts = [np.asarray(right, np.float64) for right in groups.values() if right]
    value = float(np.mean([part.mean() for part in parts]))
    drawn = np.mean([part[draw.integers(0, len(part), (1000, len(part)))].mean(axis=1) for part in parts], axis=0)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Figure(value, float(low), float(high))
