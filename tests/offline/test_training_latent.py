"""The paper's models in training: small steps of narrow networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hitloopd.core.errors import ArgumentError
from offline.training import checkpoint
from offline.training.checkpoint import Checkpoint, Progress
from offline.training.config import plain
from offline.training.latent import latents
from offline.training.recipe import recipe_module
from offline.training.vaegan import start
from tests.offline.training_helpers import narrow_networks, tiny_bars

CPU = torch.device("cpu")
PAPER = ["gan1", "vae", "vaegan"]


def recipe_of(name, bars=None, **changes):
    module = recipe_module(name)
    torch.manual_seed(1)
    return module.build(module.Config(**changes), bars, CPU)


@pytest.fixture(scope="module", autouse=True)
def few_bars_and_narrow_networks_are_enough():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("offline.training.latent.JUDGED", 16)
        narrow_networks(patch)
        yield


@pytest.fixture(scope="module", params=PAPER)
def trained(request):
    recipe = recipe_of(request.param, tiny_bars())
    losses = [recipe.step(torch.arange(6), 0.0) for _ in range(2)]
    return recipe, losses


def test_a_step_tells_finite_losses(trained):
    _, losses = trained
    assert all(np.isfinite(list(step.values())).all() for step in losses)
    assert losses[0] != losses[1]


def test_the_same_seed_draws_the_same_bars_and_leaves_chance_alone(trained):
    recipe, _ = trained
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - the global one is what must be left alone
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, two, other = (recipe.sample(3, seed) for seed in (1, 1, 2))
    recipe.validate()
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002
    assert one.dtype == np.float32
    assert one.shape == (3, 128, 20)
    assert (one == two).all()
    assert (one != other).any()
    assert recipe.network.training, "drawing must not leave the network out of training"


def test_as_many_cells_sound_as_in_the_training_bars(trained):
    recipe, _ = trained
    drawn = recipe.sample(16, 256)
    assert float((drawn >= 0.1).mean()) == pytest.approx(recipe.sounding, rel=0.05)
    assert drawn.min() > 0, "what does not sound is a candidate"
    assert recipe.sounding == pytest.approx(float((tiny_bars().rolls[np.arange(24) % 4 < 2] > 0).mean()))


def test_the_exported_module_plays_what_the_recipe_draws(trained):
    recipe, _ = trained
    plan = recipe.export_module()
    assert (plan.kind, plan.input_names, plan.output_names) == ("latent", ("latent",), ("roll",))
    with torch.no_grad():
        played = plan.module(torch.from_numpy(latents(4, 9))).numpy()
    drawn = recipe.sample(4, 9)
    np.testing.assert_allclose(played, drawn, atol=1e-5)
    assert drawn.max() <= 1


def test_a_stored_recipe_draws_the_same_without_its_data(trained):
    recipe, _ = trained
    name = {"GanRecipe": "gan1", "VaeRecipe": "vae"}[type(recipe).__name__]
    name = "vaegan" if type(recipe.network).__name__ == "Decoder" and name == "gan1" else name
    bare = recipe_of(name)
    bare.load_state_dict(recipe.state_dict())
    assert bare.items == 0
    assert (bare.sample(2, 1) == recipe.sample(2, 1)).all()


def stored(folder, name, recipe):
    held = Checkpoint(name, plain(recipe.settings), "key", Progress(epoch=3), recipe.state_dict(), {})
    held.write(folder / checkpoint.LAST)


def test_a_vaegan_starts_as_the_trained_decoder(tmp_path):
    vae = recipe_of("vae")
    vae.network.dense[1].running_mean += 0.25
    stored(tmp_path, "vae", vae)
    vaegan = recipe_of("vaegan", seed=2)
    told = start(vaegan, tmp_path)
    assert told["epochs"] == 3
    ours, theirs = vaegan.network.state_dict(), vae.network.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_vaegan_starts_from_no_other_run(tmp_path):
    stored(tmp_path, "gan1", recipe_of("gan1"))
    with pytest.raises(ArgumentError, match="wants one of 'vae'"):
        start(recipe_of("vaegan"), tmp_path)
