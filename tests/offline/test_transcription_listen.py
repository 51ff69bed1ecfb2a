"""Songs heard in stretches: the same as in one piece, going on after an interruption, with stems and without."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.errors import DeviceError
from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.transcription import listen as listen_module
from offline.transcription.glance import BANDS, PER_S, band_of, glance
from offline.transcription.listen import Tape, listen, open_recording
from tests.offline.transcription_fakes import UNSURE_S, fake_ears, four_on_the_floor, song

LENGTH_S = 31.3
BORDERS_S = (8.0, 14.0, 20.0)  # of stretches of six seconds, with two more before and after
NOTES = [(0.6, 7.9, 40), (8.3, 21.2, 43), (21.3, 26.0, 36), (26.1, 30.0, 40)]


@pytest.fixture
def short_stretches(monkeypatch):
    monkeypatch.setattr(listen_module, "STRETCH_S", 6)


def hits_everywhere():
    """Four on the floor, and a hit of some lane at every border and just beside it."""
    near = [(at + off, Lane.CYMBAL) for at in BORDERS_S for off in (-0.08, 0.0, 0.08)]
    near += [(at - 1 / RATE, Lane.SNARE) for at in BORDERS_S]
    return sorted([*(hit for hit in four_on_the_floor(15) if hit[0] not in BORDERS_S), *near])


def heard(path, folder, ears=None, stems=None):
    return listen(path, ears or fake_ears(), stems or {}, folder, lambda seconds: None)


def as_read(hits):
    return sorted((round(hit.time_s, 4), hit.lane) for hit in hits)


@pytest.mark.parametrize("unsure_s", [0.0, UNSURE_S, -UNSURE_S])
def test_stretches_join_without_doubles_or_losses(tmp_path, short_stretches, unsure_s):
    wanted = hits_everywhere()
    path = song(tmp_path / "a.wav", wanted, NOTES, LENGTH_S)
    found = heard(path, tmp_path / "work", fake_ears(unsure_s))
    assert len(list((tmp_path / "work").iterdir())) == 4
    assert len(found.hits) == len(wanted)
    for lane in Lane:
        got = [hit.time_s for hit in found.hits if hit.lane is lane]
        true = [at for at, kind in wanted if kind is lane]
        assert np.allclose(got, true, atol=UNSURE_S + 1e-4)


def test_features_picture_and_notes_are_those_of_the_whole_song(tmp_path, monkeypatch):
    notes = [(start, end, pitch) for start, end, pitch in NOTES]
    path = song(tmp_path / "a.wav", [(30.5, Lane.KICK)], notes, LENGTH_S)
    whole = heard(path, tmp_path / "one")
    monkeypatch.setattr(listen_module, "STRETCH_S", 6)
    parts = heard(path, tmp_path / "many")
    assert np.array_equal(whole.features, parts.features)
    assert len(whole.features) == round(LENGTH_S * 100)
    assert whole.picture.shape == parts.picture.shape == (-(-int(LENGTH_S * 100) * PER_S // 100), BANDS)
    assert np.abs(whole.picture.astype(int) - parts.picture).max() <= 1
    assert [(n.pitch, round(n.start_s, 3), round(n.end_s, 3)) for n in parts.notes] == [
        (pitch, start, end) for start, end, pitch in notes
    ]
    assert parts.length_s == whole.length_s == pytest.approx(LENGTH_S)


def test_what_was_heard_is_not_heard_again(tmp_path, short_stretches):
    path = song(tmp_path / "a.wav", hits_everywhere(), NOTES, LENGTH_S)
    whole = heard(path, tmp_path / "whole")
    ears, told = fake_ears(), []

    def until_the_third(seconds):
        told.append(seconds)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        listen(path, ears, {}, tmp_path / "work", until_the_third)
    assert ears.drums.calls == 3
    (tmp_path / "work" / "00002").unlink()  # killed before it was written
    again = heard(path, tmp_path / "work", ears)
    assert ears.drums.calls == 5
    assert again.hits == whole.hits
    assert again.notes == whole.notes
    assert np.array_equal(again.features, whole.features)


def test_no_listener_gets_more_than_a_stretch_of_a_song_of_any_length(tmp_path, short_stretches):
    path, ears = song(tmp_path / "a.wav", four_on_the_floor(100), length_s=201.0), fake_ears()
    assert len(heard(path, tmp_path / "work", ears).hits) == 4 * 100 * 5 // 2
    assert ears.drums.longest_s <= 6 + 4 * 2, "a stretch, what it shares with the next, and that much for the last"


def test_progress_is_told_in_seconds_of_the_song(tmp_path, short_stretches):
    told = []
    listen(song(tmp_path / "a.wav", [(0.5, Lane.KICK)], length_s=20.0), fake_ears(), {}, tmp_path / "w", told.append)
    assert told == [8.0, 14.0, 20.0]


def test_stems_are_taken_as_they_are_and_the_rest_from_the_separator(tmp_path, short_stretches):
    mix = song(tmp_path / "mix.wav", [(at, Lane.KICK) for at in range(1, 20)], [(3.1, 3.9, 40)], 20.0)
    drums = song(tmp_path / "drums.flac.wav", [(at + 0.5, Lane.SNARE) for at in range(25)], length_s=26.0)
    bass = song(tmp_path / "bass.wav", [], [(7.0, 9.0, 50)], 12.0)
    found = heard(mix, tmp_path / "one", stems={"drums": drums})
    assert as_read(found.hits) == [(at + 0.5, Lane.SNARE) for at in range(20)]
    assert [note.pitch for note in found.notes] == [40]
    found = heard(mix, tmp_path / "two", stems={"drums": drums, "bass": bass})
    assert [(note.pitch, round(note.start_s, 3), round(note.end_s, 3)) for note in found.notes] == [(50, 7.0, 9.0)]


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_times_are_those_of_the_file_at_any_rate(tmp_path, short_stretches, rate):
    path = song(tmp_path / "a.wav", [], [(7.5, 9.5, 40), (15.0, 16.0, 45)], 20.0, rate)
    found = heard(path, tmp_path / "work")
    longest = sorted(found.notes, key=lambda note: note.start_s - note.end_s)[:2]  # filters ring at the edges
    assert [note.pitch for note in longest] == [40, 45]
    assert [note.start_s for note in longest] == pytest.approx([7.5, 15.0], abs=0.005)


def test_a_silent_song_is_refused(tmp_path):
    with pytest.raises(DeviceError, match="silent"):
        heard(song(tmp_path / "a.wav", [], length_s=3.0), tmp_path / "work")


def test_a_tape_gives_overlapping_spans_and_silence_after_its_end(tmp_path):
    path = song(tmp_path / "a.wav", [(0.1 * n, Lane.KICK) for n in range(50)], length_s=5.0)
    tape = Tape(open_recording(path))
    parts = [tape.read(start, 3 * RATE) for start in (0, RATE, 4 * RATE, 9 * RATE)]
    whole = np.concatenate([np.concatenate(list(listen_module.blocks(open_recording(path)))), np.zeros(9 * RATE)])
    for start, part in zip((0, 1, 4, 9), parts, strict=True):
        assert np.array_equal(part, whole[start * RATE : (start + 3) * RATE])


def test_a_glance_sees_a_tone_in_its_band():
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    seen = glance(tone)
    assert seen.shape == (2 * PER_S, BANDS)
    assert abs(int(seen[PER_S].argmax()) - band_of(440)) < 1
    assert seen[PER_S].max() / 255 * 90 - 90 == pytest.approx(-6, abs=2)
