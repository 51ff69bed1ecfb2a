"""The report in Markdown: tables people read, from the summary that programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from offline.evaluation.baselines import NEGATIVES
from offline.evaluation.reference import TITLES
from offline.evaluation.verdict import MEASURES, Goal
from offline.measures import PAPER_TABLE_I

Found = Mapping[str, Any]
LIKENESS: Final = (("density", "density"), ("syncopation", "syncopation"), ("spacing", "onset spacing"))
PAPER_ROW: Final = "Dataset"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; figures stand on the right."""
    marks = [":--", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows)) + "\n"


def verdicts(part: Found) -> str:
    """Who passes, and the figures that decide."""
    seeds = part["seeds"]
    head = [
        "", f"gate ({seeds} seeds)", "precision", "recall", "density", "coverage",
        "equal in 100", "copies", "within 2 cells", "AUC hits", "AUC full",
    ]  # fmt: skip
    return table(head, [_verdict(name, row, seeds) for name, row in part["rows"].items()])


def _verdict(name: str, row: Found, seeds: int) -> list[str]:
    gate = f"{row['gate']} of {seeds}" if "gate" in row else "–"
    return [
        _named(name), gate,
        *(_pm(row[what], 2) for what in ("precision", "recall", "density", "coverage")),
        _pm(row["duplicates"], 1),
        *(f"{100 * row[what][0]:.1f} %" for what in ("exact copies", "near copies")),
        *(_pm(row[what], 2) if what in row else "–" for what in ("AUC hits", "AUC full")),
    ]  # fmt: skip


def calibration(part: Found) -> str:
    """The thresholds, what real bars got at worst, and whom each check stops."""
    found = part["calibration"]
    if found is None:
        return "Not calibrated: that needs the known failures and the classifiers (`--baselines`, not `--quick`).\n"
    rows = [
        [
            t["check"],
            f"{'≥' if 'at least' in t else '≤'} {t.get('at least', t.get('at most')):.3f}",
            f"{t['worst real']:.3f}",
            ", ".join(t["stops"]) or "nobody",
        ]
        for t in found["thresholds"]
    ]
    passed = ", ".join(f"{name} {count}" for name, count in found["passed"].items())
    word = (
        "Sound: real bars of unseen songs pass in every seed and every known failure fails in every one."
        if found["sound"]
        else "**Not sound**: see who passed."
    )
    return f"{word} Passed, of {found['seeds']} seeds: {passed}.\n\n" + table(
        ["check", "passes", "worst real", "stops in every seed"], rows
    )


def paper(part: Found, raw: Found) -> str:
    """The paper's three measures, their distance to this data set's row, and the paper's own table beside."""
    data = part["data"]
    head = ["", "bars"] + [
        word for title in ("empty ratio", "unqualified notes", "cosine distance") for word in (title, "off")
    ]
    rows = [["**training bars**", f"{data['bars']}", *(w for m in MEASURES for w in (_value(data, m), ""))]]
    for name, row in part["rows"].items():
        if name in NEGATIVES:
            continue
        cells = [w for m in MEASURES for w in (_own(row["paper"][m]), _off(row["paper"][m]))]
        rows.append([_named(name), f"{row['paper']['bars']}", *cells])
    for name, sums in raw.items():
        cells = [w for m in MEASURES for w in (_value(sums, m), f"{_relative(sums, data, m):+.0%}")]
        rows.append([f"{name}, network alone", f"{sums['bars']}", *cells])
    there = PAPER_TABLE_I[PAPER_ROW]
    paper_rows = [
        [name, f"{empty:.3f}", f"{empty / there[0] - 1:+.0%}", f"{short:.3f}", f"{short / there[1]:.1f} ×"]
        for name, (empty, short) in PAPER_TABLE_I.items()
    ]
    songs = ", ".join(f"{m} {data['song_error'][m]:.4f}" for m in MEASURES)
    return (
        table(head, rows)
        + "\n± is one standard error over bars; *off* is the distance to the training bars' figure, with how many standard "
        "errors of the difference that is; bold is within 5 % or two standard errors. If other songs had been written, the "
        f"training bars' own figures would move by (one standard error over songs): {songs}.\n\n"
        "The paper's Table I, for comparison of the *off* columns only: its data are others.\n\n"
        + table(["paper", "empty ratio", "off", "unqualified notes", "of the data's"], paper_rows)
    )


def likeness(part: Found) -> str:
    """Overlapping areas, timing and velocity."""
    head = ["", *(title for _, title in LIKENESS), "off the grid", "timing moved", "velocity", "velocity moved", "roll precision", "roll recall", "roll density", "roll coverage"]  # fmt: skip
    rows = []
    for name, row in part["rows"].items():
        feel = row["feel"]
        areas = [
            f"{sum(v[0] for v in row['overlap'][what].values()) / len(row['overlap'][what]):.3f}"
            for what, _ in LIKENESS
        ]
        timing = [f"{100 * feel['off_grid'][0]:.0f} %", f"{feel['timing_moved_steps'][0]:.2f} steps"]
        loud = [f"{feel['loudness'][0]:.2f}", f"{feel['velocity_moved'][0]:.3f}"]
        roll = [f"{row['roll'][what][0]:.2f}" for what in ("precision", "recall", "density", "coverage")]
        rows.append([_named(name), *areas, *timing, *loud, *roll])
    return table(head, rows)


