"""Listeners: what they say adds up, and the networks without torch say what they say in torch."""

from __future__ import annotations

import numpy as np
import pytest

from offline.extraction.classes import LANE_OF, class_named, load_references
from offline.extraction.lessons import Lessons, kit_of, make_lessons
from offline.extraction.listener import LABELS, Network, Together, lane_scores, neighbours, outlines, sound_shape
from offline.extraction.mel import ALL_BANDS
from offline.extraction.shapes import SEGMENTS
from tests.offline.extraction_sounds import MAKERS, bass, hat, kick, noise, references, snare


def test_shapes_forget_the_level_and_know_the_sound():
    loud, quiet, other = outlines(np.concatenate([sound_shape(s) for s in (kick(), 0.05 * kick(), hat())]))
    assert loud @ quiet > 0.97
    assert loud @ other < 0.6


def test_neighbours_name_sounds_like_the_references_and_nothing_else():
    listener = neighbours([(make(), kind) for kind, make in MAKERS.items()])
    scores = listener.listen(np.concatenate([sound_shape(s) for s in (kick(55), snare(7), hat(8), bass(65))]))
    assert [LABELS[n] for n in scores[:, :-1].argmax(axis=1)] == ["kick", "snare", "closed_hat", "bass"]
    assert np.allclose(scores.sum(axis=1), 1.0, atol=1e-5)


def test_lanes_are_sums_of_classes():
    scores = np.eye(len(LABELS), dtype=np.float32)
    assert lane_scores(scores)[LABELS.index("clap")].tolist() == [0, 1, 0, 0, 0]
    assert lane_scores(scores)[LABELS.index("tom")].sum() == 0
    assert set(LANE_OF.values()) == {"kick", "snare", "hihat", "cymbal", "bass", "none"}


def test_numpy_plays_the_networks_as_torch_does(tmp_path):
    torch = pytest.importorskip("torch")
    from offline.extraction.learn import MEMBERS, packed

    torch.manual_seed(0)
    seen = np.random.default_rng(0).random((5, 2, SEGMENTS, ALL_BANDS)).astype(np.float32)
    nets = [kind() for kind in MEMBERS]
    for net in nets:
        net.train()
        with torch.no_grad():
            net(torch.from_numpy(np.repeat(seen, 4, axis=0)))  # gives the normalisation something to remember
        net.eval()
    with torch.no_grad():
        wanted = np.mean([torch.softmax(net(torch.from_numpy(seen)), 1).numpy() for net in nets], axis=0)
    (tmp_path / "w.npz").write_bytes(packed([net.arrays() for net in nets]))
    assert np.abs(Network.load(tmp_path / "w.npz").listen(seen) - wanted).max() < 2e-3  # stored in half precision


def test_together_leaves_none_to_the_network():
    class Sure:
        def listen(self, seen):
            scores = np.zeros((len(seen), len(LABELS)), np.float32)
            scores[:, 0], scores[:, -1] = 0.25, 0.75
            return scores

    listener = Together(Sure(), neighbours([(snare(), "snare"), (snare(5), "snare")]), weight=1.0)
    scores = listener.listen(sound_shape(snare()))
    assert scores[0, -1] == pytest.approx(0.75)
    assert scores[0, LABELS.index("snare")] == pytest.approx(0.125, abs=1e-3)
    assert scores.sum() == pytest.approx(1.0, abs=1e-5)


def test_lessons_keep_kits_and_recordings_apart(tmp_path):
    sounds = load_references(references(tmp_path / "refs")).items
    lessons = make_lessons(sounds, {"street": noise(8.0, 0.05), "rain": noise(8.0, 0.05, 4)}, 20, seed=1)
    again = make_lessons(sounds, {"street": noise(8.0, 0.05), "rain": noise(8.0, 0.05, 4)}, 20, seed=1)
    assert np.array_equal(lessons.seen, again.seen)
    kept = lessons.without(["one.wav"], ["rain"])
    assert "rain" not in kept.fields
    assert "one.wav" not in kept.kits
    assert 0 < len(kept.labels) < len(lessons.labels)
    lessons.save(tmp_path / "l.npz")
    assert np.array_equal(Lessons.load(tmp_path / "l.npz").labels, lessons.labels)


def test_kits_and_classes_by_name():
    assert kit_of("kick/tr-505_tr505-kick.flac") == "tr-505"
    named = {"Open Hats": "open_hat", "HH_closed": "closed_hat", "bass_drum": "kick", "Rim": "rim", "crash 2": "cymbal"}
    assert {name: class_named(name) for name in named} == named


def test_references_say_what_is_missing_and_what_is_broken(tmp_path):
    folder = references(tmp_path / "refs", ("kick", "snare"))
    (folder / "snare" / "broken.wav").write_bytes(b"nothing")
    found = load_references(folder)
    assert found.missing == ("hihat", "cymbal", "bass")
    assert len(found.problems) == 1
    assert "broken.wav" in found.problems[0]
