"""The desk without processes: what it sends where, and when it answers."""

from __future__ import annotations

import pytest

from hitloopd.app.desk import PLAYER_PATIENCE_NS, ControlDesk, Doors
from hitloopd.app.facts import Facts
from hitloopd.app.making import GENERATOR_PATIENCE_NS
from hitloopd.app.messages import Answer, Ask, Think
from hitloopd.core.commands import (
    Calmer,
    Cue,
    LoadKit,
    LockLane,
    MuteLane,
    Play,
    Regenerate,
    SetAuto,
    SetChoke,
    SetGain,
    SetLaneChannel,
    SetOutputs,
    SetPan,
    SetPattern,
    SetStyle,
    Undo,
)
from hitloopd.core.errors import UnknownNameError
from hitloopd.core.notices import BarStarted, Done, Refused, SessionChanged, Warned
from hitloopd.core.pattern import Lane, Note, Pattern
from hitloopd.core.routes import OutputSpec
from hitloopd.core.transport import Position, State, Transport
from hitloopd.generate.registry import load
from hitloopd.io.audio_messages import SetSlotChoke, SetSlotGain, SetSlotPan
from hitloopd.ports.surface import Accepted, Rejected
from hitloopd.session.journal import Journal
from hitloopd.session.state import SessionState

REGENERATE = "/hitloop/gen/regenerate"
RULES = load("rules")


class Rig:
    """A desk whose doors are lists, with a clock to turn."""

    def __init__(self, folder):
        self.now_ns = 10**12
        self.player, self.generator, self.audio, self.notices, self.restarts, self.replies = [], [], [], [], [], []
        self.listens = []
        self.facts = Facts(now_ns=lambda: self.now_ns)
        self.journal = Journal(folder, SessionState(seed=1))
        doors = Doors(
            player=self.player.append,
            generator=self.generator.append,
            audio=self.audio.append,
            publish=self.notices.append,
            restart_generator=self.restarts.append,
            export=lambda name, state, bpm: f"/library/{name}",
            listen=self.listens.append,
            check_model=lambda model, style: self._check(style),
            now_ns=lambda: self.now_ns,
        )
        self.desk = ControlDesk(self.facts, self.journal, (OutputSpec("out"),), doors)

    def _check(self, name):
        if name == "nope":
            raise UnknownNameError("There is no 'nope'.")

    def submit(self, address, command):
        self.desk.submit(address, command, self.replies.append)

    def asked(self):
        return [message for message in self.generator if isinstance(message, Ask)]

    def answer(self, **changes):
        ask = self.asked()[-1]
        pattern = changes.pop("pattern", RULES.generate(ask.request))
        self.desk.on_answer(Answer(ask.token, pattern, **changes))

    def sent(self, kind):
        return [e for e in self.player if isinstance(e.command, kind)]

    def done(self, envelope, bar):
        self.desk.on_done(Done(envelope.token, bar, Transport(State.PLAYING, 120.0, Position(1920 * (bar - 1)))))

    def regenerate(self, seed):
        self.submit(REGENERATE, Regenerate(seed=seed))
        self.answer()


@pytest.fixture
def rig(tmp_path):
    the_rig = Rig(tmp_path)
    yield the_rig
    the_rig.journal.close()


def test_a_regenerate_is_answered_by_the_player_with_its_seed_and_bar(rig):
    rig.regenerate(7)
    (cue,) = rig.sent(Cue)
    assert rig.replies == []
    rig.done(cue, 5)
    assert rig.replies == [Accepted((7,), 5)]
    assert cue.command.score.notes


def test_two_on_their_way_are_each_answered_with_their_own_seed(rig):
    rig.regenerate(7)
    rig.regenerate(8)
    first, second = rig.sent(Cue)
    rig.done(first, 5)
    rig.done(second, 6)
    assert rig.replies == [Accepted((7,), 5), Accepted((8,), 6)]


def test_one_regenerate_at_a_time_so_that_each_follows_the_seed_before(rig):
    rig.submit(REGENERATE, Regenerate())
    rig.submit(REGENERATE, Regenerate())
    assert len(rig.asked()) == 1
    rig.answer()
    first, second = (ask.request.seed for ask in rig.asked())
    assert first != second


