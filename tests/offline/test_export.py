"""A training run becomes a model that the daemon plays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from hitloopd.core.request import Request
from hitloopd.generate.card import read_card
from hitloopd.generate.credits import song_credits
from hitloopd.generate.learned import Learned
from offline.__main__ import main
from offline.dataset.store import load_bars
from offline.export.index import build, error, unseen
from offline.export.onnx_file import ParityError, apart, to_onnx
from offline.training import checkpoint
from offline.training.recipe import ExportPlan
from tests.offline.training_helpers import narrow_networks, tiny_bars, tiny_folder


@pytest.fixture(scope="module", autouse=True)
def few_bars_and_narrow_networks_are_enough():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("offline.export.cli.MEASURED", 6)
        patch.setattr("offline.export.onnx_file.PROBES", 4)
        patch.setattr("offline.training.latent.JUDGED", 8)
        narrow_networks(patch)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of one short epoch, its data set, and where it is exported to."""
    folder = tmp_path_factory.mktemp("export")
    data = tiny_folder(folder / "data")
    words = ["train", "vae", "--data", str(data), "--out", str(folder / "run"), "--epochs", "1", "--quiet"]
    assert main([*words, "--device", "cpu", "--set", "bars=4", "--set", "batch_size=4"]) == 0
    return folder / "run", data


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "mine"
    assert main(["export", str(run[0]), "--data", str(run[1]), "--out", str(out)]) == 0
    return out


def test_it_plays_by_its_folders_name(exported):
    bar = Learned(exported).generate(Request("mine", 3))
    assert bar.provenance.generator == "mine"
    assert bar.provenance.nearest[0].author in {"Ada", "Bo"}


def test_the_card_says_what_it_was_trained_on_and_how(exported):
    fields = read_card(exported).fields
    assert fields["kind"] == "latent"
    assert fields["training"]["recipe"] == "vae"
    assert (fields["training"]["epochs"], fields["training"]["settings"]["bars"]) == (1, 4)
    data = fields["data"]
    assert data["bars"] == 4
    assert {row["author"] for row in data["authors"]} <= {"Ada", "Bo"}
    assert sum(data["licences"].values()) == 4
    assert fields["parity"]["float32_share_apart"] <= 1e-4
    assert fields["measures"]["bars"] == 6
    assert 0 <= fields["measures"]["empty_ratio"] <= 1


def test_the_page_is_the_card_for_people(exported):
    page, card = (exported / "CARD.md").read_text(), read_card(exported)
    assert card.sha256 in page
    for row in card.fields["data"]["authors"]:
        assert f"{row['author']} ({row['licence']})" in page


def test_credits_are_every_song(exported):
    songs = song_credits(exported)
    assert sum(int(song["bars"]) for song in songs) == 4


def test_the_same_run_gives_the_same_bytes(run, exported, tmp_path):
    assert main(["export", str(run[0]), "--data", str(run[1]), "--out", str(tmp_path / "mine")]) == 0
    for name in ("model.onnx", "index.zip", "card.yaml", "CARD.md"):
        assert (tmp_path / "mine" / name).read_bytes() == (exported / name).read_bytes(), name


