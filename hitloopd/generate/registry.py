"""Generators by name, through the plug-in door that strangers use too: entry point group ``hitloopd.generators``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import Final

from hitloopd.core.errors import UnavailableError, UnknownNameError, nearest
from hitloopd.ports.generator import Generator

GROUP: Final = "hitloopd.generators"
PACKAGE: Final = "hitloopd"

# What pyproject.toml registers, for a source tree that was never installed and so has no entry points.
BUILT_IN: Final[Mapping[str, str]] = {
    "random": "hitloopd.generate.coinflip:CoinFlip",
    "rules": "hitloopd.generate.rules:Rules",
}


def generators() -> tuple[str, ...]:
    """The names of all generators that are installed, sorted. Loads none of them.

    Thread: any. Real-time: no (reads the installed packages once, some ten milliseconds).
    """
    return tuple(sorted(_doors()))


def load(name: str) -> Generator:
    """A new generator of that name.

    Raises:
        UnknownNameError: nothing is registered under it; the message has the nearest names.
        UnavailableError: it is registered, but does not start or is no generator; the message says why.

    Thread: generator process. Real-time: no (imports what the generator needs).
    """
    doors = _doors()
    if name not in doors:
        known = generators()
        raise UnknownNameError(
            f"There is no generator '{name}'; installed are {', '.join(known)}.{nearest(name, known)}"
        )
    door = doors[name]
    try:
        generator = door.load()()
    except Exception as error:
        raise UnavailableError(
            f"The generator '{name}' ({door.value}) does not start: {type(error).__name__}: {error}. "
            f"Mend or uninstall its package, or choose one of {', '.join(n for n in generators() if n != name)}."
        ) from error
    missing = [what for what in ("name", "styles", "model_hash", "generate") if not hasattr(generator, what)]
    if missing:
        raise UnavailableError(
            f"The generator '{name}' ({door.value}) is none: it has no {', '.join(missing)}. "
            f"Expected is what hitloopd.ports.generator.Generator says."
        )
    return generator


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
