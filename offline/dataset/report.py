"""What a data set is like, for people (``report.md`` with pictures) and for programs (``report.json``)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.time import TICKS_PER_CELL
from offline.catalogue import UNKNOWN
from offline.dataset.audio import PARTS
from offline.dataset.build import Built
from offline.dataset.pictures import draw_bars, draw_heat
from offline.dataset.songs import SPLITS, TEST, TRAIN
from offline.dataset.store import AUDIO, Bars
from offline.grid import grid
from offline.jobs import write_atomically
from offline.measures import (
    COMPARED,
    PAPER_TABLE_I,
    cosine_distances,
    density,
    paper_measures,
    quantiles,
    sample,
)

REPORT: Final = "report.md"
REPORT_JSON: Final = "report.json"
BARS_PICTURE: Final = "bars.png"
HEAT_PICTURE: Final = "distances.png"
SHOWN: Final = 24
SEED: Final = 0


def facts_of(built: Built) -> dict[str, Any]:
    """Everything the report says, as plain values."""
    bars = built.bars
    own = ~bars.duplicate
    return {
        "bars": len(bars),
        "with bass": int(bars.has_bass.sum()),
        "distinct": int(own.sum()),
        "distinct with bass": int((own & bars.has_bass).sum()),
        "songs": len(set(bars.song.tolist())),
        "files": len(set(bars.file.tolist())) + len(built.skipped) + len(built.refused),
        "files used": len(set(bars.file.tolist())),
        "files skipped": len(built.skipped),
        "files left out by licence": len(built.refused),
        "licences allowed": bars.facts["licences"],
        "unknown licences allowed": bars.facts["unknown licences allowed"],
        "licences": _licences(bars),
        "splits": {name: _part(bars, bars.split == name) for name in SPLITS},
        "test bars that train has too": _leak(bars),
        "measures": {
            "all": paper_measures(bars.rolls, SEED),
            "drums only": paper_measures(bars.rolls[~bars.has_bass], SEED),
            "drums and bass": paper_measures(bars.rolls[bars.has_bass], SEED),
        },
        "bars of audio": int((bars.origin == AUDIO).sum()),
        "audio": bars.facts.get("audio", {}),
        "density": _density(bars),
        "tempo": quantiles(bars.tempo_bpm),
        "velocity": quantiles(bars.events.velocity),
        "ticks off the grid": quantiles(_off_grid(bars)),
        "styles": _most(bars.style),
        "counts": dict(sorted(built.counts.items())),
        "drum notes dropped": {str(pitch): count for pitch, count in built.dropped.most_common()},
        "skipped": [list(pair) for pair in built.skipped],
        "left out": [{"file": source.path.name, "licence": source.licence} for source in built.refused],
    }


def write_report(folder: Path, built: Built, facts: Mapping[str, Any]) -> None:
    """``report.md``, ``report.json`` and the pictures."""
    bars = built.bars
    shown = sample(len(bars), SHOWN, SEED)
    draw_bars(folder / BARS_PICTURE, bars.rolls[shown], [_title(bars, int(index)) for index in shown])
    apart = cosine_distances(bars.rolls[sample(len(bars), COMPARED, SEED)])
    draw_heat(folder / HEAT_PICTURE, apart, f"{len(apart)} bars of the data set")
    write_atomically(folder / REPORT_JSON, (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())
    write_atomically(folder / REPORT, _page(facts, built).encode())


def _licences(bars: Bars) -> list[dict[str, Any]]:
    counts = Counter(zip(bars.licence.tolist(), bars.family.tolist(), strict=True))
    files = {pair: set[str]() for pair in counts}
    for licence, family, file in zip(bars.licence.tolist(), bars.family.tolist(), bars.file.tolist(), strict=True):
        files[licence, family].add(file)
    return [
        {"licence": licence or "not stated", "family": family, "files": len(files[licence, family]), "bars": count}
        for (licence, family), count in counts.most_common()
    ]


def _part(bars: Bars, mask: Any) -> dict[str, int]:  # noqa: ANN401 - a numpy mask
    own = mask & ~bars.duplicate
    return {
        "songs": len(set(bars.song[mask].tolist())),
        "bars": int(mask.sum()),
        "with bass": int((mask & bars.has_bass).sum()),
        "distinct": int(own.sum()),
        "distinct with bass": int((own & bars.has_bass).sum()),
    }


def _leak(bars: Bars) -> dict[str, float]:
    """What real songs share anyway: the rate of copies by which generated bars are judged."""
    train, test = bars.split == TRAIN, bars.split == TEST
    cells = grid(bars.rolls)
    return {
        "same roll": _shared(bars.rolls[train] > 0, bars.rolls[test] > 0),
        "same 16 x 5 grid": _shared(cells[train], cells[test]),
    }


def _shared(train: Any, test: Any) -> float:  # noqa: ANN401 - numpy arrays
    known = {np.packbits(bar).tobytes() for bar in train}
    if not len(test):
        return 0.0
    return round(sum(np.packbits(bar).tobytes() in known for bar in test) / len(test), 4)


def _density(bars: Bars) -> dict[str, dict[str, float]]:
    found = {lane: quantiles(counts[bars.has_bass] if lane == "bass" else counts) for lane, counts in _lanes(bars)}
    found["all lanes"] = quantiles(np.sum([counts for _, counts in _lanes(bars)], axis=0))
    return found


def _lanes(bars: Bars) -> Iterable[tuple[str, Any]]:
    return density(bars.rolls).items()


def _off_grid(bars: Bars) -> Any:  # noqa: ANN401 - a numpy array
    start = bars.events.start_ticks.astype(np.int64)
    return (start + TICKS_PER_CELL // 2) % TICKS_PER_CELL - TICKS_PER_CELL // 2


def _most(words: Any, count: int = 20) -> dict[str, int]:  # noqa: ANN401 - a numpy array
    return dict(Counter(word or "not said" for word in words.tolist()).most_common(count))


def _title(bars: Bars, index: int) -> str:
    name = str(bars.file[index])
    short = name if len(name) < 44 else "…" + name[-43:]
    return f"{short} · bar {bars.bar[index] + 1} · {bars.tempo_bpm[index]:.0f} BPM"


def _page(facts: Mapping[str, Any], built: Built) -> str:
    warning = (
        "\n**Files without a stated licence were let in (`--allow-unknown`).**\n"
        if any(row["family"] == UNKNOWN for row in facts["licences"])
        else ""
    )
    measures = [
        [name, f"{m['empty ratio']:.3f}", f"{m['unqualified notes']:.3f}", f"{m['cosine distance']['mean']:.3f}"]
        for name, m in facts["measures"].items()
        if m
    ]
    paper = [[f"the paper's {name}", f"{a:.3f}", f"{b:.3f}", "-"] for name, (a, b) in PAPER_TABLE_I.items()]
    parts = [
        "# Data set\n",
        (
            f"{facts['bars']} bars of 4/4 with drums, {facts['with bass']} of them with bass; {facts['distinct']} and "
            f"{facts['distinct with bass']} distinct. {facts['songs']} songs in {facts['files used']} files.\n{warning}"
        ),
        "## Splits, by song\n",
        _grid("part", facts["splits"]),
        "Share of test bars that train has too, in other songs: "
        + ", ".join(f"{name} {share:.1%}" for name, share in facts["test bars that train has too"].items())
        + ".\n",
        "## Licences\n",
        _table(["licence", "family", "files", "bars"], [list(row.values()) for row in facts["licences"]]),
        *_songs(facts),
        "## The paper's measures\n",
        _table(["", "empty ratio", "unqualified notes", f"distance of {COMPARED} bars"], [*measures, *paper]),
        f"![distances]({HEAT_PICTURE})\n",
        "## Density: onsets a bar\n",
        _grid("lane", facts["density"]),
        (
            "Bass over the bars that have one. "
            f"Tempo {_line(facts['tempo'])}. Velocity {_line(facts['velocity'])}. "
            f"Ticks off the nearest sixteenth (480 a beat) {_line(facts['ticks off the grid'])}.\n"
        ),
        "## Styles\n",
        _table(["style", "bars"], [[name, count] for name, count in facts["styles"].items()]),
        "## What was counted on the way\n",
        _table(["", "count"], [[name, count] for name, count in facts["counts"].items()]),
        "Drum notes without a lane, dropped, by GM note: "
        + (", ".join(f"{pitch} ({count})" for pitch, count in facts["drum notes dropped"].items()) or "none")
        + ".\n",
        f"## {SHOWN} bars at random\n",
        f"![bars]({BARS_PICTURE})\n",
        "## Left out\n",
        _table(["file", "licence"], [[s.path.name, s.licence or "not stated"] for s in built.refused]),
        _table(["file skipped", "reason"], facts["skipped"]),
    ]
    return "\n".join(parts)


def _songs(facts: Mapping[str, Any]) -> list[str]:
    """Of the bars that came out of songs: who heard them, and what was left out."""
    audio = facts["audio"]
    if not audio:
        return []
    parts = ", ".join(
        f"{part} by {' and '.join(f'{name} ({count})' for name, count in audio[part].items())}" for part in PARTS
    )
    return [
        "## Bars out of songs\n",
        (
            f"{facts['bars of audio']} bars were heard in {audio['songs']} songs of {audio['minutes']} minutes, where "
            f"{audio['bars found']} bars were found; {parts} (songs).\n"
        ),
        _table(["left out, because", "bars"], [[reason, count] for reason, count in audio["left out"].items()]),
    ]


def _line(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items()) or "unknown"


def _grid(corner: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(rows.values()), {}))
    return _table([corner, *names], [[name, *(f"{row.get(n, 0):g}" for n in names)] for name, row in rows.items()])


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "None.\n"
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines) + "\n"
