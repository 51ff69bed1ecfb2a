"""How control surfaces (OSC, MIDI control, keys, later the web page) talk with the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hitloopd.core.commands import Command
from hitloopd.core.notices import Notice

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command is in force from ``bar`` on (-1: at once, or when the transport next plays)."""

    values: tuple[Value, ...]
    bar: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing changed."""

    code: str
    text: str


Outcome = Accepted | Rejected


class Desk(Protocol):
    """What a surface can do. Everything runs on the control process's event loop."""

    def submit(self, address: str, command: Command, reply: Callable[[Outcome], None]) -> None:
        """Carry ``command`` out; ``reply`` is called exactly once, with the effective value of ``address``.

        Thread: control loop. Real-time: no.
        """
        ...

    def value(self, address: str) -> tuple[Value, ...]:
        """The value in force of an address of the table, e.g. ``/hitloop/transport/bpm``.

        Raises:
            HitloopError: it can't be asked.

        Thread: control loop. Real-time: no.
        """
        ...


class ControlSurface(Protocol):
    """A door for people; entry point group ``hitloopd.surfaces``."""

    def publish(self, notice: Notice) -> None:
        """Tell what happened. Never blocks, never raises. Thread: control loop. Real-time: no."""
        ...
