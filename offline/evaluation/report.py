"""Writes the page: ``report.md`` with its pictures, ``report.json``, and the comparison in ``models/README.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hitloopd.generate.card import read_card
from offline.evaluation import comparison, pictures, tables
from offline.evaluation.baselines import NEGATIVES
from offline.evaluation.reference import TITLES
from offline.evaluation.sources import Source
from offline.evaluation.verdict import for_card, goals
from offline.jobs import write_atomically

Found = Mapping[str, Any]
INTRODUCTION: Final = """\
Written by `python -m offline evaluate`; the same data, models and seeds give the same page (but for speed). The mean
over {seeds} seeds of {count} bars each, ± the standard deviation over seeds. Every seed compares with another sample of
training bars. Generators are asked {ask}.

- **gate**: in how many seeds every calibrated check is passed (below).
- **precision, recall, density, coverage**: k nearest neighbours, k = 5, on the 16 x 5 grid.
- **equal in 100**: bars of a hundred that repeat one before them. **copies**, **within 2 cells**: of any training bar.
- **AUC**: how well a small classifier tells drawn from training bars; 0.5 is not at all. 600 bars a side, three folds
  by song, the higher of boosted trees and a small net. *hits*: 16 x 5 and bass intervals; *full*: 128 steps, velocity,
  timing and length too. What real bars of unseen songs get (**real**, {tested}) is as good as it needs to be.
- *Italics*: known failures that the gate must stop.
"""
LEGEND: Final = """\
{seeds} seeds of {count} bars, asked {ask}. *gate*: seeds in which every calibrated check is passed. *AUC*: real or
drawn, told by a small classifier; 0.5 is not at all. *copies*: of training bars, and within two cells of one. *empty /
short / cosine*: the paper's three measures, off the training bars' own. *lane AUC*: whole real bars or the same with
one lane drawn anew to fit the others. *energy*: Spearman of target and measured. *p99 / processor*: of one bar, one
thread, by the clock, and the processor's time alone, which others on the machine don't add to.
"""
CONTROL: Final = """\
Ten energy targets, the same seeds at each. A lane of a whole unseen bar drawn anew: real against completed bars, on
*hits*, both in their song's fold. Morphing in sixteen steps, cells of the 16 x 5 grid.
"""
LIKENESS: Final = """\
Overlapping area (Yang and Lerch; 1 is the same) of density, syncopation and onset spacing, mean of five lanes; how far
timing (steps of 15 ticks) and velocity (0..1) would have to be moved to be the real ones; neighbours on the whole roll.
"""
SPEED: Final = """\
One thread, a process of its own, on this machine, which had {load:.1f} processes waiting to run on average meanwhile:
above the number of its cores, wall-clock figures say more about the others.
"""
WAYS: Final = {
    "data": "for the style (and, where they follow it, the energy) of training bars picked at random",
    "plain": "as `hitloopd generate` asks with a fresh config",
}


def write(folder: Path, summary: Found, found: Found, sources: Sequence[Source], settings: Found) -> Path:
    """The page and its pictures; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Evaluation\n", _introduction(settings)]
    for which, part in summary["references"].items():
        parts.append(_reference(folder, which, part, found["references"][which], summary["raw"]))
    told = summary["control"]
    if told:
        pictures.energies(folder / "energy.png", told)
        parts += [
            "## Control\n",
            CONTROL,
            tables.control(told),
            "![energy](energy.png)\n",
        ]
    if settings["speeds"]:
        parts += ["## Speed\n", SPEED.format(load=settings["load"]), tables.speed(settings["speeds"])]
    parts += _goals(summary, sources, settings["speeds"])
    if settings["refused"]:
        parts += ["## Not judged\n", *(f"- {name}: {why}\n" for name, why in settings["refused"].items())]
    page = folder / "report.md"
    write_atomically(page, "\n".join(parts).encode())
    cards = {source.name: for_card(dict(summary), source.name, settings["speeds"]) for source in sources}
    everything = {**settings, **summary, "generators": cards}
    write_atomically(folder / "report.json", (json.dumps(everything, indent=1) + "\n").encode())
    return page


def update_table(path: Path, summary: Found, sources: Sequence[Source], settings: Found) -> None:
    """Put the comparison into a file; see ``comparison.put``."""
    facts = {"real": "bars of unseen songs", "rowmix": "every lane from another real bar"}
    facts |= {source.name: _what(source) for source in sources if source.name not in settings["refused"]}
    legend = LEGEND.format(seeds=settings["seeds"], count=settings["count"], ask=WAYS[settings["ask"]])
    comparison.put(path, tables.overview(summary, facts, settings["speeds"]), legend)


def _introduction(settings: Found) -> str:
    return INTRODUCTION.format(
        seeds=settings["seeds"],
        count=settings["count"],
        ask=WAYS[settings["ask"]],
        tested="the data set's test songs",
    )


def _reference(folder: Path, which: str, part: Found, found: Found, raw: Found) -> str:
    rows = part["rows"]
    maps = {"training bars": found["data"]["heat"] / 255}
    maps |= {name: several[0]["heat"] / 255 for name, several in found["portraits"].items()}
    pictures.heat_maps(folder / f"distances-{which}.png", maps)
    playing = {name: row for name, row in rows.items() if name not in NEGATIVES}  # those borrow real hits
    pictures.feels(folder / f"feel-{which}.png", playing)
    parts = [f"## {TITLES[which]}\n", tables.verdicts(part)]
    if part["calibration"] is not None:
        pictures.checks(folder / f"gate-{which}.png", rows, part["calibration"]["thresholds"])
    parts += ["### The gate and its calibration\n", tables.calibration(part)]
    if part["calibration"] is not None:
        parts.append(f"![gate](gate-{which}.png)\n")
    parts += [
        "### The paper's measures\n",
        tables.paper(part, raw if which == "whole" else {}),
        f"![cosine distances of 100 bars](distances-{which}.png)\n",
        "### Likeness\n",
        LIKENESS,
        tables.likeness(part),
        f"![timing and velocity](feel-{which}.png)\n",
    ]
    return "\n".join(parts)


def _goals(summary: Found, sources: Sequence[Source], speeds: Found) -> list[str]:
    parts: list[str] = []
    for source in sources:
        for which, part in summary["references"].items():
            if source.kind == "model" and source.name in part["rows"]:
                reached = goals(dict(summary), source.name, which, speeds)
                met = f"{sum(goal.met for goal in reached)} of {len(reached)} met"
                parts += [f"### {source.name}, {TITLES[which].lower()}: {met}\n", tables.goals(reached)]
    return ["## Goals\n", *parts] if parts else []


def _what(source: Source) -> str:
    """A line about a source, for the table: of models what their card says of the training."""
    if source.kind != "model":
        return {"random": "coin flip", "rules": "tables of styles"}.get(source.name, source.kind)
    fields: Any = read_card(Path(source.where)).fields
    words = [str(fields["kind"])]
    if isinstance(fields.get("parameters"), int):
        words.append(f"{fields['parameters'] / 1e6:.1f} M parameters")
    training, data = fields.get("training"), fields.get("data")
    if isinstance(training, Mapping) and "epochs" in training:
        words.append(f"{training['epochs']} epochs")
    if isinstance(data, Mapping) and "bars" in data:
        words.append(f"{data['bars']} bars, {data.get('share_of_the_training_bars', 1):.0%}")
    return ", ".join(words)
