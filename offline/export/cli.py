"""``python -m offline export RUN --data DIR --out models/NAME``: a training run becomes a model that plays.

Writes ``model.onnx``, ``index.zip``, ``card.yaml`` and ``CARD.md``; the folder's name is the generator's. The last file
written is the card, so a folder that was interrupted is refused by the daemon and not played by half.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import yaml

from hitloopd.core.errors import ArgumentError, ConfigError
from hitloopd.core.request import Request
from hitloopd.generate.card import CARD, ENCODING, MODEL
from hitloopd.generate.credits import INDEX
from hitloopd.generate.learned import Learned
from hitloopd.generate.novelty import index_bytes
from hitloopd.generate.roll import roll_from_pattern
from offline.dataset.store import Bars, load_bars
from offline.export.card import as_markdown, as_yaml, data_facts, training_facts
from offline.export.index import build, error, unseen
from offline.export.onnx_file import to_onnx
from offline.jobs import write_atomically
from offline.measures import cosine_distances, empty_ratio, pairs, unqualified_notes
from offline.training.config import parse
from offline.training.data import choose
from offline.training.recipe import recipe_module
from offline.training.run import RUN_FILE, open_run

LICENCE: Final = "MIT"
MEASURED: Final = 500
COMPARED: Final = 100
PAGE: Final = "CARD.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """The words of the command."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a run of 'offline train'")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data set that it learned from")
    parser.add_argument("--out", type=Path, required=True, metavar="models/NAME", help="folder of the model")
    parser.add_argument("--checkpoint", default="", help="file in RUN (default: best.pt where there is one)")
    parser.add_argument("--began-with", type=Path, metavar="RUN", help="the run whose weights it began with, if any")
    parser.add_argument("--licence", default=LICENCE, help=f"of the model ({LICENCE})")
    parser.add_argument("--report", type=Path, help="figures to put on the card: JSON, or evaluate's report.json")
    parser.add_argument("--json", action="store_true", help="print the card as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Export; 0 when the model is there and draws."""
    out: Path = arguments.out
    recipe, held = open_run(arguments.run_folder, arguments.checkpoint)
    config = parse(recipe_module(held.name).Config, held.config, str(arguments.run_folder))
    bars = load_bars(arguments.data)
    chosen = choose(bars, config)
    if chosen.key != held.data_key:
        raise ConfigError([f"{arguments.data}: these are not the bars that {arguments.run_folder} was trained on."])
    run_facts = _run_facts(arguments.run_folder)
    rows = np.union1d(chosen.train, _rows_before(arguments, run_facts, bars, held.data_key))
    plan = recipe.export_module()
    exported = to_onnx(plan)
    built = build(bars, rows)
    index = index_bytes(built.index)
    card: dict[str, Any] = {
        "name": out.name,
        "kind": plan.kind,
        "encoding": ENCODING,
        "sha256": hashlib.sha256(exported.data).hexdigest(),
        "bytes": len(exported.data),
        "index_sha256": hashlib.sha256(index).hexdigest(),
        "licence": arguments.licence,
        **plan.card,
        "training": training_facts(held, config, run_facts),
        "data": data_facts(bars, chosen, rows),
        "parity": dict(exported.parity),
        "novelty": {"fingerprints": len(built.grids), **error(built, unseen(bars, rows))},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / CARD).unlink(missing_ok=True)
    write_atomically(out / MODEL, exported.data)
    write_atomically(out / INDEX, index)
    write_atomically(out / CARD, as_yaml(card).encode())
    card["measures"] = _measures(out, arguments.report)
    write_atomically(out / PAGE, as_markdown(card).encode())
    write_atomically(out / CARD, as_yaml(card).encode())
    _say(arguments, card)
    return 0


def _rows_before(
    arguments: argparse.Namespace, facts: Mapping[str, Any], bars: Bars, own_key: str
) -> npt.NDArray[np.int64]:
    """The bars that the run began with had learned from: they are in its weights, so they are credited too.

    Raises:
        ConfigError: it began with another run's weights, and that run is not named, or another one is.
    """
    begun = facts.get("started_from")
    key = str(begun.get("data_key", own_key)) if isinstance(begun, Mapping) else own_key
    if arguments.began_with is None:
        if key != own_key:
            text = (
                "began with the weights of a run on other bars, which are to be credited too: name it by --began-with."
            )
            raise ConfigError([f"{arguments.run_folder}: {text}"])
        return np.zeros(0, dtype=np.int64)
    _, held = open_run(arguments.began_with)
    before = choose(bars, parse(recipe_module(held.name).Config, held.config, str(arguments.began_with)))
    if held.data_key != key or before.key != key:
        raise ConfigError([f"{arguments.began_with}: is not what {arguments.run_folder} began with, on these bars."])
    return before.train


def _measures(folder: Path, report: Path | None) -> dict[str, Any]:
    """The paper's three measures on bars as the daemon would play them, and what a report says of this model."""
    generator = Learned(folder)
    drawn = generator.generate_many([Request(folder.name, seed) for seed in range(MEASURED)])
    rolls = np.stack([roll_from_pattern(pattern.at(0.5)) for pattern in drawn])
    near = [pattern.provenance.nearest[0] for pattern in drawn if pattern.provenance.nearest]
    figures: dict[str, Any] = {
        "bars": MEASURED,
        "empty_ratio": round(float(empty_ratio(rolls).mean()), 4),
        "unqualified_notes": round(float(unqualified_notes(rolls).mean()), 4),
        "cosine_distance_of_100": round(float(pairs(cosine_distances(rolls[:COMPARED])).mean()), 4),
        "as_near_as_a_copy_to_a_training_bar": round(sum(one.cells == 0 for one in near) / max(len(near), 1), 4),
    }
    return figures | ({} if report is None else {"evaluation": _row(report, folder.name)})


def _row(report: Path, name: str) -> Mapping[str, Any]:
    """What a report says of one model: ``{"generators": {name: figures}}``, or figures alone."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(f"--report {report}: {error}.") from error
    rows = told.get("generators", {name: told}) if isinstance(told, dict) else {}
    if name not in rows:
        raise ArgumentError(f"--report {report} says nothing of '{name}', only of {', '.join(rows) or 'nobody'}.")
    figures: Mapping[str, Any] = rows[name]
    return figures


def _run_facts(folder: Path) -> Mapping[str, Any]:
    path = folder / RUN_FILE
    facts = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return facts if isinstance(facts, dict) else {}


def _say(arguments: argparse.Namespace, card: Mapping[str, Any]) -> None:
    if arguments.json:
        print(json.dumps(card, ensure_ascii=False))
        return
    print(
        f"{arguments.out}: {card['bytes']:,} bytes, {card['data']['bars']:,} bars learned from, "
        f"{card['novelty']['fingerprints']:,} fingerprints. It plays as '{card['name']}' where this folder is found.",
        file=sys.stderr,
    )
