"""A sheet to look at, and a page that also plays.

``pack.png`` shows each recording with its cuts, and each sample beside its reference; ``pack.html`` lets one hear them.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from offline.audio import RATE, Wave
from offline.extraction.build import Built, Chosen
from offline.extraction.classes import References
from offline.extraction.mel import BANDS, HOP, mel_power
from offline.extraction.pack import LANES, Row
from offline.extraction.scan import Scan
from offline.jobs import write_atomically

COLOUR: Final[Mapping[str, str]] = {
    "kick": "#d7301f",
    "snare": "#e69500",
    "hihat": "#2b8cbe",
    "cymbal": "#6a51a3",
    "bass": "#238b45",
}
MOST_RECORDINGS: Final = 6
ACROSS: Final = 4
SHOWN_S: Final = 0.8


def write_sheet(folder: Path, built: Built, scans: Sequence[Scan], references: References) -> None:
    """Draw the picture and write the page."""
    shown = _shown(built, scans)
    rows = -(-len(built.chosen) // ACROSS)
    figure = plt.figure(figsize=(15, 2.3 * len(shown) + 1.75 * rows + 0.6), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(max(2.3 * len(shown), 0.1), max(1.75 * rows, 0.1)))
    figure.suptitle(f"{built.pack.name}: {built.pack.about['coverage']}", fontsize=10)
    _draw_recordings(parts[0], shown, built)
    _draw_samples(parts[1], built.chosen, references, rows)
    figure.savefig(folder / "pack.png", dpi=90)
    plt.close(figure)
    write_atomically(folder / "pack.html", _page(built, len(scans) - len(shown)).encode())


def _shown(built: Built, scans: Sequence[Scan]) -> list[Scan]:
    """The recordings most samples are from."""
    counts = {scan.path: sum(one.place.scan.path == scan.path for one in built.chosen) for scan in scans}
    return sorted(scans, key=lambda scan: (-counts[scan.path], scan.path.name))[:MOST_RECORDINGS]


def _draw_recordings(part: Any, scans: Sequence[Scan], built: Built) -> None:  # noqa: ANN401 - matplotlib is untyped
    places = part.subplots(2 * len(scans), 1, squeeze=False)[:, 0]
    for number, scan in enumerate(scans):
        wave, colours = places[2 * number], places[2 * number + 1]
        seconds = np.linspace(0, scan.length_s, len(scan.envelope))
        wave.fill_between(seconds, scan.envelope[:, 1], scan.envelope[:, 0], color="#777777", linewidth=0)
        low, high = 0.0, float(np.abs(scan.envelope).max(initial=1e-3))
        wave.set_ylim(-high, high)
        wave.set_yticks([])
        wave.set_title(f"{scan.path.name}, {scan.length_s:.1f} s", fontsize=8, loc="left", pad=2)
        wave.tick_params(labelbottom=False)
        picture = _decibels(scan.bands)
        colours.imshow(
            picture.T, origin="lower", aspect="auto", cmap="magma", extent=(low, scan.length_s, 0, picture.shape[1])
        )
        colours.set_yticks([])
        colours.tick_params(labelsize=7)
        for one in built.chosen:
            if one.place.scan.path != scan.path:
                continue
            for place in (wave, colours):
                place.axvspan(
                    one.row.start_s,
                    one.row.start_s + max(one.row.length_s, scan.length_s / 600),
                    color=COLOUR[one.row.lane],
                    alpha=0.55,
                    linewidth=0,
                )
            label = str(one.row.file).removesuffix(".wav")
            wave.text(one.row.start_s, high * 0.95, label, fontsize=6.5, color=COLOUR[one.row.lane], va="top")
        for place in (wave, colours):
            place.set_xlim(0, scan.length_s)


def _draw_samples(part: Any, chosen: Sequence[Chosen], references: References, rows: int) -> None:  # noqa: ANN401 - as above
    if not chosen:
        return
    grid = part.subplots(2 * rows, ACROSS * 2, squeeze=False)
    for place in grid.ravel():
        place.axis("off")
    for number, one in enumerate(chosen):
        row, column = divmod(number, ACROSS)
        reference = references.items[one.place.found.reference]
        pairs = ((one.sound, str(one.row.file), COLOUR[one.row.lane]), (reference.sound, reference.name, "#777777"))
        for side, (sound, name, colour) in enumerate(pairs):
            top, below = grid[2 * row, 2 * column + side], grid[2 * row + 1, 2 * column + side]
            _draw_sound(top, below, sound, colour)
            top.set_title(
                f"{name}\n{one.row.confidence:.2f}" if not side else f"like {_short(name)}", fontsize=6.5, pad=2
            )


def _draw_sound(top: Any, below: Any, sound: Wave, colour: str) -> None:  # noqa: ANN401 - as above
    part = sound[: round(SHOWN_S * RATE)]
    part = np.pad(part, (0, max(round(SHOWN_S * RATE) - len(part), 0))) / max(float(np.abs(part).max()), 1e-9)
    top.plot(np.arange(len(part)) / RATE, part, color=colour, linewidth=0.4)
    top.set_ylim(-1.05, 1.05)
    top.set_xlim(0, SHOWN_S)
    picture = _decibels(mel_power(part.astype(np.float32))[:, :BANDS])
    below.imshow(
        picture.T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(picture) * HOP / RATE, 0, BANDS)
    )
    below.set_xlim(0, SHOWN_S)


def _decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    levels = 10 * np.log10(np.maximum(power, 1e-12))
    return np.maximum(levels, levels.max() - 70)


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:16]}…{name[-17:]}"


def _page(built: Built, hidden: int) -> str:
    pack = built.pack
    rows = "\n".join(_row(row) for row in pack.samples)
    lanes = " ".join(f'<b style="color:{COLOUR[lane]}">{lane}</b>' for lane in LANES)
    more = f"<p>{hidden} more recordings are not drawn.</p>" if hidden > 0 else ""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(pack.name)}</title>
<style>body{{font:14px sans-serif;margin:2em}}td,th{{padding:.2em .7em;text-align:left}}img{{max-width:100%}}
audio{{height:1.8em;width:14em}}</style>
<h1>{html.escape(pack.name)}</h1>
<p>{html.escape(pack.description)}</p><p>{html.escape(str(pack.about["coverage"]))}</p><p>{lanes}</p>
<table><tr><th>sample<th><th>confidence<th>recording<th>at<th>length<th>like<th>mel + contrast + bandwidth<th>LUFS
<th>licence</tr>
{rows}
</table>
<img src="pack.png" alt="recordings with the cuts marked, samples beside their references">{more}
</html>
"""


def _row(row: Row) -> str:
    distances = " + ".join(f"{row.distances[name]:.3f}" for name in ("mel", "contrast", "bandwidth"))
    cells = (
        f'<span style="color:{COLOUR[row.lane]}">{html.escape(str(row.file))}</span>',
        f'<audio controls preload="none" src="{html.escape(str(row.file))}"></audio>',
        f"{row.confidence:.2f}",
        html.escape(row.recording),
        f"{row.start_s:.3f} s",
        f"{row.length_s:.3f} s",
        html.escape(row.reference),
        distances,
        f"{row.loudness_lufs:.1f}" if row.loudness_lufs is not None else "",
        html.escape(f"{row.author} {row.licence}".strip() or "unknown"),
    )
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "</tr>"
