"""Taking changed config, kit and controller files over while playing, once whole; a broken one changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hitloopd.app.config import changes, load
from hitloopd.app.midi_control import read_bindings
from hitloopd.app.names import known_names
from hitloopd.app.options import RunOptions
from hitloopd.app.resources import find
from hitloopd.app.settings import Settings
from hitloopd.app.watch import Watcher
from hitloopd.core.errors import ConfigError, HitloopError


@dataclass(frozen=True, slots=True)
class Taken:
    """What a look found.

    Args:
        settings: the new ones, where something changed.
        changed: the keys that can be taken over now.
        kit: a kit whose file changed.
        problems: lines for people; what was in force stays.
    """

    settings: Settings | None = None
    changed: tuple[str, ...] = ()
    kit: str | None = None
    problems: tuple[str, ...] = ()


class Reloader:
    """Watches the files that the settings came from."""

    def __init__(self, options: RunOptions, settings: Settings) -> None:
        self._options = options
        self._settings = settings
        self._asked = False
        self._watcher = Watcher(self._files())

    def again(self) -> None:
        """Read the config at the next look, changed or not (SIGHUP)."""
        self._asked = True

    def look(self) -> Taken:
        """What changed since the last look."""
        changed = self._watcher.look()
        asked, self._asked = self._asked, False
        taken = Taken()
        if asked or self._options.config in changed or self._controller() in changed:
            taken = self._read(controller_changed=self._controller() in changed)
        if self._kit_file() in changed:
            taken = Taken(taken.settings, taken.changed, self._settings.kit, taken.problems)
        return taken

    def _read(self, *, controller_changed: bool) -> Taken:
        try:
            new = load(self._options.config, self._options.overrides, known_names(self._settings.paths.library))
            read_bindings(new)
        except ConfigError as error:
            return Taken(problems=error.problems)
        except HitloopError as error:
            return Taken(problems=(str(error),))
        different = changes(self._settings, new)
        live = tuple(name for name, _, _, how in different if how == "live")
        later = tuple(f"{name} is taken over at the next start" for name, _, _, how in different if how != "live")
        if controller_changed:
            live = (*live, "control.midi")
        if live:
            self._settings = new
            self._watcher.watch(self._files())
        return Taken(new if live else None, tuple(dict.fromkeys(live)), problems=later)

    def _files(self) -> list[Path]:
        files = (self._options.config, self._kit_file(), self._controller())
        return [path for path in files if path is not None]

    def _kit_file(self) -> Path | None:
        return _found("kit", self._settings.kit, self._settings)

    def _controller(self) -> Path | None:
        named = self._settings.control_midi
        return _found("controller", named, self._settings) if isinstance(named, str) else None


def _found(kind: str, name: str, settings: Settings) -> Path | None:
    try:
        return find(kind, name, settings.paths.library)
    except HitloopError:
        return None  # whoever needs it says so
