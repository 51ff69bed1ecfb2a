"""The judging as a table and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
import itertools

import matplotlib.pyplot as plt

from offline.extraction.pack import LANES

COLOURS: Final = ("#1b7837", "#5aae61", "#9970ab", "#bdbdbd")


def bars(report: Mapping[str, Any]) -> Iterator[tuple[str, float, str, bool]]:
    """What was asked for: what, measured, bar, reached."""
    if "alone" in report:
        value = report["alone"]["lanes_mean"][0]
        yield "one-shots of unseen kits, five lanes, mean", value, ">= 0.90", value >= 0.90
    if "onset" in report.get("planted", {}):
        yield from _planted_bars(report["planted"])
    if "speed" in report:
        speed = report["speed"]
        worst = max(speed["largest_difference"])
        yield (
            "times faster than the paper's way",
            speed["times_faster_than_anew"],
            ">= 100",
            (speed["times_faster_than_anew"] >= 100),
        )
        yield "largest difference of a distance", worst, "<= 1e-6", worst <= 1e-6
        for name, most in (("threshold", 5.0), ("onset", 8.0)):
            value = speed[name]["times_stft"]
            yield f"{name}, times one librosa.stft", value, f"<= {most:g}", value <= most
    if "memory" in report:
        value = report["memory"]["megabytes"]
        yield f"memory, {report['memory']['hours']:g} h recording, MB", value, "<= 1000", value <= 1000


def _planted_bars(planted: Mapping[str, Any]) -> Iterator[tuple[str, float, str, bool]]:
    twelve, six = planted["onset"]["12 dB"], planted["onset"]["6 dB"]
    for name, told, key, least in (
        ("hit rate at 12 dB", twelve, "hit_rate", 0.90),
        ("lane accuracy at 12 dB", twelve, "lane_accuracy", 0.88),
        ("precision at the planted count, 12 dB", twelve, "precision", 0.78),
        ("hit rate at 6 dB", six, "hit_rate", 0.78),
    ):
        yield name, told[key][0], f">= {least:.2f}", told[key][0] >= least
    errors = twelve["onset_error_ms"]
    yield "onset error at 12 dB, median, ms", errors["median"], "<= 2", errors["median"] <= 2
    yield "onset error at 12 dB, p95, ms", errors["p95"], "<= 20", errors["p95"] <= 20
    if {"threshold", "random"} <= set(planted):
        for level in ("18 dB", "all"):
            told = [planted[name][level]["found_and_named"] for name in ("onset", "threshold", "random")]
            apart = all(above[1] > below[2] for above, below in itertools.pairwise(told))
            yield f"onset > threshold > random, found and named, {level}", float(apart), "intervals apart", apart


def print_report(report: Mapping[str, Any]) -> None:
    """Everything that was measured, then the bars."""
    for method, levels in report.get("planted", {}).items():
        for level, told in levels.items():
            figures = "  ".join(
                f"{key} {_with_interval(told[key])}"
                for key in ("hit_rate", "lane_accuracy", "precision", "found_and_named", "doubles_per_event")
            )
            errors = told["onset_error_ms"]
            print(
                f"{method:10}{level:>6}  n {told['planted']:4}  {figures}  "
                f"onset {errors['median']:.2f}/{errors['p95']:.1f} ms"
            )
    for name in ("lanes_mean", "lanes_or_none_mean", "classes_mean"):
        if "alone" in report:
            print(f"one-shots alone, {name:20} {_with_interval(report['alone'][name])}")
    for name, told in (report["alone"]["lanes"] | report["alone"]["classes"] if "alone" in report else {}).items():
        print(f"  {name:12} {_with_interval(told)}")
    for method, told in report.get("question", {}).items():
        print(
            f"{method:12} packs {told['packs']:3}  samples {told['samples']:4}  "
            + "  ".join(f"{key} {_with_interval(told[key])}" for key in ("cohesion", "variety", "filled"))
        )
    for part in ("speed", "memory"):
        if part in report:
            print(part, report[part])
    for what, measured, bar, reached in bars(report):
        print(f"{'reached' if reached else 'MISSED ':8} {what:55} {measured:10.3g}  {bar}")


def _with_interval(figure: Sequence[float]) -> str:
    return f"{figure[0]:.3f} [{figure[1]:.3f} {figure[2]:.3f}]"


def write_picture(report: Mapping[str, Any], path: Path) -> None:
    """Bars with their intervals: planted sounds by level, one-shots by lane, the paper's question."""
    figure, places = plt.subplots(1, 3, figsize=(16, 4.6), width_ratios=(2.2, 1, 1.4))
    _draw_planted(places[0], report.get("planted", {}))
    if "alone" in report:
        names = [lane for lane in LANES if lane in report["alone"]["lanes"]]
        _columns(places[1], names, {"onset": [report["alone"]["lanes"][lane] for lane in names]})
        places[1].set_title(f"one-shots of unseen kits, mean {report['alone']['lanes_mean'][0]:.2f}")
    if "question" in report:
        names = ["cohesion", "variety", "filled"]
        _columns(places[2], names, {m: [t[name] for name in names] for m, t in report["question"].items()})
        places[2].set_title("packs of the field recordings")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_planted(place: Any, planted: Mapping[str, Any]) -> None:  # noqa: ANN401 - matplotlib's axes are untyped
    keys = ("hit_rate", "lane_accuracy", "precision", "found_and_named")
    levels = ("18 dB", "12 dB", "6 dB")
    if not planted:
        return
    names = [f"{level}\n{key.replace('_', ' ')}" for key in keys for level in levels]
    _columns(place, names, {m: [told[level][key] for key in keys for level in levels] for m, told in planted.items()})
    place.tick_params(axis="x", labelsize=6.5)
    place.set_title("planted sounds of unseen kits in unseen recordings")


def _columns(place: Any, names: Sequence[str], series: Mapping[str, Sequence[Sequence[float]]]) -> None:  # noqa: ANN401 - as above
    wide = 0.8 / max(len(series), 1)
    for number, (label, figures) in enumerate(series.items()):
        at = [n + (number - (len(series) - 1) / 2) * wide for n in range(len(names))]
        values = [figure[0] for figure in figures]
        spans = [[max(f[0] - f[1], 0) for f in figures], [max(f[2] - f[0], 0) for f in figures]]
        place.bar(at, values, wide, label=label, color=COLOURS[number % len(COLOURS)])
        place.errorbar(at, values, yerr=spans, fmt="none", ecolor="#333333", elinewidth=0.8, capsize=1.5)
    place.set_xticks(range(len(names)), names)
    place.set_ylim(0, 1.05 if max(f[2] for s in series.values() for f in s) <= 1.05 else None)
    place.spines[["top", "right"]].set_visible(False)
    place.legend(frameon=False, fontsize=8)
