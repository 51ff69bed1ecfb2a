"""Drum transcribers: peaks become hits in their lane at their time, whatever the loudness; models are checked."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from hitloopd.core.errors import UnavailableError, UnknownNameError
from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.transcription.drums.by_name import DRUMS, drum_transcriber
from offline.transcription.drums.ear import SHIPPED, Ear
from offline.transcription.drums.peaks import Rule, find_peaks, hits
from offline.transcription.drums.repeats import repeats, steadied
from offline.transcription.drums.spectrum import FPS, HOP, SIZE, levels, log_power, reference
from offline.transcription.drums.templates import Templates
from offline.transcription.heard import DrumsHeard, Stems
from offline.transcription.judging.scores import onset_tally
from tests.offline.extraction_sounds import hat, kick, noise, snare

BEAT_S = 0.5


def loop(bars=4, level=0.3):
    """A plain beat, with its true times by lane."""
    beats = range(4 * bars)
    true = {
        Lane.KICK: [beat * BEAT_S + 0.2 for beat in beats if beat % 2 == 0],
        Lane.SNARE: [beat * BEAT_S + 0.2 for beat in beats if beat % 2 == 1],
        Lane.HIHAT: [half * BEAT_S / 2 + 0.2 for half in range(8 * bars)],
    }
    sounds = {Lane.KICK: kick(), Lane.SNARE: snare(), Lane.HIHAT: 0.4 * hat()}
    out = noise(4 * bars * BEAT_S + 1.0, 1e-4)
    for lane, times in true.items():
        for time_s in times:
            first = round(time_s * RATE)
            out[first : first + len(sounds[lane])] += sounds[lane][: len(out) - first]
    return (level * out).astype(np.float32), true


def f_measures(found, true, end_s):
    return {
        lane: onset_tally(times, [hit.time_s for hit in found if hit.lane is lane], end_s).f
        for lane, times in true.items()
    }


def test_a_peak_lies_between_its_frames():
    activation = np.zeros(40, np.float32)
    activation[10:13] = (0.5, 0.9, 0.7)
    activation[20] = 0.3
    activation[30:32] = 0.8  # of two equal ones the first
    found = find_peaks(activation, 0.4)
    assert found.frames == pytest.approx([11.17, 30.5], abs=0.01)
    assert found.heights == pytest.approx([0.9, 0.8])


@pytest.mark.parametrize("frame", [0, 39])
def test_a_peak_may_stand_at_either_end(frame):
    activation = np.zeros(40, np.float32)
    activation[frame] = 0.9
    assert find_peaks(activation, 0.5).frames == pytest.approx([frame], abs=0.5)


def test_masked_hits_are_measured_against_their_own_kind():
    rule = Rule(floor=0.1, share=0.5, most=0.4)
    assert rule.least(np.array([0.05, 0.07])) == pytest.approx(0.1)
    assert rule.least(np.array([0.02, 0.3, 0.3, 0.3])) == pytest.approx(0.15)
    assert rule.least(np.array([0.9, 0.9, 0.2])) == pytest.approx(0.4)


def test_hits_have_their_lanes_threshold_time_and_force():
    onsets, forces = np.zeros((100, 4), np.float32), np.full((100, 4), 0.6, np.float32)
    onsets[50, 0], onsets[50, 2], onsets[80, 1] = 0.7, 0.4, 0.4
    found = hits(onsets, forces, [Rule(least, 0.0, least) for least in (0.5, 0.3, 0.5, 0.5)])
    assert [(hit.lane, hit.time_s, hit.velocity, hit.confidence) for hit in found] == [
        (Lane.KICK, pytest.approx(50 / FPS), pytest.approx(0.6), pytest.approx(0.7)),
        (Lane.SNARE, pytest.approx(80 / FPS), pytest.approx(0.6), pytest.approx(0.4)),
    ]


def test_what_is_seen_does_not_depend_on_loudness():
    sound, _ = loop()
    seen = [levels(log, reference(log)) for log in (log_power(sound), log_power(sound * np.float32(0.05)))]
    assert np.abs(seen[0] - seen[1])[seen[0] > 0.3].max() < 0.02


def test_a_frame_is_centred_on_its_time():
    sound = np.zeros(2 * RATE, np.float32)
    sound[RATE] = 1.0
    assert log_power(sound).shape == (1 + 2 * RATE // HOP, SIZE)
    assert log_power(sound)[:, 30].argmax() == pytest.approx(FPS, abs=1)


def doubtful(bars=8, length=200, seed=0):
    """Activations of a beat that repeats, with a weak hit, and a peak as high where no other bar has one."""
    draw = np.random.default_rng(seed)
    onsets = draw.uniform(0.0, 0.02, (bars * length, 4)).astype(np.float32)
    for bar in range(bars):
        onsets[bar * length + 50, 0] = onsets[bar * length + 150, 1] = 0.9
    weak, lonely = 3 * length + 150, 5 * length + 90
    onsets[weak, 1] = onsets[lonely, 1] = 0.4
    return onsets, weak, lonely


def test_a_masked_hit_is_heard_where_other_bars_have_one():
    onsets, weak, lonely = doubtful()
    length, likeness = repeats(onsets)
    assert length == 200
    assert likeness > 0.5
    heard = steadied(onsets)
    assert heard.dtype == np.float32
    assert heard[weak, 1] > 0.5
    assert heard[lonely, 1] < 0.35
    assert heard[50 + 2 * 200, 0] > 0.85


def test_what_does_not_repeat_stays_as_it_is():
    draw = np.random.default_rng(1)
    onsets = np.where(draw.random((1600, 4)) < 0.02, 0.9, 0.01).astype(np.float32)
    assert repeats(onsets)[1] < 0.3
    assert np.abs(steadied(onsets) - onsets).mean() < 0.02
    assert np.array_equal(steadied(onsets[:100]), onsets[:100])
    assert np.isfinite(steadied(np.zeros((800, 4), np.float32))).all()


@pytest.mark.parametrize(("name", "least"), [("ear", 0.85), ("templates", 0.6)])
def test_every_transcriber_hears_a_plain_beat(name, least):
    sound, true = loop()
    stems = Stems(sound, sound, sound)
    transcriber = drum_transcriber(name)
    found = transcriber.hear_drums(stems).hits
    assert transcriber.name.startswith(name)
    assert min(f_measures(found, true, len(sound) / RATE).values()) > least
    assert found == transcriber.hear_drums(stems).hits
    assert [hit.time_s for hit in found] == sorted(hit.time_s for hit in found)
    assert all(0 < hit.velocity <= 1 and hit.confidence > 0 for hit in found)


@pytest.mark.parametrize("name", DRUMS)
def test_silence_and_scraps_have_no_drums(name):
    transcriber = drum_transcriber(name)
    for frames in (1, 400, RATE):
        silence = np.zeros(frames, np.float32)
        assert transcriber.hear_drums(Stems(silence, silence, silence)) == DrumsHeard(())


def test_the_drums_stem_is_what_is_heard():
    sound, true = loop()
    silence = np.zeros_like(sound)
    found = drum_transcriber("ear").hear_drums(Stems(silence, sound, silence)).hits
    assert f_measures(found, true, len(sound) / RATE)[Lane.KICK] > 0.85
    assert drum_transcriber("ear").hear_drums(Stems(sound, silence, silence)).hits == ()


def test_templates_of_given_sounds_find_them():
    sound, true = loop()
    known = [(kick(), Lane.KICK), (snare(), Lane.SNARE), (hat(), Lane.HIHAT), (snare(7), Lane.CYMBAL)]
    found = Templates.of(known).hear_drums(Stems(sound, sound, sound)).hits
    assert min(f_measures(found, true, len(sound) / RATE).values()) > 0.9


def test_auto_is_the_network_and_an_unknown_name_is_told():
    assert drum_transcriber().name == drum_transcriber("ear").name
    with pytest.raises(UnknownNameError, match="templates"):
        drum_transcriber("template")


class Says:
    """A network that is so sure of a snare at one second, and hears nothing else."""

    def __init__(self, sure):
        self.sure = sure

    def run(self, _outputs, given):
        onsets = np.full((1, given["levels"].shape[1], 4), 1e-4, np.float32)
        onsets[0, round(FPS), 1] = self.sure
        return onsets, np.full_like(onsets, 0.5)


@pytest.mark.parametrize(
    ("first", "second", "together", "count"), [(0.9, 0.9, 0.9, 1), (0.9, 0.1, 0.5, 1), (0.1, 0.9, 0.5, 0)]
)
def test_a_second_network_has_a_say_in_what_may_be_a_hit_and_none_in_what_is(first, second, together, count):
    sound = noise(2.0)
    ear = Ear(Says(first), Says(second), [Rule(0.5, 0.0, 0.5)] * 4, "a test")
    heard = ear.hear_drums(Stems(sound, sound, sound))
    assert len(heard.hits) == count
    (candidate,) = heard.candidates
    assert (candidate.lane, candidate.time_s) == (Lane.SNARE, pytest.approx(1.0, abs=0.01))
    assert candidate.confidence == pytest.approx(together, abs=0.01)


def test_both_drum_networks_must_be_there(tmp_path):
    with pytest.raises(UnavailableError, match="no drum network"):
        Ear.load(SHIPPED, tmp_path)
    alone, both = Ear.load(second=None), Ear.load()
    assert both.name.startswith(f"{alone.name}+")


def test_without_a_second_network_the_first_says_what_may_be_a_hit():
    sound = noise(2.0)
    heard = Ear(Says(0.3), None, [Rule(0.5, 0.0, 0.5)] * 4, "a test").hear_drums(Stems(sound, sound, sound))
    assert not heard.hits
    assert [candidate.confidence for candidate in heard.candidates] == pytest.approx([0.3])


def test_a_network_that_is_not_what_its_card_says_is_refused(tmp_path):
    with pytest.raises(UnavailableError, match="no drum network"):
        Ear.load(tmp_path)
    folder = tmp_path / "ear"
    shutil.copytree(SHIPPED, folder)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(UnavailableError, match="sha256"):
        Ear.load(folder)
    card = folder / "card.yaml"
    card.write_text(card.read_text().replace("kind: drum-ear", "kind: listener"))
    with pytest.raises(UnavailableError, match="another kind"):
        Ear.load(folder)
    card.write_text("kind: drum-ear\n")
    with pytest.raises(UnavailableError, match="which peaks are hits"):
        Ear.load(folder)
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    card.write_text(card.read_text().replace("floor:", "flor:", 1))
    with pytest.raises(UnavailableError, match="hits of the kick"):
        Ear.load(folder)
    card.write_text("{")
    with pytest.raises(UnavailableError, match="not YAML"):
        Ear.load(folder)
