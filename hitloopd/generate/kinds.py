"""Kinds of models, by the ``kind`` of their card: which are generators, and who draws with them.

To add one, write a class with the methods of ``learned.Drawer`` and put it into the table; export writes the kind's
name into the card. Nothing is loaded by importing this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

KINDS: Final[Mapping[str, str]] = {
    "latent": "hitloopd.generate.latent:LatentDrawer",
    "weave": "hitloopd.generate.weave:WeaveDrawer",
}
"""What the card's ``kind`` names -> the class that draws with such a model."""

OTHERS: Final = frozenset({"listener", "drum-ear", "bass-ear", "beat-ear", "bar-ear", "part-ear"})
"""Models that lie in the same folders and make no bars: they hear what a cut-out sound is, and what a song plays."""

_KIND: Final = re.compile(rb"^kind:[ \t]*['\"]?([\w-]+)", re.MULTILINE)
_HEAD_BYTES: Final = 4096


def is_generator(folder: Path) -> bool:
    """Whether the folder holds a model that makes bars, whole or not: half of one is to be refused, not overlooked."""
    kind = _kind(folder / "card.yaml")
    return kind in KINDS or ((folder / "model.onnx").is_file() and kind not in OTHERS)


def _kind(card: Path) -> str:
    """The kind that stands near the top of a card, without reading YAML; empty where there is none."""
    try:
        with card.open("rb") as file:
            found = _KIND.search(file.read(_HEAD_BYTES))
    except OSError:
        return ""
    return found.group(1).decode() if found else ""