def test_what_replaces_the_bar_waits_behind_a_regenerate_that_was_asked_before_it(rig):
    mine = Pattern((Note(0, Lane.KICK),))
    rig.submit(REGENERATE, Regenerate(seed=7))
    rig.submit("/hitloop/pattern/set", SetPattern(mine))
    rig.submit("/hitloop/pattern/undo", Undo())
    assert rig.sent(Cue) == []
    rig.answer()
    assert [len(cue.command.score.notes) for cue in rig.sent(Cue)][1] == 1
    generated = RULES.generate(rig.asked()[0].request)
    assert rig.desk.history.present.current.notes == generated.notes  # the undo took my bar back, not the generated one


def test_the_same_notes_again_are_in_force_no_sooner_than_the_first_time(rig):
    rig.submit("/hitloop/lane/kick/mute", MuteLane(Lane.KICK, on=True))
    rig.regenerate(7)
    rig.submit("/hitloop/lane/kick/lock", LockLane(Lane.KICK, on=True))
    assert rig.replies[1:] == []
    *_, before, with_lock = rig.sent(Cue)
    rig.done(before, 9)
    rig.done(with_lock, 9)
    assert rig.replies[-1] == Accepted((1,), 9)
    rig.submit("/hitloop/gen/auto", SetAuto(4))
    assert rig.replies[-1] == Accepted((4,), 9), "what is cued is not in force before its bar"
    rig.desk.on_bar(BarStarted(9, "x", rig.now_ns))
    rig.submit("/hitloop/gen/auto", SetAuto(0))
    assert rig.replies[-1] == Accepted((0,), 9)


def test_a_locked_lane_and_an_unknown_name_change_nothing(rig):
    rig.submit("/hitloop/lane/kick/lock", LockLane(Lane.KICK, on=True))
    rig.submit("/hitloop/lane/kick/regenerate", Regenerate(frozenset({Lane.KICK})))
    rig.submit("/hitloop/kit/load", LoadKit("nope"))
    rig.submit("/hitloop/gen/style", SetStyle("nope"))
    assert [reply.code for reply in rig.replies[1:]] == ["locked", "unknown", "unknown"]
    assert "/hitloop/lane/kick/lock 0" in rig.replies[1].text
    assert rig.asked() == []
    assert rig.desk.history.present.kit == "house"


def test_sound_and_routes_go_where_they_belong(rig):
    rig.submit("/hitloop/slot/kick/gain", SetGain(Lane.KICK, -6.0))
    rig.submit("/hitloop/slot/bass/pan", SetPan(Lane.BASS, 0.5))
    rig.submit("/hitloop/slot/hihat/choke", SetChoke(Lane.HIHAT, ""))
    rig.submit("/hitloop/pattern/undo", Undo())
    assert rig.audio == [
        SetSlotGain(Lane.KICK, -6.0),
        SetSlotPan(Lane.BASS, 0.5),
        SetSlotChoke(Lane.HIHAT, ""),
        SetSlotChoke(Lane.HIHAT, None),
    ]
    assert rig.desk.value("/hitloop/slot/kick/gain") == (-6.0,)
    assert rig.desk.value("/hitloop/slot/hihat/choke") == ("hats",), "the kit's own again"
    rig.submit("/hitloop/lane/bass/channel", SetLaneChannel(Lane.BASS, 5))
    (outputs,) = rig.sent(SetOutputs)
    assert outputs.command.outputs[0].routes[Lane.BASS].channel == 5
    assert rig.desk.value("/hitloop/lane/bass/channel") == (5,)


def test_a_refusal_of_the_player_reaches_the_asker(rig):
    rig.submit("/hitloop/transport/play", Play())
    rig.desk.on_refused(Refused(rig.player[-1].token, "range", "No."))
    assert rig.replies == [Rejected("range", "No.")]


