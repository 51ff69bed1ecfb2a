"""The drawer of our own network, over a network that a few lines of arithmetic stand in for."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from hitloopd.core.energy import measured
from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, LANES, Lane, Note, Pattern
from hitloopd.core.request import Request
from hitloopd.generate.weave import TOLERANCE, WeaveDrawer, with_priorities
from hitloopd.generate.weave_bar import BASS, BITS, IN_ITS_STEP, Hit, Wish
from hitloopd.generate.weave_hits import hits_of, note_of
from hitloopd.generate.weave_net import NOISE, OnnxNet
from hitloopd.generate.weave_noise import gumbel, key_of
from hitloopd.generate.weave_walk import walk

LAYERS, HEADS, SIZE = 1, 2, 4
WIDTH = HEADS * SIZE
SHAPES = {
    "which": [],
    "numbers": ["n", "a"],
    "values": ["n", "b"],
    "past": ["n", LAYERS, HEADS, "t", 2 * SIZE],
}
OUTPUTS = ("chosen", "found", "present")


class Arithmetic:
    """A session: likes lanes the more the further the bar is from its energy; facts are where the noise is highest."""

    def __init__(self, shapes=SHAPES):
        self._shapes = shapes
        self.asked: list[int] = []

    def get_inputs(self):
        return [SimpleNamespace(name=name, shape=shape) for name, shape in self._shapes.items()]

    def get_outputs(self):
        return [SimpleNamespace(name=name, shape=[]) for name in OUTPUTS]

    def run(self, names, feeds, /):
        assert feeds.keys() == self._shapes.keys()
        turn = int(feeds["which"])
        self.asked.append(turn)
        made = (self._whole, self._read, self._step, self._hit)[turn](feeds)
        return [made[name] for name in names]

    def _whole(self, feeds):
        return {"found": np.zeros((len(feeds["numbers"]), 16 * WIDTH), np.float32)}

    def _read(self, feeds):
        return {"found": np.zeros((len(feeds["numbers"]), 2 * 16 * WIDTH), np.float32)}

    def _step(self, feeds):
        pace = feeds["values"][:, -8:]
        wish = 6.0 * pace[:, 5:6] - 1.0
        logits = wish * BITS.sum(1)
        chord = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        past = feeds["past"]
        rows = len(past)
        present = np.concatenate([past, np.zeros((rows, LAYERS, HEADS, 1, 2 * SIZE), np.float32)], axis=3)
        return {"found": np.concatenate([chord, np.zeros((rows, WIDTH))], 1).astype(np.float32), "present": present}

    def _hit(self, feeds):
        noise = feeds["values"][:, -sum(NOISE) :]
        place, pitch, _, velocity, _, length, fine, more = (
            part.argmax(1) for part in np.split(noise, np.cumsum(NOISE)[:-1], axis=1)
        )
        choice = np.stack([place, pitch, velocity, length, fine, more * 0], axis=1)
        return {"chosen": choice, "found": np.ones((len(choice), WIDTH), np.float32)}


@pytest.fixture
def drawer():
    return WeaveDrawer(Arithmetic(), {"tags": {"": 0, "rock": 1}, "any_style": 2})


def ask(seed=1, **more):
    return Request("weave", seed, **more)


def test_same_request_same_bar_and_another_seed_another(drawer):
    assert drawer.draw(ask(3)) == drawer.draw(ask(3))
    assert drawer.draw(ask(3)) != drawer.draw(ask(4))


def test_a_bar_has_all_lanes_and_micro_timing_and_velocity(drawer):
    notes = [note for seed in range(4) for note in drawer.draw(ask(seed, energy=0.6)).notes]
    assert {note.lane for note in notes} == set(LANES)
    assert len({note.start_ticks % 15 for note in notes}) > 5
    assert len({note.velocity for note in notes}) > 30
    assert len({note.length_ticks for note in notes}) > 30


def test_energy_follows_the_target(drawer):
    targets = [0.05 + 0.1 * step for step in range(10)]
    rows = [[measured(drawer.draw(ask(seed, energy=t)), t) for t in targets] for seed in range(6)]
    steps = np.diff(rows, axis=1)
    assert (steps >= 0).mean() > 0.95
    middle = np.array(rows)[:, 1:6]
    assert np.abs(middle - targets[1:6]).max() < 0.1


def test_lanes_that_stay_are_told_and_not_drawn(drawer):
    stays = Pattern((Note(0, Lane.KICK), Note(480, Lane.KICK), Note(240, Lane.BASS, 3)))
    made = drawer.draw(ask(5, lanes=frozenset({Lane.HIHAT}), condition=stays))
    assert {note.lane for note in made.notes} == {Lane.HIHAT}
    assert made.provenance.parent == stays.id
    assert 1 in drawer._net._session.asked


def test_whole_bars_do_not_pay_for_reading(drawer):
    drawer.draw(ask(5))
    assert 1 not in drawer._net._session.asked


def test_drums_alone_have_no_bass(drawer):
    assert not drawer.draw(ask(6, lanes=frozenset(DRUM_LANES))).lane(Lane.BASS)


def test_the_likeliest_bar_at_no_temperature_needs_no_chance(drawer):
    bars = {drawer.draw(ask(seed, temperature=0.0)).notes for seed in range(3)}
    assert len(bars) == 1


def test_many_at_once_are_the_same_bars(drawer):
    asked = [ask(seed, energy=0.1 * seed) for seed in range(7)]
    assert drawer.draw_many(asked) == [drawer.draw(one) for one in asked]


def test_the_way_between_two_bars_begins_and_ends_with_them_and_is_smooth(drawer):
    one, other = drawer.draw(ask(7)), drawer.draw(ask(8))
    way = [drawer.draw(ask(7, points=(one, other), morph=step / 16)) for step in range(17)]
    assert way[0].notes == one.notes
    assert way[-1].notes == other.notes
    places = [{(note.lane, note.cell) for note in bar.notes} for bar in way]
    most = max(len(a ^ b) for a, b in pairwise(places))
    assert most <= len(places[0] | places[-1]) // 16 + 2
    assert way[8].provenance.parent == one.id


def test_notes_become_hits_and_come_back():
    notes = [
        Note(-15, Lane.SNARE, 0, 60, 1.0),
        Note(118, Lane.SNARE, 0, 45, 40 / 127),
        Note(190, Lane.SNARE, 0, 45, 0.5),
        Note(1910, Lane.SNARE, 0, 30, 20 / 127),
    ]
    cells = hits_of(notes)
    back = sorted(note_of(cell, 1, hit) for cell, hits in enumerate(cells) for hit in hits)
    assert [(n.start_ticks, n.cell) for n in back] == [(-15, 0), (118, 1), (190, 2), (1910, 15)]
    assert back[1].velocity == 40 / 127
    assert hits_of([Note(240, Lane.BASS, 7, 480, 0.8)])[2] == [Hit(4, 7, 102, 32, 18)]


def test_priorities_bring_the_energy_near_the_target():
    cells = range(16)
    drawn = [Note(120 * cell, Lane.HIHAT, velocity=0.6) for cell in cells]
    more = [Note(120 * cell, Lane.KICK, velocity=0.9) for cell in cells]
    for target in (0.2, 0.35, 0.5):
        bar = Pattern(with_priorities(drawn, more, [], target))
        assert abs(measured(bar, target) - target) <= TOLERANCE + 0.03
        assert len(bar.at(0.0).notes) == 4
        assert len(bar.at(1.0).notes) == 32


def test_what_stays_counts():
    loud = [Note(120 * cell, Lane.KICK, velocity=1.0) for cell in range(16)]
    drawn = [Note(120 * cell, Lane.HIHAT) for cell in range(16)]
    alone = Pattern(with_priorities(drawn, [], [], 0.4)).at(0.4)
    beside = Pattern(with_priorities(drawn, [], loud, 0.4)).at(0.4)
    assert len(beside.notes) < len(alone.notes)


def test_what_no_encoded_bar_has_is_not_drawn():
    drawn = walk(OnnxNet(Arithmetic()), [Wish(seed, 0, energy=1.0, candidates=9) for seed in range(100)])
    found = [
        (cell, lane, hit)
        for bar in drawn
        for cell, lane, hit in (
            *((c, lane, hit) for c, lanes in enumerate(bar.hits) for lane, hits in enumerate(lanes) for hit in hits),
            *((extra.cell, extra.lane, extra.hit) for extra in bar.extra),
        )
    ]
    latest = [max(hit.place for cell, at, hit in found if (cell, at) == (15, lane)) for lane in range(5)]
    assert latest.pop(BASS) == 11
    assert set(latest) == {8}
    assert {cell > 0 for cell, _, hit in found if hit.fine < IN_ITS_STEP} == {False}


def test_the_noise_is_this_noise():
    assert gumbel([key_of(7)], [3], 4)[0].tolist() == pytest.approx([3.405457, -0.984467, 1.891571, 1.520401], abs=2e-5)
    many = gumbel([key_of(seed) for seed in range(50)], [0] * 50, 1000)
    assert many.mean() == pytest.approx(0.5772, abs=0.02)
    assert many.var() == pytest.approx(np.pi**2 / 6, abs=0.05)


def test_a_model_with_other_inputs_is_refused():
    with pytest.raises(UnavailableError, match="past"):
        WeaveDrawer(Arithmetic({"latent": ["n", 128]}), {"tags": {}, "any_style": 0})
    with pytest.raises(UnavailableError, match="values"):
        WeaveDrawer(Arithmetic({**SHAPES, "values": ["n", 32, 5]}), {"tags": {}, "any_style": 0})
