"""The pieces of an evaluation, each one a job that is kept: stopped and started again, only what is missing is done.

Conventions: a job's key follows from everything that decides its result: the data set's bytes, who is judged (model and
drawing code), the seed, the sizes, and ``VERSION`` of the judge. Speed is never kept: it belongs to the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.errors import HitloopError
from offline.dataset.store import BARS_FILE
from offline.evaluation import portrait as figures
from offline.evaluation.control import control, rowmix_lanes
from offline.evaluation.reference import Which, reference
from offline.evaluation.sources import DEAF, Source, baseline, fingerprint, is_model_of, raw_rolls, rolls
from offline.jobs import Job, Refused, file_hash, job_key, run_jobs

VERSION: Final = 2  # of what is measured: raise it when a figure means something else
PIECE: Final = 5000  # bars drawn at once for the paper's measures
RAW: Final = 2000  # bars of the network alone
PAPER_SEED: Final = 1000  # the pieces' seeds, away from the portraits'

OTHER: Final = Source("real, other songs", "baseline", "other")
"""Bars of the validation songs: did the calibration on the test songs hold?"""

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Args:
        data: data set folder.
        sources: who is judged, beside real bars and known failures.
        references: against what.
        seeds: how many times.
        count: bars per seed.
        measured: bars for the paper's measures; those of the seeds are used where they are enough.
        failures: names of known failures, empty to leave the gate uncalibrated.
        two_sample: with the classifiers.
        store: where finished pieces are.
        workers: processes.
        quiet: no progress.
    """

    data: Path
    sources: tuple[Source, ...]
    references: tuple[Which, ...]
    seeds: int
    count: int
    measured: int
    failures: tuple[str, ...]
    two_sample: bool
    store: Path
    workers: int = 1
    quiet: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    """Sources that could not be judged, and why; filled as it turns out."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One portrait's sizes: bars, the judge's seed, with the classifiers or without."""

    count: int
    seed: int
    two_sample: bool


def portrait_job(data: Path, which: Which, source: Source, sitting: Sitting) -> Found:
    """One portrait."""
    held = reference(data, which)
    if source == OTHER:
        bars = held.other[np.random.default_rng(sitting.seed).permutation(len(held.other))[: sitting.count]]
    else:
        bars = rolls(source, held, sitting.count, sitting.seed)
    return figures.portrait(bars, held, sitting.seed, two_sample=sitting.two_sample)


def paper_job(data: Path, which: Which, source: Source, count: int, piece: int) -> Found:
    """The paper's measures of more bars."""
    return figures.paper_sums(rolls(source, reference(data, which), count, PAPER_SEED + piece))


def raw_job(source: Source, count: int) -> Found:
    """The paper's measures of what the network itself draws."""
    return figures.paper_sums(raw_rolls(source, count, PAPER_SEED))


def data_job(data: Path, which: Which) -> Found:
    """The paper's measures of the training bars, with their error if songs and not bars are what is drawn by chance."""
    held = reference(data, which)
    sums = figures.paper_sums(held.material.training)
    return {
        **sums,
        "heat": figures.heat(held.material.training),
        "song_error": figures.song_errors(held.material.training, held.songs),
    }


def control_job(data: Path, source: Source, seeds: int) -> Found:
    """How a generator is told what to do."""
    return control(source, reference(data, "whole"), seeds)


def lanes_job(data: Path, seeds: int) -> Found:
    """Lanes of other bars: what the others are compared with."""
    return rowmix_lanes(reference(data, "whole"), seeds)


