"""A transcribed song to look at: its spectrum with the notes over it, the bar lines, and which bars are kept.

The whole song is the strip on top; below it are rows of some bars each: all of a short song, of a long one some places,
evenly spread.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.jobs import write_atomically
from offline.transcription.folder import KEPT, Bar
from offline.transcription.glance import BANDS, BANDS_PER_OCTAVE, PER_S, QUIETEST_DB, band_of
from offline.transcription.listen import Listened

ROWS: Final = 6
ROW_BARS: Final = 8
WIDE: Final = 1_500
LETTERS: Final = 240  # of a bar's text that go into a row
COLOUR: Final[Mapping[Lane, str]] = {
    Lane.KICK: "#ff6b57",
    Lane.SNARE: "#ffb830",
    Lane.HIHAT: "#56b4e9",
    Lane.CYMBAL: "#c79bff",
    Lane.BASS: "#5dfc9a",
}
GROUND: Final = "#14141c"
INK: Final = "#e8e8ee"
FAINT: Final = "#8a8a99"
KEPT_COLOUR: Final = "#3ddc84"
OUT_COLOUR: Final = "#ff4d6d"
BLACK: Final = 0.3  # of all that is drawn, the quietest
WHITE: Final = 0.999
CONTRAST: Final = 1.5
TILT_DB_PER_OCTAVE: Final = 3.0
OCTAVES_HZ: Final = {60: "60", 250: "250", 1000: "1 k", 4000: "4 k", 14000: "14 k Hz"}
A4: Final = (69, 440.0)

SHADES: Final = LinearSegmentedColormap.from_list("night", [GROUND, "#27315e", "#5b6bab", "#b9c4ea", "#ffffff"])

Span = tuple[float, float]


def draw_picture(path: Path, title: str, heard: Listened, bars: Sequence[Bar]) -> None:
    """Draw the song."""
    rows = _rows(bars, heard.length_s)
    figure = Figure(figsize=(16, 1.6 + 2.2 * len(rows)), facecolor=GROUND)
    FigureCanvasAgg(figure)
    heights = [0.75, *[1.4, 0.7] * len(rows)]
    panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    top = 1 - 0.55 / figure.get_figheight()
    figure.subplots_adjust(left=0.045, right=0.99, top=top, bottom=0.3 / figure.get_figheight(), hspace=0.0)
    _head(figure, title, heard, bars)
    _overview(panels[0], heard, bars, rows)
    for number, span in enumerate(rows):
        _spectrum(panels[2 * number + 1], heard, bars, span)
        _drums(panels[2 * number + 2], heard, bars, span)
    _spread(panels)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=80, facecolor=GROUND, metadata={"Software": None})
    write_atomically(path, data.getvalue())


def _rows(bars: Sequence[Bar], length_s: float) -> list[Span]:
    """From where to where each row goes: all bars, or ``ROWS`` places evenly spread over them."""
    starts = list(range(0, len(bars), ROW_BARS))
    if len(starts) > ROWS:
        last = len(bars) - ROW_BARS
        starts = [round(number * last / (ROWS - 1)) for number in range(ROWS)]
    return [_row(bars[start : start + ROW_BARS], length_s) for start in starts]


def _row(bars: Sequence[Bar], length_s: float) -> Span:
    first, last = bars[0].found, bars[-1].found
    whole_s = ROW_BARS * (last.end_s - first.start_s) / len(bars)
    return first.start_s, max(first.start_s + min(whole_s, length_s), last.end_s)


def _head(figure: Any, title: str, heard: Listened, bars: Sequence[Bar]) -> None:  # noqa: ANN401 - matplotlib is untyped
    kept = sum(bar.reason == KEPT for bar in bars)
    beats_s = sorted((bar.found.end_s - bar.found.start_s) / len(bar.found.beats_s) for bar in bars)
    bpm = 60 / beats_s[len(beats_s) // 2]
    line = f"{title}   {heard.length_s:.0f} s   {bpm:.1f} BPM   {kept} of {len(bars)} bars kept"
    y = 1 - 0.2 / figure.get_figheight()
    figure.text(0.045, y, line, color=INK, fontsize=12, va="center")
    for number, lane in enumerate(reversed((*DRUM_LANES, Lane.BASS))):
        figure.text(0.97 - 0.05 * number, y, lane.value, color=COLOUR[lane], fontsize=11, va="center", ha="center")


def _overview(panel: Any, heard: Listened, bars: Sequence[Bar], rows: Sequence[Span]) -> None:  # noqa: ANN401
    step = max(len(heard.picture) // WIDE, 1)
    usable = len(heard.picture) // step * step
    shown = heard.picture[:usable].reshape(-1, step, BANDS).max(axis=1)
    _image(panel, shown, (0.0, usable / PER_S), _levels(heard))
    for bar in bars:
        colour = KEPT_COLOUR if bar.reason == KEPT else OUT_COLOUR
        panel.axvspan(bar.found.start_s, bar.found.end_s, ymin=0.92, color=colour, linewidth=0)
    for start_s, end_s in rows:
        panel.plot([start_s, end_s], [0.4, 0.4], color=INK, linewidth=2.5, solid_capstyle="butt")
    panel.set_xlim(0, max(heard.length_s, bars[-1].found.end_s))


def _spectrum(panel: Any, heard: Listened, bars: Sequence[Bar], span: Span) -> None:  # noqa: ANN401
    first, last = int(span[0] * PER_S), int(span[1] * PER_S) + 1
    shown = heard.picture[first:last]
    _image(panel, shown, (first / PER_S, (first + len(shown)) / PER_S), _levels(heard))
    halo = [patheffects.withStroke(linewidth=4.5, foreground=GROUND)]
    for note in heard.notes:
        if note.end_s > span[0] and note.start_s < span[1]:
            hz = A4[1] * 2 ** ((note.pitch - A4[0]) / 12)
            height = band_of(hz)
            panel.plot(
                [note.start_s, note.end_s], [height, height], color=COLOUR[Lane.BASS], linewidth=2.4, path_effects=halo
            )
    panel.set_yticks([band_of(hz) for hz in OCTAVES_HZ], OCTAVES_HZ.values(), fontsize=7, color=FAINT)
    panel.set_ylim(-2, BANDS)
    panel.tick_params(labelbottom=False, bottom=False)
    _bar_marks(panel, bars, span, numbered=True)


def _drums(panel: Any, heard: Listened, bars: Sequence[Bar], span: Span) -> None:  # noqa: ANN401
    for place, lane in enumerate(reversed(DRUM_LANES)):
        own = [hit for hit in heard.hits if hit.lane is lane and span[0] <= hit.time_s < span[1]]
        heights = [place + 0.15 + 0.75 * hit.velocity for hit in own]
        panel.vlines([hit.time_s for hit in own], place + 0.08, heights, color=COLOUR[lane], linewidth=2.2)
        if place:
            panel.axhline(place, color="#2a2a36", linewidth=0.6)
    panel.set_facecolor(GROUND)
    panel.set_ylim(0, len(DRUM_LANES))
    names = [lane.value for lane in reversed(DRUM_LANES)]
    panel.set_yticks([place + 0.45 for place in range(len(DRUM_LANES))], names, fontsize=7, color=FAINT)
    _bar_marks(panel, bars, span, numbered=False)


def _bar_marks(panel: Any, bars: Sequence[Bar], span: Span, *, numbered: bool) -> None:  # noqa: ANN401
    """Bar lines and beats, a veil over what is left out, and why."""
    top = panel.get_ylim()[1]
    within = [
        (index, bar) for index, bar in enumerate(bars) if bar.found.end_s > span[0] and bar.found.start_s < span[1]
    ]
    _upright(panel, [beat_s for _, bar in within for beat_s in bar.found.beats_s[1:]], linewidth=0.4, alpha=0.3)
    _upright(panel, [bar.found.start_s for _, bar in within], linewidth=1.1, alpha=0.85)
    for index, bar in within:
        found, kept = bar.found, bar.reason == KEPT
        colour = KEPT_COLOUR if kept else OUT_COLOUR
        if not kept:
            panel.axvspan(found.start_s, found.end_s, color=GROUND, alpha=0.62, linewidth=0)
        if numbered:
            panel.plot([found.start_s, found.end_s], [top, top], color=colour, linewidth=5, solid_capstyle="butt")
            room = (min(found.end_s, span[1]) - max(found.start_s, span[0])) / (span[1] - span[0]) * LETTERS
            text = f" {index + 1}  {bar.reason}"
            shown = text if len(text) < room else f" {index + 1}"
            words = panel.text(found.start_s, top * 0.955, shown, color=INK, fontsize=7.5, va="top", clip_on=True)
            words.set_path_effects([patheffects.withStroke(linewidth=2, foreground=GROUND)])
    panel.set_xlim(*span)


def _upright(panel: Any, at_s: Sequence[float], **look: float) -> None:  # noqa: ANN401
    """Lines from bottom to top, drawn as one thing: a song has hundreds."""
    panel.vlines(at_s, 0, 1, transform=panel.get_xaxis_transform(), color=INK, zorder=2, **look)


def _image(panel: Any, levels: Any, across_s: Span, shades: Span) -> None:  # noqa: ANN401
    panel.set_facecolor(GROUND)
    if len(levels):
        shown = np.clip((_tilted(levels).T - shades[0]) / (shades[1] - shades[0]), 0, 1) ** CONTRAST
        panel.imshow(
            shown,
            origin="lower",
            aspect="auto",
            cmap=SHADES,
            vmin=0,
            vmax=1,
            extent=(*across_s, 0, BANDS),
            interpolation="bilinear",
        )
    panel.set_yticks([])


def _levels(heard: Listened) -> Span:
    """What is black and what is brightest, the same in the whole picture."""
    low, high = np.quantile(_tilted(heard.picture[:: max(len(heard.picture) // WIDE, 1)]), (BLACK, WHITE))
    return float(low), max(float(high), float(low) + 1)


def _tilted(levels: Any) -> Any:  # noqa: ANN401
    """Music falls off towards the highs: without this they would be dark."""
    tilt = np.arange(BANDS, dtype=np.float32) / BANDS_PER_OCTAVE * TILT_DB_PER_OCTAVE
    return levels + tilt * (255 / -QUIETEST_DB)


def _spread(panels: Sequence[Any]) -> None:
    """Each row's two panels touch; between rows is room for the seconds."""
    figure = panels[0].figure
    gap = 0.22 / figure.get_figheight()
    for number, panel in enumerate(panels):
        panel.tick_params(colors=FAINT, labelsize=7, length=2)
        for spine in panel.spines.values():
            spine.set_visible(False)
        box = panel.get_position()
        if number == 0 or number % 2 == 0:
            panel.set_position((box.x0, box.y0 + gap, box.width, box.height - gap))
