"""A gate for generators, calibrated on the data at hand: real unseen songs pass, known failures don't.

For every check the worst that real bars of unseen songs got is taken, over all seeds and both sets of songs that were
held back (test and validation). Beyond it lies the nearest known failure that is worse in every seed; the threshold
stands half-way between the two. A check that catches none of them stands one range of the real figures beyond.

The calibration is printed: who passes, which checks stop whom, and what it is worth: how the validation songs would
fare with thresholds that were found on the test songs alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from offline.evaluation.portrait import Portrait

CLEARLY: Final = 0.1  # of the real figures' range: nearer than that is no difference


@dataclass(frozen=True, slots=True)
class Check:
    """One figure of the gate: where it stands in a portrait, and whether more of it is better."""

    name: str
    path: tuple[str, ...]
    more: bool


CHECKS: Final[Sequence[Check]] = (
    Check("precision", ("grid", "precision"), more=True),
    Check("density", ("grid", "density"), more=True),
    Check("coverage", ("grid", "coverage"), more=True),
    Check("duplicates", ("duplicates",), more=False),
    Check("exact copies", ("copies", "exact"), more=False),
    Check("near copies", ("copies", "near"), more=False),
    Check("AUC hits", ("auc", "hits"), more=False),
    Check("AUC full", ("auc", "full"), more=False),
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a check stands.

    Args:
        check: what it checks.
        limit: at least this passes, or at most this.
        real: the worst real figure.
        caught: the known failures it stops in every seed.
    """

    check: Check
    limit: float
    real: float
    caught: tuple[str, ...]

    def passes(self, value: float) -> bool:
        """Whether a figure is on the good side, the limit included."""
        return value >= self.limit if self.check.more else value <= self.limit


@dataclass(frozen=True, slots=True)
class Calibration:
    """The thresholds and what came of them.

    Args:
        thresholds: one per check.
        passed: in how many seeds each source passed.
        seeds: of how many.
        sound: real bars pass in every seed and every known failure fails in every one.
        blind: in how many seeds each set of real bars but the first passes what was calibrated on the first alone.
    """

    thresholds: tuple[Threshold, ...]
    passed: Mapping[str, int]
    seeds: int
    sound: bool
    blind: Mapping[str, int]

    def failed(self, portrait: Portrait) -> list[str]:
        """The checks that one portrait does not pass."""
        return [t.check.name for t in self.thresholds if not t.passes(figure(portrait, t.check))]


def figure(portrait: Portrait, check: Check) -> float:
    """A check's figure in a portrait; of a two-sample test the higher judge's."""
    value: Any = portrait
    for step in check.path:
        value = value[step]
    return float(max(value.values())) if isinstance(value, Mapping) else float(value)


Sets = Mapping[str, Sequence[Portrait]]


def calibrate(real: Sets, failures: Sets) -> Calibration:
    """Thresholds from what sets of real unseen bars and known failures got, one portrait a seed."""
    first, *others = real
    everything = [portrait for portraits in real.values() for portrait in portraits]
    draft = _draft(everything, failures)
    blind = _draft(real[first], failures)
    passed = {name: passes(draft, portraits) for name, portraits in {**real, **failures}.items()}
    sound = all(passed[name] == len(real[name]) for name in real) and not any(passed[name] for name in failures)
    return replace(
        draft,
        passed=passed,
        sound=sound,
        blind={name: passes(blind, real[name]) for name in others},
        seeds=len(real[first]),
    )


def _draft(real: Sequence[Portrait], failures: Sets) -> Calibration:
    return Calibration(tuple(_threshold(check, real, failures) for check in CHECKS), {}, 0, sound=False, blind={})


def passes(calibration: Calibration, portraits: Sequence[Portrait]) -> int:
    """In how many seeds a source passes every check."""
    return sum(not calibration.failed(portrait) for portrait in portraits)


def _threshold(check: Check, real: Sequence[Portrait], failures: Sets) -> Threshold:
    sign = 1.0 if check.more else -1.0
    good = [sign * figure(portrait, check) for portrait in real]
    worst, span = min(good), max(good) - min(good)
    best = {name: max(sign * figure(p, check) for p in portraits) for name, portraits in failures.items()}
    beyond = {name: value for name, value in best.items() if value < worst - CLEARLY * span}
    limit = (worst + max(beyond.values())) / 2 if beyond else worst - span
    return Threshold(check, round(sign * limit, 4), round(sign * worst, 4), tuple(beyond))
