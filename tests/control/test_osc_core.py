"""The door without sockets: questions, sets, errors, bundles, clients, subscriptions, on a fake clock."""

from __future__ import annotations

import json

import pytest

from hitloopd.control.clients import LEASE_S, MAX_CLIENTS, Address
from hitloopd.control.osc_codec import BUNDLE, decode, encode, encode_bundle
from hitloopd.control.schedule import Schedule, WallClock
from hitloopd.control.subscriptions import MAX_SUBSCRIBERS
from hitloopd.core import commands as cmd
from hitloopd.core.notices import (
    BarStarted,
    Beat,
    ClockChanged,
    Late,
    NotePlayed,
    PortBack,
    PortLost,
    SessionChanged,
    TransportChanged,
    Warned,
)
from hitloopd.core.pattern import Lane
from hitloopd.core.time import NS_PER_S
from hitloopd.core.transport import ClockState, State, Transport
from hitloopd.ports.surface import Rejected
from tests.control.rig import EPOCH_NS, ME, OTHER, Rig, tag_at

ENERGY = "/hitloop/gen/energy"
ERROR = "/hitloop/sys/error"


# ── questions, sets, errors ─────────────────────────────────────────────────────────────────────────────────────────


def test_rule_35_a_set_is_acknowledged_with_value_and_bar(rig):
    rig.desk.bar = 17
    assert rig.say(ENERGY, 0.7) == [(ENERGY, (0.7, 17))]
    assert rig.desk.commands == [cmd.SetEnergy(0.7)]


def test_rule_35_a_path_alone_is_a_question(rig):
    assert rig.say(ENERGY) == [(ENERGY, (0.5,))]
    assert rig.desk.commands == []


def test_an_alias_answers_on_the_path_that_was_used(rig):
    assert rig.say("/tempo", 174) == [("/tempo", (174.0, 1))]
    assert rig.say("/tempo") == [("/tempo", (174.0,))]
    assert rig.say("/hitloop/transport/bpm") == [("/hitloop/transport/bpm", (174.0,))]


def test_a_button_let_go_does_nothing(rig):
    assert rig.say("/calmer", 1.0) == [("/calmer", (0.4, 1))]
    assert rig.say("/calmer", 0.0) == [("/calmer", (0, -1))]
    assert rig.desk.commands == [cmd.Calmer()]
    rig.raw(b"/calmer\0,I\0\0")
    assert rig.desk.commands == [cmd.Calmer(), cmd.Calmer()]


def test_the_answer_may_come_later_and_goes_to_who_asked(rig):
    rig.desk.hold = True
    assert rig.say("/regenerate", 7) == []
    assert rig.say("/regenerate", 8, source=OTHER) == []
    rig.desk.release()
    assert (rig.heard(), rig.heard(OTHER)) == ([("/regenerate", (7, 1))], [("/regenerate", (8, 1))])


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((ENERGY, 1.5), "range", "0 to 1, got 1.5"),
        ((ENERGY, "loud"), "type", "the string 'loud'"),
        ((ENERGY, 0.1, 0.2), "type", "takes value, got 2"),
        (("/hitloop/gen/enrgy", 1), "unknown", "/hitloop/gen/energy"),
        (("/hitloop/sync/source", "mid"), "range", "Did you mean 'midi'"),
        (("/hitloop/sys/health", 1), "type", "takes no arguments"),
        (("/hitloop/pattern/set",), "type", "takes json"),
        (("/hitloop/event/beat",), "unavailable", "subscribe"),
        (("/hitloop/lane/[kick/mute", 1), "pattern", "not closed"),
        (("/hitloop//mute", 1), "pattern", "'//'"),
        (("/hitloop/sys/subscribe", "beets"), "unknown", "beat"),
        (("/hitloop/sys/subscribe", "/hitloop/gen/calmer"), "unknown", "Nothing to watch"),
        (("/hitloop/sys/client", "td", 70_000), "range", "1 to 65535"),
    ],
)
def test_rule_36_errors_go_to_the_sender_and_change_nothing(rig, words, code, text):
    before = dict(rig.desk.values)
    got_code, got_text = rig.error(*words)
    assert got_code == code
    assert text in got_text
    assert rig.desk.values == before
    assert rig.desk.commands == []
    assert rig.core.counters.errors == 1


