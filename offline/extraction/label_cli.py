"""``python -m offline label ONE_SHOT…``: which class and which lane single one-shots belong to."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from hitloopd.core.errors import HitloopError, UnavailableError
from offline.audio import read_sound, sound_files
from offline.extraction.classes import LANE_OF, NONE, load_references
from offline.extraction.listener import (
    LABELS,
    SHIPPED,
    Listener,
    Network,
    Together,
    lane_scores,
    neighbours,
    sound_shape,
)
from offline.extraction.pack import LANES
from offline.extraction.planted import trimmed

SOME_FAILED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``label``."""
    parser.add_argument("sounds", nargs="+", type=Path, metavar="ONE_SHOT", help="sound files or folders of them")
    parser.add_argument("--references", type=Path, metavar="DIR", help="let these vote too")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="say it as one JSON list")


def run(args: argparse.Namespace) -> int:
    """Label; 0 if every file could be read, 1 if some could not."""
    listener = _listener(args)
    rows: list[dict[str, Any]] = []
    failed = 0
    for path in sound_files(args.sounds):
        try:
            rows.append(label(path, listener))
        except HitloopError as error:
            failed += 1
            print(error, file=sys.stderr)
    if args.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(f"{row['confidence']:4.2f}  {row['lane']:7} {row['class']:11} {row['file']}")
    return SOME_FAILED if failed or not rows else 0


def _listener(args: argparse.Namespace) -> Listener:
    network = Network.load(args.weights) if args.weights.is_file() else None
    if args.references is None:
        if network is None:
            raise UnavailableError(f"The listener's weights {args.weights} are not there; give --references DIR.")
        return network
    alone = neighbours([(trimmed(item.sound), item.kind) for item in load_references(args.references).items])
    return Together(network, alone) if network is not None else alone


def label(path: Path, listener: Listener) -> dict[str, Any]:
    """One row: the file, its likeliest class and the lane with the greatest probability (or none).

    Raises:
        HitloopError: it can't be read, or is silent.
    """
    scores = listener.listen(sound_shape(trimmed(read_sound(path))))
    # a one-shot is a sound by itself: "nothing of the kind" is no answer here, toms and percussion are
    known = scores[:, :-1] / max(float(scores[0, :-1].sum()), 1e-9)
    whole = np.concatenate([known, np.zeros((1, 1), known.dtype)], axis=1)
    lanes = lane_scores(whole)[0]
    rest = 1.0 - float(lanes.sum())
    lane = NONE if rest > float(lanes.max()) else LANES[int(lanes.argmax())]
    fitting = [n for n, name in enumerate(LABELS[:-1]) if LANE_OF[name] == lane]
    kind = LABELS[max(fitting, key=lambda n: float(known[0, n]))]
    confidence = rest if lane == NONE else float(lanes.max())
    return {"file": str(path), "class": kind, "lane": lane, "confidence": round(min(confidence, 1.0), 4)}
