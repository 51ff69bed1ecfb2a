from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from hitloopd.core import commands as c
from hitloopd.core.errors import DeviceError
from hitloopd.core.notices import Warned
from hitloopd.core.pattern import ALL_LANES, Lane
from hitloopd.session import journal as module
from hitloopd.session.history import History, Step
from hitloopd.session.journal import DAMAGED, NAME, Journal
from hitloopd.session.reduce import Generated, Morphed
from hitloopd.session.replay import framed, unframed
from hitloopd.session.state import SessionState
from tests.session.bars import FOUR, OTHER, bar, hit
from tests.session.scribe import fingerprint, quick

ROOT = Path(__file__).parents[2]
BETWEEN = bar(hit(Lane.KICK, 0), hit(Lane.SNARE, 6), seed=9)
COMMANDS = (
    c.LockLane(Lane.KICK, False),
    Generated(FOUR, ALL_LANES, 7),
    c.SetCell(Lane.KICK, 3, 0.25),
    c.LockLane(Lane.KICK, True),
    Generated(OTHER, ALL_LANES, 8),
    c.SetMorph(0.3),
    c.Undo(),
    c.Undo(),
    c.Redo(),
)


def perform(journal: Journal, *commands) -> History:
    history = journal.history
    for command in commands:
        assert journal.write(history.apply(command), history), journal.problem
    return history


def reopened(folder: Path) -> Journal:
    return Journal(folder, SessionState(model="not this one"))


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "state", SessionState())
    yield journal
    journal.close()


def test_a_gesture_is_one_change_after_a_restart_too(journal):
    history = journal.history
    for value in range(1, 51):
        journal.write(history.apply(c.SetEnergy(0.5 + value / 200), value), history)
    journal.write(history.apply(c.Undo()), history)
    journal.write(history.apply(c.Redo()), history)
    journal.close()
    again = reopened(journal.folder)
    assert again.history.present.energy == 0.75
    assert len(again.history.past) == 1
    again.close()


def test_reopening_gives_back_present_undo_redo_seed_and_memo(journal):
    history = perform(journal, *COMMANDS)
    assert journal.remember({"bpm": 124.5, "playing": True})
    journal.close()
    again = reopened(journal.folder)
    assert fingerprint(again.history) == fingerprint(history)
    assert (again.memo, again.report) == ({"bpm": 124.5, "playing": True}, "")
    again.close()


def test_a_bar_that_a_generator_drew_between_two_comes_back_too(journal):
    history = perform(journal, *COMMANDS[:5], Morphed(BETWEEN, 0.4))
    expected = fingerprint(history)
    journal.close()
    with closing(reopened(journal.folder)) as again:
        assert fingerprint(again.history) == expected
        assert again.history.present.between == BETWEEN
        assert again.report == ""


def test_it_goes_on_where_it_left_off(journal):
    twice = History(SessionState())
    for _ in range(3):
        perform(journal, *COMMANDS)
        for command in COMMANDS:
            twice.apply(command)
        journal.close()
        journal = reopened(journal.folder)
    assert fingerprint(journal.history) == fingerprint(twice)
    journal.close()


def test_a_bar_is_written_once_and_a_change_only_says_what_changed(journal):
    perform(journal, Generated(FOUR, ALL_LANES, 7))
    size = (journal.folder / NAME).stat().st_size
    history = perform(journal, c.SetAuto(4))
    added = (journal.folder / NAME).read_bytes()[size:]
    assert unframed(added.rstrip(b"\n")) == {"op": "push", "set": {"auto_bars": 4}}
    for _ in range(5):
        journal.write(history.apply(Generated(FOUR, ALL_LANES, 7)), history)
    assert (journal.folder / NAME).read_bytes().count(b'"op":"pattern","id":"' + FOUR.id.encode()) == 1


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_left_out_with_a_report(journal, cut):
    history = perform(journal, Generated(FOUR, ALL_LANES, 7))
    expected = fingerprint(history)
    perform(journal, c.SetAuto(4))
    journal.close()
    path = journal.folder / NAME
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    again = reopened(journal.folder)
    assert fingerprint(again.history) == expected
    assert "damaged" in again.report
    kept = (journal.folder / DAMAGED).read_bytes()
    assert kept
    assert data[:-cut].endswith(kept)
    again.close()
    final = reopened(journal.folder)
    assert (final.report, fingerprint(final.history)) == ("", expected)
    final.close()


@pytest.mark.parametrize(
    "line",
    [
        b"00000000 {}\n",
        b"garbage\n",
        b"\xff\xfe\n",
        b"\n",
        framed({"op": "redo"}),
        framed({"op": "dance"}),
        framed({"op": "journal", "version": 2}),
    ],
)
def test_a_line_that_makes_no_sense_ends_the_reading(journal, line):
    expected = fingerprint(perform(journal, c.Calmer()))
    journal.close()
    with (journal.folder / NAME).open("ab") as file:
        file.write(line + framed({"op": "undo"}))
    again = reopened(journal.folder)
    assert fingerprint(again.history) == expected
    assert again.report
    again.close()


