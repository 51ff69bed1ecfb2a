"""How the drum network learns: pages tell the truth, batches follow from their step, a run goes on where it ended."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hitloopd.core.errors import ConfigError
from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.transcription.drums import batches as drum_batches
from offline.transcription.drums import pages as drum_pages
from offline.transcription.drums.pages import KINDS, LANES, OUTPUTS, Page, page_of, song_pages, targets
from offline.transcription.drums.peaks import Rule
from offline.transcription.drums.scores import best_rule, tally
from offline.transcription.drums.spectrum import FPS, SIZE
from offline.transcription.heard import DrumHit
from offline.transcription.lessons.make import Lesson, Places
from offline.transcription.lessons.score import DrumNote
from tests.offline.extraction_sounds import bass, kick, noise

torch = pytest.importorskip("torch")

from offline.models.drum_ear import DrumEar  # noqa: E402 - not without torch
from offline.transcription.drums.batches import FRAMES, Beside, batch  # noqa: E402
from offline.transcription.learn_drums import Settings, activations, begin, judged, mean_weights, resumed, train  # noqa: E402

SMALL = Settings(lessons=3, first=2, more=0.5, steps=4, batch=2, keep_every=2)

ALONE = Beside([], [])
PLACES = Places(Path("midi"), Path("oneshots"))


@pytest.fixture
def short(monkeypatch):
    """Stretches of two seconds instead of eight: a step is a step."""
    monkeypatch.setattr(drum_batches, "FRAMES", FRAMES // 4)


@functools.cache
def page(seed=0, length_s=9.0):
    times = np.arange(0.5, length_s - 0.5, 0.5)
    drums, rest = noise(length_s, 1e-4, seed), noise(length_s, 1e-3, seed + 50)
    for number, time_s in enumerate(times):
        first = round(time_s * RATE)
        for target, sound in ((drums, kick()), (rest, bass(55.0 + number))):
            target[first : first + len(sound)] += sound[: len(target) - first]
    strokes = tuple(DrumNote(float(time_s), 36, 0.8) for time_s in times)
    hits = tuple(DrumHit(stroke.time_s, Lane.KICK, 0.8, 1.0) for stroke in strokes)
    silence = np.zeros_like(drums)
    return page_of(Lesson(drums + rest, drums, rest, silence, strokes, hits, (), (), (), "a test"))


def test_strokes_stand_under_their_lane_and_their_kind():
    strokes = [(1.0, 46), (1.0, 42), (2.0, 45), (2.0, 75), (3.0, 38), (3.0, 39)]
    notes = tuple(DrumNote(time_s, pitch, 0.5) for time_s, pitch in strokes)
    silence = np.zeros(4 * RATE, np.float32)
    made = page_of(Lesson(silence, silence, silence, silence, notes, (), (), (), (), "a test"))
    told = [(float(time_s), OUTPUTS[int(number)]) for time_s, number, _ in made.strokes]
    assert sorted(told) == sorted(
        [
            (1.0, "cymbal"),
            (1.0, "open hat"),
            (1.0, "hihat"),
            (2.0, "tom"),
            (2.0, "percussion"),
            (3.0, "snare"),
            (3.0, "clap"),
        ]
    )
    assert set(KINDS) <= set(OUTPUTS)


def test_pages_of_songs_are_made_once_and_several_of_each(tmp_path, monkeypatch):
    made = []

    def songs(material, strangers, seed, cache, *, varied):
        made.append(seed)
        assert strangers is material.sounds
        assert varied
        yield from (lesson(seed + number) for number in range(drum_pages.whole.TIMES))

    monkeypatch.setattr(drum_pages.Material, "load", lambda places, *, train: SimpleNamespace(sounds=[train]))
    monkeypatch.setattr(drum_pages.whole, "whole_songs", songs)
    first = list(song_pages(PLACES, (3, 5), tmp_path))
    again = list(song_pages(PLACES, (5, 3), tmp_path))
    assert made == [3, 5]
    assert [page.strokes[0, 0] for page in first] == pytest.approx([3, 4, 5, 5, 6, 7])
    assert [page.strokes[0, 0] for page in again] == pytest.approx([5, 6, 7, 3, 4, 5])
    list(song_pages(PLACES, (3,), tmp_path, train=False))
    assert made == [3, 5, 3]


def lesson(at_s):
    silence = np.zeros(RATE, np.float32)
    return Lesson(silence, silence, silence, silence, (DrumNote(float(at_s), 36, 0.8),), (), (), (), (), "a test")


def test_targets_rise_and_fall_around_the_onset():
    strokes = np.array([(1.0, 0, 0.7)], np.float32)
    empty = np.zeros((400, SIZE), np.float16)
    onsets, forces = targets(Page(empty, empty, empty, strokes), 50, 100)
    at = round(FPS) - 50
    assert onsets[:, 0].argmax() == at
    assert 0.3 < onsets[at - 1, 0] < onsets[at, 0] <= 1.0
    assert not onsets[:, 1:].any()
    assert np.flatnonzero(forces[:, 0]).tolist() == [at - 1, at, at + 1]
    assert forces[at, 0] == pytest.approx(0.7)


def test_a_batch_follows_from_its_step():
    pages = [page(0), page(1)]
    one, same, other = (batch(pages, Beside([page(3)], [page(2)]), 3, (1, step)) for step in (5, 5, 6))
    assert [part.shape for part in one] == [(3, FRAMES, SIZE), (3, FRAMES, len(OUTPUTS)), (3, FRAMES, LANES)]
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert np.isfinite(one[0]).all()
    assert one[1].any()


def test_drums_of_many_kits_are_taught_over_the_accompaniment_of_lessons(monkeypatch):
    monkeypatch.setattr(drum_batches, "ON_KITS", 1.0)
    monkeypatch.setattr(drum_batches, "NO_DRUMS", 0.0)
    monkeypatch.setattr(drum_batches, "DRUMS_ONLY", 0.0)
    empty = np.full((900, SIZE), -9.0, np.float16)
    silence = np.zeros((0, 3), np.float32)
    bright = empty.copy()
    bright[:, 50] = -1.0  # what no drum of the lesson does
    kit = Page(empty, page(0).drums[:900], silence, np.array([(2.0, 1, 0.5)], np.float32))
    lesson = Page(bright, empty, bright, np.array([(2.0, 0, 0.5)], np.float32))
    seen, onsets, _ = batch([lesson], Beside([kit], []), 8, (1, 1))
    assert onsets[..., 1].any()
    assert not onsets[..., 0].any()
    assert (seen.mean(axis=1).argmax(axis=1) == 50).any()


def test_a_run_that_was_ended_goes_on_to_the_same_weights(short, tmp_path):
    pages = [page(seed) for seed in range(3)]
    checkpoint = tmp_path / "half.pt"

    def ended():
        yield from pages[:2]
        raise KeyboardInterrupt

    whole = begin(SMALL)
    train(whole, iter(pages), ALONE, SMALL, tmp_path / "whole.pt")
    half = begin(SMALL)
    with pytest.raises(KeyboardInterrupt):
        train(half, ended(), ALONE, SMALL, checkpoint)
    later = resumed(SMALL, checkpoint)
    assert later.step == 2
    train(later, iter(pages), ALONE, SMALL, checkpoint)
    for one, other in zip(whole.net.state_dict().values(), later.net.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ConfigError, match="other settings"):
        resumed(Settings(), checkpoint)
    checkpoint.write_bytes(b"broken")
    with pytest.raises(ConfigError, match="no checkpoint"):
        resumed(SMALL, checkpoint)


def test_a_training_remembers_those_before(short, tmp_path):
    pages = [page(seed) for seed in range(3)]
    first = begin(SMALL)
    train(first, iter(pages), ALONE, SMALL, tmp_path / "first.pt")
    again = replace(SMALL, seed=7)
    second = begin(again, tmp_path / "first.pt")
    assert all(
        torch.equal(one, other)
        for one, other in zip(first.net.state_dict().values(), second.net.state_dict().values(), strict=True)
    )
    train(second, iter(pages), ALONE, again, tmp_path / "second.pt")
    third = begin(SMALL, tmp_path / "second.pt")
    assert third.before is not None
    assert (third.before["seed"], third.before["step"]) == (7, SMALL.steps)
    assert third.before["started_from"]["seed"] == SMALL.seed
    assert "started_from" not in third.before["started_from"]
    assert resumed(again, tmp_path / "second.pt", tmp_path / "first.pt").before == third.before["started_from"]


def test_weights_of_several_trainings_are_averaged():
    nets = [begin(replace(SMALL, seed=seed)).net.state_dict() for seed in (1, 2, 3)]
    mean = mean_weights(nets)
    for name, values in mean.items():
        assert values.dtype == nets[0][name].dtype
        assert torch.allclose(values.double(), sum(net[name].double() for net in nets) / 3, atol=1e-6)
    begin(SMALL).net.load_state_dict(mean)
    assert all(torch.equal(values, nets[1][name]) for name, values in mean_weights([nets[1]]).items())


def test_it_learns_where_kicks_begin(short, tmp_path):
    settings = Settings(lessons=2, first=2, steps=30, batch=2, rate=5e-3, keep_every=1000)
    pages = [page(seed) for seed in range(2)]
    run = begin(settings)
    train(run, iter(pages), Beside(pages, pages), settings, tmp_path / "run.pt")
    kicks = activations(run.net, pages[0])[:, 0]
    at = np.round(pages[0].strokes[:, 0] * FPS).astype(int)
    assert np.median(kicks[at]) > 3 * np.median(kicks)
    rules, scores = judged(run.net, pages)
    assert len(rules) == len(scores) == LANES


def test_the_rule_with_the_best_f_is_found():
    truth = np.array([20, 60, 100]) / FPS
    loud, masked = np.zeros(200, np.float32), np.zeros(200, np.float32)
    loud[[20, 60, 100]], loud[[40, 80, 120]] = 0.8, 0.25
    masked[[20, 60, 100]], masked[[40, 80, 120]] = 0.25, 0.07
    rule, heard = best_rule([loud, masked], [truth, truth])
    assert heard.f == 1.0
    assert heard == tally(rule, [loud, masked], [truth, truth])
    assert tally(Rule(0.2, 0.0, 0.2), [loud, masked], [truth, truth]).f < 1.0  # no single threshold serves both


def test_the_network_takes_any_length():
    net = DrumEar(SIZE, len(OUTPUTS), LANES).eval()
    for frames in (1, 50):
        onsets, forces = net(torch.zeros(1, frames, SIZE))
        assert onsets.shape == (1, frames, len(OUTPUTS))
        assert forces.shape == (1, frames, LANES)
