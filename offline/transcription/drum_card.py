"""The drum network as a file, with the card that says what it learned from and how well it hears."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
import yaml

from hitloopd.core.pattern import DRUM_LANES
from offline.export.onnx_file import to_onnx
from offline.jobs import write_atomically
from offline.models.drum_ear import DrumEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.drum_pages import LANES
from offline.transcription.drum_peaks import Rule
from offline.transcription.drum_spectrum import HOP, SIZE
from offline.transcription.lesson_credits import lesson_facts
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
    } | lesson_facts(places)
    write_atomically(folder / "model.onnx", exported.data)
    text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / "card.yaml", text.encode())