@pytest.mark.parametrize("content", [b"", b"not a journal", framed({"op": "state", "set": {"current": "nowhere"}})])
def test_a_file_that_can_t_be_read_is_kept_aside_and_the_daemon_starts(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    journal = Journal(tmp_path, SessionState(auto_bars=3))
    assert journal.history.present.auto_bars == 3
    assert journal.report
    assert (tmp_path / DAMAGED).read_bytes() == content
    journal.close()


def test_it_is_written_anew_when_it_grows_and_nothing_is_lost(tmp_path):
    journal = Journal(tmp_path, SessionState(), max_bytes=20_000)
    sizes = []
    for bars in range(1, 1000):
        history = perform(journal, c.SetAuto(bars))
        sizes.append((tmp_path / NAME).stat().st_size)
    assert any(after < before for before, after in itertools.pairwise(sizes))
    assert max(sizes) < 40_000
    perform(journal, *[c.Undo()] * 50)
    journal.close()
    again = reopened(tmp_path)
    assert fingerprint(again.history) == fingerprint(history)
    assert len(again.history.past) == 150
    again.close()


def test_the_second_daemon_learns_who_holds_the_folder(journal):
    with pytest.raises(DeviceError, match=f"process {os.getpid()}"):
        Journal(journal.folder, SessionState())
    journal.close()
    Journal(journal.folder, SessionState()).close()


def test_a_full_disk_is_told_once_and_all_is_written_when_there_is_room(journal, monkeypatch):
    history = perform(journal, c.SetAuto(1))
    monkeypatch.setattr(module, "RETRY_NS", 0)
    with monkeypatch.context() as full:
        full.setattr(module.os, "write", partial(no_room))
        full.setattr(module, "_write_file", partial(no_room))
        for bars in (2, 3, 4):
            assert not journal.write(history.apply(c.SetAuto(bars)), history)
        warned = journal.take_problem()
        assert isinstance(warned, Warned)
        assert "No space left" in warned.text
        assert journal.take_problem() is None
    assert journal.write(history.apply(c.SetAuto(5)), history)
    assert journal.problem == ""
    journal.close()
    again = reopened(journal.folder)
    assert fingerprint(again.history) == fingerprint(history)
    again.close()


def no_room(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_half_a_line_on_a_full_disk_does_not_spoil_what_follows(journal, monkeypatch):
    history = perform(journal, c.SetAuto(1))
    monkeypatch.setattr(module, "RETRY_NS", 0)
    real = os.write
    room = iter([7])

    def write_what_fits(fd, data):
        return real(fd, data[: next(room)]) if room.__length_hint__() else no_room()

    with monkeypatch.context() as full:
        full.setattr(module.os, "write", write_what_fits)
        assert not journal.write(history.apply(c.SetAuto(2)), history)
    assert journal.write(history.apply(c.SetAuto(3)), history)
    journal.close()
    again = reopened(journal.folder)
    assert (again.report, fingerprint(again.history)) == ("", fingerprint(history))
    again.close()


def test_a_folder_that_can_t_be_made_is_a_problem_and_not_an_exception(tmp_path):
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "state", SessionState())
    history = journal.history
    assert not journal.write(history.apply(c.Calmer()), history)
    assert not journal.remember({"bpm": 1})
    assert not journal.sync()
    assert journal.take_problem() is not None
    journal.close()


def test_sync_reaches_the_disk(journal):
    perform(journal, c.Calmer())
    assert journal.sync()


def test_a_step_that_changed_nothing_writes_nothing(journal):
    size = (journal.folder / NAME).stat().st_size
    assert journal.write(Step.NONE, journal.history)
    assert (journal.folder / NAME).stat().st_size == size


def test_rule_49_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    """The process dies in the middle of its work, again and again; the next one finds all it acknowledged."""
    possible = {quick(History(SessionState()))}
    for kill in range(6):
        lines = killed_after(tmp_path, changes=150 + 67 * kill, seed=kill)
        assert lines[0][0] == "found"
        assert lines[0][1] in possible
        done = max(index for index, line in enumerate(lines) if line[0] == "done")
        # What was being written when it died may be there too, but nothing older and nothing else.
        possible = {state for _, state, *_ in lines[done:]}
        assert len(possible) <= 2
    journal = reopened(tmp_path)
    assert quick(journal.history) in possible
    assert journal.history.past
    journal.close()


def killed_after(folder: Path, *, changes: int, seed: int) -> list[list[str]]:
    """What a scribe said before it was killed, in words; a line that it could not finish left out."""
    command = [sys.executable, "-m", "tests.session.scribe", str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as scribe:
        assert scribe.stdout
        lines = [scribe.stdout.readline() for _ in range(changes)]
        scribe.kill()
        lines += scribe.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]
