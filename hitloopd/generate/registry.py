"""Generators by name: the plug-in door that strangers use too (entry point group ``hitloopd.generators``), and models.

Every folder ``<name>/`` with a model and its card in one of the model folders is a generator of that name, so what a
user trained plays by its name. Of two with one name the first of these counts: what comes with the program by the
plug-in door, ``rowmix``, the model folders in their order, strangers.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import HitloopError, UnavailableError, UnknownNameError, nearest
from hitloopd.generate.kinds import is_generator
from hitloopd.generate.places import NOWHERE, Places
from hitloopd.ports.generator import Generator

GROUP: Final = "hitloopd.generators"
PACKAGE: Final = "hitloopd"

# What pyproject.toml registers, for a source tree that was never installed and so has no entry points.
BUILT_IN: Final[Mapping[str, str]] = {
    "random": "hitloopd.generate.coinflip:CoinFlip",
    "rules": "hitloopd.generate.rules:Rules",
}


ROWMIX: Final = "rowmix"


def generators(places: Places = NOWHERE) -> tuple[str, ...]:
    """The names of all generators that are there, sorted. Loads none of them.

    Thread: any. Real-time: no (reads the installed packages once, some ten milliseconds, and lists the folders).
    """
    return tuple(sorted({*_doors(), ROWMIX, *models(places)}))


def models(places: Places) -> dict[str, Path]:
    """Name -> folder of every model, whole or not; the first folder that has a name counts."""
    found: dict[str, Path] = {}
    for root in places.models:
        if root.is_dir():
            for folder in sorted(root.iterdir()):
                if is_generator(folder):
                    found.setdefault(folder.name, folder)
    return found


def styles_of(name: str, places: Places = NOWHERE) -> Sequence[str]:
    """The styles a generator knows, without loading a model: of those only the card is read.

    Raises:
        UnknownNameError, UnavailableError: as ``load``.
    """
    kind, where = _find(name, places)
    if kind == "model":
        from hitloopd.generate.card import read_card  # noqa: PLC0415 - with YAML, which rules do without

        return read_card(Path(where)).styles
    return () if kind == ROWMIX else load(name, places).styles


def load(name: str, places: Places = NOWHERE) -> Generator:
    """A new generator of that name.

    Raises:
        UnknownNameError: nothing answers to it; the message has the nearest names.
        UnavailableError: it is there, but does not start or is no generator; the message says why.

    Thread: generator process. Real-time: no (imports what the generator needs).
    """
    kind, where = _find(name, places)
    try:
        generator = _MAKERS[kind](where)
    except HitloopError:
        raise
    except Exception as error:
        raise UnavailableError(
            f"The generator '{name}' ({where}) does not start: {type(error).__name__}: {error}. "
            f"Mend or uninstall its package, or choose one of "
            f"{', '.join(n for n in generators(places) if n != name)}."
        ) from error
    missing = [what for what in ("name", "styles", "model_hash", "generate") if not hasattr(generator, what)]
    if missing:
        raise UnavailableError(
            f"The generator '{name}' ({where}) is none: it has no {', '.join(missing)}. "
            f"Expected is what hitloopd.ports.generator.Generator says."
        )
    return generator


def _find(name: str, places: Places) -> tuple[str, str]:
    """Which kind of thing answers to a name, and where it is: a door's value, or a folder."""
    doors = _doors()
    if name in doors and _ours(doors[name]):
        return "door", doors[name].value
    if name == ROWMIX:
        return ROWMIX, "" if places.dataset is None else str(places.dataset)
    folder = models(places).get(name)
    if folder is not None:
        return "model", str(folder)
    if name in doors:
        return "door", doors[name].value
    known = generators(places)
    raise UnknownNameError(f"There is no generator '{name}'; there are {', '.join(known)}.{nearest(name, known)}")


def _from_door(where: str) -> Any:  # noqa: ANN401 - a stranger's object; ``load`` looks at it
    return EntryPoint("", where, GROUP).load()()


def _from_model(where: str) -> Generator:
    learned: Any = importlib.import_module("hitloopd.generate.learned")
    generator: Generator = learned.Learned(Path(where))
    return generator


def _from_dataset(where: str) -> Generator:
    rowmix: Any = importlib.import_module("hitloopd.generate.rowmix")  # with numpy
    generator: Generator = rowmix.RowMix(Path(where) if where else None)
    return generator


_MAKERS: Final[Mapping[str, Callable[[str], Generator]]] = {
    "door": _from_door,
    "model": _from_model,
    ROWMIX: _from_dataset,
}


@functools.cache
def _doors() -> Mapping[str, EntryPoint]:
    """Name -> entry point. Ours win over strangers' of the same name; among those the first by address does."""
    found = sorted(metadata.entry_points(group=GROUP), key=lambda door: (not _ours(door), door.value), reverse=True)
    doors = {door.name: door for door in found}
    if not _installed():
        doors |= {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}
    return doors


def _ours(door: EntryPoint) -> bool:
    return door.value.startswith(f"{PACKAGE}.")


def _installed() -> bool:
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return False
    return True
