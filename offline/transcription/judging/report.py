"""The judging of transcription as a page and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from hitloopd.core.pattern import DRUM_LANES
from offline.transcription.judging.figures import BASS_FIGURES, Told

BARS_PICTURE, SONGS_PICTURE = "bars.png", "songs.png"
REACHED, MISSED = "#1b7837", "#b2182b"
_DRUMS: Final = tuple(lane.value for lane in DRUM_LANES)

_HOW: Final = """\
F is the F-measure of onsets within 50 ms, one to one (mir_eval). *Mean* is over the songs in which there is something
to find, *pooled* counts all songs as one; the bars are held against the mean. Bass notes that begin together (doubled
at the octave) are one, its pitch is the lowest. Bar lines fit within 70 ms, tempo within 2 % of the true one (half and
double are wrong). Cells of found bars: bars that begin elsewhere, and true bars that were not kept, are errors.

What to keep in mind:

- The rendered songs share one sound font. Its drum presets are in no training material, but songs that sound alike in
  other ways are easier than songs of strangers; hence the unseen drum sounds (kits {kits}, played from the songs' own
  MIDI at the loudness of the drums they replace).
- Taking a lossy drum stem out of a lossy mix leaves traces of the old drums, some 23 dB below them above 5 kHz.
- The onsets of the electronic elements were detected on single stems. Only kick and hihat have any, and a lane whose
  table lacks more than a tenth of its own sounds is not judged: it would call true hits false.