def test_what_the_desk_refuses_is_told(rig):
    rig.desk.refuse["/hitloop/lane/kick/regenerate"] = Rejected("locked", "kick is locked; /hitloop/lane/kick/lock 0")
    assert rig.error("/hitloop/lane/kick/regenerate") == ("locked", "kick is locked; /hitloop/lane/kick/lock 0")


def test_a_fault_inside_the_desk_does_not_end_the_door(rig, monkeypatch, caplog):
    monkeypatch.setattr(type(rig.desk), "submit", lambda *_: 1 / 0)
    assert rig.error("/play")[0] == "error"
    assert rig.core.counters.failures == 1
    assert "ZeroDivisionError" in caplog.text
    assert rig.say("/hitloop/sys/ping") == [("/hitloop/sys/ping", ())]


def test_rule_36_errors_are_rate_limited_and_the_rest_counted(rig):
    told = sum(len(rig.say("/nonsense")) for _ in range(500))
    assert told == 64
    assert len(rig.say("/nonsense", source=OTHER)) == 1  # another client has its own budget
    rig.advance(1_000)
    assert "436 errors" in rig.error("/nonsense")[1]
    assert rig.core.counters.errors == 502


def test_a_pattern_runs_all_that_it_hits(rig):
    assert [path for path, _ in rig.say("/hitloop/lane/{kick,bass}/mute", True)] == [
        "/hitloop/lane/kick/mute",
        "/hitloop/lane/bass/mute",
    ]
    assert rig.desk.commands == [cmd.MuteLane(Lane.KICK, on=True), cmd.MuteLane(Lane.BASS, on=True)]


def test_one_bad_hit_of_a_pattern_does_not_stop_the_others(rig):
    answers = rig.say("/hitloop/lane/*/note", 40)
    assert [path for path, _ in answers].count(ERROR) == 1  # bass has no note
    assert len(rig.desk.commands) == 4


def test_ping_version_status_health(rig):
    assert rig.say("/hitloop/sys/ping", 3) == [("/hitloop/sys/ping", (3,))]
    [(_, (name, version, pid))] = rig.say("/hitloop/sys/version")
    assert (name, version) == ("hitloopd", "9.9")
    assert pid > 1
    [(_, (health,))] = rig.say("/hitloop/sys/health")
    assert json.loads(health)["player"]["alive"]


def test_rule_40_a_long_pattern_comes_in_parts_over_udp_and_whole_over_tcp(rig):
    rig.desk.values["/hitloop/pattern/get"] = ("x" * 4_000,)
    assert [args[:2] for _, args in rig.say("/hitloop/pattern/get")] == [(0, 3), (1, 3), (2, 3)]
    stream = Address("tcp", "127.0.0.1", 5)
    assert rig.say("/hitloop/pattern/get", source=stream) == [("/hitloop/pattern/get", ("x" * 4_000,))]


# ── bundles and time ────────────────────────────────────────────────────────────────────────────────────────────────


def test_rule_29_a_bad_message_spares_its_bundle(rig):
    answers = rig.raw(encode_bundle(1, [encode("/play"), b"/bad\0\0\0\0", encode(ENERGY, (9.0,)), encode("/stop")]))
    assert rig.desk.commands == [cmd.Play(), cmd.Stop()]
    assert [path for path, _ in answers].count(ERROR) == 2


@pytest.mark.parametrize("ahead_ms", [-3_600_000, -1, 0])
def test_rule_30_past_bundles_run_now(rig, ahead_ms):
    rig.raw(encode_bundle(tag_at(rig.now_ns + ahead_ms * 10**6), [encode("/play")]))
    assert rig.desk.commands == [cmd.Play()]


def test_rule_30_future_bundles_wait_on_our_timebase_in_order(rig):
    start = rig.now_ns
    rig.raw(encode_bundle(tag_at(start + 300 * 10**6), [encode(ENERGY, (0.3,)), encode("/stop")]))
    rig.raw(encode_bundle(tag_at(start + 100 * 10**6), [encode(ENERGY, (0.1,)), encode("/hitloop/transport/tap")]))
    rig.raw(encode(ENERGY, (0.0,)))
    assert rig.desk.commands == [cmd.SetEnergy(0.0)]
    assert abs(rig.core.next_ns() - (start + 100 * 10**6)) < 1_000
    rig.advance(99.99)
    assert len(rig.desk.commands) == 1
    rig.advance(0.02)
    _, energy, tap = rig.desk.commands
    assert energy == cmd.SetEnergy(0.1)
    assert abs(tap.at_ns - (start + 100 * 10**6)) < 1_000  # the tap counts when it was dated, not when it ran
    rig.advance(1_000)
    assert rig.desk.commands[3:] == [cmd.SetEnergy(0.3), cmd.Stop()]


