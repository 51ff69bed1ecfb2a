"""Who does a piece of the work, by name: separators and transcribers are chosen alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from hitloopd.core.errors import UnknownNameError, nearest

AUTO: Final = "auto"
Chosen = TypeVar("Chosen")


def chosen(name: str, what: str, table: Mapping[str, Callable[[], Chosen]], best: str) -> Chosen:
    """The one of that name, ready to work.

    Args:
        name: as the user has it; ``auto`` is ``best``.
        what: is chosen, for the message.
        table: makers by name.
        best: of those that are always there.

    Raises:
        UnknownNameError: there is none of that name; the message lists them.
        UnavailableError: it needs something that is not installed; the message says what.
    """
    wanted = best if name == AUTO else name
    if wanted not in table:
        raise UnknownNameError(
            f"There is no {what} '{name}'; there are {AUTO}, {', '.join(table)}.{nearest(name, table)}"
        )
    return table[wanted]()
