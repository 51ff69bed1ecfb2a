"""Bass transcribers: pYIN on plucked lines, Basic Pitch by a stand-in for its program, and the table."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hitloopd.core.errors import DeviceError, UnavailableError, UnknownNameError
from offline.audio import RATE, Wave
from offline.transcription.bass.basic_pitch import BasicPitch, lowest_line, read_events
from offline.transcription.bass.by_name import bass_transcriber
from offline.transcription.bass.pyin import PYin, cut, steady
from offline.transcription.heard import BassNote, Stems
from tests.offline.transcription_sounds import laid, tone

LINE = ((0.2, 33), (0.7, 33), (1.2, 40), (1.7, 45), (2.2, 28), (2.7, 38))


def stems_of(sound: Wave) -> Stems:
    return Stems(sound, sound, sound)


def line() -> Stems:
    return stems_of(laid([(start, tone(pitch, 0.45, decay_s=0.25)) for start, pitch in LINE], 3.5))


def test_pyin_hears_a_plucked_line_with_its_repeats() -> None:
    notes = PYin().bass_notes(line())
    assert [note.pitch for note in notes] == [pitch for _, pitch in LINE]
    np.testing.assert_allclose([note.start_s for note in notes], [start for start, _ in LINE], atol=0.05)
    assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(notes))


def test_pyin_hears_nothing_in_silence_nor_in_less_than_a_frame() -> None:
    assert list(PYin().bass_notes(stems_of(np.zeros(RATE, np.float32)))) == []
    assert list(PYin().bass_notes(stems_of(np.ones(100, np.float32)))) == []


def test_slips_of_a_spectrum_are_smoothed_away() -> None:
    pitches = np.array([40] * 8 + [52] + [40] * 8)
    assert (steady(pitches) == 40).all()


def test_a_rise_of_the_level_begins_a_new_note_on_the_same_pitch() -> None:
    pitches, sure = np.full(60, 40), np.ones(60)
    level = np.concatenate([np.geomspace(1.0, 0.1, 30), np.geomspace(1.0, 0.1, 30)]).astype(np.float32)
    assert len(cut(pitches, level, sure)) == 2
    assert len(cut(pitches, np.ones(60, np.float32), sure)) == 1


def test_the_lowest_of_notes_struck_together_is_the_bass() -> None:
    chord = [BassNote(1.0, 2.0, 52, 0.5, 1.0), BassNote(1.01, 2.0, 40, 0.5, 1.0), BassNote(1.5, 1.8, 59, 0.5, 1.0)]
    assert [note.pitch for note in lowest_line(chord)] == [40]


def test_a_lower_note_ends_the_one_before() -> None:
    held = [BassNote(0.0, 2.0, 45, 0.5, 1.0), BassNote(1.0, 1.5, 33, 0.5, 1.0)]
    assert [(note.pitch, note.end_s) for note in lowest_line(held)] == [(45, 1.0), (33, 1.5)]


EVENTS = "start_time_s,end_time_s,pitch_midi,velocity,pitch_bend\n1.5,1.9,40,64,0,1,1\n0.5,0.9,33,127\n"


def pretend_program(folder: Path, body: str) -> Path:
    """A stand-in for ``basic-pitch`` that runs this Python."""
    program = folder / "basic-pitch"
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{body}\n")
    program.chmod(0o755)
    return program


def test_basic_pitch_is_called_as_a_program_and_its_table_read(tmp_path: Path) -> None:
    body = f"Path(sys.argv[-2], Path(sys.argv[-1]).stem + '_basic_pitch.csv').write_text({EVENTS!r})"
    heard = BasicPitch.from_environment({"HITLOOP_BASIC_PITCH": str(pretend_program(tmp_path, body))})
    notes = heard.bass_notes(line())
    assert notes == [BassNote(0.5, 0.9, 33, 1.0, 1.0), BassNote(1.5, 1.9, 40, 64 / 127, 1.0)]


def test_a_program_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = pretend_program(tmp_path, "sys.exit('no TensorFlow here')")
    with pytest.raises(DeviceError, match="no TensorFlow here"):
        BasicPitch(program).bass_notes(line())


def test_basic_pitch_not_installed_says_what_to_do() -> None:
    with pytest.raises(UnavailableError, match=r"pip install 'basic-pitch==0\.4\.0'"):
        BasicPitch.from_environment({"PATH": "/nowhere"})
    with pytest.raises(UnavailableError, match="names 'gone'"):
        BasicPitch.from_environment({"PATH": "/nowhere", "HITLOOP_BASIC_PITCH": "gone"})


def test_a_table_of_something_else_is_told() -> None:
    with pytest.raises(DeviceError, match="no table of notes"):
        read_events("a,b\nx,y\n")


def test_an_unknown_transcriber_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'pyin'"):
        bass_transcriber("pyn")
