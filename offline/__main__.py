"""``python -m offline COMMAND``: data sets, training, evaluation, export, extraction.

Each command lives in a module of its own with ``configure(parser)`` and ``run(arguments) -> exit code``; it is imported
only when it is asked for, because torch and librosa take seconds.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from hitloopd.core.errors import HitloopError, nearest

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "dataset": ("offline.dataset.cli", "cut MIDI (or songs) into bars with their licences on record"),
    "train": ("offline.training.cli", "train a generator on a data set"),
    "evaluate": ("offline.evaluation.cli", "judge generators: one table, one page"),
    "export": ("offline.export.cli", "turn a training run into a model that plays in the daemon"),
    "extract": ("offline.extraction.cli", "cut playable samples out of recordings"),
    "transcribe": ("offline.transcription.cli", "hear drums, bass and bar lines in songs: MIDI, bars, a picture"),
    "label": ("offline.extraction.label_cli", "say which lane single one-shots belong to"),
    "evaluate-samples": ("offline.extraction.evaluate_cli", "judge the extraction on planted sounds"),
    "evaluate-transcription": ("offline.transcription.judging.cli", "judge transcription on songs with known notes"),
}
USAGE_ERROR: Final = 2
INTERRUPTED: Final = 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (2: bad arguments, 130: interrupted)."""
    given = list(sys.argv[1:] if words is None else words)
    if not given or given[0] in {"-h", "--help"}:
        print(_overview())
        return 0 if given else USAGE_ERROR
    name = given[0]
    if name not in COMMANDS:
        print(f"offline: there is no command '{name}'.{nearest(name, COMMANDS)}\n{_overview()}", file=sys.stderr)
        return USAGE_ERROR
    try:
        return _command(name, given[1:])
    except HitloopError as error:
        print(f"offline {name}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(
            f"offline {name}: interrupted; what is done is kept, the same command goes on from here.", file=sys.stderr
        )
        return INTERRUPTED


def _command(name: str, words: Sequence[str]) -> int:
    where, what = COMMANDS[name]
    try:
        module = importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in {"offline", "hitloopd"}:
            raise
        print(
            f"offline {name} needs the package '{error.name}', which is not installed here: "
            'pip install -e ".[offline]" in a checkout, pip install "hitloopd[offline]" elsewhere.',
            file=sys.stderr,
        )
        return USAGE_ERROR
    parser = argparse.ArgumentParser(prog=f"python -m offline {name}", description=what)
    module.configure(parser)
    return int(module.run(parser.parse_args(words)))


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = (f"  {name:{width}}  {what}" for name, (_, what) in COMMANDS.items())
    return "usage: python -m offline COMMAND …   (COMMAND --help tells the rest)\n" + "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
