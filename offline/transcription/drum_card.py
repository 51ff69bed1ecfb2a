"""The drum network as a file, with the card that says what it learned from and how well it hears."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
import yaml

from hitloopd.core.pattern import DRUM_LANES
from offline.catalogue import source_of
from offline.export.onnx_file import to_onnx
from offline.extraction.classes import reference_files
from offline.extraction.lessons import kit_of
from offline.jobs import write_atomically
from offline.models.drum_ear import DrumEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.drum_pages import LANES
from offline.transcription.drum_peaks import Rule
from offline.transcription.drum_spectrum import HOP, SIZE
from offline.transcription.lesson_kits import JUDGED_KITS, NO_DRUMS
from offline.transcription.lesson_songs import training_files
from offline.transcription.lessons import Places
from offline.transcription.scores import Tally

EXAMPLE_FRAMES: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What came out of a training.

    Args:
        net: the network.
        rules: which peaks are hits, of each lane.
        scores: of each lane on the validation lessons.
        training: settings and processor time.
    """

    net: DrumEar
    rules: Sequence[Rule]
    scores: Mapping[str, Tally]
    training: Mapping[str, Any]


def write_model(folder: Path, taught: Taught, places: Places) -> None:
    """``model.onnx`` and ``card.yaml``.

    Raises:
        ParityError: the file does not say what the network says.
    """
    net = taught.net.eval().to(memory_format=torch.contiguous_format)
    axes = {name: {0: "stretches", 1: "frames"} for name in ("levels", "onsets", "velocities")}
    plan = ExportPlan(
        Shipped(net, LANES).eval(),
        (torch.rand(2, EXAMPLE_FRAMES, SIZE),),
        ("levels",),
        ("onsets", "velocities"),
        axes,
        kind="drum-ear",
    )
    exported = to_onnx(plan)
    card = {
        "kind": "drum-ear",
        "name": "drum-ear",
        "made_by": "python -m offline.transcription.learn_drums",
        "licence": "MIT",
        "input": f"levels float32 [stretches, frames, {SIZE}]: offline/transcription/drum_spectrum.py, hop {HOP}",
        "output": f"onsets, velocities float32 [stretches, frames, {LANES}]",
        "lanes": [lane.value for lane in DRUM_LANES],
        "hits": {lane.value: rule._asdict() for lane, rule in zip(DRUM_LANES, taught.rules, strict=True)},
        "sha256": hashlib.sha256(exported.data).hexdigest(),
        "bytes": len(exported.data),
        "parameters": sum(part.numel() for part in net.parameters()),
        "parity": dict(exported.parity),
        "training": dict(taught.training) | {"torch": str(torch.__version__)},
        "validation": {
            "of": "lessons from songs, performances and one-shots that were not learned from",
            "f_measure": {lane: round(score.f, 3) for lane, score in taught.scores.items()},
        },
        "kept_out": "the songs that transcription is judged on, the one-shot kits "
        + " and ".join(sorted(JUDGED_KITS))
        + ", the drum presets of the sound font",
        "also_taught_with": [
            "FluidR3 GM sound font, its pitched instruments, rendered by fluidsynth; Frank Wen and contributors; MIT",
            "patterns of the generator rules, kits and basses synthesised by hitloopd itself; MIT",
        ],
        "sources": _credits(places),
    }
    write_atomically(folder / "model.onnx", exported.data)
    text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / "card.yaml", text.encode())


def _credits(places: Places) -> list[dict[str, Any]]:
    """Who made what it learned from: how many files of whom, under which licence."""
    kept_out = JUDGED_KITS | NO_DRUMS
    sounds = [
        path for path, kind in reference_files(places.oneshots) if kind != "bass" and kit_of(path.name) not in kept_out
    ]
    folders = {
        "freedoom": training_files(places.midi / "freedoom"),
        "groove": training_files(places.midi / "groove"),
        "oneshots": sounds,
    }
    return [row for folder, files in folders.items() for row in _grouped(folder, files)]


def _grouped(folder: str, files: Iterable[Path]) -> list[dict[str, Any]]:
    counts = Counter((source.author, source.licence) for source in map(source_of, files))
    return [
        {"folder": folder, "author": author, "licence": licence, "files": count}
        for (author, licence), count in sorted(counts.items())
    ]
