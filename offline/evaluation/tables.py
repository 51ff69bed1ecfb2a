"""The report in Markdown: tables people read, from the summary that programs read. A table is a list of its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from offline.evaluation.baselines import NEGATIVES
from offline.evaluation.reference import TITLES
from offline.evaluation.verdict import MEASURES, Goal
from offline.evaluation.verdict import TITLES as MEASURED
from offline.measures import PAPER_TABLE_I

Found = Mapping[str, Any]
Column = tuple[str, Callable[[Found], str]]
NOTHING: Final = "-"
PAPER_ROW: Final = "Dataset"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; figures stand on the right."""
    marks = [":--", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows)) + "\n"


def by_columns(columns: Sequence[Column], rows: Mapping[str, Found]) -> str:
    """A table with a row for everybody."""
    return table(
        ["", *(title for title, _ in columns)],
        [[_named(name), *(cell(row) for _, cell in columns)] for name, row in rows.items()],
    )


def _pm(what: str, digits: int) -> Callable[[Found], str]:
    """Mean and standard deviation over seeds."""
    return lambda row: f"{row[what][0]:.{digits}f} ± {row[what][1]:.{digits}f}" if what in row else NOTHING


def _percent(what: str) -> Callable[[Found], str]:
    return lambda row: f"{100 * row[what][0]:.1f} %"


def _gate(row: Found) -> str:
    return f"{row['gate']} of {row['seeds']}" if "gate" in row else NOTHING


def _area(what: str) -> Callable[[Found], str]:
    """The mean overlapping area of the five lanes."""
    return lambda row: f"{sum(v[0] for v in row['overlap'][what].values()) / len(row['overlap'][what]):.3f}"


def _roll(what: str) -> Callable[[Found], str]:
    return lambda row: f"{row['roll'][what][0]:.2f}"


def _feel(what: str, form: str, unit: str = "", scale: float = 1) -> Callable[[Found], str]:
    return lambda row: f"{scale * row['feel'][what][0]:{form}}{unit}"


VERDICTS: Final[Sequence[Column]] = (
    ("gate", _gate),
    ("precision", _pm("precision", 2)),
    ("recall", _pm("recall", 2)),
    ("density", _pm("density", 2)),
    ("coverage", _pm("coverage", 2)),
    ("equal in 100", _pm("duplicates", 1)),
    ("copies", _percent("exact copies")),
    ("within 2 cells", _percent("near copies")),
    ("AUC hits", _pm("AUC hits", 3)),
    ("AUC full", _pm("AUC full", 3)),
)
LIKENESS: Final[Sequence[Column]] = (
    ("density", _area("density")),
    ("syncopation", _area("syncopation")),
    ("onset spacing", _area("spacing")),
    ("off the grid", _feel("off_grid", ".0f", " %", 100)),
    ("timing moved", _feel("timing_moved_steps", ".2f", " steps")),
    ("velocity", _feel("loudness", ".2f")),
    ("velocity moved", _feel("velocity_moved", ".3f")),
    ("roll precision", _roll("precision")),
    ("recall", _roll("recall")),
    ("density on the roll", _roll("density")),
    ("coverage", _roll("coverage")),
)
CONTROL: Final[Sequence[Column]] = (
    ("energy, Spearman", lambda one: f"{one['energy']['spearman']:.3f}"),
    ("pooled", lambda one: f"{one['energy']['pooled']:.3f}"),
    ("monotone steps", lambda one: f"{100 * one['energy']['monotone']:.1f} %"),
    ("lane given others, AUC", lambda one: f"{one['lanes']['mean']:.3f}"),
    ("same seed same bar", lambda one: "yes" if one["same"] else "**no**"),
    ("morphs", lambda one: "by itself" if one["morph"]["own"] else "note by note"),
    ("largest step", lambda one: f"{one['morph']['largest']} cells ({one['morph']['largest_mean']:.1f} on average)"),
    ("ends apart", lambda one: f"{one['morph']['far']:.1f} cells"),
)
SPEED: Final[Sequence[Column]] = (
    ("one bar, p50", lambda one: f"{one['p50_ms']:.2f} ms"),
    ("p99", lambda one: f"{one['p99_ms']:.2f} ms"),
    ("processor, p50", lambda one: f"{one['cpu_p50_ms']:.2f} ms"),
    ("processor, p99", lambda one: f"{one['cpu_p99_ms']:.2f} ms"),
    ("bars a second in a batch", lambda one: f"{one['bars_per_s']:.0f}"),
    ("ready after", lambda one: f"{one['ready_ms']:.0f} ms"),
    ("memory", lambda one: f"{one['memory_mb']:.0f} MB"),
    ("peak", lambda one: f"{one['peak_mb']:.0f} MB"),
)


