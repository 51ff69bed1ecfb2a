"""Lessons: what sounds is what the truth says, and a seed decides it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import DeviceError
from hitloopd.core.pattern import Lane
from hitloopd.io.synth.voices import render
from offline.audio import RATE
from offline.dataset.midi import read_midi
from offline.extraction.classes import Reference
from offline.extraction.general_midi import own_sounds
from offline.transcription.heard import BassNote
from offline.transcription.lessons import make, whole
from offline.transcription.lessons import mixing as lesson_mixing
from offline.transcription.lessons.basses import draw_bass, played_bass
from offline.transcription.lessons.drummer import Touch, played_drums
from offline.transcription.lessons.drumming import FADE, KIT_S, drumming, otherwise
from offline.transcription.lessons.kits import KINDS, aligned, draw_kit, drum_sounds
from offline.transcription.lessons.make import FONT, Lesson, Material, Places, lessons, song_lesson
from offline.transcription.lessons.mixing import mixed
from offline.transcription.lessons.score import DrumNote, hits_of
from offline.transcription.lessons.songs import Song, score_of, setting, songs
from offline.transcription.lessons.styles import style_score
from offline.transcription.lessons.various import STRANGE, VARIOUS, aged
from tests.needs import require, require_program
from tests.offline.extraction_sounds import hat, kick, snare
from tests.offline.songbook import CRASH, HAT, KICK, SNARE, TOM, hit, meter, tempo, track, write

STEADY = Touch(curve=1.0, unsteady_db=0.0, choke=True, one_voice=False)


def starts(sound, above=0.3):
    """Where a sound that was silent for 50 ms becomes loud, in seconds."""
    loud = np.flatnonzero(np.abs(sound) > above * np.abs(sound).max())
    first = np.flatnonzero(np.diff(loud, prepend=-RATE) > 0.05 * RATE)
    return loud[first] / RATE


def some_sounds():
    made = {"kick": kick(), "snare": snare(), "closed_hat": hat()}
    return [Reference(f"{kind}/test_{kind}", kind, Path(kind), sound) for kind, sound in made.items()]


def test_a_stroke_is_heard_at_its_time():
    slow = np.concatenate([np.linspace(0, 0.1, 400), np.linspace(0.1, 1, 441), np.exp(-np.arange(8000) / 2000)])
    stroke = aligned(slow.astype(np.float32), 0.0, 0.0)
    kit = dict.fromkeys(KINDS, (stroke,))
    times = (0.5, 1.0, 1.75)
    notes = [DrumNote(at, KICK, 1.0) for at in times]
    sound = played_drums(notes, kit, STEADY, 2.5, np.random.default_rng(0))
    assert stroke.lead > 100
    assert starts(sound, 0.25) == pytest.approx(times, abs=0.001)


def test_a_closed_hat_ends_an_open_one():
    ring = aligned(np.ones(RATE, np.float32), 0.0, 0.0)
    tick = aligned(np.ones(100, np.float32), 0.0, 0.0)
    kit = dict.fromkeys(KINDS, (ring,)) | {"closed_hat": (tick,)}
    notes = [DrumNote(0.1, 46, 1.0), DrumNote(0.3, 42, 1.0)]
    choked = played_drums(notes, kit, STEADY, 1.0, np.random.default_rng(0))
    free = played_drums(notes, kit, Touch(1.0, 0.0, choke=False, one_voice=False), 1.0, np.random.default_rng(0))
    assert not choked[round(0.35 * RATE) :].any()
    assert free[round(0.35 * RATE) :].any()


def test_hits_follow_the_drum_map_and_layers_are_one_hit():
    notes = [DrumNote(0.0, 38, 0.5), DrumNote(0.005, 39, 0.9), DrumNote(0.2, 46, 0.6), DrumNote(0.4, TOM, 0.9)]
    hits = hits_of(notes)
    assert [(hit.time_s, hit.lane, hit.velocity) for hit in hits] == [(0.0, Lane.SNARE, 0.9), (0.2, Lane.CYMBAL, 0.6)]


@pytest.fixture(scope="module")
def kits():
    """Kits of one seed: the usual one, and each of the others twice."""
    manners = (None, VARIOUS, VARIOUS, STRANGE, STRANGE)
    return [draw_kit(own_sounds(), np.random.default_rng(4), manner) for manner in manners]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_synthesised(kits, kind):
    assert all(np.isfinite(stroke.hard).all() and np.abs(stroke.hard).max() > 0 for stroke in kits[0][kind])


@pytest.mark.parametrize("first", [1, 3], ids=["various", "strange"])
@pytest.mark.parametrize("kind", KINDS)
def test_other_kits_have_other_sounds(kits, kind, first):
    for stroke in kits[first][kind]:
        assert np.isfinite(stroke.hard).all()
        assert np.abs(stroke.hard).max() > 0
    assert all(np.array_equal(a.hard, b.hard) for a, b in zip(kits[first][kind], kits[first + 1][kind], strict=True))
    assert any(not np.array_equal(a.hard, b.hard) for a, b in zip(kits[first][kind], kits[0][kind], strict=True))


@pytest.mark.parametrize("kind", ["snare", "closed_hat", "tom", "perc"])
def test_every_strange_recipe_makes_a_sound(kind):
    for seed in range(30):  # each has several, drawn by lot
        sound = render(STRANGE.recipes[kind](np.random.default_rng(seed)), RATE)
        assert np.isfinite(sound).all()
        assert 0 < np.abs(sound).max() <= 1.0


def test_an_aged_sound_is_at_another_pitch_but_begins_where_it_did():
    made = [aged(snare(), np.random.default_rng(seed)) for seed in range(12)]
    assert len({len(sound) for sound in made}) > 3
    assert all(np.isfinite(sound).all() and sound.dtype == np.float32 for sound in made)
    assert sum(np.array_equal(sound, snare()) for sound in made) > 0


def test_drums_alone_change_their_kit_and_are_heard_where_they_are_written(tmp_path):
    hits = [hit(beat, note, 100) for beat in range(64) for note in (KICK, HAT)]
    path = write(tmp_path / "groove.mid", track(hits, extra=[tempo(120), meter(4, 4)]))
    groove = read_midi(path)
    song = Song("a song", path, groove, score_of(groove))
    sound, notes = drumming(own_sounds(), [groove], [song], 3 * KIT_S, np.random.default_rng(2))
    assert len(sound) == round(3 * KIT_S * RATE)
    times = np.array([note.time_s for note in notes])
    assert (np.diff(times) >= 0).all()
    assert {int(time_s // KIT_S) for time_s in times} == {0, 1, 2}
    loud = np.abs(sound)
    heard = [loud[round(t * RATE) : round((t + 0.03) * RATE)].max() for t in times]
    assert np.median(heard) > 3 * np.median(loud)
    for end in (1, 2):  # the kit before has faded out
        assert loud[round(end * KIT_S * RATE) - FADE // 64 : round(end * KIT_S * RATE)].max() < 0.05


def test_a_part_is_played_otherwise_but_its_snares_stay_where_they_are():
    part = [DrumNote(0.5 * beat, pitch, 0.8) for beat in range(16) for pitch in (42, 38 if beat % 2 else 36)]
    times = [note.time_s for note in part if note.pitch == 38]
    seen = set()
    for seed in range(60):
        other = otherwise(part, np.random.default_rng(seed))
        assert other == sorted(other)
        assert [hit.time_s for hit in hits_of(other) if hit.lane is Lane.SNARE] == times
        assert [note.time_s for note in other if note.pitch == 36] == [note.time_s for note in part if note.pitch == 36]
        seen |= {note.pitch for note in other}
    assert seen >= {36, 37, 38, 39, 42, 46, 49, 51}


def test_judged_kits_and_basses_are_kept_out(tmp_path):
    for name in ("kick/lm-2_kick", "kick/tr-505_kick", "kick/mine_kick", "kick/yours_kick", "bass/fluidr3_bass"):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, kick(), RATE)
    names = {sound.name for train in (True, False) for sound in drum_sounds(tmp_path, train=train)}
    given = {name for name in names if name.endswith(".wav")}
    assert given == {"kick/mine_kick.wav", "kick/yours_kick.wav"}


def test_a_song_in_seconds_follows_a_tempo_on_any_track(tmp_path):
    drums = track([hit(0), hit(4, SNARE)], extra=[meter(4, 4)], until=8)
    bass = track([hit(2, 40, length=1.0)], channel=1, name="bass", extra=[tempo(60), tempo(120, 4)])
    score = score_of(read_midi(write(tmp_path / "a.mid", drums, bass)))
    assert [note.time_s for note in score.drums] == pytest.approx([0.0, 4.0])
    assert [(note.start_s, note.end_s, note.pitch) for note in score.bass] == [pytest.approx((2.0, 3.0, 40))]
    assert score.bars_s == pytest.approx((0.0, 4.0))
    assert score.beats_s == pytest.approx((0, 1, 2, 3, 4, 4.5, 5, 5.5))
    piece = score.piece(1.5, 3.0)
    assert [note.time_s for note in piece.drums] == pytest.approx([2.5])
    assert piece.bars_s == pytest.approx((2.5,))


def corpus(folder, count=12):
    rows = ["path,source,author,licence"]
    for number in range(count):
        name = f"song{number}.mid"
        beats = range(32)
        drums = track([hit(beat, (KICK, SNARE)[beat % 2]) for beat in beats] + [hit(0, CRASH), hit(3, HAT)], until=32)
        bass = track([hit(beat, 33 + number, length=0.5) for beat in beats], channel=1, program=33)
        write(folder / "freedoom" / name, drums, bass)
        write(folder / "groove" / f"{number}_rock_120_beat_4-4.mid", drums)
        rows += [f"freedoom/{name},here,somebody,CC0 1.0", f"groove/{number}_rock_120_beat_4-4.mid,here,x,CC BY 4.0"]
    judged = folder / "freedoom" / "d_dm01_abc123.mid"
    write(judged, drums, bass)
    closed = folder / "freedoom" / "closed.mid"
    write(closed, drums, bass)
    rows += [
        "freedoom/d_dm01_abc123.mid,here,somebody,CC0 1.0",
        "freedoom/closed.mid,here,somebody,all rights reserved",
    ]
    for part in ("freedoom", "groove"):
        own = [row.removeprefix(f"{part}/") for row in rows[1:] if row.startswith(part)]
        (folder / part / "MANIFEST.csv").write_text("\n".join([rows[0], *own]))
    return folder


def test_songs_that_are_judged_or_not_open_are_kept_out(tmp_path):
    folder = corpus(tmp_path) / "freedoom"
    parts = [{song.name for song in songs(folder, train=train)} for train in (True, False)]
    assert not parts[0] & parts[1]
    assert parts[0] | parts[1] == {f"freedoom/song{number}.mid" for number in range(12)}
    with pytest.raises(DeviceError, match="no song to learn from"):
        songs(tmp_path / "nothing", train=True)


def test_a_style_keeps_its_bars():
    score = style_score(20.0, np.random.default_rng(3))
    assert score == style_score(20.0, np.random.default_rng(3))
    assert np.ptp(np.diff(score.bars_s)) < 1e-9
    assert len(score.beats_s) == pytest.approx(4 * len(score.bars_s), abs=4)
    assert {DrumNote(*note).pitch for note in score.drums} >= {36}
    assert all(0 <= note.start_s < 20.0 for note in score.bass)


def test_stems_add_up_to_the_mix_where_nothing_bent_it():
    draw = np.random.default_rng(0)
    stems = [(draw.standard_normal(RATE) * 0.1).astype(np.float32) for _ in range(3)]
    apart = []
    for seed in range(12):
        out = mixed(*stems, [0.1, 0.6], np.random.default_rng(seed))
        whole = out.drums + out.bass + out.other
        apart.append(float(np.abs(out.mix - whole).max() / np.abs(whole).max()))
    assert min(apart) < 1e-5
    assert np.median(apart) < 0.01


def test_minutes_of_sound_go_through_the_codec_and_stay_as_long():
    sound = (0.1 * np.sin(np.arange(100 * RATE) * 0.05)).astype(np.float32)
    back = lesson_mixing._coded(sound)
    assert len(back) == len(sound)
    assert np.corrcoef(sound, back)[0, 1] > 0.95


def test_a_bass_sounds_while_its_notes_last():
    notes = [BassNote(0.2, 0.5, 40, 0.8, 1.0), BassNote(1.0, 1.4, 43, 0.8, 1.0)]
    sound = played_bass(notes, draw_bass(np.random.default_rng(1)), 2.0)
    heard = [
        bool(np.abs(sound[round(at * RATE) : round((at + 0.02) * RATE)]).max() > 1e-3) for at in (0.1, 0.3, 0.8, 1.1)
    ]
    assert heard == [False, True, False, True]


def test_other_settings_are_other_songs():
    assert setting(0, 7).semitones == 0
    assert setting(0, 7).program(3, 17) == 17
    assert setting(1, 7) == setting(1, 7) != setting(2, 7)


def test_whole_lessons_are_decided_by_their_seed(tmp_path, monkeypatch):
    require_program("fluidsynth")
    require(FONT.is_file(), "the General MIDI sound font FluidR3 is not installed")
    monkeypatch.setattr(make, "PIECE_S", 8.0)  # of thirty it would take four times as long and tell no more
    material = Material.load(Places(corpus(tmp_path / "midi"), references_folder(tmp_path)))
    made = list(lessons(material, range(3), tmp_path / "cache"))
    again = list(lessons(material, range(3), tmp_path / "cache"))
    anew = list(lessons(material, range(3), tmp_path / "another"))
    assert [one.hits for one in made] == [one.hits for one in again] == [one.hits for one in anew]
    assert all(np.abs(one.mix - other.mix).max() < 1e-4 for one, other in zip(made, again, strict=True))
    assert all(np.array_equal(one.mix, other.mix) for one, other in zip(made, anew, strict=True))
    assert any(one.hits and one.notes for one in made)
    assert not list((tmp_path / "cache").rglob("*.tmp"))
    kept = next((tmp_path / "cache" / "lessons").iterdir())
    assert Lesson.unpacked(kept).beats_s
    long = [song_lesson(material, seed, tmp_path / "cache", 4.0) for seed in range(6)]
    assert {len(one.mix) for one in long} == {4 * RATE}
    assert len({one.source for one in long}) > 1
    at_the_start = [one for one in long if one.bars_s[0] == 0.0]
    assert len(long) > len(at_the_start) > 3


def test_whole_songs_are_decided_by_their_seed_and_varied_ones_are_others(tmp_path, monkeypatch):
    require_program("fluidsynth")
    require(FONT.is_file(), "the General MIDI sound font FluidR3 is not installed")
    monkeypatch.setattr(whole, "STYLES", 0.0)
    monkeypatch.setattr(whole, "LONGEST_S", 6.0)
    material = Material.load(Places(corpus(tmp_path / "midi"), references_folder(tmp_path)))
    cache = tmp_path / "cache"

    def sounds(*, varied):
        every = whole.whole_songs(material, material.sounds, 4, cache, varied=varied)
        return [one.mix for one in every]

    usual, again, varied = sounds(varied=False), sounds(varied=False), sounds(varied=True)
    assert len(usual) == len(varied) == whole.TIMES
    assert all(np.array_equal(one, other) for one, other in zip(usual, again, strict=True))
    assert any(not np.array_equal(one, other) for one, other in zip(usual, varied, strict=True))


def references_folder(folder):
    for sound in some_sounds():
        for number in range(4):
            path = folder / "oneshots" / sound.kind / f"mine_{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, sound.sound, RATE)
    return folder / "oneshots"