def test_other_bars_than_it_was_trained_on_are_refused(run, tmp_path, capsys):
    other = tiny_folder(tmp_path / "other", seed=99)
    assert main(["export", str(run[0]), "--data", str(other), "--out", str(tmp_path / "m")]) == 2
    assert "not the bars" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_bars_of_the_run_that_it_began_with_are_credited_too(run, tmp_path, capsys):
    first, later, out = tmp_path / "first", tmp_path / "later", tmp_path / "mine"
    words = ["train", "vae", "--data", str(run[1]), "--out", str(first), "--epochs", "1", "--quiet"]
    assert main([*words, "--device", "cpu", "--set", "bars=6", "--set", "batch_size=6"]) == 0
    shutil.copytree(run[0], later)
    told = yaml.safe_load((later / "run.yaml").read_text())
    key = checkpoint.read(first / checkpoint.LAST).data_key
    (later / "run.yaml").write_text(yaml.safe_dump({**told, "started_from": {"recipe": "vae", "data_key": key}}))
    words = ["export", str(later), "--data", str(run[1]), "--out", str(out)]
    assert main(words) == 2
    assert "--began-with" in capsys.readouterr().err
    assert main([*words, "--began-with", str(run[0])]) == 2
    assert "is not what" in capsys.readouterr().err
    assert main([*words, "--began-with", str(first)]) == 0
    data = read_card(out).fields["data"]
    assert (data["bars"], data["bars_of_its_own_run"]) == (6, 4)
    assert sum(int(song["bars"]) for song in song_credits(out)) == 6


def test_a_folder_without_a_run_is_told(run, tmp_path, capsys):
    assert main(["export", str(tmp_path), "--data", str(run[1]), "--out", str(tmp_path / "m")]) == 2
    assert "There is no checkpoint" in capsys.readouterr().err


def test_a_reports_figures_go_onto_the_card(run, tmp_path, capsys):
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"generators": {"mine": {"precision": 0.83}, "other": {}}}))
    words = ["export", str(run[0]), "--data", str(run[1]), "--out", str(tmp_path / "mine"), "--report", str(report)]
    assert main([*words, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["measures"]["evaluation"] == {"precision": 0.83}
    assert yaml.safe_load((tmp_path / "mine" / "card.yaml").read_text()) == card
    words[5] = str(tmp_path / "another")
    assert main(words) == 2


# ── parity ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Narrow(nn.Module):
    """128 numbers to a roll by one matrix; with ``chance`` torch and ONNX can't agree."""

    def __init__(self, *, chance: bool):
        super().__init__()
        self.wide = nn.Linear(128, 128 * 20)
        self.chance = chance

    def forward(self, latent):
        drawn = torch.sigmoid(self.wide(latent)).reshape(-1, 128, 20)
        return drawn + 0.1 * torch.rand_like(drawn) if self.chance else drawn


def plan(**changes) -> ExportPlan:
    torch.manual_seed(1)
    base = ExportPlan(
        Narrow(chance=False).eval(),
        (torch.zeros(2, 128),),
        ("latent",),
        ("roll",),
        {"latent": {0: "bars"}, "roll": {0: "bars"}},
        "latent",
    )
    return replace(base, **changes)


@pytest.mark.parametrize("weights", ["float32", "float16", "int8"])
def test_torch_and_onnx_draw_the_same(weights):
    parity = to_onnx(plan(weights=weights)).parity
    assert parity["float32_share_apart"] == 0
    assert parity["shipped_share_apart"] <= 0.02


def test_a_network_that_onnx_draws_otherwise_is_not_exported():
    with pytest.raises(ParityError, match="Nothing was exported"):
        to_onnx(plan(module=Narrow(chance=True).eval()))


def test_apart_counts_in_units_of_the_spread():
    one = np.array([0.0, 100.0, 200.0, 300.0])
    assert apart([one], [one + 1], 0.1) == 0
    assert apart([one], [one + np.array([0, 0, 0, 50])], 0.1) == 0.25


# ── the index ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_index_has_each_grid_once_and_finds_every_bar_it_was_made_from():
    bars = tiny_bars()
    rows = np.flatnonzero(bars.split == "train")
    built = build(bars, np.concatenate([rows, rows]))
    assert len(built.grids) == len(rows)
    found = error(built, built.grids)
    assert found["named_mean_error_cells"] == 0
    assert found["named_exact_share"] == 1
    assert len(unseen(bars, rows)) == (bars.split == "valid").sum()


def test_credits_count_the_bars_of_every_file(run):
    bars = load_bars(run[1])
    built = build(bars, np.arange(len(bars)))
    assert sum(int(song["bars"]) for song in built.index.songs) == len(bars)
