"""The names that config and surfaces may use: what is installed and what ships.

Every command checks a config and few name anything but defaults, so what lists generators and styles is imported where
it is asked for: that takes longer than all the rest of a command.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hitloopd.app.config_check import Names
from hitloopd.app.resources import places, shipped
from hitloopd.core.errors import HitloopError, UnknownNameError, nearest
from hitloopd.generate.places import Places

STYLES_KEY: Final = "styles"


def known_names(library: Path | None = None) -> Names:
    """Kits, styles, generators and scales there are, each read when a config names one of them.

    Models' own styles are read only when a name is none of ours.
    """
    where = places(library)
    looks: Mapping[str, Callable[[], tuple[str, ...]]] = {
        "kits": lambda: tuple(shipped("kit", library)),
        STYLES_KEY: _styles,
        "models": lambda: _generators(where),
        "scales": _scales,
    }
    return Names(
        of=lambda which: looks[which]() if which in looks else (),
        more=lambda which: _tags(where) if which == STYLES_KEY else (),
    )


def check_model(model: str, style: str, where: Places) -> None:
    """Whether there is a generator ``model`` that can be asked for ``style``.

    A model takes any style that somebody knows: what it has not learned it draws without. No model is loaded.

    Raises:
        UnknownNameError: there is no such generator or style; the message has the nearest.
        UnavailableError: the model's card can't be read.
    """
    from hitloopd.generate.registry import generators, models, styles_of  # noqa: PLC0415
    from hitloopd.generate.styles import STYLES  # noqa: PLC0415

    names = generators(where)
    if model not in names:
        raise UnknownNameError(f"There is no generator '{model}'; there are {', '.join(names)}.{nearest(model, names)}")
    styles = tuple(styles_of(model, where))
    if model in models(where):
        styles = (*dict.fromkeys((*styles, *STYLES)),)
    if not styles:  # it heeds none, but the next one may
        styles = STYLES if style in STYLES else (*dict.fromkeys((*STYLES, *_tags(where))),)
    if style not in styles:
        named = [known for known in styles if known]  # what a model learned from untagged songs has no name
        hint = nearest(style, named)
        raise UnknownNameError(f"The generator '{model}' has no style '{style}'; there are {', '.join(named)}.{hint}")


def _styles() -> tuple[str, ...]:
    from hitloopd.generate.styles import STYLES  # noqa: PLC0415

    return tuple(STYLES)


def _scales() -> tuple[str, ...]:
    from hitloopd.generate.scales import SCALES  # noqa: PLC0415

    return tuple(SCALES)


def _generators(where: Places) -> tuple[str, ...]:
    from hitloopd.generate.registry import generators  # noqa: PLC0415

    return generators(where)


def _tags(where: Places) -> tuple[str, ...]:
    """The styles that models have learned."""
    from hitloopd.generate.registry import models, styles_of  # noqa: PLC0415

    found: dict[str, None] = {}
    for name in models(where):
        with contextlib.suppress(HitloopError):  # a broken card is told when its model is asked for
            found |= dict.fromkeys(styles_of(name, where))
    return tuple(found)
