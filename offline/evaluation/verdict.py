"""From portraits to what people read: means over seeds, distances to the data set, who passes, which goals are met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from offline.evaluation.gate import CHECKS, Calibration, calibrate, figure, passes
from offline.evaluation.portrait import Portrait, added

Found = dict[str, Any]

MEASURES: Final = ("empty", "unqualified", "distance")
TITLES: Final = ("empty ratio", "unqualified notes", "cosine distance")
CLOSE: Final = 0.05  # of the data set's figure
ERRORS: Final = 2.0

LEAST_PRECISION, LEAST_DENSITY, LEAST_COVERAGE = 0.82, 1.0, 0.80
MOST_HITS, MOST_FULL = 0.65, 0.70
LEAST_SPEARMAN, LEAST_MONOTONE = 0.95, 0.99
MOST_MS: Final = 10.0


def summarise(found: Found) -> Found:
    """Everything as it goes into the report: per reference the calibration and a row for each source."""
    return {
        "references": {which: _reference(part) for which, part in found["references"].items()},
        "control": found["control"],
        "raw": {name: added([sums]) for name, sums in found["raw"].items()},
    }


def _reference(part: Found) -> Found:
    portraits: dict[str, list[Portrait]] = part["portraits"]
    calibration = _calibration(portraits)
    data = added([part["data"]])
    rows = {
        name: {**row(several), "paper": paper(data, several + part["paper"].get(name, []))}
        for name, several in portraits.items()
    }
    if calibration is not None:
        for name, several in portraits.items():
            stopped = [calibration.failed(portrait) for portrait in several]
            rows[name]["gate"] = passes(calibration, several)
            rows[name]["stopped_by"] = {
                check.name: sum(check.name in one for one in stopped)
                for check in CHECKS
                if any(check.name in one for one in stopped)
            }
    return {
        "data": {**data, "song_error": part["data"]["song_error"]},
        "seeds": max(map(len, portraits.values()), default=0),
        "calibration": None if calibration is None else _plain(calibration),
        "rows": rows,
    }


def _calibration(portraits: Mapping[str, Sequence[Portrait]]) -> Calibration | None:
    """Only with classifiers and known failures."""
    from offline.evaluation.baselines import NEGATIVES  # noqa: PLC0415 - numpy arrays of nothing here

    failures = {name: portraits[name] for name in NEGATIVES if name in portraits}
    real = {name: portraits[name] for name in ("real", "real, other songs") if portraits.get(name)}
    if not failures or not real or not all(several[0]["auc"] for several in real.values()):
        return None
    return calibrate(real, failures)


def _plain(calibration: Calibration) -> Found:
    return {
        "sound": calibration.sound,
        "seeds": calibration.seeds,
        "passed": dict(calibration.passed),
        "blind": dict(calibration.blind),
        "thresholds": [
            {
                "check": t.check.name,
                "at least" if t.check.more else "at most": t.limit,
                "worst real": t.real,
                "stops": list(t.caught),
            }
            for t in calibration.thresholds
        ],
    }


def row(portraits: Sequence[Portrait]) -> Found:
    """Mean and standard deviation over seeds of every figure."""
    columns: Found = {
        check.name: _spread([figure(p, check) for p in portraits]) for check in CHECKS if _has(portraits, check.path)
    }
    columns["recall"] = _spread([p["grid"]["recall"] for p in portraits])
    columns["roll"] = {name: _spread([p["roll"][name] for p in portraits]) for name in portraits[0]["roll"]}
    columns["judges"] = {
        view: {judge: _spread([p["auc"][view][judge] for p in portraits]) for judge in portraits[0]["auc"][view]}
        for view in portraits[0]["auc"]
    }
    columns["overlap"] = {
        name: {lane: _spread([p["overlap"][name][lane] for p in portraits]) for lane in lanes}
        for name, lanes in portraits[0]["overlap"].items()
    }
    columns["feel"] = {
        name: _spread([p["feel"][name] for p in portraits])
        for name in ("off_grid", "loudness", "timing_moved_steps", "velocity_moved")
    }
    columns["histograms"] = {
        name: np.mean([p["feel"][name] for p in portraits], axis=0).round(5).tolist() for name in ("timing", "velocity")
    }
    columns["bars"] = sum(p["bars"] for p in portraits)
    return columns


def _has(portraits: Sequence[Portrait], path: Sequence[str]) -> bool:
    return path[0] != "auc" or bool(portraits[0]["auc"])


def _spread(values: Sequence[float]) -> list[float]:
    return [round(float(np.mean(values)), 5), round(float(np.std(values)), 5)]


@dataclass(frozen=True, slots=True)
class Distance:
    """One of the paper's measures against the data set's.

    Args:
        value: of the drawn bars.
        error: its standard error.
        off: relative distance to the data set's, signed.
        errors: that distance in standard errors of the difference.
        close: within 5 % or two standard errors.
    """

    value: float
    error: float
    off: float
    errors: float
    close: bool


def paper(data: Found, parts: Sequence[Portrait]) -> Found:
    """The three measures over all bars drawn, each with its distance to the data set's row."""
    sums = added([part.get("paper", part) for part in parts])
    table: Found = {"bars": sums["bars"], "hundred": sums["hundred"]}
    for name in MEASURES:
        value, there = sums["mean"][name], data["mean"][name]
        error = float(np.hypot(sums["error"][name], data["error"][name]))
        off = (value - there) / there if there else 0.0
        errors = abs(value - there) / error if error else 0.0
        table[name] = asdict(Distance(value, sums["error"][name], off, errors, abs(off) <= CLOSE or errors <= ERRORS))
    return table