def test_rule_30_beyond_max_ahead_runs_now_with_a_warning(rig):
    answers = rig.raw(encode_bundle(tag_at(rig.now_ns + 6 * NS_PER_S), [encode("/play")]))
    assert rig.desk.commands == [cmd.Play()]
    assert [args[1] for path, args in answers if path == ERROR] == ["ahead"]


def test_rule_31_a_thousand_bundles_an_hour_ahead_delay_and_keep_nothing(rig):
    bundle = encode_bundle(tag_at(rig.now_ns + 3_600 * NS_PER_S), [encode(ENERGY, (0.2,))])
    for _ in range(1_000):
        rig.raw(bundle)
    assert len(rig.core.schedule) == 0
    assert rig.say(ENERGY, 0.9) == [(ENERGY, (0.9, 1))]  # at the same fake instant: no wait in between
    assert rig.desk.count == 1_001


def test_rule_31_the_schedule_is_bounded(rig):
    rig.core.schedule = Schedule(capacity=3, max_bytes=10_000)
    bundle = encode_bundle(tag_at(rig.now_ns + NS_PER_S), [encode("/play")])
    answers = [rig.raw(bundle) for _ in range(4)]
    assert answers[:3] == [[], [], []]
    assert answers[3][0][1][1] == "full"
    assert rig.desk.commands == []


def test_the_schedule_counts_bytes_too():
    schedule: Schedule[str] = Schedule(max_bytes=100)
    assert schedule.add(5, "a", 60)
    assert not schedule.add(6, "b", 60)
    assert schedule.pop_due(5) == ["a"]
    assert schedule.add(6, "b", 60)


def test_the_wall_clock_is_slewed_but_a_set_one_is_followed_at_once():
    now, shift = [10 * NS_PER_S], [0]
    clock = WallClock(lambda: now[0], lambda: EPOCH_NS + now[0] + shift[0])
    tag = clock.tag_of(now[0])
    assert abs(clock.mono_of(tag) - now[0]) <= 1
    shift[0] = 500_000_000  # half a second off: 1 ms per second at most
    now[0] += NS_PER_S
    assert 10 * NS_PER_S - clock.mono_of(tag) == pytest.approx(1_000_000, abs=2)
    shift[0] = 3_600 * NS_PER_S
    now[0] += NS_PER_S
    assert 10 * NS_PER_S - clock.mono_of(tag) == pytest.approx(3_600 * NS_PER_S, abs=2)


# ── clients ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rule_33_thirty_two_clients_get_their_own_answers(rig):
    for index in range(32):
        source = Address("udp", f"10.0.0.{index}", 7_000)
        assert rig.say("/hitloop/sys/ping", index, source=source) == [("/hitloop/sys/ping", (index,))]
        assert len(rig.sent) == 1


def test_rule_33_a_client_can_have_its_answers_sent_elsewhere(rig):
    elsewhere = ME._replace(port=9_001)
    rig.say("/hitloop/sys/client", "td", 9_001)
    assert rig.heard(elsewhere) == [("/hitloop/sys/client", ("td", 9_001))]
    assert rig.say(ENERGY) == []
    assert rig.heard(elsewhere) == [(ENERGY, (0.5,))]


def test_rule_33_a_client_that_restarted_takes_its_name_with_it(rig):
    rig.say("/hitloop/sys/client", "td", 9_001)
    rig.say("/hitloop/sys/subscribe", "beat")
    rig.say("/hitloop/sys/client", "td", 9_001, source=OTHER)
    rig.sent.clear()
    rig.core.publish(Beat(0, 0, 120.0, 0))
    assert rig.sent == []


def test_a_connection_cannot_be_sent_elsewhere(rig):
    assert rig.error("/hitloop/sys/client", "x", 9, source=Address("tcp", "h", 1))[0] == "unavailable"


