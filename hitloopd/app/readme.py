"""The parts of README.md that are made from the tables.

To write them again after a change of a table, in a checkout::

    python -m hitloopd.app.readme

Conventions: each part stands between two HTML comments; what is outside of them is written by hand and left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from hitloopd.app.config_docs import config_reference
from hitloopd.app.keys import help_lines
from hitloopd.app.resources import places
from hitloopd.control import reference
from hitloopd.core.errors import UnknownNameError
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import PRESETS
from hitloopd.generate.registry import BUILT_IN, ROWMIX, models
from hitloopd.generate.scales import SCALES
from hitloopd.generate.styles import STYLES

README: Final = Path(__file__).resolve().parents[2] / "README.md"


def marks(part: str) -> tuple[str, str]:
    """The comments around a part."""
    return f"<!-- {part}: made by hitloopd.app.readme, do not edit -->", f"<!-- end of {part} -->"


def renewed(text: str) -> str:
    """``text`` with every part as the tables have it now.

    Raises:
        UnknownNameError: a part's comments are missing; the message has the one to put in.
    """
    for (begin, end), make in _PARTS:
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise UnknownNameError(f"README.md has no part between '{begin}' and '{end}'. Put both lines in.")
        text = f"{before}{begin}\n{make().strip()}\n{end}{after}"
    return text


def _osc() -> str:
    return reference.markdown().replace(reference.BEGIN, "").replace(reference.END, "")


def _keys() -> str:
    return "\n".join(("```", *help_lines(), "```"))


def _names() -> str:
    maps = (
        f"`{name}` ({', '.join(f'{lane} {route.note}' for lane, route in routes.items() if lane is not Lane.BASS)})"
        for name, routes in PRESETS.items()
    )
    return "\n".join(
        (
            f"- generators (`gen.model`): {_listed(_generators())}",
            f"- styles (`gen.style`): {_listed(STYLES)}",
            f"- scales (`gen.scale`): {_listed(SCALES)}",
            f"- note maps (`midi.map`), drums on channel 10 and bass on channel 1: {', '.join(maps)}",
        )
    )


def _generators() -> list[str]:
    """What everybody has: no strangers' packages, nothing of the user's."""
    return sorted({*BUILT_IN, ROWMIX, *models(places())})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_PARTS: Final[tuple[tuple[tuple[str, str], Callable[[], str]], ...]] = (
    (marks("keys"), _keys),
    (marks("names"), _names),
    ((reference.BEGIN, reference.END), _osc),
    (marks("config reference"), config_reference),
)


def main() -> int:
    """Write README.md again; 0 whether it changed or not."""
    before = README.read_text(encoding="utf-8")
    after = renewed(before)
    if after != before:
        README.write_text(after, encoding="utf-8")
    print(f"{README}: {'written again' if after != before else 'was right'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
