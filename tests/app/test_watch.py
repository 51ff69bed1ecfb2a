from __future__ import annotations

from pathlib import Path

import pytest

from hitloopd.app.config import load
from hitloopd.app.watch import Stamp, Watcher, reload_changed
from hitloopd.core.errors import RangeError

A, B = Path("a.yaml"), Path("b.yaml")
OLD, HALF, NEW = (1, 10, 100), (1, 4, 200), (1, 12, 201)


class Disk:
    def __init__(self, **stamps: Stamp | None) -> None:
        self.now = {Path(f"{name}.yaml"): value for name, value in stamps.items()}

    def __call__(self, path: Path) -> Stamp | None:
        return self.now.get(path)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([OLD, OLD, OLD], [0, 0, 0]),
        ([NEW, NEW, NEW], [0, 1, 0]),
        ([HALF, NEW, NEW], [0, 0, 1]),
        ([None, None, NEW, NEW], [0, 0, 0, 1]),
        ([None, OLD, OLD], [0, 0, 0]),
        ([HALF, OLD, OLD], [0, 0, 0]),
        ([(2, 10, 100), (2, 10, 100)], [0, 1]),
        ([NEW, NEW, OLD, OLD], [0, 1, 0, 1]),
    ],
    ids=["calm", "saved", "half-written", "deleted", "back", "put back", "renamed over", "twice"],
)
def test_a_change_is_told_once_when_the_file_is_whole(looks: list[Stamp | None], told: list[int]) -> None:
    disk = Disk(a=OLD)
    watcher = Watcher([A], disk)
    seen = []
    for look in looks:
        disk.now[A] = look
        seen.append(len(watcher.look()))
    assert seen == told


def test_a_file_that_appears_later_is_told() -> None:
    disk = Disk()
    watcher = Watcher([A], disk)
    disk.now[A] = NEW
    assert [watcher.look(), watcher.look()] == [(), (A,)]


def test_watching_others_keeps_what_is_known() -> None:
    disk = Disk(a=OLD, b=OLD)
    watcher = Watcher([A], disk)
    disk.now[A] = NEW
    watcher.look()
    watcher.watch([A, B])
    assert watcher.look() == (A,)
    assert watcher.paths == (A, B)


def test_a_broken_file_changes_nothing_and_says_where(tmp_path: Path) -> None:
    file, kit = tmp_path / "my.yaml", tmp_path / "kit.yaml"
    file.write_text("transport: {bpm: 120}")
    kit.write_text("")
    watcher = Watcher([file, kit])
    bpm = [load(file).transport.bpm]

    def take(path: Path) -> None:
        bpm.append(load(path).transport.bpm)

    def take_kit(_: Path) -> None:
        raise RangeError("gain is 99")

    def save(path: Path, text: str) -> None:
        draft = path.with_suffix(".tmp")
        draft.write_text(text)
        draft.replace(path)

    readers = {file: take, kit: take_kit}
    save(file, "transport: {bpm: 1200}")
    save(kit, "x")
    assert not reload_changed(watcher, readers)
    told = reload_changed(watcher, readers)
    assert told.problems == (f"{file}:1: transport.bpm: is 1200; expected a number 20..300.", f"{kit}: gain is 99")
    save(file, "transport: {bpm: 121}")
    reload_changed(watcher, readers)
    assert reload_changed(watcher, readers).taken == (file,)
    assert bpm == [120.0, 121.0]
