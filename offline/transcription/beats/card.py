"""The beat network as a file, with the card that says what it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from offline.models.beat_ear import BeatEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.beats.sense import INPUT, KIND, OUTPUT
from offline.transcription.beats.sight import CHANNELS
from offline.transcription.ear_card import write_ear
from offline.transcription.lessons.make import Places

EXAMPLE_FRAMES: Final = 2000


def write_model(folder: Path, nets: Sequence[BeatEar], training: Mapping[str, Any], places: Places) -> None:
    """``model.onnx`` and ``card.yaml``.

    Raises:
        ParityError: the file does not say what the networks say.
    """
    axes = {name: {0: "stretches", 2: "frames"} for name in (INPUT, OUTPUT)}
    example = torch.randn(2, CHANNELS, EXAMPLE_FRAMES, generator=torch.Generator().manual_seed(1))
    facts = {
        "made_by": "python -m offline.transcription.learn_beats",
        "input": f"{INPUT} float32 [stretches, {CHANNELS}, frames]: offline/transcription/beats/sight.py",
        "output": f"{OUTPUT} float32 [stretches, 2, frames]: probability of a beat, of the first beat of a bar",
    }
    plan = ExportPlan(Shipped(nets).eval(), (example,), (INPUT,), (OUTPUT,), axes, kind=KIND, card=facts)
    write_ear(folder, plan, training, {}, places)
