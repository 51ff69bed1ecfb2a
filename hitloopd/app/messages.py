"""What the processes and the supervisor say to each other, besides commands and notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hitloopd.core.pattern import Lane, Pattern
from hitloopd.core.request import Request
from hitloopd.core.transport import Transport


@dataclass(frozen=True, slots=True)
class Quit:
    """Supervisor to all: end in good order."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A process does its work from now on; the lines are for people."""

    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A process can't work and restarting would not help; the daemon ends with ``exit_code``."""

    name: str
    text: str
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the person in front of the terminal, and for the log."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Control to supervisor: this process does not answer any more."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Processes:
    """Supervisor to control: name -> (alive, restarts, pid)."""

    rows: Mapping[str, tuple[bool, int, int]]


@dataclass(frozen=True, slots=True)
class Do:
    """Supervisor to control: carry out an address as if it came by OSC (keys of the terminal, the demo's script)."""

    address: str
    arguments: tuple[str | int | float | bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Reload:
    """Supervisor to control: read the config again (SIGHUP)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Control to supervisor: what the terminal shows. ``beat``: bar, beat and when, where one begins."""

    transport: Transport
    pattern: Pattern
    pattern_id: str
    energy: float
    knob: float
    model: str
    style: str
    kit: str
    seed: int
    locks: frozenset[Lane]
    mutes: frozenset[Lane]
    bar_started: int = -1
    beat: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class BarsDone:
    """Control to supervisor: the asked-for bars were played."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Control's last word to the supervisor: what the run came to."""

    summary: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ask:
    """Control to generator: make this bar."""

    token: int
    request: Request


@dataclass(frozen=True, slots=True)
class Check:
    """Control to generator: does this one work? What was refused before is tried anew."""

    token: int
    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Generator to control: it does, or (code, text) of why it does not."""

    token: int
    error: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Think:
    """Control to generator: these are likely to be asked next; have them ready."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Generator to control: so many of the likely bars are ready."""

    bars: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Generator to control. ``ready``: it was made ahead. ``error`` instead of a pattern: (code, text).

    ``refused``: why the generator that was asked for can't work; the pattern is then by the one that stands in for it.
    """

    token: int
    pattern: Pattern | None
    model: str = ""
    ready: bool = False
    pool: int = 0
    error: tuple[str, str] | None = None
    refused: str = ""
