"""What lies in ``models/``: whole, small enough, credited, and quick."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from hitloopd.core.request import Request
from hitloopd.generate.card import read_card
from hitloopd.generate.credits import song_credits
from hitloopd.generate.kinds import OTHERS
from hitloopd.generate.learned import Learned
from hitloopd.generate.places import Places
from hitloopd.generate.registry import models

ROOT = Path(__file__).parents[2] / "models"
MODELS = models(Places((ROOT,)))
MOST_BYTES = 40 * 2**20
SLOWEST_S = 0.1  # of processor time, the median; the benchmark has the real figure


def test_all_together_are_small_enough_to_ship():
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) <= MOST_BYTES


def test_a_folder_that_is_no_generator_says_what_else_it_is():
    others = [folder for folder in ROOT.iterdir() if folder.is_dir() and folder.name not in MODELS]
    assert {folder.name for folder in others} >= {"listener"}
    for folder in others:
        assert yaml.safe_load((folder / "card.yaml").read_text())["kind"] in OTHERS


@pytest.mark.parametrize("name", MODELS)
def test_a_card_names_data_licences_authors_training_and_measures(name):
    fields = read_card(MODELS[name]).fields
    assert fields["name"] == name
    for key in ("licence", "parameters", "training", "data", "parity", "novelty", "measures", "index_sha256"):
        assert fields[key], key
    data = fields["data"]
    assert data["bars"] > 0
    assert data["licences"]
    assert all(row["licence"] for row in data["authors"]), "somebody's licence is not stated"
    assert not data["unknown_licences_allowed"]
    assert "SA" not in str(data["licences"])
    assert isinstance(fields["training"]["seed"], int)
    assert name in (MODELS[name] / "CARD.md").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_every_song_is_credited(name):
    songs = song_credits(MODELS[name])
    assert sum(int(song["bars"]) for song in songs) == read_card(MODELS[name]).fields["data"]["bars"]
    assert all(song["title"] and song["licence"] for song in songs)


@pytest.mark.parametrize("name", MODELS)
def test_it_draws_and_says_what_is_near(name):
    generator = Learned(MODELS[name])
    took = []
    for seed in range(9):
        start = time.process_time()
        bar = generator.generate(Request(name, seed))
        took.append(time.process_time() - start)
        assert bar.provenance.nearest
    assert sorted(took)[4] < SLOWEST_S
