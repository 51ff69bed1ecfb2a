"""What was heard beside what is true, as figures: for one song, and for all of them.

Two ways to sum up: ``mean`` is the mean over the songs in which there is something to find, ``pooled`` counts all songs
as one. The bars are held against the mean, so that a song of few hits counts as much as one of many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.transcription.cells import cell_tally, cells_of, found_bars_tally, lane_tallies, whole
from offline.transcription.judging.judged import ELECTRONIC, ELEMENTS, RENDERED, UNSEEN, JudgedSong
from offline.transcription.judging.scores import (
    Tally,
    bass_tallies,
    drum_tallies,
    early_or_late_ms,
    false_hits,
    line_tally,
    octaves,
    pooled,
    tempo_fits,
    tempo_found,
)
from offline.transcription.judging.work import Outcome

LINES_ENOUGH: Final = 0.9
BASS_FIGURES: Final = ("onset", "onset + pitch", "octave ignored")

Told = dict[str, Any]
"""What JSON can say."""


def told(tally: Tally) -> Told:
    """A tally as numbers."""
    return {
        "f": round(tally.f, 4),
        "precision": round(tally.precision, 4),
        "recall": round(tally.recall, 4),
        **tally._asdict(),
    }


def song_figures(song: JudgedSong, heard: Outcome) -> Told:
    """Everything that is measured of one song."""
    truth = song.truth
    bpm = tempo_found(heard.bars)
    figures: Told = {
        "group": song.group,
        "drums": {lane.value: told(tally) for lane, tally in drum_tallies(truth, heard.hits).items()},
        "bass": {name: told(tally) for name, tally in bass_tallies(truth, heard.notes).items()},
        "tempo": {"true": round(truth.bpm, 3), "found": round(bpm, 3), "fits": tempo_fits(truth, bpm)},
        "bar lines": told(line_tally(truth, heard.bars)),
        "bars": {"true": len(truth.bars), "found": len(heard.bars), "kept": len(heard.kept_starts_s)},
        "left out": dict(Counter(bar.reason for bar in heard.bars if bar.reason)),
        "errors": _errors(song, heard),
    }
    if set(truth.lanes) == set(DRUM_LANES) and truth.bass is not None:
        figures["cells"] = _cells(song, heard)
    if song.doubtful is not None:
        tallies = drum_tallies(song.doubtful, heard.hits)
        figures["not judged"] = {
            lane: {"share of its sounds in the table": share, "as the table has it": told(tallies[Lane(lane)])}
            for lane, share in song.share_told.items()
        }
    if heard.reason:
        figures["refused"] = heard.reason
    return figures


def _cells(song: JudgedSong, heard: Outcome) -> Told:
    """On the true grid: all whole bars. Of found bars: those in which drums play, as data sets keep no others."""
    truth = song.truth
    every = whole(truth.bars)
    true = cells_of(truth.hits, truth.bass or (), truth.bars)
    on_grid = cells_of(heard.hits, heard.notes, truth.bars)
    drummed = [index for index in every if true[index, :, : len(DRUM_LANES)].any()]
    starts_s = [truth.bars[index].start_s for index in drummed]
    lanes = lane_tallies(true[every], on_grid[every])
    return {
        "of found bars": told(found_bars_tally(true[drummed], starts_s, heard.cells, heard.kept_starts_s)),
        "on the true grid": told(cell_tally(true[every], on_grid[every])),
        "on the true grid, by lane": {lane.value: round(tally.f, 4) for lane, tally in lanes.items()},
    }


def _errors(song: JudgedSong, heard: Outcome) -> Told:
    """How early or late, what false hits really were, and by how many semitones pitches are off."""
    truth = song.truth
    late_ms: dict[str, float | None] = {
        lane.value: early_or_late_ms(truth.times(lane), [hit.time_s for hit in heard.hits if hit.lane is lane])
        for lane in truth.lanes
    }
    if truth.bass is not None:
        late_ms[Lane.BASS.value] = early_or_late_ms(truth.times(Lane.BASS), [note.start_s for note in heard.notes])
    return {
        "late_ms": {name: None if value is None else round(value, 1) for name, value in late_ms.items()},
        "false hits": {
            lane.value: dict(reasons.most_common()) for lane, reasons in false_hits(truth, heard.hits).items()
        },
        "semitones off": {str(off): count for off, count in sorted(octaves(truth, heard.notes).items())},
    }


def overall(figures: Mapping[str, Told], group: str) -> Told:
    """Mean and pooled figures of the songs of a group."""
    some = [one for one in figures.values() if one["group"] == group]
    parts: dict[str, Sequence[Told]] = {
        **{f"drums {lane.value}": _column(some, "drums", lane.value) for lane in DRUM_LANES},
        **{f"bass {name}": _column(some, "bass", name) for name in BASS_FIGURES},
        "bar lines": [one["bar lines"] for one in some],
        "cells of found bars": _column(some, "cells", "of found bars"),
        "cells on the true grid": _column(some, "cells", "on the true grid"),
    }
    return {name: summed(column) for name, column in parts.items() if any(one["true"] for one in column)}


def _column(figures: Iterable[Told], part: str, name: str) -> list[Told]:
    return [one[part][name] for one in figures if name in one.get(part, {})]


def summed(tallies: Sequence[Told]) -> Told:
    """Mean over those in which there is something to find, and all as one."""
    together = pooled(Tally(one["found"], one["true"], one["fit"]) for one in tallies)
    with_something = [one["f"] for one in tallies if one["true"]]
    return {
        "mean": round(fmean(with_something), 4) if with_something else 0.0,
        "pooled": round(together.f, 4),
        "precision": round(together.precision, 4),
        "recall": round(together.recall, 4),
        "songs": len(with_something),
        "true": together.true,
    }


def asked_for(summary: Told) -> list[Told]:
    """The bars: what, measured, least, reached; those whose songs were not judged are left out."""
    rows: list[Told] = []

    def row(what: str, least: float, measure: Callable[[], float | None]) -> None:
        value = measure()
        if value is not None:
            rows.append({"what": what, "measured": round(value, 4), "least": least, "reached": value >= least})

    def mean(group: str, name: str) -> Callable[[], float | None]:
        return lambda: summary["groups"].get(group, {}).get(name, {}).get("mean")

    for group, leasts in ((RENDERED, (0.85, 0.75, 0.75, 0.55)), (UNSEEN, (0.75, 0.65, 0.68, 0.40))):
        words = "rendered songs" if group == RENDERED else "unseen drum sounds"
        for lane, least in zip(DRUM_LANES, leasts, strict=True):
            row(f"{words}: {lane.value} F", least, mean(group, f"drums {lane.value}"))
    for lane, least in ((Lane.KICK, 0.92), (Lane.HIHAT, 0.88)):
        row(f"electronic stems: {lane.value} F", least, mean(ELEMENTS, f"drums {lane.value}"))
    for name, least in zip(BASS_FIGURES, (0.78, 0.50, 0.60), strict=True):
        row(f"bass {name} F", least, mean(RENDERED, f"bass {name}"))
    row("share of songs with the tempo within 2 %", 1.0, lambda: _share(summary, lambda one: one["tempo"]["fits"]))
    row(
        f"share of songs with bar-line F >= {LINES_ENOUGH}",
        5 / 6,
        lambda: _share(summary, lambda one: one["bar lines"]["f"] >= LINES_ENOUGH),
    )
    row("cells of the found bars, F", 0.68, mean(RENDERED, "cells of found bars"))
    row("cells on the true grid, F", 0.75, mean(RENDERED, "cells on the true grid"))
    row("times real time, one core", 10.0, lambda: summary.get("speed", {}).get("times real time"))
    return rows


def _share(summary: Told, holds: Callable[[Told], bool]) -> float | None:
    """Of the rendered and the electronic songs."""
    songs = [one for one in summary["songs"].values() if one["group"] in {RENDERED, ELECTRONIC}]
    return sum(map(holds, songs)) / len(songs) if songs else None
