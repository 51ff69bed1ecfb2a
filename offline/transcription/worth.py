"""Are bars out of songs worth having? ``python -m offline.transcription.worth --midi CORPUS… --audio SONG… --out DIR``.

Trains the same generator twice, on bars of notes alone and on these together with the bars heard in songs, and judges
both against either data set: two pages of ``evaluate``, ``DIR/on-notes`` and ``DIR/on-both``. It is a chain of the
commands ``dataset build``, ``train``, ``export`` and ``evaluate``; interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from offline.__main__ import main as command
from offline.export.cli import PAGE
from offline.training.checkpoint import LAST

NOTES: Final = "notes"
BOTH: Final = "both"
JUDGE: Final = "evaluate"

Words = list[str]


def main(words: Sequence[str] | None = None) -> int:
    """Do what is left of it; 0, or the exit code of what failed. A page that has something to object to is a page."""
    parser = argparse.ArgumentParser(prog="python -m offline.transcription.worth", description=__doc__)
    parser.add_argument("--midi", nargs="+", type=Path, required=True, metavar="CORPUS", help="folders of MIDI files")
    parser.add_argument(
        "--audio", nargs="+", type=Path, required=True, metavar="SONG", help="songs, or transcribed ones"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="data sets, runs, models and pages")
    parser.add_argument("--generator", default="weave", help="what to train (default: weave)")
    parser.add_argument("--epochs", type=int, help="(default: the settings' own)")
    parser.add_argument("--seeds", type=int, help="of the judgement (default: its own)")
    arguments = parser.parse_args(words)
    worst = 0
    for step in steps(arguments):
        print(f"offline {' '.join(step)}", file=sys.stderr)
        worst = max(worst, command(step))
        if worst and step[0] != JUDGE:
            break
    return worst


def steps(given: argparse.Namespace) -> Iterator[Words]:
    """The commands that are still to be run, in order; each looks at what the ones before it left."""
    out: Path = given.out
    midi, audio = [str(path) for path in given.midi], [str(path) for path in given.audio]
    yield ["dataset", "build", *midi, "--out", str(out / NOTES)]
    yield ["dataset", "build", *midi, "--audio", *audio, "--out", str(out / BOTH)]
    for name in (NOTES, BOTH):
        run, model = out / f"run-{name}", _model(out, name)
        if not (model / PAGE).is_file():
            more = ["--resume"] if (run / LAST).is_file() else []
            more += [] if given.epochs is None else ["--epochs", str(given.epochs)]
            yield ["train", given.generator, "--data", str(out / name), "--out", str(run), *more]
            yield ["export", str(run), "--data", str(out / name), "--out", str(model)]
    models = [str(_model(out, name)) for name in (NOTES, BOTH)]
    seeds = [] if given.seeds is None else ["--seeds", str(given.seeds)]
    for name in (NOTES, BOTH):
        yield [JUDGE, "--data", str(out / name), "--models", *models, *seeds, "--out", str(out / f"on-{name}")]


def _model(out: Path, name: str) -> Path:
    return out / "models" / f"of-{name}"


if __name__ == "__main__":
    sys.exit(main())
