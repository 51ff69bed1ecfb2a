"""The names that config and surfaces may use: what is installed and what ships."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from hitloopd.app.config_check import Names
from hitloopd.app.resources import places, shipped
from hitloopd.core.errors import HitloopError, UnknownNameError, nearest
from hitloopd.generate.places import Places
from hitloopd.generate.registry import generators, models, styles_of
from hitloopd.generate.scales import SCALES
from hitloopd.generate.styles import STYLES

STYLES_KEY: Final = "styles"


def known_names(library: Path | None = None) -> Names:
    """Kits, styles, generators and scales there are. Models' own styles are read only when a name is none of ours."""
    where = places(library)
    return Names(
        kits=tuple(shipped("kit", library)),
        styles=tuple(STYLES),
        models=generators(where),
        scales=tuple(SCALES),
        more=lambda which: _tags(where) if which == STYLES_KEY else (),
    )


def check_model(model: str, style: str, where: Places) -> None:
    """Whether there is a generator ``model`` that can be asked for ``style``.

    A model takes any style that somebody knows: what it has not learned it draws without. No model is loaded.

    Raises:
        UnknownNameError: there is no such generator or style; the message has the nearest.
        UnavailableError: the model's card can't be read.
    """
    names = generators(where)
    if model not in names:
        raise UnknownNameError(f"There is no generator '{model}'; there are {', '.join(names)}.{nearest(model, names)}")
    styles = tuple(styles_of(model, where))
    if model in models(where):
        styles = (*dict.fromkeys((*styles, *STYLES)),)
    if styles and style not in styles:
        raise UnknownNameError(f"There is no style '{style}'; there are {', '.join(styles)}.{nearest(style, styles)}")


def _tags(where: Places) -> tuple[str, ...]:
    """The styles that models have learned."""
    found: dict[str, None] = {}
    for name in models(where):
        with contextlib.suppress(HitloopError):  # a broken card is told when its model is asked for
            found |= dict.fromkeys(styles_of(name, where))
    return tuple(found)
