"""Errors a person can act on: what happened, what was expected, what to do, the nearest valid names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class HitloopError(Exception):
    """Base of every error this program raises on purpose.

    ``code`` is the short stable word that OSC clients and ``--json`` readers get.
    """

    code: ClassVar[str] = "error"


class RangeError(HitloopError):
    """A value lies outside what the thing can take."""

    code = "range"


class ArgumentError(HitloopError):
    """A value has the wrong type, or there are too many or too few."""

    code = "type"


class UnknownNameError(HitloopError):
    """A name that nothing answers to."""

    code = "unknown"


class LockedError(HitloopError):
    """A locked thing was asked to change; the message names what unlocks it."""

    code = "locked"


class NothingToDoError(HitloopError):
    """Undo with no history, redo with no future and the like."""

    code = "nothing"


class ConfigError(HitloopError):
    """One or more things are wrong in a config file; ``problems`` has one line each."""

    code = "config"

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DeviceError(HitloopError):
    """A port, device or file of the outside world is not there or refuses."""

    code = "device"


class UnavailableError(HitloopError):
    """Something this machine or this generator does not offer; the message names the one command that mends it."""

    code = "unavailable"


def nearest(name: str, valid: Iterable[str], *, count: int = 3) -> str:
    """A hint of the nearest valid names, for the end of a message: ``" Did you mean 'techno'?"`` or ``""``.

    >>> nearest("tecno", ["techno", "house"])
    " Did you mean 'techno'?"
    """
    import difflib  # noqa: PLC0415 - 6 ms of every start that only a mistake needs

    close = difflib.get_close_matches(name, list(valid), n=count, cutoff=0.6)
    if not close:
        return ""
    return " Did you mean " + " or ".join(f"'{name}'" for name in close) + "?"


def require_range(what: str, value: float, low: float, high: float) -> float:
    """``value`` if it lies in ``low..high``.

    Raises:
        RangeError: it does not, or it is not a number at all.
    """
    if not low <= value <= high:
        raise RangeError(f"{what} must be {low:g} to {high:g}, got {value:g}; nothing was changed.")
    return value
