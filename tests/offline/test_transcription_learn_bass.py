"""How the bass network learns: a course brings its loss down, and what it learned is in the file that it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from offline.transcription import ear_card
from offline.transcription.bass.batches import batch
from offline.transcription.bass.card import Taught, write_model
from offline.transcription.bass.decode import Strictness
from offline.transcription.bass.ear import BassEar
from offline.transcription.bass.sight import PITCHES, levels, spectra
from offline.transcription.bass.study import Page
from offline.transcription.learn_bass import fresh, judged, loss_of, said_of, truth_of
from offline.transcription.learning import Course, learn
from offline.transcription.lessons.make import Places
from tests.offline.transcription_sounds import kick, laid, tone

NOTES = ((0.5, 33), (1.0, 33), (1.5, 40), (2.0, 45), (2.5, 31), (3.0, 38))


@pytest.fixture(scope="module")
def page() -> Page:
    bass = laid([(start, tone(pitch, 0.4)) for start, pitch in NOTES], 4.0)
    rest = laid([(number * 0.5, kick()) for number in range(8)], 4.0)
    seen = [spectra(sound).astype(np.float16) for sound in (bass + rest, bass, rest)]
    return Page(*seen, np.array([(start, start + 0.4, pitch) for start, pitch in NOTES], np.float32))


def test_a_course_brings_the_loss_down(page: Page, tmp_path: Path) -> None:
    net = fresh(0)
    losses: list[float] = []

    def loss(draw: np.random.Generator) -> torch.Tensor:
        losses.append(float((now := loss_of(net, *batch([page], 2, draw))).detach()))
        return now

    learn(net, loss, Course(steps=6, pace=5e-3), tmp_path / "net.pt")
    assert min(losses[-3:]) < 0.8 * losses[0]


def test_how_strict_to_be_is_what_scores_best_on_validation(page: Page) -> None:
    strictness, scores = judged(fresh(0).eval(), [page])
    assert 0.0 < strictness.onset < 1.0
    assert set(scores) == {"onset", "onset + pitch", "octave ignored"}
    assert scores["onset"].true == len(NOTES) == len(truth_of(page).bass or ())


def test_the_file_says_what_the_network_says(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_card, "lesson_facts", lambda _: {"sources": []})
    net = fresh(1).eval()
    _, scores = judged(net, [page])
    write_model(tmp_path, Taught(net, Strictness(0.3, 0.2), scores, {"steps": 0}), Places(tmp_path, tmp_path))
    ear = BassEar.load(tmp_path)
    assert ear.strictness == Strictness(0.3, 0.2)
    seen = page.mix.astype(np.float32)
    onsets, pitches = ear.session.run(["onsets", "pitches"], {"levels": levels(seen)[None]})
    said = said_of(net, page)
    np.testing.assert_allclose(np.asarray(onsets)[0], said.onset, atol=0.01)
    np.testing.assert_allclose(np.asarray(pitches)[0], said.pitch, atol=0.01)
    assert np.asarray(pitches).shape[2] == PITCHES + 1
    card = yaml.safe_load((tmp_path / "card.yaml").read_text(encoding="utf-8"))
    assert set(card["validation"]["f_measure"]) == set(scores)
