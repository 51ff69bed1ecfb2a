"""Two runs beside each other: after how many epochs, and how much processor time, is one as good as the other?

``python -m offline.training.compare WITH WITHOUT --out DIR`` reads the logs of both and writes ``compare.json`` and
``compare.png``. As good means: the distance of drawn bars from validation bars (``offline.training.distance``) is as
low. The seconds that a trained beginning cost are told beside, not hidden.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from hitloopd.core.errors import HitloopError, UnavailableError
from offline.jobs import write_atomically
from offline.training.loop import log_of
from offline.training.run import RUN_FILE

LEVELS: Final = 4
FIGURE: Final = "distance"


@dataclass(frozen=True, slots=True)
class Curve:
    """How a run went.

    Args:
        name: the run's folder.
        epochs: at which the run was looked at.
        seconds: processor time until then.
        distances: from the validation bars.
        before_s: processor time of the run whose weights it began with.
        floor: what training bars themselves have; nothing can be asked to be nearer.
    """

    name: str
    epochs: tuple[int, ...]
    seconds: tuple[float, ...]
    distances: tuple[float, ...]
    before_s: float = 0.0
    floor: float = 0.0

    def reached(self, distance: float) -> tuple[int, float] | None:
        """The first epoch at which it was this near, and the seconds until then; None if never."""
        return next(
            ((e, s) for e, s, d in zip(self.epochs, self.seconds, self.distances, strict=True) if d <= distance), None
        )


def curve(folder: Path) -> Curve:
    """The curve of a run.

    Raises:
        UnavailableError: its log has no figures (``validate_every`` is 0, or it never ran).
    """
    seen = [line for line in log_of(folder) if FIGURE in line["valid"]]
    if not seen:
        raise UnavailableError(f"{folder} was never looked at: train with --set validate_every=1.")
    path = folder / RUN_FILE
    told = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Curve(
        folder.name,
        tuple(line["epoch"] for line in seen),
        tuple(line["total_cpu_seconds"] for line in seen),
        tuple(line["valid"][FIGURE] for line in seen),
        told.get("started_from", {}).get("cpu_seconds", 0.0),
        told.get("facts", {}).get("distance_of_training_bars", 0.0),
    )


def compare(ahead: Curve, behind: Curve) -> dict[str, Any]:
    """When each of the two was as near to real bars: at levels that both reached, and at the other's best."""
    worst = min(ahead.distances[0], behind.distances[0])
    best = max(min(ahead.distances), min(behind.distances))
    levels = [float(level) for level in np.linspace(worst, best, LEVELS)]
    return {
        "figure": FIGURE,
        "floor": ahead.floor,
        "runs": {c.name: {"best": min(c.distances), "before_cpu_s": c.before_s} for c in (ahead, behind)},
        "levels": [_row(level, (ahead, behind)) for level in levels],
        "bests": [_row(min(c.distances), (ahead, behind)) for c in (ahead, behind)],
    }


def main(words: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m offline.training.compare", description=__doc__)
    parser.add_argument("ahead", type=Path, metavar="WITH", help="run that began with trained weights")
    parser.add_argument("behind", type=Path, metavar="WITHOUT", help="run of the same recipe from scratch")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for compare.json and compare.png")
    parser.add_argument("--json", action="store_true", help="print compare.json instead of lines")
    arguments = parser.parse_args(words)
    try:
        curves = curve(arguments.ahead), curve(arguments.behind)
    except HitloopError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    told = compare(*curves)
    text = json.dumps(told, indent=1)
    write_atomically(arguments.out / "compare.json", (text + "\n").encode())
    _draw(curves, arguments.out / "compare.png")
    print(text if arguments.json else _lines(told))
    return 0


def _row(level: float, curves: Sequence[Curve]) -> dict[str, Any]:
    row: dict[str, Any] = {"distance": level}
    for each in curves:
        reached = each.reached(level)
        row[each.name] = None if reached is None else {"epochs": reached[0], "cpu_s": reached[1]}
    return row


def _lines(told: dict[str, Any]) -> str:
    lines = [f"distance from validation bars (training bars: {told['floor']:.3f})"]
    for row in [*told["levels"], *told["bests"]]:
        words = [f"{row['distance']:.3f}:"]
        for name in told["runs"]:
            reached = row[name]
            words.append(f"{name} " + (f"{reached['epochs']} epochs, {reached['cpu_s']:.0f} s" if reached else "never"))
        lines.append("  ".join(words))
    return "\n".join(lines)


def _draw(curves: Sequence[Curve], path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - half a second that only pictures cost

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for each in curves:
        left.plot(each.epochs, each.distances, marker="o", label=each.name)
        right.plot([each.before_s + s for s in each.seconds], each.distances, marker="o", label=each.name)
    for axis, words in ((left, "epochs"), (right, "processor seconds, the beginning's with it")):
        axis.axhline(curves[0].floor, linestyle=":", color="grey")
        axis.set_xlabel(words)
        axis.set_ylim(bottom=0)
    left.set_ylabel("distance from validation bars")
    left.legend()
    figure.tight_layout()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    plt.close(figure)
    write_atomically(path, file.getvalue())


if __name__ == "__main__":
    sys.exit(main())
