"""The comparison in ``models/README.md``: what a run judged, and the lines of models that it left out.

To judge all models takes long, so a run with one new model keeps the lines of the others. Only where they mean the
same: judged by as many bars and seeds, asked alike, and with the same line of real bars, so by the same data.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from hitloopd.core.errors import UnavailableError
from offline.jobs import write_atomically

BEGIN: Final = "<!-- comparison: written by `python -m offline evaluate … --table`, do not edit by hand -->"
END: Final = "<!-- comparison: end -->"
REAL: Final = "**real**"
_HEAD_LINES: Final = 2  # of a table: the titles, and the marks below them


def put(path: Path, tables: str, legend: str) -> None:
    """Put the comparison into a file, in place of the one that stands there, or at its end.

    Raises:
        UnavailableError: the block's beginning is there without its end.
    """
    old = path.read_text(encoding="utf-8") if path.is_file() else "# Models\n"
    before, begun, rest = old.partition(BEGIN)
    if begun and END not in rest:
        raise UnavailableError(
            f"{path} has '{BEGIN}' but not '{END}': put it back, so that nothing else is overwritten."
        )
    held, _, after = rest.partition(END) if begun else ("", "", "\n")
    if legend.strip() in held:
        there = {folder.name for folder in path.parent.iterdir() if folder.is_dir()}
        tables = merged(held, tables, there)
    write_atomically(path, f"{before.rstrip()}\n\n{BEGIN}\n\n{tables}\n{legend}\n{END}{after}".encode())


def merged(old: str, new: str, there: AbstractSet[str]) -> str:
    """The new tables with those old lines whose models are still ``there`` and were not judged again.

    A table is known by the bold line above it; lines stand in the old order, new ones at the end.
    """
    held = _sections(old)
    return "\n".join(
        "\n".join([title, "", *_with_kept(held.get(title, []), lines, there), ""])
        for title, lines in _sections(new).items()
    )


def _with_kept(old: list[str], new: list[str], there: AbstractSet[str]) -> list[str]:
    """One table; its titles are the new ones."""
    before, rows = _rows(old), _rows(new)
    if REAL not in rows or rows[REAL] != before.get(REAL):
        return new
    stay = {name: line for name, line in before.items() if name in there and name not in rows}
    order = [*(name for name in before if name in rows or name in stay), *(name for name in rows if name not in before)]
    return [*new[:_HEAD_LINES], *((rows | stay)[name] for name in order)]


def _sections(text: str) -> dict[str, list[str]]:
    """Bold title -> the lines of the table below it."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("**"):
            lines = found.setdefault(line, [])
        elif line.startswith("|"):
            lines.append(line)
    return found


def _rows(lines: list[str]) -> dict[str, str]:
    """Name -> line."""
    return {line.split("|")[1].strip(): line for line in lines[_HEAD_LINES:]}
