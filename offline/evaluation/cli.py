"""``python -m offline evaluate``: judge generators against a data set; one table, one page.

Finished pieces are kept in ``REPORT/.pieces``: stopped and started again it goes on; a new model costs only its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import UnavailableError
from hitloopd.generate.kinds import is_generator
from offline.evaluation.baselines import NEGATIVES
from offline.evaluation.reference import WHICH
from offline.evaluation.report import update_table, write
from offline.evaluation.sources import ASKS, Source, parse
from offline.evaluation.speed import speed
from offline.evaluation.verdict import summarise
from offline.evaluation.work import Plan, evaluate

BUILT_IN: Final = ("random", "rules")
SEEDS, COUNT, TIMED = 5, 1000, 300
QUICK_SEEDS, QUICK_COUNT, QUICK_TIMED = 1, 300, 50
NOT_SOUND: Final = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add = parser.add_argument
    add("--data", type=Path, required=True, help="data set folder (python -m offline dataset build)")
    add("--models", nargs="*", default=[], metavar="WHO", help="model folders, .npz files of rolls, generators' names")
    add("--baselines", action="store_true", help="also random and rules, and known failures to calibrate the gate on")
    add("--out", type=Path, required=True, metavar="REPORT", help="folder for the page")
    add("--seeds", type=int, default=None, help=f"how many times ({SEEDS})")
    add("--n", type=int, default=None, help=f"bars per seed ({COUNT})")
    add("--measure-bars", type=int, default=0, metavar="N", help="bars of each for the paper's measures (seeds x n)")
    add("--reference", choices=[*WHICH, "both"], default="both", help="which bars of the data set (both)")
    add(
        "--ask",
        choices=ASKS,
        default="data",
        help="what generators are asked for: as training bars are, or as a fresh config does",
    )
    add("--temperature", type=float, default=1.0, help="what generators are asked for (1)")
    add("--quick", action="store_true", help=f"{QUICK_SEEDS} seed of {QUICK_COUNT} bars, no classifiers: a first look")
    add("--jobs", type=int, default=1, help="processes; 0 is one per core")
    add("--no-speed", action="store_true", help="don't time anybody")
    add(
        "--table",
        type=Path,
        metavar="FILE",
        help="update the comparison in this file (models/README.md), keeping models that are not judged",
    )
    add("--json", action="store_true", help="print the summary as JSON and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Judge; 0, or 1 where the gate's calibration did not hold, or somebody could not be judged."""
    began = time.process_time()
    plan = _plan(arguments)
    found = evaluate(plan)
    summary = summarise(found)
    speeds = {} if arguments.no_speed else _speeds(plan, QUICK_TIMED if arguments.quick else TIMED)
    settings: dict[str, Any] = {
        "seeds": plan.seeds,
        "count": plan.count,
        "ask": arguments.ask,
        "temperature": arguments.temperature,
        "speeds": speeds,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        "refused": plan.refused,
    }
    page = write(arguments.out, summary, found, plan.sources, settings)
    if arguments.table is not None:
        update_table(arguments.table, summary, plan.sources, settings)
    if arguments.json:
        print(json.dumps({**settings, **summary}, indent=1))
    else:
        print(page.read_text(encoding="utf-8"))
        print(f"{page}: {time.process_time() - began:.0f} s of processor time in this process")
    sound = all((part["calibration"] or {}).get("sound", True) for part in summary["references"].values())
    return 0 if sound and not plan.refused else NOT_SOUND


def _plan(arguments: argparse.Namespace) -> Plan:
    quick = arguments.quick
    words = [*(BUILT_IN if arguments.baselines else ()), *filter(_judged, arguments.models)]
    sources: dict[str, Source] = {}
    for word in words:
        source = parse(word, temperature=arguments.temperature, ask=arguments.ask, dataset=arguments.data)
        sources[source.name] = source
    seeds = arguments.seeds if arguments.seeds is not None else QUICK_SEEDS if quick else SEEDS
    return Plan(
        data=arguments.data,
        sources=tuple(sources.values()),
        references=WHICH if arguments.reference == "both" else (arguments.reference,),
        seeds=seeds,
        count=arguments.n if arguments.n is not None else QUICK_COUNT if quick else COUNT,
        measured=arguments.measure_bars,
        failures=tuple(NEGATIVES) if arguments.baselines else (),
        two_sample=not quick,
        store=arguments.out / ".pieces",
        workers=arguments.jobs,
        quiet=arguments.json,
    )


def _judged(word: str) -> bool:
    """Not what else ``models/*`` has: README.md, models that make no bars."""
    path = Path(word)
    file = path.is_file() and path.suffix != ".npz"
    folder = path.is_dir() and not is_generator(path)
    if file or folder:
        print(f"offline evaluate: {word} is left out: it makes no bars and is no .npz of rolls.", file=sys.stderr)
    return not (file or folder)


def _speeds(plan: Plan, bars: int) -> dict[str, dict[str, float]]:
    """One after the other and after everything else, so that nobody is slowed by another."""
    speeds: dict[str, dict[str, float]] = {}
    for source in plan.sources:
        if source.kind in {"generator", "model"} and source.name not in plan.refused:
            try:
                speeds[source.name] = speed(source, bars)
            except UnavailableError as error:
                plan.refused[f"speed of {source.name}"] = str(error)
    return speeds
