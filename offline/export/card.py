"""The model card: ``card.yaml`` for programs, ``CARD.md`` for people. Both are written by the export, never by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import yaml

from offline.dataset.store import Bars
from offline.training.checkpoint import Checkpoint
from offline.training.config import TrainingConfig, plain
from offline.training.data import Chosen

_AUTHORS_SHOWN: Final = 40


def data_facts(bars: Bars, chosen: Chosen, rows: npt.NDArray[np.int64]) -> dict[str, Any]:
    """What the model learned from, and whose it is.

    Args:
        bars: the data set.
        chosen: what its run was trained on.
        rows: these and the bars of the run it began with.
    """
    licences = Counter(np.asarray(bars.licence)[rows].tolist())
    return {
        "encoding": bars.facts.get("encoding"),
        "bars": len(rows),
        "bars_with_bass": int(np.asarray(bars.has_bass)[rows].sum()),
        "bars_of_its_own_run": len(chosen.train),
        "share_of_the_training_bars": round(len(chosen.train) / max(chosen.available, 1), 4),
        "training_bars_in_data_set": chosen.whole,
        "songs": len(set(np.asarray(bars.song)[rows].tolist())),
        "licences": {name or "none stated": count for name, count in sorted(licences.items())},
        "unknown_licences_allowed": bool(bars.facts.get("unknown licences allowed", False)),
        "authors": _authors(bars, rows),
    }


def training_facts(held: Checkpoint, config: TrainingConfig, run: Mapping[str, Any]) -> dict[str, Any]:
    """How it was trained; times and machine as the run noted them."""
    facts: dict[str, Any] = {
        "recipe": held.name,
        "epochs": held.progress.epoch,
        "seed": config.seed,
        "seconds": round(held.progress.seconds, 1),
        "cpu_seconds": round(held.progress.cpu_seconds, 1),
        "settings": plain(config),
    }
    for key in ("device", "torch", "started_from"):
        if key in run:
            facts[key] = run[key]
    return facts


def as_yaml(card: Mapping[str, Any]) -> str:
    """``card.yaml``."""
    head = "# Written by: python -m offline export. Its hashes and figures belong to the files beside it.\n"
    return head + yaml.safe_dump(dict(card), sort_keys=False, allow_unicode=True, width=120)


def as_markdown(card: Mapping[str, Any]) -> str:
    """``CARD.md``."""
    data, training = card["data"], card["training"]
    lines = [
        f"# {card['name']}",
        "",
        "Written by `python -m offline export` from `card.yaml`.",
        "",
        *_table(
            {
                "kind": card["kind"],
                "parameters": _number(card.get("parameters")),
                "model.onnx": f"{_number(card['bytes'])} bytes, sha256 `{card['sha256']}`",
                "weights kept as": card["parity"]["weights"],
                "encoding": card["encoding"],
                "licence of the model": card["licence"],
            }
        ),
        "",
        "## Training",
        "",
        *_table(
            {
                "recipe": training["recipe"],
                "epochs": training["epochs"],
                "seed": training["seed"],
                "bars": f"{_number(data['bars_of_its_own_run'])}, {data['share_of_the_training_bars']:.0%} of those "
                "that its settings let through",
                "bars in its weights": f"{_number(data['bars'])} ({_number(data['bars_with_bass'])} with bass) of "
                f"{_number(data['songs'])} songs",
                "time": f"{training['seconds']:.0f} s, {training['cpu_seconds']:.0f} s of processor",
                "on": f"{training.get('device', 'not noted')}, torch {training.get('torch', 'not noted')}",
            }
        ),
        "",
        "## Measures",
        "",
        *(_table(_flat(card["measures"])) if card.get("measures") else ["None taken."]),
        "",
        "## Torch against ONNX",
        "",
        *_table(card["parity"]),
        "",
        "## Novelty",
        "",
        "Every bar it draws is looked up in `index.zip`: fingerprints of the bars it learned from, with their credits.",
        "In cells of the 16 x 5 grid, against the exact distance:",
        "",
        *_table(card["novelty"]),
        "",
        "## Whose music it learned from",
        "",
        *_table({name: f"{_number(count)} bars" for name, count in data["licences"].items()}),
        "",
        *_author_lines(data["authors"]),
        "",
        f"Every song: `hitloopd credits --model {card['name']} --json`.",
        "",
    ]
    return "\n".join(lines)


def _authors(bars: Bars, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    songs: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        key = str(bars.author[row]), str(bars.licence[row])
        counts[key] += 1
        songs.setdefault(key, set()).add(str(bars.song[row]))
    return [
        {"author": author, "licence": licence, "bars": count, "songs": len(songs[author, licence])}
        for (author, licence), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _author_lines(authors: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [
        f"- {row['author'] or 'unknown'} ({row['licence'] or 'no licence stated'}): {_number(row['bars'])} bars, "
        f"{_number(row['songs'])} songs"
        for row in authors[:_AUTHORS_SHOWN]
    ]
    more = len(authors) - _AUTHORS_SHOWN
    return [*shown, f"- and {more} more in `card.yaml`"] if more > 0 else shown


def _flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, Mapping):
            out |= _flat(value, f"{prefix}{name}: ")
        else:
            out[f"{prefix}{name}"] = value
    return out


def _table(rows: Mapping[str, Any]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {str(name).replace('_', ' ')} | {value} |" for name, value in rows.items())]


def _number(value: Any) -> str:  # noqa: ANN401 - whatever stands in a card
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
