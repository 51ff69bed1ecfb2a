"""The beat network as a file, with the card that says what it learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
import yaml

from offline.export.onnx_file import to_onnx
from offline.jobs import write_atomically
from offline.models.beat_ear import BeatEar, Shipped
from offline.training.recipe import ExportPlan
from offline.transcription.beat_sense import INPUT, KIND, OUTPUT
from offline.transcription.beat_sight import CHANNELS
from offline.transcription.lesson_credits import lesson_facts
from offline.transcription.lessons import Places

EXAMPLE_FRAMES: Final = 2000


def write_model(folder: Path, net: BeatEar, training: Mapping[str, Any], places: Places) -> None:
    """``model.onnx`` and ``card.yaml``.

    Raises:
        ParityError: the file does not say what the network says.
    """
    axes = {name: {0: "stretches", 2: "frames"} for name in (INPUT, OUTPUT)}
    example = torch.randn(2, CHANNELS, EXAMPLE_FRAMES, generator=torch.Generator().manual_seed(1))
    plan = ExportPlan(Shipped(net).eval(), (example,), (INPUT,), (OUTPUT,), axes, kind=KIND)
    exported = to_onnx(plan)
    card: dict[str, Any] = {
        "kind": KIND,
        "name": KIND,
        "made_by": "python -m offline.transcription.learn_beats",
        "licence": "MIT",
        "input": f"{INPUT} float32 [stretches, {CHANNELS}, frames]: offline/transcription/beat_sight.py",
        "output": f"{OUTPUT} float32 [stretches, 2, frames]: probability of a beat, of the first beat of a bar",
        "sha256": hashlib.sha256(exported.data).hexdigest(),
        "bytes": len(exported.data),
        "parameters": sum(part.numel() for part in net.parameters()),
        "parity": dict(exported.parity),
        "training": dict(training) | {"torch": str(torch.__version__)},
        **lesson_facts(places),
    }
    write_atomically(folder / "model.onnx", exported.data)
    text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / "card.yaml", text.encode())
