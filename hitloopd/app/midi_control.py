"""MIDI control as a surface: controller files from config, moves onto the address table."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import yaml

from hitloopd.app.resources import find
from hitloopd.app.settings import Settings
from hitloopd.control.midi_bindings import Binding, parse_bindings
from hitloopd.control.midi_map import MidiControl
from hitloopd.control.perform import perform
from hitloopd.core.errors import ConfigError
from hitloopd.core.notices import MidiReceived, Notice
from hitloopd.ports.surface import Desk, Outcome, Rejected


class MidiSurface:
    """Takes what control inputs send.

    Args:
        settings: ``control.midi`` names the bindings.
        desk: what carries them out.
        complain: gets what was refused, for the person in front.
    """

    def __init__(self, settings: Settings, desk: Desk, complain: Callable[[str], None]) -> None:
        self._desk = desk
        self._complain = complain
        self.path: Path | None = None
        self.lines: tuple[str, ...] = ()
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Take other bindings over.

        Raises:
            ConfigError: they are wrong; the ones in force stay.
        """
        path, bindings = read_bindings(settings)
        self._control = MidiControl(bindings, self._desk.value)
        self.path = path
        self.lines = (f"MIDI control: {len(bindings)} bindings",) if bindings else ()

    def receive(self, notice: MidiReceived) -> None:
        """One message of a control input."""
        for address, args in self._control.receive(notice.port, notice.data, notice.at_ns):
            perform(self._desk, address, args, time.monotonic_ns(), self._told)

    def publish(self, notice: Notice) -> None:
        """Controllers without lights have nothing to be told."""

    def _told(self, path: str, outcome: Outcome) -> None:
        if isinstance(outcome, Rejected):
            self._complain(f"{path}: {outcome.text}")


def read_bindings(settings: Settings) -> tuple[Path | None, tuple[Binding, ...]]:
    """The bindings that ``control.midi`` names, and the file they are in.

    Raises:
        ConfigError: something is wrong with them.
    """
    named = settings.control_midi
    if not isinstance(named, str):
        return None, parse_bindings({"bindings": list(named)}, "control.midi") if named else ()
    path = find("controller", named, settings.paths.library)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError([f"{path}: {error}"]) from error
    return path, parse_bindings(data, str(path))
