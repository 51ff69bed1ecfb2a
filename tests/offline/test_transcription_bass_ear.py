"""The bass network's parts: what it sees, what it is told, how its words become notes, and its file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hitloopd.core.errors import UnavailableError
from offline.audio import RATE
from offline.models.bass_ear import BassEar as Net
from offline.transcription.bass.batches import FRAMES, batch
from offline.transcription.bass.decode import Said, Strictness, notes_of
from offline.transcription.bass.ear import KIND, BassEar
from offline.transcription.bass.sight import (
    BANDS,
    HOP_S,
    LOWEST,
    PER_SEMITONE,
    PITCHES,
    SILENCE,
    SIZE,
    levels,
    spectra,
)
from offline.transcription.bass.study import UNKNOWN, Page, one_voice, targets
from offline.transcription.heard import BassNote, Stems
from tests.offline.transcription_sounds import kick, laid, tone

STRICT = Strictness(0.5, 0.5)


def said(frames: int, notes: list[tuple[int, int, int]], onsets: list[int] | None = None) -> Said:
    """As a network would speak that is sure: notes as (first frame, last frame, index of the pitch)."""
    onset = np.full(frames, 0.01, np.float32)
    pitch = np.zeros((frames, PITCHES + 1), np.float32)
    pitch[:, SILENCE] = 1.0
    for first, last, index in notes:
        pitch[first:last] = 0.0
        pitch[first:last, index] = 1.0
    for first in [note[0] for note in notes] if onsets is None else onsets:
        onset[first] = 0.9
        onset[first - 1], onset[first + 1] = 0.4, 0.4
    return Said(onset, pitch, np.ones(frames, np.float32))


@pytest.mark.parametrize("pitch", [28, 33, 45, 57])
def test_a_tone_is_loudest_in_the_band_of_its_pitch(pitch: int) -> None:
    seen = spectra(tone(pitch, 1.0, harmonics=1, decay_s=5.0))
    assert seen.shape == (round(1.0 / HOP_S) + 1, SIZE)
    band = int(seen[20, :BANDS].argmax())
    assert abs(band - (pitch - LOWEST) * PER_SEMITONE) <= 2


def test_a_quiet_recording_looks_like_a_loud_one() -> None:
    sound = laid([(0.1, tone(33, 0.5)), (0.8, tone(40, 0.5))], 1.5)
    np.testing.assert_allclose(levels(spectra(sound)), levels(spectra(0.05 * sound)), atol=1e-3)


def test_silence_and_less_than_a_window_can_be_looked_at() -> None:
    assert not levels(spectra(np.zeros(RATE, np.float32))).any()
    assert spectra(np.ones(10, np.float32)).shape == (1, SIZE)


def test_of_notes_that_begin_together_the_lowest_is_the_line() -> None:
    notes = [BassNote(0.0, 1.0, 52, 1, 1), BassNote(0.005, 1.0, 40, 1, 1), BassNote(0.5, 0.8, 45, 1, 1)]
    assert [(note.start_s, note.end_s, note.pitch) for note in one_voice(notes)] == [(0.0, 0.5, 40), (0.5, 0.8, 45)]


def test_targets_say_when_and_what_and_where_nobody_knows() -> None:
    notes = np.array([[20 * HOP_S, 30 * HOP_S, LOWEST + 7], [40.5 * HOP_S, 45 * HOP_S, LOWEST + 90]], np.float32)
    onset, pitch = targets(notes, 60)
    assert onset[20] == pytest.approx(1.0, abs=1e-3)
    assert onset[40] == pytest.approx(onset[41], abs=1e-3)
    assert onset[30] < 0.01
    assert set(pitch[:20]) == {UNKNOWN}
    assert set(pitch[20:30]) == {7}
    assert set(pitch[30:40]) == {SILENCE}
    assert pitch[42] == UNKNOWN  # above the range


def test_notes_begin_at_onsets_and_end_in_a_lull_or_at_the_next() -> None:
    notes = notes_of(said(100, [(10, 40, 5), (40, 60, 12)]), STRICT)
    assert [(note.pitch - LOWEST, round(note.start_s / HOP_S), round(note.end_s / HOP_S)) for note in notes] == [
        (5, 10, 40),
        (12, 40, 60),
    ]


def test_a_repeat_needs_an_onset() -> None:
    assert len(notes_of(said(100, [(10, 60, 5)], [10]), STRICT)) == 1
    assert len(notes_of(said(100, [(10, 60, 5)], [10, 35]), STRICT)) == 2


def test_a_slide_is_cut_where_the_pitch_moves_for_good() -> None:
    notes = notes_of(said(100, [(10, 40, 5), (40, 70, 7)], [10]), STRICT)
    assert [note.pitch - LOWEST for note in notes] == [5, 7]
    assert round(notes[1].start_s / HOP_S) == 40
    trill = notes_of(said(100, [(10, 40, 5), (40, 42, 7), (42, 70, 5)], [10]), STRICT)
    assert [note.pitch - LOWEST for note in trill] == [5]


def test_an_onset_without_a_bass_is_no_note() -> None:
    assert notes_of(said(100, [], [30]), STRICT) == []
    assert notes_of(said(100, [], []), STRICT) == []


def test_an_onset_between_two_frames_is_placed_between_them() -> None:
    words = said(60, [(20, 40, 5)])
    words.onset[21] = 0.85
    (note,) = notes_of(words, STRICT)
    assert 20.2 * HOP_S < note.start_s < 20.5 * HOP_S


def page(pitch: int) -> Page:
    bass = laid([(1.0, tone(pitch, 2.0)), (4.0, tone(pitch, 2.0))], 8.0)
    rest = np.zeros_like(bass)
    seen = [spectra(sound).astype(np.float16) for sound in (bass + rest, bass, rest)]
    return Page(*seen, np.array([[1.0, 3.0, pitch], [4.0, 6.0, pitch]], np.float32))


def test_a_batch_follows_from_its_draw_and_moves_pitch_and_sound_alike() -> None:
    pages = [page(33)]
    seen, onsets, pitches = batch(pages, 6, np.random.default_rng(3))
    again, _, _ = batch(pages, 6, np.random.default_rng(3))
    assert torch.equal(seen, again)
    assert seen.shape == (6, FRAMES, SIZE)
    assert onsets.shape == pitches.shape == (6, FRAMES)
    apart: list[float] = []
    for one, told in zip(seen.numpy(), pitches.numpy(), strict=True):
        frames = np.flatnonzero((told >= 0) & (told < SILENCE))
        if len(frames) > 60:  # where it is well in the note: the lowest loud band is its fundamental
            frame = one[frames[30], :BANDS]
            lowest = int(np.flatnonzero(frame > 0.95 * frame.max())[0])
            apart.append(abs(lowest / PER_SEMITONE - told[frames[30]]))
    assert len(apart) >= 3
    assert max(apart) < 1.4


def test_the_network_speaks_of_each_frame() -> None:
    torch.manual_seed(0)
    onset, pitch = Net().eval()(torch.rand(2, 50, SIZE))
    assert onset.shape == (2, 50)
    assert pitch.shape == (2, 50, PITCHES + 1)


def test_the_shipped_network_hears_a_plucked_line_under_kicks() -> None:
    line = [(0.5 + 0.5 * number, pitch) for number, pitch in enumerate((33, 33, 40, 45, 28, 38, 36, 31))]
    bass = laid([(start, tone(pitch, 0.45, decay_s=0.25)) for start, pitch in line], 5.0)
    sound = bass + laid([(number * 0.5, kick()) for number in range(10)], 5.0)
    notes = BassEar.load().bass_notes(Stems(sound, sound, sound))
    heard = {round(note.start_s / 0.5): note.pitch for note in notes if abs(note.start_s / 0.5 % 1 - 0.5) > 0.4}
    right = [heard.get(round(start / 0.5)) == pitch for start, pitch in line]
    assert sum(right) >= 6
    assert len(notes) <= 12
    assert all(one.end_s <= other.start_s + 0.02 for one, other in pairwise(notes))


def test_the_shipped_network_hears_no_bass_in_kicks_nor_in_silence() -> None:
    sound = laid([(number * 0.5, kick()) for number in range(10)], 5.0)
    assert len(BassEar.load().heard_in(sound)) <= 2
    assert list(BassEar.load().heard_in(np.zeros(RATE, np.float32))) == []


def test_a_model_that_is_not_there_or_of_another_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no bass network there"):
        BassEar.load(tmp_path)
    (tmp_path / "card.yaml").write_text(yaml.safe_dump({"kind": "weave"}))
    with pytest.raises(UnavailableError, match="another kind"):
        BassEar.load(tmp_path)
    (tmp_path / "card.yaml").write_text(yaml.safe_dump({"kind": KIND}))
    with pytest.raises(UnavailableError, match="how strict"):
        BassEar.load(tmp_path)
    (tmp_path / "card.yaml").write_text(
        yaml.safe_dump({"kind": KIND, "sha256": "0" * 64, "strictness": {"onset": 0.5, "sound": 0.5}})
    )
    with pytest.raises(UnavailableError):
        BassEar.load(tmp_path)
