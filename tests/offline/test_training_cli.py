"""``python -m offline train``: narrow networks, few bars."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
import yaml

from offline.__main__ import main
from offline.training import checkpoint
from offline.training.loop import log_of
from offline.training.run import open_run
from tests.offline.training_helpers import narrow_networks, tiny_folder

SMALL = ["--set", "bars=6", "--set", "batch_size=3", "--set", "samples=0", "--set", "validate_every=0"]
FEW = [*SMALL, "--quiet"]


@pytest.fixture(scope="module", autouse=True)
def narrow():
    with pytest.MonkeyPatch.context() as patch:
        narrow_networks(patch)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("bars"))


def train(name, data, out, *words):
    return main(["train", name, "--data", str(data), "--out", str(out), "--device", "cpu", *words])


def weights(run):
    """The bytes of every tensor in a run's last checkpoint, by name."""
    found = {}

    def walk(value, where):
        if isinstance(value, torch.Tensor):
            found[where] = value.contiguous().numpy().tobytes()
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*where, key))

    walk(checkpoint.read(run / checkpoint.LAST).recipe, ())
    assert len(found) > 50
    return found


@pytest.mark.parametrize(("name", "half"), [("gan1", 2), ("vae", 1)])
def test_two_halves_are_the_whole_bit_by_bit(data, tmp_path, name, half):
    whole = str(2 * half)
    assert train(name, data, tmp_path / "whole", "--epochs", whole, *FEW) == 0
    assert train(name, data, tmp_path / "halves", "--epochs", str(half), *FEW) == 0
    assert weights(tmp_path / "halves") != weights(tmp_path / "whole")
    assert train(name, data, tmp_path / "halves", "--epochs", whole, "--resume", "--quiet") == 0
    assert weights(tmp_path / "halves") == weights(tmp_path / "whole")


NARROW_MAIN = """
import builtins, sys
from offline.__main__ import main
from tests.offline.training_helpers import narrow_networks
narrow_networks(builtins)  # for good: the process ends with the run
sys.exit(main(sys.argv[1:]))
"""


def test_a_killed_run_goes_on_bit_by_bit(data, tmp_path):
    words = ["train", "gan1", "--data", str(data), "--device", "cpu", *SMALL, "--set", "checkpoint_minutes=0"]
    run = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", NARROW_MAIN, *words, "--out", str(run), "--epochs", "2000"],
        env=os.environ | _ONE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr as told:
        assert any("epoch 1 of 2000" in line for line in told), "it ended before it had an epoch"
        process.send_signal(signal.SIGKILL)
    done = checkpoint.read(run / checkpoint.LAST).progress
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        epochs = str(done.epoch + 1)
        assert train("gan1", data, run, "--epochs", epochs, "--resume", "--quiet") == 0
        assert train("gan1", data, tmp_path / "whole", "--epochs", epochs, *FEW) == 0
    finally:
        torch.set_num_threads(before)
    assert weights(run) == weights(tmp_path / "whole")


def test_an_interrupt_ends_after_the_step_with_a_checkpoint(data, tmp_path, monkeypatch, capsys):
    from offline.training.gan import GanRecipe

    step, seen = GanRecipe.step, []

    def interrupted(self, rows, epoch):
        seen.append(epoch)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)
        return step(self, rows, epoch)

    monkeypatch.setattr(GanRecipe, "step", interrupted)
    assert train("gan2", data, tmp_path, "--epochs", "5", *FEW) == 130
    held = checkpoint.read(tmp_path / checkpoint.LAST).progress
    assert (held.epoch, held.step) == (1, 1)
    assert "go on with --resume" in capsys.readouterr().out


def test_the_run_says_what_it_was_trained_on(data, tmp_path, capsys):
    assert train("vae", data, tmp_path, "--epochs", "1", "--json", *FEW) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert told["recipe"] == "vae"
    assert told["epochs_done"] == 1
    assert told["settings"]["bars"] == 6
    chosen = told["facts"]["data"]
    assert (chosen["train_bars"], chosen["train_bars_after_filters"], chosen["train_bars_in_data_set"]) == (6, 6, 12)
    assert told["credits"] == [
        {"author": "Ada", "licence": "CC0 1.0", "family": "cc0", "bars": 6, "songs": ["Song 0"]},
    ]
    assert told["seconds"]["epoch_cpu"] > 0
    recipe, held = open_run(tmp_path)
    assert (held.name, recipe.sample(2, 1).shape) == ("vae", (2, 128, 20))


@pytest.fixture(scope="module")
def short(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "gan2"
    assert train("gan2", data, folder, "--epochs", "1", *FEW) == 0
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gan2"], "holds a run"),
        (["gan2", "--resume", "--set", "learning_rate=0.1"], "keeps its settings"),
        (["vae", "--resume"], "one of 'gan2', not of 'vae'"),
        (["gan2", "--resume", "--start-from", "x"], "for the beginning"),
        (["gan2", "--resume", "--resume-from", "x"], "say one of them"),
        (["gam1"], "Did you mean 'gan1"),
    ],
)
def test_words_that_make_no_sense_are_refused(data, short, capsys, words, said):
    assert train(words[0], data, short, *words[1:]) == 2
    assert said in capsys.readouterr().err


def test_other_bars_are_refused(short, tmp_path, capsys):
    other = tiny_folder(tmp_path / "other", seed=8)
    assert train("gan2", other, short, "--resume", "--epochs", "3") == 2
    assert "not the bars" in capsys.readouterr().err


def test_gan1_goes_on_where_gan2_ended(data, short, tmp_path):
    assert train("gan1", data, tmp_path / "gan1", "--epochs", "2", "--resume-from", str(short), "--quiet") == 0
    held = checkpoint.read(tmp_path / "gan1" / checkpoint.LAST)
    assert (held.name, held.progress.epoch) == ("gan1", 2)
    assert checkpoint.read(short / checkpoint.LAST).progress.epoch == 1
    assert [line["epoch"] for line in log_of(tmp_path / "gan1")] == [1, 2]


def test_start_from_is_for_vaegan_alone(data, short, tmp_path, capsys):
    assert train("vae", data, tmp_path / "x", "--start-from", str(short), *FEW) == 2
    assert "for vaegan" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_refused(data, tmp_path, capsys):
    assert main(["train", "vae", "--data", str(data), "--out", str(tmp_path), "--device", "abacus"]) == 2
    assert "abacus" in capsys.readouterr().err


_ONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
