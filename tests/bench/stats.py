"""Distributions, and how late a stream of clock ticks is against the grid that it means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

ENVELOPE = 0.01  # the share of ticks that may lie before the fitted grid, see ``against_grid``
BUCKETS_US = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution in the unit of what it was made of (µs nearly always)."""

    n: int
    mean: float
    p50: float
    p99: float
    p999: float
    max: float
    histogram: tuple[tuple[str, int], ...] = ()

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def short(self) -> str:
        """``p50 / p99 / p99.9 / max`` to a sensible number of digits."""
        return " / ".join(number(value) for value in (self.p50, self.p99, self.p999, self.max))


def number(value: float) -> str:
    """Three digits that matter, no exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def quantile(ordered: Sequence[float], q: float) -> float:
    """The value below which the share ``q`` of a sorted sequence lies; the upper neighbour, never a flattering mean."""
    return ordered[min(len(ordered) - 1, math.ceil(q * (len(ordered) - 1)))]


def spread(values: Sequence[float]) -> Spread:
    """The distribution of ``values``."""
    ordered = sorted(values)
    if not ordered:
        return Spread(0, *([math.nan] * 5))
    return Spread(
        len(ordered),
        round(sum(ordered) / len(ordered), 3),
        *(round(quantile(ordered, q), 3) for q in (0.5, 0.99, 0.999, 1.0)),
        _histogram(ordered),
    )


def _histogram(ordered: Sequence[float]) -> tuple[tuple[str, int], ...]:
    edges = (*BUCKETS_US, math.inf)
    counts = [0] * len(edges)
    index = 0
    for value in ordered:
        while value > edges[index]:
            index += 1
        counts[index] += 1
    return tuple((f"<= {edge:g}", count) for edge, count in zip(edges, counts, strict=True) if count)


@dataclass(frozen=True, slots=True)
class GridFit:
    """A stream of ticks against the straight line through it.

    Args:
        lateness: µs behind the grid, whose phase is the envelope: what the program does when nothing disturbs it.
        bpm: of the line.
        drift_ms_per_min: of the line against the tempo that was asked for.
        residual_sd_us: standard deviation about the least-squares line.
        lost: ticks that never came, against the length of the run.
    """

    lateness: Spread
    bpm: float
    drift_ms_per_min: float
    residual_sd_us: float
    lost: int

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def against_grid(times_ns: Sequence[int], bpm: float, *, skip: int = 24, absolute: bool = False) -> GridFit:
    """Fit a straight line and tell how late the ticks are on it.

    The slope is that of least squares, so a wrong tempo counts as drift and not as lateness. The phase is put where
    only one tick in a hundred comes earlier: a program that is always late by the same amount counts as punctual, so
    the measure favours whoever wakes slowly but evenly. Early ticks count with their distance.

    Args:
        times_ns: one per 24th of a beat.
        bpm: the tempo that was asked for.
        skip: ticks at the start that don't count.
        absolute: for a program that computes every instant from its origin and is never early: the grid has the
            tempo that was asked for, and goes through the earliest tick.
    """
    times = times_ns[skip:]
    count = len(times)
    middle = (count - 1) / 2
    mean = sum(times) / count
    slope = sum((i - middle) * (t - mean) for i, t in enumerate(times)) / sum((i - middle) ** 2 for i in range(count))
    residuals = [(t - mean - slope * (i - middle)) / 1000 for i, t in enumerate(times)]
    nominal = 60e9 / (bpm * 24)
    behind = [(t - times[0] - nominal * i) / 1000 for i, t in enumerate(times)] if absolute else residuals
    phase = quantile(sorted(behind), 0.0 if absolute else ENVELOPE)
    expected = round((times[-1] - times[0]) / nominal) + 1
    return GridFit(
        spread([abs(b - phase) for b in behind]),
        round(60e9 / (24 * slope), 4),
        round((slope / nominal - 1) * 60_000, 3),
        round(math.sqrt(sum(r * r for r in residuals) / count), 2),
        max(0, expected - count),
    )