def test_a_player_that_does_not_answer_is_told_and_forgotten(rig):
    rig.submit("/hitloop/transport/play", Play())
    rig.now_ns += PLAYER_PATIENCE_NS + 1
    rig.desk.look_after()
    assert [reply.code for reply in rig.replies] == ["player"]
    rig.done(rig.player[0], 0)
    assert len(rig.replies) == 1


def test_a_generator_that_hangs_is_restarted_and_the_next_in_line_is_asked(rig):
    rig.submit(REGENERATE, Regenerate(seed=7))
    rig.submit(REGENERATE, Regenerate(seed=8))
    rig.now_ns += GENERATOR_PATIENCE_NS + 1
    rig.desk.look_after()
    assert len(rig.restarts) == 1
    assert [reply.code for reply in rig.replies] == ["late"]
    assert [ask.request.seed for ask in rig.asked()] == [7, 8]
    assert any(isinstance(notice, Warned) for notice in rig.notices)
    assert rig.facts.given_up == 1


def test_a_generator_that_died_is_asked_once_more_and_not_twice(rig):
    rig.submit(REGENERATE, Regenerate(seed=7))
    rig.desk.on_generator_started()
    assert [ask.token for ask in rig.asked()] == [rig.asked()[0].token] * 2
    rig.desk.on_generator_started()
    assert [reply.code for reply in rig.replies] == ["generator"]
    assert len(rig.asked()) == 2


def test_a_generators_error_is_told_and_a_stale_answer_is_not_taken(rig):
    rig.submit(REGENERATE, Regenerate(seed=7))
    rig.answer(pattern=None, error=("unavailable", "No."))
    assert rig.replies == [Rejected("unavailable", "No.")]
    rig.answer()
    assert rig.sent(Cue) == []


def test_auto_asks_for_the_bar_after_the_last_of_so_many(rig):
    rig.submit("/hitloop/gen/auto", SetAuto(2))
    for bar in range(4):
        rig.desk.on_bar(BarStarted(bar, "x", rig.now_ns))
        for _ in rig.asked()[rig.facts.made_answers :]:
            rig.answer()
    assert [e.command.due_bar for e in rig.sent(Cue)] == [2, 4]


def test_changes_are_told_once_and_thinking_follows_them(rig):
    rig.desk.look_after()
    rig.desk.look_after()
    thoughts = [m for m in rig.generator if isinstance(m, Think)]
    assert len(thoughts) == 1
    assert len(thoughts[0].requests) == 9
    rig.submit("/hitloop/gen/calmer", Calmer())
    told = [n for n in rig.notices if isinstance(n, SessionChanged)]
    for envelope in rig.player:
        rig.done(envelope, 1)
    told = [n for n in rig.notices if isinstance(n, SessionChanged)] or told
    assert [dict(n.values)["/hitloop/gen/energy"] for n in told] == [(0.4,)]


def test_the_position_goes_on_between_beats_but_never_into_the_next(rig):
    rig.facts.moved(Transport(State.PLAYING, 120.0, Position(0)))
    rig.facts.beat(1920, rig.now_ns)
    rig.now_ns += 250_000_000
    assert rig.desk.value("/hitloop/transport/position") == (18,)
    rig.now_ns += 10_000_000_000
    assert rig.desk.value("/hitloop/transport/position") == (19,)
    rig.facts.moved(Transport(State.STOPPED, 120.0, Position(480)))
    assert rig.desk.value("/hitloop/transport/position") == (4,)


def test_an_answer_from_just_before_a_bar_line_that_is_told_does_not_lead_back_before_it(rig):
    rig.facts.moved(Transport(State.PLAYING, 120.0, Position(0)))
    rig.desk.on_bar(BarStarted(1, "", rig.now_ns + 4_000_000))  # told ahead of time
    rig.facts.moved(Transport(State.PLAYING, 120.0, Position(1917)))
    assert rig.facts.position.bar == 1
    rig.now_ns += 100_000_000
    assert rig.facts.position.bar == 1
    rig.facts.moved(Transport(State.PLAYING, 120.0, Position(1800)))  # it was sent back
    assert rig.facts.position.bar == 0
