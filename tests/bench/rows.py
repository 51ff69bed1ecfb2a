"""A row of the table: a figure, its bar, what was measured, what stood beside it, and whether the bar was met."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HEAD = ("figure", "bar", "measured", "reference", "verdict")
WIDTHS = (40, 28, 44, 44, 12)  # columns of a wide terminal; longer text wraps


@dataclass(frozen=True, slots=True)
class Row:
    """One line.

    Args:
        figure: what is measured, under which conditions.
        bar: what was promised; empty for a line that only informs.
        measured: the figure, with its unit.
        reference: what was measured beside it in the same run.
        ok: the bar was met; ``None``: it only informs, or could not be measured (``measured`` says why).
        data: everything else, for the JSON: distributions, all rounds, commands.
    """

    figure: str
    bar: str = ""
    measured: str = ""
    reference: str = ""
    ok: bool | None = None
    data: Mapping[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        if self.ok is None:
            return "not measured" if self.bar else "-"
        return "met" if self.ok else "MISSED"

    def as_json(self) -> dict[str, object]:
        return {
            "figure": self.figure,
            "bar": self.bar,
            "measured": self.measured,
            "reference": self.reference,
            "verdict": self.verdict,
            "data": dict(self.data),
        }


def unmeasured(figure: str, bar: str, reason: str) -> Row:
    """A row that says why there is no figure."""
    return Row(figure, bar, reason)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, long cells wrapped."""
    lines = [_line(HEAD), "-+-".join("-" * width for width in WIDTHS)]
    for row in rows:
        cells = [
            textwrap.wrap(text, width) or [""]
            for text, width in zip((row.figure, row.bar, row.measured, row.reference, row.verdict), WIDTHS, strict=True)
        ]
        height = max(map(len, cells))
        lines += [_line([cell[i] if i < len(cell) else "" for cell in cells]) for i in range(height)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return " | ".join(text.ljust(width) for text, width in zip(cells, WIDTHS, strict=True)).rstrip()
