"""Watching config, kit and map files: which of them changed, once each is whole.

A file counts as whole when two looks in a row see the same size and time: so a half-written file is left alone, an
editor that saves by renaming looks like one change, and a file that is gone for a moment is no change at all. Polling
costs a ``stat`` per file and look, and works on every system and network drive alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hitloopd.core.errors import ConfigError, HitloopError

LOOK_EVERY_S: Final = 0.5

Stamp = tuple[int, int, int]
"""Inode, size and time in ns: a rename changes the inode even when size and time stay."""
Stat = Callable[[Path], Stamp | None]


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file, or ``None`` where there is none to be read."""
    try:
        found = os.stat(path)  # noqa: PTH116 - follows links, as the reader will
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(slots=True)
class _Seen:
    """What is in force, and what the last look saw."""

    taken: Stamp | None
    last: Stamp | None


class Watcher:
    """Sans-I/O: every ``look`` compares, nothing sleeps.

    Args:
        paths: what to watch; they need not exist yet.
        stat: how to look, for tests.
    """

    def __init__(self, paths: Iterable[Path] = (), stat: Stat = stamp) -> None:
        self._stat = stat
        self._seen: dict[Path, _Seen] = {}
        self.watch(paths)

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is watched."""
        return tuple(self._seen)

    def watch(self, paths: Iterable[Path]) -> None:
        """Watch exactly these from now on; what was watched before keeps its state."""
        now: dict[Path, _Seen] = {}
        for path in paths:
            there = self._stat(path)
            now[path] = self._seen.get(path) or _Seen(there, there)
        self._seen = now

    def look(self) -> tuple[Path, ...]:
        """The files that have changed and are whole. Each change is told once."""
        return tuple(path for path, seen in self._seen.items() if self._changed(path, seen))

    def _changed(self, path: Path, seen: _Seen) -> bool:
        there = self._stat(path)
        steady = there is not None and there == seen.last
        seen.last = there
        if not steady or there == seen.taken:
            return False
        seen.taken = there
        return True


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of the changed files.

    Args:
        taken: files that were read without a problem.
        problems: lines with place for those that were not; what was in force stays.
    """

    taken: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.taken or self.problems)


def reload_changed(watcher: Watcher, readers: Mapping[Path, Callable[[Path], None]]) -> Reloaded:
    """Look, and let each changed file's reader have it.

    A reader checks the whole file first and takes it over only then; what it raises is reported and changes nothing.
    """
    taken: list[Path] = []
    problems: list[str] = []
    for path in watcher.look():
        reader = readers.get(path)
        if reader is None:
            continue
        try:
            reader(path)
        except ConfigError as error:
            problems += error.problems
        except (HitloopError, OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
        else:
            taken.append(path)
    return Reloaded(tuple(taken), tuple(problems))
