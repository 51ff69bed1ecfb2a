"""The bass network as a file, with the card that says what it learned from and how well it hears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from offline.models.bass_ear import BassEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.bass.decode import Strictness
from offline.transcription.bass.ear import INPUT, KIND, OUTPUTS
from offline.transcription.bass.sight import HOP_S, LOWEST, PITCHES, SIZE
from offline.transcription.ear_card import write_ear
from offline.transcription.judging.scores import Tally
from offline.transcription.lessons.make import Places

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
    facts = {
        "made_by": "python -m offline.transcription.learn_bass",
        "input": f"{INPUT} float32 [stretches, frames, {SIZE}]: offline/transcription/bass/sight.py",
        "frame_s": round(HOP_S, 6),
        "output": f"{OUTPUTS[0]} float32 [stretches, frames]; {OUTPUTS[1]} float32 [stretches, frames, {PITCHES + 1}]: "
        f"MIDI notes from {LOWEST}, and silence",
        "strictness": asdict(taught.strictness),
    }
    plan = ExportPlan(Shipped(net).eval(), example, (INPUT,), OUTPUTS, axes, kind=KIND, card=facts)
    write_ear(folder, plan, taught.training, taught.scores, places)