def evaluate(plan: Plan) -> Found:
    """All figures, by reference and source; what could not be judged is in ``plan.refused``."""
    data_key = file_hash(plan.data / BARS_FILE) if (plan.data / BARS_FILE).is_file() else ""
    for which in plan.references:
        reference(plan.data, which)  # so that a missing data set is told at once
    sources = _able(plan)
    found: Found = {"references": {}, "control": {}, "raw": {}}
    for which in plan.references:
        found["references"][which] = {
            "data": _one(plan, "data set's row", data_job, (plan.data, which), (data_key, which)),
            "portraits": _portraits(plan, which, sources, data_key),
            "paper": _papers(plan, which, sources, data_key),
        }
    for source, key in sources.items():
        if source.kind in {"generator", "model"}:
            arguments = (plan.data, source, plan.seeds)
            told = _one(
                plan, f"control of {source.name}", control_job, arguments, (data_key, _plain(source), key, plan.seeds)
            )
            if told is not None:
                found["control"][source.name] = told
        if is_model_of(source, DEAF):
            raw = _one(plan, f"network of {source.name}", raw_job, (source, RAW), (_plain(source), key, RAW))
            if raw is not None:
                found["raw"][source.name] = raw
    if found["control"]:
        found["control"]["rowmix"] = _one(
            plan, "lanes of rowmix", lanes_job, (plan.data, plan.seeds), (data_key, plan.seeds)
        )
    return found


def _able(plan: Plan) -> dict[Source, str]:
    """The sources that open, with their fingerprints."""
    out: dict[Source, str] = {}
    for source in plan.sources:
        try:
            out[source] = fingerprint(source)
        except HitloopError as error:
            plan.refused[source.name] = str(error)
    return out


def _portraits(plan: Plan, which: Which, sources: dict[Source, str], data_key: str) -> dict[str, list[Found]]:
    cast = {baseline(name): name for name in ("real", "rowmix", *plan.failures)} | {OTHER: "other"}
    jobs: list[Job] = []
    whose: list[str] = []
    for source, key in {**cast, **sources}.items():
        for seed in range(plan.seeds):
            sitting = Sitting(plan.count, seed, plan.two_sample)
            key_parts = (data_key, which, _plain(source), key, sitting)
            jobs.append(_job("portrait", (plan.data, which, source, sitting), key_parts))
            whose.append(source.name)
    return _gather(plan, portrait_job, jobs, whose, f"{which} bars")


def _papers(plan: Plan, which: Which, sources: dict[Source, str], data_key: str) -> dict[str, list[Found]]:
    """The pieces beyond what the portraits have drawn."""
    pieces = -(-plan.measured // PIECE) if plan.measured > plan.seeds * plan.count else 0
    jobs: list[Job] = []
    whose: list[str] = []
    for source, key in sources.items():
        for piece in range(0 if source.kind == "rolls" else pieces):
            size = min(PIECE, plan.measured - piece * PIECE)
            jobs.append(
                _job(
                    "paper",
                    (plan.data, which, source, size, piece),
                    (data_key, which, _plain(source), key, size, piece),
                )
            )
            whose.append(source.name)
    return _gather(plan, paper_job, jobs, whose, f"{which} bars, the paper's measures")


def _gather(plan: Plan, function: Any, jobs: Sequence[Job], whose: Sequence[str], label: str) -> dict[str, list[Found]]:  # noqa: ANN401 - a job's function
    found: dict[str, list[Found]] = {}
    results = run_jobs(function, jobs, plan.store, workers=plan.workers, label=label, quiet=plan.quiet)
    for name, (_, result) in zip(whose, results, strict=True):
        if isinstance(result, Refused):
            plan.refused[name] = result.reason
        else:
            found.setdefault(name, []).append(result)
    return {name: portraits for name, portraits in found.items() if name not in plan.refused}


def _one(plan: Plan, label: str, function: Any, arguments: tuple[Any, ...], key: tuple[object, ...]) -> Found | None:  # noqa: ANN401 - as above
    jobs = [_job(label, arguments, key)]
    ((_, result),) = run_jobs(function, jobs, plan.store, workers=1, label=label, quiet=plan.quiet)
    if isinstance(result, Refused):
        plan.refused[label] = result.reason
        return None
    found: Found = result
    return found


def _job(what: str, arguments: tuple[Any, ...], key: tuple[object, ...]) -> Job:
    return Job(job_key(VERSION, what, *key), arguments)


def _plain(source: Source) -> tuple[object, ...]:
    """What of a source decides its bars, beside its fingerprint: not where it lies."""
    return source.kind, source.temperature, source.ask
