"""How a run was asked for on the command line, beyond the settings."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line adds to the settings.

    Args:
        config: the config file, to be read again on SIGHUP and when it changes.
        overrides: ``key=value`` as given to ``--set``; they win over what the journal remembers, too.
        bars: stop after so many bars; 0 plays on.
        show: send the terminal what it shows.
        script: (bar, address) to carry out in the middle of that bar, for the demo.
        capture_name: name of the capture files, without ending.
        run: tells this run from others, so that a restarted control process knows that it goes on.
    """

    config: Path | None = None
    overrides: tuple[str, ...] = ()
    bars: int = 0
    show: bool = False
    script: tuple[tuple[int, str], ...] = ()
    capture_name: str = "capture"
    run: str = field(default_factory=lambda: f"{os.getpid()}-{time.time_ns()}")

    @property
    def named_keys(self) -> frozenset[str]:
        """The keys given on the command line."""
        return frozenset(override.partition("=")[0].strip() for override in self.overrides)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run of bars came to; ``demo`` and ``run --bars`` print it."""

    bars: int
    notes_sent: int
    notes_off: int
    stuck_notes: int
    late: int
    lateness_us: dict[str, float]
    missed_bars: int
    dropped: int
    generator: str
    model: str
    style: str
    seed: int
    seeds: tuple[int, ...]
    energy: float
    bpm: float
    realtime: str
    sound: str
    problems: tuple[str, ...]
    files: tuple[str, ...] = ()
