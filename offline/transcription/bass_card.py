"""The bass network as a file, with the card that says what it learned from and how well it hears."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
import yaml

from offline.export.onnx_file import to_onnx
from offline.jobs import write_atomically
from offline.models.bass_ear import BassEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.bass_decode import Strictness
from offline.transcription.bass_ear import INPUT, KIND, OUTPUTS
from offline.transcription.bass_sight import HOP_S, LOWEST, PITCHES, SIZE
from offline.transcription.lesson_credits import lesson_facts
from offline.transcription.lessons import Places
from offline.transcription.scores import Tally

EXAMPLE_FRAMES: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What came out of a training.

    Args:
        net: the network.
        strictness: with notes.
        scores: on the validation lessons.
        training: settings and processor time.
    """

    net: BassEar
    strictness: Strictness
    scores: Mapping[str, Tally]
    training: Mapping[str, Any]


def write_model(folder: Path, taught: Taught, places: Places) -> None:
    """``model.onnx`` and ``card.yaml``.

    Raises:
        ParityError: the file does not say what the network says.
    """
    net = taught.net.eval().to(memory_format=torch.contiguous_format)
    axes = {name: {0: "stretches", 1: "frames"} for name in (INPUT, *OUTPUTS)}
    example = (torch.rand(2, EXAMPLE_FRAMES, SIZE),)
    plan = ExportPlan(Shipped(net).eval(), example, (INPUT,), OUTPUTS, axes, kind=KIND)
    exported = to_onnx(plan)
    card = {
        "kind": KIND,
        "name": KIND,
        "made_by": "python -m offline.transcription.learn_bass",
        "licence": "MIT",
        "input": f"{INPUT} float32 [stretches, frames, {SIZE}]: offline/transcription/bass_sight.py",
        "frame_s": round(HOP_S, 6),
        "output": f"{OUTPUTS[0]} float32 [stretches, frames]; {OUTPUTS[1]} float32 [stretches, frames, {PITCHES + 1}]: "
        f"MIDI notes from {LOWEST}, and silence",
        "strictness": asdict(taught.strictness),
        "sha256": hashlib.sha256(exported.data).hexdigest(),
        "bytes": len(exported.data),
        "parameters": sum(part.numel() for part in net.parameters()),
        "parity": dict(exported.parity),
        "training": dict(taught.training) | {"torch": str(torch.__version__)},
        "validation": {
            "of": "lessons from songs, performances and one-shots that were not learned from",
            "f_measure": {name: round(score.f, 3) for name, score in taught.scores.items()},
        },
    } | lesson_facts(places)
    write_atomically(folder / "model.onnx", exported.data)
    text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / "card.yaml", text.encode())
