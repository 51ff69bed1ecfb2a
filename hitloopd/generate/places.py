"""Where generators are that are no code. A module of its own: who only names folders need not load the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Places:
    """Folders that the registry looks into.

    Args:
        models: folders of models, the user's before those that ship.
        dataset: folder of the data set that rowmix mixes.
    """

    models: tuple[Path, ...] = ()
    dataset: Path | None = None


NOWHERE: Final = Places()
