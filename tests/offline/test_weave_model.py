"""The network against the way it is drawn from: what it learnt by must be what it is asked."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from hitloopd.generate import weave_bar
from hitloopd.generate.learned import open_session
from hitloopd.generate.weave_bar import Wish
from hitloopd.generate.weave_net import NOISE, OnnxNet
from hitloopd.generate.weave_walk import follow, walk
from offline.models import weave as models
from offline.models import weave_branches as branches
from offline.models import weave_drawing as drawing
from offline.models.weave import Shape, Weave
from offline.training import weave_tokens as tokens
from offline.training.weave import TorchNet, tokens_of
from offline.training.weave_data import Songs

SHAPE = Shape(styles=3, width=32, layers=2, reader_layers=1, heads=2, hit_width=32, dropout=0.0)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are so small that threads only wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def net() -> Weave:
    torch.manual_seed(3)
    made = Weave(SHAPE).eval()
    with torch.no_grad():
        made.chord[-1].bias -= 0.6 * torch.tensor(weave_bar.BITS.sum(1), dtype=torch.float32)  # not every cell full
    return made


class Listening(TorchNet):
    """Writes down what the network was asked and what it said."""

    def __init__(self, made: Weave) -> None:
        super().__init__(made)
        self.chords: list[np.ndarray] = []
        self.states: list[np.ndarray] = []
        self.paces: list[np.ndarray] = []
        self.known: list[np.ndarray] = []
        self.before: list[np.ndarray] = []

    def step(self, told):
        out = super().step(told)
        self.chords.append(out[0])
        self.states.append(out[1])
        self.paces.append(told.pace)
        return out

    def hit(self, told):
        self.known.append(told.known)
        self.before.append(told.before)
        return super().hit(told)


def taught(hits, wishes):
    """The bars as a training batch, with what was wished for."""
    bass = np.array([wish.has_bass for wish in wishes])
    given = np.zeros((len(wishes), 5), dtype=bool)
    for index, wish in enumerate(wishes):
        given[index, list(wish.kept)] = True
    style = np.array([wish.style for wish in wishes])
    songs = Songs(hits, bass, style, style)
    energy = np.array([wish.energy for wish in wishes])
    return songs.batch(np.arange(len(wishes)), style, energy, given, CPU)


def trunk_of(net, batch):
    """Log chances of the combinations, as training computes them."""
    caught = {}
    handle = net.chord.register_forward_hook(lambda _, x, y: caught.update(state=x[0], chord=y))
    with torch.no_grad():
        parts = net.loss_parts(batch)
    handle.remove()
    return caught["state"], torch.log_softmax(caught["chord"], -1).numpy(), parts


def heard(net, state):
    """What the hit head is told of the trunk's states."""
    with torch.no_grad():
        return net.from_trunk(state).numpy()


def test_drawing_asks_what_training_taught(net):
    wishes = [Wish(5, 1, energy=0.4), Wish(6, 3, has_bass=False), Wish(7, 0, energy=0.9)]
    ear = Listening(net)
    drawn = walk(ear, wishes)
    batch = taught(tokens_of(drawn), wishes)
    state, chord, _ = trunk_of(net, batch)
    assert np.allclose(np.stack(ear.chords, axis=1), chord, atol=1e-4)
    assert np.allclose(np.stack(ear.states, axis=1), heard(net, state), atol=1e-4)
    rows = models.known_rows(batch.hits).numpy()
    assert sorted(map(tuple, np.concatenate(ear.known).tolist())) == sorted(map(tuple, rows.tolist()))


def test_given_lanes_are_read_and_counted_as_in_training(net):
    whole = walk(TorchNet(net), [Wish(11, 1), Wish(12, 2)])
    wishes = [
        Wish(13 + index, 1, energy=0.5, kept={lane: [cell[lane] for cell in bar.hits] for lane in (0, 2, 4)})
        for index, bar in enumerate(whole)
    ]
    ear = Listening(net)
    drawn = walk(ear, wishes)
    for bar, wish in zip(drawn, wishes, strict=True):
        assert all(bar.hits[cell][lane] == list(hits) for lane, c in wish.kept.items() for cell, hits in enumerate(c))
    state, chord, _ = trunk_of(net, taught(tokens_of(drawn), wishes))
    assert np.allclose(np.stack(ear.chords, axis=1), chord, atol=1e-4)
    assert np.allclose(np.stack(ear.states, axis=1), heard(net, state), atol=1e-4)


