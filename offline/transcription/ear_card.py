"""A network that hears, as a file, with the card that says what it takes and tells and what it learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from hitloopd.generate.card import CARD, MODEL
from offline.export.onnx_file import to_onnx
from offline.jobs import write_atomically
from offline.training.recipe import ExportPlan
from offline.transcription.judging.scores import Tally
from offline.transcription.lessons.credits import lesson_facts
from offline.transcription.lessons.make import Places


def write_ear(
    folder: Path,
    plan: ExportPlan,
    training: Mapping[str, Any],
    scores: Mapping[str, Tally],
    places: Places,
) -> None:
    """``model.onnx`` and ``card.yaml``.

    Args:
        folder: of the model.
        plan: the network, its inputs and outputs, and what the card says of them; its kind is the model's name.
        training: settings and processor time.
        scores: on the validation lessons; may be empty.
        places: of the material of the lessons.

    Raises:
        ParityError: the file does not say what the network says.
    """
    exported = to_onnx(plan)
    card: dict[str, Any] = {
        "kind": plan.kind,
        "name": folder.name,
        "licence": "MIT",
        **plan.card,
        "sha256": hashlib.sha256(exported.data).hexdigest(),
        "bytes": len(exported.data),
        "parameters": sum(part.numel() for part in plan.module.parameters()),
        "parity": dict(exported.parity),
        "training": dict(training) | {"torch": str(torch.__version__)},
    }
    if scores:
        card["validation"] = {
            "of": "lessons from songs, performances and one-shots that were not learned from",
            "f_measure": {name: round(score.f, 3) for name, score in scores.items()},
        }
    write_atomically(folder / MODEL, exported.data)
    text = yaml.safe_dump(card | lesson_facts(places), sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / CARD, text.encode())
