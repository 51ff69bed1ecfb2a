"""Pictures of bars: rolls as a person reads them, and how far bars lie apart."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hitloopd.core.time import BEATS_PER_BAR, STEPS_PER_BAR
from hitloopd.generate.roll import BASS_ROW, ROWS
from offline.jobs import write_atomically

COLUMNS: Final = 4
DRUM_LABELS: Final = ("kick", "snare", "hihat", "cymbal")
INK: Final = "viridis"


def draw_bars(path: Path, rolls: npt.NDArray[Any], titles: Sequence[str]) -> None:
    """One panel a bar: time to the right, the drum lanes below, the bass above the line, bright is loud."""
    rows = -(-len(rolls) // COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 1.9 * rows), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, COLUMNS, squeeze=False)).ravel()
    for panel in panels[len(rolls) :]:
        panel.set_axis_off()
    for panel, roll, title in zip(panels, rolls, titles, strict=False):
        shown = np.ma.masked_equal(roll.T, 0)
        panel.imshow(shown, origin="lower", aspect="auto", interpolation="nearest", cmap=INK, vmin=0, vmax=127)
        panel.axhline(BASS_ROW - 0.5, color="0.4", linewidth=0.6)
        beats = [beat * STEPS_PER_BAR / BEATS_PER_BAR - 0.5 for beat in range(1, BEATS_PER_BAR)]
        panel.vlines(beats, 0, 1, transform=panel.get_xaxis_transform(), color="0.75", linewidth=0.6, zorder=0)
        panel.set_xticks([])
        panel.set_yticks([*range(BASS_ROW), BASS_ROW, BASS_ROW + 12], [*DRUM_LABELS, "root", "+12"], fontsize=6)
        panel.set_ylim(-0.5, ROWS - 0.5)
        panel.set_title(title, fontsize=6.5)
    _write(path, figure)


def draw_heat(path: Path, distances: npt.NDArray[Any], title: str) -> None:
    """Pairwise distances as the paper's figure 5 shows them: dark is alike."""
    figure = Figure(figsize=(5, 4.3))
    panel = figure.add_axes((0.12, 0.11, 0.68, 0.79))  # a layout that finds this out by itself draws it twice
    image = panel.imshow(distances, cmap="magma", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, cax=figure.add_axes((0.83, 0.11, 0.04, 0.79)), label="cosine distance")
    panel.set_title(title, fontsize=9)
    panel.set_xlabel("bar")
    panel.set_ylabel("bar")
    _write(path, figure)


def _write(path: Path, figure: Figure) -> None:
    FigureCanvasAgg(figure)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100, metadata={"Software": None})
    write_atomically(path, data.getvalue())
