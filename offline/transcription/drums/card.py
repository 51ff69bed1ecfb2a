"""The drum network as a file, with the card that says what it learned from and how well it hears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from hitloopd.core.pattern import DRUM_LANES
from offline.models.drum_ear import DrumEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.drums.pages import LANES
from offline.transcription.drums.peaks import Rule
from offline.transcription.drums.spectrum import HOP, SIZE
from offline.transcription.ear_card import write_ear
from offline.transcription.judging.scores import Tally
from offline.transcription.lessons.make import Places

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
    facts = {
        "made_by": "python -m offline.transcription.learn_drums",
        "input": f"levels float32 [stretches, frames, {SIZE}]: offline/transcription/drums/spectrum.py, hop {HOP}",
        "output": f"onsets, velocities float32 [stretches, frames, {LANES}]",
        "lanes": [lane.value for lane in DRUM_LANES],
        "hits": {lane.value: rule._asdict() for lane, rule in zip(DRUM_LANES, taught.rules, strict=True)},
    }
    plan = ExportPlan(
        Shipped(net, LANES).eval(),
        (torch.rand(2, EXAMPLE_FRAMES, SIZE),),
        ("levels",),
        ("onsets", "velocities"),
        axes,
        kind="drum-ear",
        card=facts,
    )
    write_ear(folder, plan, taught.training, taught.scores, places)