def test_the_book_of_clients_is_bounded(rig):
    for port in range(MAX_CLIENTS + 50):
        rig.say("/hitloop/sys/ping", source=Address("udp", "10.0.0.1", port))
    assert len(rig.core.clients) == MAX_CLIENTS


# ── subscriptions ───────────────────────────────────────────────────────────────────────────────────────────────────

BEAT = Beat(3, 2, 174.0, 5)


def published(rig, *notices, source=ME):
    rig.sent.clear()
    for notice in notices:
        rig.core.publish(notice)
    return rig.heard(source)


@pytest.mark.parametrize(
    ("what", "notice", "answer"),
    [
        ("beat", BEAT, ("/hitloop/event/beat", (3, 2, 174.0))),
        ("bar", BarStarted(4, "abc", 5), ("/hitloop/event/bar", (4, "abc"))),
        ("note", NotePlayed(1, Lane.BASS, 9, 0.5, 43, 5), ("/hitloop/event/note", ("bass", 1, 9, 0.5, 43))),
        (
            "state",
            TransportChanged(Transport(State.PLAYING, 90.0)),
            ("/hitloop/event/transport", ("playing", 90.0, "internal")),
        ),
        ("state", SessionChanged(((ENERGY, (0.7,)),), 5), (ENERGY, (0.7, 5))),
        ("state", Warned("disk", "full"), ("/hitloop/event/warning", ("disk", "full"))),
        ("state", PortLost("synth", "gone"), ("/hitloop/event/warning", ("port", "synth: gone"))),
        ("state", PortBack("synth"), ("/hitloop/event/warning", ("port", "synth is back."))),
        ("state", ClockChanged(ClockState.LOCKED, "x"), ("/hitloop/event/warning", ("clock locked", "x"))),
        ("", BEAT, ("/hitloop/event/beat", (3, 2, 174.0))),
        ("/hitloop/event/beat", BEAT, ("/hitloop/event/beat", (3, 2, 174.0))),
        ("/hitloop/gen/*", SessionChanged(((ENERGY, (0.7,)),), 5), (ENERGY, (0.7, 5))),
    ],
)
def test_subscribers_are_told_what_they_asked_for(rig, what, notice, answer):
    rig.say("/hitloop/sys/subscribe", what)
    assert published(rig, notice) == [answer]
    rig.say("/hitloop/sys/unsubscribe", what)
    assert published(rig, notice) == []


def test_a_late_answer_is_a_warning(rig):
    rig.say("/hitloop/sys/subscribe", "state")
    [(path, (code, text))] = published(rig, Late(12))
    assert (path, code) == ("/hitloop/event/warning", "late")
    assert "12" in text


def test_rule_34_the_current_value_comes_at_once(rig):
    rig.core.publish(BEAT)
    answers = rig.say("/hitloop/sys/subscribe", "beat")
    assert answers == [("/hitloop/event/beat", (3, 2, 174.0)), ("/hitloop/sys/subscribe", ("beat", 0, LEASE_S))]
    state = dict(rig.say("/hitloop/sys/subscribe"))
    assert state[ENERGY] == (0.5, -1)
    assert state["/hitloop/lane/bass/mute"] == (0, -1)
    assert len(state) > 50


def test_rule_34_several_calls_add_up_and_others_hear_nothing(rig):
    rig.say("/hitloop/sys/subscribe", "beat")
    rig.say("/hitloop/sys/subscribe", "bar")
    rig.say("/hitloop/sys/ping", source=OTHER)
    assert len(published(rig, BEAT, BarStarted(1, "x", 0))) == 2
    assert rig.heard(OTHER) == []
    rig.say("/hitloop/sys/unsubscribe")
    assert published(rig, BEAT, BarStarted(1, "x", 0)) == []


