"""The loop: what was ended goes on bit by bit."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import torch

from hitloopd.core.errors import ConfigError, UnavailableError
from offline.training import checkpoint
from offline.training.checkpoint import Progress
from offline.training.config import TrainingConfig
from offline.training.loop import Run, go, log_of
from tests.offline.training_helpers import Dice

CPU = torch.device("cpu")


def settings(**changes):
    return TrainingConfig(**{"epochs": 4, "batch_size": 4, "samples": 0, **changes})


def job(folder, recipe, **changes):
    return Run("gan1", settings(**changes), recipe, folder, CPU, "key", quiet=True)


def never():
    return False


def after(steps):
    """Stop after so many steps."""
    left = iter(range(1, 1000))
    return lambda: next(left) >= steps


def train_whole(folder, **changes):
    checkpoint.sow(1)
    recipe, progress = Dice(), Progress()
    assert go(job(folder, recipe, **changes), progress, never)
    return recipe, progress


def go_on(folder, **changes):
    """As a new process would: other chance, a new recipe, all from the file."""
    checkpoint.sow(99)
    held = checkpoint.read(folder / checkpoint.LAST)
    recipe = Dice()
    recipe.load_state_dict(held.recipe)
    checkpoint.restore(held.generators, CPU)
    assert go(job(folder, recipe, **changes), held.progress, never)
    return recipe, held.progress


def losses(folder):
    return [(line["epoch"], line["losses"]) for line in log_of(folder)]


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7, 11])
def test_a_run_ended_after_any_step_ends_the_same(tmp_path, steps):
    whole, _ = train_whole(tmp_path / "whole")
    checkpoint.sow(1)
    assert not go(job(tmp_path / "ended", Dice()), Progress(), after(steps))
    again, progress = go_on(tmp_path / "ended")
    assert again.held.numpy().tobytes() == whole.held.numpy().tobytes()
    assert (again.steps, progress.epoch, progress.step) == (12, 4, 0)
    assert losses(tmp_path / "ended") == losses(tmp_path / "whole")


def test_two_epochs_and_two_more_are_four(tmp_path):
    whole, _ = train_whole(tmp_path / "whole")
    train_whole(tmp_path / "two", epochs=2)
    assert go_on(tmp_path / "two")[0].held.equal(whole.held)


def test_the_log_forgets_what_came_after_the_checkpoint(tmp_path):
    whole, _ = train_whole(tmp_path / "whole")
    train_whole(tmp_path / "two", epochs=2)
    with (tmp_path / "two" / "log.jsonl").open("a") as file:
        file.write(json.dumps({"epoch": 3, "losses": {}, "valid": {}}) + '\n{"epoch": 4, "los')
    assert go_on(tmp_path / "two")[0].held.equal(whole.held)
    assert losses(tmp_path / "two") == losses(tmp_path / "whole")


def test_every_epoch_deals_all_rows_once_in_an_order_of_its_own():
    orders = [checkpoint.order(50, 1, epoch).tolist() for epoch in range(3)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert checkpoint.order(50, 1, 2).tolist() == orders[2]
    assert checkpoint.order(50, 2, 2).tolist() != orders[2]


def test_no_bar_is_left_alone_in_the_last_batch(tmp_path):
    sizes = []

    class Counted(Dice):
        def step(self, rows, epoch):
            sizes.append(len(rows))
            return super().step(rows, epoch)

    assert go(job(tmp_path, Counted(9), epochs=1), Progress(), never)
    assert sizes == [4, 5]


def test_the_best_state_is_kept(tmp_path):
    train_whole(tmp_path, validate_every=1, best_by="score")
    scores = [line["valid"]["score"] for line in log_of(tmp_path)]
    assert [line["epoch"] for line in log_of(tmp_path)] == [0, 1, 2, 3, 4], "the beginning is looked at too"
    best = checkpoint.read(tmp_path / checkpoint.BEST)
    assert best.progress.best == min(scores)
    assert best.progress.epoch == best.progress.best_epoch == scores.index(min(scores))
    assert float((best.recipe["held"].sum() * 7919) % 10) == min(scores)


def test_pictures_are_drawn_in_time_and_at_the_end(tmp_path):
    train_whole(tmp_path, sample_every=3, samples=6)
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["epoch-00003.png", "epoch-00004.png"]
    assert (tmp_path / "samples" / names[0]).read_bytes()[:4] == b"\x89PNG"


def test_seconds_of_all_sittings_add_up(tmp_path):
    _, progress = train_whole(tmp_path, epochs=2)
    before = progress.cpu_seconds
    _, progress = go_on(tmp_path)
    assert progress.cpu_seconds > before > 0
    assert log_of(tmp_path)[-1]["total_cpu_seconds"] == pytest.approx(progress.cpu_seconds, abs=0.002)


def test_every_source_of_chance_goes_back():
    checkpoint.sow(5)
    held = checkpoint.generators(CPU)
    drawn = [torch.rand(3).tolist(), np.random.random(3).tolist(), random.random()]  # noqa: NPY002 - the global one
    checkpoint.sow(6)
    checkpoint.restore(held, CPU)
    assert [torch.rand(3).tolist(), np.random.random(3).tolist(), random.random()] == drawn  # noqa: NPY002


def test_a_damaged_checkpoint_is_refused_by_name(tmp_path):
    path = tmp_path / checkpoint.LAST
    with pytest.raises(UnavailableError, match="no checkpoint"):
        checkpoint.read(path)
    train_whole(tmp_path, epochs=1)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"last\.pt"):
        checkpoint.read(path)
