"""The styles of ``rules``, collected: one readable table each, in a file per family."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Final

from hitloopd.core.errors import UnknownNameError, nearest
from hitloopd.generate.styles import breaks, halftime, house, techno
from hitloopd.generate.styles.table import Style

STYLES: Final[Mapping[str, Style]] = {
    style.name: style for family in (house, techno, breaks, halftime) for style in family.STYLES
}


def find(name: str) -> Style:
    """The style of that name.

    Raises:
        UnknownNameError: there is none; the message has the nearest ones.
    """
    if name not in STYLES:
        raise UnknownNameError(f"There is no style '{name}'; valid are {', '.join(STYLES)}.{nearest(name, STYLES)}")
    return STYLES[name]


@functools.cache
def tables_hash(salt: str = "") -> str:
    """Twelve hex digits over every table: they change when a table does."""
    text = salt + "\n".join(repr(STYLES[name]) for name in sorted(STYLES))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