def test_rule_34_who_subscribed_is_told_after_a_restart_too(rig):
    rig.say("/hitloop/sys/client", "touch", 51_000)
    rig.say("/hitloop/sys/subscribe")
    rig.say("/hitloop/sys/subscribe", ENERGY, 50)
    rig.say("/hitloop/sys/unsubscribe", "beat")
    rig.say("/hitloop/sys/subscribe", "beat", source=OTHER)
    rig.say("/hitloop/sys/unsubscribe", source=OTHER)
    rig.say("/hitloop/sys/subscribe", "bar", source=Address("tcp", "127.0.0.1", 5))
    kept = json.loads(json.dumps(rig.core.kept()))
    again = Rig()
    again.core.recall(kept)
    target = ME._replace(port=51_000)
    assert (ENERGY, (0.5, -1)) in again.heard(target), "values at once, as at the first time"
    assert published(again, BEAT, source=target) == []
    assert published(again, BarStarted(1, "x", 0), source=target) == [("/hitloop/event/bar", (1, "x"))]
    assert published(again, BEAT, BarStarted(1, "x", 0), source=OTHER) == []
    assert again.core.kept() == kept


def test_rule_34_changes_inside_the_interval_are_coalesced(rig):
    rig.say("/hitloop/sys/subscribe", ENERGY, 50)
    rig.sent.clear()
    for value in (0.1, 0.2, 0.3):
        rig.core.publish(SessionChanged(((ENERGY, (value,)),), 1))
    assert rig.heard() == []  # the first value was sent on subscribing, less than 50 ms ago
    rig.advance(49)
    assert rig.heard() == []
    rig.advance(2)
    assert rig.heard() == [(ENERGY, (0.3, 1))]
    rig.advance(60)
    assert published(rig, SessionChanged(((ENERGY, (0.3,)),), 2)) == []  # known already
    assert published(rig, SessionChanged(((ENERGY, (0.4,)),), 2)) == [(ENERGY, (0.4, 2))]


@pytest.mark.parametrize(("said", "told"), [(False, 0), (True, 1)])
def test_rule_34_the_lease_ends_unless_the_client_is_heard(rig, said, told):
    rig.say("/hitloop/sys/subscribe", "beat")
    rig.advance(40_000)
    if said:
        rig.say("/hitloop/sys/ping")
    rig.advance(LEASE_S * 1_000 - 39_000)
    assert len(published(rig, BEAT)) == told
    assert (rig.core.next_ns() is None) is not said


def test_a_connection_is_subscribed_until_it_ends(rig):
    stream = Address("tcp", "127.0.0.1", 5)
    rig.say("/hitloop/sys/subscribe", "beat", source=stream)
    rig.advance(10**6)
    assert len(published(rig, BEAT, source=stream)) == 1
    rig.core.gone(stream)
    assert published(rig, BEAT, source=stream) == []


def test_events_can_carry_the_time_at_which_they_sound(rig):
    rig.say("/hitloop/sys/subscribe", "note", 0, "timetag")
    at_ns = rig.now_ns + 7 * 10**6
    published(rig, NotePlayed(1, Lane.KICK, 0, 0.5, 60, at_ns))
    [(data, _)] = rig.sent
    assert data.startswith(BUNDLE)
    assert abs(decode(data)[0].tag - tag_at(at_ns)) < 10  # 2.3 ns


def test_position_and_status_follow_beat_and_transport(rig):
    rig.say("/hitloop/sys/subscribe", "/hitloop/transport/position")
    rig.desk.values["/hitloop/transport/position"] = (16,)
    assert published(rig, BEAT) == [("/hitloop/transport/position", (16, -1))]
    rig.say("/hitloop/sys/subscribe", "/hitloop/transport/bpm")
    rig.desk.values["/hitloop/transport/bpm"] = (90.0,)
    assert published(rig, TransportChanged(Transport())) == [("/hitloop/transport/bpm", (90.0, -1))]


def test_subscribers_are_bounded(rig):
    for port in range(MAX_SUBSCRIBERS):
        rig.say("/hitloop/sys/subscribe", "beat", source=Address("udp", "h", port))
    assert rig.error("/hitloop/sys/subscribe", "beat")[0] == "unavailable"
    assert Rig().say("/hitloop/sys/subscribe", "beat") == [("/hitloop/sys/subscribe", ("beat", 0, LEASE_S))]


def test_publishing_never_raises(rig, monkeypatch, caplog):
    rig.say("/hitloop/sys/subscribe", "/hitloop/transport/position")
    monkeypatch.setattr(type(rig.desk), "value", lambda *_: 1 / 0)
    rig.core.publish(BEAT)
    assert rig.core.counters.failures == 1
    assert "Beat" in caplog.text
