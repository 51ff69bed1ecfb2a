"""The queue in front of the generator: switching models, morphing through them, and what waits meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hitloopd.app.facts import Facts
from hitloopd.app.making import GENERATOR_PATIENCE_NS, Making, MakingDoors, Wanted
from hitloopd.app.messages import Answer, Ask, Check, Checked, Think
from hitloopd.core.commands import Regenerate, SetModel, SetMorph, SetStyle, Undo
from hitloopd.core.errors import UnknownNameError
from hitloopd.core.notices import Warned
from hitloopd.core.pattern import ALL_LANES, Pattern
from hitloopd.core.request import Request
from hitloopd.generate.registry import load
from hitloopd.ports.surface import Accepted, Rejected
from hitloopd.session.heard import base
from hitloopd.session.history import History
from hitloopd.session.reduce import Generated, Morphed
from hitloopd.session.state import SessionState

RULES = load("rules")
MODEL, MORPH, REGENERATE = "/hitloop/gen/model", "/hitloop/gen/morph", "/hitloop/gen/regenerate"


def bar(seed: int, name="rules") -> Pattern:
    made = RULES.generate(Request("rules", seed))
    return replace(made, provenance=replace(made.provenance, generator=name))


class Rig:
    """A maker whose doors are lists; a commit is done and answered at once."""

    def __init__(self, state):
        self.now_ns = 10**12
        self.history = History(state)
        self.facts = Facts()
        self.sent, self.notices, self.restarts, self.replies = [], [], [], []
        doors = MakingDoors(
            send=self.sent.append,
            commit=self.commit,
            publish=self.notices.append,
            restart=self.restarts.append,
            check_model=self.check_model,
            morphs=lambda name: name.startswith("net"),
            due_bar=lambda: 8,
            now_ns=lambda: self.now_ns,
        )
        self.making = Making(self.facts, self.history, doors)

    def commit(self, command, address, reply, *, due_bar):
        self.history.apply(command)
        reply(Accepted((address,), due_bar))

    def check_model(self, model, style):
        if "nope" in (model, style):
            raise UnknownNameError("There is no 'nope'.")

    def submit(self, address, command, due_bar=3):
        if self.making.takes(command):
            self.making.want(Wanted(address, command, self.replies.append, due_bar))
        else:
            self.commit(command, address, self.replies.append, due_bar=-1)

    @property
    def present(self):
        return self.history.present

    def asked(self):
        return [message for message in self.sent if not isinstance(message, Think)]

    def answer(self, pattern=None, **changes):
        ask = self.asked()[-1]
        assert isinstance(ask, Ask)
        self.making.on_answer(Answer(ask.token, pattern or bar(ask.request.seed), **changes))

    def check(self, error=None):
        question = self.asked()[-1]
        assert isinstance(question, Check)
        self.making.on_checked(Checked(question.token, error))


@pytest.fixture
def rig():
    return Rig(SessionState(current=bar(1), seed=1))


@pytest.fixture
def between():
    """Two bars of one network to morph between."""
    return Rig(SessionState(current=bar(2, "net"), previous=bar(1, "net"), seed=2, model="net"))


# ── another generator ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_switch_asks_whether_it_works_then_for_its_first_bar_and_answers_when_that_is_in(rig):
    rig.submit(MODEL, SetModel("net"))
    assert rig.asked() == [Check(1, "net")]
    assert (rig.present.model, rig.replies) == ("rules", [])
    rig.check()
    ask = rig.asked()[-1]
    assert (ask.request.generator, ask.request.lanes) == ("net", ALL_LANES)
    assert rig.replies == []
    rig.answer(bar(9, "net"))
    assert rig.replies == [Accepted((MODEL,), 8)], "due when it was loaded, not when it was asked for"
    assert rig.present.model == "net"
    assert rig.present.current.provenance.generator == "net"


def test_a_switch_to_what_does_not_work_changes_nothing_and_says_why(rig):
    before = rig.present
    rig.submit(MODEL, SetModel("net"))
    rig.check(("unavailable", "The model 'net' is refused: no."))
    assert rig.replies == [Rejected("unavailable", "The model 'net' is refused: no.")]
    assert rig.present == before
    assert rig.facts.refused == {"net": "The model 'net' is refused: no."}
    rig.submit(MODEL, SetModel("net"))
    rig.check()
    assert rig.facts.refused == {}, "it was mended"


def test_the_same_generator_again_is_no_switch_unless_it_was_refused(rig):
    rig.submit(MODEL, SetModel("rules"))
    assert rig.asked() == []
    rig.facts.refused["rules"] = "a reason"
    rig.submit(MODEL, SetModel("rules"))
    assert rig.asked() == [Check(1, "rules")]


def test_a_regenerate_that_waits_behind_a_switch_is_its_first_bar(rig):
    rig.submit(MODEL, SetModel("net"))
    rig.submit("/hitloop/gen/style", SetStyle("techno"))
    rig.submit(REGENERATE, Regenerate(seed=77))
    rig.check()
    (ask,) = [message for message in rig.asked() if isinstance(message, Ask)]
    assert (ask.request.generator, ask.request.style, ask.request.seed) == ("net", "techno", 77)
    assert rig.replies[0].values == (MODEL,)
    assert rig.present.style == "techno"


def test_a_style_that_the_new_generator_does_not_know_is_refused_when_its_turn_comes(rig):
    rig.submit(MODEL, SetModel("net"))
    rig.submit("/hitloop/gen/style", SetStyle("nope"))
    rig.check()
    rig.answer()
    assert rig.replies[-1] == Rejected("unknown", "There is no 'nope'.")
    assert rig.present.style == "house"


def test_with_every_lane_locked_a_switch_keeps_the_bar(rig):
    frozen = dict.fromkeys(ALL_LANES, ())
    locked = Rig(replace(rig.present, frozen=frozen))
    locked.submit(MODEL, SetModel("net"))
    locked.check()
    assert locked.replies == [Accepted((MODEL,), 3)]
    assert [type(message) for message in locked.asked()] == [Check]


def test_undo_waits_behind_a_switch(rig):
    rig.submit(MODEL, SetModel("net"))
    rig.submit("/hitloop/pattern/undo", Undo())
    assert rig.replies == []
    rig.check()
    rig.answer()
    assert rig.present.current.provenance.seed == 1, "the undo took the switch's bar back"


def test_who_stands_in_for_a_broken_model_is_told_once_and_stays_in_health(rig):
    for _ in range(3):
        rig.submit(REGENERATE, Regenerate())
        rig.answer(refused="The model 'net' is refused: no. Meanwhile rules plays.")
    assert rig.notices == [Warned("model", "The model 'net' is refused: no. Meanwhile rules plays.")]
    assert rig.facts.refused == {"rules": "The model 'net' is refused: no. Meanwhile rules plays."}
    assert len(rig.replies) == 3


def test_a_check_that_is_never_answered_is_given_up(rig):
    rig.submit(MODEL, SetModel("net"))
    rig.now_ns += GENERATOR_PATIENCE_NS + 1
    rig.making.look_after()
    assert len(rig.restarts) == 1
    assert rig.replies[0].code == "late"
    rig.making.on_checked(Checked(1))
    assert rig.present.model == "rules", "an answer after that means nothing"


def test_a_check_is_asked_again_of_a_new_process_but_not_twice(rig):
    rig.submit(MODEL, SetModel("net"))
    rig.making.on_started()
    assert rig.asked() == [Check(1, "net")] * 2
    rig.making.on_started()
    assert "died twice" in rig.replies[0].text


# ── the morph knob ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_between_two_bars_of_a_network_the_network_draws(between):
    previous, current = between.present.previous, between.present.current
    between.submit(MORPH, SetMorph(0.25))
    request = between.asked()[-1].request
    assert (request.generator, request.morph, request.points) == ("net", 0.25, (previous, current))
    drawn = bar(55, "net")
    between.answer(drawn)
    assert between.replies == [Accepted((MORPH,), 3)]
    assert base(between.present) == drawn
    assert between.present.morph == 0.25


def test_the_ends_are_the_bars_themselves_and_nobody_is_asked(between):
    for value, seed in ((0.0, 1), (1.0, 2)):
        between.submit(MORPH, SetMorph(value))
        assert base(between.present).provenance.seed == seed
    assert between.asked() == []


def test_where_the_network_can_not_the_notes_are_morphed(between):
    between.submit(MORPH, SetMorph(0.5))
    ask = between.asked()[-1]
    between.making.on_answer(Answer(ask.token, None, error=("unavailable", "not as drawn")))
    assert between.replies == [Accepted((MORPH,), 3)]
    assert between.present.between is None
    assert base(between.present).provenance.parameters["morph"] == 0.5


def test_a_network_that_does_not_answer_leaves_the_knob_working(between):
    between.submit(MORPH, SetMorph(0.5))
    between.now_ns += GENERATOR_PATIENCE_NS + 1
    between.making.look_after()
    assert between.present.morph == 0.5
    assert between.replies == [Accepted((MORPH,), 3)]


def test_bars_of_rules_are_morphed_at_once():
    rig = Rig(SessionState(current=bar(2), previous=bar(1)))
    rig.submit(MORPH, SetMorph(0.5))
    assert rig.asked() == []
    assert rig.present.morph == 0.5


def test_what_comes_after_a_morphed_bar_starts_from_what_sounded(between):
    drawn = bar(55, "net")
    between.history.apply(Morphed(drawn, 0.5))
    between.history.apply(Generated(bar(60, "net"), ALL_LANES, 60))
    assert between.present.previous == drawn
    assert (between.present.between, between.present.morph) == (None, 1.0)
    between.history.apply(Undo())
    assert base(between.present) == drawn
