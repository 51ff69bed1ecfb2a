"""The names that config may use: what is installed and what ships."""

from __future__ import annotations

from pathlib import Path

from hitloopd.app.config_check import Names
from hitloopd.app.resources import places, shipped
from hitloopd.generate.registry import generators
from hitloopd.generate.scales import SCALES
from hitloopd.generate.styles import STYLES


def known_names(library: Path | None = None) -> Names:
    """Kits, styles, generators and scales there are."""
    models = generators(places(library))
    return Names(kits=tuple(shipped("kit", library)), styles=tuple(STYLES), models=models, scales=tuple(SCALES))
