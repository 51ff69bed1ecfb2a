"""The report's pictures: heat maps like the paper's Figure 5, timing and loudness, energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offline.evaluation.likeness import EARLIEST

Found = Mapping[str, Any]
ACROSS: Final = 5
_SAVED: Final = {"dpi": 90, "metadata": {"Software": None}}
QUIET, LOUD = "#9aa0a6", "#c2410c"


def heat_maps(path: Path, distances: Mapping[str, npt.NDArray[Any]]) -> None:
    """The cosine distances of 100 bars of everybody, on one scale; bars in the order they were drawn."""
    plt = _plots()
    down = -(-len(distances) // ACROSS)
    figure, axes = plt.subplots(
        down, ACROSS, figsize=(2.6 * ACROSS, 2.7 * down + 0.6), squeeze=False, layout="constrained"
    )
    image = None
    for axis, (name, table) in zip(axes.flat, distances.items(), strict=False):
        image = axis.imshow(table, vmin=0, vmax=1, cmap="viridis", interpolation="nearest")
        apart = table[np.triu_indices(len(table), k=1)]
        axis.set_title(f"{name}\nmean {apart.mean():.2f}", fontsize=9)
        axis.set_xticks([])
        axis.set_yticks([])
    for axis in axes.flat[len(distances) :]:
        axis.axis("off")
    if image is not None:
        figure.colorbar(image, ax=axes, shrink=0.7, label="cosine distance (0: the same bar)")
    figure.savefig(path, **_SAVED)
    plt.close(figure)


def feels(path: Path, rows: Mapping[str, Found]) -> None:
    """Where hits lie about their cell's line, and how hard they are: everybody beside real unseen bars."""
    plt = _plots()
    others = [name for name in rows if name != "real"]
    figure, axes = plt.subplots(
        max(len(others), 1), 2, figsize=(9, 1.5 * max(len(others), 1) + 0.8), squeeze=False, layout="constrained"
    )
    real = rows["real"]["histograms"]
    for index, name in enumerate(others):
        for axis, what in zip(axes[index], ("timing", "velocity"), strict=True):
            there, here = np.array(real[what]), np.array(rows[name]["histograms"][what])
            places = np.arange(len(there)) + (EARLIEST if what == "timing" else 0)
            if what == "velocity":
                there, here, places = (x.reshape(-1, 4) for x in (there, here, places))
                there, here, places = there.sum(axis=1), here.sum(axis=1), places[:, 0]
            width = 0.9 * (places[1] - places[0])
            axis.bar(places, there, width=width, color=QUIET, label="real")
            axis.step(places, here, where="mid", color=LOUD, linewidth=1.2, label=name)
            axis.tick_params(labelsize=7)
            if what == "timing":
                axis.set_yscale("symlog", linthresh=1e-3)
                axis.set_ylim(0, 1.2)
        axes[index][0].set_ylabel(name, fontsize=8)
    axes[0][0].set_title("steps from the cell's line (share of hits, log)", fontsize=9)
    axes[0][1].set_title("velocity, fours (share of hits)", fontsize=9)
    figure.savefig(path, **_SAVED)
    plt.close(figure)


def energies(path: Path, control: Mapping[str, Found]) -> None:
    """Measured energy against the target: the mean, and from the lowest to the highest tenth."""
    plt = _plots()
    told = {name: figures["energy"] for name, figures in control.items() if "energy" in figures}
    if not told:
        return
    figure, axes = plt.subplots(
        1, len(told), figsize=(2.4 * len(told) + 0.6, 2.6), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (name, energy) in zip(axes[0], told.items(), strict=True):
        axis.fill_between(energy["targets"], energy["low"], energy["high"], color=QUIET, alpha=0.5, linewidth=0)
        axis.plot(energy["targets"], energy["mean"], color=LOUD)
        axis.set_title(f"{name}\nSpearman {energy['spearman']:.2f}", fontsize=9)
        axis.set_xlim(0, 1)
        axis.set_ylim(0, 1)
        axis.tick_params(labelsize=7)
    axes[0][0].set_ylabel("measured energy", fontsize=8)
    figure.supxlabel("target", fontsize=8)
    figure.savefig(path, **_SAVED)
    plt.close(figure)


def checks(path: Path, rows: Mapping[str, Found], thresholds: Sequence[Found]) -> None:
    """Every check of the gate: everybody's seeds' mean as a point, the limit as a line, the good side shaded."""
    plt = _plots()
    names = list(rows)
    figure, axes = plt.subplots(
        1,
        len(thresholds),
        figsize=(1.7 * len(thresholds) + 1.2, 0.24 * len(names) + 1.0),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, threshold in zip(axes[0], thresholds, strict=True):
        what = threshold["check"]
        values = [rows[name][what][0] for name in names]
        more = "at least" in threshold
        limit = threshold["at least" if more else "at most"]
        low, high = min([*values, limit]), max([*values, limit])
        room = 0.06 * (high - low) or 0.1
        axis.axvspan(limit if more else low - room, high + room if more else limit, color="#dcfce7")
        axis.axvline(limit, color="#15803d", linewidth=1)
        good = [(v >= limit) == more or v == limit for v in values]
        axis.scatter(values, range(len(names)), s=14, c=["black" if ok else LOUD for ok in good], zorder=3)
        axis.set_xlim(low - room, high + room)
        axis.set_title(what, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(axis="y", linewidth=0.3)
    axes[0][0].set_yticks(range(len(names)), names, fontsize=7)
    axes[0][0].invert_yaxis()
    figure.savefig(path, **_SAVED)
    plt.close(figure)


def _plots() -> Any:  # noqa: ANN401 - matplotlib is untyped
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice of backend

    return plt