def test_a_hit_hears_the_earlier_ones_of_its_cell(net):
    ear = Listening(net)
    walk(ear, [Wish(5, 1)])
    silent = [not np.any(before) for before in ear.before]
    assert any(silent)
    assert not all(silent)


def test_pace_is_what_training_computes(net):
    ear = Listening(net)
    drawn = walk(ear, [Wish(5, 1, energy=0.4)])
    batch = taught(tokens_of(drawn), [Wish(5, 1, energy=0.4)])
    assert np.allclose(np.concatenate(ear.paces), batch.pace[0].numpy(), atol=1e-5)


def test_no_bass_where_there_is_none(net):
    drawn = walk(TorchNet(net), [Wish(seed, 3, has_bass=False, candidates=9) for seed in range(3)])
    assert not any(cell[weave_bar.BASS] for bar in drawn for cell in bar.hits)
    assert all(extra.lane != weave_bar.BASS for bar in drawn for extra in bar.extra)
    assert [len(bar.extra) for bar in drawn] == [9] * 3


def test_a_finished_bar_is_followed_as_it_was_drawn(net):
    (bar,) = walk(TorchNet(net), [Wish(21, 1)])
    kept = {lane: [cell[lane] for cell in bar.hits] for lane in range(5)}
    assert np.allclose(follow(TorchNet(net), [kept], 1)[0], bar.sure, atol=1e-4)


def test_the_exported_network_draws_the_same_bars(net, tmp_path):
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            branches.branches(net),
            branches.examples(net)[0],
            str(path),
            input_names=list(branches.INPUTS),
            output_names=list(branches.OUTPUTS),
            dynamic_axes={name: dict(axes) for name, axes in branches.DYNAMIC.items()},
            opset_version=17,
            dynamo=False,
        )
    onnx = OnnxNet(open_session(path.read_bytes()))
    for seed in range(4):
        (first,) = walk(onnx, [Wish(seed, 1, energy=0.5, candidates=5)])
        (second,) = walk(TorchNet(net), [Wish(seed, 1, energy=0.5, candidates=5)])
        assert (first.hits, first.extra) == (second.hits, second.extra) or np.allclose(
            first.sure, second.sure, atol=1e-4
        )
        kept = {2: [cell[2] for cell in first.hits]}
        (third,) = walk(onnx, [Wish(seed, 1, kept=kept)])
        assert [cell[2] for cell in third.hits] == kept[2]


def test_loss_of_a_bar_is_minus_the_log_of_its_chance(net):
    """One cell, all its chances: they add up to one over the 32 combinations that may be."""
    (bar,) = walk(TorchNet(net), [Wish(3, 1)])
    batch = taught(tokens_of([bar]), [Wish(3, 1)])
    _, chord, parts = trunk_of(net, batch)
    own = chord[0, np.arange(16), batch.chord[0].numpy()].sum()
    assert parts["chord"].item() == pytest.approx(-own, rel=1e-4)
    assert set(parts) == {"chord", "place", "pitch", "velocity", "length", "fine", "more"}
    assert all(value.item() >= 0 for value in parts.values())


def test_tables_of_both_sides_are_the_same():
    assert weave_bar.KNOWN_STARTS.tolist() == models.KNOWN_STARTS
    assert weave_bar.FACT_STARTS.tolist() == models.FACT_STARTS
    assert NOISE == drawing.NOISE
    assert (weave_bar.CELLS, weave_bar.LANES, weave_bar.SLOTS, weave_bar.HELD) == (
        models.CELLS,
        models.LANES,
        models.SLOTS,
        models.HELD,
    )
    assert (tokens.CELLS, tokens.LANES, tokens.SLOTS) == (models.CELLS, models.LANES, models.SLOTS)