def for_card(summary: Found, name: str, speeds: Mapping[str, Mapping[str, float]]) -> Found:
    """A model's figures in short: what ``python -m offline export --report`` puts into its card."""
    out: Found = {}
    for which, part in summary["references"].items():
        if name not in part["rows"]:
            continue
        mine = part["rows"][name]
        out[which] = {check.name: mine[check.name][0] for check in CHECKS if check.name in mine}
        out[which] |= {
            f"{title}, off": round(mine["paper"][m]["off"], 4) for m, title in zip(MEASURES, TITLES, strict=True)
        }
        if "gate" in mine:
            out[which]["gate"] = f"{mine['gate']} of {part['seeds']} seeds"
    if name in summary["control"] and "energy" in summary["control"][name]:
        told = summary["control"][name]
        out["energy, Spearman"] = told["energy"]["spearman"]
        out["energy, monotone steps"] = told["energy"]["monotone"]
        out["lane given others, AUC"] = told["lanes"]["mean"]
        out["same seed, same bar"] = told["same"]
    if name in speeds:
        fast = speeds[name]
        out["one bar, ms"] = {"p50": fast["p50_ms"], "p99": fast["p99_ms"], "p99 of processor time": fast["cpu_p99_ms"]}
    return out


@dataclass(frozen=True, slots=True)
class Goal:
    """Something a model is meant to reach, what it got, and whether that is enough."""

    figure: str
    goal: str
    got: str
    met: bool


def goals(summary: Found, name: str, which: str, speeds: Mapping[str, Mapping[str, float]]) -> list[Goal]:
    """What a model is meant to reach against one reference. Figures that were not measured are left out."""
    part = summary["references"][which]
    mine, real = part["rows"][name], part["rows"]["real"]
    seeds = part["seeds"]
    out = (
        [Goal("gate", f"{seeds} of {seeds} seeds", str(mine["gate"]), mine["gate"] == seeds)] if "gate" in mine else []
    )
    out += [
        Goal(what, f"≥ {least:.2f}", f"{mine[what][0]:.3f}", mine[what][0] >= least)
        for what, least in (("precision", LEAST_PRECISION), ("density", LEAST_DENSITY), ("coverage", LEAST_COVERAGE))
    ]
    out += [
        Goal(what, f"≤ {most:.2f}", f"{mine[what][0]:.3f}", mine[what][0] <= most)
        for what, most in (("AUC hits", MOST_HITS), ("AUC full", MOST_FULL))
        if what in mine
    ]
    out += [_paper_goal(title, mine["paper"][what]) for what, title in zip(MEASURES, TITLES, strict=True)]
    out += [
        Goal(what, f"≤ {real[what][0]:.1%} (real)", f"{mine[what][0]:.1%}", mine[what][0] <= real[what][0])
        for what in ("exact copies", "near copies")
    ]
    out += _told_goals(summary["control"], name)
    if name in speeds:
        p99 = speeds[name]["p99_ms"]
        out.append(Goal("one bar, p99", f"≤ {MOST_MS:.0f} ms", f"{p99:.1f} ms", p99 <= MOST_MS))
    return out


def _paper_goal(title: str, one: Found) -> Goal:
    got = f"{one['off']:+.1%}, {one['errors']:.1f} standard errors"
    return Goal(title, "within 5 % or 2 standard errors", got, one["close"])


def _told_goals(control: Found, name: str) -> list[Goal]:
    if name not in control:
        return []
    mine, energy = control[name], control[name]["energy"]
    lane, rank, monotone = mine["lanes"]["mean"], energy["spearman"], energy["monotone"]
    half = (control["rowmix"]["mean"] + 0.5) / 2
    return [
        Goal("lane given others, AUC", f"≤ {half:.3f} (rowmix, halved)", f"{lane:.3f}", lane <= half),
        Goal("energy, Spearman", f"≥ {LEAST_SPEARMAN}", f"{rank:.3f}", rank >= LEAST_SPEARMAN),
        Goal("energy, monotone steps", f"≥ {LEAST_MONOTONE:.0%}", f"{monotone:.1%}", monotone >= LEAST_MONOTONE),
        Goal("same seed, same bar", "yes", "yes" if mine["same"] else "no", mine["same"]),
    ]