def _both(first: str, second: str, form: str, scale: float = 1, unit: str = "") -> Callable[[Found], str]:
    return lambda row: " / ".join(
        f"{scale * row[what][0]:{form}}{unit}" if what in row else NOTHING for what in (first, second)
    )


def _lane(row: Found) -> str:
    told = row["told"]
    return NOTHING if told is None else f"{told['lanes']['mean'] if 'lanes' in told else told['mean']:.2f}"


def _late(fast: Found) -> str:
    return f"{fast['p99_ms']:.1f} / {fast['cpu_p99_ms']:.1f} ms"


OVERVIEW: Final[Sequence[Column]] = (
    ("what it is", lambda row: row["fact"]),
    ("gate", _gate),
    ("prec. / dens. / cov.", lambda row: " / ".join(f"{row[w][0]:.2f}" for w in ("precision", "density", "coverage"))),
    ("AUC hits / full", _both("AUC hits", "AUC full", ".2f")),
    ("copies / within 2", _both("exact copies", "near copies", ".0f", 100, " %")),
    ("empty / short / cosine", lambda row: " / ".join(f"{100 * row['paper'][m]['off']:+.0f} %" for m in MEASURES)),
    ("lane AUC", _lane),
    (
        "energy",
        lambda row: f"{row['told']['energy']['spearman']:.2f}" if row["told"] and "energy" in row["told"] else NOTHING,
    ),
    ("p99 / processor", lambda row: _late(row["fast"]) if row["fast"] else NOTHING),
)


def verdicts(part: Found) -> str:
    """Who passes, and the figures that decide."""
    return by_columns(VERDICTS, {name: {**row, "seeds": part["seeds"]} for name, row in part["rows"].items()})


def likeness(part: Found) -> str:
    """Overlapping areas, timing and velocity, neighbours on the roll."""
    return by_columns(LIKENESS, part["rows"])


def control(told: Found) -> str:
    """Energy, lanes, repeatability, morphing."""
    lanes = f"Lanes of other real bars (`rowmix`) get {told['rowmix']['mean']:.3f} in the lane exam.\n"
    return by_columns(CONTROL, {name: one for name, one in told.items() if "energy" in one}) + "\n" + lanes


def speed(speeds: Mapping[str, Found]) -> str:
    """One bar, a batch, memory."""
    return by_columns(SPEED, speeds)


def overview(summary: Found, facts: Mapping[str, str], speeds: Found) -> str:
    """The comparison for ``models/README.md``: per reference a table of those that ``facts`` has a word about."""
    parts: list[str] = []
    for which, part in summary["references"].items():
        rows = {
            name: {
                **part["rows"][name],
                "seeds": part["seeds"],
                "fact": fact,
                "told": summary["control"].get(name),
                "fast": speeds.get(name),
            }
            for name, fact in facts.items()
            if name in part["rows"]
        }
        parts.append(f"**{TITLES[which]}**\n\n{by_columns(OVERVIEW, rows)}")
    return "\n".join(parts)


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
    blind = "".join(
        f" Calibrated on the test songs alone, *{name}* would pass in {count} of {found['seeds']} seeds."
        for name, count in found["blind"].items()
    )
    return f"{word} Passed, of {found['seeds']} seeds: {passed}.{blind}\n\n" + table(
        ["check", "passes", "worst real", "stops in every seed"], rows
    )


def paper(part: Found, raw: Found) -> str:
    """The paper's three measures, their distance to this data set's row, and the paper's own table beside."""
    data = part["data"]
    head = ["", "bars", *(word for title in MEASURED for word in (title, "off"))]
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
        [name, f"{empty:.3f}", f"{empty / there[0] - 1:+.0%}", f"{short:.3f}", f"{short / there[1]:.1f} times"]
        for name, (empty, short) in PAPER_TABLE_I.items()
    ]
    songs = ", ".join(f"{m} {data['song_error'][m]:.4f}" for m in MEASURES)
    return (
        table(head, rows)
        + "\n± is one standard error over bars; *off* is the distance to the training bars' figure, with how many "
        "standard errors of the difference that is; bold is within 5 % or two standard errors. If other songs had been "
        f"written, the training bars' own figures would move by (one standard error over songs): {songs}.\n\n"
        "The paper's Table I, for comparison of the *off* columns only: its data are others.\n\n"
        + table(["paper", "empty ratio", "off", "unqualified notes", "of the data's"], paper_rows)
    )


def goals(reached: Sequence[Goal]) -> str:
    """Goals, met or missed."""
    rows = [[g.figure, g.goal, g.got if g.met else f"**{g.got}**", "met" if g.met else "**missed**"] for g in reached]
    return table(["", "goal", "got", ""], rows)


def _named(name: str) -> str:
    return f"*{name}*" if name in NEGATIVES else f"**{name}**" if name.startswith("real") else name


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
