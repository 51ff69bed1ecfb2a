"""What the judging counts, and how sure its figures are.

A *cut* hits an event if it begins within 50 ms of it. Of a list of cuts only the best count, at most twice as many as
sounds were planted. Intervals are 95 %, by drawing recordings (not events: those of one recording share its noise) with
replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from offline.extraction.found import Found
from offline.extraction.planted import Event

NEAR_S: Final = 0.05
CUTS_PER_EVENT: Final = 2
DRAWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Tally:
    """What one method did with one planted recording.

    Args:
        group: of the field recording.
        level_db: at which the sounds were planted.
        planted: how many.
        hits: events that were hit.
        right: hits with the right lane.
        true_first: of the ``planted`` best cuts, those that hit an event nobody had hit.
        doubles: cuts on an event that had been hit already.
        errors_s: of the hits, cut minus event.
        lanes: lane -> (planted, hit, right).
    """

    group: str
    level_db: float
    planted: int
    hits: int
    right: int
    true_first: int
    doubles: int
    errors_s: tuple[float, ...]
    lanes: dict[str, tuple[int, int, int]]


def tally(group: str, level_db: float, events: Sequence[Event], cuts: Sequence[Found]) -> Tally:
    """Compare the cuts, best first, with what was planted."""
    at = np.array([event.at_s for event in events])
    owner: dict[int, Found] = {}
    true_first = doubles = 0
    for rank, one in enumerate(cuts[: CUTS_PER_EVENT * len(events)]):
        away = np.abs(at - one.start_s)
        near = int(away.argmin())
        if away[near] > NEAR_S:
            continue
        if near in owner:
            doubles += 1
            continue
        owner[near] = one
        true_first += rank < len(events)
    lanes: dict[str, tuple[int, int, int]] = {}
    for number, event in enumerate(events):
        planted, hit, right = lanes.get(event.lane, (0, 0, 0))
        found = owner.get(number)
        correct = found is not None and found.lane == event.lane
        lanes[event.lane] = (planted + 1, hit + (found is not None), right + correct)
    errors = tuple(owner[number].start_s - events[number].at_s for number in sorted(owner))
    right = sum(lane[2] for lane in lanes.values())
    return Tally(group, level_db, len(events), len(owner), right, true_first, doubles, errors, lanes)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """Value, low, high."""
        return [round(self.value, 4), round(self.low, 4), round(self.high, 4)]

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f} {self.high:.3f}]"


def ratio(tallies: Sequence[Tally], top: Callable[[Tally], float], bottom: Callable[[Tally], float]) -> Figure:
    """A ratio of sums over recordings."""
    groups = sorted({one.group for one in tallies})
    sums = np.array([[sum(f(one) for one in tallies if one.group == group) for f in (top, bottom)] for group in groups])
    return _interval(sums, _share)


def _share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return sums[..., 0].sum(axis=-1) / np.maximum(sums[..., 1].sum(axis=-1), 1e-9)


def _interval(rows: NDArray[np.float64], figure: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Figure:
    draw = np.random.default_rng(1)
    picks = draw.integers(0, len(rows), (DRAWS, len(rows)))
    low, high = np.quantile(figure(rows[picks]), (0.025, 0.975))
    return Figure(float(figure(rows)), float(low), float(high))


def mean_of(values: Sequence[float]) -> Figure:
    """A mean over independent pieces."""
    rows = np.asarray(values, np.float64)
    return _interval(rows, lambda drawn: drawn.mean(axis=-1))


def pooled(parts: Sequence[Sequence[float]]) -> Figure:
    """The mean of all values of all recordings, drawn by recording; one without values has no say."""
    sums = np.array([[sum(values), len(values)] for values in parts], np.float64)
    return _interval(sums, _share)


def summary(tallies: Sequence[Tally]) -> dict[str, Figure]:
    """Hit rate, lane accuracy, precision at the planted count, and what is right of all that was planted."""
    return {
        "hit_rate": ratio(tallies, lambda t: t.hits, lambda t: t.planted),
        "lane_accuracy": ratio(tallies, lambda t: t.right, lambda t: t.hits),
        "precision": ratio(tallies, lambda t: t.true_first, lambda t: t.planted),
        "found_and_named": ratio(tallies, lambda t: t.right, lambda t: t.planted),
        "doubles_per_event": ratio(tallies, lambda t: t.doubles, lambda t: t.planted),
    }


def onset_errors_ms(tallies: Sequence[Tally]) -> dict[str, float]:
    """Median and 95th percentile of the distance between cut and event, in milliseconds."""
    errors = np.abs(np.concatenate([np.asarray(one.errors_s) for one in tallies])) * 1000
    if not len(errors):
        return {"median": float("nan"), "p95": float("nan")}
    return {"median": float(np.median(errors)), "p95": float(np.percentile(errors, 95))}


def proportion(right: Sequence[bool]) -> Figure:
    """A share with Wilson's interval."""
    count, z = len(right), 1.96
    share = sum(right) / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return Figure(share, max(middle - half, 0.0), min(middle + half, 1.0))
