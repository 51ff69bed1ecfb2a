"""What the lanes sound like: the user's choices over the kit that the session names. Reads kit files, no sound.

Conventions: a kit is called by its name (shipped, or in the library's ``kits`` folder) or by a path; a sample by its
name in the kit, as ``synth:<recipe>``, or by its path from the library folder. What comes over OSC never reaches a
file outside the library folder; what the config names may lie anywhere. A kit stays as it was read until ``refresh``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hitloopd.app.resources import folders, shipped
from hitloopd.app.watch import Stamp, stamp
from hitloopd.core.commands import LoadKit, NextSample, SetSample
from hitloopd.core.errors import HitloopError, NothingToDoError, RangeError, UnknownNameError, nearest
from hitloopd.core.kit import SYNTH, Kit, Sample, Slot
from hitloopd.core.pattern import LANES, Lane
from hitloopd.io.kits import LoadedKit, kit_at, read_kit
from hitloopd.io.packs import CHOKES
from hitloopd.io.synth.recipes import RECIPES, Bass
from hitloopd.session.state import SessionState

NOTHING = LoadedKit(Kit(""), Path())


@dataclass(frozen=True, slots=True)
class Outfit:
    """A kit as the session dresses it.

    Args:
        number: the same for the same sounds, never 0.
        kit: its slots, with the samples and tunings in force.
        folder: where the names of its samples start.
    """

    number: int
    kit: Kit
    folder: str


class Wardrobe:
    """Kits by name, and what a session makes of them.

    Args:
        library: the user's folder; ``None``: there is none.

    Thread: control loop. Real-time: no.
    """

    def __init__(self, library: Path | None = None) -> None:
        self._library = library
        self._read: dict[str, tuple[LoadedKit, Stamp | None]] = {}

    # ── kits ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def names(self) -> tuple[str, ...]:
        """The kits and packs there are."""
        return tuple(shipped("kit", self._library))

    def checked(self, command: LoadKit) -> LoadKit:
        """The command with the name that the session keeps.

        Raises:
            UnknownNameError: there is no such kit; the message lists those there are.
            RangeError: it lies outside the library folders.
            ConfigError: it is broken; all the reasons.
        """
        name = command.name
        if not command.anywhere and name not in shipped("kit", self._library):
            name = str(self._inside(name))
        elif command.anywhere and name not in shipped("kit", self._library):
            name = str(Path(name).expanduser().absolute())
        self.refresh(name)
        return replace(command, name=name)

    def refresh(self, name: str) -> LoadedKit:
        """Read a kit again, if its file is another than it was. Raises as ``checked``; then the old one stays."""
        path = self._path(name)
        there = stamp(path)
        known = self._read.get(name)
        if known is None or known[0].path != path or known[1] != there:
            self._read[name] = (read_kit(path), there)
        return self._read[name][0]

    def kit(self, name: str) -> LoadedKit:
        """A kit as it was read first. Raises as ``checked``."""
        return self._read[name][0] if name in self._read else self.refresh(name)

    def kit_or_nothing(self, name: str) -> LoadedKit:
        """As ``kit``; one without lanes where it can't be read, for looking."""
        try:
            return self.kit(name)
        except HitloopError:
            return NOTHING

    def _path(self, name: str) -> Path:
        known = shipped("kit", self._library)
        if name in known:
            return known[name]
        found = kit_at(Path(name)) if Path(name).is_absolute() else None
        if found is None:
            raise UnknownNameError(f"There is no kit '{name}'; there are {', '.join(known)}.{nearest(name, known)}")
        return found

    def _inside(self, name: str) -> Path:
        """The absolute path of a kit in a library folder."""
        for folder in folders("kit", self._library):
            if self._library is not None and (path := _within(folder, name)) is not None and kit_at(path):
                return path
        path = _within(self._library, name)
        if path is not None and kit_at(path):
            return path
        if path is None and ("/" in name or "\\" in name):
            raise RangeError(f"'{name}' lies outside the library folder {self._library}; nothing was changed.")
        known = self.names()
        raise UnknownNameError(f"There is no kit '{name}'; there are {', '.join(known)}.{nearest(name, known)}")

    # ── what a session makes of them ────────────────────────────────────────────────────────────────────────────────

    def outfit(self, state: SessionState) -> Outfit:
        """What to have ready for this session.

        Raises:
            HitloopError: the kit is not there any more, or broken.
        """
        loaded = self.kit(state.kit)
        slots = {lane: slot for lane in LANES if (slot := self._slot(state, loaded, lane)) is not None}
        kit = Kit(loaded.kit.name, slots, loaded.kit.description)
        parts = [(lane.value, slot.sample, slot.tuning, slot.fundamental_hz) for lane, slot in slots.items()]
        text = repr((str(loaded.path), self._read[state.kit][1], parts))
        return Outfit(zlib.crc32(text.encode()) or 1, kit, str(loaded.folder))

    def slot(self, state: SessionState, lane: Lane) -> Slot | None:
        """How a lane is played, the user's gain, pan and choke included; ``None``: it is silent."""
        slot = self._slot(state, self.kit_or_nothing(state.kit), lane)
        if slot is None:
            return None
        return replace(
            slot,
            gain_db=state.gains_db.get(lane, slot.gain_db),
            pan=state.pans.get(lane, slot.pan),
            choke=state.chokes.get(lane, slot.choke),
        )

    def sample(self, state: SessionState, lane: Lane) -> Sample | None:
        """What a lane plays, and where it is from; ``None``: it is silent."""
        kit = self.kit_or_nothing(state.kit).kit
        samples, chosen = kit.samples_of(lane), self._chosen(state, kit, lane)
        if chosen:
            return next((sample for sample in samples if sample.name == chosen), Sample(chosen))
        return samples[0] if samples else None

    def checked_samples(self, state: SessionState, command: SetSample) -> SetSample:
        """The command with the names that the session keeps.

        Raises:
            UnknownNameError: there is no such sample; the message lists those there are.
            RangeError: it lies outside the library folder.
        """
        kit = self.kit(state.kit).kit
        return replace(command, samples={lane: self._known(kit, lane, name) for lane, name in command.samples.items()})

    def another(self, state: SessionState, command: NextSample) -> SetSample:
        """The samples after those that play.

        Raises:
            NothingToDoError: no lane that was asked has another one.
        """
        kit = self.kit(state.kit).kit
        lanes = [lane for lane in LANES if lane in command.lanes] or list(LANES)
        several = {lane: [sample.name for sample in kit.samples_of(lane)] for lane in lanes}
        found = {
            lane: _after(self._chosen(state, kit, lane) or names[0], names)
            for lane, names in several.items()
            if len(names) > 1 or (names and self._chosen(state, kit, lane))
        }
        if not found:
            raise NothingToDoError(
                f"Kit '{kit.name}' has no other sample for {', '.join(lanes)}; nothing was changed. "
                "Sample packs have several; /hitloop/slot/<lane>/sample takes one by name."
            )
        return SetSample(found, now=command.now)

    def fill(self, state: SessionState, name: str) -> dict[Lane, str]:
        """Built-in sounds for the lanes that a kit has nothing for: a groove that loses its kick is none.

        What plays there now, if it is built in, else a plain house kit's.
        """
        has = self.kit(name).kit.slots
        playing = {lane: sample.name for lane in LANES if (sample := self.sample(state, lane)) is not None}
        plain = {lane: f"{SYNTH}house/{lane}" for lane in LANES}
        return {
            lane: playing[lane] if playing.get(lane, "").startswith(SYNTH) else plain[lane]
            for lane in LANES
            if lane not in has
        }

    def _chosen(self, state: SessionState, kit: Kit, lane: Lane) -> str:
        """What the user chose for a lane; empty: nothing, or what was chosen is not there any more."""
        name = state.samples.get(lane, "")
        if name.startswith(SYNTH) or name in [sample.name for sample in kit.samples_of(lane)]:
            return name
        path = _within(self._library, name) if name else None
        return name if path is not None and path.is_file() else ""

    def _slot(self, state: SessionState, loaded: LoadedKit, lane: Lane) -> Slot | None:
        slot, chosen = loaded.kit.slots.get(lane), self._chosen(state, loaded.kit, lane)
        if chosen:
            slot = replace(slot or Slot("", choke=CHOKES.get(lane, "")), sample=chosen, provenance="")
            of_kit = next((sample for sample in loaded.kit.samples_of(lane) if sample.name == chosen), None)
            hz = of_kit.fundamental_hz if of_kit is not None else None
            slot = replace(slot, fundamental_hz=hz, tuning=slot.tuning if of_kit is not None else 0.0)
            if of_kit is None and not chosen.startswith(SYNTH):
                slot = replace(slot, sample=str(self._file(chosen)))
        if slot is None:
            return None
        return replace(slot, tuning=state.tunings.get(lane, slot.tuning))

    def _known(self, kit: Kit, lane: Lane, name: str) -> str:
        names = [sample.name for sample in kit.samples_of(lane)]
        if not name or name in names:
            return name
        if name.startswith(SYNTH):
            fitting = [own for own, recipe in RECIPES.items() if isinstance(recipe, Bass) == (lane is Lane.BASS)]
            recipe = name.removeprefix(SYNTH)
            if recipe not in fitting:
                raise UnknownNameError(
                    f"There is no built-in {lane} sound '{recipe}'; nothing was changed.{nearest(recipe, fitting)}"
                )
            return name
        try:
            path = self._file(name)
        except UnknownNameError as error:
            listed = f" Kit '{kit.name}' has {', '.join(names)} there." if names else ""
            raise UnknownNameError(f"{error}{listed}{nearest(name, names)}") from error
        assert self._library is not None
        return path.relative_to(self._library.resolve()).as_posix()

    def _file(self, name: str) -> Path:
        path = _within(self._library, name)
        if path is None:
            raise RangeError(f"'{name}' lies outside the library folder {self._library}; nothing was changed.")
        if not path.is_file():
            raise UnknownNameError(f"There is no sample '{name}' in the library folder {self._library}.")
        return path


def _within(folder: Path | None, name: str) -> Path | None:
    """A path inside a folder, links followed; ``None`` where it leads out of it."""
    if folder is None or "\0" in name or len(name) > 1024:
        return None
    inside = folder.resolve()
    try:
        path = (inside / name).resolve()
    except (OSError, ValueError, RuntimeError):  # a loop of links, or a name that no system takes
        return None
    return path if path.is_relative_to(inside) else None


def _after(name: str, names: Iterable[str]) -> str:
    """The name after another, round and round; the first after one that is not there."""
    ring = list(names)
    return ring[(ring.index(name) + 1) % len(ring)] if name in ring else ring[0]