def control(told: Found) -> str:
    """Energy, lanes, repeatability, morphing."""
    head = ["", "energy, Spearman", "pooled", "monotone steps", "lane given others, AUC", "same seed same bar", "morphs", "largest step", "ends apart"]  # fmt: skip
    rows = []
    for name, one in told.items():
        if "energy" not in one:
            rows.append([f"{name} lanes", "", "", "", f"{one['mean']:.3f}", "", "", "", ""])
            continue
        energy, morph = one["energy"], one["morph"]
        rows.append(
            [
                name,
                f"{energy['spearman']:.3f}",
                f"{energy['pooled']:.3f}",
                f"{100 * energy['monotone']:.1f} %",
                f"{one['lanes']['mean']:.3f}",
                "yes" if one["same"] else "**no**",
                "by itself" if morph["own"] else "note by note",
                f"{morph['largest']} cells ({morph['largest_mean']:.1f} on average)",
                f"{morph['far']:.1f} cells",
            ]  # fmt: skip
        )
    return table(head, rows)


def speed(speeds: Mapping[str, Mapping[str, float]]) -> str:
    """One bar, a batch, memory."""
    head = ["", "one bar, p50", "p99", "processor p99", "bars a second in a batch", "ready after", "memory", "peak"]
    return table(
        head,
        [
            [
                name, f"{s['p50_ms']:.2f} ms", f"{s['p99_ms']:.2f} ms", f"{s['cpu_p99_ms']:.2f} ms",
                f"{s['bars_per_s']:.0f}", f"{s['ready_ms']:.0f} ms", f"{s['memory_mb']:.0f} MB", f"{s['peak_mb']:.0f} MB",
            ]
            for name, s in speeds.items()
        ],
    )  # fmt: skip


def goals(reached: Sequence[Goal]) -> str:
    """Goals, met or missed."""
    rows = [[g.figure, g.goal, g.got if g.met else f"**{g.got}**", "met" if g.met else "**missed**"] for g in reached]
    return table(["", "goal", "got", ""], rows)


def overview(summary: Found, names: Sequence[str], facts: Mapping[str, str], speeds: Found) -> str:
    """The comparison for ``models/README.md``: per reference one table of the models and what to hold them against."""
    parts = []
    for which, part in summary["references"].items():
        seeds, told = part["seeds"], summary["control"]
        head = ["", "what it is", f"gate ({seeds})", "prec. / dens. / cov.", "AUC hits / full", "copies / within 2", "empty / short / cosine, off", "lane AUC", "energy ρ", "p99"]  # noqa: RUF001 - the usual letter for Spearman's  # fmt: skip
        rows = [
            _short(name, part["rows"][name], seeds, facts.get(name, ""), told.get(name), speeds.get(name))
            for name in ("real", "rowmix", *(n for n in names if n != "rowmix"))
            if name in part["rows"]
        ]
        parts.append(f"**{TITLES[which]}**\n\n{table(head, rows)}")
    return "\n".join(parts)


def _short(name: str, row: Found, seeds: int, what: str, told: Found | None, fast: Found | None) -> list[str]:
    lane = f"{told['lanes']['mean']:.2f}" if told and "lanes" in told else f"{told['mean']:.2f}" if told else "–"
    return [
        _named(name), what,
        f"{row['gate']} of {seeds}" if "gate" in row else "–",
        " / ".join(f"{row[w][0]:.2f}" for w in ("precision", "density", "coverage")),
        " / ".join(f"{row[w][0]:.2f}" if w in row else "–" for w in ("AUC hits", "AUC full")),
        " / ".join(f"{100 * row[w][0]:.0f} %" for w in ("exact copies", "near copies")),
        " / ".join(f"{row['paper'][m]['off']:+.0%}" for m in MEASURES),
        lane,
        f"{told['energy']['spearman']:.2f}" if told and "energy" in told else "–",
        f"{fast['p99_ms']:.1f} ms" if fast else "–",
    ]  # fmt: skip


def _named(name: str) -> str:
    return f"*{name}*" if name in NEGATIVES else f"**{name}**" if name.startswith("real") else name


def _pm(pair: Sequence[float], digits: int) -> str:
    return f"{pair[0]:.{digits}f} ± {pair[1]:.{digits}f}"


def _value(sums: Found, measure: str) -> str:
    return f"{sums['mean'][measure]:.4f} ± {sums['error'][measure]:.4f}"


def _own(one: Found) -> str:
    return f"{one['value']:.4f} ± {one['error']:.4f}"


def _off(one: Found) -> str:
    text = f"{one['off']:+.1%} ({one['errors']:.1f})"
    return f"**{text}**" if one["close"] else text


def _relative(sums: Found, data: Found, measure: str) -> float:
    there = data["mean"][measure]
    return float(sums["mean"][measure] / there - 1) if there else 0.0
