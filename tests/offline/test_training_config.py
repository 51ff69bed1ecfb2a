"""Settings of a run: typed, and every mistake at once."""

from __future__ import annotations

import pytest

from hitloopd.core.errors import ArgumentError, ConfigError
from offline.training.config import TrainingConfig, parse, plain, read, train_folder
from offline.training.gan import Config as GanConfig
from offline.training.recipe import RECIPES, recipe_module


def test_every_mistake_is_told_at_once_with_the_nearest_name(tmp_path):
    file = tmp_path / "gan1.yaml"
    file.write_text("epoch: 3\nbatch_size: many\nprecision: float8\nlicences: by\ndistinct: 1\nlabel: 0.8\n")
    with pytest.raises(ConfigError) as caught:
        read(GanConfig, file, ["seed", "beta=x"])
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 7
    for words in (
        "no setting 'epoch'. Did you mean 'epochs'",
        "batch_size: expected a whole number, got 'many'",
        "precision: expected one of float32, bfloat16, got 'float8'",
        "licences: expected a list, got 'by'",
        "distinct: expected true or false, got 1",
        "--set seed: expected key=value",
        "beta: expected a number, got 'x'",
    ):
        assert words in text


def test_the_command_line_wins_over_the_file(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("epochs: 3\nlearning_rate: 1\n")
    config = read(GanConfig, file, ["epochs=7", "licences=[cc0]"])
    assert (config.epochs, config.learning_rate, config.licences) == (7, 1.0, ("cc0",))


def test_settings_survive_being_written_down():
    config = TrainingConfig(epochs=9, licences=("by",))
    assert parse(TrainingConfig, plain(config), "x") == config


@pytest.mark.parametrize("text", ["- a\n", "a: [\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"x\.yaml"):
        read(TrainingConfig, file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        read(TrainingConfig, tmp_path / "none.yaml")


def test_an_unknown_recipe_is_refused_with_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'vae"):
        recipe_module("vaee")


@pytest.mark.parametrize("name", ["gan1", "gan2", "vae", "vaegan"])
def test_the_shipped_settings_of_the_papers_models_are_valid(name):
    config = read(recipe_module(name).Config, train_folder() / f"{name}.yaml")
    assert config.epochs == {"gan1": 1000, "gan2": 500, "vae": 1000, "vaegan": 500}[name]
    assert config.bars == 0, "the file is the full run"
    assert "by-sa" not in config.licences


def test_every_recipe_has_its_settings_file():
    assert {path.stem for path in train_folder().glob("*.yaml")} >= set(RECIPES) - {"weave"}