- A lane of two hits weighs as much in a mean as one of four hundred."""


def page(summary: Told) -> str:
    """The whole judging in Markdown."""
    parts = [
        "# How well songs are transcribed",
        _bars(summary),
        _HOW.format(kits=", ".join(summary["kept out of training"])),
        *_heard(summary),
        *_groups(summary),
        *_songs(summary),
        *_errors(summary),
        *_table(summary),
        *_speed(summary),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _bars(summary: Told) -> str:
    rows = [
        (row["what"], f"{row['measured']:.3g}", f"{row['least']:.3g}", "yes" if row["reached"] else "**no**")
        for row in summary["bars"]
    ]
    reached = sum(row["reached"] for row in summary["bars"])
    return f"{reached} of {len(rows)} bars reached.\n\n" + _markdown(("figure", "measured", "bar", "reached"), rows)


def _heard(summary: Told) -> Iterator[str]:
    if "heard by" in summary:
        yield (
            "Heard by " + ", ".join(f"{kind} {name}" for kind, name in summary["heard by"].items()) + ", from the mix."
        )


def _groups(summary: Told) -> Iterator[str]:
    for group, figures in summary["groups"].items():
        rows = [
            (name, *(_number(one[key]) for key in ("mean", "pooled", "precision", "recall")), one["songs"], one["true"])
            for name, one in figures.items()
        ]
        yield f"## All songs: {group}"
        yield _markdown(("F", "mean", "pooled", "precision", "recall", "songs", "true events"), rows)


def _songs(summary: Told) -> Iterator[str]:
    if not summary["songs"]:
        return
    yield "## Song by song"
    head = (
        "song", "group", *_DRUMS, *(f"bass {name}" for name in BASS_FIGURES), "BPM true", "found", "bar lines",
        "bars true / found / kept", "cells found bars", "true grid",
    )  # fmt: skip
    rows: list[Sequence[object]] = []
    for name, one in summary["songs"].items():
        cells = one.get("cells", {})
        rows.append(
            (
                name,
                one["group"],
                *(_f(one["drums"].get(lane)) for lane in _DRUMS),
                *(_f(one["bass"].get(figure)) for figure in BASS_FIGURES),
                f"{one['tempo']['true']:.1f}",
                f"{one['tempo']['found']:.1f}" + ("" if one["tempo"]["fits"] else " **no**"),
                _f(one["bar lines"]),
                " / ".join(str(one["bars"][key]) for key in ("true", "found", "kept")),
                _f(cells.get("of found bars")),
                _f(cells.get("on the true grid")),
            )
        )
    yield _markdown(head, rows)
    yield from _not_judged(summary)
    refused = [f"- {name}: {one['refused']}" for name, one in summary["songs"].items() if "refused" in one]
    if refused:
        yield "Nothing came of:\n\n" + "\n".join(refused)
    yield f"![the songs]({SONGS_PICTURE})"


def _not_judged(summary: Told) -> Iterator[str]:
    for name, one in summary["songs"].items():
        for lane, row in one.get("not judged", {}).items():
            share, strict = row["share of its sounds in the table"], row["as the table has it"]
            yield (
                f"Not judged: {lane} of {name}. Its table has {100 * share:.0f} % of its sounds; held against that, "
                f"F is {strict['f']:.2f}, recall {strict['recall']:.2f}."
            )


def _errors(summary: Told) -> Iterator[str]:
    if not summary["songs"]:
        return
    yield "## Where the errors are"
    yield (
        "Late: median of found minus true, in ms. Of each lane's false hits, what was really there. Bass: semitones "
        "above the true pitch, for notes that begin with a true one."
    )
    rows: list[Sequence[object]] = []
    for name, one in summary["songs"].items():
        errors = one["errors"]
        late = ", ".join(f"{lane} {value:+.0f}" for lane, value in errors["late_ms"].items() if value is not None)
        false = "; ".join(f"{lane}: {_counts(reasons, 4)}" for lane, reasons in errors["false hits"].items() if reasons)
        off = sorted(errors["semitones off"].items(), key=lambda item: -item[1])
        rows.append((name, late, false, _counts(dict(off), 5), _counts(one["left out"], 3)))
    yield _markdown(("song", "late, ms", "false hits", "semitones off", "bars left out"), rows)


def _table(summary: Told) -> Iterator[str]:
    if "table" not in summary:
        return
    yield "## Each separator and transcriber"
    yield "F, mean over the songs (pooled in brackets); of the drums, as they are heard before the bars are known."
    for what, names in (("drums", _DRUMS), ("bass", BASS_FIGURES)):
        rows = [
            (
                row["group"],
                row["heard in"],
                row["by"],
                *(f"{row['figures'][name]['mean']:.2f} ({row['figures'][name]['pooled']:.2f})" for name in names),
            )
            for row in summary["table"]
            if row["what"] == what
        ]
        yield _markdown((what, "heard in", "by", *names), rows)
    missing = [f"- `{name}`: {reason}" for name, reason in summary.get("not installed", {}).items()]
    if missing:
        yield "Not installed here, so not in the table:\n\n" + "\n".join(missing)


def _speed(summary: Told) -> Iterator[str]:
    if not summary.get("speed"):
        return
    told = summary["speed"]
    yield "## Speed"
    held = "held on one core" if told["one core"] else "not held on one core"
    yield (
        f"{told['times real time']:g} times real time: {told['cpu seconds per minute']:g} s of processor time per "
        f"minute of sound ({told['songs']} songs, {told['minutes']:.1f} min, {held}), from file to folder."
    )
    yield _markdown(("stage", "cpu s per minute"), list(told["stages, cpu seconds per minute"].items()))


def _markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(str(cell).replace("|", "/") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.3f}"


def _f(tally: Told | None) -> str:
    """F of a tally; empty where there is nothing to find, but in brackets how much was found there."""
    if tally is None:
        return ""
    if not tally["true"]:
        return f"({tally['found']} false)" if tally["found"] else "-"
    return f"{tally['f']:.2f}"


def _counts(counts: Told, most: int) -> str:
    return ", ".join(f"{name} {count}" for name, count in list(counts.items())[:most])


def write_pictures(summary: Told, folder: Path) -> None:
    """``bars.png``: figures against their bars; ``songs.png``: F by song and lane."""
    if summary["bars"]:
        _draw_bars(summary["bars"], folder / BARS_PICTURE)
    if summary["songs"]:
        _draw_songs(summary["songs"], folder / SONGS_PICTURE)


def _draw_bars(rows: Sequence[Told], path: Path) -> None:
    shares = [row["measured"] / row["least"] for row in rows]
    figure, place = plt.subplots(figsize=(9, 0.32 * len(rows) + 1.2))
    places = range(len(rows))
    place.barh(places, shares, color=[REACHED if row["reached"] else MISSED for row in rows])
    place.axvline(1.0, color="#333333", linewidth=1)
    for at, (share, row) in enumerate(zip(shares, rows, strict=True)):
        place.text(share + 0.01, at, f"{row['measured']:.3g} / {row['least']:.3g}", va="center", fontsize=7.5)
    place.set_yticks(places, [row["what"] for row in rows], fontsize=8)
    place.set_xlim(0, max(1.25, *shares) + 0.15)
    place.invert_yaxis()
    place.set_xlabel("measured / bar")
    _saved(figure, place, path)


def _draw_songs(songs: Told, path: Path) -> None:
    columns = [("drums", lane) for lane in _DRUMS] + [("bass", name) for name in BASS_FIGURES]
    values = [
        [_value(one[part].get(name)) for part, name in columns] + [one["bar lines"]["f"]] for one in songs.values()
    ]
    figure, place = plt.subplots(figsize=(9, 0.28 * len(songs) + 1.6))
    place.imshow(values, vmin=0, vmax=1, cmap="RdYlGn", aspect="auto")
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            if not math.isnan(value):
                place.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7)
    names = [name if part == "drums" else "bass\n" + name.replace(" ", "\n") for part, name in columns] + ["bar lines"]
    place.set_xticks(range(len(names)), names, fontsize=8)
    place.set_yticks(range(len(songs)), [name[:48] for name in songs], fontsize=7)
    _saved(figure, place, path)


def _value(tally: Told | None) -> float:
    return tally["f"] if tally is not None and tally["true"] else float("nan")


def _saved(figure: Any, place: Any, path: Path) -> None:  # noqa: ANN401 - matplotlib's objects are untyped
    place.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
